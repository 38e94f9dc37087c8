//! Sort keys: bytes in the order of the rows.

use std::fmt;

use crate::request::{ApprovalId, RequestId, Step, Timestamp};

/// Ends an id inside a key. Lower than every byte of an id, so that `a` comes before `ab`, whatever follows.
const END_OF_ID: u8 = 0;
const TIME_BYTES: usize = 8;

/// The position of a row in its read, as bytes: **the order of the bytes is the order of the rows.**
///
/// So a sorted set with equal scores and these bytes as members pages exactly, even if thousands of rows share one
/// time. The bytes of a row stay the same while its position does. A [`KeyLayout`] defines their layout.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(Vec<u8>);

/// The layout of the bytes of a [`SortKey`].
///
/// `T` is a time in microseconds, 8 bytes, big-endian; `!T` is the same with every bit inverted, so that the later time
/// comes first. Step and ordinal are 4 bytes, big-endian; ids are their text; `00` is one zero byte, lower than every
/// byte of an id.
///
/// | layout | bytes | order |
/// |---|---|---|
/// | `Created` | `T(created) id` | created, id |
/// | `Due` | `T(deadline) id` | deadline, id |
/// | `Ready` | `T(ready) id 00 T(created)` | ready, id |
/// | `ApprovalActivity` | `!T(activity) id 00 T(created)` | latest approval activity descending, id |
/// | `Approval` | `T(created) id 00 step approval-id` | created, id, step, approval id |
/// | `Decision` | `!T(decided) id 00 ordinal T(created)` | decided descending, id, ordinal |
///
/// A created time at the end does not affect the order. It makes the request's `Created` key, which all request
/// dimensions use, computable from the row's key alone: see [`request_key`](Self::request_key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyLayout {
    /// One row for each request, in created order.
    Created,
    /// One row for each request that is due to expire or has an open approval that is, the next first.
    Due,
    /// One row for each request that is ready to be executed or becomes so, the first to be ready first.
    Ready,
    /// One row for each approved or executed request with approval activity, the latest first.
    ApprovalActivity,
    /// One row for each approval, in created order of the requests.
    Approval,
    /// One row for each decision, the latest first.
    Decision,
}

impl SortKey {
    /// The key with these bytes, from a cursor or an index.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes of the key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the request of the row; `None` if the bytes are not a valid key.
    pub fn request_id(&self) -> Option<RequestId> {
        let id = std::str::from_utf8(self.id_bytes()?).ok()?;
        RequestId::new(id).ok()
    }

    /// The time a `Created` key begins with.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store reads along indexes"))]
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let time = self.0.first_chunk::<TIME_BYTES>()?;
        Timestamp::from_micros(u64::from_be_bytes(*time)).ok()
    }

    /// The ordinal in a `Decision` key.
    pub(crate) fn ordinal(&self) -> Option<u32> {
        let behind_id = self.0.get(TIME_BYTES..)?.splitn(2, |byte| *byte == END_OF_ID).nth(1)?;
        behind_id.first_chunk().map(|ordinal| u32::from_be_bytes(*ordinal))
    }

    /// The time a `Created` key begins with.
    #[cfg(feature = "redis")]
    pub(crate) fn created_time(&self) -> Option<Timestamp> {
        self.time()
    }

    pub(crate) fn created(created: Timestamp, id: &RequestId) -> Self {
        Self::begin(ascending(created), id)
    }

    pub(crate) fn due(deadline: Timestamp, id: &RequestId) -> Self {
        Self::begin(ascending(deadline), id)
    }

    pub(crate) fn ready(ready: Timestamp, id: &RequestId, created: Timestamp) -> Self {
        Self::begin(ascending(ready), id).end_of_id().bytes(&ascending(created))
    }

    pub(crate) fn approval_activity(activity: Timestamp, id: &RequestId, created: Timestamp) -> Self {
        Self::begin(descending(activity), id).end_of_id().bytes(&ascending(created))
    }

    pub(crate) fn approval(created: Timestamp, id: &RequestId, step: Step, approval: &ApprovalId) -> Self {
        Self::approval_of(created, id, step.number(), approval.as_str())
    }

    /// The same, from the number of a step and the text of an approval's id.
    pub(crate) fn approval_of(created: Timestamp, id: &RequestId, step: u32, approval: &str) -> Self {
        Self::begin(ascending(created), id).end_of_id().bytes(&step.to_be_bytes()).bytes(approval.as_bytes())
    }

    pub(crate) fn decision(decided: Timestamp, id: &RequestId, ordinal: u32, created: Timestamp) -> Self {
        Self::begin(descending(decided), id).end_of_id().bytes(&ordinal.to_be_bytes()).bytes(&ascending(created))
    }

    fn begin(time: [u8; TIME_BYTES], id: &RequestId) -> Self {
        // Enough for what follows the id in most rows.
        let mut bytes = Vec::with_capacity(TIME_BYTES + id.as_str().len() + 20);
        bytes.extend_from_slice(&time);
        Self(bytes).bytes(id.as_str().as_bytes())
    }

    fn end_of_id(self) -> Self {
        self.bytes(&[END_OF_ID])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The id in the key of a row of which a request may have several; `None` in the key of a request itself.
    #[cfg(feature = "redis")]
    pub(crate) fn id_of_row(&self) -> Option<&[u8]> {
        let behind_time = self.0.get(TIME_BYTES..)?;
        behind_time.contains(&END_OF_ID).then(|| self.id_bytes())?
    }

    fn id_bytes(&self) -> Option<&[u8]> {
        self.0.get(TIME_BYTES..)?.split(|byte| *byte == END_OF_ID).next()
    }
}

impl KeyLayout {
    /// The `Created` key of the request of a row with this layout; `None` if the layout does not contain it, or the
    /// bytes are not of this layout.
    ///
    /// For `Approval` it is everything before the `00`; with the created time at the end, it is those 8 bytes and then
    /// the id.
    pub fn request_key(self, row: &SortKey) -> Option<SortKey> {
        let id = row.id_bytes()?;
        let created = match self {
            Self::Created | Self::Approval => row.0.get(..TIME_BYTES)?,
            Self::Ready | Self::ApprovalActivity | Self::Decision => row.0.last_chunk::<TIME_BYTES>()?,
            Self::Due => return None,
        };
        Some(SortKey(created.to_vec()).bytes(id))
    }
}

pub(super) fn ascending(time: Timestamp) -> [u8; TIME_BYTES] {
    time.as_micros().to_be_bytes()
}

pub(super) fn descending(time: Timestamp) -> [u8; TIME_BYTES] {
    (!time.as_micros()).to_be_bytes()
}

impl fmt::Debug for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SortKey({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    /// Few times and short ids of few characters, so that ties and prefixes are frequent.
    fn time() -> impl Strategy<Value = Timestamp> {
        prop_oneof![Just(0), 0..600_u64, Just(Timestamp::MAX.as_micros())]
            .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
    }

    fn id() -> impl Strategy<Value = RequestId> {
        prop_oneof!["[!a~]{1,3}", "[!-Z]{1,128}"]
            .prop_filter_map("an id without forbidden characters", |text| RequestId::new(text).ok())
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![1..300_u32, Just(u32::MAX)].prop_map(|number| Step::new(number).unwrap())
    }

    fn ordinal() -> impl Strategy<Value = u32> {
        prop_oneof![0..300_u32, Just(u32::MAX)]
    }

    proptest! {
        #[test]
        fn created_bytes_order_as_created_then_id(a in (time(), id()), b in (time(), id())) {
            let key = |(time, id): &(Timestamp, RequestId)| SortKey::created(*time, id);
            prop_assert_eq!(key(&a).as_bytes().cmp(key(&b).as_bytes()), a.cmp(&b));
        }

        #[test]
        fn approval_bytes_order_as_created_id_step_approval(
            a in (time(), id(), step(), id()), other in (time(), id(), step(), id()), same in any::<bool>(),
        ) {
            let b = if same { (a.0, a.1.clone(), other.2, other.3) } else { other };
            let key = |(time, id, step, approval): &(Timestamp, RequestId, Step, RequestId)| {
                SortKey::approval(*time, id, *step, &ApprovalId::new(approval.as_str()).unwrap())
            };
            prop_assert_eq!(key(&a).as_bytes().cmp(key(&b).as_bytes()), a.cmp(&b));
        }

        #[test]
        fn decision_bytes_order_as_latest_then_id_then_ordinal(
            a in (time(), id(), ordinal()), other in (time(), id(), ordinal()), same in any::<bool>(), created in time(),
        ) {
            let b = if same { (a.0, a.1.clone(), other.2) } else { other };
            let key = |(time, id, ordinal): &(Timestamp, RequestId, u32)| SortKey::decision(*time, id, *ordinal, created);
            let order = |(time, id, ordinal): &(Timestamp, RequestId, u32)| (Reverse(*time), id.clone(), *ordinal);
            prop_assert_eq!(key(&a).as_bytes().cmp(key(&b).as_bytes()), order(&a).cmp(&order(&b)));
        }

        #[test]
        fn activity_bytes_order_as_latest_then_id(a in (time(), id()), b in (time(), id()), created in (time(), time())) {
            let one = SortKey::approval_activity(a.0, &a.1, created.0);
            let other = SortKey::approval_activity(b.0, &b.1, created.1);
            if a != b {
                prop_assert_eq!(one.as_bytes().cmp(other.as_bytes()), (Reverse(a.0), a.1).cmp(&(Reverse(b.0), b.1)));
            }
        }

        #[test]
        fn ready_bytes_order_as_ready_then_id(a in (time(), id()), b in (time(), id()), created in (time(), time())) {
            let one = SortKey::ready(a.0, &a.1, created.0);
            let other = SortKey::ready(b.0, &b.1, created.1);
            if a != b {
                prop_assert_eq!(one.as_bytes().cmp(other.as_bytes()), a.cmp(&b));
            }
        }

        #[test]
        fn every_row_shows_its_request(time in time(), created in time(), id in id(), step in step(), number in ordinal()) {
            let approval = ApprovalId::new("a").unwrap();
            let rows = [
                (KeyLayout::Created, SortKey::created(created, &id)),
                (KeyLayout::Ready, SortKey::ready(time, &id, created)),
                (KeyLayout::ApprovalActivity, SortKey::approval_activity(time, &id, created)),
                (KeyLayout::Approval, SortKey::approval(created, &id, step, &approval)),
                (KeyLayout::Decision, SortKey::decision(time, &id, number, created)),
            ];
            for (layout, row) in rows {
                prop_assert_eq!(layout.request_key(&row), Some(SortKey::created(created, &id)), "{:?}", layout);
                prop_assert_eq!(row.request_id(), Some(id.clone()));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_key_mean_nothing() {
        for bytes in [&b""[..], b"short", b"12345678", b"12345678not an id"] {
            assert_eq!(SortKey::from_bytes(bytes).request_id(), None);
        }
        assert_eq!(KeyLayout::Decision.request_key(&SortKey::from_bytes(&b"1234"[..])), None);
    }
}
