//! What can be asked: filters, their meaning, order, rows, pages, index terms and plans.
//!
//! Pure: nothing here reads a clock or a store. [`RequestQuery::matches`] is the one meaning of a filter; indexes and
//! plans only find the same requests sooner.

mod bounds;
mod cursor;
mod digest;
mod direction;
mod page;
mod request_builder;
mod request_filters;
mod request_match;
mod request_query;
mod request_text;

pub use bounds::MAX_CHOICES;
pub use cursor::Cursor;
pub(crate) use cursor::Fingerprint;
pub use direction::SortDirection;
pub use page::{Lookup, Page, PageRequest, Unreadable};
pub use request_query::RequestQuery;
