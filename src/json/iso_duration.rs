//! Durations as ISO 8601 text, such as `PT1H30M`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::InvalidValue;
use crate::json::serde_as_text;

/// A duration that prints as ISO 8601 in hours, minutes and seconds with up to nine decimals, and parses from that and
/// from weeks and days, which have 7 × 24 and 24 hours. Years and months have no fixed length, so they do not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IsoDuration(pub(crate) Duration);

const HOUR: u64 = 3_600;

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        f.write_str("PT")?;
        let [hours, minutes, rest] = [seconds / HOUR, seconds / 60 % 60, seconds % 60];
        for (number, unit) in [(hours, 'H'), (minutes, 'M')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        match (rest, nanos) {
            (0, 0) if seconds > 0 => Ok(()),
            (_, 0) => write!(f, "{rest}S"),
            _ => write!(f, "{rest}.{}S", format!("{nanos:09}").trim_end_matches('0')),
        }
    }
}

impl FromStr for IsoDuration {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        parse(text).map(Self).ok_or_else(|| {
            let problem =
                format!("{text:?} is not ISO 8601 in weeks, days, hours, minutes and seconds, such as PT1H30M");
            InvalidValue::new("duration", problem)
        })
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (days, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text.strip_prefix('P')?, None),
    };
    let of_days = parts(days, &[('W', 7 * 24 * HOUR), ('D', 24 * HOUR)])?;
    let of_time = time.map(|time| parts(time, &[('H', HOUR), ('M', 60), ('S', 1)]));
    match of_time {
        None if days.is_empty() => None,
        None => Some(of_days),
        Some(_) if time.is_some_and(str::is_empty) => None,
        Some(of_time) => of_days.checked_add(of_time?),
    }
}

/// The sum of numbers before these units, each at most once and in this order. Only seconds may have decimals.
fn parts(mut text: &str, units: &[(char, u64)]) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        let (whole, decimals) = number.split_once('.').map_or((number, None), |(whole, after)| (whole, Some(after)));
        let nanos = match decimals {
            None => 0,
            Some(decimals) if *unit == 'S' => {
                digits(decimals, 9)?.parse::<u32>().ok()? * 10_u32.pow(9 - count(decimals))
            }
            Some(_) => return None,
        };
        let whole = digits(whole, 20)?.parse::<u64>().ok()?.checked_mul(*seconds)?;
        sum = sum.checked_add(Duration::new(whole, nanos))?;
        text = rest;
    }
    text.is_empty().then_some(sum)
}

fn digits(text: &str, most: usize) -> Option<&str> {
    ((1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn count(digits: &str) -> u32 {
    u32::try_from(digits.len()).unwrap_or(9).min(9)
}

serde_as_text!(IsoDuration, {
    "type": "string",
    "format": "duration",
    "pattern": "^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]{1,9})?S)?)?$"
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_print_and_parse() {
        for (text, duration) in [
            ("PT0S", Duration::ZERO),
            ("PT1H30M", Duration::from_secs(5_400)),
            ("PT1M", Duration::from_secs(60)),
            ("PT36H", Duration::from_secs(36 * HOUR)),
            ("PT1H0.000000001S", Duration::new(HOUR, 1)),
            ("PT1.5S", Duration::from_millis(1_500)),
            ("PT5124095576030431H15.999999999S", Duration::MAX),
        ] {
            assert_eq!(IsoDuration(duration).to_string(), text);
            assert_eq!(text.parse(), Ok(IsoDuration(duration)), "{text}");
        }
        for (text, seconds) in [("P1D", 24 * HOUR), ("P2W", 336 * HOUR), ("P1DT1S", 24 * HOUR + 1), ("PT90M", 5_400)] {
            assert_eq!(text.parse(), Ok(IsoDuration(Duration::from_secs(seconds))), "{text}");
        }
    }

    #[test]
    fn other_texts_are_errors() {
        for bad in [
            "",
            "P",
            "PT",
            "P1DT",
            "1H",
            "PT1",
            "PTH",
            "PT1H1H",
            "PT1M1H",
            "PT-1S",
            "-PT1S",
            "P1Y",
            "P1M",
            "PT1.5H",
            "PT1.S",
            "PT.5S",
            "PT1.0000000001S",
            "pt1s",
            "PT+1S",
            "PT1,5S",
            "PT1S ",
            "PT18446744073709551616S",
            "PT5124095576030432H",
            "P1W1W",
            "PT1D",
            "1.5",
        ] {
            let error = bad.parse::<IsoDuration>().unwrap_err().to_string();
            assert!(error.contains("such as PT1H30M"), "{bad}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_prints_parses(seconds: u64, nanos in 0_u32..1_000_000_000) {
            let duration = IsoDuration(Duration::new(seconds, nanos));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn any_text_is_a_duration_or_an_error(text in "P?[0-9.TWDHMS]{0,12}") {
            let _: Result<IsoDuration, _> = text.parse();
        }
    }
}
