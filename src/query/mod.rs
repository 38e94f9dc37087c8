//! What can be asked of stored requests: pages, cursors, filters and the order of results. Pure, and without any store.

mod cursor;
mod listing;
mod page;

pub use cursor::Cursor;
pub(crate) use cursor::Fingerprint;
pub(crate) use listing::{Listing, check_id_count, created_order};
pub use page::{Lookup, Page, PageRequest, Unreadable};
