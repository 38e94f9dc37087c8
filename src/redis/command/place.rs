//! Where a call goes, and whether a replica may answer it.

use crate::redis::topology::Slot;

/// What decides which server of several a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Keys of this partition.
    Partition(u16),
    /// The key of the namespace.
    Namespace,
    /// A key that names no partition of the namespace.
    Slot(Slot),
    /// No key: the caller chooses the node, or any may answer.
    Node,
}

/// How old what a read returns may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// What the primary has.
    #[default]
    Latest,
    /// What a replica has, if the application allows that.
    MayLag,
}

impl Place {
    /// That of the consumers of the feed.
    pub(crate) const CONSUMERS: Self = Self::Partition(0);
}
