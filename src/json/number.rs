//! Which numbers every reader of JSON gives back unchanged.

/// The greatest integer that programs whose only numbers are doubles read exactly: 2^53 - 1.
const MAX_INTEGER: i64 = (1 << 53) - 1;
/// So many digits are exact in a double, whatever computes it.
const MAX_DIGITS: usize = 15;

/// A number that may stand in JSON as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    /// With a fraction: some programs write 3.0 as 3.
    Decimal(f64),
}

/// Whether the integer is one of these.
pub(crate) const fn plain_integer(integer: i64) -> bool {
    integer >= -MAX_INTEGER && integer <= MAX_INTEGER
}

impl Number {
    /// The number, if it is one of these.
    pub(crate) fn of_decimal(decimal: f64) -> Option<Self> {
        let size = decimal.abs();
        let is_positional = (1e-5..1e15).contains(&size) && decimal.fract() != 0.0;
        let digits = |text: &str| text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        (is_positional && digits(&decimal.to_string()) <= MAX_DIGITS).then_some(Self::Decimal(decimal))
    }

    /// The number with exactly this text.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let number = match text.parse() {
            Ok(integer) => Self::Integer(integer),
            Err(_) => Self::of_decimal(text.parse().ok()?)?,
        };
        let is_plain = !matches!(number, Self::Integer(integer) if !plain_integer(integer));
        (is_plain && number.text() == text).then_some(number)
    }

    /// The one text of the number.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Integer(integer) => integer.to_string(),
            Self::Decimal(decimal) => decimal.to_string(),
        }
    }
}

/// The text of a number from a crate that builds `serde_json` with `arbitrary_precision`: it then gives every number as
/// an object with this one key.
pub(crate) fn number_text(key: &str) -> bool {
    key == "$serde_json::private::Number"
}

/// Whether `serde_json` takes an object with this key for something else, in some build.
pub(crate) fn is_private(key: &str) -> bool {
    key.starts_with("$serde_json::private::")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_every_reader_reads_exactly_is_plain() {
        for plain in
            ["0", "-1", "9007199254740991", "-9007199254740991", "0.5", "-12.25", "0.00001", "999999999.999999"]
        {
            assert_eq!(Number::of_text(plain).map(Number::text).as_deref(), Some(plain));
        }
        for other in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "1.0",
            "1e2",
            "1E2",
            "0.50",
            ".5",
            "5.",
            "1.5e3",
            "9007199254740992",
            "NaN",
            "inf",
            "0.000001",
            "0.1234567890123456",
            "1234567890123456.5",
            "1_0",
            " 1",
            "0x1",
        ] {
            assert_eq!(Number::of_text(other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_reads_back_from_json_bit_by_bit(digits in 1_u64..1_000_000_000_000_000, places in 1_i32..20) {
            let decimal: f64 = format!("{digits}e-{places}").parse().unwrap();
            if let Some(number) = Number::of_decimal(decimal) {
                let json = serde_json::to_string(&decimal).unwrap();
                prop_assert_eq!(&json, &number.text());
                prop_assert_eq!(serde_json::from_str::<f64>(&json).unwrap().to_bits(), decimal.to_bits());
            }
        }
    }
}
