//! The store in the asynchronous flavour, whose contract is written with `async_trait`.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::for_stores::{DueQuery, Imported, RequestRecord};
use mutator_governance::nonblocking::{Store, async_trait, conformance};
use mutator_governance::{
    Consumer, ConsumerLease, ConsumerName, Count, DecisionQuery, DecisionRow, FeedPage, FeedPosition, HolderId,
    InboxQuery, Lookup, MutationRequest, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow, ReadyQuery,
    RecentApprovalQuery, RecentApprovalRow, RequestId, RequestQuery, Result, Statistics, Timestamp, Tombstone, WriteId,
    WriteLookup,
};

use crate::foreign_store::table::Table;

struct ToyStore(Table);

impl ToyStore {
    fn with_feed_length(entries: usize) -> Arc<Self> {
        Arc::new(Self(Table::with_feed_length(entries)))
    }
}

const ANY_TIME: Timestamp = Timestamp::MIN;

#[async_trait]
impl Store for ToyStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.0.create(request)
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.0.update(request, write_id)
    }

    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        self.0.settle(id, write_id)
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.0.get_many(ids)
    }

    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(query, page, ANY_TIME)
    }

    async fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        self.0.records(query, page)
    }

    async fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        self.0.import(records)
    }

    async fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        self.0.remove(request, tombstone)
    }

    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.0.page(query, page, now)
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&DueQuery::by(by), page, ANY_TIME)
    }

    async fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&query.at(now), page, now)
    }

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        Ok(Count::Exact(self.0.all().iter().filter(|request| query.matches(request)).count() as u64))
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(Statistics::of(&self.0.all(), now, due_within))
    }

    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.0.read_feed(from, limit)
    }

    async fn end_of_feed(&self) -> Result<FeedPosition> {
        Ok(self.0.end_of_feed())
    }

    async fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        self.0.consumers().lease(name, holder, lease, Timestamp::now())
    }

    async fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        self.0.consumers().save(name, holder, position, lease, Timestamp::now())
    }

    async fn consumers(&self) -> Result<Vec<Consumer>> {
        Ok(self.0.consumers().list(Timestamp::now(), |position| self.0.lag(position)))
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        self.0.consumers().remove(name, Timestamp::now())
    }
}

#[cfg(feature = "smol")]
fn run(case: impl Future<Output = ()>) {
    smol::block_on(case);
}

#[cfg(not(feature = "smol"))]
fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(case);
}

macro_rules! on_the_toy_store {
    ($case:ident) => {
        #[test]
        fn $case() {
            run(conformance::$case(ToyStore::with_feed_length(1_000)));
        }
    };
}
mutator_governance::store_cases!(on_the_toy_store);

#[test]
fn a_short_feed() {
    run(conformance::what_a_short_feed_removed_is_one_gap(ToyStore::with_feed_length(10)));
}
