//! What a query gives to the planner: the conditions that indexes can answer, and the filters that each one answers.

use std::collections::BTreeSet;

use super::plan::layout_of;
use super::{ChosenIndexes, Dimension, KeyLayout, KeyRange, Term};
use crate::request::{IdComparison, RequestId};

/// One condition of a query that an index answers: a row meets it if one of the terms holds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// The terms, one of which is enough. There is at least one, and all have the same key layout.
    pub terms: BTreeSet<Term>,
    /// The filters of the query that a row which meets this condition needs no further check for.
    pub(crate) covers: Vec<Filter>,
    /// Whether a plan may only read along this condition, and never checks it.
    pub(crate) only_drives: bool,
}

/// A filter of a query, or a part of it that an index answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    name: &'static str,
    part: Option<Box<str>>,
}

impl Filter {
    /// The filter with this name, which is unique among all queries.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, part: None }
    }

    /// This part of the filter.
    pub(crate) fn part(&self, part: &str) -> Self {
        Self { name: self.name, part: Some(part.into()) }
    }

    /// Whether this is the filter, or a part of it.
    pub(crate) fn is_of(&self, filter: &Self) -> bool {
        self.name == filter.name
    }

    /// The part; `None` for the whole filter.
    pub(crate) fn answered_part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}

/// What a query gives to the planner.
pub trait Conditions: Sized {
    /// A condition that holds every possible row, to read along if there is nothing better.
    fn base(&self) -> Condition;

    /// Every other condition that an index can answer.
    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition>;

    /// The range of keys of the query, and the filter it answers.
    fn range(&self) -> Option<(KeyRange, Filter)> {
        None
    }

    /// The request ids, if the query names them.
    fn ids(&self) -> Option<&BTreeSet<RequestId>>;

    /// The same query without these filters.
    fn without(self, filters: &[Filter]) -> Self;
}

impl Condition {
    pub(crate) fn of(terms: impl IntoIterator<Item = Term>, covers: impl Into<Vec<Filter>>) -> Self {
        Self { terms: terms.into_iter().collect(), covers: covers.into(), only_drives: false }
    }

    pub(crate) fn driving(terms: impl IntoIterator<Item = Term>, covers: impl Into<Vec<Filter>>) -> Self {
        Self { only_drives: true, ..Self::of(terms, covers) }
    }

    pub(crate) fn whole(dimension: Dimension) -> Self {
        Self::driving([Term::whole(dimension)], [])
    }

    /// The layout of the keys of its terms.
    pub(super) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }

    /// The condition with the terms that indexes hold under this rule for comparing ids of people.
    pub(crate) fn comparing(mut self, ids: IdComparison) -> Self {
        self.terms = self.terms.into_iter().map(|term| term.comparing(ids)).collect();
        self
    }
}
