use std::sync::Arc;

use super::{Governance, dual};
use crate::error::{Error, Result};
use crate::query::PageRequest;
use crate::request::{ActorContext, MutationRequest, RequestId};
use crate::sweep::Swept;
use crate::workflow;

#[dual]
impl Governance {
    /// Lets expire what is due among requests and approvals, looking at no more than `limit` requests, 1 to
    /// [`PageRequest::MAX_LIMIT`], the longest overdue first.
    ///
    /// Any number of processes may sweep at once: each expiry is recorded once. A request that cannot be expired does
    /// not keep the others from it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for such a limit, and [`Error::Store`] when the due requests cannot be read.
    pub async fn expire_due(&self, by: impl Into<Arc<ActorContext>> + Send, limit: usize) -> Result<Swept> {
        let by = by.into();
        let page = self.store.due(self.clock.now(), &PageRequest::of(limit)?).await?;
        let mut swept = Swept { more: page.next.is_some(), ..Swept::default() };
        for unreadable in page.unreadable {
            let error = Error::Unreadable { key: unreadable.id.to_string(), source: unreadable.error };
            swept.failed.push((unreadable.id, error));
        }
        for request in page.items {
            let id = request.id.clone();
            match self.expire_if_due(request, &by).await {
                Ok(_) => swept.expired.push(id),
                Err(error) if Swept::is_overtaken(&error) => swept.overtaken += 1,
                Err(error) => swept.failed.push((id, error)),
            }
        }
        Ok(swept)
    }

    /// Lets expire the open approvals of one request that are due.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::NothingDue`] when none is.
    pub async fn expire_due_approvals(
        &self,
        id: &RequestId,
        by: impl Into<Arc<ActorContext>> + Send,
    ) -> Result<MutationRequest> {
        self.apply(id, &workflow::Command::expire_approvals(by)).await
    }

    async fn expire_if_due(&self, request: MutationRequest, by: &Arc<ActorContext>) -> Result<MutationRequest> {
        let expire = |request: MutationRequest, now| match workflow::due_command(&request, Arc::clone(by), now) {
            Some(command) => workflow::apply(request, &command, now),
            None => Err(Error::NothingDue { id: request.id.clone() }),
        };
        self.change(request, self.on_conflict, &expire).await
    }
}
