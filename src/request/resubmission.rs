//! Links between a request that ended and the one that followed it.

use serde::{Deserialize, Serialize};

use super::{RequestId, Timestamp};

/// One end of a link between a request that was rejected, canceled or expired, and the one that its requester submitted
/// after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Resubmission {
    /// The other request.
    pub request: RequestId,
    /// When the link was made.
    pub at: Timestamp,
}
