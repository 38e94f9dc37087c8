//! Tries again: how often and after which pauses, and what is known of the attempts that failed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Period, Timestamp};
use crate::error::InvalidValue;

/// How often an execution that fails is tried again, and after which pauses.
///
/// The pause doubles with each failure, from the first to the longest.
///
/// ```
/// use std::time::Duration;
///
/// use mutator_governance::RetryPolicy;
///
/// # fn main() -> Result<(), mutator_governance::InvalidValue> {
/// let policy = RetryPolicy::new(5)?.pauses(Duration::from_secs(60), Duration::from_secs(300))?;
/// let pauses = [1, 2, 3, 4].map(|failed| policy.pause_after(failed).as_secs());
/// assert_eq!(pauses, [60, 120, 240, 300]);
/// assert!(RetryPolicy::new(1).is_err(), "one attempt is no retry");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields")]
pub struct RetryPolicy {
    #[cfg_attr(feature = "schemars", schemars(range(min = 2, max = 1_000)))]
    attempts: u32,
    first_pause: Period,
    longest_pause: Period,
}

/// A policy as it is read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    #[cfg_attr(feature = "schemars", schemars(range(min = 2, max = 1_000)))]
    attempts: u32,
    first_pause: Option<Period>,
    longest_pause: Option<Period>,
}

impl TryFrom<Fields> for RetryPolicy {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        Self::with_some_pauses(fields.attempts, fields.first_pause, fields.longest_pause)
    }
}

impl RetryPolicy {
    /// The most attempts: 1,000. Each failed one is a decision in the history of the request.
    pub const MAX_ATTEMPTS: u32 = 1_000;

    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

    /// So many attempts, the first included. The pauses default to 1 s and 15 minutes.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not 2 to [`MAX_ATTEMPTS`](Self::MAX_ATTEMPTS).
    pub fn new(attempts: u32) -> Result<Self, InvalidValue> {
        if !(2..=Self::MAX_ATTEMPTS).contains(&attempts) {
            let problem = format!(
                "of {attempts}; they must be 2 to {}, the first included. Leave out the policy for a single attempt",
                Self::MAX_ATTEMPTS
            );
            return Err(InvalidValue::new("attempts", problem));
        }
        let (first_pause, longest_pause) = (Period::new(Self::FIRST_PAUSE)?, Period::new(Self::LONGEST_PAUSE)?);
        Ok(Self { attempts, first_pause, longest_pause })
    }

    /// The same policy with these pauses: the first, and the longest.
    ///
    /// # Errors
    /// [`InvalidValue`] when the first is shorter than a microsecond, or longer than the longest.
    pub fn pauses(self, first: Duration, longest: Duration) -> Result<Self, InvalidValue> {
        self.with_pauses(Period::of("first pause", first)?, Period::of("longest pause", longest)?)
    }

    /// A policy as somebody writes it. A longest pause that is left out is no shorter than the first.
    pub(crate) fn with_some_pauses(
        attempts: u32,
        first: Option<Period>,
        longest: Option<Period>,
    ) -> Result<Self, InvalidValue> {
        let default = Self::new(attempts)?;
        let first = first.unwrap_or(default.first_pause);
        let longest = longest.unwrap_or_else(|| default.longest_pause.max(first));
        default.with_pauses(first, longest)
    }

    pub(crate) fn with_pauses(self, first: Period, longest: Period) -> Result<Self, InvalidValue> {
        if longest < first {
            let problem = format!("of {longest} is shorter than the first, {first}; exchange the two");
            return Err(InvalidValue::new("longest pause", problem));
        }
        Ok(Self { first_pause: first, longest_pause: longest, ..self })
    }

    /// How many attempts there are, the first included.
    pub const fn attempts(self) -> u32 {
        self.attempts
    }

    /// The pause after the first failure.
    pub const fn first_pause(self) -> Period {
        self.first_pause
    }

    /// The longest pause.
    pub const fn longest_pause(self) -> Period {
        self.longest_pause
    }

    /// The pause after so many failures.
    pub fn pause_after(self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.first_pause.duration().saturating_mul(1 << doublings).min(self.longest_pause.duration())
    }

    /// The policy that demands the same as both: the fewer attempts and the longer pauses.
    #[cfg_attr(not(feature = "policies"), allow(dead_code, reason = "only policies as data are combined"))]
    pub(crate) fn stricter(self, other: Self) -> Self {
        Self {
            attempts: self.attempts.min(other.attempts),
            first_pause: self.first_pause.max(other.first_pause),
            longest_pause: self.longest_pause.max(other.longest_pause),
        }
    }
}

/// The attempts in a row that failed, of an approved request that is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FailedAttempts {
    /// How many attempts failed.
    pub failed: u32,
    /// How many there are in all.
    pub allowed: u32,
    /// When the last one failed.
    pub last_at: Timestamp,
    /// Why it failed, in words.
    pub message: String,
    /// The application's code for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The next attempt begins no earlier.
    pub next_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::new(9).unwrap().pauses(SECOND, 5 * SECOND).unwrap();
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(|failed| policy.pause_after(failed).as_secs()), [1, 1, 2, 4, 5, 5]);
        let endless = policy.pauses(Duration::MAX, Duration::MAX).unwrap();
        assert_eq!(endless.pause_after(u32::MAX), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn what_makes_no_sense_cannot_be_built_or_read() {
        for attempts in [0, 1, 1_001, u32::MAX] {
            assert!(RetryPolicy::new(attempts).unwrap_err().to_string().contains("attempts"), "{attempts}");
        }
        let policy = RetryPolicy::new(2).unwrap();
        assert!(policy.pauses(Duration::ZERO, SECOND).unwrap_err().to_string().contains("first pause"));
        assert!(policy.pauses(2 * SECOND, SECOND).unwrap_err().to_string().contains("longest pause"));
        for text in [
            r#"{"attempts": 1}"#,
            r#"{"attempts": 3, "first_pause": "PT0S"}"#,
            r#"{"attempts": 3, "first_pause": "PT2S", "longest_pause": "PT1S"}"#,
        ] {
            assert!(serde_json::from_str::<RetryPolicy>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_longest_pause_that_is_left_out_is_no_shorter_than_the_first() {
        let policy: RetryPolicy = serde_json::from_str(r#"{"attempts": 3, "first_pause": "PT1H"}"#).unwrap();
        assert_eq!(policy.longest_pause(), policy.first_pause());
    }

    #[test]
    fn the_stricter_of_two_has_fewer_attempts_and_longer_pauses() {
        let few = RetryPolicy::new(2).unwrap().pauses(SECOND, 2 * SECOND).unwrap();
        let patient = RetryPolicy::new(9).unwrap().pauses(3 * SECOND, 9 * SECOND).unwrap();
        let both = RetryPolicy::new(2).unwrap().pauses(3 * SECOND, 9 * SECOND).unwrap();
        assert_eq!((few.stricter(patient), patient.stricter(few)), (both, both));
    }
}
