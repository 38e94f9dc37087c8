//! What one viewer sees: the reads of the service, narrowed to the requests that concern them.

use std::time::Duration;

use super::super::rows::Rows;
use super::{Governance, RowQuery, dual};
use crate::error::{Error, Result};
use crate::query::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics, Viewer, VisibleTo,
};
use crate::request::{ActorContext, IntoId, MutationRequest, RequestId, StateId};
use crate::service::waiting::{WaitUntil, Waited};
use crate::stored_format::StoredRequest;

/// The reads of a [`Governance`] for one [`Viewer`]: all of them find only requests that
/// [concern](crate::workflow::participants) the viewer, and every other request is as if it did not exist.
///
/// That holds for errors too: an id of somebody else's request is not found, and no page names a request that cannot be
/// read, since only its document says whom it concerns. A query that is already for a viewer is read for this one instead.
/// A cursor belongs to its viewer. Commands and the change feed have no viewer: [`get`](Self::get) a request here before
/// giving a command for it, because the errors of commands say what the request waits for and whom.
#[derive(Clone)]
pub struct View {
    governance: Governance,
    viewer: Viewer,
}

impl Governance {
    /// What this viewer may read, and nothing else. Cheap: it shares the service.
    pub fn visible_to(&self, viewer: Viewer) -> View {
        View { governance: self.clone(), viewer }
    }
}

#[dual]
impl View {
    /// The request with this id, if there is one that the viewer may read.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails. A request that cannot be read is `None`.
    pub async fn get(&self, id: impl IntoId<RequestId>) -> Result<Option<MutationRequest>> {
        let id = id.into_id()?;
        let found = self.get_many(std::slice::from_ref(&id)).await?;
        Ok(found.requests.into_iter().next().flatten())
    }

    /// The requests with these ids that the viewer may read, at most [`PageRequest::MAX_LIMIT`] ids, in their order.
    ///
    /// # Errors
    /// As [`Governance::get_many`].
    pub async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        let mut found = self.governance.get_many(ids).await?;
        for request in &mut found.requests {
            *request = request.take().filter(|request| self.viewer.may_read(request));
        }
        found.unreadable.clear();
        // A tombstone does not say whom its request concerned.
        found.removed.clear();
        Ok(found)
    }

    /// As [`Governance::pending`].
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] when the page's cursor belongs to another query or viewer.
    pub async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::pending(), page).await
    }

    /// As [`Governance::by_state`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn by_state(&self, state: impl IntoId<StateId>, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::of_state(state.into_id()?), page).await
    }

    /// As [`Governance::pending_by_state`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn pending_by_state(
        &self,
        state: impl IntoId<StateId>,
        page: &PageRequest,
    ) -> Result<Page<MutationRequest>> {
        self.requests(&RequestQuery::pending_of_state(state.into_id()?), page).await
    }

    /// As [`Governance::requests`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.governance.requests(&self.narrowed(query), page).await
    }

    /// As [`Governance::stored_requests`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        self.governance.stored_requests(&self.narrowed(query), page).await
    }

    /// As [`Governance::pending_approvals`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.governance.pending_approvals(&self.narrowed(query), page).await
    }

    /// As [`Governance::recent_approvals`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.governance.recent_approvals(&self.narrowed(query), page).await
    }

    /// As [`Governance::decisions`]: also the comments on requests that the viewer may read.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.governance.decisions(&self.narrowed(query), page).await
    }

    /// The part of an actor's inbox that the viewer may read. The viewer's own inbox is all of it.
    ///
    /// # Errors
    /// As [`Governance::inbox`].
    pub async fn inbox(&self, actor: &ActorContext, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.governance.inbox_of(&self.narrowed(&InboxQuery::of(actor)?), page).await
    }

    /// As [`Governance::ready`].
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn ready(&self, query: &ReadyQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.governance.ready(&self.narrowed(query), page).await
    }

    /// As [`Governance::count`].
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn count(&self, query: &RequestQuery) -> Result<Count> {
        self.governance.count(&self.narrowed(query)).await
    }

    /// As [`Governance::statistics_of`], of all requests that the viewer may read.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn statistics(&self, due_within: &[Duration]) -> Result<Statistics> {
        self.governance.statistics_of(&self.narrowed(&RequestQuery::new()), due_within).await
    }

    /// As [`Governance::wait`].
    ///
    /// # Errors
    /// As [`Governance::wait`], with [`Error::NotFound`] also when the viewer may not read the request, or may not read it
    /// any more when the answer comes.
    pub async fn wait(&self, id: impl IntoId<RequestId>, until: WaitUntil, timeout: Duration) -> Result<Waited> {
        let id = id.into_id()?;
        if self.get(&id).await?.is_none() {
            return Err(Error::NotFound { id });
        }
        let waited = self.governance.wait(&id, until, timeout).await?;
        if self.viewer.may_read(waited.request()) { Ok(waited) } else { Err(Error::NotFound { id }) }
    }
}

impl View {
    /// The viewer.
    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// As [`Governance::rows`].
    pub fn rows<Asked: RowQuery + VisibleTo>(&self, query: Asked) -> Rows<Asked> {
        self.governance.rows(query.visible_to(self.viewer.clone()))
    }

    fn narrowed<Asked: VisibleTo>(&self, query: &Asked) -> Asked {
        query.clone().visible_to(self.viewer.clone())
    }
}
