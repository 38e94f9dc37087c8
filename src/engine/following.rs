//! The loop of a follower: holds the lease, hands over a page, saves the position.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::background::{StopSignal, caught};
use super::follower::{FeedFollowerBuilder, FeedHandler, Reporter};
use super::{Store, dual};
use crate::error::{Error, Result};
use crate::feed::{
    ConsumerLease, DeliveredDocument, Delivery, DeliveryFailure, FeedEntry, FeedPage, FeedPosition, FollowerReport,
    MissedEntries,
};
use crate::request::{HolderId, RequestId};
use crate::service::backoff::jittered;
use crate::service::reports::{LostReports, panicked};

/// A follower at work.
struct Following {
    with: FeedFollowerBuilder<Reporter>,
    handler: Arc<dyn FeedHandler>,
    lost: Arc<LostReports>,
    stop: StopSignal,
    holder: HolderId,
    held: Option<Held>,
    /// By when the page under way has to end, once the follower is to stop.
    page_ends_at: Option<Instant>,
}

/// The lease of the consumer, as this follower has it.
struct Held {
    /// Where the next page begins.
    position: FeedPosition,
    /// The position that the store has; none for a new consumer.
    saved: Option<FeedPosition>,
    /// When the lease was asked for last.
    renewed: Instant,
}

/// Whether this follower has the lease.
enum Hold {
    /// Without a break since the last time.
    Same,
    /// It has it now; somebody else may have had it meanwhile.
    Anew,
    /// Another one has it, for at most so long.
    Another(Duration),
}

/// What the handler is given at once.
enum Piece {
    Missed(MissedEntries),
    Delivery(Delivery),
}

impl Piece {
    const fn attempt(&mut self) -> &mut u32 {
        match self {
            Self::Missed(missed) => &mut missed.attempt,
            Self::Delivery(delivery) => &mut delivery.attempt,
        }
    }

    fn entry(&self) -> Option<Box<FeedEntry>> {
        match self {
            Self::Missed(_) => None,
            Self::Delivery(delivery) => Some(Box::new(delivery.entry.clone())),
        }
    }
}

#[dual]
pub(super) async fn follow_until_stopped(
    with: FeedFollowerBuilder<Reporter>,
    handler: Arc<dyn FeedHandler>,
    lost: Arc<LostReports>,
    stop: StopSignal,
) {
    let holder = HolderId::generate();
    let mut following = Following { with, handler, lost, stop, holder, held: None, page_ends_at: None };
    let mut failures = 0;
    loop {
        let turn = caught(|| following.turn()).await;
        let rest = match turn.unwrap_or_else(|panic| Err(panicked("following the feed", &panic))) {
            Ok(rest) => {
                failures = 0;
                rest
            }
            Err(error) => {
                failures += 1;
                following.failed(error, failures)
            }
        };
        if following.stop.wait(rest).await {
            break;
        }
    }
    // If that fails, the lease ends by itself.
    let _released = caught(|| following.release()).await;
}

impl Following {
    fn store(&self) -> &dyn Store {
        &*self.with.governance.store
    }

    fn report(&self, report: FollowerReport) {
        self.lost.guard(|| (self.with.report)(report));
    }

    /// Reports a failure of the store; returns the pause before the next attempt.
    fn failed(&self, error: Error, failures: u32) -> Duration {
        self.report(FollowerReport::StoreFailed(error));
        self.with.backoff().pause(failures, fastrand::f64())
    }

    fn is_fresh(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.renewed.elapsed() < self.with.lease / 3)
    }

    fn lose(&mut self) {
        if self.held.take().is_some() {
            self.report(FollowerReport::LeaseLost);
        }
    }

    /// Whether the page under way may go on: until it is to stop, and a while longer.
    fn may_go_on(&mut self) -> bool {
        if !self.stop.is_given() {
            return true;
        }
        let stop_within = self.with.stop_within;
        let now = Instant::now();
        *self.page_ends_at.get_or_insert_with(|| now.checked_add(stop_within).unwrap_or(now)) > now
    }
}

#[dual]
impl Following {
    /// One page, if this follower has the lease; returns the pause that follows.
    async fn turn(&mut self) -> Result<Duration> {
        if let Hold::Another(free_in) = self.hold().await? {
            return Ok(jittered(free_in.min(self.with.interval), fastrand::f64()));
        }
        let Some(position) = self.held.as_ref().map(|held| held.position.clone()) else { return Ok(Duration::ZERO) };
        let page = self.store().read_feed(&position, self.with.page).await?;
        if self.hand_over(&page).await? && self.save(&page).await && page.is_caught_up {
            return Ok(jittered(self.with.interval, fastrand::f64()));
        }
        Ok(Duration::ZERO)
    }

    /// Asks for the lease, or renews it when a third of it is over.
    async fn hold(&mut self) -> Result<Hold> {
        if self.is_fresh() {
            return Ok(Hold::Same);
        }
        let renewed = Instant::now();
        let found = match self.store().lease_consumer(&self.with.name, self.holder, self.with.lease).await? {
            ConsumerLease::Held { position } => position,
            ConsumerLease::HeldByAnother { free_in } => {
                self.lose();
                return Ok(Hold::Another(free_in));
            }
        };
        match &mut self.held {
            // Nobody has moved the position, so nothing was delivered in between.
            Some(held) if held.saved == found => {
                held.renewed = renewed;
                Ok(Hold::Same)
            }
            _ => {
                let saved = match found {
                    None if self.with.from_end => self.begin_at_end().await?,
                    found => found,
                };
                let position = saved.clone().unwrap_or_else(FeedPosition::beginning);
                self.held = Some(Held { position, saved, renewed });
                self.report(FollowerReport::Leading);
                Ok(Hold::Anew)
            }
        }
    }

    /// Saves the end of the feed at once, so that nothing written from now on is passed over after a crash.
    async fn begin_at_end(&self) -> Result<Option<FeedPosition>> {
        let end = self.store().end_of_feed().await?;
        self.store().save_consumer(&self.with.name, self.holder, &end, self.with.lease).await?;
        Ok(Some(end))
    }

    /// Hands over what is on the page; whether all of it was handled, and the lease kept.
    async fn hand_over(&mut self, page: &FeedPage) -> Result<bool> {
        if let Some(missed) = MissedEntries::of(page)
            && !self.until_handled(Piece::Missed(missed)).await
        {
            return Ok(false);
        }
        let documents = self.documents(page).await?;
        for entry in &page.entries {
            let document = documents.get(&entry.id).cloned().unwrap_or(DeliveredDocument::Missing);
            let delivery = Delivery { entry: entry.clone(), document, attempt: 1 };
            if !self.may_go_on() || !self.until_handled(Piece::Delivery(delivery)).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The requests of a page, read at once.
    async fn documents(&self, page: &FeedPage) -> Result<HashMap<RequestId, DeliveredDocument>> {
        let ids: BTreeSet<RequestId> = page.entries.iter().map(|entry| entry.id.clone()).collect();
        let ids: Vec<RequestId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.store().get_many(&ids).await?;
        let stored = |(id, request): (RequestId, Option<_>)| Some((id, DeliveredDocument::Stored(Arc::new(request?))));
        let mut documents: HashMap<_, _> = ids.into_iter().zip(found.requests).filter_map(stored).collect();
        for tombstone in found.removed {
            documents.insert(tombstone.id.clone(), DeliveredDocument::Removed(Arc::new(tombstone)));
        }
        for unreadable in found.unreadable {
            documents.insert(unreadable.id.clone(), DeliveredDocument::Unreadable(Arc::new(unreadable)));
        }
        Ok(documents)
    }

    /// Gives it to the handler until it is handled or skipped; `false` if the lease was lost, or it is to stop.
    async fn until_handled(&mut self, mut piece: Piece) -> bool {
        loop {
            if !self.keeps_lease().await {
                return false;
            }
            let handled = caught(|| self.give(&piece)).await;
            let panicked = |panic| Err(DeliveryFailure::retry(format!("the handler panicked: {panic}")));
            let Err(failure) = handled.unwrap_or_else(panicked) else { return true };
            let (attempt, skips) = (*piece.attempt(), failure.skips);
            self.report(FollowerReport::NotHandled { entry: piece.entry(), failure, attempt });
            if skips {
                return true;
            }
            if self.stop.wait(self.with.backoff().pause(attempt, fastrand::f64())).await {
                return false;
            }
            *piece.attempt() = attempt.saturating_add(1);
        }
    }

    async fn give(&self, piece: &Piece) -> Result<(), DeliveryFailure> {
        match piece {
            Piece::Missed(missed) => self.handler.resync(missed).await,
            Piece::Delivery(delivery) => self.handler.deliver(delivery).await,
        }
    }

    /// Renews the lease if need be, however often the store fails; whether it was kept without a break.
    async fn keeps_lease(&mut self) -> bool {
        let mut failures = 0;
        loop {
            let error = match self.hold().await {
                Ok(hold) => return matches!(hold, Hold::Same),
                Err(error) => error,
            };
            failures += 1;
            let pause = self.failed(error, failures);
            if self.stop.wait(pause).await {
                return false;
            }
        }
    }

    /// Saves the position after a page, however often the store fails; whether it is saved.
    async fn save(&mut self, page: &FeedPage) -> bool {
        let mut failures = 0;
        while self.held.as_ref().is_some_and(|held| held.position != page.next) {
            let renewed = Instant::now();
            match self.store().save_consumer(&self.with.name, self.holder, &page.next, self.with.lease).await {
                Ok(true) => {
                    let (position, saved) = (page.next.clone(), Some(page.next.clone()));
                    self.held = Some(Held { position, saved, renewed });
                    self.report(FollowerReport::Saved { entries: page.entries.len() });
                }
                Ok(false) => self.lose(),
                Err(error) => {
                    failures += 1;
                    let pause = self.failed(error, failures);
                    if self.stop.wait(pause).await {
                        return false;
                    }
                }
            }
        }
        self.held.is_some()
    }

    /// Gives the lease back, so that another follower need not wait for its end.
    async fn release(&mut self) -> Result<()> {
        let is_held = self.held.take().is_some_and(|held| held.renewed.elapsed() < self.with.lease);
        if is_held {
            self.store().lease_consumer(&self.with.name, self.holder, Duration::ZERO).await?;
        }
        Ok(())
    }
}
