//! The indexes that an application chose in addition to those of every namespace.

use std::collections::BTreeSet;
use std::fmt;

use super::Dimension;

/// The indexes that an application chose in addition to those of every namespace: of metadata keys, and of optional
/// dimensions. Filters without an index are checked on the request itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChosenIndexes {
    metadata: BTreeSet<String>,
    dimensions: BTreeSet<Dimension>,
}

impl ChosenIndexes {
    /// Indexes of pairs under these metadata keys.
    pub fn metadata(keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::default().and_metadata(keys)
    }

    /// The same choice, with exactly these metadata keys.
    #[must_use]
    pub fn and_metadata(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.metadata = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The same choice, with this dimension. A dimension that is always indexed changes nothing.
    #[must_use]
    pub fn and(mut self, dimension: Dimension) -> Self {
        if dimension.is_chosen() {
            self.dimensions.insert(dimension);
        }
        self
    }

    /// Whether pairs under this metadata key are indexed.
    pub fn has_metadata(&self, key: &str) -> bool {
        self.metadata.contains(key)
    }

    /// Whether this dimension is indexed.
    pub fn has(&self, dimension: Dimension) -> bool {
        !dimension.is_chosen() || self.dimensions.contains(&dimension)
    }

    /// The metadata keys in order.
    pub fn metadata_keys(&self) -> impl Iterator<Item = &str> {
        self.metadata.iter().map(String::as_str)
    }

    /// The dimensions that were chosen.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        self.dimensions.iter().copied()
    }
}

impl fmt::Display for ChosenIndexes {
    /// For example `the metadata keys ["ticket"] and correlation-id`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the metadata keys {:?}", self.metadata)?;
        self.dimensions.iter().try_for_each(|dimension| write!(f, " and {dimension}"))
    }
}
