//! Work that goes on beside its caller: on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::service::reports::panic_message;

/// Work that was started; dropping this stops it.
pub(super) struct Background {
    /// Taken to stop the work.
    stop: Option<SignalHold>,
    /// The work drops the other end when it ends.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

/// Tells the work that it is to stop.
pub(super) struct StopSignal(Receiver<()>);

/// Keeps a signal from being given; dropping this gives it.
pub(super) type SignalHold = Sender<()>;

/// What the work returns, or what its panic said.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(&*panic))
}

impl Background {
    pub(super) fn start(work: impl FnOnce(StopSignal) + Send + 'static) -> Self {
        let (stop, stopped) = StopSignal::held();
        let (working, ended) = channel();
        let work = move || {
            // Dropped after the work, also when that panics.
            let _working: Sender<()> = working;
            work(stopped);
        };
        Self { stop: Some(stop), ended, thread: std::thread::spawn(work) }
    }

    /// Tells the work to stop, without waiting.
    pub(super) fn tell_to_stop(&mut self) {
        self.stop = None;
    }

    /// Waits that long for the end of the work; whether it has ended.
    pub(super) fn ends_within(&self, duration: Duration) -> bool {
        !matches!(self.ended.recv_timeout(duration), Err(RecvTimeoutError::Timeout))
    }

    /// Tells the work to stop and waits until it has.
    pub(super) fn stop(mut self) {
        self.tell_to_stop();
        // The work itself, such as a handler that ends its follower, would wait for itself.
        if self.thread.thread().id() == std::thread::current().id() {
            return;
        }
        // Had the work panicked, it would have ended all the same.
        let _ended = self.thread.join();
    }
}

impl StopSignal {
    /// A signal that is not given yet.
    pub(super) fn held() -> (SignalHold, Self) {
        let (hold, signal) = channel();
        (hold, Self(signal))
    }

    /// Waits that long, or until the work is to stop; whether it is.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        !matches!(self.0.recv_timeout(duration), Err(RecvTimeoutError::Timeout))
    }

    /// Whether the work is to stop.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self.0.try_recv(), Err(TryRecvError::Empty))
    }
}

/// The value of a call as it is. In the other flavour a call that is seldom made is put in a box, so that none is as large.
pub(super) const fn boxed<T>(value: T) -> T {
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_stops_itself_does_not_wait_for_itself() {
        let (give, take) = channel::<Background>();
        let (tell, told) = channel();
        let background = Background::start(move |_stop| {
            take.recv().unwrap().stop();
            tell.send(()).unwrap();
        });
        give.send(background).unwrap();
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(()));
    }
}
