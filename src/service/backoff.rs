//! Pauses of what is tried again.

use std::time::Duration;

/// Pauses that double from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after so many failures in a row, without jitter.
    pub(crate) fn whole(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }

    /// The same, of which a random part, up to half, is taken off, so that many do not try again at once. `random` is
    /// uniform in 0..1.
    pub(crate) fn pause(&self, failures: u32, random: f64) -> Duration {
        let whole = self.whole(failures);
        whole.saturating_sub((whole / 2).mul_f64(random.clamp(0.0, 1.0)))
    }
}

/// An interval with a random part of up to a tenth added, so that many do not begin at the same moment.
pub(crate) fn jittered(interval: Duration, random: f64) -> Duration {
    interval.saturating_add(interval.mul_f64(0.1 * random.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_lose_up_to_half() {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let whole: Vec<u128> = (0..8).map(|failures| backoff.whole(failures).as_millis()).collect();
        assert_eq!(whole, [100, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
        assert_eq!(backoff.whole(u32::MAX), Duration::from_secs(1));
        assert_eq!((backoff.pause(3, 0.0).as_millis(), backoff.pause(3, 1.0).as_millis()), (400, 200));
        let endless = Backoff::new(Duration::MAX, Duration::MAX);
        assert!(endless.pause(9, 0.5) < Duration::MAX);
    }

    #[test]
    fn jitter_adds_up_to_a_tenth() {
        let second = Duration::from_secs(1);
        assert_eq!((jittered(second, 0.0), jittered(second, 1.0)), (second, Duration::from_millis(1_100)));
        assert_eq!(jittered(Duration::MAX, 1.0), Duration::MAX);
    }
}
