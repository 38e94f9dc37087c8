//! The slot of a key.

use std::fmt;

/// One of the 16,384 parts of a cluster's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(u16);

impl Slot {
    pub(crate) const COUNT: u16 = 16_384;

    pub(crate) fn new(number: u16) -> Option<Self> {
        (number < Self::COUNT).then_some(Self(number))
    }

    /// The slot of a key: CRC-16 (XMODEM) of its hash tag, or of all of it without one, modulo the number of slots.
    ///
    /// The hash tag is what stands between the first `{` and the first `}` after it, unless that is nothing.
    pub(crate) fn of_key(key: &[u8]) -> Self {
        Self(crc16(hash_tag(key).unwrap_or(key)) % Self::COUNT)
    }

    pub(crate) const fn number(self) -> u16 {
        self.0
    }

    pub(super) fn next(self) -> Option<Self> {
        Self::new(self.0.saturating_add(1))
    }

    pub(super) fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let open = key.iter().position(|byte| *byte == b'{')?;
    let after = key.get(open.saturating_add(1)..)?;
    let close = after.iter().position(|byte| *byte == b'}')?;
    after.get(..close).filter(|tag| !tag.is_empty())
}

fn crc16(bytes: &[u8]) -> u16 {
    const POLYNOMIAL: u16 = 0x1021;
    let shift = |crc: u16| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| shift(crc)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redis::keyspace::Keyspace;

    /// The first is the check value of the specification; the others are what `CLUSTER KEYSLOT` of Redis 7.0.15 replies.
    #[test]
    fn slots_are_those_of_the_specification_and_of_a_server() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (key, slot) in [
            ("foo", 12_182),
            ("bar", 5_061),
            ("{user1000}.following", 3_443),
            ("foo{}{bar}", 8_363),
            ("foo{{bar}}zap", 4_015),
            ("foo{bar}{zap}", 5_061),
            ("{billing:3}:r:x", 10_180),
            ("", 0),
        ] {
            assert_eq!(Slot::of_key(key.as_bytes()).number(), slot, "{key}");
        }
    }

    #[test]
    fn all_keys_of_a_partition_are_in_one_slot() {
        let keyspace = Keyspace::new("billing", 16).unwrap();
        for partition in keyspace.partitions() {
            let keys =
                [keyspace.feed(partition), keyspace.layout(partition), keyspace.record_prefix(partition) + "{x}"];
            let slots = keys.map(|key| Slot::of_key(key.as_bytes()));
            assert!(slots.iter().all(|slot| *slot == slots[0]), "{partition}: {slots:?}");
        }
    }

    proptest! {
        #[test]
        fn any_key_has_a_slot_which_its_hash_tag_alone_decides(key: Vec<u8>, tag in "[a-z]{1,9}", rest: Vec<u8>) {
            prop_assert!(Slot::of_key(&key).number() < Slot::COUNT);
            let tagged = [b"{", tag.as_bytes(), b"}", &rest].concat();
            prop_assert_eq!(Slot::of_key(&tagged), Slot::of_key(tag.as_bytes()));
        }
    }
}
