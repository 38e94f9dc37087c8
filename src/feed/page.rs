//! What a reader of the change feed gets, and how gaps are reported.

use std::fmt;

use serde::Serialize;

use super::{FeedEntry, FeedPosition, UnreadableEntry};
use crate::error::InvalidValue;
use crate::query::{MissingPartition, PageRequest};

/// The entries after a position of the change feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FeedPage {
    /// The entries: one partition after another, each in the order of its writes.
    pub entries: Vec<FeedEntry>,
    /// Entries that belong on this page but cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableEntry>,
    /// Where entries are missing. Read the requests that you follow again: they contain what the missing entries
    /// reported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<FeedGap>,
    /// Where to continue. A reader that saves it after handling everything on this page misses nothing.
    pub next: FeedPosition,
    /// The partitions that did not answer; [`next`](Self::next) leads on where they were read last. Only a store that is to
    /// return partial results has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingPartition>,
    /// Whether nothing was left to read at the time in those that answered. A short page alone does not mean that.
    pub is_caught_up: bool,
}

impl FeedPage {
    /// A page of these entries, without gaps and unreadable entries, for authors of stores.
    pub const fn new(entries: Vec<FeedEntry>, next: FeedPosition, is_caught_up: bool) -> Self {
        Self { entries, unreadable: Vec::new(), gaps: Vec::new(), next, missing: Vec::new(), is_caught_up }
    }

    /// A page that reports a gap and continues at `next`, the oldest remaining entry, for authors of stores.
    pub fn at_gap(gap: FeedGap, next: FeedPosition) -> Self {
        Self { gaps: vec![gap], ..Self::new(Vec::new(), next, false) }
    }
}

/// Checks the limit of a feed page; every store does so before it reads.
///
/// # Errors
/// [`InvalidValue`] when it is 0 or greater than [`PageRequest::MAX_LIMIT`].
pub fn check_limit(limit: usize) -> Result<usize, InvalidValue> {
    let page = PageRequest::of(limit).map_err(|error| InvalidValue::new("feed page limit", error.problem))?;
    Ok(page.limit())
}

/// Entries of one partition that the reader missed, and entries that it read and that the store later lost.
///
/// A page reports a gap once and then has no entries of that partition. The next page continues with the oldest
/// remaining entry, so that the reader misses nothing that is still there; some entries may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum FeedGap {
    /// The feed removed entries before they were read, because of its maximum length.
    Trimmed {
        /// The partition.
        partition: u16,
        /// How many.
        missed: u64,
    },
    /// The feed is not the one that was read: it does not contain the last entry read. A failover or a restored backup
    /// lost writes, somebody removed the feed or an entry by hand, or the server is a lagging replica.
    Rewound {
        /// The partition.
        partition: u16,
    },
}

impl FeedGap {
    /// The partition whose entries are missing.
    pub const fn partition(&self) -> u16 {
        match self {
            Self::Trimmed { partition, .. } | Self::Rewound { partition } => *partition,
        }
    }
}

impl fmt::Display for FeedGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trimmed { partition, missed } => write!(
                f,
                "{missed} entries in the feed of partition {partition} were removed before they were read; read the \
                 requests again, and read the feed more often, or keep a longer one"
            ),
            Self::Rewound { partition } => write!(
                f,
                "the feed of partition {partition} is not the one that was read: entries that were read are not in it; \
                 read the requests again"
            ),
        }
    }
}
