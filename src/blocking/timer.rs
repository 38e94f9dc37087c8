//! Time of the thread that calls.

use std::time::Duration;

/// What threads run in: the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Runtime;

impl Runtime {
    /// That of the caller.
    #[allow(clippy::unnecessary_wraps, reason = "in the asynchronous flavour there may be none")]
    pub(super) const fn current() -> Option<Self> {
        Some(Self)
    }
}

/// Waits, and keeps the thread.
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
