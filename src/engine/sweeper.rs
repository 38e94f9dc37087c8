//! Sweeps again and again in the background.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::background::{Background, StopSignal, caught};
use super::{Governance, dual};
use crate::error::{InvalidValue, Result};
use crate::query::{Cursor, PageRequest};
use crate::request::ActorContext;
use crate::service::backoff::jittered;
use crate::service::reports::{LostReports, ReportPanicked, panicked};
use crate::service::sweep::Swept;

/// Expires what is due, again and again, beside the rest of the program: in a thread of its own in the blocking
/// flavour, in a task of the current runtime in the asynchronous one.
///
/// Any number of sweepers may run at once, in any number of processes. Dropping it stops it without waiting. Nothing
/// else ends it: a panic in what it calls is caught, and the next sweep follows as usual.
pub struct Sweeper {
    background: Background,
    lost_reports: Arc<LostReports>,
}

/// Configures a [`Sweeper`]. It starts only with a function [to report to](Self::report_to): nothing else reports what
/// a sweep could not do.
#[derive(Clone)]
pub struct SweeperBuilder<Report = ()> {
    governance: Governance,
    by: Arc<ActorContext>,
    interval: Duration,
    limit: usize,
    report: Report,
}

/// Receives the result of each sweep.
type Reporter = Arc<dyn Fn(Result<Swept>) + Send + Sync>;

impl Sweeper {
    /// A builder of a sweeper over the requests of this service, acting as `by`.
    pub fn builder(governance: Governance, by: impl Into<Arc<ActorContext>>) -> SweeperBuilder {
        SweeperBuilder {
            governance,
            by: by.into(),
            interval: Duration::from_secs(10),
            limit: PageRequest::MAX_LIMIT,
            report: (),
        }
    }
}

impl<Report> SweeperBuilder<Report> {
    /// The pause between two sweeps. Defaults to 10 s. A random part, up to a tenth, is added, so that many sweepers do
    /// not all start at the same moment.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The maximum number of requests that one sweep expires, 1 to [`PageRequest::MAX_LIMIT`]. Defaults to that
    /// maximum. If more are due, the next sweep follows at once.
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn limit(mut self, requests: usize) -> Result<Self, InvalidValue> {
        self.limit = PageRequest::of(requests)?.limit();
        Ok(self)
    }

    /// Calls this with the result of each sweep, or with the error that ended it. Report at least the errors, and what
    /// [failed](Swept::failed): the sweeper continues after both. A sweep in which the store or the clock panicked is
    /// reported as [`StoreErrorKind::Panicked`](crate::StoreErrorKind::Panicked). If the function itself panics, the
    /// sweeper continues too and [`stop`](Sweeper::stop) returns that.
    pub fn report_to(self, report: impl Fn(Result<Swept>) + Send + Sync + 'static) -> SweeperBuilder<Reporter> {
        let Self { governance, by, interval, limit, report: _ } = self;
        SweeperBuilder { governance, by, interval, limit, report: Arc::new(report) }
    }
}

impl SweeperBuilder<Reporter> {
    /// Starts sweeping at once. In the asynchronous flavour, call it within the runtime.
    pub fn start(self) -> Sweeper {
        let lost_reports = Arc::<LostReports>::default();
        let lost = Arc::clone(&lost_reports);
        Sweeper { background: Background::start(move |stop| sweep_until_stopped(self, lost, stop)), lost_reports }
    }
}

#[dual]
impl Sweeper {
    /// Stops sweeping and waits until the current sweep has ended.
    ///
    /// # Errors
    /// [`ReportPanicked`] when the function that it reports to panicked in any report. The sweeper stops all the same.
    pub async fn stop(self) -> Result<(), ReportPanicked> {
        self.background.stop().await;
        self.lost_reports.check()
    }
}

#[dual]
impl SweeperBuilder<Reporter> {
    /// One sweep, starting after those that failed in the previous one.
    async fn sweep(&self, after: Option<Cursor>) -> Result<Swept> {
        let by = Arc::clone(&self.by);
        match after {
            Some(cursor) => self.governance.expire_due_after(by, self.limit, cursor).await,
            None => self.governance.expire_due(by, self.limit).await,
        }
    }
}

#[dual]
#[allow(clippy::needless_pass_by_value, reason = "what runs in the background owns what it works with")]
async fn sweep_until_stopped(sweeper: SweeperBuilder<Reporter>, lost: Arc<LostReports>, stop: StopSignal) {
    let mut after = None;
    loop {
        let swept = caught(|| sweeper.sweep(after.take())).await;
        let swept = swept.unwrap_or_else(|panic| Err(panicked("the sweep", &panic)));
        // Past those that failed; from the beginning again when all due requests were tried.
        after = swept.as_ref().ok().and_then(|swept| swept.next.clone());
        // Only a shrinking backlog goes on at once; a failing one must not be retried without a pause.
        let goes_on =
            swept.as_ref().is_ok_and(|swept| swept.more && !(swept.expired.is_empty() && swept.escalated.is_empty()));
        lost.guard(|| (sweeper.report)(swept));
        let rest = if goes_on { Duration::ZERO } else { jittered(sweeper.interval, fastrand::f64()) };
        if stop.wait(rest).await {
            return;
        }
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}
