//! Expires what is due, page by page.

use std::sync::Arc;

use super::{Governance, dual};
use crate::error::{Error, Result};
use crate::query::{Cursor, Page, PageRequest};
use crate::request::{ActorContext, MutationRequest, RequestId};
use crate::service::sweep::Swept;
use crate::workflow;

#[dual]
impl Governance {
    /// Expires due requests and approvals, and records due escalations, for at most `limit` requests, 1 to [`PageRequest::MAX_LIMIT`], the longest
    /// overdue first.
    ///
    /// Any number of processes may sweep at once: each expiry is recorded once. A request that cannot be expired does
    /// not block the others: the next ones take its place, until [`PageRequest::MAX_LIMIT`] have failed, or until the
    /// store fails for several in a row. Continue after them with [`expire_due_after`](Self::expire_due_after), as a
    /// [`Sweeper`](super::Sweeper) does, so that the same ones do not come first every time.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other limit, [`Error::NotCommitMode`] when the actor's mode is not `Commit`, and
    /// [`Error::Store`] when the due requests cannot be read.
    pub async fn expire_due(&self, by: impl Into<Arc<ActorContext>> + Send, limit: usize) -> Result<Swept> {
        self.sweep(&by.into(), &PageRequest::of(limit)?).await
    }

    /// As [`expire_due`](Self::expire_due), continuing where another sweep [ended](Swept::next).
    ///
    /// # Errors
    /// As [`expire_due`](Self::expire_due), and [`Error::InvalidCursor`] for a cursor that does not come from a sweep.
    pub async fn expire_due_after(
        &self,
        by: impl Into<Arc<ActorContext>> + Send,
        limit: usize,
        cursor: Cursor,
    ) -> Result<Swept> {
        self.sweep(&by.into(), &PageRequest::of(limit)?.after(cursor)).await
    }

    async fn sweep(&self, by: &Arc<ActorContext>, first: &PageRequest) -> Result<Swept> {
        by.ensure_commit_mode()?;
        let now = self.refreshed_now().await?;
        let limit = first.limit();
        let mut swept = Swept::default();
        let mut asked = first.clone();
        let mut page = self.store.due(now, first).await?;
        loop {
            // If a store returns the same cursor again, report what was done and stop.
            let next = page.next.take().filter(|next| asked.cursor() != Some(next));
            swept.more = next.is_some();
            self.expire_page(page, by, &mut swept).await;
            let left = swept.left_of(limit);
            let Some(cursor) = next.filter(|_| !swept.is_store_down()) else {
                return Ok(swept);
            };
            if left == 0 {
                swept.next = Some(cursor);
                return Ok(swept);
            }
            asked = PageRequest::of(left)?.after(cursor);
            page = match self.store.due(now, &asked).await {
                Ok(page) => page,
                // Report what was done; the next sweep meets this failure itself.
                Err(_) => return Ok(swept),
            };
        }
    }

    async fn expire_page(&self, page: Page<MutationRequest>, by: &Arc<ActorContext>, swept: &mut Swept) {
        for unreadable in page.unreadable {
            swept.failed.push((unreadable.id.clone(), Error::from(unreadable)));
        }
        for request in page.items {
            if swept.is_store_down() {
                swept.more = true;
                return;
            }
            let id = request.id.clone();
            let result = self.expire_if_due(request, by).await;
            swept.record(id, result);
        }
    }

    /// Expires the due approvals of one request, and records its due escalations.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such request, and [`Error::NothingDue`] when no approval is due.
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
        self.change(request, self.rebases(), &expire).await
    }
}
