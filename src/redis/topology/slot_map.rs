//! Who serves which slots, as far as this client knows.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;

use super::announcement::Announcements;
use super::node_address::NodeAddress;
use super::reply::{self, Shard, TopologyError};
use super::slot::Slot;

/// A map of a cluster. It is a hint: only a node itself decides whether it serves a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SlotMap {
    /// The greatest epoch that the node knew from which it came.
    epoch: u64,
    /// The first slot of each range, its last, and its primary. No two overlap.
    ranges: BTreeMap<Slot, (Slot, NodeAddress)>,
    /// Each replica, and its primary if that is known.
    replicas: BTreeMap<NodeAddress, Option<NodeAddress>>,
    /// The ids of the primaries.
    ids: BTreeSet<Box<str>>,
}

impl SlotMap {
    /// Reads the replies of one node to CLUSTER INFO and, sent after it, CLUSTER SLOTS.
    ///
    /// # Errors
    /// If they make no sense, are longer than any cluster's, or no slot is served.
    pub(crate) fn from_slots(
        info: &Value,
        slots: &Value,
        announcements: Announcements<'_>,
    ) -> Result<Self, TopologyError> {
        Ok(Self::of(reply::epoch(info, announcements)?, reply::slots(slots, announcements)?))
    }

    /// The same for CLUSTER SHARDS, which has the encrypted ports too.
    pub(crate) fn from_shards(
        info: &Value,
        shards: &Value,
        announcements: Announcements<'_>,
    ) -> Result<Self, TopologyError> {
        Ok(Self::of(reply::epoch(info, announcements)?, reply::shards(shards, announcements)?))
    }

    /// The map of servers without slots: one of them serves all.
    pub(crate) fn of_primary(
        epoch: u64,
        primary: NodeAddress,
        replicas: impl IntoIterator<Item = NodeAddress>,
    ) -> Self {
        let replicas = replicas.into_iter().map(|replica| (replica, Some(primary.clone()))).collect();
        let ranges = Slot::new(0).zip(Slot::new(Slot::COUNT - 1)).map(|(first, last)| (first, (last, primary)));
        Self { epoch, ranges: ranges.into_iter().collect(), replicas, ..Self::default() }
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn of(epoch: u64, shards: Vec<Shard>) -> Self {
        let mut map = Self { epoch, ..Self::default() };
        for Shard { ranges, primary, replicas, id } in shards {
            map.replicas.extend(replicas.into_iter().map(|replica| (replica, primary.clone())));
            if let Some(primary) = primary {
                map.ranges.extend(ranges.into_iter().map(|(first, last)| (first, (last, primary.clone()))));
            }
            map.ids.extend(id);
        }
        map
    }

    /// Takes another map of the same cluster, unless it is of an earlier epoch: then its node lags behind. Whether it was
    /// taken.
    pub(crate) fn replace(&mut self, other: Self) -> bool {
        let is_newer = other.epoch >= self.epoch;
        if is_newer {
            *self = other;
        }
        is_newer
    }

    /// Notes that a node has said so of one slot. The epoch stays: the node may lag behind as well, so the next map decides.
    pub(crate) fn note_moved(&mut self, slot: Slot, to: NodeAddress) {
        if let Some((first, (last, primary))) = self.range_of(slot).map(|(first, range)| (*first, range.clone())) {
            self.ranges.remove(&first);
            if let Some(before) = slot.previous().filter(|before| first <= *before) {
                self.ranges.insert(first, (before, primary.clone()));
            }
            if let Some(after) = slot.next().filter(|after| *after <= last) {
                self.ranges.insert(after, (last, primary));
            }
        }
        self.ranges.insert(slot, (slot, to));
    }

    pub(crate) fn primary_of(&self, slot: Slot) -> Option<&NodeAddress> {
        self.range_of(slot).map(|(_, (_, primary))| primary)
    }

    /// How many slots no node serves, and the first of them.
    pub(crate) fn unserved(&self) -> Option<(u16, Slot)> {
        let mut first = Slot::new(0);
        let mut served = 0;
        for (begin, (end, _)) in &self.ranges {
            served += end.number() - begin.number() + 1;
            if first == Some(*begin) {
                first = end.next();
            }
        }
        first.map(|first| (Slot::COUNT - served, first))
    }

    /// Whether both are of one cluster, as far as they name nodes.
    pub(crate) fn is_of_same_cluster(&self, other: &Self) -> bool {
        self.ids.is_empty() || other.ids.is_empty() || !self.ids.is_disjoint(&other.ids)
    }

    /// Each primary once, in the order of addresses.
    pub(crate) fn primaries(&self) -> BTreeSet<&NodeAddress> {
        self.ranges.values().map(|(_, primary)| primary).collect()
    }

    /// Everybody who can be asked for a map.
    pub(crate) fn nodes(&self) -> BTreeSet<&NodeAddress> {
        self.primaries().into_iter().chain(self.replicas.keys()).collect()
    }

    /// The replicas of a primary, in the order of addresses.
    pub(crate) fn replicas_of(&self, primary: &NodeAddress) -> impl Iterator<Item = &NodeAddress> {
        let is_of = move |of: &&Option<NodeAddress>| of.as_ref() == Some(primary);
        self.replicas.iter().filter(move |(_, of)| is_of(of)).map(|(replica, _)| replica)
    }

    pub(crate) fn is_replica(&self, node: &NodeAddress) -> bool {
        self.replicas.contains_key(node)
    }

    fn range_of(&self, slot: Slot) -> Option<(&Slot, &(Slot, NodeAddress))> {
        self.ranges.range(..=slot).next_back().filter(|(_, (last, _))| slot <= *last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::topology::samples::{self, address};

    fn recorded() -> SlotMap {
        let asked = address("127.0.0.1", 24_010);
        let [info, slots] = [samples::INFO, samples::SLOTS].map(samples::reply);
        SlotMap::from_slots(&info, &slots, Announcements::of(&asked)).unwrap()
    }

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn both_commands_give_the_map_of_a_real_cluster() {
        let map = recorded();
        assert_eq!((map.epoch, map.unserved(), map.ids.len()), (4, None, 3));
        for (number, port) in [(0, 24_010), (5_460, 24_010), (5_461, 24_004), (10_922, 24_012), (16_383, 24_012)] {
            assert_eq!(map.primary_of(slot(number)), Some(&address("127.0.0.1", port)), "slot {number}");
        }
        assert_eq!((map.primaries().len(), map.nodes().len()), (3, 6));

        let asked = address("127.0.0.1", 24_010);
        let [info, shards] = [samples::INFO, samples::SHARDS].map(samples::reply);
        assert_eq!(SlotMap::from_shards(&info, &shards, Announcements::of(&asked)).unwrap(), map);
    }

    #[test]
    fn a_map_of_an_earlier_epoch_replaces_none() {
        let mut map = recorded();
        let old = SlotMap { epoch: 3, ..recorded() };
        map.note_moved(slot(7), address("new", 1));
        let noted = map.clone();
        assert!(!map.replace(old));
        assert_eq!(map, noted);
        assert!(map.replace(SlotMap { epoch: 4, ..recorded() }));
        assert_eq!(map, recorded(), "of the same epoch, what was asked last counts");
        assert!(SlotMap::default().replace(recorded()));
    }

    #[test]
    fn a_slot_that_moved_alone_leaves_its_neighbours() {
        let to = address("new", 1);
        for number in [0, 1, 5_460, 5_461, 16_383] {
            let (mut map, before) = (recorded(), recorded());
            map.note_moved(slot(number), to.clone());
            assert_eq!(map.unserved(), None, "slot {number}");
            for other in (0..Slot::COUNT).map(slot) {
                let expected = if other == slot(number) { Some(&to) } else { before.primary_of(other) };
                assert_eq!(map.primary_of(other), expected, "slot {other} when {number} moved");
            }
        }
        let mut empty = SlotMap::default();
        empty.note_moved(slot(3), to.clone());
        assert_eq!((empty.primary_of(slot(3)), empty.primary_of(slot(4))), (Some(&to), None));
        assert_eq!(empty.unserved(), Some((16_383, slot(0))));
    }

    proptest! {
        #[test]
        fn however_slots_move_each_has_the_primary_noted_last(
            moves in proptest::collection::vec((0..40_u16, 1..5_u16), 0..60)
        ) {
            let mut map = recorded();
            let mut last_noted = BTreeMap::new();
            for (number, port) in moves {
                map.note_moved(slot(number), address("new", port));
                last_noted.insert(slot(number), address("new", port));
            }
            let before = recorded();
            for other in (0..60).map(slot) {
                prop_assert_eq!(map.primary_of(other), last_noted.get(&other).or(before.primary_of(other)));
            }
            prop_assert_eq!(map.unserved(), None);
        }
    }
}
