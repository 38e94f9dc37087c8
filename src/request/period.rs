//! Lengths of time that rules count in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::InvalidValue;
use crate::json::{IsoDuration, serde_as_text};

/// A length of time of at least one microsecond, in whole microseconds as times are.
///
/// Serialises as a duration of ISO 8601, such as `PT1H30M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u64);

impl Period {
    /// This duration, truncated to microseconds.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is shorter than a microsecond.
    pub fn new(duration: Duration) -> Result<Self, InvalidValue> {
        Self::of("period", duration)
    }

    /// As `new`, for an error about `what`.
    pub(super) fn of(what: &'static str, duration: Duration) -> Result<Self, InvalidValue> {
        match u64::try_from(duration.as_micros()).unwrap_or(u64::MAX) {
            0 => Err(InvalidValue::new(what, "is shorter than a microsecond; give a longer one, or none")),
            micros => Ok(Self(micros)),
        }
    }

    /// The period of this many microseconds.
    pub(crate) const fn of_micros(micros: u64) -> Option<Self> {
        if micros == 0 { None } else { Some(Self(micros)) }
    }

    pub(crate) const fn as_micros(self) -> u64 {
        self.0
    }

    /// The length as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&IsoDuration(self.duration()), f)
    }
}

impl FromStr for Period {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let IsoDuration(duration) = text.parse()?;
        Self::new(duration)
    }
}

impl TryFrom<Duration> for Period {
    type Error = InvalidValue;

    fn try_from(duration: Duration) -> Result<Self, InvalidValue> {
        Self::new(duration)
    }
}

serde_as_text!(Period, {
    "type": "string",
    "format": "duration",
    "pattern": "^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]{1,9})?S)?)?$"
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_microsecond_or_longer() {
        for short in [Duration::ZERO, Duration::from_nanos(999)] {
            assert!(Period::new(short).unwrap_err().to_string().contains("shorter than a microsecond"));
        }
        assert_eq!(Period::new(Duration::from_nanos(1_999)).unwrap().duration(), Duration::from_micros(1));
        assert_eq!(Period::new(Duration::MAX).unwrap(), Period(u64::MAX));
        assert!(serde_json::from_str::<Period>("\"PT0S\"").is_err());
    }

    #[test]
    fn what_a_period_prints_is_read_back() {
        for duration in [Duration::from_micros(1), Duration::from_secs(5_400), Duration::MAX] {
            let period = Period::new(duration).unwrap();
            assert_eq!(period.to_string().parse(), Ok(period));
            assert_eq!(serde_json::from_str::<Period>(&serde_json::to_string(&period).unwrap()).unwrap(), period);
        }
    }
}
