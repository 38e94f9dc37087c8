//! The SHA-256 digest of what a request would do.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use super::{Payload, StateVersion, Target};
use crate::error::InvalidValue;
use crate::json::serde_as_text;

/// A SHA-256 digest of what a request would do: its payload, its target and the state version it was written for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Every part is preceded by its length, so that requests with different parts give different bytes.
    pub(crate) fn of(payload: Option<&Payload>, target: &Target, version: Option<&StateVersion>) -> Self {
        let mut sha = sha2::Sha256::new();
        let mut part = |bytes: Option<&[u8]>| match bytes {
            None => sha.update([0]),
            Some(bytes) => {
                sha.update([1]);
                sha.update((bytes.len() as u64).to_be_bytes());
                sha.update(bytes);
            }
        };
        part(Some(b"mutator-governance digest 1"));
        part(payload.map(|payload| payload.content_type().as_bytes()));
        part(payload.map(Payload::bytes));
        part(Some(target.state_id.as_str().as_bytes()));
        part(Some(target.state_type.as_str().as_bytes()));
        part(Some(target.mutation_type.as_str().as_bytes()));
        part(version.map(|version| version.as_str().as_bytes()));
        Self(sha.finalize().into())
    }
}

serde_as_text!(Digest, { "type": "string", "pattern": "^[0-9a-f]{64}$" });

impl fmt::Display for Digest {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidValue;

    /// Parses the printed form: 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = || InvalidValue::new("digest", "is not what a digest prints as: 64 hexadecimal digits");
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if text.len() != 64 {
            return Err(invalid());
        }
        let mut digest = [0; 32];
        for (byte, [high, low]) in digest.iter_mut().zip(text.as_bytes().as_chunks().0) {
            *byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or_else(invalid)?;
        }
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_back_from_what_it_prints() {
        let digest = Digest::from_bytes(std::array::from_fn(|place| u8::try_from(place * 8 + 7).unwrap()));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!(serde_json::to_value(digest).unwrap(), digest.to_string());
        assert_eq!(digest.to_string().to_uppercase().parse::<Digest>().unwrap(), digest);
        let printed = digest.to_string();
        let others = [
            "",
            &printed[1..],
            &format!("{printed}0"),
            &printed.replace('7', "g"),
            &"é".repeat(32),
            &printed.replace('7', "+"),
        ];
        for bad in others {
            let error = bad.parse::<Digest>().unwrap_err();
            assert_eq!(error.to_string(), "digest is not what a digest prints as: 64 hexadecimal digits", "{bad:?}");
        }
    }
}
