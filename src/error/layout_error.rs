//! Why a store cannot use a namespace, or a part of one, with its present layout.

/// Why a store cannot use a namespace, or a part of one, with its present layout.
///
/// A namespace records the version of its layout: its keys and its indexes. A process works only with its own layout,
/// and every write is checked against the layout that its partition records. So while a namespace is being rebuilt, a
/// write from a process with another layout fails, and nothing is written. [`StoreError::layout`](crate::StoreError)
/// holds this error.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// An older release created it.
    #[error(
        "{place} has layout version {found}, this release uses {expected}; close the processes that write to it, and \
         rebuild its indexes with RedisStoreBuilder::reindex of this release"
    )]
    Older {
        /// The namespace, or the key of one partition.
        place: String,
        /// The recorded version.
        found: u32,
        /// The version of this release.
        expected: u32,
    },
    /// A newer release created it, or is rebuilding it.
    #[error(
        "{place} has layout version {found}, or is being rebuilt for it; this release uses {expected}. Close this \
         process, and open the namespace with a release that uses {found}"
    )]
    Newer {
        /// The namespace, or the key of one partition.
        place: String,
        /// The recorded version, or the one it is being rebuilt for.
        found: u32,
        /// The version of this release.
        expected: u32,
    },
    /// The key holds something other than a layout.
    #[error("{key} does not describe {what}; something else uses the key: {remedy}")]
    Foreign {
        /// The key.
        key: String,
        /// What it should describe.
        what: &'static str,
        /// What to do next, by key.
        remedy: &'static str,
    },
    /// A choice of indexed metadata, of how ids are compared, or of partitions was recorded after the store was opened,
    /// and differs.
    #[error(
        "{key} records another choice of indexed metadata, of how ids are compared, or of partitions than this store \
         was opened with; open the store again with the recorded choice, or rebuild the indexes with \
         RedisStoreBuilder::reindex"
    )]
    OtherChoice {
        /// The key of the partition.
        key: String,
    },
    /// A rebuild of the indexes is under way, or was interrupted.
    #[error(
        "the indexes of namespace {namespace} are not complete: a rebuild for {indexed} is running or was interrupted; \
         complete it with RedisStoreBuilder::reindex, for {indexed} or another choice"
    )]
    Rebuilding {
        /// The namespace.
        namespace: String,
        /// The chosen indexes it is being rebuilt for.
        indexed: String,
    },
    /// A repartition is under way, or was interrupted: some requests lie where only one of the two numbers leads.
    #[error(
        "{place} is being repartitioned from {from} to {to} partitions, or that was interrupted; close the processes that \
         opened it with {from}, and complete it with RedisStoreBuilder::repartition with {to} partitions"
    )]
    Repartitioning {
        /// The namespace, or the key of one partition.
        place: String,
        /// How many partitions it had.
        from: u16,
        /// How many it gets.
        to: u16,
    },
    /// A recorded value is missing, although there are requests.
    #[error("{key} is missing, although the namespace exists: {remedy}")]
    Missing {
        /// The key.
        key: String,
        /// What to do next, by key.
        remedy: &'static str,
    },
}
