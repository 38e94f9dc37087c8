//! The shapes of filters. Each checks, fingerprints and describes itself, gives the index terms that answer it, and
//! matches the values of a request. A row of [`filters!`](table) names the shape of its filter.

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

/// The greatest number of choices in one filter, so that the work of a query stays bounded.
pub const MAX_CHOICES: usize = 1_000;

/// What every shape does. Matching is an `is_met_by` of each shape, because each takes other values.
pub(crate) trait Shape: Sized {
    /// # Errors
    /// [`InvalidValue`] if the filter is empty, contradicts itself, or lists too many choices.
    fn check(&self, field: &'static str) -> Result<(), InvalidValue>;

    /// Adds the filter to the fingerprint of its query, under a name that never changes.
    fn feed(&self, name: &str, digest: &mut QueryDigest);

    /// The filter in words, after `asked`.
    fn clause(&self, asked: &str) -> String;

    /// The rest of the filter after an index has answered this part of it, or all of it.
    fn without(self, _part: Option<&str>) -> Option<Self> {
        None
    }
}

/// The rows of a filter table for one kind of subject: a request, an approval, a decision, a side effect.
pub(crate) trait FilterRows<Subject: ?Sized> {
    /// Whether any of these filters is set.
    fn ask(&self) -> bool;

    /// Whether the subject matches all filters that are set, with ids of people compared by this rule.
    fn are_met_by(&self, subject: &Subject, ids: IdComparison) -> bool;

    /// All filters that are set, in words.
    fn clauses(&self) -> Vec<String>;
}

/// # Errors
/// [`InvalidValue`] if a filter lists no choice, or too many.
fn check_choices(field: &'static str, count: usize) -> Result<(), InvalidValue> {
    match count {
        0 => Err(InvalidValue::new(field, "is an empty list; name at least one, or leave the filter out")),
        count if count > MAX_CHOICES => {
            Err(InvalidValue::new(field, format!("lists {count} choices; at most {MAX_CHOICES} are allowed")))
        }
        _ => Ok(()),
    }
}
