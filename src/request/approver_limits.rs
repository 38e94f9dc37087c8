//! Who may not decide a request, whatever its approvals say.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ActorId;

/// Limits on who decides the approvals of a request, besides what each approval says. Fixed at submission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct ApproverLimits {
    /// Whether nobody decides twice, in any step or quorum group. Otherwise nobody decides twice in one quorum group.
    #[serde(skip_serializing_if = "is_false")]
    pub distinct: bool,
    /// The people who may not decide, for example the beneficiary.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded: BTreeSet<ActorId>,
}

impl ApproverLimits {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
