//! Values that options take: durations, times and ranges.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use mutator_governance::{Timestamp, Value};

/// A duration such as `90s`, `15m`, `4h`, `3d`, or of ISO 8601.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is no duration; write for instance 90s, 15m, 4h or 3d");
    let span: jiff::Span = text.parse().map_err(|_| problem())?;
    let found = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| problem())?;
    Duration::try_from(found).map_err(|_| problem())
}

/// A time of RFC 3339, a day, or how long ago: `2026-11-28T16:00:00Z`, `2026-11-28`, `4h`.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Ok(time);
    }
    duration(text).map(|ago| Timestamp::now().saturating_sub(ago)).map_err(|_| {
        format!("{text:?} is no time; write for instance 2026-11-28T16:00:00Z, 2026-11-28, or 4h for four hours ago")
    })
}

/// Two ends, one of which may be missing: `High..`, `Low..Medium`, `High`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range<T> {
    pub(crate) from: Option<T>,
    pub(crate) to: Option<T>,
}

impl<T: FromStr<Err: Display> + Clone> FromStr for Range<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        range(text, |end| end.parse().map_err(|error: T::Err| error.to_string()))
    }
}

/// A range of times, each as [`time`] reads it.
pub(crate) fn times(text: &str) -> Result<Range<Timestamp>, String> {
    range(text, time)
}

fn range<T: Clone>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Range<T>, String> {
    let end = |text: &str| if text.is_empty() { Ok(None) } else { read(text).map(Some) };
    let Some((from, to)) = text.split_once("..") else {
        let only = read(text)?;
        return Ok(Range { from: Some(only.clone()), to: Some(only) });
    };
    let range = Range { from: end(from)?, to: end(to)? };
    if range.from.is_none() && range.to.is_none() {
        return Err(format!("{text:?} has neither end; write FROM.., ..TO or FROM..TO"));
    }
    Ok(range)
}

/// A key and its value: `ticket=T-17`. The value is JSON where it can be read as such, otherwise text.
pub(crate) fn pair(text: &str) -> Result<(String, Value), String> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(format!("{text:?} is no pair; write KEY=VALUE"));
    };
    let value = match serde_json::from_str(value) {
        Ok(serde_json::Value::Bool(truth)) => Value::from(truth),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::from(integer),
            (None, Some(float)) => Value::from(float),
            (None, None) => Value::from(value),
        },
        Ok(serde_json::Value::String(text)) => Value::from(text),
        _ => Value::from(value),
    };
    Ok((key.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use mutator_governance::RiskLevel;

    use super::*;

    #[test]
    fn durations_are_read_in_short_and_by_iso_8601() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("4h", 14_400), ("3d", 259_200), ("PT1H30M", 5_400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "4", "-4h", "x"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_instants_days_or_ago() {
        assert_eq!(time("2026-11-28").unwrap(), time("2026-11-28T00:00:00Z").unwrap());
        let four_hours_ago = time("4h").unwrap();
        let ago = Timestamp::now().duration_since(four_hours_ago);
        assert!(ago >= Duration::from_secs(14_400) && ago < Duration::from_secs(14_500), "{ago:?}");
        assert!(time("tomorrow").unwrap_err().contains("2026-11-28"));
    }

    #[test]
    fn ranges_have_one_end_or_both() {
        let high = Some(RiskLevel::High);
        for (text, from, to) in [("High..", high, None), ("..High", None, high), ("high", high, high)] {
            assert_eq!(text.parse(), Ok(Range { from, to }), "{text}");
        }
        assert!("..".parse::<Range<RiskLevel>>().is_err());
        assert!("Huge..".parse::<Range<RiskLevel>>().unwrap_err().contains("Low, Medium, High, Critical"));
    }

    #[test]
    fn a_pair_has_a_value_of_its_type() {
        for (text, value) in [
            ("k=7", Value::from(7_i64)),
            ("k=true", Value::from(true)),
            ("k=1.5", Value::from(1.5)),
            ("k=\"7\"", Value::from("7")),
            ("k=a=b", Value::from("a=b")),
        ] {
            assert_eq!(pair(text), Ok(("k".to_owned(), value)), "{text}");
        }
        assert!(pair("k").is_err());
    }
}
