//! What a query says to the planner: the conditions that indexes answer, and which of its filters each answers.

use std::collections::BTreeSet;

use super::plan::layout_of;
use super::{ChosenIndexes, Dimension, KeyLayout, KeyRange, Term};
use crate::request::{IdComparison, RequestId};

/// One condition of a query that an index answers: a row meets it when one of the terms holds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// The terms, of which one is enough. All are of one key layout, and there is at least one.
    pub terms: BTreeSet<Term>,
    /// The filters of the query that need no further check on a row that meets this condition.
    pub(crate) covers: Vec<Filter>,
    /// Whether the condition is only there to be read along, never to be checked.
    pub(crate) only_drives: bool,
}

/// A filter of a query, or the part of one that an index answers by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    name: &'static str,
    part: Option<Box<str>>,
}

impl Filter {
    /// The filter of this name, which no other filter of any query has.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, part: None }
    }

    /// This part of it.
    pub(crate) fn part(&self, part: &str) -> Self {
        Self { name: self.name, part: Some(part.into()) }
    }

    /// Whether this is the filter, or a part of it.
    pub(crate) fn is_of(&self, filter: &Self) -> bool {
        self.name == filter.name
    }

    /// The part that it is; none where it is the whole.
    pub(crate) fn answered_part(&self) -> Option<&str> {
        self.part.as_deref()
    }
}

/// What a query says to the planner.
pub trait Conditions: Sized {
    /// What holds every row that could be asked for, for want of anything better to read along.
    fn base(&self) -> Condition;

    /// Every further condition an index could answer.
    fn conditions(&self, chosen: &ChosenIndexes) -> Vec<Condition>;

    /// The stretch of keys that is asked for, and the filter which that answers.
    fn range(&self) -> Option<(KeyRange, Filter)> {
        None
    }

    /// The request ids that are asked for, when the query names them.
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

    /// How the keys of its terms are laid out.
    pub(super) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }

    /// The condition by the terms that indexes hold where ids of people are compared so.
    pub(crate) fn comparing(mut self, ids: IdComparison) -> Self {
        self.terms = self.terms.into_iter().map(|term| term.comparing(ids)).collect();
        self
    }
}
