//! How long a connection has been silent: for how long somebody has waited for a reply, and none came.
//!
//! Counted in time and not in calls, since callers give up when they like: by the deadline of a call, or by dropping it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A connection that was silent for so long is taken for dead. One that is only slow is replaced for nothing, which does no
/// harm: those who still wait for it go on waiting.
const LONGEST: Duration = Duration::from_secs(1);

/// What is known of one connection's watch.
#[derive(Debug, Default)]
pub(super) struct ResponseWatch(Mutex<Waited>);

#[derive(Debug, Default)]
struct Waited {
    /// Since the last reply, what several waited for at once counted once.
    in_all: Duration,
    /// Up to when it is counted.
    until: Option<Instant>,
}

impl ResponseWatch {
    /// A reply has come.
    pub(super) fn ends(&self) {
        self.with(|waited| *waited = Waited { in_all: Duration::ZERO, until: Some(Instant::now()) });
    }

    /// Somebody has waited from then until now, in vain. Whether the connection is to be taken for dead.
    pub(super) fn lasted(&self, from: Instant) -> bool {
        self.lasted_until(from, Instant::now())
    }

    fn lasted_until(&self, from: Instant, now: Instant) -> bool {
        self.with(|waited| {
            let uncounted = waited.until.map_or(from, |until| until.max(from));
            waited.in_all = waited.in_all.saturating_add(now.saturating_duration_since(uncounted));
            waited.until = Some(now.max(uncounted));
            waited.in_all >= LONGEST
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Waited) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_adds_up_over_calls_and_not_over_pauses_between_them() {
        let (watch, began) = (ResponseWatch::default(), Instant::now());
        let at = |milliseconds| began + Duration::from_millis(milliseconds);
        for call in 0..3 {
            assert!(!watch.lasted_until(at(10_000 * call), at(10_000 * call + 300)), "after call {call}");
        }
        assert!(watch.lasted_until(at(40_000), at(40_300)));
    }

    #[test]
    fn those_who_wait_at_once_count_once() {
        let (watch, began) = (ResponseWatch::default(), Instant::now());
        let at = |milliseconds| began + Duration::from_millis(milliseconds);
        for call in 0..100 {
            assert!(!watch.lasted_until(at(call), at(500 + call)), "after call {call}");
        }
    }

    #[test]
    fn a_reply_ends_it() {
        let watch = ResponseWatch::default();
        let now = Instant::now();
        assert!(!watch.lasted_until(now, now + Duration::from_millis(900)));
        watch.ends();
        let now = Instant::now();
        assert!(!watch.lasted_until(now, now + Duration::from_millis(900)));
    }
}
