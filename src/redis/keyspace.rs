//! The keys of a namespace.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use crate::error::InvalidValue;
use crate::index::Term;
use crate::redis::command::Place;
use crate::redis::record::index_entries::suffix_of;
use crate::redis::topology::Slot;
use crate::request::{RequestId, UniqueKey};

/// The keys of a store: `{<namespace>:<partition>}:…` for everything in one partition, and `{<namespace>}:meta` for the
/// namespace itself.
///
/// Every key begins with the hash tag, so a partition lies in one Cluster slot and its scripts stay atomic.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace {
    namespace: Box<str>,
    partitions: NonZeroU16,
    /// The hash tag of each partition with the colon after it, made once because every key begins with one.
    tags: Vec<String>,
    /// The slot of each partition.
    slots: Vec<Slot>,
    meta_slot: Slot,
}

/// The kinds of keys that a check looks for in a partition.
#[derive(Clone, Copy)]
pub(crate) enum KeyKind {
    Record,
    Index,
}

impl KeyKind {
    /// The beginning of the name after the hash tag.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Record => "r:",
            Self::Index => "i:",
        }
    }
}

impl Keyspace {
    pub(crate) const MAX_PARTITIONS: u16 = 1_024;
    const MAX_NAMESPACE_BYTES: usize = 64;

    pub(crate) fn new(namespace: &str, partitions: u16) -> Result<Self, InvalidValue> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if namespace.is_empty() || namespace.len() > Self::MAX_NAMESPACE_BYTES || !namespace.chars().all(allowed) {
            let longest = Self::MAX_NAMESPACE_BYTES;
            let problem = format!("{namespace:?} must be 1 to {longest} letters, digits, dots, dashes and underscores");
            return Err(InvalidValue::new("namespace", problem));
        }
        let partitions =
            NonZeroU16::new(partitions).filter(|count| count.get() <= Self::MAX_PARTITIONS).ok_or_else(|| {
                let problem = format!("of {partitions}; it must be 1 to {}", Self::MAX_PARTITIONS);
                InvalidValue::new("number of partitions", problem)
            })?;
        let tags: Vec<String> =
            (0..partitions.get()).map(|partition| format!("{{{namespace}:{partition}}}:")).collect();
        let slots = tags.iter().map(|tag| Slot::of_key(tag.as_bytes())).collect();
        let meta_slot = Slot::of_key(format!("{{{namespace}}}").as_bytes());
        Ok(Self { namespace: namespace.into(), partitions, tags, slots, meta_slot })
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn partition_count(&self) -> u16 {
        self.partitions.get()
    }

    pub(crate) fn partitions(&self) -> impl Iterator<Item = u16> + use<> {
        0..self.partitions.get()
    }

    /// The partition of a request: CRC-32 of its id, modulo the number of partitions. Only a repartition changes it.
    pub(crate) fn partition_of(&self, id: &RequestId) -> u16 {
        partition_among(id.as_str(), self.partitions.get())
    }

    /// The partition that keeps the reservation of a unique key, by the same rule.
    pub(crate) fn partition_of_key(&self, key: &UniqueKey) -> u16 {
        partition_among(key.as_str(), self.partitions.get())
    }

    /// Whether a request is or once was in this partition, if the namespace had fewer partitions before: each of so many is
    /// split by a repartition, and keeps its feed.
    pub(crate) fn has_been_in(&self, partition: u16, id: &RequestId) -> bool {
        self.partition_of(id) == partition
            || self.earlier_counts().any(|count| partition < count && partition_among(id.as_str(), count) == partition)
    }

    /// The numbers of partitions that this namespace may have had before, the greatest first: a repartition multiplies.
    pub(crate) fn earlier_counts(&self) -> impl Iterator<Item = u16> + use<> {
        let partitions = self.partitions.get();
        (1..=partitions / 2).rev().filter(move |count| partitions.is_multiple_of(*count))
    }

    /// The request of a record that lies where it belonged among this many partitions, and the partition where it lies.
    pub(crate) fn left_behind(&self, record_key: &str, before: u16) -> Option<(RequestId, u16)> {
        let partition = self.partition_named_by(record_key)?;
        let name = record_key.split_once("}:")?.1.strip_prefix(KeyKind::Record.prefix())?;
        let id = RequestId::new(name).ok()?;
        let is_left = self.partition_of(&id) != partition && partition_among(id.as_str(), before) == partition;
        is_left.then_some((id, partition))
    }

    /// The positions of these ids, of each partition that has any.
    pub(crate) fn places_by_partition(&self, ids: &[RequestId]) -> Vec<Vec<usize>> {
        let mut places: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (place, id) in ids.iter().enumerate() {
            places.entry(self.partition_of(id)).or_default().push(place);
        }
        places.into_values().collect()
    }

    pub(crate) fn meta(&self) -> String {
        format!("{{{}}}:meta", self.namespace)
    }

    pub(crate) fn record(&self, id: &RequestId) -> String {
        self.record_in(self.partition_of(id), id)
    }

    /// The record of a request in a partition that need not be its own.
    pub(crate) fn record_in(&self, partition: u16, id: &RequestId) -> String {
        self.key(partition, KeyKind::Record.prefix(), id.as_str())
    }

    pub(crate) fn record_prefix(&self, partition: u16) -> String {
        self.key(partition, KeyKind::Record.prefix(), "")
    }

    pub(crate) fn feed(&self, partition: u16) -> String {
        self.key(partition, "feed", "")
    }

    /// The key of the consumers of the feed, a hash. In the first partition, for all of them.
    pub(crate) fn consumers(&self) -> String {
        self.key(0, "consumers", "")
    }

    /// The key of the reservations of unique keys that belong to a partition, a hash.
    pub(crate) fn reservations(&self, partition: u16) -> String {
        self.key(partition, "reservations", "")
    }

    /// The key of the permits to create requests with a unique key, a hash.
    pub(crate) fn permits(&self, partition: u16) -> String {
        self.key(partition, "permits", "")
    }

    /// The key where a partition records its layout.
    pub(crate) fn layout(&self, partition: u16) -> String {
        self.key(partition, "layout", "")
    }

    /// The key of what a partition that a repartition added knows of the feeds of the partitions before it.
    pub(crate) fn origin(&self, partition: u16) -> String {
        self.key(partition, "origin", "")
    }

    /// The same for the partition that an index key names. If it names none, a key beside it that never exists: a script's
    /// keys are all in one slot.
    pub(crate) fn layout_beside(&self, index: &str) -> String {
        let tag = index.find('}').and_then(|end| index.get(..=end)).unwrap_or_default();
        self.partition_named_by(index).map_or_else(|| format!("{tag}:no-layout"), |partition| self.layout(partition))
    }

    /// The slot that a call to this place belongs to; `None` if it names no key.
    pub(crate) fn slot_of(&self, place: Place) -> Option<Slot> {
        match place {
            Place::Partition(partition) => self.slots.get(usize::from(partition)).copied(),
            Place::Namespace => Some(self.meta_slot),
            Place::Slot(slot) => Some(slot),
            Place::Node => None,
        }
    }

    /// The place of a key that a scan has found, which may name no partition.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.partition_named_by(key).map_or_else(|| Place::Slot(Slot::of_key(key.as_bytes())), Place::Partition)
    }

    /// The partition whose hash tag a key begins with.
    pub(crate) fn partition_named_by(&self, key: &str) -> Option<u16> {
        let place = self.tags.iter().position(|tag| key.starts_with(tag.as_str()))?;
        u16::try_from(place).ok()
    }

    pub(crate) fn index(&self, partition: u16, term: &Term) -> Vec<u8> {
        [self.index_prefix(partition).as_bytes(), &suffix_of(term)].concat()
    }

    /// The key of this name, without the hash tag, in a partition.
    pub(crate) fn name_in(&self, partition: u16, name: &str) -> String {
        self.key(partition, "", name)
    }

    pub(crate) fn index_prefix(&self, partition: u16) -> String {
        self.key(partition, KeyKind::Index.prefix(), "")
    }

    fn key(&self, partition: u16, kind: &str, name: &str) -> String {
        let tag = self.tags.get(usize::from(partition)).map_or("", String::as_str);
        [tag, kind, name].concat()
    }
}

/// CRC-32 of an id or unique key, modulo the number of partitions: of k times as many, each is split into k.
fn partition_among(text: &str, partitions: u16) -> u16 {
    let hash = crc32fast::hash(text.as_bytes());
    u16::try_from(hash % u32::from(partitions.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_partition_begins_with_its_hash_tag() {
        let keys = Keyspace::new("billing", 4).unwrap();
        let id = RequestId::new("req-1").unwrap();
        let partition = keys.partition_of(&id);
        let tag = format!("{{billing:{partition}}}:");
        for key in [
            keys.record(&id),
            keys.feed(partition),
            keys.index_prefix(partition),
            keys.layout(partition),
            keys.reservations(partition),
            keys.permits(partition),
        ] {
            assert!(key.starts_with(&tag), "{key}");
        }
        assert_eq!((keys.meta(), keys.consumers()), ("{billing}:meta".to_owned(), "{billing:0}:consumers".to_owned()));
        assert_eq!(keys.layout_beside("{billing:3}:i:a"), "{billing:3}:layout");
        assert_eq!(keys.layout_beside("{billing:4}:i:a"), "{billing:4}:no-layout");
    }

    #[test]
    fn the_partition_of_an_id_never_changes() {
        let keys = Keyspace::new("n", 4).unwrap();
        let of = |id: &str| keys.partition_of(&RequestId::new(id).unwrap());
        assert_eq!([of("a"), of("b"), of("req-1"), of("0190-7")], [3, 1, 1, 3]);
    }

    #[test]
    fn a_partition_is_split_into_some_that_no_other_is_split_into() {
        let (few, many) = (Keyspace::new("n", 4).unwrap(), Keyspace::new("n", 12).unwrap());
        assert_eq!(many.earlier_counts().collect::<Vec<_>>(), [6, 4, 3, 2, 1]);
        let mut moved = 0;
        for number in 0..1_000 {
            let id = RequestId::new(format!("r-{number}")).unwrap();
            let (before, after) = (few.partition_of(&id), many.partition_of(&id));
            assert_eq!(after % 4, before);
            assert!(many.has_been_in(before, &id) && many.has_been_in(after, &id) && few.has_been_in(before, &id));
            let left = many.left_behind(&few.record(&id), 4);
            assert_eq!(left, (before != after).then_some((id.clone(), before)));
            assert_eq!(many.left_behind(&many.record(&id), 4), None);
            moved += u32::from(before != after);
            // Of partition 11, no earlier number of partitions had one; of the others, only some this request's.
            assert_eq!(many.has_been_in(11, &id), after == 11);
        }
        assert!((600..730).contains(&moved), "{moved} of 1,000, of which two thirds move");
        assert_eq!(many.left_behind("{n:3}:i:a", 4), None);
        assert_eq!(many.left_behind("{n:99}:r:a", 4), None);
    }

    #[test]
    fn names_and_counts_that_could_break_a_key_are_rejected() {
        for bad in ["", "a b", "a{b", "a}b", "a:b", "é", &"x".repeat(65)] {
            assert!(Keyspace::new(bad, 1).is_err(), "{bad:?}");
        }
        assert!(Keyspace::new("n", 0).is_err());
        assert!(Keyspace::new("n", 1_025).is_err());
    }
}
