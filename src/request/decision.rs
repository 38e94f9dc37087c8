//! Decisions: what happened to a request, by whom, when and why.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActorContext, Metadata, Timestamp, Value, metadata_keys};

/// One entry of a request's history: what was decided, by whom, when and why.
///
/// The metadata of a decision depends on its kind; [`metadata_keys`](crate::metadata_keys) has the keys as constants:
///
/// | decision | keys |
/// |---|---|
/// | lifecycle | `resubmits` if it follows another request; `from`; `waited_for`: what it waited for until then, if it was pending; `pending_reason`, `expires_at`, `superseded_by`, `resulting_version` of the new status; `valid_until` if it expired after its approval; `approval` if an approval caused it; `rejected`: the approvals if rejecting several at once caused it; `claim`, `side_effects`, `side_effects_left_out` when executed; `attempts`: how many failed, when it is rejected after the last; for a compensation also `compensates`, `compensation`, `trigger`, `batch`; `compensated_by`, `compensation`, `trigger`, `batch` when compensated; `round` and `digest` of what was reviewed when it is sent back |
/// | `Amended` | `amended`: the fields that changed; `digest` and `content`, and `previous_digest` and `previous_content` before; `round`: the new one |
/// | `Requested` | `approvals`, `missing`: how many; `round` |
/// | `Renewed` | `approvals`: how many; `round` |
/// | `Granted`, `Rejected`, `Expired` | `approval`, `target`, `step`, `round`, `digest`; `quorum_group`, `required`; `expires_at`; `moved`: which votes moved to make way; for a rejection `code`, `message`, `category` and its own metadata |
/// | `QuorumSatisfied` | `quorum_group`, `required`, `step`; `satisfied`: the approvals that are no longer needed |
/// | `Overridden` | `overridden`: the approvals; `round`, `digest`; `waited_for`: the waiting it ended, if any |
/// | `Delegated`, `Reassigned`, `Escalated` | `approval`, `from`, `to`: whom it is addressed to now, or also for an escalation; `step`, `round`; `quorum_group`, `required` |
/// | `Added`, `Removed` | `approval`, `target`, `step`, `round`; `quorum_group`, `required` |
/// | `Withdrawn` | `approval`, `target`, `step`, `round`, `digest` that the vote was given for; `quorum_group`, `required`; `withdrawn`: Granted or Rejected; `reopened`: the satisfied approvals that are open again; `satisfied`: the approval itself, if its group is met without it |
/// | version resolution | `current_version`, `expected_version` |
/// | `Scheduled` | `not_before`; `previously_not_before`, if there was one |
/// | `Commented` | `text`: the comment |
/// | none; requirements and approvals that policies demanded | `policy`, `policy_version`, `policy_digest`, `policy_deadline`; `demanded_by`; `reason` |
/// | execution | `claim`; `lease_ends_at`, `previous_claim` for a claim; `message`, `code`, its own metadata, `details_left_out` and `side_effects_left_out` for a failure; under a policy of retries without `claim` and `message`, which is the reason of the decision |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Decision {
    /// What was decided.
    #[serde(flatten)]
    pub kind: DecisionKind,
    /// Who decided.
    pub by: Arc<ActorContext>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What the decision was about; the keys depend on its kind.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// What was decided, by category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "category", content = "kind")]
#[non_exhaustive]
pub enum DecisionKind {
    /// About the status of the request.
    Lifecycle(LifecycleDecision),
    /// About an approval.
    Approval(ApprovalDecision),
    /// About the version of the state the request was written for.
    VersionResolution(VersionDecision),
    /// About its execution.
    Execution(ExecutionDecision),
    /// What people said about it; decides nothing.
    Discussion(DiscussionDecision),
}

/// The categories of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum DecisionCategory {
    /// See [`DecisionKind::Lifecycle`].
    Lifecycle,
    /// See [`DecisionKind::Approval`].
    Approval,
    /// See [`DecisionKind::VersionResolution`].
    VersionResolution,
    /// See [`DecisionKind::Execution`].
    Execution,
    /// See [`DecisionKind::Discussion`].
    Discussion,
}

macro_rules! decision_kinds {
    ($($(#[$doc:meta])* $name:ident in $category:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
            #[non_exhaustive]
            pub enum $name {
                $($(#[$variant_doc])* $variant,)*
            }

            impl $name {
                /// Every kind of this category.
                pub const ALL: &[Self] = &[$(Self::$variant),*];
            }

            impl From<$name> for DecisionKind {
                fn from(kind: $name) -> Self {
                    Self::$category(kind)
                }
            }
        )*

        impl DecisionKind {
            /// The kind as a word, without its category.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$category($name::$variant) => $word,)*)*
                }
            }

            /// Category and kind, as in [`Display`](fmt::Display).
            pub(crate) const fn with_category(self) -> &'static str {
                match self {
                    $($(Self::$category($name::$variant) => concat!(stringify!($category), "/", $word),)*)*
                }
            }

            /// Every kind of every category.
            pub fn all() -> impl Iterator<Item = Self> {
                std::iter::empty()$(.chain($name::ALL.iter().copied().map(Self::$category)))*
            }
        }
    };
}

decision_kinds! {
    /// The new status of the request.
    LifecycleDecision in Lifecycle {
        /// It was submitted.
        Submitted = "Submitted",
        /// It began to wait.
        Pending = "Pending",
        /// It may be executed.
        Approved = "Approved",
        /// It was rejected.
        Rejected = "Rejected",
        /// It was canceled.
        Canceled = "Canceled",
        /// It waited too long.
        Expired = "Expired",
        /// Another request took its place.
        Superseded = "Superseded",
        /// It was executed.
        Executed = "Executed",
        /// Another request compensated it.
        Compensated = "Compensated",
        /// Its requester changed it, after it was sent back.
        Amended = "Amended",
    }
    /// What happened to approvals.
    ApprovalDecision in Approval {
        /// Approvals were requested.
        Requested = "Requested",
        /// An approval requirement was approved.
        Granted = "Granted",
        /// An approval requirement was rejected.
        Rejected = "Rejected",
        /// A quorum group has all the grants it needs.
        QuorumSatisfied = "QuorumSatisfied",
        /// An approval expired.
        Expired = "Expired",
        /// Unmet approvals were overridden.
        Overridden = "Overridden",
        /// Approvals were opened again, as a new round.
        Renewed = "Renewed",
        /// Somebody handed on an approval that was addressed to them.
        Delegated = "Delegated",
        /// Somebody took back their own vote.
        Withdrawn = "Withdrawn",
        /// An approval was addressed to others.
        Reassigned = "Reassigned",
        /// An approval was added after submission.
        Added = "Added",
        /// An approval was removed.
        Removed = "Removed",
        /// An approval had waited for so long that it is also addressed to others.
        Escalated = "Escalated",
    }
    /// How a request fits the current version of its state.
    VersionDecision in VersionResolution {
        /// It was written for the current version.
        Validated = "Validated",
        /// It has to be validated against the current version.
        RevalidationRequired = "RevalidationRequired",
        /// It needs its approvals again, for the current version.
        RenewedApprovalRequired = "RenewedApprovalRequired",
        /// It was rejected because it was written for an earlier version.
        RejectedAsStale = "RejectedAsStale",
    }
    /// What happened during its execution.
    ExecutionDecision in Execution {
        /// An executor claimed it.
        Claimed = "Claimed",
        /// An executor released it.
        Released = "Released",
        /// An executor failed.
        Failed = "Failed",
        /// The time before which it is not executed was changed.
        Scheduled = "Scheduled",
    }
    /// What people said about it.
    DiscussionDecision in Discussion {
        /// Somebody commented on it.
        Commented = "Commented",
    }
}

impl Decision {
    pub(crate) fn new(kind: impl Into<DecisionKind>, by: &Arc<ActorContext>, at: Timestamp) -> Self {
        Self { kind: kind.into(), by: Arc::clone(by), reason: None, at, metadata: Metadata::new() }
    }

    pub(crate) fn because(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    pub(crate) fn about(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The text of a comment; `None` for every other decision.
    pub fn comment(&self) -> Option<&str> {
        match self.metadata.get(metadata_keys::TEXT) {
            Some(Value::Text(text)) if self.kind == DiscussionDecision::Commented.into() => Some(text),
            _ => None,
        }
    }
}

impl DecisionKind {
    /// The category the kind belongs to.
    pub const fn category(self) -> DecisionCategory {
        match self {
            Self::Lifecycle(_) => DecisionCategory::Lifecycle,
            Self::Approval(_) => DecisionCategory::Approval,
            Self::VersionResolution(_) => DecisionCategory::VersionResolution,
            Self::Execution(_) => DecisionCategory::Execution,
            Self::Discussion(_) => DecisionCategory::Discussion,
        }
    }
}

impl DecisionCategory {
    /// Every category.
    pub const ALL: [Self; 5] =
        [Self::Lifecycle, Self::Approval, Self::VersionResolution, Self::Execution, Self::Discussion];

    /// The category as one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lifecycle => "Lifecycle",
            Self::Approval => "Approval",
            Self::VersionResolution => "VersionResolution",
            Self::Execution => "Execution",
            Self::Discussion => "Discussion",
        }
    }
}

impl fmt::Display for DecisionCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for DecisionKind {
    /// Category and kind, for example `Approval/Granted`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.with_category())
    }
}
