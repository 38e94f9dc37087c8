//! Executes ready requests in the background.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::background::Background;
use super::executing::work_until_stopped;
use super::{Governance, dual};
use crate::error::InvalidValue;
use crate::query::MAX_CHOICES;
use crate::request::{ActorContext, MutationRequest, MutationType, StateVersion};
use crate::service::backoff::Backoff;
use crate::service::executor::{ExecutorReport, ExecutorStopped, ReadyQueue};
use crate::service::lease::ClaimedRequest;
use crate::service::reports::LostReports;
use crate::workflow::{AfterFailure, Completion, Failure, StaleStrategy};

/// What an executor calls for requests of one mutation type.
///
/// In the asynchronous flavour the methods are `async fn`; write `#[async_trait]` before the `impl`, as the example of
/// `nonblocking` does, which exports it.
#[dual]
pub trait ExecutionHandler: Send + Sync {
    /// The version of the state that the request would change, as it is now.
    ///
    /// # Errors
    /// A [`Failure`] when it cannot be found out: the request is left as it is, and tried again after a pause.
    async fn current_version(&self, request: &MutationRequest) -> Result<StateVersion, Failure>;

    /// Makes the change. This executor alone holds the request, as long as its [lease](ClaimedRequest::lease) lasts;
    /// what must not happen twice checks the lease first, or uses the id of the request as an idempotency key.
    ///
    /// # Errors
    /// A [`Failure`], which is recorded; the request is then rejected or stays approved, as
    /// [the builder](ExecutorBuilder::when_failed) says. A panic is recorded as a failure with the code `panicked`.
    async fn execute(&self, request: &ClaimedRequest) -> Result<Completion, Failure>;
}

/// Executes approved requests, beside the rest of the program: in threads of its own in the blocking flavour, in tasks
/// of the current runtime in the asynchronous one.
///
/// Finds them by an index, claims each, calls the handler of its mutation type, and records the result. Any number of
/// executors may run at once, in any number of processes: each request is executed by one of them. A request of a type
/// without a handler is left alone.
///
/// A request that is tried again by a policy is left alone until the pause after its last failure is over. One that fails
/// and is kept approved is left alone for a pause that doubles with each failure, by every executor that has the same
/// pauses. Neither keeps other requests waiting.
///
/// Dropping it stops it without waiting. Nothing else ends it: a failure of the store, or a panic, is reported, and
/// after a pause it goes on.
pub struct Executor {
    workers: Vec<Background>,
    queue: Arc<ReadyQueue>,
    lost_reports: Arc<LostReports>,
    stop_within: Duration,
}

/// Configures an [`Executor`]. It starts only with a function [to report to](Self::report_to): nothing else reports
/// what failed.
#[derive(Clone)]
pub struct ExecutorBuilder<Report = ()> {
    pub(super) governance: Governance,
    pub(super) by: Arc<ActorContext>,
    pub(super) handlers: BTreeMap<MutationType, Arc<dyn ExecutionHandler>>,
    pub(super) concurrency: usize,
    pub(super) interval: Duration,
    pub(super) lease: Duration,
    pub(super) renewed_for: Duration,
    pub(super) when_stale: StaleStrategy,
    pub(super) when_failed: AfterFailure,
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
    pub(super) stop_within: Duration,
    pub(super) report: Report,
}

/// Receives what the executor did or met.
pub(super) type Reporter = Arc<dyn Fn(ExecutorReport) + Send + Sync>;

impl Executor {
    /// The most requests that one executor may execute at once: 256.
    pub const MAX_CONCURRENCY: usize = 256;

    /// A builder of an executor of the requests of this service, acting as `by`.
    pub fn builder(governance: Governance, by: impl Into<Arc<ActorContext>>) -> ExecutorBuilder {
        ExecutorBuilder {
            governance,
            by: by.into(),
            handlers: BTreeMap::new(),
            concurrency: 8,
            interval: Duration::from_secs(1),
            lease: Duration::from_secs(60),
            renewed_for: Duration::MAX,
            when_stale: StaleStrategy::RejectStale,
            when_failed: AfterFailure::default(),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(15 * 60),
            stop_within: Duration::from_secs(30),
            report: (),
        }
    }
}

impl<Report> ExecutorBuilder<Report> {
    /// Executes requests of this mutation type by this handler; replaces an earlier handler of the type.
    ///
    /// # Errors
    /// [`InvalidValue`] for more types than one query may name, [`MAX_CHOICES`].
    pub fn handle(
        mut self,
        mutation_type: MutationType,
        handler: impl ExecutionHandler + 'static,
    ) -> Result<Self, InvalidValue> {
        self.handlers.insert(mutation_type, Arc::new(handler));
        if self.handlers.len() > MAX_CHOICES {
            let problem = format!("for more than {MAX_CHOICES} types; start another executor for the rest");
            return Err(InvalidValue::new("handlers of an executor", problem));
        }
        Ok(self)
    }

    /// How many requests are executed at once: 1 to [`Executor::MAX_CONCURRENCY`]. The blocking flavour uses as many
    /// threads. Defaults to 8.
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn concurrency(mut self, requests: usize) -> Result<Self, InvalidValue> {
        if !(1..=Executor::MAX_CONCURRENCY).contains(&requests) {
            let problem = format!("of {requests}; it must be 1 to {}", Executor::MAX_CONCURRENCY);
            return Err(InvalidValue::new("concurrency of an executor", problem));
        }
        self.concurrency = requests;
        Ok(self)
    }

    /// The pause after all ready requests were found. Defaults to 1 s. A random part, up to a tenth, is added.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// For how long nobody else may execute a claimed request if this process dies. While a handler runs, the lease is
    /// renewed each third of it. Defaults to 1 minute.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Renews the lease of a request for no longer than this, so that a handler that hangs does not keep it for ever.
    /// Defaults to as long as the handler runs.
    #[must_use]
    pub fn renewed_for_at_most(mut self, limit: Duration) -> Self {
        self.renewed_for = limit;
        self
    }

    /// What to do with a request that was written for another version of the state. Defaults to rejecting it.
    #[must_use]
    pub fn when_stale(mut self, strategy: StaleStrategy) -> Self {
        self.when_stale = strategy;
        self
    }

    /// What becomes of a request whose execution fails. Defaults to what it was
    /// [submitted with](crate::RequestDraft::retrying), without that to rejecting it.
    #[must_use]
    pub fn when_failed(mut self, after_failure: AfterFailure) -> Self {
        self.when_failed = after_failure;
        self
    }

    /// The pauses of a request that fails and is kept approved without a policy, or could not be claimed: the first, and the longest; each
    /// is twice as long as the one before. Give all executors of a namespace the same. Defaults to 1 s and 15 minutes.
    #[must_use]
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest);
        self
    }

    /// How long [`stop`](Executor::stop) waits for the requests that are being executed. Defaults to 30 s.
    #[must_use]
    pub fn stop_within(mut self, duration: Duration) -> Self {
        self.stop_within = duration;
        self
    }

    /// Calls this with what the executor did or met. Report at least the failures: the executor goes on after them. If
    /// the function itself panics, the executor goes on too and [`stop`](Executor::stop) returns that.
    pub fn report_to(self, report: impl Fn(ExecutorReport) + Send + Sync + 'static) -> ExecutorBuilder<Reporter> {
        ExecutorBuilder {
            governance: self.governance,
            by: self.by,
            handlers: self.handlers,
            concurrency: self.concurrency,
            interval: self.interval,
            lease: self.lease,
            renewed_for: self.renewed_for,
            when_stale: self.when_stale,
            when_failed: self.when_failed,
            first_pause: self.first_pause,
            longest_pause: self.longest_pause,
            stop_within: self.stop_within,
            report: Arc::new(report),
        }
    }
}

impl ExecutorBuilder<Reporter> {
    /// Starts executing at once. In the asynchronous flavour, call it within the runtime.
    pub fn start(self) -> Executor {
        let (concurrency, stop_within) = (self.concurrency, self.stop_within);
        let lost_reports = Arc::<LostReports>::default();
        let queue = Arc::new(ReadyQueue::new(self.interval, Backoff::new(self.first_pause, self.longest_pause)));
        let with = Arc::new(self);
        let worker = |_| {
            let (with, queue, lost) = (Arc::clone(&with), Arc::clone(&queue), Arc::clone(&lost_reports));
            Background::start(move |stop| work_until_stopped(with, queue, lost, stop))
        };
        let workers = (0..concurrency).map(worker).collect();
        Executor { workers, queue, lost_reports, stop_within }
    }
}

#[dual]
impl Executor {
    /// Claims nothing from now on, and waits for the requests that are being executed, as long as
    /// [allowed](ExecutorBuilder::stop_within). Returns those that are still running then.
    pub async fn stop(mut self) -> ExecutorStopped {
        for worker in &mut self.workers {
            worker.tell_to_stop();
        }
        let begin = Instant::now();
        for worker in &self.workers {
            worker.ends_within(self.stop_within.saturating_sub(begin.elapsed())).await;
        }
        ExecutorStopped { still_running: self.queue.running(), lost_reports: self.lost_reports.check().err() }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("running", &self.queue.running()).finish_non_exhaustive()
    }
}
