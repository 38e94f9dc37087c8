//! Scheduling and revalidating.

use std::sync::Arc;

use super::{Action, Command};
use crate::request::{ActorContext, Timestamp};

/// Time. What a request's times forbid, they forbid from their microsecond on, swept or not.
impl Command {
    /// Sets the time before which the request is not executed, in place of the one it has and of the pause after
    /// a failed attempt; a time that has come opens it at once. Allowed in every status that is not final.
    ///
    /// Fails with `ExecutionError::Claimed` while the request is executed, with `ExecutionError::TooLateToSchedule` when
    /// it is final, and with `ExecutionError::StartAfterDeadline` when the request's own deadline is earlier.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use mutator_governance::workflow::{Command, apply, submit};
    /// use mutator_governance::{
    ///     ActorContext, ClaimId, Intent, RequestDraft, RequestId, Target, Timestamp, WriteId,
    /// };
    ///
    /// # fn main() -> Result<(), mutator_governance::Error> {
    /// let (now, hour) = (Timestamp::now(), Duration::from_secs(60 * 60));
    /// let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// let draft = RequestDraft::new(target, Intent::new("grant-role", "Access")?, ActorContext::user("alice")?)
    ///     .not_before(now.saturating_add(8 * hour))
    ///     .already_approved();
    /// let request = submit(draft, RequestId::generate(), WriteId::generate(), now)?;
    ///
    /// let claim = Command::claim(ActorContext::service("executor")?, ClaimId::generate(), hour);
    /// assert_eq!(apply(request.clone(), &claim, now).unwrap_err().code(), "execution.not_yet");
    /// let opened = apply(request, &Command::schedule(ActorContext::user("olga")?, now), now)?;
    /// assert!(apply(opened, &claim, now).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn schedule(by: impl Into<Arc<ActorContext>>, not_before: Timestamp) -> Self {
        Self::new(Action::Schedule { not_before }, by)
    }

    /// Approves a request again that waits for revalidation, because it was written for another version of the state
    /// ([`RequireRevalidation`](super::StaleStrategy::RequireRevalidation)). All its grants stay as they are; its
    /// validity starts anew. If a grant was withdrawn or an approval added while it waited, it waits for its approvals
    /// then. The application decides who may give this command.
    ///
    /// Fails with `ExecutionError::NotRevalidating` when it does not wait for that.
    pub fn revalidate(by: impl Into<Arc<ActorContext>>) -> Self {
        Self::new(Action::Revalidate, by)
    }
}
