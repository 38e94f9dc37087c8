//! The loop of an executor's workers: find, claim, run, record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::background::{StopSignal, boxed, caught};
use super::super::timer::pause;
use super::executor::{ExecutionHandler, ExecutorBuilder, Reporter};
use super::{Governance, dual};
use crate::error::{Error, Result, UnrecordedExecution};
use crate::query::{Cursor, Page, PageRequest};
use crate::request::{MutationRequest, RequestId, UnsettledWrite, WriteId};
use crate::service::backoff::Backoff;
use crate::service::executor::{ExecutorReport, ReadyQueue, Step, candidates, is_overtaken};
use crate::service::lease::ClaimedRequest;
use crate::service::on_conflict::OnConflict;
use crate::service::reports::{LostReports, panicked};
use crate::service::settle::Settled;
use crate::workflow::lease::check_lease;
use crate::workflow::{Action, Command, Completion, ExecutionOrder, ExecutionOutcome, Failure};

/// Pauses between attempts to record a result: short, because another executor may take over when the lease ends.
const RECORDING: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// One of the workers.
struct Worker {
    with: Arc<ExecutorBuilder<Reporter>>,
    queue: Arc<ReadyQueue>,
    lost: Arc<LostReports>,
    stop: StopSignal,
}

/// How a call of `execute` ended.
enum Run {
    Ended(Box<ExecutionOutcome>),
    /// The handler has run, and another executor has taken over since.
    Lost(Error),
}

#[dual]
pub(super) async fn work_until_stopped(
    with: Arc<ExecutorBuilder<Reporter>>,
    queue: Arc<ReadyQueue>,
    lost: Arc<LostReports>,
    stop: StopSignal,
) {
    let worker = Worker { with, queue, lost, stop };
    while !worker.stop.is_given() {
        match worker.queue.next(Instant::now()) {
            Step::Execute(request) => {
                let tried = boxed(caught(|| worker.execute(&request))).await;
                let tried = tried.unwrap_or_else(|panic| Err(panicked("the execution", &panic)));
                let rest = tried.unwrap_or_else(|error| worker.not_executed(&request.id, error));
                worker.queue.ended(&request.id, rest, Instant::now());
            }
            Step::Read(after) => {
                let read = caught(|| worker.read(after)).await;
                if let Err(error) = read.unwrap_or_else(|panic| Err(panicked("looking for requests", &panic))) {
                    worker.queue.read_failed(Instant::now());
                    worker.report(ExecutorReport::StoreFailed(error));
                }
            }
            Step::Rest(duration) => {
                worker.stop.wait(duration).await;
            }
        }
    }
}

impl Worker {
    fn governance(&self) -> &Governance {
        &self.with.governance
    }

    fn report(&self, report: ExecutorReport) {
        self.lost.guard(|| (self.with.report)(report));
    }

    /// Reports why a request was not executed; returns for how long it rests.
    fn not_executed(&self, id: &RequestId, error: Error) -> Option<Duration> {
        if is_overtaken(&error) {
            return None;
        }
        let again_in = self.queue.pause_after(id);
        self.report(ExecutorReport::NotExecuted { id: id.clone(), error, again_in });
        Some(again_in)
    }

    fn ran(&self, id: &RequestId, run: Run) {
        match run {
            Run::Ended(outcome) => self.report(ExecutorReport::Ended(outcome)),
            Run::Lost(error) => self.not_recorded(id, error, None),
        }
    }

    fn not_recorded(&self, id: &RequestId, error: Error, again_in: Option<Duration>) {
        self.report(ExecutorReport::NotRecorded { id: id.clone(), error, again_in });
    }
}

#[dual]
impl Worker {
    /// Reads a page of candidates into the queue.
    async fn read(&self, after: Option<Cursor>) -> Result<()> {
        // Nobody can execute anything, and a query without types would find every request.
        if self.with.handlers.is_empty() {
            self.queue.fill(Page::new(Vec::new(), None, 0), self.governance().clock.now(), Instant::now());
            return Ok(());
        }
        let query = candidates(self.with.handlers.keys())?;
        let limit = PageRequest::DEFAULT_LIMIT.max(2 * self.with.concurrency).min(PageRequest::MAX_LIMIT);
        let mut asked = PageRequest::of(limit)?;
        if let Some(cursor) = after {
            asked = asked.after(cursor);
        }
        let page = self.governance().ready(&query, &asked).await?;
        for unreadable in self.queue.fill(page, self.governance().clock.now(), Instant::now()) {
            self.report(ExecutorReport::Unreadable(unreadable));
        }
        Ok(())
    }

    /// Executes a request by the handler of its type. Returns for how long it rests after an attempt that left no trace
    /// in it.
    async fn execute(&self, request: &MutationRequest) -> Result<Option<Duration>> {
        let Some(handler) = self.with.handlers.get(&request.target.mutation_type) else { return Ok(None) };
        self.with.by.ensure_commit_mode()?;
        check_lease(&request.id, self.with.lease, self.governance().store.call_timeout())?;
        let version = caught(|| handler.current_version(request)).await;
        let current = match version.unwrap_or_else(|panic| Err(failure_of(&panic))) {
            Ok(current) => current,
            Err(failure) => {
                let (id, again_in) = (request.id.clone(), self.queue.pause_after(&request.id));
                self.report(ExecutorReport::NoVersion { id, failure, again_in });
                return Ok(Some(again_in));
            }
        };
        let order = ExecutionOrder::new(Arc::clone(&self.with.by), current)
            .with_lease(self.with.lease)
            .renewed_for_at_most(self.with.renewed_for);
        let order = order.when_stale(self.with.when_stale).when_failed(self.with.when_failed);
        let began = Instant::now();
        match boxed(self.run(request.clone(), &order, &**handler)).await {
            Ok(run) => self.ran(&request.id, run),
            Err(Error::Unrecorded(unrecorded)) => self.record(*unrecorded, &order, &**handler, began).await,
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn run(
        &self,
        request: MutationRequest,
        order: &ExecutionOrder,
        handler: &dyn ExecutionHandler,
    ) -> Result<Run> {
        let called = AtomicBool::new(false);
        let run = run_with!(|claimed| run_guarded(handler, claimed, &called));
        let outcome = self.governance().on_conflict(OnConflict::Fail).execute_loaded(request, order, run).await;
        match outcome {
            // What the handler did is not recorded: somebody has taken over meanwhile.
            Err(lost @ Error::Execution { .. }) if called.into_inner() => Ok(Run::Lost(lost)),
            outcome => Ok(Run::Ended(Box::new(outcome?))),
        }
    }

    /// Records a result that `execute` could not record, until it is recorded or somebody has taken over; once the
    /// executor is to stop, until the lease is over.
    async fn record(
        &self,
        unrecorded: UnrecordedExecution,
        order: &ExecutionOrder,
        handler: &dyn ExecutionHandler,
        began: Instant,
    ) {
        let UnrecordedExecution { id, record, compensates, mut error, .. } = unrecorded;
        let (open, write_id) = (error.unsettled_write().cloned(), WriteId::generate());
        let mut failures = 0;
        let recorded = loop {
            let gives_up = self.stop.is_given() && began.elapsed() > self.with.lease;
            if gives_up || !(error.is_passing_failure() || error.as_conflict().is_some()) {
                self.not_recorded(&id, error, None);
                return;
            }
            failures += 1;
            let again_in = RECORDING.pause(failures, fastrand::f64());
            self.not_recorded(&id, error, Some(again_in));
            pause(again_in).await;
            error = match boxed(self.record_once(&id, &record, open.as_ref(), write_id)).await {
                Ok(recorded) => break recorded,
                Err(error) => error,
            };
        };
        // The same call links the original, and runs nothing.
        let linked = match compensates {
            Some(_) => boxed(self.run(recorded, order, handler)).await,
            None => Ok(Run::Ended(Box::new(outcome_of(&record, recorded)))),
        };
        match linked {
            Ok(run) => self.ran(&id, run),
            Err(error) => self.not_recorded(&id, error, None),
        }
    }

    /// Records a result, unless the write whose outcome was unknown has done so.
    async fn record_once(
        &self,
        id: &RequestId,
        record: &Command,
        open: Option<&UnsettledWrite>,
        write_id: WriteId,
    ) -> Result<MutationRequest> {
        if let Some(write) = open {
            let settled = self.governance().settle(write).await?;
            if settled == Settled::Applied {
                return self.governance().load(id).await;
            }
        }
        self.governance().apply_as(id, record, write_id).await
    }
}

/// The outcome of an execution whose result this command has recorded.
fn outcome_of(record: &Command, request: MutationRequest) -> ExecutionOutcome {
    match &record.action {
        Action::Fail { failure, .. } => ExecutionOutcome::Failed { request, failure: failure.clone() },
        _ => ExecutionOutcome::executed(request),
    }
}

/// What the handler returns, or its panic as a failure.
#[dual]
async fn run_guarded(
    handler: &dyn ExecutionHandler,
    claimed: &ClaimedRequest,
    called: &AtomicBool,
) -> Result<Completion, Failure> {
    called.store(true, Ordering::Relaxed);
    caught(|| handler.execute(claimed)).await.unwrap_or_else(|panic| Err(failure_of(&panic)))
}

fn failure_of(panic: &str) -> Failure {
    Failure::new(format!("the handler panicked: {panic}")).with_code("panicked")
}
