//! Submits a request again after it ended; [`resubmitting`] explains in which order its two documents change.

use std::sync::Arc;

use super::{Governance, StoreExtension as _, dual};
use crate::error::{Error, Result};
use crate::request::{ActorContext, IntoId, MutationRequest, RequestDraft, RequestId, Timestamp, WriteId};
use crate::service::rounds::Rounds;
use crate::workflow::{self, Amendment, resubmitting};

#[dual]
impl Governance {
    /// Submits a request again that was rejected, canceled or expired, with these changes: a new request, linked with
    /// the one that ended, which stays as it is. For its requester, and once: what follows it can be resubmitted in
    /// turn.
    ///
    /// The new request has all approvals of the old one, open, the deadlines that policies demanded, from now on, and a new
    /// id; submit a [`resubmission_draft`](workflow::resubmission_draft) to change more, to name the id, or to give it
    /// another deadline. A call that was interrupted is completed by the next one.
    ///
    /// # Errors
    /// [`Error::Correction`] when the request did not end in one of these ways, when somebody else submitted it, or
    /// when another request follows it already; [`Error::NotFound`] when there is none. Else as
    /// [`submit`](Self::submit).
    pub async fn resubmit(
        &self,
        id: impl IntoId<RequestId>,
        by: impl Into<Arc<ActorContext>> + Send,
        amendment: Amendment,
    ) -> Result<MutationRequest> {
        let by = by.into();
        by.ensure_commit_mode()?;
        let ended = self.load(&id.into_id()?).await?;
        let draft = workflow::resubmission_draft(&ended, amendment, by, self.clock.now())?;
        self.submit(draft).await
    }

    /// Submits a draft that resubmits this request.
    pub(super) async fn store_resubmission(
        &self,
        draft: &RequestDraft,
        ended: &RequestId,
        write_id: WriteId,
        now: Timestamp,
    ) -> Result<MutationRequest> {
        let mut rounds = Rounds::new(self.rebases());
        let mut ended = self.load(ended).await?;
        let new_id = self.new_id();
        loop {
            let (request, is_reserved) = self.resubmission(draft, &ended, &new_id, write_id, now).await?;
            if is_reserved {
                match self.store.create(self.sealed_new(request)).await {
                    // Somebody has taken the id since: the next round finds out who.
                    Err(Error::AlreadyExists { .. }) => {}
                    created_or_failed => return created_or_failed,
                }
            } else {
                self.write_once(resubmitting::reserve(ended.clone(), &request.id, now)).await?;
            }
            let latest = self.load(&ended.id).await?;
            ended = rounds.next(&ended, latest)?;
        }
    }

    /// The request that this draft becomes, and whether the ended one names it already.
    pub(super) async fn resubmission(
        &self,
        draft: &RequestDraft,
        ended: &MutationRequest,
        new_id: &RequestId,
        write_id: WriteId,
        now: Timestamp,
    ) -> Result<(MutationRequest, bool)> {
        resubmitting::check(ended, &draft.requested_by)?;
        let reserved = self.reserved_for(ended).await?;
        let id = match (&draft.id, reserved) {
            (Some(own), Some(reserved)) if *own != reserved => {
                return Err(resubmitting::resubmitted_already(ended, &reserved));
            }
            (_, Some(reserved)) => {
                return Ok((
                    self.demands.submit(draft.clone().with_id(reserved), new_id.clone(), write_id, now)?,
                    true,
                ));
            }
            (Some(own), None) => own.clone(),
            (None, None) => new_id.clone(),
        };
        let request = self.demands.submit(draft.clone().with_id(id), new_id.clone(), write_id, now)?;
        match self.get(&request.id).await.map_err(Error::about_new_id)? {
            Some(_) => Err(Error::AlreadyExists { id: request.id.clone() }),
            None => Ok((request, false)),
        }
    }

    /// The id under which the ended request is to be submitted again, if it names one that is not taken by a request
    /// that has nothing to do with it.
    async fn reserved_for(&self, ended: &MutationRequest) -> Result<Option<RequestId>> {
        let Some(follower) = resubmitting::follower(ended) else { return Ok(None) };
        let found = match self.store.get(follower).await {
            // What it was nobody knows; it may have followed.
            Err(Error::Removed(_)) => return Err(resubmitting::resubmitted_already(ended, follower)),
            found => found?,
        };
        match found {
            Some(found) if resubmitting::follows(&found, &ended.id) => {
                Err(resubmitting::resubmitted_already(ended, follower))
            }
            Some(_) => Ok(None),
            None => Ok(Some(follower.clone())),
        }
    }
}
