//! The commands that ask a node for the map of its cluster, and what is wrong with a cluster when a store is opened.

use redis::{Cmd, Value};

use super::node_address::NodeAddress;
use super::reply::TopologyError;
use super::slot_map::SlotMap;
use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::redis::connection::fault::{Effect, Fault};
use crate::redis::connection::preflight::incompatible;
use crate::redis::options::Settings;

/// So many nodes are named in an error.
const MAX_NAMED: usize = 3;

/// The commands, to be sent at once. CLUSTER SHARDS names encrypted ports, and CLUSTER SLOTS may not.
pub(crate) fn map_queries(settings: &Settings) -> [Cmd; 2] {
    let slots = if settings.is_encrypted() { "SHARDS" } else { "SLOTS" };
    ["INFO", slots].map(|what| redis::cmd("CLUSTER").arg(what).clone())
}

/// The map in the answers of a node.
///
/// # Errors
/// Why there is none, which names the node: it was not reached, is no node of a cluster, or its answers make no sense.
pub(crate) fn cluster_map(
    settings: &Settings,
    node: &NodeAddress,
    answers: Result<Vec<Result<Value, Fault>>, Fault>,
) -> Result<SlotMap, StoreError> {
    let answers: Result<Vec<Value>, Fault> = answers.and_then(|answers| answers.into_iter().collect());
    let answers = answers.map_err(|fault| not_in_cluster(node, fault.into_error(false, Effect::None)))?;
    let announcements = settings.announcements(node);
    let map = match &answers[..] {
        [info, shards] if settings.is_encrypted() => SlotMap::from_shards(info, shards, announcements),
        [info, slots] => SlotMap::from_slots(info, slots, announcements),
        _ => return Err(unavailable(StoreErrorKind::Connection, format!("{node} did not answer for the map"))),
    };
    map.map_err(|error| {
        let kind = match error {
            TopologyError::NoSlots { .. } => StoreErrorKind::Unavailable,
            _ => StoreErrorKind::Connection,
        };
        unavailable(kind, error.to_string())
    })
}

fn not_in_cluster(node: &NodeAddress, error: StoreError) -> StoreError {
    if error.problem.contains("cluster support disabled") {
        let problem = format!("{node} is a server without cluster mode: open it with RedisStore::builder");
        return StoreError { source: error.source, ..incompatible(problem) };
    }
    error
}

/// The error when no node that the application named gave a map: one that does not pass by itself, or all of them.
pub(crate) fn no_map(mut errors: Vec<StoreError>) -> StoreError {
    if let Some(lasting) = errors.iter().position(|error| !error.kind.may_pass()) {
        return errors.swap_remove(lasting);
    }
    if errors.len() == 1
        && let Some(error) = errors.pop()
    {
        return error;
    }
    let all_unreachable = errors.iter().all(|error| error.kind == StoreErrorKind::Unreachable);
    let kind = if all_unreachable { StoreErrorKind::Unreachable } else { StoreErrorKind::Unavailable };
    let named: Vec<&str> = errors.iter().take(MAX_NAMED).map(|error| error.problem.as_str()).collect();
    let more = if errors.len() > MAX_NAMED { "; and others" } else { "" };
    let problem =
        format!("none of the {} nodes that were named leads to the cluster: {}{more}", errors.len(), named.join("; "));
    unavailable(kind, problem)
}

/// # Errors
/// [`StoreErrorKind::Unavailable`] if a slot is served by no node.
pub(crate) fn check_whole(map: &SlotMap, node: &NodeAddress) -> Result<(), StoreError> {
    let Some((count, first)) = map.unserved() else { return Ok(()) };
    let problem = format!(
        "the cluster is not whole: no node serves {count} slot(s), of which {first} is the first, says {node}. Assign them, for \
         one with redis-cli --cluster fix, and open the store again"
    );
    Err(unavailable(StoreErrorKind::Unavailable, problem))
}

/// # Errors
/// [`StoreErrorKind::Configuration`] if the maps of two nodes are of different clusters.
pub(crate) fn check_same_cluster(
    (one, its_map): (&NodeAddress, &SlotMap),
    (other, map): (&NodeAddress, &SlotMap),
) -> Result<(), StoreError> {
    if its_map.is_of_same_cluster(map) {
        return Ok(());
    }
    let problem = format!("{one} and {other} are nodes of different clusters; give the nodes of one of them");
    Err(StoreError::new(StoreErrorKind::Configuration, Outcome::NotApplied, problem))
}

fn unavailable(kind: StoreErrorKind, problem: String) -> StoreError {
    StoreError::new(kind, Outcome::NotApplied, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::RedisOptions;
    use crate::redis::topology::samples::{self, address, reply, server_error};

    fn map(slots: &[u8]) -> Result<SlotMap, StoreError> {
        let settings = RedisOptions::default().check("redis://h").unwrap();
        cluster_map(&settings, &address("h", 1), Ok(vec![Ok(reply(samples::INFO)), Ok(reply(slots))]))
    }

    #[test]
    fn an_answer_is_a_map_or_says_why_not() {
        let found = map(samples::SLOTS).unwrap();
        assert!(check_whole(&found, &address("h", 1)).is_ok());
        let nothing = map(b"*0\r\n").unwrap_err();
        assert_eq!(nothing.kind, StoreErrorKind::Unavailable, "{nothing}");
        let nonsense = map(b"+no\r\n").unwrap_err();
        assert!(nonsense.kind == StoreErrorKind::Connection && nonsense.problem.contains("h:1"), "{nonsense}");

        let settings = RedisOptions::default().check("redis://h").unwrap();
        let alone = Fault::command("h:1", server_error("ERR This instance has cluster support disabled"));
        let error = cluster_map(&settings, &address("h", 1), Ok(vec![Err(alone)])).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Incompatible);
        assert!(error.problem.contains("h:1") && error.problem.contains("RedisStore::builder"), "{error}");
    }

    #[test]
    fn a_part_of_a_cluster_names_the_first_slot_that_is_missing() {
        let part = b"*1\r\n*3\r\n:0\r\n:99\r\n*3\r\n$1\r\nh\r\n:1\r\n$1\r\nx\r\n";
        let error = check_whole(&map(part).unwrap(), &address("h", 1)).unwrap_err();
        assert!(error.problem.contains("16284 slot(s), of which 100"), "{error}");
    }

    #[test]
    fn clusters_are_told_apart_by_the_ids_of_their_primaries() {
        let part = |id: &str| {
            map(format!("*1\r\n*3\r\n:0\r\n:9\r\n*3\r\n$1\r\nh\r\n:1\r\n$1\r\n{id}\r\n").as_bytes()).unwrap()
        };
        let (one, other) = (address("h", 1), address("i", 2));
        assert!(check_same_cluster((&one, &part("x")), (&other, &part("x"))).is_ok());
        let error = check_same_cluster((&one, &part("x")), (&other, &part("y"))).unwrap_err();
        assert!(error.problem.contains("h:1 and i:2") && error.kind == StoreErrorKind::Configuration, "{error}");
    }

    #[test]
    fn what_lasts_is_named_before_what_may_pass() {
        let error = |kind, problem: &str| StoreError::new(kind, Outcome::NotApplied, problem);
        let unreachable = |problem: &str| error(StoreErrorKind::Unreachable, problem);
        let denied = error(StoreErrorKind::Rejected, "denied");
        assert_eq!(no_map(vec![unreachable("a"), denied, unreachable("b")]).problem, "denied");
        let all = no_map(["a", "b", "c", "d"].map(unreachable).into());
        assert_eq!(all.kind, StoreErrorKind::Unreachable);
        assert!(all.problem.contains("none of the 4 nodes") && all.problem.ends_with("a; b; c; and others"), "{all}");
        assert_eq!(no_map(vec![unreachable("alone")]).problem, "alone");
    }
}
