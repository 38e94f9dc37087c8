//! Times of other kinds: the standard library's, and those of crates that have a feature of their name.

use std::time::{Duration, SystemTime};

use super::Timestamp;
use crate::error::InvalidValue;

/// Truncated to microseconds. Fails for a time before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
impl TryFrom<SystemTime> for Timestamp {
    type Error = InvalidValue;
    fn try_from(time: SystemTime) -> Result<Self, InvalidValue> {
        let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| too_early())?;
        from_micros(since_1970.as_micros())
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        Self::UNIX_EPOCH + Duration::from_micros(time.as_micros())
    }
}

/// Truncated to microseconds. Fails for a time before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
#[cfg(feature = "jiff")]
impl TryFrom<jiff::Timestamp> for Timestamp {
    type Error = InvalidValue;
    fn try_from(time: jiff::Timestamp) -> Result<Self, InvalidValue> {
        from_signed_nanos(time.as_nanosecond())
    }
}

#[cfg(feature = "jiff")]
impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        // The range of both ends at the same microsecond.
        signed_micros(time).and_then(|micros| Self::from_microsecond(micros).ok()).unwrap_or(Self::MAX)
    }
}

/// Truncated to microseconds. Fails for a time before [`Timestamp::MIN`] or after [`Timestamp::MAX`].
#[cfg(feature = "chrono")]
impl<Tz: chrono::TimeZone> TryFrom<chrono::DateTime<Tz>> for Timestamp {
    type Error = InvalidValue;
    fn try_from(time: chrono::DateTime<Tz>) -> Result<Self, InvalidValue> {
        let nanos = i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos());
        from_signed_nanos(nanos)
    }
}

#[cfg(feature = "chrono")]
impl From<Timestamp> for chrono::DateTime<chrono::Utc> {
    fn from(time: Timestamp) -> Self {
        // Its range ends later.
        signed_micros(time).and_then(Self::from_timestamp_micros).unwrap_or(Self::MAX_UTC)
    }
}

#[cfg(any(feature = "jiff", feature = "chrono"))]
fn signed_micros(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_micros()).ok()
}

#[cfg(any(feature = "jiff", feature = "chrono"))]
fn from_signed_nanos(nanos: i128) -> Result<Timestamp, InvalidValue> {
    u128::try_from(nanos).map_err(|_| too_early()).and_then(|nanos| from_micros(nanos / 1_000))
}

fn from_micros(micros: u128) -> Result<Timestamp, InvalidValue> {
    Timestamp::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

fn too_early() -> InvalidValue {
    InvalidValue::new("time", format!("is before {}", Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> [Timestamp; 4] {
        [0, 1, 1_767_225_600_000_001, Timestamp::MAX.as_micros()].map(|micros| Timestamp::from_micros(micros).unwrap())
    }

    #[test]
    fn a_system_time_comes_back_and_is_truncated() {
        for time in times() {
            let system = SystemTime::from(time);
            assert_eq!(Timestamp::try_from(system), Ok(time));
            assert_eq!(Timestamp::try_from(system + Duration::from_nanos(999)), Ok(time));
        }
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(Timestamp::try_from(before).unwrap_err().to_string(), "time is before 1970-01-01T00:00:00Z");
        let after = SystemTime::from(Timestamp::MAX) + Duration::from_micros(1);
        assert!(Timestamp::try_from(after).unwrap_err().to_string().contains("is after 9999-12-30"));
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn a_jiff_timestamp_comes_back_and_is_truncated() {
        for time in times() {
            let other = jiff::Timestamp::from(time);
            assert_eq!((Timestamp::try_from(other), other.to_string()), (Ok(time), time.to_string()));
        }
        let late = jiff::Timestamp::from_nanosecond(1_999).unwrap();
        assert_eq!(Timestamp::try_from(late), Timestamp::from_micros(1));
        for before in [jiff::Timestamp::from_nanosecond(-1).unwrap(), jiff::Timestamp::MIN] {
            assert!(Timestamp::try_from(before).is_err(), "{before}");
        }
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn a_chrono_time_of_any_zone_comes_back_and_is_truncated() {
        for time in times() {
            let utc = chrono::DateTime::<chrono::Utc>::from(time);
            assert_eq!(u64::try_from(utc.timestamp_micros()), Ok(time.as_micros()));
            assert_eq!(Timestamp::try_from(utc), Ok(time));
            let east = chrono::FixedOffset::east_opt(5 * 3_600).unwrap();
            assert_eq!(Timestamp::try_from(utc.with_timezone(&east)), Ok(time));
        }
        let late = chrono::DateTime::from_timestamp_nanos(1_999);
        assert_eq!(Timestamp::try_from(late), Timestamp::from_micros(1));
        for end in [chrono::DateTime::from_timestamp_nanos(-1), chrono::DateTime::<chrono::Utc>::MAX_UTC] {
            assert!(Timestamp::try_from(end).is_err(), "{end}");
        }
    }
}
