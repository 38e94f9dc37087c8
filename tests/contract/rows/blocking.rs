//! The rows of every read on the blocking stores.

use std::sync::Arc;

use maybe_async::must_be_sync as dual;
use mutator_governance::blocking::{Governance, MemoryStore, RedisStore, RowQuery, Rows, Store, StoreExtension};

use common::{redis_url, unique_namespace};

#[path = "cases.rs"]
pub(crate) mod cases;

#[path = "one_by_one.rs"]
mod one_by_one;

pub(crate) fn redis(partitions: u16, indexed: &[&str]) -> RedisStore {
    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("rows"));
    let builder = if indexed.is_empty() { builder } else { builder.index_correlation_ids().index_participants() };
    let builder = builder.partitions(partitions).index_metadata(indexed.iter().copied());
    builder.timeout(crate::PATIENCE).open().unwrap()
}

macro_rules! on_every_store {
    ($module:ident: $($case:ident),*) => { $(
        #[test]
        fn $case() {
            $module::$case(Arc::new(MemoryStore::new()));
            $module::$case(Arc::new(redis(1, &[])));
            $module::$case(Arc::new(redis(4, &["ticket"])));
        }
    )* };
}
on_every_store!(cases: requests, stored_requests, approvals, recent_approvals, decisions, inboxes, numbers, filters);
on_every_store!(one_by_one: all_rows_come_once, an_unreadable_request_is_one_row_and_a_failure_the_last);

#[test]
fn rows_are_an_iterator() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    cases::seed(&store);
    let page = mutator_governance::PageRequest::of(2).unwrap();
    let rows = cases::over(&store).rows(mutator_governance::RequestQuery::pending()).from_page(page);
    let ids: Vec<String> = rows.map(|request| request.unwrap().id.to_string()).collect();
    assert_eq!(ids, ["grant-1", "grant-2", "limit-1", "grant-4"]);
}
