//! How far a check has walked the nodes of a cluster, each with cursors of its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::redis::topology::NodeAddress;

/// The nodes that were walked, and the partitions whose keys were all seen there.
///
/// A partition counts as seen if one process served it from the beginning to the end of its walk. While its slot is being moved,
/// keys go from that node to another and not back, so the other one is walked after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(crate) struct NodeWalk {
    /// The node whose cursor the check goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<WalkedNode>,
    /// The nodes that were walked to the end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "BTreeSet<String>"))]
    done: BTreeSet<NodeAddress>,
    /// Nodes to walk because they take over keys of a slot.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "BTreeSet<String>"))]
    ahead: BTreeSet<NodeAddress>,
    /// The partitions whose keys were all seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    seen: BTreeSet<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct WalkedNode {
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    node: NodeAddress,
    /// The id of its process: a cursor means nothing to another.
    run_id: String,
    /// The partitions that it served when its walk began.
    partitions: BTreeSet<u16>,
}

impl NodeWalk {
    /// The node to go on with.
    pub(crate) fn current(&self) -> Option<NodeAddress> {
        self.current.as_ref().map(|current| current.node.clone())
    }

    /// The node to begin with: one that takes over keys, else one that was not walked, else one that serves a partition that was not seen; `None` at the end.
    pub(crate) fn choose(
        &self,
        primaries: &[NodeAddress],
        partitions: impl IntoIterator<Item = u16>,
        owner: impl Fn(u16) -> Option<NodeAddress>,
    ) -> Option<NodeAddress> {
        let is_new = |node: &&NodeAddress| !self.done.contains(node);
        let unseen = || partitions.into_iter().find(|partition| !self.seen.contains(partition)).and_then(owner);
        self.ahead.first().or_else(|| primaries.iter().find(is_new)).cloned().or_else(unseen)
    }

    /// Begins with a node, whose process has this id, and which serves these partitions.
    pub(crate) fn begin(&mut self, node: &NodeAddress, run_id: String, partitions: impl IntoIterator<Item = u16>) {
        let (node, partitions) = (node.clone(), partitions.into_iter().collect());
        self.ahead.remove(&node);
        self.current = Some(WalkedNode { node, run_id, partitions });
    }

    /// The partitions that the current node served when its walk began, if it is still the same process.
    pub(crate) fn begun_with(&self, run_id: &str) -> Option<&BTreeSet<u16>> {
        self.current.as_ref().filter(|current| current.run_id == run_id).map(|current| &current.partitions)
    }

    /// Leaves the current node, to be walked from its beginning if it is one of the primaries then.
    pub(crate) fn abandon(&mut self) {
        self.current = None;
    }

    /// The current node was walked to the end, and still serves these partitions. These nodes take over keys of some.
    pub(crate) fn end(
        &mut self,
        kept: impl IntoIterator<Item = u16>,
        taken_over_by: impl IntoIterator<Item = NodeAddress>,
    ) {
        self.done.extend(self.current.take().map(|current| current.node));
        self.seen.extend(kept);
        self.ahead.extend(taken_over_by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> NodeAddress {
        NodeAddress::new("h", port).unwrap()
    }

    /// Partition p is served by node 1 + p.
    fn owner(partition: u16) -> Option<NodeAddress> {
        Some(node(1 + partition))
    }

    fn walk_node(walk: &mut NodeWalk, at: u16, kept: &[u16], to: &[u16]) {
        walk.begin(&node(at), "run".to_owned(), [at - 1]);
        walk.end(kept.iter().copied(), to.iter().map(|&port| node(port)));
    }

    #[test]
    fn every_node_is_walked_once_while_nothing_moves() {
        let (mut walk, primaries) = (NodeWalk::default(), [node(1), node(2), node(3)]);
        for at in 1..=3 {
            assert_eq!(walk.choose(&primaries, 0..2, owner), Some(node(at)));
            walk_node(&mut walk, at, &[at - 1], &[]);
        }
        assert_eq!(walk.choose(&primaries, 0..2, owner), None);
    }

    #[test]
    fn a_node_that_takes_keys_over_is_walked_after_the_one_that_gives_them() {
        let (mut walk, primaries) = (NodeWalk::default(), [node(1), node(2)]);
        walk_node(&mut walk, 1, &[0], &[]);
        walk_node(&mut walk, 2, &[1], &[1, 7]);
        for again in [1, 7] {
            assert_eq!(walk.choose(&primaries, 0..2, owner), Some(node(again)));
            walk_node(&mut walk, again, &[], &[]);
        }
        assert_eq!(walk.choose(&primaries, 0..2, owner), None);
    }

    #[test]
    fn a_partition_that_was_not_seen_keeps_the_walk_from_ending() {
        let (mut walk, primaries) = (NodeWalk::default(), [node(1), node(2)]);
        walk_node(&mut walk, 1, &[0], &[]);
        walk_node(&mut walk, 2, &[], &[]);
        let moved = |partition: u16| Some(node(if partition == 1 { 1 } else { 9 }));
        assert_eq!(walk.choose(&primaries, 0..2, moved), Some(node(1)));
        walk_node(&mut walk, 1, &[0, 1], &[]);
        assert_eq!(walk.choose(&primaries, 0..2, moved), None);
    }

    #[test]
    fn a_node_is_gone_on_with_only_by_its_process() {
        let mut walk = NodeWalk::default();
        walk.begin(&node(1), "run".to_owned(), [4]);
        assert_eq!((walk.current(), walk.begun_with("run")), (Some(node(1)), Some(&BTreeSet::from([4]))));
        assert_eq!(walk.begun_with("another"), None);
        walk.abandon();
        assert_eq!((walk.current(), walk.choose(&[node(1)], 0..1, owner)), (None, Some(node(1))));
    }

    #[test]
    fn a_walk_can_be_saved() {
        let mut walk = NodeWalk::default();
        walk_node(&mut walk, 1, &[0], &[2]);
        walk.begin(&NodeAddress::new("::1", 3).unwrap(), "run".to_owned(), [5]);
        let json = serde_json::to_string(&walk).unwrap();
        assert!(json.contains(r#""done":["h:1"]"#) && json.contains(r#""node":"[::1]:3""#), "{json}");
        assert_eq!(serde_json::from_str::<NodeWalk>(&json).unwrap(), walk);
    }
}
