//! The change feed as every store gives it: entries, pages, gaps, positions. Data only; where entries are kept is the store's.
//!
//! Readers find these types at the root of the crate. [`check_limit`] is for those who write a store.

mod entry;
mod log;
mod page;
mod position;

pub use entry::{FeedEntry, UnreadableEntry};
pub(crate) use log::FeedLog;
pub use page::{FeedGap, FeedPage, check_limit};
pub use position::FeedPosition;

/// How many entries a feed keeps at least where the application chooses no other length; in Redis, in each partition.
pub(crate) const DEFAULT_LENGTH: u32 = 100_000;
