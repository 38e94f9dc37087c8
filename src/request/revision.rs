//! Revisions: a number and the write that made it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::WriteId;

/// Which write produced a stored request: a number that each write raises by one, and the id of that write.
///
/// The number alone would repeat after a failover that lost writes; two revisions are equal only if both agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Revision {
    /// 0 for the write that created the request, one more for each write after it.
    pub number: u64,
    /// The write that made this revision.
    pub write_id: WriteId,
}

impl Revision {
    /// The revision that creating a request by `write_id` makes.
    pub const fn first(write_id: WriteId) -> Self {
        Self { number: 0, write_id }
    }

    /// The revision that the next write, `write_id`, makes.
    pub const fn next(self, write_id: WriteId) -> Self {
        Self { number: self.number.saturating_add(1), write_id }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (write {})", self.number, self.write_id)
    }
}
