//! Time of the thread that calls.

use std::time::Duration;

/// Waits, and keeps the thread.
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
