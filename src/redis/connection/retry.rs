//! Which failures are tried again, how often, and after which pause.

use std::time::{Duration, Instant};

use crate::error::{Error, Outcome, StoreError, StoreErrorKind};
use crate::redis::connection::fault::{Effect, Fault, Remedy};
use crate::redis::reply::NOTHING_WRITTEN;
use crate::redis::topology::{Failure, RoutedAttempts, Step};
use crate::service::deadline::Deadline;

const MAX_ATTEMPTS: u32 = 5;
/// The greatest length of the first pause; it doubles for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(40);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// A node that did not answer a last attempt within less need not be slow.
const MIN_PATIENCE: Duration = Duration::from_millis(250);

/// The attempts of one call: how many were made, and whether one of them may have been executed.
///
/// Every call of this store may be repeated: reads change nothing, and a write is recognized by its write id.
#[derive(Debug)]
pub(crate) struct Attempts {
    deadline: Deadline,
    writes: bool,
    made: u32,
    earlier: Effect,
    source_sent: bool,
    /// What went wrong before, of a call to a cluster that goes on, and when it went on.
    before: Option<(Fault, Instant)>,
    /// Those of a call to a cluster.
    routed: RoutedAttempts,
}

/// What to do after an attempt failed.
#[derive(Debug)]
pub(crate) enum Next {
    /// Send the script with its source, at once.
    SendSource,
    /// Try again after a pause.
    After(Duration),
    /// Return the error to the caller.
    Stop(StoreError),
}

impl Attempts {
    pub(crate) const fn new(deadline: Deadline, writes: bool) -> Self {
        Self {
            deadline,
            writes,
            made: 0,
            earlier: Effect::None,
            source_sent: false,
            before: None,
            routed: RoutedAttempts::new(writes),
        }
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
        let longest = FIRST_PAUSE.saturating_mul(1 << (self.made - 1).min(16)).min(MAX_PAUSE);
        let pause = longest.mul_f64(random.clamp(0.0, 1.0));
        let time_left = self.deadline.remaining().is_some_and(|left| left > pause);
        if fault.remedy == Remedy::Repeat && self.made < MAX_ATTEMPTS && time_left {
            if fault.effect == Effect::Unknown {
                self.earlier = Effect::Unknown;
            }
            return Next::After(pause);
        }
        Next::Stop(fault.into_error(self.writes, self.earlier))
    }

    /// Decides what follows a fault of a call to a cluster, given what it means; `None` if the call ends here.
    pub(crate) fn step(&mut self, failure: &Failure, fault: &Fault, random: f64) -> Option<Step> {
        let step = self.routed.after(failure, self.deadline.remaining(), random).ok()?;
        if failure.effect() == Effect::Unknown {
            self.earlier = Effect::Unknown;
        }
        if *failure != Failure::UnknownScript && !fault.is_out_of_time() {
            let pause = match step {
                Step::Refresh(pause) | Step::Wait(pause) => pause,
                Step::Send { .. } | Step::SendSource => Duration::ZERO,
            };
            self.before = Some((fault.again(), Instant::now() + pause));
        }
        Some(step)
    }

    /// The error of a call to a cluster that ends with this fault. If that says only that the time was over, the error is what
    /// took the time.
    pub(crate) fn ended(&self, fault: Fault) -> StoreError {
        let is_hasty = |resumed: &Instant| fault.is_silence() && resumed.elapsed() < MIN_PATIENCE;
        let fault = match &self.before {
            Some((before, resumed)) if fault.is_out_of_time() || is_hasty(resumed) => {
                before.again().with_effect(fault.effect)
            }
            _ => fault.in_cluster(),
        };
        fault.into_error(self.writes, self.earlier)
    }

    /// The error of the whole call, from a script's reply that it wrote nothing. That reply is about this attempt; an
    /// earlier one whose reply was lost may have been applied before the reason arose.
    ///
    /// A conflict and the other errors about the request itself are certain: a script returns them only after looking
    /// for the write id in the record.
    pub(crate) fn rejected(&self, error: Error) -> Error {
        if self.earlier == Effect::None {
            return error;
        }
        let doubt =
            "; this is the reply to a repeated attempt, and it is not known whether the one before it took effect";
        match error {
            Error::Store(error) if error.outcome == Outcome::NotApplied => {
                let problem = error.problem.trim_end_matches(NOTHING_WRITTEN).to_owned() + doubt;
                Error::from(StoreError { outcome: Outcome::Unknown, problem, ..error })
            }
            // What is left of a removed request does not say which writes made it.
            Error::Unreadable { .. } | Error::Removed(_) | Error::IdOfRemoved(_) => {
                let problem = format!("{error}{doubt}");
                StoreError::new(StoreErrorKind::Rejected, Outcome::Unknown, problem).caused_by(error).into()
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::feed::FeedActor;
    use crate::removal::Tombstone;
    use crate::request::{ActorContext, Digest, RequestId, Revision, Status, Timestamp, WriteId};

    fn fault(kind: io::ErrorKind) -> Fault {
        Fault::command("here", io::Error::from(kind).into())
    }

    #[test]
    fn attempts_end_after_five_with_longer_pauses_each() {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_secs(60)), false);
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
    fn a_rejection_of_a_repeated_attempt_leaves_open_what_came_of_the_one_before() {
        let rejection = || {
            let problem = format!("the user may not run SET{NOTHING_WRITTEN}");
            Error::from(StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem))
        };
        let mut attempts = Attempts::new(Deadline::after(Duration::from_secs(60)), true);
        assert_eq!(attempts.rejected(rejection()).to_string(), rejection().to_string());
        attempts.after(fault(io::ErrorKind::ConnectionReset), 0.0);
        let error = attempts.rejected(rejection());
        assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
        assert!(!error.to_string().contains("Nothing was written"), "{error}");

        let missing = Error::NotFound { id: RequestId::generate() };
        assert_eq!(attempts.rejected(missing).outcome(), Outcome::NotApplied);

        let (id, revision) = (RequestId::generate(), Revision::first(WriteId::from_bytes([7; 16])));
        let by = FeedActor::from(&ActorContext::user("rita").unwrap());
        let about = (Status::Canceled, Digest::from_bytes([7; 32]));
        let removed = Tombstone::stored((id, revision), about, (by, Timestamp::MIN), None);
        assert_eq!(attempts.rejected(Error::removed(removed)).outcome(), Outcome::Unknown);
    }

    /// What a call to a cluster ends with, of which this was repeated and this came last.
    fn ended(before: &Fault, last: Fault) -> StoreError {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_secs(60)), true);
        assert!(attempts.step(&Failure::Unreached, before, 0.0).is_some());
        attempts.ended(last)
    }

    #[test]
    fn a_call_that_waited_for_a_dead_node_names_it_instead_of_the_deadline() {
        let deadline = Deadline::after(Duration::from_secs(2));
        let refused = || Fault::connecting("dead:1", io::Error::from(io::ErrorKind::ConnectionRefused).into());
        let silent = || Fault::no_sign_of_life("dead:1", Duration::from_millis(250));
        for before in [refused(), silent()] {
            for last in [
                Fault::deadline("dead:1", deadline, Effect::None),
                Fault::no_connection("dead:1", deadline, "it was still being made"),
                refused(),
                silent(),
            ] {
                let error = ended(&before, last);
                assert_eq!((error.kind, error.outcome), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
                let is_named = error.problem.contains("dead:1") && error.problem.contains("no other server took over");
                assert!(is_named, "{error}");
            }
        }
        let slow = || Fault::deadline("slow:1", deadline, Effect::Unknown);
        let error = ended(&refused(), slow());
        assert_eq!((error.kind, error.outcome), (StoreErrorKind::Unavailable, Outcome::Unknown), "{error}");
        let mut attempts = Attempts::new(deadline, true);
        attempts.before = Some((refused().again(), Instant::now() - MIN_PATIENCE));
        let error = attempts.ended(slow());
        assert!(error.kind == StoreErrorKind::DeadlineExceeded && error.problem.contains("slow:1"), "{error}");
        let late = Fault::deadline("slow:1", deadline, Effect::None);
        let error = Attempts::new(deadline, true).ended(late);
        assert_eq!(error.kind, StoreErrorKind::DeadlineExceeded, "nothing was wrong before: {error}");
    }

    #[test]
    fn once_unknown_a_write_stays_unknown() {
        let mut attempts = Attempts::new(Deadline::after(Duration::from_secs(60)), true);
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
