use std::sync::Arc;

use maybe_async::must_be_async as dual;
use mutator_governance::nonblocking::{MemoryStore, Question, RedisStore, RequestQueries, RequestStore};

use crate::support::{redis_url, unique_namespace};

#[path = "cases.rs"]
mod cases;

async fn redis(partitions: u16, indexed: &[&str]) -> RedisStore {
    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("rows"));
    let builder = builder.partitions(partitions).index_metadata(indexed.iter().copied());
    builder.timeout(crate::PATIENCE).open().await.unwrap()
}

macro_rules! on_every_store {
    ($($case:ident),*) => { $(
        #[tokio::test]
        async fn $case() {
            cases::$case(Arc::new(MemoryStore::new())).await;
            cases::$case(Arc::new(redis(1, &[]).await)).await;
            cases::$case(Arc::new(redis(4, &["ticket"]).await)).await;
        }
    )* };
}
on_every_store!(requests, stored_requests, approvals, recent_approvals, decisions, inboxes, numbers, filters);
