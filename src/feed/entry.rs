//! One entry of the change feed, readable or not.

use serde::{Deserialize, Serialize};

use crate::request::{DecisionKind, MutationRequest, RequestId, Status, Timestamp};

/// One write: which request it created or changed, and its new status and decisions. Does not contain the request.
///
/// A store adds the entry together with the write, or does neither. The entries of one request come in the order of its
/// revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeedEntry {
    /// The request.
    pub id: RequestId,
    /// The number of the revision that the write made; 0 for the creation.
    pub revision: u64,
    /// The request's status after the write.
    pub status: Status,
    /// The decisions that the write added, in order.
    pub decisions: Vec<DecisionKind>,
    /// The partition whose feed has the entry; 0 in a store without partitions.
    pub partition: u16,
    /// When the entry was added, by the store's clock; never earlier than the entry before it. In Redis with a
    /// precision of milliseconds.
    pub added_at: Timestamp,
}

impl FeedEntry {
    /// The entry for a write that produced this request, for authors of stores. `stored_decisions` is the number of
    /// decisions before the write: 0 for a creation.
    pub fn for_write(request: &MutationRequest, stored_decisions: usize, partition: u16, added_at: Timestamp) -> Self {
        Self {
            id: request.id.clone(),
            revision: request.revision().number,
            status: request.state.status(),
            decisions: request.decisions.iter().skip(stored_decisions).map(|decision| decision.kind).collect(),
            partition,
            added_at,
        }
    }
}

/// An entry of the change feed that cannot be read. All others can still be read.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} in the feed of partition {partition} cannot be read: {problem}")]
#[non_exhaustive]
pub struct UnreadableEntry {
    /// The partition whose feed has the entry.
    pub partition: u16,
    /// The entry's id in the feed of that partition.
    pub entry: String,
    /// The request that it names, if any: read that instead.
    pub id: Option<RequestId>,
    /// Why it cannot be read.
    pub problem: &'static str,
}

crate::error::debug_as_sentence!(UnreadableEntry);
