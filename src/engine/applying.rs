//! Applies a command: reads the request, changes and stores it, and after a conflict computes the change again.

use super::super::timer::pause;
use super::{Governance, StoreExtension as _, dual};
use crate::error::{Conflict, Error, Result};
use crate::request::{IntoId, MutationRequest, RequestId, Timestamp, UnsettledWrite, WriteId};
use crate::service::on_conflict::{Rebase, Rebases};
use crate::service::settle::Settled;
use crate::workflow::lease::check_lease_of;
use crate::workflow::{self, Action, Command};

/// What a command turns a request into at a given time.
pub(super) type Change<'a> = &'a (dyn Fn(MutationRequest, Timestamp) -> Result<MutationRequest> + Send + Sync);

/// The result of a change.
pub(super) enum Changed {
    /// The store confirmed the write id.
    Stored(MutationRequest),
    /// The change had no effect, and no write was sent.
    Unsent(MutationRequest),
}

impl Changed {
    pub(super) fn into_request(self) -> MutationRequest {
        match self {
            Self::Stored(request) | Self::Unsent(request) => request,
        }
    }
}

#[dual]
impl Governance {
    /// Applies a command to the request with this id and stores the result.
    ///
    /// # Errors
    /// - [`Error::NotFound`] when there is no such request; [`Error::Unreadable`] when the stored request cannot be
    ///   read.
    /// - [`Error::DeadlinePassed`] when the request is pending and its own deadline has come, for all commands but
    ///   reject, cancel, expire and supersede.
    /// - [`Error::InvalidTransition`], [`Error::Approval`], [`Error::Execution`], [`Error::NothingDue`],
    ///   [`Error::Invalid`] and [`Error::InvalidApprovalConfiguration`] when the command is not allowed: its
    ///   constructor says which of them.
    /// - [`Error::NotCommitMode`] when the actor's [mode](crate::ActorContext::mode) is not `Commit`.
    /// - [`Error::Conflict`] when others kept changing the request until the
    ///   [deadline](super::GovernanceBuilder::deadline), or as often as the [policy](crate::OnConflict) allows.
    /// - [`Error::TooLarge`], [`Error::TooManyEntries`] and [`Error::Unwritable`] when the store cannot keep the
    ///   result.
    /// - [`Error::Store`] when the store fails; its [outcome](Error::outcome) says whether the command took effect.
    pub async fn apply(&self, id: impl IntoId<RequestId>, command: &Command) -> Result<MutationRequest> {
        let id = &id.into_id()?;
        command.by.ensure_commit_mode()?;
        check_lease_of(id, command, self.store.call_timeout())?;
        let request = self.load(id).await?;
        Ok(self.apply_to(request, command, None).await?.into_request())
    }

    /// Applies a command under the caller's write id, so that a repetition, even by another process, applies it once.
    ///
    /// A repetition has the same id and the same [intent](Command::write_intent): the same action with the same
    /// arguments, by the same actor, for the same reason. Session, address, roles and the like may differ. It returns
    /// the request as it is stored now. The store recognises a repetition as long as it remembers the id among the
    /// request's last writes: in Redis for at least six more writes. After that the command is checked like a new one.
    /// A write id belongs to one request only.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`Error::WriteIdReused`] when the id was used on this request for another intent.
    pub async fn apply_as(
        &self,
        id: impl IntoId<RequestId>,
        command: &Command,
        write_id: WriteId,
    ) -> Result<MutationRequest> {
        let id = &id.into_id()?;
        command.by.ensure_commit_mode()?;
        check_lease_of(id, command, self.store.call_timeout())?;
        let request = self.load(id).await?;
        let base = Some(request.revision());
        let applied = self.apply_to(request, command, Some(write_id)).await;
        let write = UnsettledWrite { id: id.clone(), base, write_id, intent: Some(command.write_intent()) };
        self.unless_repeated(applied, &write).await
    }

    async fn apply_to(
        &self,
        request: MutationRequest,
        command: &Command,
        write_id: Option<WriteId>,
    ) -> Result<Changed> {
        let change = |request, now| workflow::apply(request, command, now);
        let stored = match &command.action {
            Action::Complete { .. } | Action::Fail { .. } => {
                self.record_end(&request, &self.rebases(), command, write_id).await
            }
            Action::Claim { .. } => {
                let id = request.id.clone();
                let claimed = self.claim(request, &change, write_id).await;
                claimed.map_err(|error| workflow::without_room_to_claim(error, &id))
            }
            Action::Supersede { superseding } if *superseding != request.id => {
                self.supersede_by(request, superseding, command, write_id).await
            }
            _ => return self.change_as(request, self.rebases(), &change, write_id).await,
        };
        stored.map(Changed::Stored)
    }

    /// Applies a command that records how an execution ended; leaves out what does not fit into the store.
    pub(super) async fn record_end(
        &self,
        request: &MutationRequest,
        rebases: &Rebases,
        command: &Command,
        write_id: Option<WriteId>,
    ) -> Result<MutationRequest> {
        let mut fitting = command.clone();
        loop {
            // The intent is that of the full command, whatever is left out.
            let change =
                |request, now| Ok(workflow::apply(request, &fitting, now)?.meant_only_to(command.write_intent()));
            let error = match self.change_as(request.clone(), rebases.clone(), &change, write_id).await {
                Ok(recorded) => return Ok(recorded.into_request()),
                Err(error) => error,
            };
            fitting = match workflow::shortened(&fitting, &error) {
                Some(shorter) => shorter,
                None => return Err(error),
            };
        }
    }

    /// The result of a call under the caller's write id. A call that stored nothing may repeat a stored write: the
    /// second time the command is often not allowed, and a caller who lost the first result needs that result, not the
    /// error.
    pub(super) async fn unless_repeated(
        &self,
        done: Result<Changed>,
        write: &UnsettledWrite,
    ) -> Result<MutationRequest> {
        match done {
            Ok(Changed::Stored(stored)) => return Ok(stored),
            Err(
                answer @ (Error::Store(_)
                | Error::WriteIdReused { .. }
                | Error::AlreadyExists { .. }
                | Error::IdOfRemoved(_)
                | Error::Conflict(_)),
            ) => return Err(answer),
            Ok(Changed::Unsent(_)) | Err(_) => {}
        }
        match self.store.settle_write(write).await {
            Ok(Settled::Applied) => self.load(&write.id).await,
            Ok(Settled::NotApplied | Settled::Open | Settled::Forgotten) | Err(Error::NotFound { .. }) => {
                done.map(Changed::into_request)
            }
            Err(error) => Err(error),
        }
    }

    /// Computes a change and stores it; after a conflict computes it again on what is stored, as often as the policy
    /// allows.
    pub(super) async fn change(
        &self,
        request: MutationRequest,
        rebases: Rebases,
        change: Change<'_>,
    ) -> Result<MutationRequest> {
        Ok(self.change_as(request, rebases, change, None).await?.into_request())
    }

    /// As `change`, with all attempts under the given id, if any: each but the last ended in a conflict.
    pub(super) async fn change_as(
        &self,
        mut request: MutationRequest,
        mut rebases: Rebases,
        change: Change<'_>,
        write_id: Option<WriteId>,
    ) -> Result<Changed> {
        loop {
            let before = recorded(&request);
            let changed = change(request, self.clock.now())?;
            if recorded(&changed) == before {
                return Ok(Changed::Unsent(changed));
            }
            let conflict =
                match self.store.update(self.sealed(changed), write_id.unwrap_or_else(WriteId::generate)).await {
                    Err(Error::Conflict(conflict)) => conflict,
                    stored_or_failed => return stored_or_failed.map(Changed::Stored),
                };
            request = self.rebased(*conflict, &mut rebases, change).await?;
        }
    }

    /// The request to compute the change on after a conflict. Returns the conflict when the policy allows no rebase,
    /// and the change's own error when it does not commute.
    pub(super) async fn rebased(
        &self,
        conflict: Conflict,
        rebases: &mut Rebases,
        change: Change<'_>,
    ) -> Result<MutationRequest> {
        let commutes = change(conflict.stored.clone(), self.clock.now());
        match rebases.after_conflict(fastrand::f64()) {
            Rebase::Stop if rebases.is_rebasing() => {
                commutes?;
                Err(Conflict { commutes: Some(true), ..conflict }.into())
            }
            Rebase::Stop => Err(Conflict { commutes: Some(commutes.is_ok()), ..conflict }.into()),
            Rebase::AtOnce => Ok(conflict.stored),
            Rebase::After(duration) => {
                commutes?;
                pause(duration).await;
                self.load(&conflict.id).await
            }
        }
    }
}

/// What every change that has an effect changes: it adds a decision, or renews a lease.
fn recorded(request: &MutationRequest) -> (usize, Option<Timestamp>) {
    (request.decisions.len(), request.execution.claim.as_ref().map(|claim| claim.lease_ends_at))
}
