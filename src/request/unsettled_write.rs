//! A write whose outcome is not known.

use serde::{Deserialize, Serialize};

use super::{RequestId, Revision, WriteId, WriteIntent};

/// A write that may or may not have taken effect. An error with an unknown outcome names it, and
/// [`Outcome::Unknown`](crate::Outcome::Unknown) says how to go on.
///
/// It can be saved and settled by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsettledWrite {
    /// The request of the write.
    pub id: RequestId,
    /// The revision that the write was to replace; `None` for a creation.
    pub base: Option<Revision>,
    /// The id of the write.
    pub write_id: WriteId,
    /// What the write was meant to do. If `None`, only the id is known, and it matches whatever it was used for.
    #[serde(default)]
    pub intent: Option<WriteIntent>,
}
