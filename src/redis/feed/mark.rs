//! How far the feed of one partition has been read, and which gap follows from it.

use std::fmt;

use super::reply::Part;
use crate::feed::{FeedEntry, FeedGap, UnreadableEntry};

/// An entry's id in its stream, as the server returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StreamId {
    pub(super) milliseconds: u64,
    pub(super) sequence: u64,
}

/// An entry that was read, which identifies its stream.
///
/// It includes the content, because another server's clock may reuse an id that a failover lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Anchor {
    pub(super) id: StreamId,
    pub(super) digest: u32,
}

/// How far the feed of one partition has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// Not at all: the oldest kept entry comes next, whatever was removed before.
    Beginning,
    /// After this many of all entries ever added; the last of them, if it was read.
    Behind { added: u64, last: Option<Anchor> },
}

/// The entries of one partition after a mark.
pub(super) struct Step {
    pub(super) entries: Vec<Result<FeedEntry, UnreadableEntry>>,
    pub(super) gap: Option<FeedGap>,
    pub(super) next: Mark,
    pub(super) more: bool,
}

impl Mark {
    /// After the newest entry.
    pub(super) fn end(part: &Part) -> Self {
        Self::Behind { added: part.added, last: part.entries.last().map(|(anchor, _)| *anchor) }
    }

    /// The mark of a partition that was split off from the one of this mark: all of its entries are new to the reader, and one
    /// who has begun is to know if some of them were removed.
    pub(super) const fn of_added_partition(&self) -> Self {
        match self {
            Self::Beginning => Self::Beginning,
            Self::Behind { .. } => Self::Behind { added: 0, last: None },
        }
    }

    /// Whether the first `added` of all entries ever added are before it.
    pub(super) const fn is_behind(&self, added: u64) -> bool {
        match self {
            Self::Beginning => added == 0,
            Self::Behind { added: read, .. } => *read >= added,
        }
    }

    /// The entry to read from, inclusive; `None` for the oldest.
    pub(super) fn from(&self) -> Option<StreamId> {
        match self {
            Self::Behind { last: Some(last), .. } => Some(last.id),
            _ => None,
        }
    }

    /// Continues after this mark by at most `limit` entries; the reply may have one more.
    pub(super) fn read_on(&self, partition: u16, part: Part, limit: usize) -> Step {
        let removed = part.added.saturating_sub(part.kept);
        let more = part.entries.len() > limit || part.is_cut;
        let (mut behind, mut last, skipped) = match *self {
            Self::Beginning => (removed, None, 0),
            Self::Behind { added, last } if last.is_some() && part.first() == last => (added, last, 1),
            // Everything that was read has been removed, and nothing else.
            Self::Behind { added, last } if added == removed => (added, last, 0),
            Self::Behind { added, .. } => {
                let gap = if removed > added {
                    FeedGap::Trimmed { partition, missed: removed - added }
                } else {
                    FeedGap::Rewound { partition }
                };
                let next = Self::Behind { added: removed, last: None };
                return Step { entries: Vec::new(), gap: Some(gap), next, more: true };
            }
        };
        let mut entries = Vec::new();
        for (anchor, entry) in part.entries.into_iter().skip(skipped).take(limit) {
            (behind, last) = (behind.saturating_add(1), Some(anchor));
            entries.push(entry);
        }
        // Counted again at the end, because entries may have been deleted from the middle.
        let next = Self::Behind { added: if more { behind } else { part.added }, last };
        Step { entries, gap: None, next, more }
    }
}

impl StreamId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (milliseconds, sequence) = text.split_once('-')?;
        Some(Self { milliseconds: milliseconds.parse().ok()?, sequence: sequence.parse().ok()? })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.milliseconds, self.sequence)
    }
}
