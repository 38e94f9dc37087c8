//! Executors and followers of several processes over one Redis of their own, which goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::{ConsumerName, Status};

use super::executors::{self, OFTEN, Trouble, check_stopped, submit_many};
use super::flavour::{FeedFollower, Governance, RedisStore, Store, StoreExtension as _};
use super::following::{Handler, Log};
use super::sweeper::until;
use super::{dual, open_at, pause};
use crate::runtime::people::id;
use common::server::free_port;
use common::{PrivateServer, unique_namespace};

fn over(store: &Arc<RedisStore>) -> Governance {
    Governance::builder().store(Arc::clone(store) as Arc<dyn Store>).build()
}

/// Where the server keeps what it has, so that another one can go on with it.
pub(super) struct Directory(pub(super) std::path::PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mutator-{}", unique_namespace("worker")));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[dual]
pub(crate) async fn three_executors_of_three_stores_run_each_request_once() {
    let server = PrivateServer::start_on_tcp(&[]);
    let namespace = unique_namespace("executors");
    let log = executors::Log::default();
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(open_at(server.url(), &namespace, crate::PATIENCE / 4).await);
    }
    let started =
        stores.iter().map(|store| executors::start(executors::builder(over(store), &log, Trouble::None), &log));
    let started: Vec<_> = started.collect();
    submit_many(&over(&stores[0]), 200).await;
    until("all are executed", &|| log.ended() >= 200).await;
    for executor in started {
        check_stopped(executor).await;
    }
    log.check_once(200);
    for number in 0..200 {
        let stored = stores[1].get(&id(&format!("request-{number}"))).await.unwrap().unwrap();
        assert_eq!((stored.state.status(), stored.revision().number), (Status::Executed, 2), "{number}");
    }
}

/// The server is killed while requests are executed and their writes delivered, and comes back from its file: every
/// request is run once, recorded, and delivered in order.
#[dual]
pub(crate) async fn a_server_that_goes_away_and_comes_back_costs_nothing() {
    let (directory, port) = (Directory::new(), free_port());
    let path = directory.0.to_str().unwrap().to_owned();
    let arguments = ["--dir", &path, "--appendonly", "yes", "--appendfsync", "always"];
    let mut server = PrivateServer::start_on_port(port, &arguments);
    let namespace = unique_namespace("executors");
    let (log, delivered) = (executors::Log::default(), Log::default());
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(open_at(server.url(), &namespace, Duration::from_millis(500)).await);
    }
    let patient = open_at(server.url(), &namespace, crate::PATIENCE / 4).await;
    submit_many(&over(&patient), 60).await;
    let trouble = Trouble::Slow(Duration::from_millis(30));
    // A claim whose answer is lost ends with its lease.
    let lease = Duration::from_secs(3);
    let start = |store| {
        let builder = executors::builder(over(store), &log, trouble.clone()).lease(lease);
        executors::start(builder.concurrency(2).unwrap(), &log)
    };
    let started: Vec<_> = stores.iter().map(start).collect();
    let builder = FeedFollower::builder(over(&stores[0]), ConsumerName::new("mailer").unwrap());
    let follower = builder.interval(OFTEN).longest_pause(OFTEN * 20).report_to(|_| ()).start(Handler::new(&delivered));
    for runs in [10, 30] {
        until("some are run", &|| log.count() >= runs).await;
        server.stop();
        pause(Duration::from_millis(300)).await;
        server = PrivateServer::start_on_port(port, &arguments);
    }
    until("all are executed", &|| log.ended() >= 60).await;
    for executor in started {
        check_stopped(executor).await;
    }
    log.check_once(60);
    for number in 0..60 {
        let stored = patient.get(&id(&format!("request-{number}"))).await.unwrap().unwrap();
        assert_eq!(stored.state.status(), Status::Executed, "{number}");
        // One more for each claim whose answer was lost.
        let revisions: Vec<u64> = (0..=stored.revision().number).collect();
        until("all of it is delivered", &|| delivered.revisions_of(&stored.id).len() >= revisions.len()).await;
        assert_eq!(delivered.revisions_of(&stored.id), revisions, "{number}");
    }
    follower.stop().await.unwrap();
    assert!(log.reported("is not recorded (yet)") + log.reported("StoreFailed") > 0, "nothing has failed");
    drop(server);
}
