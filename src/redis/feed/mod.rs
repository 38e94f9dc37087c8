//! The change feed in Redis, without I/O: streams, marks in them, and the walk over all partitions.
//!
//! A stream holds the entries of one partition. `mark` has the logic of one partition; `walk` reads all of them.

mod consumers;
mod mark;
mod marks;
mod reply;
mod walk;

pub(crate) use consumers::{FeedLags, MAX_VALUE_BYTES, leased, listed, removed, saved};
pub(crate) use reply::{Origin, actor_of, actor_text, extent};
pub(crate) use walk::{FeedEnds, FeedRead, FeedWalk};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod walk_tests;
