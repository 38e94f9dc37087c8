//! The name of an archive, as a tombstone keeps it.

use std::fmt;

use crate::error::InvalidValue;
use crate::json::serde_as_text;

/// Where an application keeps an archive: a name or an address of its own, 1 to 512 bytes without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveName(Box<str>);

impl ArchiveName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 512;

    /// The name with this text.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is blank, too long, or has control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidValue> {
        let text = text.into();
        let problem = if text.trim().is_empty() {
            "is blank".to_owned()
        } else if text.len() > Self::MAX_BYTES {
            format!("has {} bytes; at most {} are allowed", text.len(), Self::MAX_BYTES)
        } else if text.chars().any(char::is_control) {
            "contains a control character".to_owned()
        } else {
            return Ok(Self(text.into_boxed_str()));
        };
        Err(InvalidValue::new("archive name", problem))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ArchiveName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::new(text)
    }
}

serde_as_text!(ArchiveName, { "type": "string", "minLength": 1, "maxLength": 512 });

impl fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_in_one_line() {
        for good in ["2026-11-28", "s3://audit/2026/part 1", &"x".repeat(512)] {
            assert_eq!(ArchiveName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a\nb", &"x".repeat(513)] {
            assert!(ArchiveName::new(bad).is_err(), "{bad:?}");
        }
    }
}
