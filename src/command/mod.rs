//! Commands: what can be done to a request, by whom. Plain data; `workflow` applies it.

mod outcome;
mod read_json;
mod stale_strategy;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

pub(crate) use outcome::cut;
pub use outcome::{AfterFailure, Completion, Failure};
pub use stale_strategy::StaleStrategy;

use crate::request::{
    ActorContext, ApprovalId, ClaimId, CompensationPlan, Digest, Pending, Rejection, RequestId, StateVersion, Timestamp,
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
    /// See [`Command::expire_approvals`].
    ExpireApprovals,
    /// See [`Command::override_approvals`].
    OverrideApprovals,
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

    /// Expires a pending request, due or not. Fails with `InvalidTransition` when it is not pending.
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
    /// expired. A deadline in the past is `Invalid`.
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

/// Deciding what the actor may decide: the usual way to approve and reject.
impl Command {
    /// Approves all that this actor may approve now: in the active step, each approval that stands alone, and one of
    /// each quorum group. The last missing approval approves the request. Like
    /// [`approve_requirement`](Self::approve_requirement), this never rejects it.
    ///
    /// In a group that addresses the actor several times, this approves the approval that fewest others could decide,
    /// of those the one that expires first, and never one by which the group would lose somebody it needs elsewhere. A
    /// step that becomes active by this approval is not approved: that takes a second command.
    ///
    /// Fails with [`ApprovalError::NothingToDecide`](crate::ApprovalError::NothingToDecide) when there is nothing for
    /// this actor to decide; it says why, and whom the request waits for. Fails with `NotAwaitingApproval` and
    /// `NoApprovals` for any actor, and with `NeededElsewhere` when the actor is needed for an approval that has
    /// expired.
    ///
    /// ```
    /// use mutator_governance::workflow::{Command, apply, decidable_by, submit};
    /// use mutator_governance::{
    ///     ActorContext, ApprovalRule, Intent, RequestDraft, RequestId, Status, Step, Target, Timestamp,
    ///     WriteId,
    /// };
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let now = Timestamp::now();
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?)
    ///     .requires_approval(ApprovalRule::role("manager")?.at_step(Step::FIRST))
    ///     .requires_approval(ApprovalRule::role("security")?.at_step(Step::FIRST));
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
    ///
    /// let carol = ActorContext::user("carol")?.with_role("manager")?.with_role("security")?;
    /// assert_eq!(decidable_by(&request, &carol, now).len(), 2);
    /// let request = apply(request, &Command::approve(carol), now)?;
    /// assert_eq!(request.state.status(), Status::Approved);
    /// # Ok(())
    /// # }
    /// ```
    pub fn approve(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Approve { digest: None }, by)
    }

    /// As [`approve`](Self::approve), for exactly the digest that the approver saw; see
    /// [`MutationRequest::digest`](crate::MutationRequest::digest). Also fails with `AnotherDigest`.
    pub fn approve_for_digest(by: impl Into<Arc<ActorContext>>, digest: Digest) -> Self {
        Self::new(Action::Approve { digest: Some(digest) }, by)
    }

    /// Rejects all that this actor may reject now, which is what they could [approve](Self::approve). That rejects the
    /// request, unless each of these approvals is in a quorum group that may continue.
    ///
    /// Fails like [`approve`](Self::approve).
    pub fn reject(by: impl Into<Arc<ActorContext>>, rejection: Option<Rejection>) -> Self {
        Self::new(Action::Reject { rejection }, by)
    }
}

/// Deciding one named approval.
impl Command {
    /// Approves one requirement. The last missing one approves the request. This never rejects the request: an approval
    /// that would leave too few people for the rest of its group, where nobody counts twice, is not allowed; what has
    /// become impossible by time waits for the sweep.
    ///
    /// Fails with the first [`ApprovalError`](crate::ApprovalError) that applies, in their order.
    pub fn approve_requirement(by: impl Into<Arc<ActorContext>>, approval: ApprovalId) -> Self {
        Self::new(Action::ApproveRequirement { approval, digest: None }, by)
    }

    /// Approves one requirement for exactly the digest that the approver saw; see
    /// [`MutationRequest::digest`](crate::MutationRequest::digest).
    pub fn approve_requirement_for_digest(
        by: impl Into<Arc<ActorContext>>,
        approval: ApprovalId,
        digest: Digest,
    ) -> Self {
        Self::new(Action::ApproveRequirement { approval, digest: Some(digest) }, by)
    }

    /// Rejects one requirement. That rejects the request, unless its quorum group may continue; the group then rejects
    /// the request with the vote that leaves too few people, whether or not their time is over.
    ///
    /// Fails by the same rules as [`approve_requirement`](Self::approve_requirement).
    pub fn reject_requirement(
        by: impl Into<Arc<ActorContext>>,
        approval: ApprovalId,
        rejection: Option<Rejection>,
    ) -> Self {
        Self::new(Action::RejectRequirement { approval, rejection }, by)
    }
}

/// Taking back one's own vote.
impl Command {
    /// Withdraws all votes, for and against, that this actor has given in the current round. Their approvals are open
    /// again, as are those that were no longer needed because of them; whoever they address can decide them, also this
    /// actor. Votes of others stay. An approved request waits for approval again, without a deadline of its own.
    ///
    /// Possible until somebody claims the request, and until its own deadline. An approval whose time has passed since
    /// then is left to the next sweep, which expires it.
    ///
    /// Fails with [`ApprovalError::NothingToWithdraw`](crate::ApprovalError::NothingToWithdraw) when the actor has no
    /// vote, with [`ApprovalError::TooLateToWithdraw`](crate::ApprovalError::TooLateToWithdraw) when the request is
    /// final, with [`ApprovalError::AnonymousWithdrawal`](crate::ApprovalError::AnonymousWithdrawal) for an actor
    /// without an id, and with `ExecutionError::Claimed` while it is executed.
    ///
    /// ```
    /// use mutator_governance::workflow::{Command, apply, submit};
    /// use mutator_governance::{
    ///     ActorContext, ApprovalRule, Intent, RequestDraft, RequestId, Status, Target, Timestamp, WriteId,
    /// };
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let now = Timestamp::now();
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?)
    ///     .requires_approval(ApprovalRule::actor("bob")?);
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
    ///
    /// let approved = apply(request, &Command::approve(ActorContext::user("bob")?), now)?;
    /// let on_second_thought = ActorContext::user("bob")?.because("the audit is not over");
    /// let waiting = apply(approved, &Command::withdraw(on_second_thought), now)?;
    /// assert_eq!(waiting.state.status(), Status::Pending);
    /// # Ok(())
    /// # }
    /// ```
    pub fn withdraw(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Withdraw { approval: None }, by)
    }

    /// As [`withdraw`](Self::withdraw), only the vote on one approval. Also fails with
    /// [`ApprovalError::AnothersVote`](crate::ApprovalError::AnothersVote) when somebody else decided it, and with
    /// `UnknownApproval`.
    pub fn withdraw_requirement(by: impl Into<Arc<ActorContext>>, approval: ApprovalId) -> Self {
        Self::new(Action::Withdraw { approval: Some(approval) }, by)
    }
}

/// Expiry and override of approvals.
impl Command {
    /// Expires every open approval that is overdue, and rejects the request if it can no longer be approved.
    ///
    /// Fails with `NothingDue` when none is overdue, or when the request does not wait for approval.
    pub fn expire_approvals(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::ExpireApprovals, by)
    }

    /// Approves a request although approvals are unmet: break-glass. The history names the overridden approvals.
    ///
    /// The actor must have an id and give a reason. Fails with `InvalidTransition` unless the request is created or
    /// pending, and with an [`ApprovalError`](crate::ApprovalError) when there is nothing to override.
    pub fn override_approvals(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::OverrideApprovals, by)
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

/// Execution. Commands fail with an [`ExecutionError`](crate::ExecutionError).
impl Command {
    /// Resolves an approved request against the current version of the state; see [`resolve`](crate::workflow::resolve).
    pub fn resolve(by: impl Into<Arc<ActorContext>>, current: StateVersion, strategy: StaleStrategy) -> Self {
        Self::new(Action::Resolve { current, strategy }, by)
    }

    /// Claims an approved request for execution until the lease ends; with the id of the current claim, renews its
    /// lease.
    ///
    /// Nobody else can claim, resolve or move the request until the lease ends or the claim is released. Also fails
    /// when an approval was granted, or overridden, for another digest than the request has, and with `Invalid` when
    /// the lease is zero.
    pub fn claim(by: impl Into<Arc<ActorContext>>, claim: ClaimId, lease: Duration) -> Self {
        Self::new(Action::Claim { claim, lease }, by)
    }

    /// Releases a claim without having executed the request. Fails with `ExecutionError::ClaimLost` when this claim
    /// does not hold the request.
    pub fn release(by: impl Into<Arc<ActorContext>>, claim: ClaimId) -> Self {
        Self::new(Action::Release { claim }, by)
    }

    /// Records that the request was executed under this claim. Allowed until another executor takes over, after that it
    /// fails with `ExecutionError::ClaimLost`.
    pub fn complete(by: impl Into<Arc<ActorContext>>, claim: ClaimId, completion: Completion) -> Self {
        Self::new(Action::Complete { claim, completion }, by)
    }

    /// Records that executing the request under this claim failed, and what becomes of it. Fails like
    /// [`complete`](Self::complete).
    pub fn fail(by: impl Into<Arc<ActorContext>>, claim: ClaimId, failure: Failure, then: AfterFailure) -> Self {
        Self::new(Action::Fail { claim, failure, then }, by)
    }
}

impl Command {
    pub(crate) fn new(action: Action, by: impl Into<Arc<ActorContext>>) -> Self {
        Self { action, by: by.into() }
    }
}
