//! The hash chain over a request's history: plain data. `proof` computes and verifies it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, KeyId, WriteId};
use crate::error::InvalidValue;
use crate::json::serde_as_text;

/// The hash chain over the decisions of a request, computed with every write.
///
/// The [head](Self::head) covers what was submitted and every decision since [`first`](Self::first), each with the ones
/// before it. [`proof::verify_history`](crate::proof::verify_history) checks it; the guide has the exact form of what is
/// hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryChain {
    /// The ordinal of the first decision that is chained; the ones before it were recorded by a release without chains.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: u32,
    /// The SHA-256 that covers everything chained.
    pub head: Digest,
    /// What is random in the commitments to personal fields, so that nobody can guess these from a hash. `None` for a
    /// request whose chain began without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
    /// The HMAC of the last writer that had keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Box<HistorySeal>>,
    /// The mark of what was submitted.
    pub origin: HashMark,
    /// The mark of each chained decision, in order: they name the decision that does not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<HashMark>,
}

/// The first eight bytes of a SHA-256. It finds the place of a change; the head proves that there is one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashMark(pub(crate) [u8; 8]);

/// What is random in the commitments of one request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub(crate) [u8; 16]);

/// What only a holder of the key can make: an HMAC-SHA256 over the head and the range of decisions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistorySeal {
    /// The key.
    pub key: KeyId,
    /// The ordinal of the first decision that it covers. The writer of this seal could not tell who had recorded those before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from: u32,
    /// How many decisions the history had when it was sealed.
    pub decisions: u32,
    /// The HMAC.
    pub tag: Digest,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Salt {
    /// A new random salt.
    pub(crate) fn generate() -> Self {
        Self(*WriteId::generate().as_bytes())
    }
}

impl HashMark {
    /// The mark of a hash.
    pub(crate) fn of(hash: &[u8; 32]) -> Self {
        let mut mark = [0; 8];
        mark.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self(mark)
    }
}

impl fmt::Debug for HistorySeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, from, decisions, tag: _ } = self;
        f.debug_struct("HistorySeal")
            .field("key", key)
            .field("from", from)
            .field("decisions", decisions)
            .finish_non_exhaustive()
    }
}

macro_rules! hexadecimal {
    ($($name:ident: $bytes:literal, $field:literal, $pattern:literal;)*) => {$(
        serde_as_text!($name, { "type": "string", "pattern": $pattern });

        impl fmt::Display for $name {
            /// Lower-case hexadecimal.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidValue;

            /// Parses the printed form.
            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                hexadecimal(text).map(Self).ok_or_else(|| {
                    InvalidValue::new($field, concat!("is not ", stringify!($bytes), " bytes in hexadecimal"))
                })
            }
        }
    )*};
}

hexadecimal! {
    HashMark: 8, "hash mark", "^[0-9a-f]{16}$";
    Salt: 16, "salt", "^[0-9a-f]{32}$";
}

fn hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_salts_are_read_back_from_what_they_print() {
        let mark = HashMark([0, 1, 0x7f, 0x80, 0xff, 9, 10, 0xab]);
        assert_eq!(mark.to_string(), "00017f80ff090aab");
        assert_eq!(mark.to_string().parse(), Ok(mark));
        let salt = Salt::generate();
        assert_eq!(salt.to_string().parse(), Ok(salt));
        for bad in ["", "00017f80ff090aa", "00017f80ff090aabc", "00017f80ff090aag", "é0017f80ff090aa"] {
            assert!(bad.parse::<HashMark>().is_err(), "{bad}");
        }
    }
}
