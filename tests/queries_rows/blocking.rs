use std::sync::Arc;

use maybe_async::must_be_sync as dual;
use mutator_governance::blocking::{MemoryStore, Question, RedisStore, RequestQueries, RequestStore};

use crate::support::{redis_url, unique_namespace};

#[path = "cases.rs"]
pub(crate) mod cases;

pub(crate) fn redis(partitions: u16, indexed: &[&str]) -> RedisStore {
    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("rows"));
    builder.partitions(partitions).index_metadata(indexed.iter().copied()).timeout(crate::PATIENCE).open().unwrap()
}

macro_rules! on_every_store {
    ($($case:ident),*) => { $(
        #[test]
        fn $case() {
            cases::$case(Arc::new(MemoryStore::new()));
            cases::$case(Arc::new(redis(1, &[])));
            cases::$case(Arc::new(redis(4, &["ticket"])));
        }
    )* };
}
on_every_store!(requests, stored_requests, approvals, recent_approvals, decisions, inboxes, numbers, filters);
