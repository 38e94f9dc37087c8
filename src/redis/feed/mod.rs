//! The change feed in Redis, without I/O: streams, marks in them, and the walk over all partitions.
//!
//! A stream holds the entries of one partition. What only one partition knows is in `mark`; `walk` goes over all of them.

mod mark;
mod marks;
mod reply;
mod walk;

pub(crate) use walk::{FeedEnds, FeedRead, FeedWalk};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod walk_tests;
