//! The change feed without I/O: what a reader gets, where it goes on, and how it notices that entries are gone.
//!
//! A stream holds the entries of one partition. What only one partition knows is in `mark`; `walk` goes over all of them.

mod entry;
mod mark;
mod page;
mod position;
mod reply;
mod walk;

pub use entry::{FeedEntry, UnreadableEntry};
pub use page::{FeedGap, FeedPage};
pub use position::FeedPosition;
pub(crate) use walk::{FeedEnds, FeedRead, FeedWalk};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod walk_tests;
