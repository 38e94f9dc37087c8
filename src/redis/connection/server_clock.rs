//! The server's time between two samples: bounds for how far it is ahead of this process's monotonic clock.
//!
//! A sample proves that the server's time was at least the answer when the answer arrived, and at most the answer when
//! the query was sent. The host's wall clock is not used.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::Value;

use crate::error::InvalidValue;
use crate::redis::reply;
use crate::request::Timestamp;
use crate::service::clock::Clock;

/// After this long, the next call also fetches the server's time, in the same round trip.
const FRESH_FOR: Duration = Duration::from_secs(5);
/// While one call fetches the time, calls that begin this much later fetch it too.
const ASKED_FOR: Duration = Duration::from_secs(1);
/// After this long without a call, the server's time is fetched before it is used.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// Two clocks drift apart by at most one part in this number: NTP keeps each within 500 millionths of true time.
const DRIFT: i64 = 1_000;

/// The clock of a store's server, shared by all connections of the store.
pub(crate) struct ServerClock {
    /// The origin of this process's monotonic clock.
    origin: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bounds: Option<Bounds>,
    /// The latest time that was returned.
    returned: i64,
    /// When the server was last asked.
    asked: Option<i64>,
}

/// One sample of the server's time, all in microseconds: when it was asked and when the answer arrived, since the
/// origin, and the answer.
#[derive(Clone, Copy, Debug)]
struct Look {
    asked: i64,
    answered: i64,
    time: i64,
}

/// How far the server's time is ahead of this process's, in microseconds: at least and at most, at a time of this
/// process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    least: i64,
    most: i64,
    at: i64,
}

impl Bounds {
    const fn of(look: Look) -> Self {
        Self {
            least: look.time.saturating_sub(look.answered),
            most: look.time.saturating_sub(look.asked),
            at: look.answered,
        }
    }

    /// These bounds, narrowed by the sample. If no bounds are left, the server's clock was set or another server
    /// answers, and only the sample counts.
    fn after(self, look: Look) -> Self {
        let (seen, drift) = (Self::of(look), self.drift(look.answered));
        let least = seen.least.max(self.least.saturating_sub(drift));
        let most = seen.most.min(self.most.saturating_add(drift));
        if least > most { seen } else { Self { least, most, at: seen.at.max(self.at) } }
    }

    const fn earliest(self, now: i64) -> i64 {
        self.least.saturating_add(now)
    }

    const fn latest(self, now: i64) -> i64 {
        self.most.saturating_add(now).saturating_add(self.drift(now))
    }

    const fn drift(self, now: i64) -> i64 {
        self.age(now) / DRIFT
    }

    const fn age(self, now: i64) -> i64 {
        let age = now.saturating_sub(self.at);
        if age < 0 { 0 } else { age }
    }
}

impl State {
    /// The earliest possible time, but never before one that was returned: if the server's clock goes back, this clock
    /// stands still until the server catches up.
    fn now(&mut self, now: i64) -> Option<i64> {
        let earliest = self.bounds?.earliest(now);
        self.returned = self.returned.max(earliest);
        Some(self.returned)
    }

    fn latest(&mut self, now: i64) -> Option<i64> {
        let latest = self.bounds?.latest(now);
        Some(latest.max(self.now(now)?))
    }

    fn learn(&mut self, look: Look) {
        self.bounds = Some(self.bounds.map_or_else(|| Bounds::of(look), |bounds| bounds.after(look)));
    }

    /// Whether the bounds are older than this, or there are none.
    fn is_older(&self, than: Duration, now: i64) -> bool {
        self.bounds.is_none_or(|bounds| bounds.age(now) > micros(than))
    }

    /// Whether a call that begins now fetches the time; later calls do not while its answer may still arrive.
    fn asks(&mut self, now: i64) -> bool {
        let is_being_asked = self.asked.is_some_and(|asked| now.saturating_sub(asked) < micros(ASKED_FOR));
        if !self.is_older(FRESH_FOR, now) || is_being_asked {
            return false;
        }
        self.asked = Some(now);
        true
    }
}

impl ServerClock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), state: Mutex::default() }
    }

    /// The clock of a server that does not answer TIME, so that it is never asked.
    pub(crate) fn of_no_server() -> Self {
        let state = State { asked: Some(i64::MAX), ..State::default() };
        Self { origin: Instant::now(), state: Mutex::new(state) }
    }

    /// Whether a call that begins now fetches the server's time.
    pub(crate) fn asks(&self) -> bool {
        let now = self.micros_until(Instant::now());
        self.state().asks(now)
    }

    /// Whether the time must be fetched before it is used.
    pub(crate) fn is_stale(&self) -> bool {
        let now = self.micros_until(Instant::now());
        self.state().is_older(KEPT_FOR, now)
    }

    /// Takes the answer to TIME.
    ///
    /// # Errors
    /// [`InvalidValue`] if that is no time.
    pub(crate) fn learn(&self, asked: Instant, answered: Instant, answer: &Value) -> Result<(), InvalidValue> {
        let time = reply::time(answer)?;
        let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let look = Look { asked: self.micros_until(asked), answered: self.micros_until(answered), time };
        self.state().learn(look);
        Ok(())
    }

    fn micros_until(&self, instant: Instant) -> i64 {
        micros(instant.saturating_duration_since(self.origin))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ServerClock {
    /// The host's time before the first connection, which every open store has made.
    fn now(&self) -> Timestamp {
        let now = self.micros_until(Instant::now());
        self.state().now(now).map_or_else(Timestamp::now, timestamp)
    }

    fn latest(&self) -> Timestamp {
        let now = self.micros_until(Instant::now());
        self.state().latest(now).map_or_else(Timestamp::now, timestamp)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::MIN.saturating_add(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;
    /// When this process's clock began, in the server's time.
    const AHEAD: i64 = 1_767_225_600 * SECOND;

    /// A sample of a server whose clock is this far ahead, taken at a time, with these durations there and back.
    fn look(ahead: i64, asked: i64, there: i64, back: i64) -> Look {
        Look { asked, answered: asked + there + back, time: ahead + asked + there }
    }

    fn after(looks: &[Look]) -> State {
        let mut state = State::default();
        looks.iter().for_each(|look| state.learn(*look));
        state
    }

    #[test]
    fn the_time_lies_between_now_and_the_latest_however_slow_the_way() {
        for (there, back) in [(100, 100), (0, SECOND), (SECOND, 0), (900_000, 50), (0, 0)] {
            let mut state = after(&[look(AHEAD, 0, there, back)]);
            for at in [there + back, 2 * SECOND, 5 * SECOND] {
                let (now, latest) = (state.now(at).unwrap(), state.latest(at).unwrap());
                assert!(now <= AHEAD + at && AHEAD + at <= latest, "{there}, {back} at {at}: {now} to {latest}");
                assert!(latest - now <= there + back + at / DRIFT, "{there}, {back} at {at}");
            }
        }
    }

    #[test]
    fn the_quickest_look_decides_and_slow_ones_spoil_nothing() {
        let quick = look(AHEAD, SECOND, 100, 100);
        let slow = [look(AHEAD, 0, 10, 800_000), quick, look(AHEAD, 2 * SECOND, 900_000, 10)];
        let mut state = after(&slow);
        let at = 3 * SECOND;
        let width = state.latest(at).unwrap() - state.now(at).unwrap();
        assert!(width <= 200 + 2 * (2 * SECOND / DRIFT) + SECOND / DRIFT, "{width}");
    }

    /// Two processes that start at different times, on hosts with any wall clock, and fetch the server's time with
    /// different delays, differ by less than those delays.
    #[test]
    fn processes_agree_whatever_their_hosts_clocks_say() {
        for other in [0, 61 * SECOND, -61 * SECOND, HOUR, -HOUR] {
            let mut here = after(&[look(AHEAD, 0, 200, 300)]);
            // The other process starts this much later, so the server is less far ahead of it.
            let mut there = after(&[look(AHEAD - other, 0, 40_000, 10)]);
            let now = HOUR + SECOND;
            let (ours, theirs) = (here.now(now).unwrap(), there.now(now + other).unwrap());
            assert!((ours - theirs).abs() <= 40_010, "{other}: {ours} and {theirs}");
            // The holder of a lease gives it up before another process considers it over, if both took a sample within
            // 5 s.
            assert!(here.latest(now).unwrap() >= theirs && there.latest(now + other).unwrap() >= ours, "{other}");
        }
    }

    #[test]
    fn a_drifting_server_is_followed_and_never_takes_the_time_back() {
        // Half a thousandth too fast, or too slow, sampled every 5 s for two hours.
        for pace in [2_001, 1_999] {
            let (mut state, mut returned) = (State::default(), 0);
            for round in 0..1_440 {
                let at = round * 5 * SECOND;
                let server = |at: i64| AHEAD + at * pace / 2_000;
                state.learn(Look { asked: at, answered: at + 400, time: server(at + 200) });
                for at in [at + 400, at + SECOND, at + 5 * SECOND] {
                    let (now, latest) = (state.now(at).unwrap(), state.latest(at).unwrap());
                    assert!(now >= returned, "it went back at {at}");
                    returned = now;
                    assert!(server(at) <= latest, "{pace} at {at}");
                    assert!(
                        server(at) - now > -3_000 && server(at) - now < 13_000,
                        "{pace} at {at}: {}",
                        server(at) - now
                    );
                }
            }
        }
    }

    #[test]
    fn a_server_that_is_ahead_is_followed_at_the_first_look() {
        let ahead = AHEAD + 7 * SECOND;
        let mut state = after(&[look(AHEAD, 0, 100, 100), look(ahead, 10 * SECOND, 100, 100)]);
        let at = 11 * SECOND;
        assert_eq!(state.now(at).unwrap(), ahead + at - 100);
        assert!(state.latest(at).unwrap() <= ahead + at + 100 + SECOND / DRIFT);
    }

    #[test]
    fn for_a_server_that_is_behind_the_time_stands_still_until_it_has_caught_up() {
        let behind = AHEAD - 7 * SECOND;
        let mut state = after(&[look(AHEAD, 0, 100, 100)]);
        let returned = state.now(10 * SECOND).unwrap();
        state.learn(look(behind, 10 * SECOND, 100, 100));
        for at in [11, 13, 16] {
            assert_eq!(state.now(at * SECOND).unwrap(), returned, "at {at}");
            assert_eq!(state.latest(at * SECOND).unwrap(), returned, "at {at}");
        }
        assert_eq!(state.now(18 * SECOND).unwrap(), behind + 18 * SECOND - 100);
    }

    #[test]
    fn one_call_of_many_brings_the_time_and_only_when_it_is_old() {
        let mut state = State::default();
        assert!(state.asks(0), "nothing is known");
        assert!(!state.asks(10), "it is being asked");
        state.learn(look(AHEAD, 0, 100, 100));
        let fresh_for = micros(FRESH_FOR);
        assert!(!state.asks(fresh_for));
        assert!(state.asks(fresh_for + 201));
        assert!((0..100).all(|call| !state.asks(fresh_for + 202 + call)));
        assert!(state.asks(fresh_for + 201 + micros(ASKED_FOR)), "that call brought nothing");
        let kept_for = 200 + micros(KEPT_FOR);
        assert!(!state.is_older(KEPT_FOR, kept_for) && state.is_older(KEPT_FOR, kept_for + 1));
    }

    #[test]
    fn looks_at_the_ends_of_all_numbers_are_taken() {
        let ends = [0, 1, i64::MAX];
        for (first, second) in ends.iter().flat_map(|first| ends.map(|second| (*first, second))) {
            let mut state = after(&[
                Look { asked: 0, answered: first, time: second },
                Look { asked: second, answered: second, time: first },
            ]);
            assert!(state.now(i64::MAX).unwrap() <= state.latest(i64::MAX).unwrap());
        }
    }

    #[test]
    fn the_hosts_clock_has_no_part_in_it() {
        let clock = ServerClock::new();
        let answer = Value::Array(vec![Value::BulkString(b"4102444800".to_vec()), Value::BulkString(b"5".to_vec())]);
        let asked = Instant::now();
        clock.learn(asked, Instant::now(), &answer).unwrap();
        let in_2100: Timestamp = "2100-01-01T00:00:00.000005Z".parse().unwrap();
        let now = clock.now();
        assert!(now >= in_2100 && now <= clock.latest(), "{now}");
        assert!(now.duration_since(in_2100) < Duration::from_secs(60), "{now}");
    }
}
