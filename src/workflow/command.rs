//! Commands: what can be done to a request, by whom.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::compensation::executed_plan;
use super::outcome::{AfterFailure, Completion, Failure};
use super::resolution::StaleStrategy;
use crate::error::Result;
use crate::request::{
    ActorContext, ApprovalId, ClaimId, CompensationPlan, Digest, MutationRequest, Pending, Rejection, RequestId,
    StateVersion, Timestamp,
};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Action {
    /// See [`Command::approve_request`].
    ApproveRequest,
    /// See [`Command::reject_request`].
    RejectRequest,
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
    /// See [`Command::approve_requirement`].
    ApproveRequirement {
        /// The approval.
        approval: ApprovalId,
        /// The digest of the request the approver saw, where they say it.
        digest: Option<Digest>,
    },
    /// See [`Command::reject_requirement`].
    RejectRequirement {
        /// The approval.
        approval: ApprovalId,
        /// The reason in a form that programs can read.
        rejection: Option<Rejection>,
    },
    /// See [`Command::expire_approvals`].
    ExpireApprovals,
    /// See [`Command::override_approvals`].
    OverrideApprovals,
    /// See [`Command::resolve`].
    Resolve {
        /// The version the state has now.
        current: StateVersion,
        /// What to do when the request was written for another one.
        strategy: StaleStrategy,
    },
    /// See [`Command::claim`].
    Claim {
        /// Names the claim.
        claim: ClaimId,
        /// How long nobody else may take over.
        lease: Duration,
    },
    /// See [`Command::release`].
    Release {
        /// The claim that is given up.
        claim: ClaimId,
    },
    /// See [`Command::complete`].
    Complete {
        /// The claim it was executed under.
        claim: ClaimId,
        /// What came of it.
        completion: Completion,
    },
    /// See [`Command::fail`].
    Fail {
        /// The claim it was executed under.
        claim: ClaimId,
        /// What failed.
        failure: Failure,
        /// What becomes of the request.
        then: AfterFailure,
    },
    /// See [`Command::link_compensation`].
    LinkCompensation {
        /// The plan that was carried out, which names the original.
        plan: CompensationPlan,
        /// The request that carried it out.
        compensating: RequestId,
    },
}

/// Where the request stands. From its own deadline on, a pending request can only be rejected, canceled, expired or superseded:
/// everything else is `DeadlinePassed`.
impl Command {
    /// Approves a request directly, which no approval may stand against. A request without approvals can be approved by
    /// anybody, also by whoever asked for it: who may give this command is for the application to say.
    ///
    /// Rejected with `InvalidTransition` unless it is created or pending, and with `ApprovalError::Unmet` while it has
    /// approvals that are not met.
    pub fn approve_request(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::ApproveRequest, by)
    }

    /// Rejects a pending or approved request.
    ///
    /// Rejected with `InvalidTransition` when it stands elsewhere, and with `ExecutionError::Claimed` while it is executed.
    pub fn reject_request(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::RejectRequest, by)
    }

    /// Withdraws a request that is not final.
    ///
    /// Rejected with `InvalidTransition` when it is, and with `ExecutionError::Claimed` while it is executed.
    pub fn cancel(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Cancel, by)
    }

    /// Expires a pending request, whether or not its time has come. Rejected with `InvalidTransition` when it is not pending.
    pub fn expire(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Expire, by)
    }

    /// Puts another request in place of one that is not final. Rejected with `Invalid` when it is the same one.
    pub fn supersede(by: impl Into<Arc<ActorContext>>, superseding: RequestId) -> Self {
        Self::new(Action::Supersede { superseding }, by)
    }

    /// Lets a created or approved request wait.
    ///
    /// To wait for approval it must have approvals that are not met and can be; otherwise nobody could ever end the waiting,
    /// and `InvalidApprovalConfiguration` is returned, or `ApprovalError::Expired` when the time of one is over. A deadline
    /// that has passed is `Invalid`.
    pub fn hold(by: impl Into<Arc<ActorContext>>, pending: impl Into<Pending>) -> Self {
        Self::new(Action::Hold { pending: pending.into() }, by)
    }

    /// Ends what a request waited for before its approvals, and asks for these: the one way from pending to pending.
    ///
    /// The request stays pending, now for approval, due to expire at `expires_at`. Not allowed, with
    /// `ApprovalError::NotWaiting`, of a request that is created or approved; with `InvalidTransition` when it waits for
    /// its approvals already or is final; with `Invalid` when `expires_at` has passed, and with `ApprovalError::Expired` when
    /// that of one of its approvals has; with `InvalidApprovalConfiguration` when it has no unmet approvals.
    pub fn request_approvals(by: impl Into<Arc<ActorContext>>, expires_at: Option<Timestamp>) -> Self {
        Self::new(Action::RequestApprovals { expires_at }, by)
    }
}

/// Approvals.
impl Command {
    /// Grants an approval. The last one that was missing approves the request. A grant never rejects it: one that would leave
    /// too few people for the others of its group, as nobody counts twice, is not allowed; what has become impossible by time
    /// waits for the sweep.
    ///
    /// Rejected with the first of the [`ApprovalError`](crate::ApprovalError)s, in their order, that holds.
    pub fn approve_requirement(by: impl Into<Arc<ActorContext>>, approval: ApprovalId) -> Self {
        Self::new(Action::ApproveRequirement { approval, digest: None }, by)
    }

    /// Grants an approval for exactly the request with this digest, as the approver saw it; see
    /// [`MutationRequest::digest`](crate::MutationRequest::digest).
    pub fn approve_requirement_for_digest(
        by: impl Into<Arc<ActorContext>>,
        approval: ApprovalId,
        digest: Digest,
    ) -> Self {
        Self::new(Action::ApproveRequirement { approval, digest: Some(digest) }, by)
    }

    /// Refuses an approval, which rejects the request, unless its quorum group allows it to go on: the group then rejects it
    /// by the vote after which too few people are left, whether or not their time is over.
    ///
    /// Rejected by the same rules as [`approve_requirement`](Self::approve_requirement).
    pub fn reject_requirement(
        by: impl Into<Arc<ActorContext>>,
        approval: ApprovalId,
        rejection: Option<Rejection>,
    ) -> Self {
        Self::new(Action::RejectRequirement { approval, rejection }, by)
    }
}

/// Approvals that are not decided.
impl Command {
    /// Lets every open approval expire whose time is over, and rejects the request if it can no longer be approved.
    ///
    /// Rejected with `NothingDue` when there is none, or when the request does not wait for approval.
    pub fn expire_approvals(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::ExpireApprovals, by)
    }

    /// Approves a request although approvals are unmet: break-glass. The history names the approvals it overrode.
    ///
    /// The actor must have an id and give a reason. Rejected with `InvalidTransition` unless the request is created or
    /// pending, and with an [`ApprovalError`](crate::ApprovalError) when there is nothing to override.
    pub fn override_approvals(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::OverrideApprovals, by)
    }
}

/// Execution. Rejected with an [`ExecutionError`](crate::ExecutionError).
impl Command {
    /// Settles how an approved request stands to the current version of the state; see [`resolve`](super::resolve).
    pub fn resolve(by: impl Into<Arc<ActorContext>>, current: StateVersion, strategy: StaleStrategy) -> Self {
        Self::new(Action::Resolve { current, strategy }, by)
    }

    /// Takes an approved request for execution, for as long as the lease runs; with the id of a claim that is held
    /// already, renews its lease.
    ///
    /// Nobody else can claim, resolve or move the request until the lease ends or the claim is given up. Rejected also
    /// when an approval was granted, or overridden, for another digest than the request has, and with `Invalid` when the
    /// lease is zero.
    pub fn claim(by: impl Into<Arc<ActorContext>>, claim: ClaimId, lease: Duration) -> Self {
        Self::new(Action::Claim { claim, lease }, by)
    }

    /// Gives a claim up without having executed the request. Rejected with `ExecutionError::ClaimLost` when the request is
    /// not held by it.
    pub fn release(by: impl Into<Arc<ActorContext>>, claim: ClaimId) -> Self {
        Self::new(Action::Release { claim }, by)
    }

    /// Records that the request was executed under this claim: possible until another executor takes over, and then refused
    /// with `ExecutionError::ClaimLost`.
    pub fn complete(by: impl Into<Arc<ActorContext>>, claim: ClaimId, completion: Completion) -> Self {
        Self::new(Action::Complete { claim, completion }, by)
    }

    /// Records that executing the request under this claim failed, and what becomes of it. Rejected like
    /// [`complete`](Self::complete).
    pub fn fail(by: impl Into<Arc<ActorContext>>, claim: ClaimId, failure: Failure, then: AfterFailure) -> Self {
        Self::new(Action::Fail { claim, failure, then }, by)
    }

    /// Links the request that `compensating` makes up for to it. Linked already, the request stays as it is.
    ///
    /// # Errors
    /// [`Error::Execution`](crate::Error::Execution) when `compensating` is not executed, or is no compensation.
    pub fn link_compensation(by: impl Into<Arc<ActorContext>>, compensating: &MutationRequest) -> Result<Self> {
        let plan = executed_plan(compensating)?.clone();
        Ok(Self::new(Action::LinkCompensation { plan, compensating: compensating.id.clone() }, by))
    }
}

impl Command {
    fn new(action: Action, by: impl Into<Arc<ActorContext>>) -> Self {
        Self { action, by: by.into() }
    }
}
