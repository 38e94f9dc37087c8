//! Deciding approvals: all that an actor may decide or one of them, withdrawing a vote, expiry and override.

use std::sync::Arc;

use super::{Action, Command};
use crate::request::{ActorContext, ApprovalId, Digest, Rejection};

/// Deciding what the actor may decide: the usual way to approve and reject.
impl Command {
    /// Approves all that this actor may approve now: in the active step, each approval that stands alone, and one of
    /// each quorum group. The last missing approval approves the request. Like
    /// [`approve_requirement`](Self::approve_requirement), this never rejects it.
    ///
    /// In a group that addresses the actor several times, this approves the approval that fewest others could decide,
    /// of those the one that expires first. If earlier votes have taken the places that address the actor, they move to
    /// others of their group that address their voters; the decision says in `moved` which. If the request lets nobody
    /// decide twice, this approves one approval alone, chosen in the same way. A step that becomes active by this approval is not approved: that takes a second command.
    ///
    /// Fails with [`ApprovalError::NothingToDecide`](crate::ApprovalError::NothingToDecide) when there is nothing for
    /// this actor to decide; it says why, and whom the request waits for. Fails with `NotAwaitingApproval` and
    /// `NoApprovals` for any actor, with `NeededElsewhere` when the vote would use up somebody who is needed for
    /// another approval, and with `ReasonDemanded` when the approval demands a reason and the actor gives none.
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
    /// actor. A vote that somebody gave for this actor is theirs too. Votes of others stay. An approved request waits for approval again, without a deadline of its own.
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
    /// Records what time has done to the open approvals: each escalation whose time has come, and the expiry of each
    /// that is overdue. Rejects the request if it can no longer be approved.
    ///
    /// Fails with `NothingDue` when there is nothing to record, or when the request does not wait for approval.
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
