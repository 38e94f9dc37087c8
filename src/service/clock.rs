//! The clocks that date decisions and judge deadlines.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::request::Timestamp;

/// The time that dates decisions, and that deadlines and leases are judged by.
///
/// A `Governance` takes it from its store unless the application gives it a clock: hosts that share a store then agree
/// on the time, whatever their own clocks say.
pub trait Clock: Send + Sync {
    /// The time now. A clock that knows it only within bounds returns the earliest possible time, so that nothing
    /// counts as over too early.
    fn now(&self) -> Timestamp;

    /// The latest possible time now, by which a holder judges its own lease. Defaults to [`now`](Self::now).
    fn latest(&self) -> Timestamp {
        self.now()
    }
}

/// The clock of the host that this process runs on. Hosts differ: it is for stores that no other host uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock for tests that stands still until it is set.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `time`.
    pub const fn at(time: Timestamp) -> Self {
        Self(Mutex::new(time))
    }

    /// Sets the clock to `time`.
    pub fn set(&self, time: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time;
    }

    /// Moves the clock on by `duration`.
    pub fn advance(&self, duration: Duration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time = time.saturating_add(duration);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
