use std::time::Instant;

use super::{Governance, dual};
use crate::error::{Error, Result};
use crate::on_conflict::OnConflict;
use crate::request::{MutationRequest, RequestId, Revision, Timestamp, WriteId};
use crate::settle::{Settled, UnsettledWrite};
use crate::workflow::{self, Action, Command};

/// What a command makes of a request at a time.
pub(super) type Change<'a> = &'a (dyn Fn(MutationRequest, Timestamp) -> Result<MutationRequest> + Send + Sync);

#[dual]
impl Governance {
    /// Applies a command to the request with this id and stores the result.
    ///
    /// # Errors
    /// - [`Error::NotFound`] when there is no such request; [`Error::Unreadable`] when what is stored cannot be read.
    /// - [`Error::InvalidTransition`], [`Error::Approval`], [`Error::Execution`], [`Error::NothingDue`], [`Error::Invalid`]
    ///   and [`Error::InvalidApprovalConfiguration`] when the command is not allowed: its constructor says which of them.
    /// - [`Error::NotMeant`] when the actor's [mode](crate::ActorContext::mode) is another than `Commit`.
    /// - [`Error::Conflict`] when others kept changing the request.
    /// - [`Error::TooLarge`], [`Error::TooManyEntries`] and [`Error::Unwritable`] when the store cannot keep the result.
    /// - [`Error::Store`] when the store fails; its [outcome](Error::outcome) tells whether the command took effect.
    pub async fn apply(&self, id: &RequestId, command: &Command) -> Result<MutationRequest> {
        command.by.check_means_it()?;
        let request = self.load(id).await?;
        self.apply_to(request, command, None).await
    }

    /// Applies a command under a write id of the caller's, so that a repetition, even by another process, applies it once.
    ///
    /// A repetition returns the request as it is now. It is known for one as long as the store knows the ids of the
    /// request's last writes, in Redis six more at least; after that the command is checked like a new one.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub async fn apply_as(&self, id: &RequestId, command: &Command, write_id: WriteId) -> Result<MutationRequest> {
        command.by.check_means_it()?;
        let request = self.load(id).await?;
        if self.is_written(&request, command, write_id).await? {
            return Ok(request);
        }
        self.apply_to(request, command, Some(write_id)).await
    }

    async fn apply_to(
        &self,
        request: MutationRequest,
        command: &Command,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let change = |request, now| workflow::apply(request, command, now);
        match &command.action {
            Action::Complete { .. } | Action::Fail { .. } => {
                self.record_end(request, self.on_conflict, command, write_id).await
            }
            Action::Claim { .. } => {
                let id = request.id.clone();
                let claimed = self.claim(request, &change, write_id).await;
                claimed.map_err(|error| workflow::without_room_to_claim(error, &id))
            }
            Action::Supersede { superseding } if *superseding != request.id => {
                self.supersede_by(request, superseding, command, write_id).await
            }
            _ => self.change_as(request, self.on_conflict, &change, write_id).await,
        }
    }

    /// Applies a command that records how an execution ended; what the store has no room for is left out.
    pub(super) async fn record_end(
        &self,
        request: MutationRequest,
        policy: OnConflict,
        command: &Command,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let mut fitting = command.clone();
        loop {
            let change = |request, now| workflow::apply(request, &fitting, now);
            let error = match self.change_as(request.clone(), policy, &change, write_id).await {
                Ok(recorded) => return Ok(recorded),
                Err(error) => error,
            };
            fitting = match workflow::shortened(&fitting, &error) {
                Some(shorter) => shorter,
                None => return Err(error),
            };
        }
    }

    /// Whether the command has been stored under this id. It then left a decision by its actor, so that of most commands
    /// the request itself tells that it has not.
    async fn is_written(&self, request: &MutationRequest, command: &Command, write_id: WriteId) -> Result<bool> {
        let newest = request.revision();
        if newest.write_id == write_id {
            return Ok(true);
        }
        if !request.decisions.iter().any(|decision| decision.by == command.by) {
            return Ok(false);
        }
        for number in (0..newest.number.saturating_sub(1)).rev() {
            let base = Some(Revision { number, write_id });
            match self.store.settle(&UnsettledWrite { id: request.id.clone(), base, write_id }).await? {
                Settled::Applied => return Ok(true),
                Settled::Forgotten => return Ok(false),
                Settled::NotApplied | Settled::Open => {}
            }
        }
        Ok(false)
    }

    pub(super) async fn load(&self, id: &RequestId) -> Result<MutationRequest> {
        self.store.get(id).await?.ok_or_else(|| Error::NotFound { id: id.clone() })
    }

    /// Computes a change and stores it; on a conflict computes it anew on what is stored, as often as the policy allows.
    pub(super) async fn change(
        &self,
        request: MutationRequest,
        policy: OnConflict,
        change: Change<'_>,
    ) -> Result<MutationRequest> {
        self.change_as(request, policy, change, None).await
    }

    /// The same, where an id is given, with all attempts under that one: each but the last was refused by a conflict.
    pub(super) async fn change_as(
        &self,
        mut request: MutationRequest,
        policy: OnConflict,
        change: Change<'_>,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let began = Instant::now();
        let is_late =
            || policy != OnConflict::PERSISTENT && self.deadline.is_some_and(|deadline| began.elapsed() >= deadline);
        let mut rebases = 0;
        loop {
            let known = request.decisions.len();
            let changed = change(request, self.clock.now())?;
            // Whatever changes a request records a decision: without a new one, it is as it was to become.
            if changed.decisions.len() == known {
                return Ok(changed);
            }
            let mut conflict = match self.store.update(changed, write_id.unwrap_or_else(WriteId::generate)).await {
                Err(Error::Conflict(conflict)) => conflict,
                stored_or_failed => return stored_or_failed,
            };
            if rebases == policy.most_rebases() || is_late() {
                conflict.commutes = Some(change(conflict.stored.clone(), self.clock.now()).is_ok());
                return Err(Error::Conflict(conflict));
            }
            rebases += 1;
            request = conflict.stored;
        }
    }
}
