//! Which verdicts on an approval need a reason.

use serde::{Deserialize, Serialize};

/// Which verdicts on an approval need a reason: that of the actor or, for a rejection, its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ReasonRule {
    /// None.
    #[default]
    Optional,
    /// A rejection.
    ForRejecting,
    /// An approval and a rejection.
    Always,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
impl ReasonRule {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
