//! The shapes of filters: each checks itself, goes into a query's fingerprint, describes itself, says which index terms meet
//! it, and matches what a request has. A row of [`filters!`](table) says which shape a filter has.

mod any_of;
mod between;
mod clauses;
mod digest;
mod flag;
mod pairs;
mod table;
mod tags;

pub(crate) use any_of::{AnyOf, AnyPerson, AnyText};
pub(crate) use between::Between;
pub(crate) use clauses::joined;
pub(super) use clauses::sentence;
pub(crate) use digest::QueryDigest;
pub(super) use flag::Flag;
pub(super) use pairs::Pairs;
pub(super) use table::{filters, of_requests};
pub(super) use tags::TagFilter;

use crate::error::InvalidValue;
use crate::request::IdComparison;

/// How many choices one filter may list, so that the work of a query stays bounded.
pub const MAX_CHOICES: usize = 1_000;

/// What every shape does beside matching, which each does by an `is_met_by` of its own, since each takes other values.
pub(crate) trait Shape: Sized {
    /// # Errors
    /// [`InvalidValue`] when the filter says nothing, contradicts itself, or lists too much.
    fn check(&self, field: &'static str) -> Result<(), InvalidValue>;

    /// Adds the filter to the fingerprint of its query, by a name that never changes.
    fn feed(&self, name: &str, digest: &mut QueryDigest);

    /// The filter in words, behind `asked`.
    fn clause(&self, asked: &str) -> String;

    /// What is left to ask once an index has answered this part of the filter, or all of it.
    fn without(self, _part: Option<&str>) -> Option<Self> {
        None
    }
}

/// Those rows of a table of filters that one kind of subject meets: a request, an approval, a decision, a side effect.
pub(crate) trait FilterRows<Subject: ?Sized> {
    /// Whether any of them is asked.
    fn ask(&self) -> bool;

    /// Whether the subject meets all that are asked, where ids of people are compared so.
    fn are_met_by(&self, subject: &Subject, ids: IdComparison) -> bool;

    /// All that are asked, in words.
    fn clauses(&self) -> Vec<String>;
}

/// # Errors
/// [`InvalidValue`] when a filter lists nothing, or too much.
fn check_choices(field: &'static str, count: usize) -> Result<(), InvalidValue> {
    match count {
        0 => Err(InvalidValue::new(field, "is an empty list; name at least one, or leave the filter out")),
        count if count > MAX_CHOICES => {
            Err(InvalidValue::new(field, format!("lists {count} choices; at most {MAX_CHOICES} are allowed")))
        }
        _ => Ok(()),
    }
}
