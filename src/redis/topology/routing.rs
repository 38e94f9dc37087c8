//! What follows when a node of a cluster did not answer a command.

use std::time::Duration;

use redis::{ErrorKind, ServerErrorKind};

use super::announcement::Announcements;
use super::node_address::NodeAddress;
use super::redirect::Redirect;
use crate::error::{Outcome, StoreErrorKind};
use crate::redis::connection::fault::{Effect, Fault, Remedy};

/// So many redirects are followed without a pause; a cluster that settles needs no more.
const MAX_AT_ONCE: u32 = 3;
/// The longest that the first pause can be; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// A failover takes seconds: whoever waits for it asks twice a second.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Why a node did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It sends the command elsewhere.
    Redirected(Redirect),
    /// It does not know the script.
    UnknownScript,
    /// Some keys of the slot are here and some have moved (`TRYAGAIN`).
    Moving,
    /// It serves nothing now: it is loading, or its cluster or its primary is down.
    NotServing,
    /// It is no primary any more.
    Demoted,
    /// It was not reached, or not whole commands reached it.
    Unreached,
    /// The connection ended after the command was sent.
    Lost,
    /// It did not answer in time.
    Silent,
    /// It answers so, and so would any other node.
    Final(Effect),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send the command to this node at once, with `ASKING` before it if `is_asking`. Otherwise note that the slot is there.
    Send { to: NodeAddress, is_asking: bool },
    /// Send the script with its source, at once, to the same node in the same way.
    SendSource,
    /// Ask another node for the map, wait, and send the command to whom the map names.
    Refresh(Duration),
    /// Wait, and send the command to whom the map names already.
    Wait(Duration),
}

/// The attempts of one call to a cluster. They end by its deadline, not by their number: a failover takes longer than any
/// number of attempts that would be reasonable without one.
#[derive(Debug)]
pub(crate) struct RoutedAttempts {
    writes: bool,
    redirects: u32,
    pauses: u32,
    is_source_sent: bool,
    /// Whether an attempt before may have been executed.
    earlier: Effect,
}

impl Failure {
    /// What a fault means in a cluster.
    pub(crate) fn of(fault: &Fault, announcements: Announcements<'_>) -> Self {
        let error = fault.cause();
        if let Some(redirect) = error.and_then(|error| Redirect::of(error, announcements)) {
            return Self::Redirected(redirect);
        }
        let is_late = matches!(fault.kind, StoreErrorKind::DeadlineExceeded | StoreErrorKind::Unreachable);
        match (fault.remedy, fault.effect) {
            (Remedy::SendSource, _) => Self::UnknownScript,
            (Remedy::GiveUp, effect) if !is_late => Self::Final(effect),
            (_, Effect::Unknown) if is_late => Self::Silent,
            (_, Effect::Unknown) => Self::Lost,
            (_, Effect::None) => match error.map(redis::RedisError::kind) {
                Some(ErrorKind::Server(ServerErrorKind::TryAgain)) => Self::Moving,
                Some(ErrorKind::Server(ServerErrorKind::ReadOnly)) => Self::Demoted,
                Some(_) if error.is_some_and(|error| error.code().is_some()) => Self::NotServing,
                _ => Self::Unreached,
            },
        }
    }

    /// Whether the command may have been executed.
    pub(crate) const fn effect(&self) -> Effect {
        match self {
            Self::Lost | Self::Silent | Self::Final(Effect::Unknown) => Effect::Unknown,
            _ => Effect::None,
        }
    }
}

impl RoutedAttempts {
    pub(crate) const fn new(writes: bool) -> Self {
        Self { writes, redirects: 0, pauses: 0, is_source_sent: false, earlier: Effect::None }
    }

    /// Decides what follows a failure, given the time left of the call. `random` is uniform in 0..1: pauses are exponential
    /// with full jitter.
    ///
    /// Repeating is safe after any failure: reads change nothing, and writes are recognized by their id.
    ///
    /// # Errors
    /// The outcome of the call, if it ends here.
    pub(crate) fn after(&mut self, failure: &Failure, left: Option<Duration>, random: f64) -> Result<Step, Outcome> {
        let end = Err(self.outcome(failure.effect()));
        if failure.effect() == Effect::Unknown {
            self.earlier = Effect::Unknown;
        }
        if *failure == Failure::UnknownScript && !self.is_source_sent && left.is_some() {
            self.is_source_sent = true;
            return Ok(Step::SendSource);
        }
        // The next node may not know the script either.
        self.is_source_sent = false;
        let step = match failure {
            Failure::Final(_) | Failure::UnknownScript => return end,
            Failure::Redirected(redirect @ (Redirect::Moved { to, .. } | Redirect::Ask { to, .. })) => {
                self.redirects = self.redirects.saturating_add(1);
                if !self.redirects.is_multiple_of(MAX_AT_ONCE + 1) {
                    let is_asking = matches!(redirect, Redirect::Ask { .. });
                    return if left.is_some() { Ok(Step::Send { to: to.clone(), is_asking }) } else { end };
                }
                Step::Refresh
            }
            Failure::Moving => Step::Wait,
            _ => Step::Refresh,
        };
        let pause = self.pause(random);
        if left.is_some_and(|left| left > pause) { Ok(step(pause)) } else { end }
    }

    fn pause(&mut self, random: f64) -> Duration {
        let longest = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(16)).min(MAX_PAUSE);
        self.pauses = self.pauses.saturating_add(1);
        longest.mul_f64(random.clamp(0.0, 1.0))
    }

    fn outcome(&self, effect: Effect) -> Outcome {
        let is_unknown = self.writes && (effect == Effect::Unknown || self.earlier == Effect::Unknown);
        if is_unknown { Outcome::Unknown } else { Outcome::NotApplied }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::redis::topology::samples::{address, server_error};
    use crate::redis::topology::slot::Slot;

    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    fn failure(line: &str) -> Failure {
        Failure::of(&Fault::command("asked:9", server_error(line)), Announcements::of(&address("asked", 9)))
    }

    fn broken(kind: io::ErrorKind) -> Failure {
        let fault = Fault::command("asked:9", io::Error::from(kind).into());
        Failure::of(&fault, Announcements::of(&address("asked", 9)))
    }

    fn after(failure: &Failure) -> Result<Step, Outcome> {
        RoutedAttempts::new(true).after(failure, LONG, 1.0)
    }

    #[test]
    fn each_reply_has_its_step() {
        let (to, first) = (address("h", 1), FIRST_PAUSE);
        assert_eq!(after(&failure("MOVED 7 h:1")), Ok(Step::Send { to: to.clone(), is_asking: false }));
        assert_eq!(after(&failure("ASK 7 h:1")), Ok(Step::Send { to, is_asking: true }));
        assert_eq!(after(&failure("MOVED 7 ?:1")), Ok(Step::Refresh(first)));
        assert_eq!(after(&failure("TRYAGAIN Multiple keys request during rehashing of slot")), Ok(Step::Wait(first)));
        for line in ["CLUSTERDOWN The cluster is down", "LOADING", "MASTERDOWN Link", "READONLY You can't write"] {
            assert_eq!(after(&failure(line)), Ok(Step::Refresh(first)), "{line}");
        }
        assert_eq!(after(&failure("NOSCRIPT No matching script")), Ok(Step::SendSource));
        for line in ["NOPERM no", "CROSSSLOT Keys"] {
            assert_eq!(after(&failure(line)), Err(Outcome::NotApplied), "{line}");
        }
        assert_eq!(after(&failure("ERR in a script")), Err(Outcome::Unknown));
        for kind in [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset, io::ErrorKind::TimedOut] {
            assert_eq!(after(&broken(kind)), Ok(Step::Refresh(first)), "{kind:?}");
        }
        assert_eq!(broken(io::ErrorKind::ConnectionRefused), Failure::Unreached);
        assert_eq!(broken(io::ErrorKind::ConnectionReset), Failure::Lost);
        assert_eq!(broken(io::ErrorKind::TimedOut), Failure::Silent);
    }

    #[test]
    fn two_nodes_that_name_each_other_are_asked_less_and_less_often() {
        let mut attempts = RoutedAttempts::new(false);
        let steps: Vec<Step> = (0..8)
            .filter_map(|turn| attempts.after(&failure(&format!("MOVED 7 h:{}", 1 + turn % 2)), LONG, 1.0).ok())
            .collect();
        let send = |port| Step::Send { to: address("h", port), is_asking: false };
        let expected = [
            send(1),
            send(2),
            send(1),
            Step::Refresh(FIRST_PAUSE),
            send(1),
            send(2),
            send(1),
            Step::Refresh(2 * FIRST_PAUSE),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn a_script_is_sent_to_each_node_that_does_not_know_it_and_once() {
        let mut attempts = RoutedAttempts::new(true);
        let unknown = failure("NOSCRIPT No matching script");
        assert_eq!(attempts.after(&unknown, LONG, 1.0), Ok(Step::SendSource));
        assert!(matches!(attempts.after(&failure("ASK 7 h:1"), LONG, 1.0), Ok(Step::Send { is_asking: true, .. })));
        assert_eq!(attempts.after(&unknown, LONG, 1.0), Ok(Step::SendSource), "the node it was asked to go to");
        assert_eq!(attempts.after(&unknown, LONG, 1.0), Err(Outcome::NotApplied), "with its source in hand");
    }

    #[test]
    fn pauses_grow_to_half_a_second_and_none_reaches_beyond_the_deadline() {
        let mut attempts = RoutedAttempts::new(false);
        let mut pause = |left| match attempts.after(&Failure::NotServing, left, 1.0) {
            Ok(Step::Refresh(pause)) => pause.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!([(); 7].map(|()| pause(LONG)), [20, 40, 80, 160, 320, 500, 500]);
        let step = attempts.after(&Failure::NotServing, Some(Duration::from_millis(500)), 1.0);
        assert_eq!(step, Err(Outcome::NotApplied));
    }

    fn any_failure() -> impl Strategy<Value = Failure> {
        let (slot, to) = (Slot::new(7).unwrap(), address("h", 1));
        proptest::sample::select(vec![
            Failure::Redirected(Redirect::Moved { slot, to: to.clone() }),
            Failure::Redirected(Redirect::Ask { slot, to }),
            Failure::Redirected(Redirect::Nowhere),
            Failure::UnknownScript,
            Failure::Moving,
            Failure::NotServing,
            Failure::Demoted,
            Failure::Unreached,
            Failure::Lost,
            Failure::Silent,
            Failure::Final(Effect::None),
            Failure::Final(Effect::Unknown),
        ])
    }

    proptest! {
        /// Whatever fails in whichever order: without time left the call stops, and a write of which any attempt may have been
        /// executed is never said not to be applied. Reads change nothing.
        #[test]
        fn a_call_stops_in_time_and_never_denies_what_may_have_happened(
            failures in proptest::collection::vec(any_failure(), 1..20),
            writes: bool,
            random in 0.0..1.0,
        ) {
            let mut attempts = RoutedAttempts::new(writes);
            let mut may_be_applied = false;
            for (number, failure) in failures.iter().enumerate() {
                may_be_applied |= writes && failure.effect() == Effect::Unknown;
                let left = if number + 1 == failures.len() { None } else { LONG };
                let step = attempts.after(failure, left, random);
                if let Err(outcome) = step {
                    prop_assert_eq!(outcome == Outcome::Unknown, may_be_applied);
                    return Ok(());
                }
                prop_assert!(left.is_some(), "{:?} after {:?} without time", step, failure);
            }
        }
    }
}
