//! A stored request that cannot be read, and why.

use crate::error::{Error, FormatError};
use crate::request::RequestId;

/// A stored request that cannot be read. It never keeps others from being read.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("request {id} cannot be read: {error}")]
#[non_exhaustive]
pub struct Unreadable {
    /// The id of the request.
    pub id: RequestId,
    /// Why it cannot be read.
    pub error: FormatError,
}

crate::error::debug_as_sentence!(Unreadable);

impl Unreadable {
    /// A request that cannot be read, for those who write a store.
    pub const fn new(id: RequestId, error: FormatError) -> Self {
        Self { id, error }
    }

    /// A request that an index names but whose document does not explain the index entry.
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "only the Redis store reads along indexes"))]
    pub(crate) fn stray(id: RequestId) -> Self {
        let problem = "an index holds the request at a time, step or place that its document does not have: one of them was \
                       altered. RedisStore::verify names which entries are missing and which do not belong there";
        Self::new(id, FormatError::Malformed { problem: problem.to_owned() })
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::unreadable(unreadable.id.to_string(), unreadable.error)
    }
}
