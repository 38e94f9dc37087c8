//! What a result lacks because a part of the store does not answer.

use serde::{Deserialize, Serialize};

use super::Cursor;

/// A partition of a store that did not answer.
///
/// Only a store that is to return partial results has any: in Redis,
/// `RedisStore::with_partial_reads`. Every other one fails as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MissingPartition {
    /// The partition.
    pub partition: u16,
    /// The server that was asked last.
    pub server: String,
    /// Why there is no answer.
    pub problem: String,
}

/// What a page lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MissingPart {
    /// The partitions that did not answer; at least one.
    pub partitions: Vec<MissingPartition>,
    /// Where to go on once they answer. From there every row comes once that was on no page before: first those of the partitions
    /// that were missing, so the order begins again. The same as [`Page::next`](super::Page::next) if that is there.
    pub resume: Cursor,
}

impl MissingPartition {
    /// A partition that did not answer, for authors of stores.
    pub fn new(partition: u16, server: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { partition, server: server.into(), problem: problem.into() }
    }
}
