//! Reads the replies to CLUSTER SLOTS, CLUSTER SHARDS and CLUSTER INFO.

use redis::Value;

use super::announcement::Announcements;
use super::node_address::NodeAddress;
use super::slot::Slot;
use crate::redis::reply::{array, text};

/// No cluster has more nodes; Redis recommends at most 1,000.
const MAX_NODES: usize = 4_096;

/// Why a node's reply is no map of its cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TopologyError {
    #[error("the reply of {node} to {command} makes no sense: {problem}; is a proxy in between changing it?")]
    Malformed { node: NodeAddress, command: &'static str, problem: &'static str },
    #[error("{node} names {found} nodes in its reply to {command}; at most {MAX_NODES} are allowed. Check the address")]
    TooManyNodes { node: NodeAddress, command: &'static str, found: usize },
    #[error(
        "{node} says in its reply to {command} that two nodes serve slot {slot}; check the cluster with redis-cli --cluster check"
    )]
    ServedTwice { node: NodeAddress, command: &'static str, slot: Slot },
    #[error("no node serves any slot, says {node}; it has not joined its cluster yet, or the cluster was reset")]
    NoSlots { node: NodeAddress },
}

/// The nodes of some slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    /// The first and the last of each range.
    pub(super) ranges: Vec<(Slot, Slot)>,
    /// `None` if the node that was asked does not know where it is reached.
    pub(super) primary: Option<NodeAddress>,
    pub(super) replicas: Vec<NodeAddress>,
    /// The primary's id, which no node of another cluster has.
    pub(super) id: Option<Box<str>>,
}

/// A reader of one reply, for its errors.
#[derive(Clone, Copy)]
struct Reader<'a> {
    announcements: Announcements<'a>,
    command: &'static str,
}

/// The shards in a reply to CLUSTER SLOTS, one for each range.
pub(super) fn slots(reply: &Value, announcements: Announcements<'_>) -> Result<Vec<Shard>, TopologyError> {
    Reader { announcements, command: "CLUSTER SLOTS" }.shards(reply, Reader::range_of_slots)
}

/// The shards in a reply to CLUSTER SHARDS. Of replicas only those that are online.
pub(super) fn shards(reply: &Value, announcements: Announcements<'_>) -> Result<Vec<Shard>, TopologyError> {
    Reader { announcements, command: "CLUSTER SHARDS" }.shards(reply, Reader::shard)
}

/// The greatest epoch that the node knows, from its reply to CLUSTER INFO. Whatever changes who serves a slot raises it, and it
/// never falls.
pub(super) fn epoch(reply: &Value, announcements: Announcements<'_>) -> Result<u64, TopologyError> {
    let value = |line: &str| line.strip_prefix("cluster_current_epoch:")?.trim_end().parse().ok();
    let info = match reply {
        Value::VerbatimString { text, .. } => Some(text.as_str()),
        other => text(other),
    };
    let epoch = info.and_then(|info| info.lines().find_map(value));
    let reader = Reader { announcements, command: "CLUSTER INFO" };
    epoch.ok_or_else(|| reader.malformed("it has no cluster_current_epoch"))
}

impl Reader<'_> {
    fn shards(
        self,
        reply: &Value,
        read: impl Fn(Self, &Value) -> Result<Shard, TopologyError>,
    ) -> Result<Vec<Shard>, TopologyError> {
        let entries = array(reply).ok_or_else(|| self.malformed("it is no list"))?;
        if entries.len() > usize::from(Slot::COUNT) {
            return Err(self.malformed("it has more entries than there are slots"));
        }
        let mut shards = Vec::new();
        for entry in entries {
            shards.push(read(self, entry)?);
        }
        self.check(&shards)?;
        Ok(shards)
    }

    /// First slot, last slot, then the nodes, the primary first, each with host and port.
    fn range_of_slots(self, entry: &Value) -> Result<Shard, TopologyError> {
        let Some([first, last, nodes @ ..]) = array(entry) else {
            return Err(self.malformed("an entry has no first and last slot"));
        };
        let mut addresses = self.bounded(nodes)?.iter().map(|node| match array(node) {
            Some([host, port, ..]) => self.address(host, port),
            _ => Err(self.malformed("a node has no host and port")),
        });
        let primary = addresses.next().ok_or_else(|| self.malformed("a range of slots has no node"))??;
        let replicas = addresses.collect::<Result<Vec<_>, _>>()?;
        let id = nodes.first().and_then(array).and_then(|node| text(node.get(2)?)).map(Into::into);
        Ok(Shard {
            id,
            ranges: vec![self.range(first, last)?],
            primary,
            replicas: replicas.into_iter().flatten().collect(),
        })
    }

    /// Names and values: `slots`, the bounds of each range, and `nodes`, each of names and values again.
    fn shard(self, entry: &Value) -> Result<Shard, TopologyError> {
        let list = |name| field(entry, name).and_then(array);
        let bounds = list("slots").ok_or_else(|| self.malformed("a shard has no slots"))?;
        let ranges = match bounds.as_chunks() {
            (ranges, []) => ranges.iter().map(|[first, last]| self.range(first, last)).collect::<Result<_, _>>()?,
            _ => return Err(self.malformed("a range of slots has no end")),
        };
        let nodes = list("nodes").ok_or_else(|| self.malformed("a shard has no nodes"))?;
        let mut shard = Shard { ranges, primary: None, replicas: Vec::new(), id: None };
        for node in self.bounded(nodes)? {
            let word = |name| field(node, name).and_then(text);
            let is_replica = match word("role") {
                Some("master" | "primary") => false,
                Some("replica" | "slave") => true,
                _ => return Err(self.malformed("a node has no role")),
            };
            let host = field(node, "endpoint").ok_or_else(|| self.malformed("a node has no endpoint"))?;
            let secure = field(node, "tls-port").filter(|_| self.announcements.is_encrypted());
            let port = secure.or_else(|| field(node, "port")).ok_or_else(|| self.malformed("a node has no port"))?;
            let address = self.address(host, port)?;
            match (is_replica, word("health")) {
                (true, Some("online")) => shard.replicas.extend(address),
                (true, _) => {}
                // A failed primary stays listed beside the one that was promoted.
                (false, Some("fail" | "failed")) => shard.primary = shard.primary.or(address),
                (false, _) => {
                    shard.primary = address.or(shard.primary);
                    shard.id = word("id").map(Into::into);
                }
            }
        }
        Ok(shard)
    }

    fn range(self, first: &Value, last: &Value) -> Result<(Slot, Slot), TopologyError> {
        let slot = |value: &Value| match value {
            Value::Int(number) => u16::try_from(*number).ok().and_then(Slot::new),
            _ => None,
        };
        let range = slot(first).zip(slot(last)).filter(|(first, last)| first <= last);
        range.ok_or_else(|| self.malformed("a range of slots has other bounds than 0 to 16383 in their order"))
    }

    fn address(self, host: &Value, port: &Value) -> Result<Option<NodeAddress>, TopologyError> {
        self.announcements.address_in(host, port).map_err(|()| self.malformed("a node has no host and port"))
    }

    fn bounded(self, nodes: &[Value]) -> Result<&[Value], TopologyError> {
        if nodes.len() > MAX_NODES {
            let Self { announcements, command } = self;
            return Err(TopologyError::TooManyNodes {
                node: announcements.asked().clone(),
                command,
                found: nodes.len(),
            });
        }
        Ok(nodes)
    }

    /// Of all shards together: no slot is served twice, some are served, and there are not too many nodes.
    fn check(self, shards: &[Shard]) -> Result<(), TopologyError> {
        let (node, command) = (self.announcements.asked().clone(), self.command);
        let mut ranges: Vec<&(Slot, Slot)> = shards.iter().flat_map(|shard| &shard.ranges).collect();
        ranges.sort();
        if ranges.is_empty() {
            return Err(TopologyError::NoSlots { node });
        }
        let overlap = ranges.iter().zip(ranges.iter().skip(1)).find(|(one, next)| one.1 >= next.0);
        if let Some((_, next)) = overlap {
            return Err(TopologyError::ServedTwice { node, command, slot: next.0 });
        }
        let addresses = shards.iter().flat_map(|shard| shard.primary.iter().chain(&shard.replicas));
        let found = addresses.collect::<std::collections::BTreeSet<_>>().len();
        if found > MAX_NODES {
            return Err(TopologyError::TooManyNodes { node, command, found });
        }
        Ok(())
    }

    fn malformed(self, problem: &'static str) -> TopologyError {
        let Self { announcements, command } = self;
        TopologyError::Malformed { node: announcements.asked().clone(), command, problem }
    }
}

/// The value after a name, in a list of names and values as well as in a map.
pub(super) fn field<'a>(entry: &'a Value, name: &str) -> Option<&'a Value> {
    match entry {
        Value::Map(pairs) => pairs.iter().find(|(found, _)| text(found) == Some(name)).map(|(_, value)| value),
        Value::Array(parts) => {
            parts.as_chunks().0.iter().find(|[found, _]| text(found) == Some(name)).map(|[_, value]| value)
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
