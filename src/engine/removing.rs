//! Removes requests.

use super::{Governance, StoreExtension as _, dual};
use crate::error::{Conflict, Error, Result};
use crate::removal::{Removal, Tombstone};
use crate::request::{IntoId, MutationRequest, RequestId, Status};
use crate::workflow;

/// Removing what has ended.
#[dual]
impl Governance {
    /// Removes a request that has ended, for ever, and returns what stays of it: its tombstone. The id is never used again;
    /// [`get`](Self::get) returns [`Error::Removed`] from then on.
    ///
    /// The request with all its index entries is gone at once, or it stays. A request that was removed before is removed no
    /// second time: the call returns the tombstone that is there. Requests that name the removed one keep its id; commands
    /// that need it return [`Error::Removed`]. A compensation that was submitted and not begun holds its original no longer
    /// than that: cancel or execute it first.
    ///
    /// # Errors
    /// - [`Error::Removal`] when it has not ended, is on [legal hold](Removal::LEGAL_HOLD), or is
    ///   [linked](workflow::linked_requests) to a request that has not ended, and when nobody is named as the actor;
    ///   [`Error::NotCommitMode`] when the actor's mode is not `Commit`.
    /// - [`Error::Conflict`] when it is at another revision than the removal [is for](Removal::at), or somebody changes it
    ///   meanwhile; [`Error::NotFound`] when there is and was none.
    /// - [`Error::Store`] when the store fails. When its [outcome](Error::outcome) is unknown, repeat the call.
    pub async fn remove(&self, id: impl IntoId<RequestId>, removal: &Removal) -> Result<Tombstone> {
        removal.by().ensure_commit_mode()?;
        let id = id.into_id()?;
        let request = match self.load(&id).await {
            Err(Error::Removed(tombstone)) => return Ok(*tombstone),
            loaded => loaded?,
        };
        if let Some(expected) = removal.revision().filter(|expected| *expected != request.revision()) {
            return Err(Conflict { expected, ..Conflict::between(&request, &request) }.into());
        }
        let (stored, _) = self.remove_read(&request, removal).await?;
        Ok(stored)
    }

    /// Removes a request at the revision at which it was read, here or from an archive. The tombstone that is stored then, and
    /// whether it is that of this removal and not of another: one by the same actor at the same microsecond looks like it.
    pub(super) async fn remove_read(&self, request: &MutationRequest, removal: &Removal) -> Result<(Tombstone, bool)> {
        let linked = self.linked_to(request).await?;
        let now = self.refreshed_now().await?;
        let tombstone = workflow::remove(request, removal, &linked, now)?;
        let stored = self.store.remove(request, &tombstone).await?;
        let is_own = stored == tombstone;
        Ok((stored, is_own))
    }

    /// The request, if it may have been executed: one that was removed without that has given up whatever it had begun.
    pub(super) async fn unless_given_up(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        match self.store.get(id).await {
            Err(Error::Removed(tombstone)) if tombstone.status != Status::Executed => Ok(None),
            found => found,
        }
    }

    /// Those of the linked requests that exist and can be read.
    async fn linked_to(&self, request: &MutationRequest) -> Result<Vec<MutationRequest>> {
        let ids: Vec<RequestId> = workflow::linked_requests(request).into_iter().cloned().collect();
        let mut linked = Vec::new();
        for ids in ids.chunks(crate::query::PageRequest::MAX_LIMIT) {
            let found = self.store.get_many(ids).await?;
            match found.unreadable.into_iter().next() {
                // Nobody knows whether it has ended.
                Some(unreadable) => return Err(unreadable.into()),
                None => linked.extend(found.requests.into_iter().flatten()),
            }
        }
        Ok(linked)
    }
}
