//! What would become of a request, or the error: nothing is written.

use super::{Governance, StoreExtension as _, dual};
use crate::error::{Error, Result};
use crate::request::{
    CompensationPlan, ExecutionKind, IntoId, MutationRequest, RequestDraft, RequestId, Salt, Timestamp, WriteId,
};
use crate::workflow::lease::check_lease_of;
use crate::workflow::{self, Action, Command, reservation, superseding};

/// Previews. They read and compute what the call itself would, and write nothing: no request, no feed entry, no
/// reservation. The actor's [mode](crate::ActorContext::mode) may be any.
#[dual]
impl Governance {
    /// The request as [`apply`](Self::apply) would store it now, at the revision it was read at; or the very error.
    ///
    /// What others write between the preview and the call can change the result. A conflict cannot be foreseen.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), without [`Error::NotCommitMode`] and [`Error::Conflict`].
    pub async fn preview(&self, id: impl IntoId<RequestId>, command: &Command) -> Result<MutationRequest> {
        let id = &id.into_id()?;
        check_lease_of(id, command, self.store.call_timeout())?;
        let request = self.load(id).await?;
        let changed = self.changed(&request, command, self.clock.now());
        match &command.action {
            Action::Claim { .. } => {
                let claimed = changed.map_err(|error| workflow::without_room_to_claim(error, id))?;
                if let (ExecutionKind::Compensation(plan), true) =
                    (&request.execution.kind, claimed.execution.claim.is_some())
                {
                    self.check_reservable(id, plan).await?;
                }
                Ok(claimed)
            }
            Action::Supersede { superseding } => {
                let superseded = changed?;
                superseding::check_superseding(id, superseding, self.get(superseding).await?)?;
                Ok(superseded)
            }
            _ => changed,
        }
    }

    /// The request that [`submit`](Self::submit) would store now, or the very error. A draft without an id gets one
    /// that a later call does not repeat, and its history another salt.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), without [`Error::NotCommitMode`].
    pub async fn preview_submit(&self, draft: RequestDraft) -> Result<MutationRequest> {
        let now = self.refreshed_now().await?;
        let draft = draft.comparing_ids(self.store.id_comparison()).salted(Salt::generate());
        let (new_id, write_id) = (self.new_id(), WriteId::generate());
        let request = match draft.resubmits.clone() {
            Some(ended) => {
                let ended = self.load(&ended).await?;
                self.resubmission(&draft, &ended, &new_id, write_id, now).await?.0
            }
            None => self.demands.submit(draft, new_id, write_id, now)?,
        };
        let request = self.sealed_new(request);
        self.store.check_create(&request)?;
        if self.store.get(&request.id).await.map_err(Error::about_new_id)?.is_some() {
            return Err(Error::already_exists(request.id.clone()));
        }
        if let Some(key) = &request.unique_key
            && let Some(open) = self.store.open_request(key).await?
        {
            return Err(Error::already_open(open.id.clone(), key.clone()));
        }
        Ok(request)
    }

    /// Whether the original could be reserved for this compensation.
    async fn check_reservable(&self, compensating: &RequestId, plan: &CompensationPlan) -> Result<()> {
        let original = self.load(&plan.compensates).await?;
        reservation::check(&original, compensating, plan)?;
        let holder = reservation::holder(&original).cloned();
        for other in holder.into_iter().chain(reservation::earlier_holders(&original)) {
            if other != *compensating {
                let found = self.unless_given_up(&other).await?;
                reservation::check_given_up(&original, &other, found.as_ref())?;
            }
        }
        Ok(())
    }
}

impl Governance {
    /// What the command makes of the request, shortened like a result that does not fit into the store.
    fn changed(&self, request: &MutationRequest, command: &Command, now: Timestamp) -> Result<MutationRequest> {
        let mut fitting = command.clone();
        loop {
            let changed = workflow::apply(request.clone(), &fitting, now)?;
            // No new decision means that nothing would be written.
            if changed.decisions.len() == request.decisions.len() {
                return Ok(changed);
            }
            let Err(error) = self.store.check_update(&changed) else { return Ok(changed) };
            match workflow::shortened(&fitting, &error) {
                Some(shorter) => fitting = shorter,
                None => return Err(error),
            }
        }
    }
}
