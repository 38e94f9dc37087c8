//! The indexes: dimensions, sort keys, the entries of a request, and the plan by which a query is read.
//!
//! Pure: a store keeps the entries and carries out the plan. The row of a filter says which index answers it.

mod chosen;
mod condition;
mod dimension;
mod entries;
#[cfg(test)]
mod entries_tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod in_memory;
mod key_range;
mod placing;
mod plan;
#[cfg(test)]
mod plan_tests;
mod ready_entries;
mod sort_key;
mod term;

pub use chosen::ChosenIndexes;
pub(crate) use condition::{Condition, Conditions, Filter};
pub use dimension::{Dimension, Lifetime};
#[cfg(feature = "redis")]
pub(crate) use entries::each_decision_entry;
pub use entries::{IndexEntry, changing_entries, decision_entries, has_same_submission, index_entries};
pub(crate) use entries::{approval_activity, each_changing_entry};
pub use key_range::KeyRange;
pub(crate) use placing::{Named, Placed};
pub use plan::{Along, Plan, Probe, plan};
pub(crate) use ready_entries::ReadyTerm;
pub use sort_key::{KeyLayout, SortKey};
pub use term::Term;
