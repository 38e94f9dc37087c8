//! The cases in the asynchronous flavour, on memory and on Redis, on tokio and on smol.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use maybe_async::must_be_async as dual;
use mutator_governance::nonblocking as flavour;

/// A function for `execute` that makes this call.
macro_rules! run {
    (|$request:ident| $call:expr) => {
        async |$request: &mutator_governance::ClaimedRequest| $call.await
    };
}

#[path = "cases/mod.rs"]
mod cases;

pub(crate) use cases::{Mishap, World};

fn is_tokio() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

pub(crate) async fn pause(duration: Duration) {
    if is_tokio() {
        tokio::time::sleep(duration).await;
    } else {
        smol::Timer::after(duration).await;
    }
}

/// The results of the calls `work(0)`, `work(1)`, …, each in a task of its own, on several threads.
async fn run_concurrently<F>(count: usize, work: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let mut results = Vec::new();
    if is_tokio() {
        let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(work(number))).collect();
        for task in tasks {
            results.push(task.await.unwrap());
        }
    } else {
        let tasks: Vec<_> = (0..count).map(|number| smol::spawn(work(number))).collect();
        for task in tasks {
            results.push(task.await);
        }
    }
    results
}

#[cfg(feature = "tokio")]
pub(crate) fn on_tokio(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.unwrap().block_on(test);
}

#[cfg(feature = "smol")]
pub(crate) fn on_smol(test: impl Future<Output = ()>) {
    smol::block_on(test);
}

pub(crate) fn in_memory() -> World {
    World::over(Arc::new(flavour::MemoryStore::new()))
}

pub(crate) async fn in_redis() -> World {
    let builder = flavour::RedisStore::builder(common::redis_url());
    let namespace = common::unique_namespace("runtime");
    let store = builder.namespace(namespace).partitions(2).timeout(crate::runtime::CALL_TIMEOUT).open().await;
    World::over(Arc::new(store.unwrap()))
}

async fn folding_redis_store() -> Arc<flavour::RedisStore> {
    let builder = flavour::RedisStore::builder(common::redis_url()).fold_case(true);
    let namespace = common::unique_namespace("folding");
    Arc::new(builder.namespace(namespace).partitions(2).timeout(crate::runtime::PATIENCE).open().await.unwrap())
}

/// A store at this address, in a namespace of its own.
async fn open_at(url: &str, namespace: &str, timeout: Duration) -> Arc<flavour::RedisStore> {
    let builder = flavour::RedisStore::builder(url).namespace(namespace);
    Arc::new(builder.timeout(timeout).connect_timeout(timeout).open().await.unwrap())
}

macro_rules! on_a_server {
    ($module:ident: $($case:ident,)*) => {
        mod $module {
            $(#[test]
            fn $case() {
                super::run_on(crate::runtime::nonblocking::cases::$module::$case());
            })*
        }
    };
}

macro_rules! on_each_store {
    ($module:ident: $($case:ident,)*) => {
        mod $module {
            $(mod $case {
                use super::super::run_on;
                use crate::runtime::nonblocking::{cases, in_memory, in_redis};

                #[test]
                fn memory() {
                    run_on(async { cases::$module::$case(in_memory()).await });
                }

                #[test]
                fn redis() {
                    run_on(async { cases::$module::$case(in_redis().await).await });
                }
            })*
        }
    };
}

#[cfg(feature = "tokio")]
mod on_tokio_runtime {
    use super::on_tokio as run_on;
    every_case!(on_each_store);
    every_case_of_time!(on_a_server);
}

#[cfg(feature = "smol")]
mod on_smol_runtime {
    use super::on_smol as run_on;
    every_case!(on_each_store);
    every_case_of_time!(on_a_server);
}
