//! The store in this process's memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{ANY_TIME, Store, dual};
use crate::archive::{Imported, RequestRecord};
use crate::error::Result;
use crate::feed::{Consumer, ConsumerLease, FeedPage, FeedPosition};
use crate::query::{
    Count, DecisionQuery, DecisionRow, DueQuery, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery,
    PendingApprovalRow, ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics,
    check_import_count,
};
use crate::removal::Tombstone;
use crate::request::{ConsumerName, HolderId, IdComparison, MutationRequest, RequestId, Timestamp, UniqueKey, WriteId};
use crate::service::memory::RequestTable;
use crate::service::settle::WriteLookup;
use crate::stored_format::DocumentLimit;

/// Keeps requests in this process's memory, for development and tests: dropping the last clone deletes everything.
///
/// Cloning shares the requests and the change feed. A position in the feed is valid for this store only, not for
/// another memory store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    table: Arc<Mutex<RequestTable>>,
}

impl MemoryStore {
    /// An empty store with [`DocumentLimit::DEFAULT`], 1 MiB for each request, as in a Redis store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that compares ids of people by this rule.
    pub fn comparing_ids(rule: IdComparison) -> Self {
        Self { table: Arc::new(Mutex::new(RequestTable::comparing_ids(rule))) }
    }

    /// An empty store whose requests take at most this many bytes each, counted as in a Redis store. Defaults to
    /// [`DocumentLimit::DEFAULT`].
    pub fn with_document_limit(limit: DocumentLimit) -> Self {
        Self { table: Arc::new(Mutex::new(RequestTable::with_limit(limit))) }
    }

    /// An empty store whose change feed keeps this many entries. Defaults to 100,000.
    pub fn with_feed_length(entries: u32) -> Self {
        Self { table: Arc::new(Mutex::new(RequestTable::with_feed_length(entries))) }
    }

    /// A panic elsewhere cannot leave the table half-changed: nothing panics between the insertions of a write.
    /// Adds the requests of an archive.
    #[cfg(feature = "archive")]
    pub(super) fn load(&self, records: &[RequestRecord]) -> Result<()> {
        let mut table = self.table();
        records.iter().try_for_each(|record| table.load(record).map(drop))
    }

    fn table(&self) -> MutexGuard<'_, RequestTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[dual]
impl Store for MemoryStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.table().create(request)
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.table().update(request, write_id)
    }

    async fn open_request(&self, key: &UniqueKey) -> Result<Option<MutationRequest>> {
        Ok(self.table().open_request(key).cloned())
    }

    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        self.table().settle(id, write_id)
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.table().get_many(ids)
    }

    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(query, page, ANY_TIME)
    }

    async fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        self.table().records(query, page)
    }

    async fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        check_import_count(records.len())?;
        let mut table = self.table();
        Ok(records.iter().map(|record| table.import(record)).collect())
    }

    async fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        self.table().remove(request, tombstone)
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

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&DueQuery::by(by), page, by)
    }

    async fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.table().read(&query.at(now), page, now)
    }

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        Ok(self.table().count(query))
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(self.table().statistics(now, due_within))
    }

    async fn statistics_of(&self, query: &RequestQuery, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(self.table().statistics_of(query, now, due_within))
    }

    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.table().read_feed(from, limit)
    }

    async fn end_of_feed(&self) -> Result<FeedPosition> {
        Ok(self.table().end_of_feed())
    }

    async fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        self.table().lease_consumer(name, holder, lease)
    }

    async fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        self.table().save_consumer(name, holder, position, lease)
    }

    async fn consumers(&self) -> Result<Vec<Consumer>> {
        Ok(self.table().consumers())
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        self.table().remove_consumer(name)
    }

    fn id_comparison(&self) -> IdComparison {
        self.table().id_comparison()
    }

    fn check_create(&self, request: &MutationRequest) -> Result<()> {
        self.table().check_create(request)
    }

    fn check_update(&self, request: &MutationRequest) -> Result<()> {
        self.table().check_update(request)
    }
}
