//! A version of the stored format, which a store can write.

use std::fmt;

use super::FormatError;
use super::gates::Format;

/// A version of the stored format that this release can write.
///
/// A fleet that is upgraded node by node keeps writing the older version until every node reads the newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormatVersion(u16);

impl FormatVersion {
    /// The newest version. Stores write it by default.
    pub const NEWEST: Self = Self(Format::CURRENT.newest());

    /// The version with this number.
    ///
    /// # Errors
    /// [`FormatError::UnsupportedVersion`] if this release does not know it.
    pub fn new(number: u16) -> Result<Self, FormatError> {
        Format::current().version(number).map(|version| Self(version.number))
    }

    /// Every version, the newest last.
    pub fn all() -> impl Iterator<Item = Self> {
        Format::current().versions().map(|version| Self(version.number))
    }

    /// The number of the version.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl Default for FormatVersion {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
