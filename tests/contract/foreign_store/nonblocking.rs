//! The store in the asynchronous flavour, whose traits are written with async-trait.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mutator_governance::nonblocking::{RequestQueries, RequestStore, conformance};
use mutator_governance::query::DueQuery;
use mutator_governance::{
    Count, DecisionQuery, DecisionRow, InboxQuery, Lookup, MutationRequest, Page, PageRequest, PendingApprovalQuery,
    PendingApprovalRow, RecentApprovalQuery, RecentApprovalRow, RequestId, RequestQuery, Result, Settled, StateId,
    Statistics, Timestamp, UnsettledWrite, WriteId,
};

use crate::foreign_store::table::Table;

#[derive(Default)]
struct ToyStore(Table);

const ANY_TIME: Timestamp = Timestamp::MIN;

#[async_trait]
impl RequestStore for ToyStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.0.create(request)
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.0.update(request, write_id)
    }

    async fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        self.0.settle(write)
    }

    async fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        Ok(self.0.get(id))
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.0.get_many(ids)
    }

    async fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::pending(), page, ANY_TIME)
    }

    async fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::of_state(state.clone()), page, ANY_TIME)
    }

    async fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::pending_of_state(state.clone()), page, ANY_TIME)
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&DueQuery::by(by), page, ANY_TIME)
    }
}

#[async_trait]
impl RequestQueries for ToyStore {
    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(query, page, ANY_TIME)
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

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        Ok(Count::Exact(self.0.all().iter().filter(|request| query.matches(request)).count() as u64))
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(Statistics::of(&self.0.all(), now, due_within))
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
            run(conformance::$case(Arc::new(ToyStore::default())));
        }
    };
}
mutator_governance::request_store_cases!(on_the_toy_store);

macro_rules! questions_on_the_toy_store {
    ($case:ident) => {
        #[test]
        fn $case() {
            let store = Arc::new(ToyStore::default());
            run(conformance::$case(store.clone(), store));
        }
    };
}
mutator_governance::request_queries_cases!(questions_on_the_toy_store);
