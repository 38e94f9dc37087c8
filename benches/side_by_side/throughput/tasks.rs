//! The workload by tasks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use mutator_governance::nonblocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{MutationRequest, WriteId};
use redis::Cmd;
use redis::aio::MultiplexedConnection;

use super::workload::{NAMESPACE, Raw, Step, Steps, Workload, changed, key};
use super::{Floor, Rates};
use crate::Extent;
use crate::server::{PATIENCE, Server};

const TASKS: usize = 64;
const STEPS: usize = 40;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the two runtimes are asked for.
trait Runtime {
    fn block_on<T>(&self, work: impl Future<Output = T>) -> T;
    /// Runs all of them at once, each as a task of its own.
    fn all<T: Send + 'static>(&self, work: Vec<Work<T>>) -> Vec<T>;
}

struct Tokio(tokio::runtime::Runtime);

struct Smol;

impl Runtime for Tokio {
    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }

    fn all<T: Send + 'static>(&self, work: Vec<Work<T>>) -> Vec<T> {
        self.block_on(async {
            let tasks: Vec<_> = work.into_iter().map(tokio::spawn).collect();
            let mut results = Vec::new();
            for task in tasks {
                results.push(task.await.unwrap());
            }
            results
        })
    }
}

impl Runtime for Smol {
    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        smol::block_on(work)
    }

    fn all<T: Send + 'static>(&self, work: Vec<Work<T>>) -> Vec<T> {
        self.block_on(async {
            let tasks: Vec<_> = work.into_iter().map(smol::spawn).collect();
            let mut results = Vec::new();
            for task in tasks {
                results.push(task.await);
            }
            results
        })
    }
}

pub(super) fn on_tokio(extent: &Extent, server: &Server, workload: &Workload) -> Rates {
    measure(&Tokio(tokio::runtime::Runtime::new().unwrap()), extent, server, workload)
}

pub(super) fn on_smol(extent: &Extent, server: &Server, workload: &Workload) -> Rates {
    measure(&Smol, extent, server, workload)
}

fn measure(runtime: &impl Runtime, extent: &Extent, server: &Server, workload: &Workload) -> Rates {
    let builder = RedisStore::builder(server.url()).namespace(NAMESPACE).timeout(PATIENCE);
    let store = runtime.block_on(builder.open()).unwrap();
    let reading = server.store(NAMESPACE, 1);
    let mut own: Vec<_> = (0..TASKS).map(|task| workload.own(task, &reading)).collect();
    let client = server.client();
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let ids: Arc<Vec<_>> = Arc::new(workload.ids.clone());
    let keys: Arc<Vec<String>> = Arc::new(workload.ids.iter().map(key).collect());
    let on_floor = |raw: &mut Vec<Raw>| {
        let taken = std::mem::take(raw).into_iter().enumerate();
        let work = taken.map(|(task, raw)| -> Work<_> {
            Box::pin(on_floor(connection.clone(), Arc::clone(&keys), raw, Steps::of(task)))
        });
        let rate;
        (rate, *raw) = timed(runtime, work.collect());
        rate
    };
    let raw = |floor| (0..TASKS).map(|task| workload.raw(task, floor)).collect();
    let (mut by_set, mut by_script) = (raw(Floor::Set), raw(Floor::Script));
    Rates::in_turn(
        extent,
        [
            &mut || {
                let taken = std::mem::take(&mut own).into_iter().enumerate();
                let work = taken.map(|(task, own)| -> Work<_> {
                    Box::pin(ours(store.clone(), Arc::clone(&ids), own, Steps::of(task)))
                });
                let rate;
                (rate, own) = timed(runtime, work.collect());
                rate
            },
            &mut || on_floor(&mut by_set),
            &mut || on_floor(&mut by_script),
        ],
    )
}

fn timed<T: Send + 'static>(runtime: &impl Runtime, work: Vec<Work<T>>) -> (f64, Vec<T>) {
    let began = Instant::now();
    let results = runtime.all(work);
    ((TASKS * STEPS) as f64 / began.elapsed().as_secs_f64(), results)
}

async fn ours(
    store: RedisStore,
    ids: Arc<Vec<mutator_governance::RequestId>>,
    mut own: Vec<MutationRequest>,
    mut steps: Steps,
) -> Vec<MutationRequest> {
    for _ in 0..STEPS {
        match steps.next() {
            Step::Read(place) => assert!(store.get(&ids[place]).await.unwrap().is_some()),
            Step::Write(place) => {
                own[place] = store.update(changed(own[place].clone()), WriteId::generate()).await.unwrap();
            }
        }
    }
    own
}

async fn on_floor(
    mut connection: MultiplexedConnection,
    keys: Arc<Vec<String>>,
    mut raw: Raw,
    mut steps: Steps,
) -> Raw {
    for _ in 0..STEPS {
        let command: Cmd = match steps.next() {
            Step::Read(place) => redis::cmd("GET").arg(&keys[place]).clone(),
            Step::Write(place) => raw.write(place),
        };
        connection.send_packed_command(&command).await.unwrap();
    }
    raw
}
