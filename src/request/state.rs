//! Where a request stands, with what belongs to it there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RequestId, StateVersion, Timestamp};

/// The state of a request, with all its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "status")]
pub enum RequestState {
    /// Submitted; nobody has to do anything yet.
    Created,
    /// Waits for something.
    Pending(Pending),
    /// May be executed.
    Approved,
    /// Was rejected.
    Rejected,
    /// Was canceled.
    Canceled,
    /// Waited too long.
    Expired,
    /// Another request took its place.
    Superseded {
        /// The request that took its place.
        by: RequestId,
    },
    /// Was executed.
    Executed {
        /// When.
        at: Timestamp,
        /// The resulting version of the state, if the executor reported one.
        #[serde(skip_serializing_if = "Option::is_none")]
        resulting_version: Option<StateVersion>,
    },
}

/// What a pending request waits for, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Pending {
    /// What it waits for.
    pub reason: PendingReason,
    /// From this time on it is due to expire, and can only be rejected, canceled, expired or superseded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a pending request can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum PendingReason {
    /// Approvals.
    Approval,
    /// A check outside the system.
    ExternalCheck,
    /// The scheduled time.
    Schedule,
    /// Something it depends on.
    Dependency,
    /// Quota.
    Quota,
    /// A manual review.
    ManualReview,
    /// Its requester, who is to correct it.
    Correction,
    /// A look at whether it still fits the state, which has changed since it was approved.
    Revalidation,
}

/// The state of a request without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum Status {
    /// [`RequestState::Created`].
    Created,
    /// [`RequestState::Pending`].
    Pending,
    /// [`RequestState::Approved`].
    Approved,
    /// [`RequestState::Rejected`].
    Rejected,
    /// [`RequestState::Canceled`].
    Canceled,
    /// [`RequestState::Expired`].
    Expired,
    /// [`RequestState::Superseded`].
    Superseded,
    /// [`RequestState::Executed`].
    Executed,
}

impl RequestState {
    /// The status of this state.
    pub const fn status(&self) -> Status {
        match self {
            Self::Created => Status::Created,
            Self::Pending(_) => Status::Pending,
            Self::Approved => Status::Approved,
            Self::Rejected => Status::Rejected,
            Self::Canceled => Status::Canceled,
            Self::Expired => Status::Expired,
            Self::Superseded { .. } => Status::Superseded,
            Self::Executed { .. } => Status::Executed,
        }
    }

    /// What the request waits for, if it is pending.
    pub const fn pending(&self) -> Option<Pending> {
        match self {
            Self::Pending(pending) => Some(*pending),
            _ => None,
        }
    }

    /// Whether the request was sent back, and waits for its requester to correct it.
    pub const fn awaits_correction(&self) -> bool {
        matches!(self, Self::Pending(Pending { reason: PendingReason::Correction, .. }))
    }

    /// Whether the request waits for approvals.
    pub const fn awaits_approval(&self) -> bool {
        matches!(self, Self::Pending(Pending { reason: PendingReason::Approval, .. }))
    }
}

impl Status {
    /// Every status, in the order of the lifecycle.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Canceled,
        Self::Expired,
        Self::Superseded,
        Self::Executed,
    ];

    /// Whether a request with this status keeps it for ever.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Created | Self::Pending | Self::Approved)
    }

    /// The status as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Pending => "Pending",
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
            Self::Canceled => "Canceled",
            Self::Expired => "Expired",
            Self::Superseded => "Superseded",
            Self::Executed => "Executed",
        }
    }
}

impl PendingReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Approval,
        Self::ExternalCheck,
        Self::Schedule,
        Self::Dependency,
        Self::Quota,
        Self::ManualReview,
        Self::Correction,
        Self::Revalidation,
    ];

    /// The reason as one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "Approval",
            Self::ExternalCheck => "ExternalCheck",
            Self::Schedule => "Schedule",
            Self::Dependency => "Dependency",
            Self::Quota => "Quota",
            Self::ManualReview => "ManualReview",
            Self::Correction => "Correction",
            Self::Revalidation => "Revalidation",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for PendingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<PendingReason> for Pending {
    fn from(reason: PendingReason) -> Self {
        Self { reason, expires_at: None }
    }
}
