//! Why a store does not use a namespace, or a part of one, as it is laid out.

/// Why a store does not use a namespace, or a part of one, as it is laid out.
///
/// A namespace records the version of its layout: which keys it has, and which indexes. A process uses it only by that layout,
/// and a write is compared with the layout that its partition records. So a process of another layout that still runs while a
/// namespace is rebuilt is refused, with nothing written. [`StoreError::layout`](crate::StoreError) holds this error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// An earlier release laid it out.
    #[error(
        "{place} has layout version {found}, this release uses {expected}; close the processes that write to it, and have its \
         indexes rebuilt by RedisStoreBuilder::reindex of this release"
    )]
    #[non_exhaustive]
    Older {
        /// The namespace, or the key of one partition.
        place: String,
        /// The version that is recorded.
        found: u32,
        /// The version of this release.
        expected: u32,
    },
    /// A newer release laid it out, or has begun to rebuild it.
    #[error(
        "{place} has layout version {found}, or is being rebuilt for it; this release uses {expected}. Close this process, and \
         open the namespace with a release that uses {found}"
    )]
    #[non_exhaustive]
    Newer {
        /// The namespace, or the key of one partition.
        place: String,
        /// The version that is recorded, or that it is being rebuilt for.
        found: u32,
        /// The version of this release.
        expected: u32,
    },
    /// The key holds something else than a layout.
    #[error("{key} does not describe {what}; something else uses the key: {remedy}")]
    #[non_exhaustive]
    Foreign {
        /// The key.
        key: String,
        /// What it is to describe.
        what: &'static str,
        /// What to do, which depends on the key.
        remedy: &'static str,
    },
    /// Another choice of indexed metadata, of how ids are compared, or of partitions was recorded since the store was opened.
    #[error(
        "{key} records another choice of indexed metadata, of how ids are compared, or of partitions than this store was opened \
         with; open the store anew with the recorded choice, or have the indexes rebuilt by RedisStoreBuilder::reindex"
    )]
    #[non_exhaustive]
    OtherChoice {
        /// The key of the partition.
        key: String,
    },
    /// A rebuild of the indexes is under way, or was interrupted.
    #[error(
        "the indexes of namespace {namespace} are not complete: they are being rebuilt for {indexed}, \
         or that was interrupted; have them completed by RedisStoreBuilder::reindex, with {indexed} or another choice"
    )]
    #[non_exhaustive]
    Rebuilding {
        /// The namespace.
        namespace: String,
        /// What it is to index by choice.
        indexed: String,
    },
    /// What is to be recorded is not there, although there are requests.
    #[error("{key} is missing, although the namespace was laid out: {remedy}")]
    #[non_exhaustive]
    Missing {
        /// The key.
        key: String,
        /// What to do, which depends on the key.
        remedy: &'static str,
    },
}
