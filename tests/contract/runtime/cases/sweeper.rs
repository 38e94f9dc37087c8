//! The loop that sweeps beside the program.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutator_governance::{Error, PageRequest, RequestId, Result, Status, StoreErrorKind, Swept};

use super::flavour::{Governance, Sweeper};
use super::sweeping::{behind_many_that_always_fail, due_at};
use super::{ShakyStore, World, dual, pause, run_concurrently};
use crate::runtime::PATIENCE;
use crate::runtime::people::{Calls, at, id, user};

/// What a sweeper has reported, and whether it still can.
#[derive(Clone, Default)]
struct Reports {
    expired: Arc<Mutex<Vec<RequestId>>>,
    sweeps: Calls,
    failures: Calls,
}

impl Reports {
    fn add(&self, report: Result<Swept>) {
        match report {
            Ok(swept) => self.expired.lock().unwrap().extend(swept.expired),
            Err(_) => {
                self.failures.add();
            }
        }
        self.sweeps.add();
    }

    fn expired(&self) -> usize {
        self.expired.lock().unwrap().len()
    }
}

fn start(governance: Governance, interval: Duration, limit: usize, reports: &Reports) -> Sweeper {
    let reports = reports.clone();
    let builder = Sweeper::builder(governance, user("sweeper")).interval(interval).limit(limit).unwrap();
    builder.report_to(move |report| reports.add(report)).start()
}

/// Waits until it is true, and fails if it never is.
#[dual]
async fn until(what: &str, is_true: &(dyn Fn() -> bool + Send + Sync)) {
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < PATIENCE, "not yet: {what}");
        pause(Duration::from_millis(2)).await;
    }
}

const OFTEN: Duration = Duration::from_millis(5);
const HARDLY_EVER: Duration = Duration::from_hours(1);

#[dual]
pub(crate) async fn it_sweeps_reports_and_stops(world: World) {
    due_at(&world, "soon", 10).await;
    due_at(&world, "late", 20).await;
    let reports = Reports::default();
    let sweeper = start(world.governance.clone(), OFTEN, 10, &reports);
    until("two sweeps", &|| reports.sweeps.count() >= 2).await;
    assert_eq!(reports.expired(), 0, "nothing is due yet");

    world.clock.set(at(10));
    until("the first expiry", &|| reports.expired() == 1).await;
    let expired = world.stored(&id("soon")).await;
    assert_eq!(expired.state.status(), Status::Expired);
    assert_eq!(expired.decisions.last().unwrap().by.label(), "sweeper");

    sweeper.stop().await.unwrap();
    assert!(reports.sweeps.is_last(), "whoever swept is gone when `stop` returns");
    let sweeps = reports.sweeps.count();
    world.clock.set(at(20));
    pause(OFTEN * 10).await;
    assert_eq!((reports.sweeps.count(), reports.expired()), (sweeps, 1));
    let waiting = world.stored(&id("late")).await;
    assert_eq!(waiting.state.status(), Status::Pending);
}

/// Stops the sweeper, if it has it; or lets the sweep that is under way go on when nobody has stopped for a while.
#[dual]
async fn stop_or_let_go_on(sweeper: Option<Sweeper>, shaky: Arc<ShakyStore>, stopped: Calls) -> bool {
    if let Some(sweeper) = sweeper {
        sweeper.stop().await.unwrap();
        stopped.add();
        return true;
    }
    pause(Duration::from_millis(50)).await;
    assert_eq!(stopped.count(), 0, "a sweep is under way");
    shaky.let_sweepers_meet(1);
    false
}

#[dual]
pub(crate) async fn stopping_waits_for_the_sweep_under_way(world: World) {
    due_at(&world, "due", 0).await;
    let shaky = world.shaky();
    // It waits within its sweep for somebody who never comes.
    shaky.let_sweepers_meet(2);
    let reports = Reports::default();
    let sweeper = start(world.governance_over(Arc::clone(&shaky)), HARDLY_EVER, 10, &reports);
    until("a sweep", &|| shaky.sweeps() == 1).await;

    let stopped = Calls::default();
    let (sweepers, seen) = (Mutex::new(vec![None, Some(sweeper)]), stopped.clone());
    let outcomes = run_concurrently(2, move |_| {
        let sweeper = sweepers.lock().unwrap().pop().unwrap();
        stop_or_let_go_on(sweeper, Arc::clone(&shaky), seen.clone())
    })
    .await;
    assert_eq!((outcomes.into_iter().filter(|stopped| *stopped).count(), stopped.count()), (1, 1));
    assert_eq!(reports.expired(), 1, "the sweep was finished, and no other begun");
    assert_eq!(reports.sweeps.count(), 1);
}

#[dual]
pub(crate) async fn dropping_it_ends_it(world: World) {
    for interval in [OFTEN, HARDLY_EVER] {
        let reports = Reports::default();
        let sweeper = start(world.governance.clone(), interval, 10, &reports);
        until("a sweep", &|| reports.sweeps.count() >= 1).await;
        assert!(!reports.sweeps.is_last());
        drop(sweeper);
        until("its end", &|| reports.sweeps.is_last()).await;
    }
}

#[dual]
pub(crate) async fn a_backlog_is_swept_without_a_rest(world: World) {
    for number in 0..7 {
        due_at(&world, &format!("due-{number}"), number).await;
    }
    world.clock.set(at(10));
    let reports = Reports::default();
    let sweeper = start(world.governance.clone(), HARDLY_EVER, 2, &reports);
    until("the last sweep of all of them", &|| reports.sweeps.count() >= 4).await;
    assert_eq!((reports.expired(), reports.sweeps.count()), (7, 4));
    let order: Vec<String> = reports.expired.lock().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(order, ["due-0", "due-1", "due-2", "due-3", "due-4", "due-5", "due-6"]);
    sweeper.stop().await.unwrap();
}

#[dual]
pub(crate) async fn it_survives_a_store_that_fails(world: World) {
    due_at(&world, "due", 0).await;
    let shaky = world.shaky();
    shaky.fail_sweeps(3);
    let reports = Reports::default();
    let sweeper = start(world.governance_over(shaky), OFTEN, 10, &reports);
    until("the expiry", &|| reports.expired() == 1).await;
    assert_eq!(reports.failures.count(), 3, "each failure is reported");
    sweeper.stop().await.unwrap();
}

#[dual]
pub(crate) async fn it_goes_on_behind_any_number_that_always_fail(world: World) {
    let (governance, fine) = behind_many_that_always_fail(&world).await;
    let reports = Reports::default();
    let sweeper = start(governance, OFTEN, 50, &reports);
    until("the expiry", &|| reports.expired() == 1).await;
    assert_eq!(*reports.expired.lock().unwrap(), [fine]);
    sweeper.stop().await.unwrap();
}

#[dual]
pub(crate) async fn a_limit_by_which_nothing_would_be_swept_is_rejected(world: World) {
    for limit in [0, PageRequest::MAX_LIMIT + 1] {
        let error = Sweeper::builder(world.governance.clone(), user("sweeper")).limit(limit).err().unwrap();
        assert!(error.to_string().contains("it must be 1 to 1000"), "{error}");
    }
}

/// Panics in the first two reports.
fn panic_twice(reports: &Reports, report: Result<Swept>) {
    reports.add(report);
    assert!(reports.sweeps.count() > 2, "the test's report has a fault");
}

#[dual]
pub(crate) async fn a_report_that_panics_ends_nothing_and_is_reported_when_it_stops(world: World) {
    due_at(&world, "soon", 10).await;
    let reports = Reports::default();
    let panicking = reports.clone();
    let builder = Sweeper::builder(world.governance.clone(), user("sweeper")).interval(OFTEN);
    let sweeper = builder.report_to(move |report| panic_twice(&panicking, report)).start();
    until("a third sweep", &|| reports.sweeps.count() >= 3).await;
    world.clock.set(at(10));
    until("the expiry", &|| reports.expired() == 1).await;
    let reported = sweeper.stop().await.unwrap_err();
    assert_eq!(reported.times, 2);
    assert!(reported.message.contains("the test's report has a fault"), "{reported}");
    assert!(reports.sweeps.is_last(), "it is stopped all the same");
}

#[dual]
pub(crate) async fn a_store_that_panics_ends_no_sweeper(world: World) {
    due_at(&world, "due", 0).await;
    let shaky = world.shaky();
    shaky.let_sweeps_panic(2);
    let (reports, seen) = (Reports::default(), Arc::new(Mutex::new(Vec::new())));
    let (reporting, reported) = (reports.clone(), Arc::clone(&seen));
    let builder = Sweeper::builder(world.governance_over(shaky), user("sweeper")).interval(OFTEN);
    let report = move |report: Result<Swept>| {
        if let Err(Error::Store(error)) = &report {
            reported.lock().unwrap().push((error.kind, error.problem.clone()));
        }
        reporting.add(report);
    };
    let sweeper = builder.report_to(report).start();
    until("the expiry", &|| reports.expired() == 1).await;
    sweeper.stop().await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for (kind, problem) in seen.iter() {
        assert_eq!(*kind, StoreErrorKind::Panicked);
        assert!(problem.contains("the test's store has a fault"), "{problem}");
    }
}
