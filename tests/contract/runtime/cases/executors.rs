//! Executors that run ready requests beside the program: what is run, how often, and what is left alone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mutator_governance::workflow::{AfterFailure, Completion, ExecutionOutcome, Failure};
use mutator_governance::{
    ClaimedRequest, ExecutionDecision, ExecutorReport, Intent, MutationRequest, MutationType, RequestDraft, RequestId,
    StateVersion, Status, Target,
};

use super::flavour::{ExecutionHandler, Executor, ExecutorBuilder, Governance};
use super::sweeper::until;
use super::{Mishap, World, dual, pause};
use crate::runtime::people::{Calls, approved, at, count, id, needing, user, version};

pub(super) const OFTEN: Duration = Duration::from_millis(5);

/// What the executors of a case have run and reported.
#[derive(Clone, Default)]
pub(super) struct Log {
    runs: Arc<Mutex<BTreeMap<RequestId, usize>>>,
    running: Arc<AtomicUsize>,
    most_running: Arc<AtomicUsize>,
    reports: Arc<Mutex<Vec<String>>>,
    ended: Calls,
    versions: Calls,
}

impl Log {
    pub(super) fn runs_of(&self, id: &RequestId) -> usize {
        self.runs.lock().unwrap().get(id).copied().unwrap_or(0)
    }

    /// How many requests were run.
    pub(super) fn count(&self) -> usize {
        self.runs.lock().unwrap().len()
    }

    pub(super) fn ended(&self) -> usize {
        self.ended.count()
    }

    pub(super) fn reported(&self, words: &str) -> usize {
        self.reports.lock().unwrap().iter().filter(|report| report.contains(words)).count()
    }

    pub(super) fn check_once(&self, requests: usize) {
        let runs = self.runs.lock().unwrap();
        assert_eq!(runs.len(), requests);
        assert!(runs.values().all(|times| *times == 1), "{runs:?}");
    }

    fn add(&self, report: &ExecutorReport) {
        if matches!(report, ExecutorReport::Ended(_)) {
            self.ended.add();
        }
        let said = match report {
            ExecutorReport::Ended(outcome) => match &**outcome {
                ExecutionOutcome::Failed { failure, .. } => format!("failed: {}", failure.message),
                outcome => format!("{}", outcome.request().state.status()),
            },
            ExecutorReport::NotExecuted { id, error, .. } => format!("{id} was not executed: {error}"),
            ExecutorReport::NoVersion { id, failure, .. } => format!("{id} has no version: {}", failure.message),
            ExecutorReport::NotRecorded { id, error, again_in } => {
                format!("{id} is not recorded ({}): {error}", if again_in.is_some() { "yet" } else { "at all" })
            }
            other => format!("{other:?}"),
        };
        self.reports.lock().unwrap().push(said);
    }
}

/// What a handler does with the request `trouble`; any other it executes at once.
#[derive(Clone)]
pub(super) enum Trouble {
    None,
    Fails,
    Panics,
    /// The version is not known the first so many times.
    NoVersion(usize),
    /// Waits until it is let go on.
    Waits(Arc<AtomicUsize>),
    /// Every request takes so long.
    Slow(Duration),
}

pub(super) struct Handler {
    pub(super) log: Log,
    pub(super) trouble: Trouble,
}

#[dual]
impl ExecutionHandler for Handler {
    async fn current_version(&self, request: &MutationRequest) -> Result<StateVersion, Failure> {
        match self.trouble {
            Trouble::NoVersion(times) if request.id == "trouble" && self.log.versions.add() <= times => {
                Err(Failure::new("the directory is down"))
            }
            _ => Ok(version("v1")),
        }
    }

    async fn execute(&self, request: &ClaimedRequest) -> Result<Completion, Failure> {
        *self.log.runs.lock().unwrap().entry(request.id.clone()).or_default() += 1;
        let running = self.log.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.log.most_running.fetch_max(running, Ordering::SeqCst);
        let is_trouble = request.id == "trouble";
        match &self.trouble {
            Trouble::Waits(go_on) if is_trouble => {
                while go_on.load(Ordering::SeqCst) == 0 {
                    pause(OFTEN).await;
                }
            }
            Trouble::Slow(duration) => pause(*duration).await,
            _ => {}
        }
        self.log.running.fetch_sub(1, Ordering::SeqCst);
        match self.trouble {
            Trouble::Fails if is_trouble => Err(Failure::new("the change is impossible")),
            Trouble::Panics if is_trouble => panic!("the test's handler has a fault"),
            _ => Ok(Completion::new().resulting_in(version("v2"))),
        }
    }
}

fn role_grant() -> MutationType {
    MutationType::new("RoleGrant").unwrap()
}

pub(super) fn builder(governance: Governance, log: &Log, trouble: Trouble) -> ExecutorBuilder {
    let handler = Handler { log: log.clone(), trouble };
    let builder = Executor::builder(governance, user("executor")).interval(OFTEN).lease(Duration::from_secs(60));
    builder.handle(role_grant(), handler).unwrap()
}

pub(super) fn start(builder: ExecutorBuilder, log: &Log) -> Executor {
    let log = log.clone();
    builder.report_to(move |report| log.add(&report)).start()
}

/// Stops it, and checks that nothing is left.
#[dual]
pub(super) async fn check_stopped(executor: Executor) {
    let stopped = executor.stop().await;
    assert_eq!((stopped.still_running, stopped.lost_reports), (Vec::new(), None));
}

#[dual]
pub(super) async fn submit_many(governance: &Governance, requests: usize) {
    for number in 0..requests {
        governance.submit(approved(&format!("request-{number}"))).await.unwrap();
    }
}

#[dual]
pub(crate) async fn of_three_executors_each_request_is_run_once(world: World) {
    submit_many(&world.governance, 100).await;
    let log = Log::default();
    let executors = [0, 1, 2].map(|_| start(builder(world.governance.clone(), &log, Trouble::None), &log));
    for number in 100..200 {
        world.governance.submit(approved(&format!("request-{number}"))).await.unwrap();
    }
    until("all are executed", &|| log.ended() >= 200).await;
    for executor in executors {
        check_stopped(executor).await;
    }
    log.check_once(200);
    assert_eq!((log.ended(), log.reported("Executed")), (200, 200), "{:?}", log.reports.lock().unwrap());
    let stored = world.stored(&id("request-150")).await;
    assert_eq!((stored.state.status(), count(&stored, ExecutionDecision::Claimed)), (Status::Executed, 1));
}

#[dual]
pub(crate) async fn no_more_run_at_once_than_are_allowed(world: World) {
    submit_many(&world.governance, 24).await;
    let log = Log::default();
    let slow = builder(world.governance.clone(), &log, Trouble::Slow(OFTEN * 4));
    let executor = start(slow.concurrency(3).unwrap(), &log);
    until("all are executed", &|| log.ended() >= 24).await;
    check_stopped(executor).await;
    log.check_once(24);
    assert_eq!(log.most_running.load(Ordering::SeqCst), 3);
    for bad in [0, Executor::MAX_CONCURRENCY + 1] {
        assert!(builder(world.governance.clone(), &log, Trouble::None).concurrency(bad).is_err());
    }
}

#[dual]
pub(crate) async fn a_type_without_a_handler_and_what_is_not_ready_are_left_alone(world: World) {
    let other = Target::new("tenant:acme", "Tenant", "RoleRevocation").unwrap();
    let other =
        RequestDraft::new(other, Intent::new("revoke-role", "Access").unwrap(), user("requester")).already_approved();
    let mut left = Vec::new();
    left.push(world.governance.submit(other).await.unwrap());
    left.push(world.governance.submit(needing("waiting", &["mona"])).await.unwrap());
    world.governance.submit(approved("request-0")).await.unwrap();
    let log = Log::default();
    let executor = start(builder(world.governance.clone(), &log, Trouble::None), &log);
    until("the one is executed", &|| log.ended() == 1).await;
    pause(OFTEN * 10).await;
    check_stopped(executor).await;
    for request in left {
        let stored = world.stored(&request.id).await;
        assert_eq!(stored, request, "nobody has claimed it either");
    }
    log.check_once(1);
    let without_handler = start(Executor::builder(world.governance.clone(), user("executor")).interval(OFTEN), &log);
    pause(OFTEN * 4).await;
    check_stopped(without_handler).await;
    assert_eq!(log.reported(""), 1, "{:?}", log.reports.lock().unwrap());
}

/// What fails and stays approved rests for a pause that doubles, for every executor, and the others go on.
#[dual]
pub(crate) async fn what_fails_rests_and_keeps_nobody_waiting(world: World) {
    for trouble in [Trouble::Fails, Trouble::Panics] {
        let trouble_id = id("trouble");
        let log = Log::default();
        let keeping = |trouble| {
            let builder = builder(world.governance.clone(), &log, trouble).concurrency(1).unwrap();
            let builder = builder.when_failed(AfterFailure::KeepApproved);
            start(builder.pauses(Duration::from_secs(10), Duration::from_secs(15)), &log)
        };
        if matches!(trouble, Trouble::Fails) {
            world.governance.submit(approved("trouble")).await.unwrap();
        }
        let begin = world.clock_seconds();
        let made = world.stored(&trouble_id).await;
        let made = count(&made, ExecutionDecision::Failed);
        let executors = [keeping(trouble.clone()), keeping(trouble.clone())];
        let prefix = if made == 0 { "first" } else { "second" };
        until("it fails", &|| log.runs_of(&trouble_id) == 1).await;
        for number in 0..5 {
            world.governance.submit(approved(&format!("{prefix}-{number}"))).await.unwrap();
        }
        until("the others are executed", &|| log.count() == 6 && log.ended() >= 6).await;
        // Pauses of 10, 15, 15 s, of which the third already follows the longest.
        for (attempt, pause_before) in [(2, if made == 0 { 10 } else { 15 }), (3, 15), (4, 15)] {
            let rested = world.clock_seconds() + pause_before;
            world.clock.set(at(rested - 1));
            pause(OFTEN * 10).await;
            assert_eq!(log.runs_of(&trouble_id), attempt - 1, "at second {} since {begin}", rested - 1);
            world.clock.set(at(rested));
            until("the next attempt", &|| log.runs_of(&trouble_id) == attempt && log.ended() >= attempt + 5).await;
        }
        for executor in executors {
            check_stopped(executor).await;
        }
        let stored = world.stored(&trouble_id).await;
        assert_eq!(count(&stored, ExecutionDecision::Failed), made + 4);
        world.clock.set(at(world.clock_seconds() + 15));
    }
}

#[dual]
pub(crate) async fn a_handler_that_panics_has_failed(world: World) {
    world.governance.submit(approved("trouble")).await.unwrap();
    let log = Log::default();
    let executor = start(builder(world.governance.clone(), &log, Trouble::Panics), &log);
    until("it has failed", &|| log.ended() == 1).await;
    world.governance.submit(approved("request-0")).await.unwrap();
    until("the next is executed", &|| log.ended() == 2).await;
    check_stopped(executor).await;
    let stored = world.stored(&id("trouble")).await;
    assert_eq!((stored.state.status(), stored.execution.claim.as_ref()), (Status::Rejected, None));
    assert_eq!(log.reported("failed: the handler panicked: the test's handler has a fault"), 1);
    log.check_once(2);
}

#[dual]
pub(crate) async fn without_a_version_it_is_not_claimed_and_tried_again(world: World) {
    let request = world.governance.submit(approved("trouble")).await.unwrap();
    let log = Log::default();
    let builder = builder(world.governance.clone(), &log, Trouble::NoVersion(3)).pauses(OFTEN * 40, OFTEN * 80);
    let begin = Instant::now();
    let executor = start(builder, &log);
    until("it is executed", &|| log.ended() == 1).await;
    assert!(begin.elapsed() > OFTEN * 80, "it rested for {:?}", begin.elapsed());
    check_stopped(executor).await;
    assert_eq!(log.reported("has no version: the directory is down"), 3);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored.revision().number, 2, "claimed once and executed");
}

#[dual]
pub(crate) async fn stopping_claims_no_more_and_names_what_still_runs(world: World) {
    world.governance.submit(approved("trouble")).await.unwrap();
    let log = Log::default();
    let go_on = Arc::new(AtomicUsize::new(0));
    let waiting = builder(world.governance.clone(), &log, Trouble::Waits(Arc::clone(&go_on)));
    let executor = start(waiting.concurrency(2).unwrap().stop_within(OFTEN * 4), &log);
    until("it runs", &|| log.count() == 1).await;
    let stopped = executor.stop().await;
    assert_eq!(stopped.still_running, [id("trouble")]);
    submit_many(&world.governance, 3).await;
    pause(OFTEN * 10).await;
    assert_eq!(log.count(), 1, "nothing is claimed after the stop");
    // It goes on as long as the process lives.
    go_on.store(1, Ordering::SeqCst);
    until("it is recorded", &|| log.ended() == 1).await;
    let stored = world.stored(&id("trouble")).await;
    assert_eq!(stored.state.status(), Status::Executed);

    let executor = start(builder(world.governance.clone(), &log, Trouble::Slow(OFTEN * 10)), &log);
    until("one runs", &|| log.count() > 1).await;
    check_stopped(executor).await;
    assert_eq!(log.count(), log.ended());
}

/// A handler that outlives its lease: another executor takes over, and the result of the slow one is not recorded.
#[dual]
pub(crate) async fn who_outlives_the_lease_records_nothing_over_its_successor(world: World) {
    world.governance.submit(approved("trouble")).await.unwrap();
    let (slow_log, log, go_on) = (Log::default(), Log::default(), Arc::new(AtomicUsize::new(0)));
    let slow = start(builder(world.governance.clone(), &slow_log, Trouble::Waits(Arc::clone(&go_on))), &slow_log);
    until("the slow one runs", &|| slow_log.count() == 1).await;
    let other = start(builder(world.governance.clone(), &log, Trouble::None), &log);
    pause(OFTEN * 10).await;
    assert_eq!(log.count(), 0, "the lease lasts");
    world.clock.set(at(61));
    until("the other one has taken over", &|| log.ended() == 1).await;
    go_on.store(1, Ordering::SeqCst);
    until("the slow one has reported", &|| slow_log.reported("trouble is not recorded (at all)") == 1).await;
    for executor in [slow, other] {
        check_stopped(executor).await;
    }
    let stored = world.stored(&id("trouble")).await;
    assert_eq!((stored.state.status(), count(&stored, ExecutionDecision::Claimed)), (Status::Executed, 2));
    assert_eq!((slow_log.ended(), log.reported("Executed")), (0, 1));
}

/// The result of a handler is recorded however often the store fails, and the handler is not called again.
#[dual]
pub(crate) async fn a_result_that_could_not_be_written_is_recorded_later(world: World) {
    world.governance.submit(approved("request-0")).await.unwrap();
    let shaky = world.shaky();
    for update in 2..=4 {
        shaky.plan(update, Mishap::Lost);
    }
    let log = Log::default();
    let executor = start(builder(world.governance_over(shaky), &log, Trouble::None), &log);
    until("it is recorded", &|| log.ended() == 1).await;
    check_stopped(executor).await;
    assert_eq!(log.reported("request-0 is not recorded (yet)"), 3, "{:?}", log.reports.lock().unwrap());
    log.check_once(1);
    let stored = world.stored(&id("request-0")).await;
    assert_eq!(stored.state.status(), Status::Executed);
}

#[dual]
pub(crate) async fn a_report_that_panics_ends_no_executor(world: World) {
    submit_many(&world.governance, 3).await;
    let log = Log::default();
    let builder = builder(world.governance.clone(), &log, Trouble::None).concurrency(1).unwrap();
    let executor = builder.report_to(|_| panic!("the test's report has a fault")).start();
    until("all are run", &|| log.count() == 3).await;
    let stopped = executor.stop().await;
    let lost = stopped.lost_reports.unwrap();
    assert_eq!((stopped.still_running.len(), lost.times), (0, 3));
}
