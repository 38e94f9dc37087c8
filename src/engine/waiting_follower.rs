//! The loop that reads the change feed, and the requests it names, for those who wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::background::{StopSignal, caught};
use super::waiting::SharedWaiters;
use super::{Store, dual};
use crate::error::{Error, Result};
use crate::feed::FeedPosition;
use crate::query::PageRequest;
use crate::request::RequestId;
use crate::service::backoff::Backoff;
use crate::service::reports::panicked;

/// The pause between two reads of the feed is ten times as long as one took, within these limits: a waiter is woken
/// within 100 ms, and a server far away or with many partitions is not read all the time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(80);

/// The pause when the end of the feed was not reached: others of the runtime get their turn.
const MORE_TO_READ: Duration = Duration::from_millis(1);

/// The pauses while the store fails.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(500));

/// How often every request is read again for which somebody waits, whatever the feed has.
const REREAD_EVERY: Duration = Duration::from_secs(5);

/// How many requests are read at once: each may be as large as the store allows.
const READ_AT_ONCE: usize = PageRequest::DEFAULT_LIMIT;

/// How many pages of the feed are read before the requests they name.
const PAGES_AT_ONCE: usize = 8;

struct WaitingFollower {
    store: Arc<dyn Store>,
    waiters: Arc<SharedWaiters>,
    stop: StopSignal,
    /// Where the next page of the feed begins; none when entries may be missed, so that all requests have to be read.
    position: Option<FeedPosition>,
    reread: Instant,
    /// How long the latest read of the feed took.
    feed_took: Duration,
}

#[dual]
pub(super) async fn follow_for_waiters(store: Arc<dyn Store>, waiters: Arc<SharedWaiters>, stop: StopSignal) {
    let (reread, feed_took) = (Instant::now(), Duration::ZERO);
    let mut following = WaitingFollower { store, waiters, stop, position: None, reread, feed_took };
    let mut failures = 0;
    loop {
        let turn = caught(|| following.turn()).await;
        let pause = match turn.unwrap_or_else(|panic| Err(panicked("following the feed for waiters", &panic))) {
            Ok(true) => {
                failures = 0;
                following.feed_took.saturating_mul(10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
            }
            Ok(false) => MORE_TO_READ,
            Err(_) => {
                following.position = None;
                failures += 1;
                BACKOFF.pause(failures, fastrand::f64())
            }
        };
        if following.stop.wait(pause).await {
            break;
        }
    }
}

#[dual]
impl WaitingFollower {
    /// Reads what the feed has, then the requests that it names; whether it is at the end of the feed.
    ///
    /// A request is read after the position from which the feed is followed, so a write that this read does not see is
    /// one that the feed still has.
    async fn turn(&mut self) -> Result<bool> {
        if self.waiters.lock().is_empty() {
            self.position = None;
            return Ok(true);
        }
        let followed = self.follow().await;
        if self.position.is_none() || self.reread.elapsed() >= REREAD_EVERY {
            self.waiters.lock().notice_all();
            self.reread = Instant::now();
        }
        self.read_requests().await?;
        followed
    }

    /// Without a position, begins at the end of the feed, and all requests are read.
    async fn follow(&mut self) -> Result<bool> {
        let Some(mut position) = self.position.take() else {
            let end = self.store.end_of_feed().await?;
            self.waiters.lock().notice_all();
            self.position = Some(end);
            return Ok(true);
        };
        for _ in 0..PAGES_AT_ONCE {
            let begun = Instant::now();
            let page = self.store.read_feed(&position, PageRequest::MAX_LIMIT).await?;
            self.feed_took = begun.elapsed();
            let mut waiters = self.waiters.lock();
            if page.gaps.is_empty() && page.unreadable.is_empty() {
                page.entries.iter().for_each(|entry| waiters.notice(&entry.id));
            } else {
                waiters.notice_all();
            }
            drop(waiters);
            position = page.next;
            if page.is_caught_up {
                self.position = Some(position);
                return Ok(true);
            }
        }
        self.position = Some(position);
        Ok(false)
    }

    async fn read_requests(&self) -> Result<()> {
        loop {
            let ids = self.waiters.lock().take_unread(READ_AT_ONCE);
            if ids.is_empty() {
                return Ok(());
            }
            let found = self.store.get_many(&ids).await?;
            let mut missing: Vec<RequestId> = Vec::new();
            for (id, request) in ids.into_iter().zip(found.requests) {
                match request {
                    Some(request) => self.answer(&request),
                    None => missing.push(id),
                }
            }
            for id in missing {
                let unreadable = found.unreadable.iter().find(|unreadable| unreadable.id == id);
                for wake in self.waiters.lock().take(&id) {
                    wake.with(Err(unreadable.map_or_else(|| Error::not_found(id.clone()), |one| one.clone().into())));
                }
            }
        }
    }
}

impl WaitingFollower {
    fn answer(&self, request: &crate::request::MutationRequest) {
        let answered = self.waiters.lock().answered_by(request);
        for (wake, waited) in answered {
            wake.with(Ok(waited));
        }
    }
}
