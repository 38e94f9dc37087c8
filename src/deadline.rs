use std::time::{Duration, Instant};

/// The time by which a call has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
}

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        let now = Instant::now();
        Self { at: now.checked_add(duration).unwrap_or(now), after: duration }
    }

    /// How much time is left; `None` when there is none.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// How long the call had in all.
    pub(crate) const fn total(&self) -> Duration {
        self.after
    }
}
