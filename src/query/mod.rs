//! What can be asked: filters, their meaning, order, rows, pages and cursors. A filter is one row of a table, see `filter`.
//!
//! Pure: nothing here reads a clock or a store.

mod approvals;
#[cfg(feature = "redis")]
mod as_stored;
mod conditions;
mod cursor;
mod decisions;
mod direction;
mod due_query;
mod evaluate;
mod excerpt_rows;
mod filter;
mod inbox_query;
mod page;
mod read;
mod ready_query;
mod recent_query;
mod request;
mod rows;
mod statistics;

pub use approvals::PendingApprovalQuery;
#[cfg(feature = "redis")]
pub(crate) use as_stored::AsStored;
pub use cursor::Cursor;
pub(crate) use cursor::Fingerprint;
pub use decisions::DecisionQuery;
pub use direction::SortDirection;
pub use due_query::DueQuery;
#[cfg(feature = "redis")]
pub(crate) use evaluate::evaluate_with;
pub use evaluate::{evaluate, page_start};
pub use filter::MAX_CHOICES;
pub(crate) use filter::{Between, QueryDigest, joined};
pub use inbox_query::InboxQuery;
pub use page::{Lookup, Page, PageRequest, check_id_count};
pub use read::Query;
pub use ready_query::{ReadyAt, ReadyQuery};
pub use recent_query::RecentApprovalQuery;
pub use request::RequestQuery;
pub use rows::{DecisionRow, PendingApprovalRow, RecentApprovalRow, RequestSummary};
pub use statistics::{Count, Statistics};

#[cfg(test)]
mod evaluate_tests;
#[cfg(test)]
pub(crate) mod query_samples;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
pub(crate) mod samples;
