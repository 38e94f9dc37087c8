//! What becomes of a request that was written for another version of the state.

use serde::{Deserialize, Serialize};

/// What to do with an approved request that was written for another version of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum StaleStrategy {
    /// Reject it.
    RejectStale,
    /// Ask all its approvers again, for the current version.
    RequireRenewedApproval,
    /// Hold it until somebody has [revalidated](crate::workflow::Command::revalidate) it; its approvals stay.
    RequireRevalidation,
    /// Allow execution on the current version; the executor validates it against that.
    RevalidateOnLatestState,
}
