//! Which indexes an application chose beside those that every namespace has.

use std::collections::BTreeSet;
use std::fmt;

use super::Dimension;

/// The indexes that an application chose beside those that every namespace has: of metadata keys, and of dimensions that are
/// indexed only if chosen. What is asked of others is checked on the request itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChosenIndexes {
    metadata: BTreeSet<String>,
    dimensions: BTreeSet<Dimension>,
}

impl ChosenIndexes {
    /// Those of pairs under these metadata keys.
    pub fn metadata(keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::default().and_metadata(keys)
    }

    /// These, with those of pairs under exactly these metadata keys.
    #[must_use]
    pub fn and_metadata(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.metadata = keys.into_iter().map(Into::into).collect();
        self
    }

    /// These, and the one of this dimension. Nothing changes for a dimension that is indexed anyway.
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
