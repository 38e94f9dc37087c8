//! Follows the change feed in the background, under the name of a consumer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::background::Background;
use super::following::follow_until_stopped;
use super::{Governance, dual};
use crate::error::{InvalidValue, Result};
use crate::feed::{Consumer, Delivery, DeliveryFailure, FollowerReport, MissedEntries, check_limit};
use crate::query::PageRequest;
use crate::request::ConsumerName;
use crate::service::backoff::Backoff;
use crate::service::reports::{LostReports, ReportPanicked};

/// What a follower of the change feed calls, for instance to send notifications.
///
/// In the asynchronous flavour the methods are `async fn`; write `#[async_trait]` before the `impl`, as the example of
/// `nonblocking` does, which exports it.
#[dual]
pub trait FeedHandler: Send + Sync {
    /// Handles one write. The same one may come again after a crash or a failover: handle it by the id and the revision
    /// of its [entry](Delivery::entry), so that the second time changes nothing.
    ///
    /// # Errors
    /// Any error by `?`: the same write is handed over again after a pause, and nothing after it before. Only
    /// [`DeliveryFailure::skip`] makes the follower go on without it.
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryFailure>;

    /// Handles the absence of entries: the feed removed them before they were read, a failover lost them, or they
    /// cannot be read. Read the requests that you follow again, by queries: they contain what the missing entries
    /// reported.
    ///
    /// # Errors
    /// As [`deliver`](Self::deliver).
    async fn resync(&self, missed: &MissedEntries) -> Result<(), DeliveryFailure>;
}

/// Follows the change feed under the name of a consumer, beside the rest of the program: in a thread of its own in the
/// blocking flavour, in a task of the current runtime in the asynchronous one.
///
/// Hands every write to its handler at least once, those of one request in the order of its revisions; there is no
/// order between requests. The position is saved in the store, page by page. Any number of followers with one name may
/// run at once, in any number of processes: one of them, which has the lease, delivers, and the others wait until it
/// stops or its lease ends.
///
/// Dropping it stops it without waiting. Nothing else ends it: a failure of the store or the handler, or a panic, is
/// reported, and after a pause it goes on.
pub struct FeedFollower {
    background: Background,
    lost_reports: Arc<LostReports>,
}

/// Configures a [`FeedFollower`]. It starts only with a function [to report to](Self::report_to): nothing else reports
/// what failed.
#[derive(Clone)]
pub struct FeedFollowerBuilder<Report = ()> {
    pub(super) governance: Governance,
    pub(super) name: ConsumerName,
    pub(super) interval: Duration,
    pub(super) lease: Duration,
    pub(super) page: usize,
    pub(super) from_end: bool,
    pub(super) longest_pause: Duration,
    pub(super) stop_within: Duration,
    pub(super) report: Report,
}

/// Receives what the follower did or met.
pub(super) type Reporter = Arc<dyn Fn(FollowerReport) + Send + Sync>;

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

impl FeedFollower {
    /// A builder of a follower with this name over the feed of this service.
    pub fn builder(governance: Governance, name: ConsumerName) -> FeedFollowerBuilder {
        FeedFollowerBuilder {
            governance,
            name,
            interval: Duration::from_secs(1),
            lease: Duration::from_secs(30),
            page: PageRequest::DEFAULT_LIMIT,
            from_end: false,
            longest_pause: Duration::from_secs(60),
            stop_within: Duration::from_secs(10),
            report: (),
        }
    }
}

impl<Report> FeedFollowerBuilder<Report> {
    /// The pause after the end of the feed was reached. Defaults to 1 s. A random part, up to a tenth, is added.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// For how long one follower alone delivers; it is renewed between two deliveries. Longer than the handler takes
    /// for one write: another follower may deliver the same one otherwise. If this process dies, the others wait as
    /// long. At most [`Consumer::MAX_LEASE`]. Defaults to 30 s.
    ///
    /// # Errors
    /// [`InvalidValue`] for a longer lease, or one of less than a millisecond.
    pub fn lease(mut self, lease: Duration) -> Result<Self, InvalidValue> {
        if lease < Duration::from_millis(1) {
            return Err(InvalidValue::new("lease of a consumer", format!("of {lease:?}; at least 1 ms is needed")));
        }
        self.lease = Consumer::check_lease(lease)?;
        Ok(self)
    }

    /// How many entries are read, and saved, at once: 1 to [`PageRequest::MAX_LIMIT`]. After a crash so many at most
    /// come again. Defaults to [`PageRequest::DEFAULT_LIMIT`].
    ///
    /// # Errors
    /// [`InvalidValue`] for any other number.
    pub fn page(mut self, entries: usize) -> Result<Self, InvalidValue> {
        self.page = check_limit(entries)?;
        Ok(self)
    }

    /// A new consumer begins with what is written from now on. Defaults to the oldest entry that the feed has. A
    /// consumer that has saved a position continues there.
    #[must_use]
    pub fn from_end(mut self) -> Self {
        self.from_end = true;
        self
    }

    /// The longest pause after failures in a row; the first is 100 ms, and each is up to twice as long as the one
    /// before. Defaults to one minute.
    #[must_use]
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// For how long the page under way may go on after [`stop`](FeedFollower::stop); what is left comes again when a
    /// follower starts. Defaults to 10 s.
    #[must_use]
    pub fn stop_within(mut self, duration: Duration) -> Self {
        self.stop_within = duration;
        self
    }

    /// Calls this with what the follower did or met. Report at least the failures: the follower goes on after them. If
    /// the function itself panics, the follower goes on too and [`stop`](FeedFollower::stop) returns that.
    pub fn report_to(self, report: impl Fn(FollowerReport) + Send + Sync + 'static) -> FeedFollowerBuilder<Reporter> {
        let Self { governance, name, interval, lease, page, from_end, longest_pause, stop_within, report: _ } = self;
        let report: Reporter = Arc::new(report);
        FeedFollowerBuilder { governance, name, interval, lease, page, from_end, longest_pause, stop_within, report }
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(FIRST_PAUSE, self.longest_pause)
    }
}

impl FeedFollowerBuilder<Reporter> {
    /// Starts following at once. In the asynchronous flavour, call it within the runtime.
    pub fn start(self, handler: impl FeedHandler + 'static) -> FeedFollower {
        let lost_reports = Arc::<LostReports>::default();
        let (handler, lost): (Arc<dyn FeedHandler>, _) = (Arc::new(handler), Arc::clone(&lost_reports));
        let work = move |stop| follow_until_stopped(self, handler, lost, stop);
        FeedFollower { background: Background::start(work), lost_reports }
    }
}

#[dual]
impl FeedFollower {
    /// Stops following: finishes the page under way, as long as [allowed](FeedFollowerBuilder::stop_within) and as long
    /// as the handler does not fail, and gives the lease back, so that another follower goes on at once. Waits for the
    /// delivery under way, however long it takes: do not await it in the handler, which would wait for itself.
    ///
    /// # Errors
    /// [`ReportPanicked`] when the function that it reports to panicked in any report. The follower stops all the same.
    pub async fn stop(self) -> Result<(), ReportPanicked> {
        self.background.stop().await;
        self.lost_reports.check()
    }
}

#[dual]
impl Governance {
    /// All consumers of the change feed, by name: how far each has read, and whether a follower delivers for it now.
    /// Redis takes one round trip per partition.
    ///
    /// # Errors
    /// [`Error::Store`](crate::Error::Store) when the store fails or its user may not read the feed.
    pub async fn consumers(&self) -> Result<Vec<Consumer>> {
        self.store.consumers().await
    }

    /// Removes a consumer and its position; returns `false` when there is none with this name. Stop its followers
    /// first: one that starts later begins anew.
    ///
    /// # Errors
    /// [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) while a follower holds its lease.
    pub async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        self.store.remove_consumer(name).await
    }
}

impl fmt::Debug for FeedFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedFollower").finish_non_exhaustive()
    }
}
