//! What one Sentinel says about the primary that it watches.

use redis::{Cmd, Value};

use super::announcement::Announcements;
use super::node_address::NodeAddress;
use super::reply::field;
use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::redis::connection::fault::{Effect, Fault};
use crate::redis::connection::preflight::incompatible;
use crate::redis::options::{Settings, configuration};
use crate::redis::reply::{array, text};

/// No primary has more replicas.
const MAX_REPLICAS: usize = 1_000;

/// Who the primary is, as one Sentinel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opinion {
    /// Whoever promotes a replica raises it, so of two opinions the one with the greater epoch is the later.
    pub(super) epoch: u64,
    pub(super) primary: NodeAddress,
    /// Whether the Sentinel is about to promote a replica, so that writes to the primary may not last.
    pub(super) is_failing_over: bool,
    /// Those that the Sentinel reaches.
    pub(super) replicas: Vec<NodeAddress>,
    /// How many Sentinels watch the primary, this one included.
    pub(super) sentinels: u64,
}

/// The commands, to be sent at once.
///
/// While a failover is under way, its leader names the promoted replica as the address, and the old primary in the fields. So
/// the address is asked for, before and after the fields with the epoch: where both are equal, all three belong together.
pub(crate) fn sentinel_queries(name: &str, wants_replicas: bool) -> Vec<Cmd> {
    let ask = |what: &str| redis::cmd("SENTINEL").arg(what).arg(name).clone();
    let asked = ["GET-MASTER-ADDR-BY-NAME", "MASTER", "GET-MASTER-ADDR-BY-NAME"];
    let replicas = wants_replicas.then_some("REPLICAS");
    asked.into_iter().chain(replicas).map(ask).collect()
}

/// The opinion in a Sentinel's answers.
///
/// # Errors
/// Why there is none, which names the Sentinel: it was not reached, is no Sentinel, does not know the name, or its answers make
/// no sense.
pub(crate) fn opinion(
    settings: &Settings,
    sentinel: &NodeAddress,
    name: &str,
    answers: Result<Vec<Result<Value, Fault>>, Fault>,
) -> Result<Opinion, StoreError> {
    let answers: Result<Vec<Value>, Fault> = answers.and_then(|answers| answers.into_iter().collect());
    let answers = answers.map_err(|fault| explained(sentinel, name, fault.into_error(false, Effect::None)))?;
    let [before, fields, after, replicas @ ..] = &answers[..] else { return Err(malformed(sentinel)) };
    if *before == Value::Nil || *after == Value::Nil {
        return Err(unknown_name(sentinel, name));
    }
    if before != after {
        let problem = format!("the Sentinel at {sentinel} was just learning of another primary of {name:?}");
        return Err(StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, problem));
    }
    let announcements = settings.announcements(sentinel);
    read(announcements, before, fields, replicas.first()).ok_or_else(|| malformed(sentinel))
}

fn read(
    announcements: Announcements<'_>,
    address: &Value,
    fields: &Value,
    replicas: Option<&Value>,
) -> Option<Opinion> {
    let [host, port] = array(address)? else { return None };
    let primary = announcements.address(text(host)?, text(port)?.parse().ok()?)?;
    let word = |name| text(field(fields, name)?);
    let number = |name| word(name)?.parse::<u64>().ok();
    let is_failing_over =
        word("flags").is_some_and(|flags| flags.split(',').any(|flag| flag == "failover_in_progress"));
    // Once the replica is promoted, it is the address.
    let is_promoted = (word("ip"), word("port")) != (text(host), text(port));
    let replicas = match replicas {
        Some(listed) => {
            array(listed)?.iter().take(MAX_REPLICAS).filter_map(|one| replica(announcements, one)).collect()
        }
        None => Vec::new(),
    };
    Some(Opinion {
        epoch: number("config-epoch")?,
        primary,
        is_failing_over: is_failing_over && !is_promoted,
        replicas,
        sentinels: number("num-other-sentinels")?.saturating_add(1),
    })
}

/// The address of a replica; `None` if the Sentinel does not reach it.
fn replica(announcements: Announcements<'_>, listed: &Value) -> Option<NodeAddress> {
    let word = |name| text(field(listed, name)?);
    let is_down = |flag| matches!(flag, "s_down" | "o_down" | "disconnected" | "master");
    if word("flags")?.split(',').any(is_down) {
        return None;
    }
    announcements.address(word("ip")?, word("port")?.parse().ok()?)
}

fn explained(sentinel: &NodeAddress, name: &str, error: StoreError) -> StoreError {
    if error.problem.contains("No such master with that name") {
        return StoreError { source: error.source, ..unknown_name(sentinel, name) };
    }
    if error.problem.contains("unknown command") {
        let problem = format!(
            "the server at {sentinel} is no Sentinel: give the URLs of the Sentinels, by default at port 26379; a single server is \
             opened with RedisStore::builder, and a cluster with RedisStore::cluster_builder"
        );
        return StoreError { source: error.source, ..incompatible(problem) };
    }
    error
}

fn unknown_name(sentinel: &NodeAddress, name: &str) -> StoreError {
    configuration(&format!(
        "the Sentinel at {sentinel} watches no primary named {name:?}; check the name: SENTINEL MASTERS lists those that it watches"
    ))
}

fn malformed(sentinel: &NodeAddress) -> StoreError {
    let problem = format!(
        "the answers of the Sentinel at {sentinel} make no sense; check host and port, and that no proxy in between changes them"
    );
    StoreError::new(StoreErrorKind::Connection, Outcome::NotApplied, problem)
}

#[cfg(test)]
#[path = "sentinel_tests.rs"]
mod tests;
