//! The follower of the change feed: what it hands over, how often, in which order, and who of several.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutator_governance::{
    ConsumerName, Delivery, DeliveryFailure, FeedPosition, FollowerReport, HolderId, MissedEntries, RequestId,
};

use super::flavour::{FeedFollower, FeedHandler, Governance, MemoryStore, Store};
use super::sweeper::until;
use super::{World, dual, pause};
use crate::runtime::people::{Calls, approval, id, needing, user};

const OFTEN: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_hours(1);

fn mailer() -> ConsumerName {
    ConsumerName::new("mailer").unwrap()
}

/// What all followers of a case have delivered and reported.
#[derive(Clone, Default)]
pub(super) struct Log {
    /// By whom, and what: request and revision.
    delivered: Arc<Mutex<Vec<(&'static str, RequestId, u64)>>>,
    attempts: Calls,
    resyncs: Calls,
    reports: Arc<Mutex<Vec<String>>>,
}

impl Log {
    fn delivered(&self) -> Vec<(RequestId, u64)> {
        self.delivered.lock().unwrap().iter().map(|(_, id, revision)| (id.clone(), *revision)).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.delivered.lock().unwrap().len()
    }

    pub(super) fn revisions_of(&self, id: &RequestId) -> Vec<u64> {
        self.delivered().into_iter().filter(|(of, _)| of == id).map(|(_, revision)| revision).collect()
    }

    fn count_by(&self, name: &str) -> usize {
        self.delivered.lock().unwrap().iter().filter(|(by, ..)| *by == name).count()
    }

    fn reported(&self, words: &str) -> usize {
        self.reports.lock().unwrap().iter().filter(|report| report.contains(words)).count()
    }

    /// Each write was delivered once, and those of each request in order.
    pub(super) fn check_once_in_order(&self, requests: usize, revisions: u64) {
        let mut found = BTreeMap::<RequestId, Vec<u64>>::new();
        for (id, revision) in self.delivered() {
            found.entry(id).or_default().push(revision);
        }
        assert_eq!(found.len(), requests);
        for (id, found) in found {
            assert_eq!(found, (0..revisions).collect::<Vec<_>>(), "{id}");
        }
    }
}

/// What a handler does with the entry of revision 1.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// Fails so many times.
    Fails(usize),
    Panics(usize),
    /// Skips it after so many attempts.
    Skips(u32),
    /// Takes until so many were delivered by others.
    Waits(usize),
}

pub(super) struct Handler {
    name: &'static str,
    log: Log,
    trouble: Trouble,
}

impl Handler {
    pub(super) fn new(log: &Log) -> Self {
        Self { name: "one", log: log.clone(), trouble: Trouble::None }
    }
}

#[dual]
impl FeedHandler for Handler {
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryFailure> {
        let entry = &delivery.entry;
        let request = delivery.request().ok_or_else(|| DeliveryFailure::retry("it is not there"))?;
        assert_eq!(request.id, entry.id);
        let kinds: Vec<_> = delivery.decisions().unwrap().iter().map(|decision| decision.kind).collect();
        assert_eq!(kinds, entry.decisions);
        assert_eq!(delivery.decisions().unwrap()[0].by.label(), entry.by.as_ref().unwrap().label());
        if entry.revision == 1 {
            self.log.attempts.add();
            let made = self.log.attempts.count();
            match self.trouble {
                Trouble::Fails(times) if made <= times => return Err(DeliveryFailure::retry("the mailer is down")),
                Trouble::Panics(times) => assert!(made > times, "the test's handler has a fault"),
                Trouble::Skips(attempts) if delivery.attempt > attempts => {
                    return Err(DeliveryFailure::skip("it never works"));
                }
                Trouble::Skips(_) => Err(std::fmt::Error)?,
                Trouble::Waits(others) => {
                    while self.log.count() < others {
                        pause(OFTEN).await;
                    }
                }
                Trouble::None | Trouble::Fails(_) => {}
            }
        }
        self.log.delivered.lock().unwrap().push((self.name, entry.id.clone(), entry.revision));
        Ok(())
    }

    async fn resync(&self, missed: &MissedEntries) -> Result<(), DeliveryFailure> {
        assert_eq!((missed.gaps.len(), missed.unreadable.len()), (1, 0), "{missed:?}");
        if self.log.resyncs.add() == 1 {
            return Err(DeliveryFailure::retry("not yet"));
        }
        Ok(())
    }
}

struct Setup {
    lease: Duration,
    page: usize,
    from_end: bool,
    trouble: Trouble,
}

const PLAIN: Setup = Setup { lease: LONG, page: 50, from_end: false, trouble: Trouble::None };

fn start(governance: Governance, name: &'static str, log: &Log, setup: Setup) -> FeedFollower {
    let Setup { lease, page, from_end, trouble } = setup;
    let mut builder = FeedFollower::builder(governance, mailer()).interval(OFTEN).longest_pause(OFTEN);
    builder = builder.lease(lease).unwrap().page(page).unwrap();
    if from_end {
        builder = builder.from_end();
    }
    let reports = Arc::clone(&log.reports);
    let report = move |report: FollowerReport| reports.lock().unwrap().push(format!("{name}: {report:?}"));
    builder.report_to(report).start(Handler { name, log: log.clone(), trouble })
}

/// Two writes to each of so many requests.
#[dual]
async fn write(governance: &Governance, prefix: &str, requests: usize) {
    for number in 0..requests {
        let request = governance.submit(needing(&format!("{prefix}-{number}"), &["mona"])).await.unwrap();
        governance.approve_requirement(&request.id, &approval("approval-1"), user("mona")).await.unwrap();
    }
}

#[dual]
pub(crate) async fn every_write_is_handed_over_once_in_order(world: World) {
    write(&world.governance, "early", 5).await;
    let log = Log::default();
    let follower = start(world.governance.clone(), "one", &log, Setup { page: 3, ..PLAIN });
    write(&world.governance, "late", 5).await;
    until("all are delivered", &|| log.count() == 20).await;
    follower.stop().await.unwrap();
    log.check_once_in_order(10, 2);

    // Whoever continues later begins where this one has stopped.
    write(&world.governance, "later", 2).await;
    let follower = start(world.governance.clone(), "two", &log, PLAIN);
    until("the later ones are delivered", &|| log.count() >= 24).await;
    follower.stop().await.unwrap();
    log.check_once_in_order(12, 2);
    let consumers = world.governance.consumers().await.unwrap();
    assert_eq!((consumers.len(), consumers[0].lag, consumers[0].held_until), (1, Some(0), None));
    let removed = world.governance.remove_consumer(&mailer()).await.unwrap();
    assert!(removed);
}

#[dual]
pub(crate) async fn of_three_followers_one_delivers_and_the_next_goes_on(world: World) {
    let log = Log::default();
    let mut followers = Vec::new();
    for name in ["one", "two", "three"] {
        followers.push((name, start(world.governance.clone(), name, &log, PLAIN)));
    }
    for round in 1..=3 {
        write(&world.governance, &format!("round-{round}"), 10).await;
        until("the round is delivered", &|| log.count() >= 20 * round).await;
        let (last, ..) = log.delivered.lock().unwrap()[20 * round - 1];
        assert_eq!(log.count_by(last), 20, "who leads delivers all");
        // Its lease would last an hour; the next one goes on because it is given back.
        let place = followers.iter().position(|(name, _)| *name == last).unwrap();
        let (_, leader) = followers.remove(place);
        leader.stop().await.unwrap();
    }
    log.check_once_in_order(30, 2);
    assert_eq!(log.reported("Leading"), 3, "{:?}", log.reports.lock().unwrap());
}

#[dual]
pub(crate) async fn who_fails_gets_the_same_again_and_nothing_after_it(world: World) {
    for (round, trouble, words) in [
        (1, Trouble::Fails(4), "the mailer is down"),
        (2, Trouble::Panics(3), "the handler panicked: the test's handler has a fault"),
    ] {
        let log = Log::default();
        write(&world.governance, &format!("round-{round}"), 1).await;
        let follower = start(world.governance.clone(), "one", &log, Setup { trouble, ..PLAIN });
        write(&world.governance, &format!("after-{round}"), 3).await;
        until("all are delivered", &|| log.count() == 8).await;
        follower.stop().await.unwrap();
        log.check_once_in_order(4, 2);
        let failures = if round == 1 { 4 } else { 3 };
        assert_eq!(log.reported(words), failures, "{:?}", log.reports.lock().unwrap());
    }
}

#[dual]
pub(crate) async fn only_a_handler_that_says_so_skips(world: World) {
    write(&world.governance, "a", 1).await;
    let log = Log::default();
    let follower = start(world.governance.clone(), "one", &log, Setup { trouble: Trouble::Skips(3), ..PLAIN });
    until("it is skipped", &|| log.reported("it never works") == 1).await;
    until("the position is saved", &|| log.reported("Saved") >= 1).await;
    follower.stop().await.unwrap();
    assert_eq!((log.attempts.count(), log.delivered()), (4, vec![(id("a-0"), 0)]));
    let again = start(world.governance.clone(), "one", &log, PLAIN);
    write(&world.governance, "b", 1).await;
    until("the next are delivered", &|| log.count() >= 3).await;
    again.stop().await.unwrap();
    assert_eq!(
        log.delivered(),
        [(id("a-0"), 0), (id("b-0"), 0), (id("b-0"), 1)],
        "what is skipped does not come again"
    );
}

/// The store fails again and again while pages are read, delivered and saved: nothing is lost or handed over twice.
#[dual]
pub(crate) async fn a_store_that_fails_costs_no_delivery(world: World) {
    let shaky = world.shaky();
    shaky.fail_some_feed_calls(3);
    let log = Log::default();
    let setup = Setup { lease: Duration::from_mins(1), page: 4, ..PLAIN };
    let follower = start(world.governance_over(Arc::clone(&shaky)), "one", &log, setup);
    write(&world.governance, "a", 20).await;
    until("all are delivered", &|| log.count() >= 40).await;
    shaky.fail_some_feed_calls(0);
    follower.stop().await.unwrap();
    log.check_once_in_order(20, 2);
    assert!(log.reported("StoreFailed") >= 5, "{:?}", log.reports.lock().unwrap());
}

/// A follower that died holds the lease until its end; then another continues at the position it saved.
#[dual]
pub(crate) async fn after_one_that_died_another_continues_when_its_lease_ends(world: World) {
    write(&world.governance, "a", 2).await;
    let dead = HolderId::generate();
    world.store.lease_consumer(&mailer(), dead, Duration::from_millis(400)).await.unwrap();
    let read = world.store.read_feed(&FeedPosition::beginning(), 1).await.unwrap();
    world.store.save_consumer(&mailer(), dead, &read.next, Duration::from_millis(400)).await.unwrap();
    let log = Log::default();
    let begin = Instant::now();
    let follower = start(world.governance.clone(), "one", &log, PLAIN);
    until("it leads", &|| log.reported("Leading") == 1).await;
    assert!(begin.elapsed() > Duration::from_millis(100), "the lease of the dead one was not over");
    until("the rest is delivered", &|| log.count() >= 4 - read.entries.len()).await;
    follower.stop().await.unwrap();
    assert_eq!(log.count(), 4 - read.entries.len(), "what was saved is not delivered again");
}

/// A handler that takes longer than its lease: another follower delivers the same one, and the slow one no further.
#[dual]
pub(crate) async fn who_outlives_its_lease_delivers_no_further(world: World) {
    write(&world.governance, "a", 2).await;
    let log = Log::default();
    let lease = Duration::from_millis(50);
    // It ends its second delivery of the page of four only when the other one has delivered everything.
    let slow = start(world.governance.clone(), "slow", &log, Setup { lease, trouble: Trouble::Waits(9), ..PLAIN });
    until("the slow one is at work", &|| log.attempts.count() == 1).await;
    write(&world.governance, "b", 2).await;
    let other = start(world.governance.clone(), "other", &log, Setup { lease: LONG, ..PLAIN });
    until("the slow one has given up", &|| log.reported("slow: LeaseLost") == 1).await;
    slow.stop().await.unwrap();
    other.stop().await.unwrap();
    assert_eq!((log.count_by("slow"), log.count_by("other")), (2, 8), "{:?}", log.delivered());
}

#[dual]
pub(crate) async fn a_gap_is_told_until_the_handler_has_read_again(_world: World) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_feed_length(10));
    let world = World::over(store);
    write(&world.governance, "a", 3).await;
    let log = Log::default();
    let follower = start(world.governance.clone(), "one", &log, PLAIN);
    until("all are delivered", &|| log.count() == 6).await;
    follower.stop().await.unwrap();
    write(&world.governance, "b", 20).await;
    let follower = start(world.governance.clone(), "one", &log, PLAIN);
    until("the rest is delivered", &|| log.count() == 16).await;
    follower.stop().await.unwrap();
    assert_eq!((log.resyncs.count(), log.reported("not yet")), (2, 1));
}

#[dual]
pub(crate) async fn a_new_consumer_may_begin_at_the_end(world: World) {
    write(&world.governance, "before", 3).await;
    let log = Log::default();
    let follower = start(world.governance.clone(), "one", &log, Setup { from_end: true, ..PLAIN });
    until("it leads", &|| log.reported("Leading") == 1).await;
    write(&world.governance, "after", 2).await;
    until("the new ones are delivered", &|| log.count() >= 4).await;
    follower.stop().await.unwrap();
    log.check_once_in_order(2, 2);
    assert!(log.delivered().iter().all(|(id, _)| id.as_str().starts_with("after")));
}

/// Stopping finishes the page under way, but does not wait for a handler that fails.
#[dual]
pub(crate) async fn stopping_finishes_the_page_or_leaves_it_to_the_next(world: World) {
    write(&world.governance, "a", 2).await;
    let log = Log::default();
    let trouble = Trouble::Fails(usize::MAX);
    let failing = start(world.governance.clone(), "one", &log, Setup { trouble, ..PLAIN });
    until("it fails", &|| log.attempts.count() >= 2).await;
    failing.stop().await.unwrap();
    let before = log.count();
    assert!(before < 4, "it delivered all");
    let next = start(world.governance.clone(), "two", &log, PLAIN);
    until("the next has delivered all", &|| log.count_by("two") == 4).await;
    next.stop().await.unwrap();
}

#[dual]
pub(crate) async fn a_report_that_panics_is_told_when_it_stops(world: World) {
    write(&world.governance, "a", 1).await;
    let log = Log::default();
    let builder = FeedFollower::builder(world.governance.clone(), mailer()).interval(OFTEN);
    let builder = builder.report_to(|_| panic!("the test's report has a fault"));
    let follower = builder.start(Handler::new(&log));
    until("all are delivered", &|| log.count() == 2).await;
    let told = follower.stop().await.unwrap_err();
    assert!(told.times >= 1 && told.message.contains("the test's report has a fault"), "{told}");
    for bad in [Duration::ZERO, Duration::from_hours(25)] {
        assert!(FeedFollower::builder(world.governance.clone(), mailer()).lease(bad).is_err());
    }
}
