//! Waits for a request, by one follower of the change feed for all waiters of a service.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::background::{Background, SignalHold, StopSignal};
use super::super::timer::Runtime;
use super::waiting_follower::follow_for_waiters;
use super::{Governance, Store, dual};
use crate::error::Result;
use crate::request::{IntoId, RequestId};
use crate::service::waiters::Waiters;
use crate::service::waiting::{WaitUntil, Waited};

/// Waiting for a decision.
#[dual]
impl Governance {
    /// Waits until the request is what is [waited for](WaitUntil), for at most this long. A timeout of zero answers at
    /// once.
    ///
    /// Returns within 100 ms of the write on a server nearby, whichever process made it. All waiters of a service and
    /// its clones share one reader of the change feed, which runs only while somebody waits: in a thread of its own in
    /// the blocking flavour, in a task of the waiter's runtime in the asynchronous one. No write is slept through: the
    /// request is read again after a connection or a server was lost, when the feed has a gap, every few seconds, and
    /// at the end of the time. A store that fails meanwhile is tried again.
    ///
    /// Waiting changes nothing: a request whose deadline has passed is `Pending` until a sweep expires it. A dropped
    /// future leaves nothing.
    ///
    /// # Errors
    /// - [`Error::NotFound`](crate::Error::NotFound) when there is no such request, also when a failover lost it
    ///   meanwhile; [`Error::Unreadable`](crate::Error::Unreadable) when the stored request cannot be read.
    /// - [`Error::Invalid`](crate::Error::Invalid) for an empty set of statuses.
    /// - [`Error::Store`](crate::Error::Store) when the store fails at the first read, or at the last, which is made at
    ///   the end of the time.
    pub async fn wait(&self, id: impl IntoId<RequestId>, until: WaitUntil, timeout: Duration) -> Result<Waited> {
        let id = id.into_id()?;
        until.check()?;
        let begun = Instant::now();
        let request = self.load(&id).await?;
        let left = timeout.saturating_sub(begun.elapsed());
        if left.is_zero() || until.answer(&request).is_some() {
            return Ok(until.last_answer(request));
        }
        let waiter = Waiter::register(&self.waiting, &self.store, id, until);
        if waiter.signal.wait(left).await
            && let Some(answer) = waiter.answer.take()
        {
            return answer;
        }
        let request = self.load(&waiter.id).await?;
        Ok(waiter.until.last_answer(request))
    }
}

/// The waiters of one service: a group for each runtime, because a follower goes on only while its runtime does.
#[derive(Default)]
pub(super) struct WaiterGroups(Mutex<Groups>);

#[derive(Default)]
struct Groups {
    next: u64,
    groups: Vec<Group>,
}

struct Group {
    runtime: Option<Runtime>,
    waiters: Arc<SharedWaiters>,
    /// Stops when this is dropped.
    _follower: Background,
}

/// The waiters of one follower.
#[derive(Default)]
pub(super) struct SharedWaiters(Mutex<Waiters<Wake>>);

/// Where a waiter finds its answer.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<Result<Waited>>>>);

impl Slot {
    fn take(&self) -> Option<Result<Waited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Gives a waiter its answer and wakes it.
pub(super) struct Wake {
    slot: Slot,
    _hold: SignalHold,
}

impl Wake {
    pub(super) fn with(self, answer: Result<Waited>) {
        *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

impl SharedWaiters {
    pub(super) fn lock(&self) -> MutexGuard<'_, Waiters<Wake>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaiterGroups {
    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller that waits; dropping this removes it, and the last one of a group ends the follower.
struct Waiter {
    groups: Arc<WaiterGroups>,
    runtime: Option<Runtime>,
    id: RequestId,
    number: u64,
    until: WaitUntil,
    answer: Slot,
    signal: StopSignal,
}

impl Waiter {
    fn register(groups: &Arc<WaiterGroups>, store: &Arc<dyn Store>, id: RequestId, until: WaitUntil) -> Self {
        let runtime = Runtime::current();
        let answer = Slot::default();
        let (hold, signal) = StopSignal::held();
        let wake = Wake { slot: answer.clone(), _hold: hold };
        let mut locked = groups.lock();
        let number = locked.next;
        locked.next += 1;
        if let Some(group) = locked.groups.iter().find(|group| group.runtime == runtime) {
            group.waiters.lock().add(id.clone(), number, until.clone(), wake);
        } else {
            let waiters = Arc::<SharedWaiters>::default();
            waiters.lock().add(id.clone(), number, until.clone(), wake);
            let (store, shared) = (Arc::clone(store), Arc::clone(&waiters));
            let follower = Background::start(move |stop| follow_for_waiters(store, shared, stop));
            locked.groups.push(Group { runtime, waiters, _follower: follower });
        }
        drop(locked);
        Self { groups: Arc::clone(groups), runtime, id, number, until, answer, signal }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut locked = self.groups.lock();
        let Some(place) = locked.groups.iter().position(|group| group.runtime == self.runtime) else { return };
        let Some(group) = locked.groups.get(place) else { return };
        let mut waiters = group.waiters.lock();
        waiters.remove(&self.id, self.number);
        let is_last = waiters.is_empty();
        drop(waiters);
        if is_last {
            let ended = locked.groups.swap_remove(place);
            drop(locked);
            drop(ended);
        }
    }
}
