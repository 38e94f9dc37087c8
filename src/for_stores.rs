//! What those need who write a store of their own, or want to know how a query is answered: [`evaluate`] makes the pages that
//! every store has to give, [`index_entries`] derives the index entries of a request, [`plan`] finds a way along them.
//!
//! Pure: nothing here reads a clock or a store. The queries' own `matches` is the one meaning of a filter; indexes and plans only
//! find the same requests sooner.

pub use crate::index::{
    Along, ChosenIndexes, Dimension, IndexEntry, KeyLayout, KeyRange, Lifetime, Plan, Probe, SortKey, Term,
    changing_entries, decision_entries, has_same_submission, index_entries, plan,
};
pub use crate::query::{DueQuery, Query, check_id_count, evaluate, page_start};
