//! The rows of every read on the asynchronous stores.

use std::sync::Arc;

use maybe_async::must_be_async as dual;
use mutator_governance::nonblocking::{Governance, MemoryStore, RedisStore, RowQuery, Rows, Store, StoreExtension};

use common::{redis_url, unique_namespace};

#[path = "cases.rs"]
mod cases;

#[path = "one_by_one.rs"]
mod one_by_one;

async fn redis(partitions: u16, indexed: &[&str]) -> RedisStore {
    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("rows"));
    let builder = if indexed.is_empty() { builder } else { builder.index_correlation_ids().index_participants() };
    let builder = builder.partitions(partitions).index_metadata(indexed.iter().copied());
    builder.timeout(crate::rows::PATIENCE).open().await.unwrap()
}

macro_rules! on_every_store {
    ($module:ident: $($case:ident),*) => { $(
        #[tokio::test]
        async fn $case() {
            $module::$case(Arc::new(MemoryStore::new())).await;
            $module::$case(Arc::new(redis(1, &[]).await)).await;
            $module::$case(Arc::new(redis(4, &["ticket"]).await)).await;
        }
    )* };
}
on_every_store!(cases: requests, stored_requests, approvals, recent_approvals, decisions, inboxes, numbers, filters);
on_every_store!(one_by_one: all_rows_come_once, an_unreadable_request_is_one_row_and_a_failure_the_last);

#[tokio::test]
async fn rows_are_a_stream() {
    use futures_util::TryStreamExt;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    cases::seed(&store).await;
    let page = mutator_governance::PageRequest::of(2).unwrap();
    let rows = cases::over(&store).rows(mutator_governance::RequestQuery::pending()).from_page(page);
    let requests: Vec<_> = rows.try_collect().await.unwrap();
    let ids: Vec<String> = requests.iter().map(|request| request.id.to_string()).collect();
    assert_eq!(ids, ["grant-1", "grant-2", "limit-1", "grant-4"]);
}

#[tokio::test]
async fn a_row_that_is_given_up_comes_at_the_next_call() {
    let store: Arc<dyn Store> = Arc::new(redis(1, &[]).await);
    cases::seed(&store).await;
    let page = mutator_governance::PageRequest::of(2).unwrap();
    let mut rows = cases::over(&store).rows(mutator_governance::RequestQuery::pending()).from_page(page);
    let mut ids = Vec::new();
    let mut given_up = 0;
    loop {
        // Polled once; over a network the answer is never there by then.
        let Some(row) = futures_util::FutureExt::now_or_never(rows.next_row()) else {
            given_up += 1;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            continue;
        };
        let Some(row) = row else { break };
        ids.push(row.unwrap().id.to_string());
    }
    assert!(given_up > 0, "no call was given up");
    assert_eq!(ids, ["grant-1", "grant-2", "limit-1", "grant-4"]);
}
