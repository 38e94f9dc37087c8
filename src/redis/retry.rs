use std::time::Duration;

use super::fault::{Effect, Fault, Remedy};
use crate::deadline::Deadline;
use crate::error::StoreError;

const MOST_ATTEMPTS: u32 = 5;
/// The longest that the first pause can be; it is doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The attempts of one call: how many were made, and whether one of them may have been executed.
///
/// Every call of this store may be repeated: reads change nothing, and a write is recognised by its write id.
#[derive(Debug)]
pub(crate) struct Attempts {
    deadline: Deadline,
    writes: bool,
    made: u32,
    earlier: Effect,
    source_sent: bool,
}

/// What to do after an attempt failed.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send the script with its source, at once.
    SendSource,
    /// Try again after a pause.
    After(Duration),
    /// Tell the caller.
    Stop(StoreError),
}

impl Attempts {
    pub(crate) const fn new(deadline: Deadline, writes: bool) -> Self {
        Self { deadline, writes, made: 0, earlier: Effect::None, source_sent: false }
    }

    pub(crate) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Decides what follows `fault`. `random` is uniform in 0..1: pauses are exponential with full jitter.
    pub(crate) fn after(&mut self, fault: Fault, random: f64) -> Next {
        self.made = self.made.saturating_add(1);
        if fault.remedy == Remedy::SendSource && !self.source_sent {
            self.source_sent = true;
            return Next::SendSource;
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << (self.made - 1).min(16)).min(LONGEST_PAUSE);
        let pause = longest.mul_f64(random.clamp(0.0, 1.0));
        let time_left = self.deadline.remaining().is_some_and(|left| left > pause);
        if fault.remedy == Remedy::Repeat && self.made < MOST_ATTEMPTS && time_left {
            if fault.effect == Effect::Unknown {
                self.earlier = Effect::Unknown;
            }
            return Next::After(pause);
        }
        Next::Stop(fault.into_error(self.writes, self.earlier))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::Outcome;

    fn fault(kind: io::ErrorKind) -> Fault {
        Fault::command("here", io::Error::from(kind).into())
    }

    #[test]
    fn attempts_end_after_five_with_longer_pauses_each() {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_mins(1)), false);
        let mut pauses = Vec::new();
        loop {
            match attempts.after(fault(io::ErrorKind::ConnectionReset), 1.0) {
                Next::After(pause) => pauses.push(pause.as_millis()),
                Next::Stop(_) => break,
                Next::SendSource => panic!("no script is missing"),
            }
        }
        assert_eq!(pauses, [40, 80, 160, 320]);
    }

    #[test]
    fn no_pause_reaches_beyond_the_deadline() {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_millis(10)), false);
        assert!(matches!(attempts.after(fault(io::ErrorKind::ConnectionReset), 1.0), Next::Stop(_)));
    }

    #[test]
    fn once_unknown_a_write_stays_unknown() {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_mins(1)), true);
        assert!(matches!(attempts.after(fault(io::ErrorKind::ConnectionReset), 0.0), Next::After(_)));
        for _ in 0..3 {
            attempts.after(fault(io::ErrorKind::ConnectionRefused), 0.0);
        }
        let Next::Stop(error) = attempts.after(fault(io::ErrorKind::ConnectionRefused), 0.0) else {
            panic!("the attempts are used up");
        };
        assert_eq!(error.outcome, Outcome::Unknown);
    }
}
