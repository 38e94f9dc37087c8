//! Approvals: whose verdict a request waits for, and what it was.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ActorContext, ApprovalId, ApprovalTarget, Delegation, Digest, Escalation, Metadata, Period, QuorumGroup,
    ReasonRule, Rejection, Timestamp,
};
use crate::error::Error;

/// One approval a request needs, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Approval {
    /// The id of the approval within its request.
    pub id: ApprovalId,
    /// Who may decide it; [`target_at`](Self::target_at) includes its escalation.
    pub target: ApprovalTarget,
    /// What is to be approved, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name to show for its decider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its position in the order: all approvals of lower steps come first.
    pub step: Step,
    /// Its quorum group, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<Quorum>,
    /// From this time on it can no longer be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How long after it is asked for it expires, if its rule says that instead of a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_after: Option<Period>,
    /// Whether the requester may decide it.
    #[serde(default, skip_serializing_if = "DeciderRule::is_default")]
    pub decider: DeciderRule,
    /// Which verdicts need a reason.
    #[serde(default, skip_serializing_if = "ReasonRule::is_default")]
    pub reasons: ReasonRule,
    /// The state of the approval.
    pub state: ApprovalState,
    /// Whether it has to stay: it can be handed on and reassigned, but not removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// How its target came to be one person, if it was delegated; the escalation has a delegation of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Box<Delegation>>,
    /// When it is also addressed to others, and to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Box<Escalation>>,
    /// Anything else about the approval.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// The position of an approval in the order; the lowest is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Step(NonZeroU32);

/// The group of an approval: `required` of its members have to be granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Quorum {
    /// The name that its members share.
    pub group: QuorumGroup,
    /// How many grants the group needs.
    pub required: NonZeroU32,
    /// What a rejection does.
    #[serde(default, skip_serializing_if = "QuorumRejection::is_default")]
    pub rejection: QuorumRejection,
}

/// What rejecting one member of a quorum group does to the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum QuorumRejection {
    /// Any rejection rejects the request.
    #[default]
    Any,
    /// The request is rejected only when the remaining members can no longer make the quorum.
    WhenImpossible,
}

/// Who may not decide an approval although they match its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum DeciderRule {
    /// The requester: nobody decides on their own request.
    #[default]
    NotTheRequester,
    /// Nobody: the requester may decide too.
    Anyone,
}

/// The state of an approval, with all its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "status")]
pub enum ApprovalState {
    /// Not decided yet.
    Pending,
    /// Granted.
    Approved(Verdict),
    /// Rejected.
    Rejected {
        /// Who rejected it, when and why.
        #[serde(flatten)]
        verdict: Verdict,
        /// The reason in machine-readable form.
        #[serde(skip_serializing_if = "Option::is_none")]
        rejection: Option<Box<Rejection>>,
    },
    /// No longer needed: its quorum group has its grants.
    Satisfied(Cause),
    /// Expired before a decision.
    Expired(Cause),
}

/// Who ended an approval without deciding it, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Cause {
    /// Whose action ended it: who gave the last grant that a quorum needed, or who swept what was due.
    pub by: Arc<ActorContext>,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Who decided an approval, when and why, and for which digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Verdict {
    /// Who decided.
    pub by: Arc<ActorContext>,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The digest of the request at the decision.
    pub digest: Digest,
}

/// The state of an approval without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum ApprovalStatus {
    /// [`ApprovalState::Pending`].
    Pending,
    /// [`ApprovalState::Approved`].
    Approved,
    /// [`ApprovalState::Rejected`].
    Rejected,
    /// [`ApprovalState::Satisfied`].
    Satisfied,
    /// [`ApprovalState::Expired`].
    Expired,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
impl QuorumRejection {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
impl DeciderRule {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Step {
    /// The first step.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The step with this number.
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when the number is 0.
    pub fn new(number: u32) -> Result<Self, Error> {
        NonZeroU32::new(number)
            .map(Self)
            .ok_or_else(|| Error::invalid_approval_configuration("a step of 0; the first step is 1"))
    }

    /// The number of the step.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

impl Cause {
    /// Ended by this actor at this time, for this reason.
    pub const fn new(by: Arc<ActorContext>, at: Timestamp, reason: Option<String>) -> Self {
        Self { by, at, reason }
    }
}

impl ApprovalState {
    /// The status of this state.
    pub const fn status(&self) -> ApprovalStatus {
        match self {
            Self::Pending => ApprovalStatus::Pending,
            Self::Approved(_) => ApprovalStatus::Approved,
            Self::Rejected { .. } => ApprovalStatus::Rejected,
            Self::Satisfied(_) => ApprovalStatus::Satisfied,
            Self::Expired(_) => ApprovalStatus::Expired,
        }
    }

    /// Who decided, when and why, if anybody did.
    pub const fn verdict(&self) -> Option<&Verdict> {
        match self {
            Self::Approved(verdict) | Self::Rejected { verdict, .. } => Some(verdict),
            Self::Pending | Self::Satisfied(_) | Self::Expired(_) => None,
        }
    }

    /// Who ended it without a decision, when and why, if anybody did.
    pub const fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Satisfied(cause) | Self::Expired(cause) => Some(cause),
            Self::Pending | Self::Approved(_) | Self::Rejected { .. } => None,
        }
    }
}

impl ApprovalStatus {
    /// The status as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
            Self::Satisfied => "Satisfied",
            Self::Expired => "Expired",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for ApprovalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
