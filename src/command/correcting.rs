//! Sending a request back to its requester, and amending it.

use std::sync::Arc;

use super::{Action, Amendment, Command};
use crate::request::ActorContext;

/// Correction: a request is sent back, its requester amends it, and a new round of approvals begins.
impl Command {
    /// Sends a request that waits for approval back to its requester, who is to correct it. Nobody can decide it
    /// meanwhile; it keeps its deadline, and those of its approvals stand still.
    ///
    /// For those who may decide an approval of it now. Fails like [`approve`](Self::approve), and with `Invalid` when
    /// the reason is blank. [`request_approvals`](Self::request_approvals) takes it back: the request waits for its
    /// approvals again, as it was.
    ///
    /// ```
    /// use mutator_governance::workflow::{Amendment, Command, apply, explain, submit};
    /// use mutator_governance::{
    ///     ActorContext, ApprovalRule, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId,
    /// };
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let now = Timestamp::now();
    /// let (alice, bob) = (ActorContext::user("alice")?, ActorContext::user("bob")?);
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, alice.clone())
    ///     .requires_approval(ApprovalRule::actor("bob")?);
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
    ///
    /// let sent_back = apply(request, &Command::request_changes(bob, "for how long?"), now)?;
    /// assert_eq!(explain(&sent_back, now).to_string(), "waits for alice to correct it, as bob asked: for how long?");
    ///
    /// let amendment = Amendment::new().description("for 30 days");
    /// let request = apply(sent_back, &Command::amend(alice, amendment), now)?;
    /// assert_eq!(request.approval_round, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request_changes(by: impl Into<Arc<ActorContext>>, reason: impl Into<String>) -> Self {
        Self::new(Action::RequestChanges { reason: reason.into() }, by)
    }

    /// Amends a request that was sent back, and asks for all its approvals again, as a new round. What was decided
    /// before stays in the history, with the digest that it was decided for, and counts no longer. The request keeps
    /// its deadline; each approval gets the duration it had, from now on.
    ///
    /// For its requester. Somebody else who acts for the requester is excluded from deciding the request from then on.
    /// Fails with a [`CorrectionError`](crate::CorrectionError).
    pub fn amend(by: impl Into<Arc<ActorContext>>, amendment: Amendment) -> Self {
        Self::new(Action::Amend { amendment }, by)
    }
}
