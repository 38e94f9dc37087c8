//! Times in microseconds, UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::error::InvalidValue;
use crate::json::{parse_text, schema_of_text};

/// A point in time: UTC, in whole microseconds, from 1970-01-01T00:00:00Z to 9999-12-30T21:59:59.999999Z.
///
/// Prints as RFC 3339 and parses from it. Serialises as RFC 3339 with six decimals and `Z`, so that texts sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The earliest: 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// The latest: 9999-12-30T21:59:59.999999Z, which every time zone can still print.
    pub const MAX: Self = Self(253_402_207_199_999_999);

    /// The time `micros` microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`InvalidValue`] when it lies after [`Timestamp::MAX`].
    pub fn from_micros(micros: u64) -> Result<Self, InvalidValue> {
        if micros > Self::MAX.0 {
            return Err(InvalidValue::new("time", format!("{micros} µs is after {}", Self::MAX)));
        }
        Ok(Self(micros))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The system clock's time, clamped to the range.
    pub fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self::MIN.saturating_add(since_1970.unwrap_or(Duration::ZERO))
    }

    /// This time plus `duration` (truncated to microseconds), at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX.0))
    }

    /// This time minus `duration` (truncated to microseconds), at least [`Timestamp::MIN`].
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// The time from `earlier` to this time; zero if this one is not later.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Timestamp {
    fn as_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(i64::try_from(self.0).ok()?).ok()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_jiff().ok_or(fmt::Error)?, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.as_jiff().ok_or_else(|| serde::ser::Error::custom("the time is out of range"))?;
        serializer.collect_str(&format_args!("{time:.6}"))
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_text(deserializer)
    }
}

schema_of_text!(Timestamp, { "type": "string", "format": "date-time" });

impl FromStr for Timestamp {
    type Err = InvalidValue;

    /// Parses RFC 3339, truncated to microseconds.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let time: jiff::Timestamp =
            text.parse().map_err(|error| InvalidValue::new("time", format!("{text:?} is not RFC 3339: {error}")))?;
        u64::try_from(time.as_microsecond())
            .map_err(|_| InvalidValue::new("time", format!("{text:?} is before {}", Self::MIN)))
            .and_then(Self::from_micros)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidValue;
    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc_3339() {
        let time = Timestamp::from_micros(1_767_225_600_000_001).unwrap();
        assert_eq!(time.to_string(), "2026-01-01T00:00:00.000001Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn both_ends_print_and_read_back() {
        for (end, text) in [(Timestamp::MIN, "1970-01-01T00:00:00Z"), (Timestamp::MAX, "9999-12-30T21:59:59.999999Z")] {
            assert_eq!(end.to_string(), text);
            let json = serde_json::to_string(&end).unwrap();
            assert_eq!((json.len(), serde_json::from_str::<Timestamp>(&json).unwrap()), (29, end), "{json}");
            assert_eq!(text.parse::<Timestamp>().unwrap(), end);
        }
        assert!(Timestamp::from_micros(Timestamp::MAX.0 + 1).is_err());
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.saturating_sub(Duration::MAX), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.duration_since(Timestamp::MAX), Duration::ZERO);
    }
}
