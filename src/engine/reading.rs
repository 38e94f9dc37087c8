//! The reads of the service: requests by id, lists, counts, and the change feed.

use std::time::Duration;

use super::super::rows::Rows;
use super::{Governance, RowQuery, StoreExtension as _, dual};
use crate::error::{Error, Result};
use crate::feed::{FeedPage, FeedPosition};
use crate::query::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow,
    ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
};
use crate::request::{ActorContext, IntoId, MutationRequest, RequestId, StateId, Timestamp, UniqueKey};
use crate::stored_format::StoredRequest;

/// Reads of single requests and of lists. [`Store`](super::Store) says what a page is, and how every read can fail.
#[dual]
impl Governance {
    /// The request with this id, if there is one.
    ///
    /// # Errors
    /// [`Error::Removed`] when there was one, with when and by whom it was removed and where it is archived, and
    /// [`Error::Unreadable`] when the stored request cannot be read.
    pub async fn get(&self, id: impl IntoId<RequestId>) -> Result<Option<MutationRequest>> {
        self.store.get(&id.into_id()?).await
    }

    /// The open request with this [unique key](crate::RequestDraft::with_unique_key), if there is one: whoever submits
    /// another with this key gets [`Error::AlreadyOpen`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] when the stored request cannot be read.
    pub async fn open_request(&self, key: impl IntoId<UniqueKey>) -> Result<Option<MutationRequest>> {
        self.store.open_request(&key.into_id()?).await
    }

    /// The requests with these ids, at most [`PageRequest::MAX_LIMIT`], in the order of the ids.
    ///
    /// The result holds all of them in memory, each up to the document limit, and has to arrive by one deadline. Ask
    /// for fewer at a time if they may be large. [`Lookup::removed`] has what is left of those that were removed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more ids than that.
    pub async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.store.get_many(ids).await
    }

    /// Pending requests, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`] when the page's cursor belongs to another query.
    pub async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.pending(page).await
    }

    /// Requests that would change this state, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn by_state(&self, state: impl IntoId<StateId>, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.by_state(&state.into_id()?, page).await
    }

    /// Pending requests that would change this state, by the time they were submitted, then by id.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn pending_by_state(
        &self,
        state: impl IntoId<StateId>,
        page: &PageRequest,
    ) -> Result<Page<MutationRequest>> {
        self.store.pending_by_state(&state.into_id()?, page).await
    }

    /// Requests, in created order.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.store.requests(query, page).await
    }

    /// The same page as [`requests`](Self::requests) returns, with documents that decode on access. Both accept each
    /// other's cursors.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        self.store.stored_requests(query, page).await
    }

    /// Approvals, one row each, by the time their requests were submitted, then by request id, step and approval id.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.store.pending_approvals(query, page).await
    }

    /// Approved and executed requests with approval activity, the latest activity first, then by id.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.store.recent_approvals(query, page).await
    }

    /// Decisions, one row each, the latest first, then by request id and place in the history.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.store.decisions(query, page).await
    }

    /// The approvals that this actor can decide now, by the service's clock, in the order of
    /// [`pending_approvals`](Self::pending_approvals).
    ///
    /// # Errors
    /// As [`pending`](Self::pending), and [`Error::Invalid`] for an actor who cannot have an
    /// [`InboxQuery`](InboxQuery::of): one without an id, or with too many roles or groups.
    pub async fn inbox(&self, actor: &ActorContext, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.inbox_of(&InboxQuery::of(actor)?, page).await
    }

    pub(super) async fn inbox_of(&self, query: &InboxQuery, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        let now = self.refreshed_now().await?;
        self.store.inbox(query, now, page).await
    }

    /// Requests that are due to expire by the service's clock, or have an open approval that is, by their [next
    /// deadline](crate::workflow::next_deadline), then by id.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn due(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        let now = self.refreshed_now().await?;
        self.store.due(now, page).await
    }

    /// Requests that are ready to be executed by the service's clock, in the order in which they became ready, then by
    /// id. Whoever executes them [claims](crate::workflow::Command::claim) each first, as [`execute`](Self::execute) and
    /// an [`Executor`](super::Executor) do.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn ready(&self, query: &ReadyQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        let now = self.refreshed_now().await?;
        self.store.ready(query, now, page).await
    }

    /// The number of requests that are [ready](Self::ready): exact, or a lower bound when some cannot be read or the
    /// call ran out of time.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn count_ready(&self, query: &ReadyQuery) -> Result<Count> {
        let now = self.refreshed_now().await?;
        self.store.count_ready(query, now).await
    }

    /// The number of requests: exact, or a lower bound when the call ran out of time.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn count(&self, query: &RequestQuery) -> Result<Count> {
        self.store.count(query).await
    }

    /// The number of requests in each status, what is ready, since when the oldest one waits, and how many requests fall due within
    /// each of the durations from now, by the service's clock.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn statistics(&self, due_within: &[Duration]) -> Result<Statistics> {
        let now = self.refreshed_now().await?;
        self.store.statistics(now, due_within).await
    }

    /// The same of the requests that a query finds, for example those [visible to](RequestQuery::visible_to) somebody. It
    /// reads them, in the time of one call; if that was not enough, the numbers are
    /// [lower bounds](Statistics::is_lower_bound).
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn statistics_of(&self, query: &RequestQuery, due_within: &[Duration]) -> Result<Statistics> {
        let now = self.refreshed_now().await?;
        self.store.statistics_of(query, now, due_within).await
    }

    /// The entries of the change feed after a position, at most `limit`, 1 to [`PageRequest::MAX_LIMIT`]. Redis takes
    /// one round trip for up to 16 partitions.
    ///
    /// Every write adds exactly one entry. A reader that saves [`FeedPage::next`] after handling a page gets every
    /// entry at least once, and the entries of one request in the order of its revisions; there is no order between
    /// partitions. [`FeedPage::gaps`] reports, once, entries that the reader missed, and entries that it read and that
    /// the store later lost. Follow one server only: a lagging replica looks as if writes were lost.
    ///
    /// # Errors
    /// [`Error::InvalidFeedPosition`] for a position of another store, [`Error::Invalid`] for a limit of 0 or above the
    /// maximum, and [`Error::Store`] when the store fails or its user may not read the feed.
    pub async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.store.read_feed(from, limit).await
    }

    /// The end of the change feed as it is now: whatever is written from now on comes after it.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails or its user may not read the feed.
    pub async fn end_of_feed(&self) -> Result<FeedPosition> {
        self.store.end_of_feed().await
    }

    pub(super) async fn load(&self, id: &RequestId) -> Result<MutationRequest> {
        self.store.get(id).await?.ok_or_else(|| Error::NotFound { id: id.clone() })
    }

    /// The time, for calls that have not reached the store yet.
    pub(super) async fn refreshed_now(&self) -> Result<Timestamp> {
        self.store.refresh_clock().await?;
        Ok(self.clock.now())
    }
}

impl Governance {
    /// All rows of a query, over all its pages: an `Iterator` in the blocking flavour, a `Stream` in the asynchronous
    /// one.
    pub fn rows<Asked: RowQuery>(&self, query: Asked) -> Rows<Asked> {
        Rows::new(self.clone(), query)
    }
}
