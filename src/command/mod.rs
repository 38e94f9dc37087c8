//! Commands: what can be done to a request, by whom. Plain data; `workflow` applies it.

mod after_failure;
mod amending;
mod amendment;
mod correcting;
mod deciding;
mod executing;
mod outcome;
mod read_json;
mod stale_strategy;
mod timing;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub use after_failure::AfterFailure;
pub use amendment::Amendment;
pub(crate) use outcome::cut;
pub use outcome::{Completion, Failure};
pub use stale_strategy::StaleStrategy;

use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, ClaimId, CompensationPlan, Digest, Pending,
    Rejection, RequestId, StateVersion, Timestamp,
};

/// What an actor wants done to a request. The actor's reason ([`ActorContext::because`]) becomes the reason of the
/// decision.
///
/// A command is a plain value: computed for one revision, it can be applied to a newer one, where it is checked again.
///
/// It can be read from JSON, where a field that is not known is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(extend("unevaluatedProperties" = false)))]
#[non_exhaustive]
pub struct Command {
    /// What is to be done.
    #[serde(flatten)]
    pub action: Action,
    /// Who does it.
    pub by: Arc<ActorContext>,
}

/// What can be done to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "action", deny_unknown_fields)]
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
        /// What it waits for, and until when.
        pending: Pending,
    },
    /// See [`Command::request_approvals`].
    RequestApprovals {
        /// From this time on the request is due to expire.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// See [`Command::approve`].
    Approve {
        /// The digest of the request that the approver saw, if they give it.
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// See [`Command::reject`].
    Reject {
        /// The reason in machine-readable form.
        #[serde(skip_serializing_if = "Option::is_none")]
        rejection: Option<Rejection>,
    },
    /// See [`Command::approve_requirement`].
    ApproveRequirement {
        /// The approval.
        approval: ApprovalId,
        /// The digest of the request that the approver saw, if they give it.
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// See [`Command::reject_requirement`].
    RejectRequirement {
        /// The approval.
        approval: ApprovalId,
        /// The reason in machine-readable form.
        #[serde(skip_serializing_if = "Option::is_none")]
        rejection: Option<Rejection>,
    },
    /// See [`Command::withdraw`].
    Withdraw {
        /// The approval, if only the vote on this one is taken back.
        #[serde(skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
    },
    /// See [`Command::delegate`].
    Delegate {
        /// The approval.
        approval: ApprovalId,
        /// The person it goes to.
        to: ActorId,
    },
    /// See [`Command::reassign`].
    Reassign {
        /// The approval.
        approval: ApprovalId,
        /// Whom it is addressed to instead.
        target: ApprovalTarget,
    },
    /// See [`Command::add_approval`].
    AddApproval {
        /// What the new approvals are made from.
        rule: Box<ApprovalRule>,
    },
    /// See [`Command::remove_approval`].
    RemoveApproval {
        /// The approval.
        approval: ApprovalId,
    },
    /// See [`Command::request_changes`].
    RequestChanges {
        /// What is to be changed, and why.
        reason: String,
    },
    /// See [`Command::amend`].
    Amend {
        /// What changes.
        amendment: Amendment,
    },
    /// See [`Command::expire_approvals`].
    ExpireApprovals,
    /// See [`Command::override_approvals`].
    OverrideApprovals,
    /// See [`Command::schedule`].
    Schedule {
        /// The request is not executed before this time.
        not_before: Timestamp,
    },
    /// See [`Command::revalidate`].
    Revalidate,
    /// See [`Command::resolve`].
    Resolve {
        /// The version the state has now.
        current: StateVersion,
        /// What to do if the request was written for another version.
        strategy: StaleStrategy,
    },
    /// See [`Command::claim`].
    Claim {
        /// The id of the claim.
        claim: ClaimId,
        /// For how long nobody else may take over.
        #[serde(serialize_with = "crate::json::write_duration")]
        #[cfg_attr(feature = "schemars", schemars(with = "crate::json::IsoDuration"))]
        lease: Duration,
    },
    /// See [`Command::release`].
    Release {
        /// The claim to release.
        claim: ClaimId,
    },
    /// See [`Command::complete`].
    Complete {
        /// The claim it was executed under.
        claim: ClaimId,
        /// The result.
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
    /// See [`Command::comment`].
    Comment {
        /// What is said.
        text: String,
    },
    /// See [`Command::link_compensation`].
    LinkCompensation {
        /// The executed plan, which names the original.
        plan: CompensationPlan,
        /// The request that executed the plan.
        compensating: RequestId,
    },
}

/// Changes of the status. From its own deadline on, a pending request can only be rejected, canceled, expired or
/// superseded: every other command fails with `DeadlinePassed`.
impl Command {
    /// Approves a request directly, if no approval is unmet. Anybody can approve a request without approvals, also its
    /// requester: the application decides who may give this command.
    ///
    /// Fails with `InvalidTransition` unless the request is created or pending, and with `ApprovalError::Unmet` while
    /// it has unmet approvals.
    pub fn approve_request(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::ApproveRequest, by)
    }

    /// Rejects a pending or approved request.
    ///
    /// Fails with `InvalidTransition` in any other status, and with `ExecutionError::Claimed` while it is executed.
    pub fn reject_request(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::RejectRequest, by)
    }

    /// Cancels a request that is not final.
    ///
    /// Fails with `InvalidTransition` when it is final, and with `ExecutionError::Claimed` while it is executed.
    pub fn cancel(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Cancel, by)
    }

    /// Expires a pending request, due or not, or an approved one whose [validity](crate::RequestDraft::valid_for) has
    /// ended.
    ///
    /// Fails with `NothingDue` when it is approved and still valid, and with `InvalidTransition` in any other status.
    pub fn expire(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Expire, by)
    }

    /// Replaces a request that is not final by another. Fails with `Invalid` when both are the same.
    pub fn supersede(by: impl Into<Arc<ActorContext>>, superseding: RequestId) -> Self {
        Self::new(Action::Supersede { superseding }, by)
    }

    /// Makes a created or approved request wait.
    ///
    /// To wait for approval, the request must have unmet approvals that can be met; otherwise nobody could ever end the
    /// wait, and the command fails with `InvalidApprovalConfiguration`, or with `ApprovalError::Expired` when one has
    /// expired. A deadline in the past is `Invalid`, as is waiting for correction, which is for
    /// [`request_changes`](Self::request_changes).
    pub fn hold(by: impl Into<Arc<ActorContext>>, pending: impl Into<Pending>) -> Self {
        Self::new(Action::Hold { pending: pending.into() }, by)
    }

    /// Ends the current wait of a pending request, and requests its approvals: the one way from pending to pending.
    ///
    /// The request stays pending, now for approval, due to expire at `expires_at`. Fails with
    /// `ApprovalError::NotWaiting` when the request is created or approved; with `InvalidTransition` when it waits for
    /// its approvals already or is final; with `Invalid` when `expires_at` has passed; with `ApprovalError::Expired`
    /// when one of its approvals has expired; and with `InvalidApprovalConfiguration` when it has no unmet approvals.
    pub fn request_approvals(by: impl Into<Arc<ActorContext>>, expires_at: Option<Timestamp>) -> Self {
        Self::new(Action::RequestApprovals { expires_at }, by)
    }
}

/// Discussion.
impl Command {
    /// The maximum of a comment: 4 KiB.
    pub const MAX_COMMENT_BYTES: usize = 4 * 1024;

    /// Comments on a request. Allowed for everybody and in every status, also the final ones; it decides nothing, and
    /// changes neither the status nor what approvals were given for, so it commutes with every other command.
    ///
    /// The text is in the decision's metadata: see [`Decision::comment`](crate::Decision::comment). Fails with `Invalid`
    /// when the text is blank or longer than [`MAX_COMMENT_BYTES`](Self::MAX_COMMENT_BYTES).
    ///
    /// ```
    /// use mutator_governance::workflow::{Command, apply, submit};
    /// use mutator_governance::{ActorContext, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId};
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?);
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), Timestamp::now())?;
    ///
    /// let comment = Command::comment(ActorContext::user("bob")?, "For how long does she need it?");
    /// let discussed = apply(request.clone(), &comment, Timestamp::now())?;
    /// assert_eq!(discussed.decisions.last().and_then(|last| last.comment()), Some("For how long does she need it?"));
    /// assert_eq!((discussed.digest(), &discussed.state), (request.digest(), &request.state));
    /// # Ok(())
    /// # }
    /// ```
    pub fn comment(by: impl Into<Arc<ActorContext>>, text: impl Into<String>) -> Self {
        Self::new(Action::Comment { text: text.into() }, by)
    }
}

impl Command {
    pub(crate) fn new(action: Action, by: impl Into<Arc<ActorContext>>) -> Self {
        Self { action, by: by.into() }
    }
}
