//! A Redis for tests, found or started without being asked.
//!
//! In this order: the server at `MUTATOR_TEST_REDIS_URL`; a private `redis-server` from `PATH`, one per
//! test binary; a container. `MUTATOR_TEST_REDIS=container` goes straight to the container. None of them: the
//! test fails and says what to install. A started server ends with the test binary, also when that is killed.

#[cfg(feature = "redis")]
mod cluster;
pub mod container;
#[cfg(feature = "redis")]
mod moving;
#[cfg(feature = "redis")]
mod node;
mod private;
mod process;
#[cfg(feature = "redis")]
mod sentinel;
mod supervisor;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "redis")]
pub use cluster::{Cluster, Shard};
#[cfg(feature = "redis")]
pub use moving::Moving;
#[cfg(feature = "redis")]
pub use node::{Node, Site, StoppedNode, wait_until};
pub use private::{PrivateServer, encrypts};
pub use process::{ServerProcess, free_port, repair_append_only_file};
#[cfg(feature = "redis")]
pub use sentinel::SentinelSet;

/// The address of the Redis that the tests of this binary share.
///
/// Others write to it at the same time: take a [`unique_namespace`] and do not flush.
pub fn redis_url() -> String {
    static SHARED: OnceLock<PrivateServer> = OnceLock::new();
    match std::env::var("MUTATOR_TEST_REDIS_URL") {
        Ok(url) if !url.is_empty() && !container::is_forced() => url,
        _ => SHARED.get_or_init(|| PrivateServer::start(&[])).url().to_owned(),
    }
}

/// `prefix` and a suffix that no other test, process or earlier run has used.
pub fn unique_namespace(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{prefix}-{:x}-{:x}-{:x}", now.as_micros(), std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
