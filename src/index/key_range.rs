//! Ranges of sort keys.

use super::sort_key::{SortKey, ascending, descending};
use crate::query::Between;
use crate::request::Timestamp;

/// The keys of a range of time: from one key on, and before another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRange {
    /// The least bytes of a key; empty for no bound.
    pub from: Option<Vec<u8>>,
    /// The least bytes beyond the range; empty for no bound.
    pub before: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub const ALL: Self = Self { from: None, before: None };

    /// The keys whose time lies in the range, in an order with the earlier time first.
    pub(crate) fn earliest_first(times: Option<&Between<Timestamp>>) -> Self {
        let from = times.and_then(|times| times.from);
        let to = times.and_then(|times| times.to);
        Self { from: from.map(|from| ascending(from).to_vec()), before: to.and_then(|to| successor(ascending(to))) }
    }

    /// The keys whose time lies in the range, in an order with the later time first.
    pub(crate) fn latest_first(times: Option<&Between<Timestamp>>) -> Self {
        let from = times.and_then(|times| times.from);
        let to = times.and_then(|times| times.to);
        Self { from: to.map(|to| descending(to).to_vec()), before: from.and_then(|from| successor(descending(from))) }
    }

    /// The keys that are due at `time` or earlier, in the order of expiry.
    pub fn due_by(time: Timestamp) -> Self {
        Self { from: None, before: successor(ascending(time)) }
    }

    /// The keys that are due after `time`, in the order of expiry.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store counts by its indexes"))]
    pub(crate) fn due_after(time: Timestamp) -> Self {
        Self { from: successor(ascending(time)), before: None }
    }

    /// Whether the key lies in the range.
    pub fn contains(&self, key: &SortKey) -> bool {
        self.from.as_ref().is_none_or(|from| from.as_slice() <= key.as_bytes())
            && self.before.as_ref().is_none_or(|before| key.as_bytes() < before.as_slice())
    }

    /// Whether there is no bound.
    pub const fn is_unbounded(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }
}

/// The first bytes after all that begin with these; `None` if there are none.
fn successor(time: [u8; 8]) -> Option<Vec<u8>> {
    u64::from_be_bytes(time).checked_add(1).map(|next| next.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::RequestId;

    fn time() -> impl Strategy<Value = Timestamp> {
        prop_oneof![Just(0), 0..5_u64, Just(Timestamp::MAX.as_micros())]
            .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
    }

    proptest! {
        #[test]
        fn a_key_lies_in_the_range_exactly_when_its_time_does(
            at in time(), from in proptest::option::of(time()), to in proptest::option::of(time()),
        ) {
            let id = RequestId::new("a").unwrap();
            let times = Between { from, to };
            let created = SortKey::created(at, &id);
            prop_assert_eq!(KeyRange::earliest_first(Some(&times)).contains(&created), times.contains(at));
            let decided = SortKey::decision(at, &id, 0, at);
            prop_assert_eq!(KeyRange::latest_first(Some(&times)).contains(&decided), times.contains(at));
            let due = SortKey::due(at, &id);
            prop_assert_eq!(to.is_some_and(|to| KeyRange::due_by(to).contains(&due)), to.is_some_and(|to| at <= to));
        }
    }
}
