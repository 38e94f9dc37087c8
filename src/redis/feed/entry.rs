use serde::{Deserialize, Serialize};

use crate::request::{DecisionKind, RequestId, Status, Timestamp};

/// One write, as the change feed tells it: which request it made or changed, and to what. Not the request itself.
///
/// Written together with the request, or not at all. A request's entries come in the order of its revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FeedEntry {
    /// The request.
    pub id: RequestId,
    /// The number of the revision that the write made: 0 filed the request.
    pub revision: u64,
    /// Where the request stood behind the write.
    pub status: Status,
    /// The decisions that the write added, in order.
    pub decisions: Vec<DecisionKind>,
    /// The partition whose feed has the entry.
    pub partition: u16,
    /// When the entry was added, by the server's clock in milliseconds; never earlier than the one before it.
    pub added_at: Timestamp,
}

/// An entry of the change feed that cannot be read. It never keeps the others from being read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} in the feed of partition {partition} cannot be read: {problem}")]
#[non_exhaustive]
pub struct UnreadableEntry {
    /// The partition whose feed has the entry.
    pub partition: u16,
    /// The entry's id in the stream.
    pub entry: String,
    /// The request that it names, where it names one: read that instead.
    pub id: Option<RequestId>,
    /// Why it cannot be read.
    pub problem: &'static str,
}
