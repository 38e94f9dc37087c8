//! Work that goes on beside its caller: in a task of the runtime it was started in.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_lock::{Mutex, MutexGuardArc};

use super::timer::{spawn, within};
use crate::service::reports::panic_message;

/// Work that was started; dropping this stops it.
pub(super) struct Background {
    /// Held for as long as the work may go on.
    may_go_on: Option<SignalHold>,
    /// Held by the work for as long as it goes on.
    going_on: Arc<Mutex<()>>,
}

/// Tells the work that it is to stop.
pub(super) struct StopSignal(Arc<Mutex<()>>);

/// Keeps a signal from being given; dropping this gives it.
pub(super) type SignalHold = MutexGuardArc<()>;

/// What the work comes to, or what its panic said. After a panic it is not polled again.
pub(super) async fn caught<F: Future>(work: impl FnOnce() -> F) -> Result<F::Output, String> {
    let mut work = pin!(work());
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.map_or_else(|panic| Poll::Ready(Err(panic_message(&*panic))), |polled| polled.map(Ok))
    })
    .await
}

impl Background {
    pub(super) fn start<F>(work: impl FnOnce(StopSignal) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (may_go_on, stop) = StopSignal::held();
        let going_on = Arc::new(Mutex::new(()));
        // Nobody else knows of the lock yet, so it cannot be held.
        let working = going_on.lock_arc_blocking();
        let work = work(stop);
        spawn(async move {
            work.await;
            drop(working);
        });
        Self { may_go_on: Some(may_go_on), going_on }
    }

    /// Tells the work to stop, without waiting.
    pub(super) fn tell_to_stop(&mut self) {
        self.may_go_on = None;
    }

    /// Waits that long for the end of the work; whether it has ended.
    pub(super) async fn ends_within(&self, duration: Duration) -> bool {
        within(duration, pin!(self.going_on.lock())).await.is_some()
    }

    /// Tells the work to stop and waits until it has.
    pub(super) async fn stop(mut self) {
        self.tell_to_stop();
        self.going_on.lock().await;
    }
}

impl StopSignal {
    /// A signal that is not given yet.
    pub(super) fn held() -> (SignalHold, Self) {
        let signal = Arc::new(Mutex::new(()));
        // Nobody else knows of the lock yet, so it cannot be held.
        (signal.lock_arc_blocking(), Self(signal))
    }

    /// Waits that long, or until the work is to stop; whether it is.
    pub(super) async fn wait(&self, duration: Duration) -> bool {
        within(duration, pin!(self.0.lock())).await.is_some()
    }

    /// Whether the work is to stop.
    pub(super) fn is_given(&self) -> bool {
        self.0.try_lock().is_some()
    }
}

/// Puts a call that is seldom made in a box, so that no other is as large.
pub(super) fn boxed<F: Future>(call: F) -> Pin<Box<F>> {
    Box::pin(call)
}
