//! A request store written outside the crate, in front of another one: it fails where a test asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mutator_governance::for_stores::{Imported, RequestRecord};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    Clock, Consumer, ConsumerLease, ConsumerName, Count, DecisionQuery, DecisionRow, Error, FeedGap, FeedPage,
    FeedPosition, HolderId, IdComparison, InboxQuery, Lookup, ManualClock, MutationRequest, Outcome, Page, PageRequest,
    PendingApprovalQuery, PendingApprovalRow, ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestId,
    RequestQuery, Result, Statistics, StoreError, StoreErrorKind, StoredRequest, Timestamp, Tombstone, Unreadable,
    WriteId, WriteLookup,
};

use super::flavour::{Store, StoreExtension as _};
use super::{dual, pause};

/// What happens to one update.
#[derive(Clone, Debug)]
pub(crate) enum Mishap {
    /// It fails, and nothing is written.
    Lost,
    /// It is written, but the call returns an unknown outcome.
    ReplyLost,
    /// It is written, but the call returns that fewer replicas have it than were asked for.
    Unconfirmed,
    /// It is written, but the call returns much later; before that, somebody else may have applied this command.
    Late(Duration, Option<Command>),
    /// Somebody else applies this command first.
    Overtaken(Command),
    /// It is never sent and never ends.
    #[allow(dead_code, reason = "only where a caller can be dropped")]
    StuckBefore,
    /// It is written, and never ends.
    #[allow(dead_code, reason = "only where a caller can be dropped")]
    StuckAfter,
}

pub(crate) struct ShakyStore {
    inner: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    /// By the number of the update, from 1.
    mishaps: Mutex<BTreeMap<usize, Mishap>>,
    unwritable: Mutex<BTreeSet<RequestId>>,
    unreadable: Mutex<Vec<Unreadable>>,
    updates: AtomicUsize,
    conflicts: AtomicUsize,
    gets: AtomicUsize,
    settles: AtomicUsize,
    met_about: Mutex<Option<RequestId>>,
    reads: Meeting,
    sweeps: Meeting,
    failing_sweeps: AtomicUsize,
    panicking_sweeps: AtomicUsize,
    /// Of so many calls about the feed and its consumers one fails; zero for none.
    feed_calls_to_a_failure: AtomicUsize,
    feed_calls: AtomicUsize,
    feed_fault: Mutex<Option<FeedFault>>,
}

/// What a reader of the feed gets instead of the entries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FeedFault {
    /// Each page is a gap.
    Gap,
    /// Each page is empty, as if nothing had been written.
    Silence,
}

/// Where so many callers wait until all have come.
#[derive(Default)]
struct Meeting {
    expected: AtomicUsize,
    arrived: AtomicUsize,
}

impl ShakyStore {
    pub(crate) fn new(inner: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self {
            inner,
            clock,
            mishaps: Mutex::default(),
            unwritable: Mutex::default(),
            unreadable: Mutex::default(),
            updates: AtomicUsize::new(0),
            conflicts: AtomicUsize::new(0),
            gets: AtomicUsize::new(0),
            settles: AtomicUsize::new(0),
            met_about: Mutex::default(),
            reads: Meeting::default(),
            sweeps: Meeting::default(),
            failing_sweeps: AtomicUsize::new(0),
            panicking_sweeps: AtomicUsize::new(0),
            feed_calls_to_a_failure: AtomicUsize::new(0),
            feed_calls: AtomicUsize::new(0),
            feed_fault: Mutex::default(),
        }
    }

    /// Lets this happen to the update of this number, counted from 1.
    pub(crate) fn plan(&self, update: usize, mishap: Mishap) {
        self.mishaps.lock().unwrap().insert(update, mishap);
    }

    /// Lets every update of this request fail.
    pub(crate) fn reject_updates_of(&self, id: &RequestId) {
        self.unwritable.lock().unwrap().insert(id.clone());
    }

    /// Names this request on every page of due requests.
    pub(crate) fn add_unreadable(&self, unreadable: Unreadable) {
        self.unreadable.lock().unwrap().push(unreadable);
    }

    /// Lets the first so many reads of this request wait for each other, so that all see the same revision.
    pub(crate) fn let_readers_meet(&self, id: &RequestId, count: usize) {
        *self.met_about.lock().unwrap() = Some(id.clone());
        self.reads.expected.store(count, Ordering::SeqCst);
    }

    /// The same for reads of due requests.
    pub(crate) fn let_sweepers_meet(&self, count: usize) {
        self.sweeps.expected.store(count, Ordering::SeqCst);
    }

    /// Lets the next so many reads of due requests fail.
    pub(crate) fn fail_sweeps(&self, count: usize) {
        self.failing_sweeps.store(count, Ordering::SeqCst);
    }

    /// Lets the next so many reads of due requests panic.
    pub(crate) fn let_sweeps_panic(&self, count: usize) {
        self.panicking_sweeps.store(count, Ordering::SeqCst);
    }

    /// Lets one of so many calls about the feed and its consumers fail from now on, before or after it took effect;
    /// none with zero.
    pub(crate) fn fail_some_feed_calls(&self, of: usize) {
        self.feed_calls_to_a_failure.store(of, Ordering::SeqCst);
    }

    /// From now on readers of the feed get this instead of its entries.
    pub(crate) fn lose_feed_entries(&self, fault: FeedFault) {
        *self.feed_fault.lock().unwrap() = Some(fault);
    }

    /// How many calls about the feed and its consumers were made.
    pub(crate) fn feed_calls(&self) -> usize {
        self.feed_calls.load(Ordering::SeqCst)
    }

    /// Whether this call about the feed fails before it takes effect, and whether after it.
    fn feed_call(&self) -> [bool; 2] {
        let (number, of) =
            (self.feed_calls.fetch_add(1, Ordering::SeqCst), self.feed_calls_to_a_failure.load(Ordering::SeqCst));
        let fails = of > 0 && number % of == of - 1;
        [fails && number % 2 == 0, fails && number % 2 == 1]
    }

    /// How many reads of due requests there were or are under way.
    pub(crate) fn sweeps(&self) -> usize {
        self.sweeps.arrived.load(Ordering::SeqCst)
    }

    /// How many updates were asked for.
    pub(crate) fn updates(&self) -> usize {
        self.updates.load(Ordering::SeqCst)
    }

    /// How many reads of one request were asked for.
    pub(crate) fn reads(&self) -> usize {
        self.gets.load(Ordering::SeqCst)
    }

    /// How often it was asked what became of a write.
    pub(crate) fn settles(&self) -> usize {
        self.settles.load(Ordering::SeqCst)
    }

    /// How many of them ended with a conflict.
    pub(crate) fn conflicts(&self) -> usize {
        self.conflicts.load(Ordering::SeqCst)
    }
}

pub(crate) fn failure(outcome: Outcome) -> Error {
    StoreError::new(StoreErrorKind::Connection, outcome, "the test cut the connection").into()
}

#[dual]
impl Meeting {
    async fn attend(&self) {
        let place = self.arrived.fetch_add(1, Ordering::SeqCst) + 1;
        if place > self.expected.load(Ordering::SeqCst) {
            return;
        }
        while self.arrived.load(Ordering::SeqCst) < self.expected.load(Ordering::SeqCst) {
            pause(Duration::from_micros(200)).await;
        }
    }
}

#[dual]
impl ShakyStore {
    async fn overtake(&self, id: &RequestId, command: &Command) {
        let request = self.inner.get(id).await.unwrap().unwrap();
        let changed = workflow::apply(request, command, self.clock.now()).unwrap();
        self.inner.update(changed, WriteId::generate()).await.unwrap();
    }

    async fn pass_on(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let result = self.inner.update(request, write_id).await;
        if matches!(result, Err(Error::Conflict(_))) {
            self.conflicts.fetch_add(1, Ordering::SeqCst);
        }
        result
    }
}

#[dual]
async fn stay() {
    loop {
        pause(Duration::from_secs(1)).await;
    }
}

#[dual]
impl Store for ShakyStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        self.inner.create(request).await
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let number = self.updates.fetch_add(1, Ordering::SeqCst) + 1;
        let mishap = self.mishaps.lock().unwrap().remove(&number);
        if self.unwritable.lock().unwrap().contains(&request.id) {
            let problem = "the test does not let this request be written";
            return Err(StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem).into());
        }
        match mishap {
            None => {}
            Some(Mishap::Lost) => return Err(failure(Outcome::NotApplied)),
            Some(Mishap::ReplyLost) => {
                self.pass_on(request, write_id).await?;
                return Err(failure(Outcome::Unknown));
            }
            Some(Mishap::Unconfirmed) => {
                self.pass_on(request, write_id).await?;
                let problem = "the test stopped the replica";
                return Err(StoreError::new(StoreErrorKind::Unconfirmed, Outcome::Applied, problem).into());
            }
            Some(Mishap::Late(by, command)) => {
                let (id, written) = (request.id.clone(), self.pass_on(request, write_id).await?);
                self.clock.advance(by);
                if let Some(command) = command {
                    self.overtake(&id, &command).await;
                }
                return Ok(written);
            }
            Some(Mishap::Overtaken(command)) => self.overtake(&request.id, &command).await,
            Some(Mishap::StuckBefore) => stay().await,
            Some(Mishap::StuckAfter) => {
                self.pass_on(request, write_id).await?;
                stay().await;
                return Err(failure(Outcome::Unknown));
            }
        }
        self.pass_on(request, write_id).await
    }

    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        self.settles.fetch_add(1, Ordering::SeqCst);
        self.inner.settle(id, write_id).await
    }

    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        let found = self.inner.get_many(ids).await;
        if let [id] = ids {
            self.gets.fetch_add(1, Ordering::SeqCst);
            let is_met_about = self.met_about.lock().unwrap().as_ref() == Some(id);
            if is_met_about {
                self.reads.attend().await;
            }
        }
        found
    }

    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.inner.requests(query, page).await
    }

    async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        self.inner.stored_requests(query, page).await
    }

    async fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        self.inner.records(query, page).await
    }

    async fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        self.inner.import(records).await
    }

    async fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        self.inner.remove(request, tombstone).await
    }

    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.inner.pending_approvals(query, page).await
    }

    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.inner.recent_approvals(query, page).await
    }

    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.inner.decisions(query, page).await
    }

    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.inner.inbox(query, now, page).await
    }

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        self.inner.count(query).await
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        self.inner.statistics(now, due_within).await
    }

    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        if self.feed_call() != [false, false] {
            return Err(failure(Outcome::NotApplied));
        }
        let fault = *self.feed_fault.lock().unwrap();
        let Some(fault) = fault else { return self.inner.read_feed(from, limit).await };
        let end = self.inner.end_of_feed().await?;
        Ok(match fault {
            FeedFault::Gap => FeedPage::at_gap(FeedGap::Trimmed { partition: 0, missed: 1 }, end),
            FeedFault::Silence => FeedPage::new(Vec::new(), end, true),
        })
    }

    async fn end_of_feed(&self) -> Result<FeedPosition> {
        self.inner.end_of_feed().await
    }

    async fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        let [before, after] = self.feed_call();
        if before {
            return Err(failure(Outcome::NotApplied));
        }
        let leased = self.inner.lease_consumer(name, holder, lease).await;
        if after { Err(failure(Outcome::Unknown)) } else { leased }
    }

    async fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        let [before, after] = self.feed_call();
        if before {
            return Err(failure(Outcome::NotApplied));
        }
        let saved = self.inner.save_consumer(name, holder, position, lease).await;
        if after { Err(failure(Outcome::Unknown)) } else { saved }
    }

    async fn consumers(&self) -> Result<Vec<Consumer>> {
        self.inner.consumers().await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        self.inner.remove_consumer(name).await
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        let found = self.inner.due(by, page).await;
        self.sweeps.attend().await;
        if self.panicking_sweeps.load(Ordering::SeqCst) > 0 {
            self.panicking_sweeps.fetch_sub(1, Ordering::SeqCst);
            panic!("the test's store has a fault");
        }
        if self.failing_sweeps.load(Ordering::SeqCst) > 0 {
            self.failing_sweeps.fetch_sub(1, Ordering::SeqCst);
            return Err(failure(Outcome::NotApplied));
        }
        let mut found = found?;
        found.unreadable.extend(self.unreadable.lock().unwrap().iter().cloned());
        Ok(found)
    }

    async fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.inner.ready(query, now, page).await
    }

    fn id_comparison(&self) -> IdComparison {
        self.inner.id_comparison()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }

    async fn refresh_clock(&self) -> Result<()> {
        self.inner.refresh_clock().await
    }

    fn call_timeout(&self) -> Duration {
        self.inner.call_timeout()
    }

    fn check_create(&self, request: &MutationRequest) -> Result<()> {
        self.inner.check_create(request)
    }

    fn check_update(&self, request: &MutationRequest) -> Result<()> {
        self.inner.check_update(request)
    }
}
