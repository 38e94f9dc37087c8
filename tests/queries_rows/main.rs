//! The rows of every read over one company's requests, on both stores in two flavours, written down by hand.
#![cfg(all(feature = "blocking", feature = "tokio", feature = "redis"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot ask has failed")]
#![allow(clippy::needless_pass_by_value, clippy::ptr_arg, reason = "each case has what it works with to itself")]

mod blocking;
mod company;
mod filters;
mod nonblocking;
#[path = "../query_support/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses another part of this module")]
mod server;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

/// Two busy cores serve several test binaries: long enough that only a real hang fails.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
