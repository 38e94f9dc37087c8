//! The change feed as every store returns it: entries, pages, gaps, positions. Data only; stores keep the entries.
//!
//! The root of the crate exports these types. [`check_limit`] and [`ConsumerTable`] are for authors of
//! stores.

mod consumer;
mod consumer_table;
mod delivery;
mod entry;
mod log;
mod page;
mod position;

pub use consumer::{Consumer, ConsumerLease};
pub use consumer_table::ConsumerTable;
pub use delivery::{DeliveredDocument, Delivery, DeliveryFailure, FollowerReport, MissedEntries};
pub use entry::{FeedActor, FeedChange, FeedEntry, UnreadableEntry};
pub(crate) use log::FeedLog;
pub use page::{FeedGap, FeedPage, check_limit};
pub use position::FeedPosition;

/// The default of how many entries a feed keeps at least; in Redis, for each partition.
pub(crate) const DEFAULT_LENGTH: u32 = 100_000;
