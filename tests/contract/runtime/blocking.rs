//! The cases in the blocking flavour, on memory and on Redis.

use std::sync::Arc;
use std::time::Duration;

use maybe_async::must_be_sync as dual;
use mutator_governance::blocking as flavour;

/// A function for `execute` that makes this call.
macro_rules! run {
    (|$request:ident| $call:expr) => {
        |$request: &mutator_governance::ClaimedRequest| $call
    };
}

#[path = "cases/mod.rs"]
mod cases;

pub(crate) use cases::World;

fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// The results of the calls `work(0)`, `work(1)`, …, each on a thread of its own.
fn run_concurrently<T: Send + 'static>(count: usize, work: impl Fn(usize) -> T + Send + Sync + 'static) -> Vec<T> {
    let work = Arc::new(work);
    let start = |number| {
        let work = Arc::clone(&work);
        std::thread::spawn(move || work(number))
    };
    let threads: Vec<_> = (0..count).map(start).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

fn on_memory(case: fn(World)) {
    case(World::over(Arc::new(flavour::MemoryStore::new())));
}

pub(crate) fn redis_store(namespace: &str) -> flavour::RedisStore {
    let builder = flavour::RedisStore::builder(common::redis_url()).namespace(namespace);
    builder.partitions(2).pool_size(40).timeout(crate::runtime::CALL_TIMEOUT).open().unwrap()
}

fn folding_redis_store() -> Arc<flavour::RedisStore> {
    let builder = flavour::RedisStore::builder(common::redis_url()).fold_case(true);
    let namespace = common::unique_namespace("folding");
    Arc::new(builder.namespace(namespace).partitions(2).timeout(crate::runtime::PATIENCE).open().unwrap())
}

fn on_redis(case: fn(World)) {
    case(World::over(Arc::new(redis_store(&common::unique_namespace("runtime")))));
}

/// A store at this address, in a namespace of its own.
fn open_at(url: &str, namespace: &str, timeout: Duration) -> Arc<flavour::RedisStore> {
    let builder = flavour::RedisStore::builder(url).namespace(namespace);
    Arc::new(builder.timeout(timeout).connect_timeout(timeout).open().unwrap())
}

macro_rules! on_a_server {
    ($module:ident: $($case:ident,)*) => {
        mod $module {
            $(#[test]
            fn $case() {
                super::cases::$module::$case();
            })*
        }
    };
}
every_case_of_time!(on_a_server);

macro_rules! on_each_store {
    ($module:ident: $($case:ident,)*) => {
        mod $module {
            use super::{cases::$module, on_memory, on_redis};
            $(mod $case {
                #[test]
                fn memory() {
                    super::on_memory(super::$module::$case);
                }

                #[test]
                fn redis() {
                    super::on_redis(super::$module::$case);
                }
            })*
        }
    };
}
every_case!(on_each_store);

/// An executor that dies while it runs holds the request until its lease ends, and loses nothing.
#[test]
fn a_panic_while_it_runs_leaves_the_request_claimed() {
    use crate::runtime::people::{approved, at, execution_error, id, order, order_of};
    use mutator_governance::workflow::{Completion, Failure};
    use mutator_governance::{ClaimedRequest, ExecutionError};

    for store in [Arc::new(flavour::MemoryStore::new()) as Arc<dyn flavour::Store>, {
        Arc::new(redis_store(&common::unique_namespace("runtime")))
    }] {
        let world = World::over(store);
        let request = world.governance.submit(approved("request-1")).unwrap();
        let dies = |_: &ClaimedRequest| -> Result<Completion, Failure> { std::panic::resume_unwind(Box::new("dead")) };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.governance.execute(&request.id, &order(), dies).unwrap();
        }));
        assert!(ended.is_err());

        let completes = |_: &ClaimedRequest| Ok(Completion::new());
        let error = world.governance.execute(&id("request-1"), &order_of("other"), completes).unwrap_err();
        let expected = ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(60) };
        assert_eq!(execution_error(error), expected);
        world.clock.set(at(60));
        assert!(world.governance.execute(&request.id, &order_of("other"), completes).unwrap().is_executed());
    }
}

/// The record of a request in Redis names its latest seven writes, and the one that submitted it for good.
#[test]
fn a_repeated_submission_is_recognised_after_many_writes() {
    use crate::runtime::people::{approval, needing, user};
    use mutator_governance::WriteId;

    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let world = World::over(Arc::new(redis_store(&common::unique_namespace("runtime"))));
    let (draft, write_id) = (needing("request-1", &names), WriteId::generate());
    let request = world.governance.submit_as(draft.clone(), write_id).unwrap();
    for (place, name) in names.into_iter().enumerate() {
        let own = approval(&format!("approval-{}", place + 1));
        let granted = world.governance.approve_requirement(&request.id, &own, user(name)).unwrap();
        let again = world.governance.submit_as(draft.clone(), write_id);
        assert_eq!(again.unwrap_or_else(|error| panic!("after {} writes: {error}", place + 1)), granted);
    }
}
