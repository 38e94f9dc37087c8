//! The change feed as every store returns it: entries, pages, gaps, positions. Data only; stores keep the entries.
//!
//! The root of the crate exports these types. [`check_limit`] is for authors of stores.

mod entry;
mod log;
mod page;
mod position;

pub use entry::{FeedEntry, UnreadableEntry};
pub(crate) use log::FeedLog;
pub use page::{FeedGap, FeedPage, check_limit};
pub use position::FeedPosition;

/// The default of how many entries a feed keeps at least; in Redis, for each partition.
pub(crate) const DEFAULT_LENGTH: u32 = 100_000;
