//! Deletes the keys of one namespace. For examples and tests only: an application keeps its governed requests.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::Value;

use super::{Result, Servers};

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deletes every key of this namespace, and returns how many there were.
pub fn delete_namespace(servers: &Servers, namespace: &str) -> Result<usize> {
    match servers {
        Servers::One(url) => delete_on_server(url, namespace),
        Servers::Cluster(urls) => {
            primaries(urls)?.iter().map(|url| delete_on_server(url, namespace)).sum::<Result<usize>>()
        }
    }
}

/// The URLs of the nodes that serve slots, as the first of these nodes that answers knows them.
fn primaries(urls: &[String]) -> Result<BTreeSet<String>> {
    let mut problem = "REDIS_CLUSTER_URLS names no node".into();
    for url in urls {
        match slots(url) {
            Ok(ranges) => return ranges.iter().map(|range| primary_of(range, url)).collect(),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

fn slots(url: &str) -> Result<Vec<Vec<Value>>> {
    Ok(redis::cmd("CLUSTER").arg("SLOTS").query(&mut connect(url)?)?)
}

/// The URL of the node that serves a range of slots: another host and port, with the login of the node that was asked.
fn primary_of(range: &[Value], asked: &str) -> Result<String> {
    let node = range.get(2).and_then(Value::as_sequence).unwrap_or_default();
    let [Value::BulkString(host), Value::Int(port), ..] = node else { return Err("a range without a node".into()) };
    let (scheme, rest) = asked.split_once("://").ok_or("a URL without ://")?;
    let login = rest.rsplit_once('@').map_or(String::new(), |(login, _)| format!("{login}@"));
    Ok(format!("{scheme}://{login}{}:{port}", String::from_utf8_lossy(host)))
}

fn connect(url: &str) -> Result<redis::Connection> {
    let connection = redis::Client::open(url)?.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// Page by page.
fn delete_on_server(url: &str, namespace: &str) -> Result<usize> {
    let mut connection = connect(url)?;
    let (own, partitioned) = (format!("{{{namespace}}}"), format!("{{{namespace}:"));
    let mut deleted = 0;
    let mut cursor = 0_u64;
    loop {
        let pattern = format!("{{{namespace}*");
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1_000);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query(&mut connection)?;
        // The pattern also matches namespaces that begin with this one.
        for key in keys.iter().filter(|key| key.starts_with(own.as_bytes()) || key.starts_with(partitioned.as_bytes()))
        {
            deleted += redis::cmd("UNLINK").arg(key).query::<usize>(&mut connection)?;
        }
        if next == 0 {
            return Ok(deleted);
        }
        cursor = next;
    }
}
