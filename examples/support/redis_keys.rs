//! Deletes the keys of one namespace. For examples and tests only: an application keeps its governed requests.

use std::time::Duration;

use super::Result;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deletes every key of this namespace, page by page, and returns how many there were.
pub fn delete_namespace(url: &str, namespace: &str) -> Result<usize> {
    let mut connection = redis::Client::open(url)?.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
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
