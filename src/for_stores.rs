//! What an author of a store needs, or a reader of query plans: [`evaluate`] makes the pages that every store has to
//! return, [`index_entries`] derives the index entries of a request, [`plan`] finds a way along them.
//!
//! Pure: nothing here reads a clock or a store. The `matches` of a query alone defines its filters; indexes and plans
//! only find the same requests sooner.

pub use crate::index::{
    Along, ChosenIndexes, Dimension, IndexEntry, KeyLayout, KeyRange, Lifetime, Plan, Probe, SortKey, Term,
    changing_entries, decision_entries, has_same_submission, index_entries, plan,
};
pub use crate::query::{DueQuery, Query, ReadyAt, check_id_count, evaluate, page_start};
