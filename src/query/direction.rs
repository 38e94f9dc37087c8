//! The end of the order at which a read begins.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The end of the created order at which a read begins.
///
/// Descending is the exact mirror of ascending: among requests with the same created time, the greatest id comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum SortDirection {
    /// The oldest first.
    #[default]
    Ascending,
    /// The newest first.
    Descending,
}

impl SortDirection {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_ascending(&self) -> bool {
        *self == Self::Ascending
    }
}

crate::request::read_by_name! {
    SortDirection, "sort direction": Ascending, Descending;
}

impl fmt::Display for SortDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ascending => "oldest first",
            Self::Descending => "newest first",
        })
    }
}
