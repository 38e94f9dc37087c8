//! One asynchronous store and several runtimes: nobody waits for a runtime that is at rest or gone.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mutator_governance::nonblocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{MutationRequest, WriteId};

use crate::faults::scene::rounds;
use common::Raw;
use common::fake_server::FakeServer;
use common::requests::{moved_on, pending, second};
use common::{PrivateServer, unique_namespace};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Half of the time that a call has: who waits so long waits for its deadline.
const AT_ONCE: Duration = Duration::from_secs(10);

enum Runtime {
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Runtime),
    #[cfg(feature = "smol")]
    Smol,
}

impl Runtime {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(feature = "tokio")]
        {
            let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            all.extend([Self::Tokio(current), Self::Tokio(several)]);
        }
        #[cfg(feature = "smol")]
        all.push(Self::Smol);
        all
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(runtime) => runtime.block_on(work),
            #[cfg(feature = "smol")]
            Self::Smol => smol::block_on(work),
        }
    }

    fn spawn(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(runtime) => drop(runtime.spawn(work)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(work).detach(),
        }
    }

    /// Ends it, if it is one that ends before the process.
    fn end(self) -> bool {
        match self {
            #[cfg(feature = "tokio")]
            Self::Tokio(runtime) => {
                runtime.shutdown_timeout(Duration::from_secs(10));
                true
            }
            #[cfg(feature = "smol")]
            Self::Smol => false,
        }
    }
}

async fn open(url: &str) -> RedisStore {
    let builder = RedisStore::builder(url).namespace(unique_namespace("runtimes"));
    builder.timeout(TIMEOUT).connect_timeout(TIMEOUT).open().await.unwrap()
}

/// One write and one read, neither of which waits for its deadline.
fn moved(runtime: &Runtime, store: &RedisStore, request: MutationRequest) -> MutationRequest {
    let began = Instant::now();
    let to = second(request.revision().number + 1);
    let update = store.update(moved_on(request, to), WriteId::generate());
    let request = runtime.block_on(update).unwrap();
    assert_eq!(runtime.block_on(store.get(&request.id)).unwrap().as_ref(), Some(&request));
    assert!(began.elapsed() < AT_ONCE, "it waited for {:?}", began.elapsed());
    request
}

#[test]
fn runtimes_that_take_turns_keep_each_other_waiting_for_nothing() {
    let server = PrivateServer::start_on_tcp(&[]);
    let runtimes = Runtime::all();
    for opener in &runtimes {
        let store = opener.block_on(open(server.url()));
        let mut request = opener.block_on(store.create(pending("r", "s", second(0)))).unwrap();
        for _ in 0..rounds() {
            for runtime in &runtimes {
                request = moved(runtime, &store, request);
            }
        }
    }
}

#[test]
fn runtimes_use_one_store_at_once() {
    let server = PrivateServer::start_on_tcp(&[]);
    let store = Runtime::all()[0].block_on(open(server.url()));
    std::thread::scope(|scope| {
        for (number, runtime) in Runtime::all().into_iter().enumerate() {
            let store = store.clone();
            scope.spawn(move || {
                let name = format!("r{number}");
                let mut request = runtime.block_on(store.create(pending(&name, "s", second(0)))).unwrap();
                for _ in 0..20 * rounds() {
                    request = moved(&runtime, &store, request);
                }
            });
        }
    });
}

#[test]
fn a_runtime_that_ends_takes_its_connection_along_and_nothing_else() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut raw = Raw::to(server.url());
    let mut clients = || -> usize {
        let list: String = raw.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
        list.lines().count() - 1
    };
    let staying = Runtime::all();
    let store = staying[0].block_on(open(server.url()));
    let mut request = staying[0].block_on(store.create(pending("r", "s", second(0)))).unwrap();
    for runtime in &staying {
        request = moved(runtime, &store, request);
    }
    let before = clients();
    assert_eq!(before, staying.len(), "each runtime has a connection of its own");
    for _ in 0..rounds() {
        for ending in Runtime::all() {
            // Under way when its runtime ends: whatever becomes of it, the others do not notice.
            let (under_way, id) = (store.clone(), request.id.clone());
            ending.spawn(Box::pin(async move {
                for _ in 0..500 {
                    drop(under_way.get(&id).await);
                }
            }));
            request = moved(&ending, &store, request);
            if ending.end() {
                let began = Instant::now();
                while clients() > before {
                    assert!(began.elapsed() < AT_ONCE, "its connection is still there");
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
        for runtime in &staying {
            request = moved(runtime, &store, request);
        }
    }
}

/// A call on one runtime that gets no answer is none of the others' business, and ends by its own deadline.
#[test]
fn a_call_that_gets_no_answer_on_one_runtime_holds_up_no_other() {
    let server = PrivateServer::start_on_tcp(&[]);
    let silent = FakeServer::silent();
    for runtime in Runtime::all() {
        let began = Instant::now();
        let url = format!("redis://{}/", silent.address());
        let opening = RedisStore::builder(url).timeout(Duration::from_millis(300)).open();
        assert!(runtime.block_on(opening).is_err());
        assert!(began.elapsed() < AT_ONCE);
        let store = Arc::new(runtime.block_on(open(server.url())));
        let request = runtime.block_on(store.create(pending("r", "s", second(0)))).unwrap();
        moved(&runtime, &store, request);
    }
}
