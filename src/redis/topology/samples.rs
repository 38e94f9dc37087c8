//! Replies for tests. The files were recorded from a cluster of Redis 7.0.15.

use redis::{RedisError, Value};

use super::node_address::NodeAddress;

pub(super) const SLOTS: &[u8] = include_bytes!("samples/slots.resp");
pub(super) const SHARDS: &[u8] = include_bytes!("samples/shards.resp");
pub(super) const INFO: &[u8] = include_bytes!("samples/info.resp");

pub(super) fn reply(bytes: &[u8]) -> Value {
    redis::parse_redis_value(bytes).unwrap()
}

/// The error that a server reports by this line.
pub(super) fn server_error(line: &str) -> RedisError {
    reply(format!("-{line}\r\n").as_bytes()).extract_error().unwrap_err()
}

pub(super) fn address(host: &str, port: u16) -> NodeAddress {
    NodeAddress::new(host, port).unwrap()
}

pub(super) fn string(text: &str) -> Value {
    Value::BulkString(text.into())
}
