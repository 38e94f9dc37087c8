use std::sync::Arc;

use maybe_async::must_be_async as dual;
use mutator_governance::nonblocking::{MemoryStore, Question, RedisStore, RequestQueries, RequestStore, Rows};

use common::{redis_url, unique_namespace};

#[path = "cases.rs"]
mod cases;

#[path = "one_by_one.rs"]
mod one_by_one;

async fn redis(partitions: u16, indexed: &[&str]) -> RedisStore {
    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("rows"));
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
    let store: Arc<dyn cases::Store> = Arc::new(MemoryStore::new());
    cases::tell(&store).await;
    let page = mutator_governance::PageRequest::of(2).unwrap();
    let rows = Rows::from_page(store, mutator_governance::RequestQuery::pending(), page);
    let requests: Vec<_> = rows.into_stream().try_collect().await.unwrap();
    let ids: Vec<String> = requests.iter().map(|request| request.id.to_string()).collect();
    assert_eq!(ids, ["grant-1", "grant-2", "limit-1", "grant-4"]);
}
