use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::background::{Background, StopSignal};
use super::{Governance, dual};
use crate::error::{InvalidValue, Result};
use crate::query::PageRequest;
use crate::request::ActorContext;
use crate::sweep::Swept;

/// Lets expire what is due, again and again, beside the rest of the program: in a thread of its own in the blocking
/// flavour, in a task of the current runtime in the asynchronous one.
///
/// Any number of sweepers may run at once, in any number of processes. Dropping it stops it too, without waiting.
pub struct Sweeper(Background);

/// Says how a [`Sweeper`] is to work. It starts once it is known [whom to report to](Self::report_to): what a sweep cannot do
/// is said nowhere else.
#[derive(Clone)]
pub struct SweeperBuilder<Report = ()> {
    governance: Governance,
    by: Arc<ActorContext>,
    interval: Duration,
    limit: usize,
    report: Report,
}

/// Is called with what each sweep did.
type Reporter = Arc<dyn Fn(Result<Swept>) + Send + Sync>;

impl Sweeper {
    /// A sweeper over what this service governs, acting as `by`.
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
    /// How long to rest between two sweeps; 10 s if nothing is said. Up to a tenth more, at random, is added, so that
    /// many sweepers do not all come at the same moment.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How many requests one sweep lets expire, 1 to [`PageRequest::MAX_LIMIT`], which it is if nothing is said. When more
    /// are due, the next sweep follows at once.
    ///
    /// # Errors
    /// [`InvalidValue`] for another number: no sweep could do anything.
    pub fn limit(mut self, requests: usize) -> Result<Self, InvalidValue> {
        self.limit = PageRequest::of(requests)?.limit();
        Ok(self)
    }

    /// Calls this with what each sweep did, or why it could not. Report at least the errors, and what
    /// [failed](Swept::failed): the sweeper goes on after both.
    pub fn report_to(self, report: impl Fn(Result<Swept>) + Send + Sync + 'static) -> SweeperBuilder<Reporter> {
        let Self { governance, by, interval, limit, report: _ } = self;
        SweeperBuilder { governance, by, interval, limit, report: Arc::new(report) }
    }
}

impl SweeperBuilder<Reporter> {
    /// Starts sweeping, at once. In the asynchronous flavour it has to be called within the runtime.
    pub fn start(self) -> Sweeper {
        Sweeper(Background::start(move |stop| sweep_until_stopped(self, stop)))
    }
}

#[dual]
impl Sweeper {
    /// Stops sweeping and waits until a sweep that was under way has ended.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

#[dual]
#[allow(clippy::needless_pass_by_value, reason = "what runs in the background owns what it works with")]
async fn sweep_until_stopped(sweeper: SweeperBuilder<Reporter>, stop: StopSignal) {
    let mut behind = None;
    loop {
        let by = Arc::clone(&sweeper.by);
        let swept = match behind.take() {
            Some(cursor) => sweeper.governance.expire_due_after(by, sweeper.limit, cursor).await,
            None => sweeper.governance.expire_due(by, sweeper.limit).await,
        };
        // Past those that failed; when all that is due was tried, from the beginning again.
        behind = swept.as_ref().ok().and_then(|swept| swept.next.clone());
        // Going on at once is for a backlog that shrinks; one that fails must not be tried without a pause.
        let goes_on = swept.as_ref().is_ok_and(|swept| swept.more && !swept.expired.is_empty());
        (sweeper.report)(swept);
        let jitter = sweeper.interval.mul_f64(0.1 * fastrand::f64());
        let rest = if goes_on { Duration::ZERO } else { sweeper.interval.saturating_add(jitter) };
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
