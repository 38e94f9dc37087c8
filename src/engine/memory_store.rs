use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{RequestQueries, RequestStore, dual};
use crate::error::Result;
use crate::memory::RequestTable;
use crate::query::{
    Count, DecisionQuery, DecisionRow, DueQuery, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery,
    PendingApprovalRow, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
};
use crate::request::{IdComparison, MutationRequest, RequestId, StateId, Timestamp, WriteId};
use crate::settle::{Settled, UnsettledWrite};
use crate::stored_format::DocumentLimit;

/// Keeps requests in this process's memory, for development and tests: all is gone when the last clone is dropped.
///
/// Cloning shares the requests.
#[derive(Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<RequestTable>>,
}

impl MemoryStore {
    /// An empty store, of requests that take no more than 1 MiB each, as those of a Redis store do unless it is said otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store, in whose requests ids of people are compared so.
    pub fn comparing_ids(rule: IdComparison) -> Self {
        Self { table: Arc::new(Mutex::new(RequestTable::comparing_ids(rule))) }
    }

    /// An empty store of requests that take no more than this each, counted as a Redis store counts it. Defaults to
    /// [`DocumentLimit::DEFAULT`].
    pub fn with_document_limit(limit: DocumentLimit) -> Self {
        Self { table: Arc::new(Mutex::new(RequestTable::with_limit(limit))) }
    }

    /// A panic elsewhere cannot leave the table half-changed: each of its writes is one insertion.
    fn table(&self) -> MutexGuard<'_, RequestTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dual]
impl RequestStore for MemoryStore {
    fn id_comparison(&self) -> IdComparison {
        self.table().id_comparison()
    }

    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.table().create(request)
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.table().update(request, write_id)
    }

    async fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        self.table().settle(write)
    }

    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        Ok(self.table().get(id))
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.table().get_many(ids)
    }

    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&RequestQuery::pending(), page, ANY_TIME)
    }

    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&RequestQuery::of_state(state.clone()), page, ANY_TIME)
    }

    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&RequestQuery::pending_of_state(state.clone()), page, ANY_TIME)
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&DueQuery::by(by), page, by)
    }
}

/// No question here depends on the time but those that are given one.
const ANY_TIME: Timestamp = Timestamp::MIN;

#[dual]
impl RequestQueries for MemoryStore {
    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(query, page, ANY_TIME)
    }

    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.table().read(query, page, ANY_TIME)
    }

    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.table().read(query, page, ANY_TIME)
    }

    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.table().read(query, page, ANY_TIME)
    }

    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.table().read(query, page, now)
    }

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        Ok(self.table().count(query))
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(self.table().statistics(now, due_within))
    }
}
