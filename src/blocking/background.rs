//! Work that goes on beside its caller: on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::service::sweep::panic_message;

/// Work that was started; it is told to stop when this is dropped.
pub(super) struct Background {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// Tells the work that it is to stop.
pub(super) struct StopSignal(Receiver<()>);

/// What the work returns, or what its panic said.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(&*panic))
}

impl Background {
    pub(super) fn start(work: impl FnOnce(StopSignal) + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        Self { stop, thread: std::thread::spawn(move || work(StopSignal(stopped))) }
    }

    /// Tells the work to stop and waits until it has.
    pub(super) fn stop(self) {
        drop(self.stop);
        // Had the work panicked, it would have ended all the same.
        let _ended = self.thread.join();
    }
}

impl StopSignal {
    /// Waits that long, or until the work is to stop; whether it is.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        !matches!(self.0.recv_timeout(duration), Err(RecvTimeoutError::Timeout))
    }
}
