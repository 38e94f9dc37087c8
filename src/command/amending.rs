//! Amending approvals: handing one on, giving it to others, adding and removing.

use std::sync::Arc;

use super::{Action, Command};
use crate::request::{ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget};

/// Amending the approvals of a pending request. Verdicts stay, and only open approvals are amended.
///
/// Each needs an actor with an id who gives a [reason](ActorContext::because), and fails with an
/// [`AmendmentError`](crate::AmendmentError) otherwise, and when the request is not pending; with
/// `ExecutionError::Claimed` while it is executed; with `UnknownApproval`, `AlreadyDecided` and `Expired` for an
/// approval that is not there or not open; and with `InvalidApprovalConfiguration` when nobody could meet the
/// approvals afterwards.
impl Command {
    /// Hands on an approval to another person, who decides it in place of those through whom the actor may decide it. The
    /// actor must be somebody who may decide it, whether or not its step is active.
    ///
    /// Those are whom its target names, or whom it [escalated](crate::ApprovalRule::escalates_after) to: the other address
    /// stays as it is. Whoever both name hands on both. The approval keeps whom it was for and who handed it on: see
    /// [`Delegation`](crate::Delegation). That person can hand it on in turn, up to
    /// [`Delegation::MAX_CHAIN`](crate::Delegation::MAX_CHAIN) times.
    ///
    /// Also fails when the actor may not decide the approval, with the same error as deciding; and when the other
    /// person is the actor, handed it on before, submitted the request (unless the approval's rule lets them decide),
    /// may not decide the request, or has voted in its quorum group.
    ///
    /// ```
    /// use mutator_governance::workflow::{Command, apply, decidable_by, explain, submit};
    /// use mutator_governance::{
    ///     ActorContext, ActorId, ApprovalId, ApprovalRule, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId,
    /// };
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let now = Timestamp::now();
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?)
    ///     .requires_approval(ApprovalRule::actor("bob")?);
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
    ///
    /// let bob = ActorContext::user("bob")?.because("on holiday until Monday");
    /// let delegate = Command::delegate(bob, ApprovalId::new("approval-1")?, ActorId::new("carol")?);
    /// let request = apply(request, &delegate, now)?;
    /// assert_eq!(decidable_by(&request, &ActorContext::user("carol")?, now).len(), 1);
    /// let why = explain(&request, now).to_string();
    /// assert_eq!(why, "waits for carol (delegated by bob) to decide approval-1; step 1 of 1");
    /// # Ok(())
    /// # }
    /// ```
    pub fn delegate(by: impl Into<Arc<ActorContext>>, approval: ApprovalId, to: ActorId) -> Self {
        Self::new(Action::Delegate { approval, to }, by)
    }

    /// Addresses an approval to others, in place of those it was addressed to. The application decides who may give
    /// this command. A delegation ends with it; the escalation stays.
    ///
    /// Also fails with `SameTarget` when the approval is addressed to this target already.
    pub fn reassign(by: impl Into<Arc<ActorContext>>, approval: ApprovalId, target: ApprovalTarget) -> Self {
        Self::new(Action::Reassign { approval, target }, by)
    }

    /// Adds the approvals of a rule, as submission would. The application decides who may give this command.
    ///
    /// A rule without a step gets the number of the request's approval requirements, this one included, as its step;
    /// one without an id the next free `approval-N`. Also fails with `IdTaken` for an id that an approval of the request
    /// has, or had before it was removed; with `GroupTaken` for a quorum group that it has; and with `Invalid` when the
    /// approvals expire before now, or when the rule lets the requester decide.
    pub fn add_approval(by: impl Into<Arc<ActorContext>>, rule: ApprovalRule) -> Self {
        Self::new(Action::AddApproval { rule: Box::new(rule) }, by)
    }

    /// Removes an approval. The application decides who may give this command.
    ///
    /// A removal never approves: it fails with `LastUnmet` when everything else is met. Also fails with `Mandatory`
    /// when the approval has to stay.
    pub fn remove_approval(by: impl Into<Arc<ActorContext>>, approval: ApprovalId) -> Self {
        Self::new(Action::RemoveApproval { approval }, by)
    }
}
