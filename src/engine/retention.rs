//! Removes again and again in the background what has stayed long enough.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::background::{Background, StopSignal, caught};
#[cfg(feature = "archive")]
use super::ArchiveShelf;
use super::{Governance, dual};
use crate::error::{InvalidValue, Result};
use crate::feed::ConsumerLease;
use crate::request::{ActorContext, ConsumerName, HolderId};
use crate::retention::{RetentionOptions, RetentionPolicy, RetentionPosition, RetentionReport};
use crate::service::backoff::jittered;
use crate::service::reports::{LostReports, ReportPanicked, panicked};

/// Applies a retention policy, pass after pass, beside the rest of the program: in a thread of its own in the blocking
/// flavour, in a task of the current runtime in the asynchronous one.
///
/// Any number may run at once, in any number of processes: one of them, which has the lease of the feed consumer `retention`,
/// takes the steps, and the others wait until it stops or its lease ends. The lease only spares work; that each request is
/// removed once, at the revision that was judged, follows from its revision. A pass that was interrupted is begun anew, and
/// finds what is left. Dropping it stops it without waiting.
pub struct Retention {
    background: Background,
    lost_reports: Arc<LostReports>,
}

/// Configures a [`Retention`]. It starts only with a function [to report to](Self::report_to): nothing else reports what a
/// step could not do.
#[derive(Clone)]
pub struct RetentionBuilder<Report = ()> {
    governance: Governance,
    policy: Arc<RetentionPolicy>,
    by: Arc<ActorContext>,
    #[cfg(feature = "archive")]
    archives: Option<Arc<dyn ArchiveShelf>>,
    interval: Duration,
    options: RetentionOptions,
    rate: u32,
    report: Report,
}

/// Receives the result of each step.
type Reporter = Arc<dyn Fn(Result<RetentionReport>) + Send + Sync>;

/// Long enough for a step, and short enough for another process to go on soon after one has died.
const LEASE: Duration = Duration::from_secs(60);
const CONSUMER: &str = "retention";

impl Retention {
    /// A builder of a retention of the requests of this service, acting as `by`, who needs an id.
    pub fn builder(
        governance: Governance,
        policy: impl Into<Arc<RetentionPolicy>>,
        by: impl Into<Arc<ActorContext>>,
    ) -> RetentionBuilder {
        RetentionBuilder {
            governance,
            policy: policy.into(),
            by: by.into(),
            #[cfg(feature = "archive")]
            archives: None,
            interval: Duration::from_secs(60 * 60),
            options: RetentionOptions::new(),
            rate: 100,
            report: (),
        }
    }
}

impl<Report> RetentionBuilder<Report> {
    /// Where to archive what is to be archived: see [`Governance::retain_to`]. Defaults to nowhere, and steps of a policy that
    /// archives then fail.
    #[cfg(feature = "archive")]
    #[must_use]
    pub fn archive_to(mut self, archives: Arc<dyn ArchiveShelf>) -> Self {
        self.archives = Some(archives);
        self
    }

    /// The pause between two passes, and after a step that failed. Defaults to an hour. A random part, up to a tenth, is added.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How many requests a step looks at, 1 to [`PageRequest::MAX_LIMIT`](crate::PageRequest::MAX_LIMIT): as many are in one
    /// archive. Defaults to 100.
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn limit(mut self, requests: usize) -> Result<Self, InvalidValue> {
        self.options = self.options.limit(requests)?;
        Ok(self)
    }

    /// How many requests are removed in a second at most, on average over a step; at least 1. Defaults to 100.
    #[must_use]
    pub fn rate(mut self, per_second: u32) -> Self {
        self.rate = per_second.max(1);
        self
    }

    /// Calls this with the result of each step, or with the error that ended it. A step in which the store or the clock panicked
    /// is reported as [`StoreErrorKind::Panicked`](crate::StoreErrorKind::Panicked). If the function itself panics, the
    /// retention continues and [`stop`](Retention::stop) returns that.
    pub fn report_to(
        self,
        report: impl Fn(Result<RetentionReport>) + Send + Sync + 'static,
    ) -> RetentionBuilder<Reporter> {
        RetentionBuilder {
            governance: self.governance,
            policy: self.policy,
            by: self.by,
            #[cfg(feature = "archive")]
            archives: self.archives,
            interval: self.interval,
            options: self.options,
            rate: self.rate,
            report: Arc::new(report),
        }
    }
}

impl RetentionBuilder<Reporter> {
    /// Starts at once. In the asynchronous flavour, call it within the runtime.
    pub fn start(self) -> Retention {
        let lost_reports = Arc::<LostReports>::default();
        let lost = Arc::clone(&lost_reports);
        Retention { background: Background::start(move |stop| retain_until_stopped(self, lost, stop)), lost_reports }
    }

    fn pause_after(&self, removed: u64) -> Duration {
        let removed = u32::try_from(removed).unwrap_or(u32::MAX);
        Duration::from_secs(1).saturating_mul(removed) / self.rate
    }
}

#[dual]
impl Retention {
    /// Stops and waits until the current step has ended.
    ///
    /// # Errors
    /// [`ReportPanicked`] when the function that it reports to panicked in any report. The retention stops all the same.
    pub async fn stop(self) -> Result<(), ReportPanicked> {
        self.background.stop().await;
        self.lost_reports.check()
    }
}

#[dual]
impl RetentionBuilder<Reporter> {
    /// One step, if this holder has the lease; otherwise how long another has it at most.
    async fn step(
        &self,
        holder: HolderId,
        from: Option<RetentionPosition>,
    ) -> Result<Result<RetentionReport, Duration>> {
        let leased = self.governance.store.lease_consumer(&ConsumerName::new(CONSUMER)?, holder, LEASE).await?;
        if let ConsumerLease::HeldByAnother { free_in } = leased {
            return Ok(Err(free_in));
        }
        let options = from.map_or_else(|| self.options.clone(), |position| self.options.clone().after(position));
        #[cfg(feature = "archive")]
        if let Some(archives) = &self.archives {
            let by = Arc::clone(&self.by);
            return Ok(Ok(self.governance.retain_to(&**archives, &self.policy, by, &options).await?));
        }
        Ok(Ok(self.governance.retain(&self.policy, Arc::clone(&self.by), &options).await?))
    }

    async fn end_lease(&self, holder: HolderId) {
        if let Ok(name) = ConsumerName::new(CONSUMER) {
            // Where it fails, the lease ends by itself.
            let _ended = self.governance.store.lease_consumer(&name, holder, Duration::ZERO).await;
        }
    }
}

#[dual]
#[allow(clippy::needless_pass_by_value, reason = "what runs in the background owns what it works with")]
async fn retain_until_stopped(retention: RetentionBuilder<Reporter>, lost: Arc<LostReports>, stop: StopSignal) {
    let holder = HolderId::generate();
    let mut from: Option<RetentionPosition> = None;
    loop {
        let taken = caught(|| retention.step(holder, from.clone())).await;
        let taken = taken.unwrap_or_else(|panic| Err(panicked("the retention", &panic)));
        let rest = match taken {
            Ok(Err(free_in)) => {
                from = None;
                free_in.min(retention.interval)
            }
            Ok(Ok(report)) => {
                from.clone_from(&report.next);
                let pause = retention.pause_after(report.removed);
                lost.guard(|| (retention.report)(Ok(report)));
                if from.is_some() { pause } else { jittered(retention.interval, fastrand::f64()) }
            }
            // The same step again, after a pause.
            Err(error) => {
                lost.guard(|| (retention.report)(Err(error)));
                jittered(retention.interval, fastrand::f64())
            }
        };
        if from.is_none() {
            retention.end_lease(holder).await;
        }
        if stop.wait(rest).await {
            retention.end_lease(holder).await;
            return;
        }
    }
}

impl fmt::Debug for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retention").finish_non_exhaustive()
    }
}
