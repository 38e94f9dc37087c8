//! What can be asked: filters, their meaning, order, rows, pages, index terms and plans.
//!
//! Pure: nothing here reads a clock or a store. [`RequestQuery::matches`] is the one meaning of a filter; indexes and
//! plans only find the same requests sooner.

mod bounds;
mod direction;
mod fingerprint;
mod request_filters;
mod request_match;
mod request_query;
mod request_text;

pub use bounds::MAX_CHOICES;
pub use direction::SortDirection;
pub use request_query::RequestQuery;
