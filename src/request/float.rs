//! Floating-point numbers in serialised metadata. JSON has no NaN and no infinities: human-readable formats hold these
//! as the text of their bits, so that every value reads back unchanged.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Readable {
    Number(f64),
    Bits(String),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_finite() || !serializer.is_human_readable() {
        return serializer.serialize_f64(*number);
    }
    Readable::Bits(format!("{:#018x}", number.to_bits())).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    if !deserializer.is_human_readable() {
        return f64::deserialize(deserializer);
    }
    match Readable::deserialize(deserializer)? {
        Readable::Number(number) => Ok(number),
        Readable::Bits(text) => {
            let digits = text.strip_prefix("0x").unwrap_or(&text);
            let bits = u64::from_str_radix(digits, 16);
            bits.map(f64::from_bits).map_err(|_| de::Error::custom("a float is a number, or 0x and its bits"))
        }
    }
}
