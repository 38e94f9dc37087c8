//! What a follower of the feed hands to its handler, and what the handler may return.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::{FeedEntry, FeedGap, FeedPage, UnreadableEntry};
use crate::error::Error;
use crate::removal::Tombstone;
use crate::request::{Decision, MutationRequest};
use crate::stored_format::Unreadable;

/// One write, with its request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The entry of the feed: which request was written, by whom, its status and its new decisions.
    pub entry: FeedEntry,
    /// The request, read after the entry: as it is now, or as a later write has made it.
    pub document: DeliveredDocument,
    /// How often the handler has had this entry in this process, this time included.
    pub attempt: u32,
}

/// The request of a delivered entry.
#[derive(Clone, Debug)]
pub enum DeliveredDocument {
    /// As it is stored.
    Stored(Arc<MutationRequest>),
    /// It is not there: lost in a failover.
    Missing,
    /// It was removed; this is what is left of it.
    Removed(Arc<Tombstone>),
    /// It is there and cannot be read.
    Unreadable(Arc<Unreadable>),
}

impl Delivery {
    /// The request, if it can be read.
    pub fn request(&self) -> Option<&MutationRequest> {
        match &self.document {
            DeliveredDocument::Stored(request) => Some(request),
            DeliveredDocument::Missing | DeliveredDocument::Removed(_) | DeliveredDocument::Unreadable(_) => None,
        }
    }

    /// The decisions that this write added. `None` when the request cannot be read, or does not have them where the
    /// entry says: [`FeedEntry::decisions`] still has their kinds.
    pub fn decisions(&self) -> Option<&[Decision]> {
        self.entry.decisions_in(self.request()?)
    }
}

/// Entries that a follower cannot deliver: the handler has to read again whatever it follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MissedEntries {
    /// Where entries are missing.
    pub gaps: Vec<FeedGap>,
    /// Entries that are there and cannot be read; some name their request.
    pub unreadable: Vec<UnreadableEntry>,
    /// How often the handler was called with these in this process, this time included.
    pub attempt: u32,
}

impl MissedEntries {
    /// What a page does not deliver, if anything.
    pub(crate) fn of(page: &FeedPage) -> Option<Self> {
        let is_whole = page.gaps.is_empty() && page.unreadable.is_empty();
        (!is_whole).then(|| Self { gaps: page.gaps.clone(), unreadable: page.unreadable.clone(), attempt: 1 })
    }
}

/// Why a handler did not handle what it was given, and whether the follower gives it again.
///
/// Made from any error by `?`, which means to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryFailure {
    /// Why, in words.
    pub message: String,
    /// Whether the follower goes on without it. Otherwise it hands over the same again after a pause.
    pub skips: bool,
}

impl DeliveryFailure {
    /// The same is handed over again, after pauses that double.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { message: message.into(), skips: false }
    }

    /// The follower reports it and goes on: it will not hand over the same again.
    pub fn skip(message: impl Into<String>) -> Self {
        Self { message: message.into(), skips: true }
    }
}

impl<Cause: StdError> From<Cause> for DeliveryFailure {
    fn from(cause: Cause) -> Self {
        Self::retry(cause.to_string())
    }
}

impl fmt::Display for DeliveryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a follower did, or met.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowerReport {
    /// It has the lease of its consumer, and delivers.
    Leading,
    /// Another follower has taken over: this one waits until the lease is free again.
    LeaseLost,
    /// Everything on a page was handled, and the position after it is saved.
    Saved {
        /// How many entries were handled.
        entries: usize,
    },
    /// The handler failed.
    NotHandled {
        /// Of which entry; `None` when it was called about missed entries.
        entry: Option<Box<FeedEntry>>,
        /// Why, and whether it was skipped. A panic of the handler is a failure that is tried again.
        failure: DeliveryFailure,
        /// How often it has been given this in this process.
        attempt: u32,
    },
    /// The store failed. The follower tries again after a pause.
    StoreFailed(Error),
}
