//! The store in the blocking flavour.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::blocking::{RequestQueries, RequestStore, conformance};
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

impl RequestStore for ToyStore {
    fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.0.create(request)
    }

    fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        self.0.update(request, write_id)
    }

    fn settle(&self, write: &UnsettledWrite) -> Result<Settled> {
        self.0.settle(write)
    }

    fn get(&self, id: &RequestId) -> Result<Option<MutationRequest>> {
        Ok(self.0.get(id))
    }

    fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.0.get_many(ids)
    }

    fn pending(&self, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::pending(), page, ANY_TIME)
    }

    fn by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::of_state(state.clone()), page, ANY_TIME)
    }

    fn pending_by_state(&self, state: &StateId, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&RequestQuery::pending_of_state(state.clone()), page, ANY_TIME)
    }

    fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(&DueQuery::by(by), page, ANY_TIME)
    }
}

impl RequestQueries for ToyStore {
    fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.0.page(query, page, ANY_TIME)
    }

    fn pending_approvals(&self, query: &PendingApprovalQuery, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    fn recent_approvals(&self, query: &RecentApprovalQuery, page: &PageRequest) -> Result<Page<RecentApprovalRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.0.page(query, page, ANY_TIME)
    }

    fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.0.page(query, page, now)
    }

    fn count(&self, query: &RequestQuery) -> Result<Count> {
        Ok(Count::Exact(self.0.all().iter().filter(|request| query.matches(request)).count() as u64))
    }

    fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        Ok(Statistics::of(&self.0.all(), now, due_within))
    }
}

macro_rules! on_the_toy_store {
    ($case:ident) => {
        #[test]
        fn $case() {
            conformance::$case(Arc::new(ToyStore::default()));
        }
    };
}
mutator_governance::request_store_cases!(on_the_toy_store);

macro_rules! questions_on_the_toy_store {
    ($case:ident) => {
        #[test]
        fn $case() {
            let store = Arc::new(ToyStore::default());
            conformance::$case(store.clone(), store);
        }
    };
}
mutator_governance::request_queries_cases!(questions_on_the_toy_store);
