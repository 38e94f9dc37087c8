use serde::{Deserialize, Serialize};

use crate::request::{RequestId, Revision, WriteId};

/// A write of which it is not known whether it took effect. An error whose outcome is unknown names it, and
/// [`Outcome::Unknown`](crate::Outcome::Unknown) says how to go on.
///
/// It can be saved, and settled by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsettledWrite {
    /// The request that was to be written.
    pub id: RequestId,
    /// The revision that the write was to replace; none for one that was to create the request.
    pub base: Option<Revision>,
    /// The write.
    pub write_id: WriteId,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settled {
    /// It took effect.
    Applied,
    /// It did not, and cannot any more: another write took its place.
    NotApplied,
    /// It has not taken effect yet. A reply that was lost leaves it at that; a request that is still on its way can change
    /// it. Repeating it under its write id settles it for good: see [`Outcome::Unknown`](crate::Outcome::Unknown).
    Open,
    /// So many writes followed that the store no longer knows. Whether the request's history has the decision tells.
    Forgotten,
}

impl UnsettledWrite {
    /// The number of the revision that the write makes.
    pub(crate) fn number(&self) -> u64 {
        self.base.map_or(0, |base| base.next(self.write_id).number)
    }
}
