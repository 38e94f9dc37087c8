//! When a call has to end.

use std::time::{Duration, Instant};

/// The maximum time of a call, which keeps every later point in time representable.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The time by which a call has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    from: Instant,
    after: Duration,
}

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        Self { from: Instant::now(), after: duration.min(LONGEST) }
    }

    /// This deadline, or `duration` from now if that is earlier.
    #[cfg_attr(
        not(feature = "blocking"),
        allow(dead_code, reason = "the other flavours time their connecting otherwise")
    )]
    pub(crate) fn within(&self, duration: Duration) -> Self {
        Self::after(self.remaining().unwrap_or_default().min(duration))
    }

    /// How much time is left; `None` when there is none.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.after.checked_sub(self.from.elapsed()).filter(|left| !left.is_zero())
    }

    /// How long the call had in all.
    pub(crate) const fn total(&self) -> Duration {
        self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_durations_leaves_time() {
        assert!(Deadline::after(Duration::MAX).remaining() > Some(Duration::from_secs(24 * 60 * 60)));
    }

    #[test]
    fn no_duration_leaves_none() {
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), None);
    }

    #[test]
    fn a_part_of_a_deadline_ends_no_later_than_the_whole() {
        let whole = Deadline::after(Duration::from_secs(1));
        let left = whole.remaining();
        assert!(whole.within(Duration::from_secs(60)).remaining() <= left);
        assert_eq!(whole.within(Duration::from_millis(5)).total(), Duration::from_millis(5));
    }
}
