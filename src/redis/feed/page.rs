use std::fmt;

use super::{FeedEntry, FeedPosition, UnreadableEntry};

/// What came behind a position of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedPage {
    /// The entries: those of one partition in the order in which they were written, one partition after another.
    pub entries: Vec<FeedEntry>,
    /// Entries that belong on this page but cannot be read.
    pub unreadable: Vec<UnreadableEntry>,
    /// Where entries are missing. Read the requests again that you follow: what the missing entries told is in them.
    pub gaps: Vec<FeedGap>,
    /// Where to go on. Saved after everything on this page has been handled, it makes nothing be missed.
    pub next: FeedPosition,
    /// Whether nothing was left to read when this page was read. A short page alone does not say so.
    pub is_caught_up: bool,
}

/// Entries of one partition that a reader does not get, or that it got although they are not true any more.
///
/// Told once, by a page that has no entry of that partition. The next page goes on with the oldest entry that is kept, so
/// that nothing which still is there is missed; some of it may come again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedGap {
    /// Entries that had not been read were removed, because the feed keeps no more.
    Trimmed {
        /// The partition.
        partition: u16,
        /// How many.
        missed: u64,
    },
    /// The feed is not the one that was read: the last entry read is not in it. A failover or a restored backup has lost
    /// writes, somebody has removed the feed or an entry by hand, or the server is a replica that lags behind.
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
                 requests again, and the feed more often, or keep a longer one"
            ),
            Self::Rewound { partition } => write!(
                f,
                "the feed of partition {partition} is not the one that was read: entries that were read are not in it; \
                 read the requests again"
            ),
        }
    }
}
