//! What an error says about the write, the request, and trying again.

use super::{Conflict, Error, ExecutionError, LayoutError, Outcome};
use crate::request::{RequestId, Timestamp, UnsettledWrite};

impl Error {
    /// Whether the write that ended with this error took effect.
    ///
    /// Only a failure of the store can leave this open; every other error is raised before anything is written.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Store(error) => error.outcome,
            Self::Unrecorded(execution) => execution.error.outcome(),
            _ => Outcome::NotApplied,
        }
    }

    /// The write whose outcome is unknown, if it is.
    pub fn unsettled_write(&self) -> Option<&UnsettledWrite> {
        match self {
            Self::Store(error) => error.unsettled.as_deref(),
            Self::Unrecorded(execution) => execution.error.unsettled_write(),
            _ => None,
        }
    }

    /// Whether the same call can simply be repeated: it left nothing behind, and what failed may pass.
    ///
    /// Never true for a write with an unknown [outcome](Self::outcome): a second `submit` would submit a second
    /// request; [`Outcome::Unknown`] says how to go on. Never true for a [conflict](Self::Conflict) either: read the
    /// request again first.
    pub fn is_retryable(&self) -> bool {
        self.outcome() == Outcome::NotApplied && self.is_passing_failure()
    }

    /// Whether the failure of the store may pass, whatever became of the write.
    pub(crate) fn is_passing_failure(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind.may_pass())
    }

    /// The same error, which names the write if its outcome is unknown.
    #[cfg(feature = "redis")]
    pub(crate) fn leaving(self, write: &UnsettledWrite) -> Self {
        match self {
            Self::Store(error) if error.outcome == Outcome::Unknown => Self::from(error.leaving(write.clone())),
            other => other,
        }
    }

    /// The request that the error is about, if it is about one.
    pub fn request(&self) -> Option<&RequestId> {
        match self {
            Self::NotFound { id }
            | Self::AlreadyExists { id }
            | Self::WriteIdReused { id, .. }
            | Self::InvalidTransition { id, .. }
            | Self::DeadlinePassed { id, .. }
            | Self::Approval { id, .. }
            | Self::Amendment { id, .. }
            | Self::Execution { id, .. }
            | Self::Supersede { id, .. }
            | Self::Correction { id, .. }
            | Self::NothingDue { id }
            | Self::RewrittenHistory { id, .. }
            | Self::SubmittedFieldsChanged { id }
            | Self::TooLarge { id, .. }
            | Self::TooManyEntries { id, .. }
            | Self::Unwritable { id, .. } => Some(id),
            Self::Conflict(conflict) => Some(&conflict.id),
            Self::Unrecorded(execution) => Some(&execution.id),
            Self::Store(error) => error.unsettled.as_deref().map(|write| &write.id),
            Self::Archive(error) => error.request(),
            Self::Invalid(_)
            | Self::InvalidApprovalConfiguration { .. }
            | Self::Policy(_)
            | Self::NotCommitMode { .. }
            | Self::Unreadable { .. }
            | Self::InvalidCursor { .. }
            | Self::InvalidFeedPosition { .. } => None,
        }
    }

    /// The time from which on a repetition of the call can succeed, if it is known: the end of the lease, when somebody
    /// is executing the request; the time of a request that has not come; the end of the pause after a failed attempt.
    pub fn retry_after(&self) -> Option<Timestamp> {
        match self {
            Self::Execution { error: ExecutionError::Claimed { lease_ends_at, .. }, .. } => Some(*lease_ends_at),
            Self::Execution { error: ExecutionError::NotYet { not_before }, .. } => Some(*not_before),
            Self::Execution { error: ExecutionError::BetweenAttempts { next_at, .. }, .. } => Some(*next_at),
            _ => None,
        }
    }

    /// The layout that the store cannot use, if that is why it failed.
    pub fn layout(&self) -> Option<&LayoutError> {
        match self {
            Self::Store(error) => error.layout.as_deref(),
            _ => None,
        }
    }

    /// The conflict, if this is one.
    pub fn as_conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }
}
