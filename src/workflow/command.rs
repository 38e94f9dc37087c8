use std::sync::Arc;

use crate::request::{ActorContext, ApprovalId, Digest, Pending, Rejection, RequestId, Timestamp};

/// What somebody wants done to a request. The reason of the decision is the reason the actor gives
/// ([`ActorContext::because`]).
///
/// A command is a plain value: computed on one revision, it can be applied to a newer one, and is then checked anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// What is to be done.
    pub action: Action,
    /// Who does it.
    pub by: Arc<ActorContext>,
}

/// What can be done to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// See [`Command::approve`].
    Approve,
    /// See [`Command::reject`].
    Reject,
    /// See [`Command::cancel`].
    Cancel,
    /// See [`Command::expire`].
    Expire,
    /// See [`Command::supersede`].
    Supersede {
        /// The request that takes its place.
        superseding: RequestId,
    },
    /// See [`Command::hold`].
    Hold {
        /// What it is to wait for, and until when.
        pending: Pending,
    },
    /// See [`Command::request_approvals`].
    RequestApprovals {
        /// From when on the request is due to expire.
        expires_at: Option<Timestamp>,
    },
    /// See [`Command::grant`].
    Grant {
        /// The approval.
        approval: ApprovalId,
        /// The digest of the request the approver saw, where they say it.
        digest: Option<Digest>,
    },
    /// See [`Command::refuse`].
    Refuse {
        /// The approval.
        approval: ApprovalId,
        /// The reason in a form that programs can read.
        rejection: Option<Rejection>,
    },
}

/// Where the request stands.
impl Command {
    /// Approves a request directly, which no approval may stand against.
    ///
    /// Refused with `InvalidTransition` unless it is created or pending, and with `ApprovalRefusal::Unmet` while it has
    /// approvals that are not met.
    pub fn approve(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Approve, by)
    }

    /// Rejects a pending or approved request.
    pub fn reject(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Reject, by)
    }

    /// Withdraws a request that is not final.
    pub fn cancel(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Cancel, by)
    }

    /// Expires a pending request, whether or not its time has come.
    pub fn expire(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Expire, by)
    }

    /// Puts another request in place of one that is not final.
    pub fn supersede(by: impl Into<Arc<ActorContext>>, superseding: RequestId) -> Self {
        Self::new(Action::Supersede { superseding }, by)
    }

    /// Lets a created or approved request wait.
    ///
    /// To wait for approval it must have approvals that are not met; otherwise nobody could ever end the waiting, and
    /// `InvalidApprovalConfiguration` is returned.
    pub fn hold(by: impl Into<Arc<ActorContext>>, pending: impl Into<Pending>) -> Self {
        Self::new(Action::Hold { pending: pending.into() }, by)
    }

    /// Ends what a request waited for before its approvals, and asks for these.
    ///
    /// The request stays pending, now for approval, due to expire at `expires_at`. Refused with `InvalidTransition`
    /// unless it is pending for another reason, and with `InvalidApprovalConfiguration` when it has no unmet approvals.
    pub fn request_approvals(by: impl Into<Arc<ActorContext>>, expires_at: Option<Timestamp>) -> Self {
        Self::new(Action::RequestApprovals { expires_at }, by)
    }
}

/// Approvals.
impl Command {
    /// Grants an approval. The last one that was missing approves the request.
    ///
    /// Refused with the first of the [`ApprovalRefusal`](crate::ApprovalRefusal)s, in their order, that holds.
    pub fn grant(by: impl Into<Arc<ActorContext>>, approval: ApprovalId) -> Self {
        Self::new(Action::Grant { approval, digest: None }, by)
    }

    /// Grants an approval for exactly the request with this digest, as the approver saw it; see
    /// [`MutationRequest::digest`](crate::MutationRequest::digest).
    pub fn grant_for_digest(by: impl Into<Arc<ActorContext>>, approval: ApprovalId, digest: Digest) -> Self {
        Self::new(Action::Grant { approval, digest: Some(digest) }, by)
    }

    /// Refuses an approval, which rejects the request, unless its quorum group allows it to go on.
    ///
    /// Refused by the same rules as [`grant`](Self::grant).
    pub fn refuse(by: impl Into<Arc<ActorContext>>, approval: ApprovalId, rejection: Option<Rejection>) -> Self {
        Self::new(Action::Refuse { approval, rejection }, by)
    }
}

impl Command {
    fn new(action: Action, by: impl Into<Arc<ActorContext>>) -> Self {
        Self { action, by: by.into() }
    }
}
