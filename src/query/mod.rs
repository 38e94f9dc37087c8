//! What can be asked: filters, their meaning, order, rows, pages, index terms and plans.
//!
//! Pure: nothing here reads a clock or a store. [`RequestQuery::matches`] is the one meaning of a filter; indexes and
//! plans only find the same requests sooner.
//!
//! Whoever asks finds the questions and their rows at the root of the crate. What is here beside them is for those who write
//! a store of their own, or want to know how a question is answered: [`evaluate`], [`index_entries`], [`plan`].

mod approval_query;
#[cfg(feature = "redis")]
mod as_stored;
mod bounds;
mod conditions;
mod cursor;
mod decision_query;
mod digest;
mod direction;
mod due_query;
mod evaluate;
mod excerpt_rows;
mod inbox_query;
mod index_entries;
mod key_range;
mod page;
mod placing;
mod plan;
mod read;
mod recent_query;
mod request_builder;
mod request_conditions;
mod request_filters;
mod request_match;
mod request_query;
mod request_text;
mod rows;
mod sort_key;
mod statistics;
mod stored_request;
mod terms;

pub use approval_query::PendingApprovalQuery;
#[cfg(feature = "redis")]
pub(crate) use as_stored::AsStored;
pub use bounds::MAX_CHOICES;
pub use cursor::Cursor;
pub(crate) use cursor::Fingerprint;
pub use decision_query::DecisionQuery;
pub use direction::SortDirection;
pub use due_query::DueQuery;
#[cfg(feature = "redis")]
pub(crate) use evaluate::evaluate_with;
pub use evaluate::{evaluate, page_start};
pub use inbox_query::InboxQuery;
pub(crate) use index_entries::each_changing_entry;
#[cfg(feature = "redis")]
pub(crate) use index_entries::each_decision_entry;
pub use index_entries::{
    IndexEntry, IndexedMetadata, changing_entries, decision_entries, index_entries, is_filed_alike,
};
pub use key_range::KeyRange;
pub use page::{Lookup, Page, PageRequest, Unreadable, check_id_count};
#[cfg(feature = "redis")]
pub(crate) use placing::{Named, Placed, stray};
pub use plan::{Driver, Plan, Probe, plan};
pub use read::Query;
pub use recent_query::RecentApprovalQuery;
pub use request_query::RequestQuery;
pub use rows::{DecisionRow, PendingApprovalRow, RecentApprovalRow, RequestSummary};
pub use sort_key::{KeyLayout, SortKey};
pub use statistics::{Count, Statistics};
pub use stored_request::StoredRequest;
#[cfg(feature = "redis")]
pub(crate) use stored_request::{check_id, decode};
pub use terms::{Dimension, Term};

#[cfg(test)]
mod evaluate_tests;
#[cfg(test)]
mod index_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod query_samples;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod samples;
