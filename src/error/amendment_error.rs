//! Why the approvals of a request cannot be amended as asked.

use super::approval_error::submitter;
use crate::request::{ApprovalId, Delegation, QuorumGroup, Status};

/// Why approvals cannot be delegated, reassigned, added or removed as asked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmendmentError {
    /// The request is not pending.
    #[error("they can be amended only while it is pending, but it is {status}{}", status_hint(*.status))]
    NotPending {
        /// The status of the request.
        status: Status,
    },
    /// The actor has no id.
    #[error("they cannot be amended by an actor without an id; give the actor's id")]
    Anonymous,
    /// The actor gives no reason.
    #[error("they can be amended only with a reason; give the actor's reason")]
    WithoutReason,
    /// A delegation to whoever delegates.
    #[error("{actor} cannot delegate approval {approval} to themselves; name another person")]
    ToOneself {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to delegate.
        actor: String,
    },
    /// A delegation to somebody who handed the approval on before.
    #[error(
        "approval {approval} cannot go to {to}, who handed it on before (it came by {chain}); name a person who has not \
         had it"
    )]
    Circle {
        /// The approval.
        approval: ApprovalId,
        /// To whom it was to go.
        to: String,
        /// Who handed it on so far, for reading.
        chain: String,
    },
    /// The approval was handed on as often as is allowed.
    #[error(
        "approval {approval} was delegated {} times (by {chain}), which is the maximum; decide it, or have it \
         reassigned",
        Delegation::MAX_CHAIN
    )]
    ChainTooLong {
        /// The approval.
        approval: ApprovalId,
        /// Who handed it on so far, for reading.
        chain: String,
    },
    /// A delegation to the requester.
    #[error("approval {approval} cannot go to {to}{}; name another person", submitter(.to, .requester))]
    ToRequester {
        /// The approval.
        approval: ApprovalId,
        /// To whom it was to go.
        to: String,
        /// Who submitted the request.
        requester: String,
    },
    /// A delegation to somebody who may not decide the request.
    #[error("approval {approval} cannot go to {to}, who may not decide the request; name another person")]
    ToExcluded {
        /// The approval.
        approval: ApprovalId,
        /// To whom it was to go.
        to: String,
    },
    /// A delegation to somebody who has voted in the quorum group.
    #[error(
        "approval {approval} cannot go to {to}, who has voted in quorum group {group} already; name a person who has \
         not"
    )]
    ToVoter {
        /// The approval.
        approval: ApprovalId,
        /// The group.
        group: QuorumGroup,
        /// To whom it was to go.
        to: String,
    },
    /// The approval is addressed to this target already.
    #[error("approval {approval} is addressed to {target} already; name another target")]
    SameTarget {
        /// The approval.
        approval: ApprovalId,
        /// The target, for reading.
        target: String,
    },
    /// A new approval has the id of another, or of one that was removed.
    #[error("approval {approval} exists or was removed, and an id is never used twice; choose another id, or none")]
    IdTaken {
        /// The id.
        approval: ApprovalId,
    },
    /// A new rule has the quorum group of another.
    #[error("quorum group {group} exists; choose another name for the new group, or reassign one of its approvals")]
    GroupTaken {
        /// The group.
        group: QuorumGroup,
    },
    /// The approval has to stay.
    #[error("approval {approval} is mandatory and cannot be removed; reassign it, or override the approvals")]
    Mandatory {
        /// The approval.
        approval: ApprovalId,
    },
    /// Without this approval, nothing would be left to decide.
    #[error(
        "approval {approval} is the last that is not met, and a removal never approves; reassign it, or override the \
         approvals with a reason"
    )]
    LastUnmet {
        /// The approval.
        approval: ApprovalId,
    },
}

fn status_hint(status: Status) -> &'static str {
    match status {
        Status::Created => "; it has no approvals",
        Status::Approved => "; hold it for approval first if it has unmet approvals, or reject it",
        _ => "; that status is final, so submit a new request",
    }
}
