//! Waiting while a replica takes over: whatever the failover lost, nobody sleeps past the write that follows.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutator_governance::{WaitUntil, Waited};

use super::flavour::{Governance, RedisStore, Store};
use super::{dual, open_at, pause, run_concurrently};
use crate::PATIENCE;
use crate::runtime::people::{id, needing, user};
use common::proxy::Proxy;
use common::{Oracle, PrivateServer, Raw, unique_namespace};

/// Much longer than a waiter may sleep, so that it does not end the wait of one who sleeps past the write.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How many wait, each for one of two requests.
const WAITERS: usize = 8;

/// What the replica does not have of the change feed that the waiters have read.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Nothing,
    /// Its last entries.
    TheEnd,
    /// Entries of a server whose clock was an hour ahead: those of the replica come before them.
    EntriesOfAnHourAhead,
}

/// A primary behind a proxy, and its replica.
struct Pair {
    primary: Mutex<Option<PrivateServer>>,
    replica: PrivateServer,
    proxy: Proxy,
    feed_key: String,
}

impl Pair {
    fn start(namespace: &str) -> Self {
        let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
        let replica = PrivateServer::start_on_tcp(&[]);
        let proxy = Proxy::to(primary.url());
        let (host, port) = primary.url().trim_start_matches("redis://").trim_end_matches('/').split_once(':').unwrap();
        let _: String = Raw::to(replica.url()).ask(&["REPLICAOF", host, port]);
        let feed_key = String::from_utf8(Oracle::new(namespace, 1).feed_key(0)).unwrap();
        Self { proxy, replica, feed_key, primary: Mutex::new(Some(primary)) }
    }

    /// The replica takes over from a primary that goes away for good.
    fn fail_over(&self, lost: Lost) {
        let mut primary = self.primary.lock().unwrap().take().unwrap();
        let (mut old, mut new) = (Raw::to(primary.url()), Raw::to(self.replica.url()));
        let begun = Instant::now();
        // It waits for what this connection wrote.
        let _: String = old.ask(&["SET", "fence", "1"]);
        while old.ask::<i64>(&["WAIT", "1", "1000"]) == 0 {
            assert!(begun.elapsed() < PATIENCE, "the replica does not follow");
        }
        let _: String = new.ask(&["REPLICAOF", "NO", "ONE"]);
        let entry = match lost {
            Lost::Nothing => None,
            Lost::TheEnd => Some("*".to_owned()),
            Lost::EntriesOfAnHourAhead => {
                let ahead = mutator_governance::Timestamp::now().saturating_add(Duration::from_hours(1));
                Some(format!("{}-*", ahead.as_micros() / 1_000))
            }
        };
        if let Some(entry) = entry {
            for _ in 0..10 {
                let _: String = old.ask(&["XADD", &self.feed_key, &entry, "lost", "in the failover"]);
            }
            // The waiters read them.
            std::thread::sleep(Duration::from_millis(500));
        }
        primary.stop();
        self.proxy.redirect(self.replica.url());
    }
}

fn over(store: &Arc<RedisStore>) -> Governance {
    Governance::builder().store(Arc::clone(store) as Arc<dyn Store>).build()
}

/// When a waiter was woken; for the last one, when it had decided after the failover.
#[dual]
async fn wait_or_fail_over(
    waiting: Governance,
    deciding: Governance,
    pair: Arc<Pair>,
    lost: Lost,
    place: usize,
) -> Instant {
    if place < WAITERS {
        let request = id(&format!("request-{}", place % 2));
        let waited = waiting.wait(&request, WaitUntil::Decided, TIMEOUT).await.unwrap();
        assert!(matches!(waited, Waited::Met(_)), "{lost:?}: {waited:?}");
        return Instant::now();
    }
    pause(Duration::from_millis(300)).await;
    pair.fail_over(lost);
    for number in 0..2 {
        let request = id(&format!("request-{number}"));
        let begun = Instant::now();
        while let Err(error) = deciding.approve(&request, user("a")).await {
            assert!(begun.elapsed() < PATIENCE, "{lost:?}: {error}");
            pause(Duration::from_millis(20)).await;
        }
    }
    Instant::now()
}

#[dual]
pub(crate) async fn nobody_sleeps_past_a_write_right_after_a_failover() {
    for lost in [Lost::Nothing, Lost::TheEnd, Lost::EntriesOfAnHourAhead] {
        let namespace = unique_namespace("failover");
        let pair = Arc::new(Pair::start(&namespace));
        let patient = Duration::from_secs(5);
        let waiting = over(&open_at(&pair.proxy.url(), &namespace, patient).await);
        let deciding = over(&open_at(&pair.proxy.url(), &namespace, patient).await);
        for number in 0..2 {
            waiting.submit(needing(&format!("request-{number}"), &["a"])).await.unwrap();
        }
        let work = move |place| wait_or_fail_over(waiting.clone(), deciding.clone(), Arc::clone(&pair), lost, place);
        let times = run_concurrently(WAITERS + 1, work).await;
        let (decided, woken) = times.split_last().unwrap();
        for woken in woken {
            let slept = woken.saturating_duration_since(*decided);
            assert!(slept < PATIENCE, "{lost:?}: woken {slept:?} after the write");
        }
    }
}
