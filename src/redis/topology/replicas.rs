//! Which replicas may be read from: those that have all of their primary's data, as far as was seen lately.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::{Cmd, Value};

use super::node_address::NodeAddress;
use crate::redis::reply::text;

/// A replica that was in sync counts for so long.
const IN_SYNC_FOR: Duration = Duration::from_secs(1);
/// One that was not, or that failed, is left alone for so long.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(2);
/// A primary sends its replicas something every ten seconds at least, by default.
const MAX_SILENCE_SECONDS: u64 = 11;

/// What is known of replicas.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    /// Until when it counts, and whether the replica was in sync.
    seen: BTreeMap<NodeAddress, (Instant, bool)>,
}

/// The command whose answer says whether a replica is in sync.
pub(crate) fn replication_info() -> Cmd {
    redis::cmd("INFO").arg("replication").clone()
}

/// Whether a server says that it is a replica with all data of its primary, which it hears from.
pub(crate) fn is_in_sync(info: &Value) -> bool {
    let info = match info {
        Value::VerbatimString { text, .. } => text.as_str(),
        other => text(other).unwrap_or_default(),
    };
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let silence = field("master_last_io_seconds_ago").and_then(|seconds| seconds.parse::<u64>().ok());
    field("role") == Some("slave")
        && field("master_link_status") == Some("up")
        && field("master_sync_in_progress") == Some("0")
        && silence.is_some_and(|seconds| seconds <= MAX_SILENCE_SECONDS)
}

impl Replicas {
    /// Whether a replica is in sync; `None` if that is to be found out.
    pub(crate) fn is_in_sync(&self, replica: &NodeAddress, now: Instant) -> Option<bool> {
        self.seen.get(replica).filter(|(until, _)| now < *until).map(|(_, is_in_sync)| *is_in_sync)
    }

    pub(crate) fn note(&mut self, replica: &NodeAddress, is_in_sync: bool, now: Instant) {
        let time = if is_in_sync { IN_SYNC_FOR } else { LEFT_ALONE_FOR };
        self.seen.insert(replica.clone(), (now + time, is_in_sync));
    }

    /// Forgets those that are none any more.
    pub(crate) fn retain(&mut self, is_known: impl Fn(&NodeAddress) -> bool) {
        self.seen.retain(|replica, _| is_known(replica));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::topology::samples::{address, string};

    fn info(status: &str, syncing: &str, seconds: &str) -> Value {
        string(&format!(
            "# Replication\r\nrole:slave\r\nmaster_link_status:{status}\r\nmaster_last_io_seconds_ago:{seconds}\r\n\
             master_sync_in_progress:{syncing}\r\n"
        ))
    }

    #[test]
    fn a_replica_is_in_sync_if_it_hears_from_its_primary_and_has_all_data() {
        assert!(is_in_sync(&info("up", "0", "3")) && is_in_sync(&info("up", "0", "11")));
        for (status, syncing, seconds) in [("down", "0", "3"), ("up", "1", "3"), ("up", "0", "12"), ("up", "0", "-1")] {
            assert!(!is_in_sync(&info(status, syncing, seconds)), "{status} {syncing} {seconds}");
        }
        for other in ["role:master\r\n", "", "role:slave\r\nmaster_link_status:up\r\n"] {
            assert!(!is_in_sync(&string(other)), "{other}");
        }
        assert!(!is_in_sync(&Value::Nil));
    }

    #[test]
    fn what_was_seen_counts_for_a_while() {
        let (mut replicas, now) = (Replicas::default(), Instant::now());
        let [good, bad] = [1, 2].map(|port| address("h", port));
        assert_eq!(replicas.is_in_sync(&good, now), None);
        replicas.note(&good, true, now);
        replicas.note(&bad, false, now);
        let at = |millis| now + Duration::from_millis(millis);
        assert_eq!((replicas.is_in_sync(&good, at(999)), replicas.is_in_sync(&good, at(1_000))), (Some(true), None));
        assert_eq!((replicas.is_in_sync(&bad, at(1_999)), replicas.is_in_sync(&bad, at(2_000))), (Some(false), None));
        replicas.retain(|replica| *replica == good);
        assert_eq!(replicas.is_in_sync(&bad, now), None);
    }
}
