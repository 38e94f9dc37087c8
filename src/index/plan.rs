//! The planner: how a query is read.

use std::collections::BTreeSet;
use std::fmt;

use super::{ChosenIndexes, Condition, Dimension, KeyLayout, KeyRange, Term};
use crate::query::{Query, SortDirection, joined};
use crate::request::{IdComparison, PendingReason, RequestId, Status};

/// With more terms than this, checking the request itself is cheaper than a lookup of each term for every row.
const MAX_PROBED_TERMS: usize = 16;

/// How a store finds the rows of a query. Its text answers "why does this query take so long?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<Q> {
    /// Read the requests that the query names, each by its key, and sort their rows.
    ByIds {
        /// The requests.
        ids: BTreeSet<RequestId>,
        /// All filters; checked on the requests themselves.
        query: Q,
    },
    /// Read along indexes.
    Along(Along<Q>),
}

/// The terms to read along, the conditions to look up each row in, and the filters to check on the request itself.
///
/// A row belongs to the result exactly if its key lies in the range, one of the terms holds it, every probe holds it,
/// and the residual query matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Along<Q> {
    /// The terms to read along: their keys, merged in the order of the query; a key that several terms hold counts
    /// once. There is at least one term, and all have the same key layout.
    ///
    /// If that is `Created` and the query is for approvals, each key stands for all rows of its request.
    pub terms: BTreeSet<Term>,
    /// The sum of the numbers of their keys.
    pub cardinality: u64,
    /// The conditions that each row must meet as well: one term of each must hold it. Cheapest first.
    pub probes: Vec<Probe>,
    /// The range of their keys that is read.
    pub range: KeyRange,
    /// The end at which reading begins.
    pub direction: SortDirection,
    /// The filters that no index answers; checked on the request itself.
    pub residual: Q,
}

/// A condition in which every row is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The terms, one of which must hold the row: by the row's own key if the layouts are equal, otherwise by
    /// [`KeyLayout::request_key`].
    pub terms: BTreeSet<Term>,
    /// The sum of the numbers of their keys.
    pub cardinality: u64,
}

/// The plan that reads along the cheapest condition: the one whose terms hold the fewest keys.
///
/// `ids` is the store's rule for comparing ids. `cardinality` returns how many keys a term holds; it need not be exact.
/// Any plan gives the same rows; a bad one is slower.
pub fn plan<Q: Query>(
    query: &Q,
    chosen: &ChosenIndexes,
    ids: IdComparison,
    cardinality: impl Fn(&Term) -> u64,
) -> Plan<Q> {
    let sized = |condition: Condition| {
        let condition = condition.comparing(ids);
        let total = condition.terms.iter().map(&cardinality).fold(0, u64::saturating_add);
        (total, condition)
    };
    let mut conditions: Vec<_> = query.conditions(chosen).into_iter().map(sized).collect();
    conditions.sort_by_key(|(total, _)| *total);

    let base = sized(query.base());
    // With equal numbers of keys, the condition answers more than the base.
    let cheapest = conditions.iter().position(|(total, condition)| can_drive(condition, Q::LAYOUT) && *total <= base.0);
    let (total, driving) = cheapest.map_or(base, |place| conditions.remove(place));
    match query.ids() {
        Some(ids) if ids.len() as u64 <= total => Plan::ByIds { ids: ids.clone(), query: query.clone() },
        _ => Plan::Along(along(query, total, driving, conditions)),
    }
}

#[cfg(feature = "redis")]
impl<Q: Query> Along<Q> {
    /// The layout of the keys that the plan reads along.
    pub(crate) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }

    /// The one term and range that hold exactly the rows, if counting its keys counts the rows.
    pub(crate) fn single_range(&self) -> Option<(&Term, &KeyRange)> {
        let is_single = self.terms.len() == 1 && self.probes.is_empty() && self.leaves_nothing_to_check();
        self.terms.first().filter(|_| is_single).map(|term| (term, &self.range))
    }

    /// Whether terms, range and probes answer the whole query.
    pub(crate) fn leaves_nothing_to_check(&self) -> bool {
        self.residual.is_without_filters()
    }
}

#[cfg(feature = "redis")]
impl Probe {
    /// The layout of the keys that it looks up.
    pub(crate) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }
}

/// The layout of the keys of these terms, which is the same for all.
pub(super) fn layout_of(terms: &BTreeSet<Term>) -> KeyLayout {
    terms.first().map_or(KeyLayout::Created, |term| term.dimension.layout())
}

/// `others` are in the order of probing.
fn along<Q: Query>(query: &Q, cardinality: u64, driving: Condition, others: Vec<(u64, Condition)>) -> Along<Q> {
    let layout = driving.layout();
    let mut answered = driving.covers;
    let mut probes = Vec::new();
    for (cardinality, condition) in others {
        let is_answered =
            !condition.covers.is_empty() && condition.covers.iter().all(|filter| answered.contains(filter));
        if is_answered || !can_probe(&condition, layout) {
            continue;
        }
        answered.extend(condition.covers);
        if !is_implied(&condition.terms, &driving.terms, layout) {
            probes.push(Probe { terms: condition.terms, cardinality });
        }
    }
    let range = query.range().map(|(range, filter)| {
        answered.push(filter);
        range
    });
    Along {
        terms: driving.terms,
        cardinality,
        probes,
        range: range.unwrap_or_default(),
        direction: query.direction(),
        residual: query.clone().without(&answered),
    }
}

/// A query reads along an index of its own layout; a query for approvals also along requests, because their orders
/// agree.
fn can_drive(condition: &Condition, rows: KeyLayout) -> bool {
    let layout = condition.layout();
    layout == rows || (rows == KeyLayout::Approval && layout == KeyLayout::Created)
}

/// Every row can be looked up by its own key and by that of its request.
fn can_probe(condition: &Condition, driver: KeyLayout) -> bool {
    let layout = condition.layout();
    let is_row_or_request = layout == driver || layout == KeyLayout::Created;
    is_row_or_request && !condition.only_drives && condition.terms.len() <= MAX_PROBED_TERMS
}

/// An index of open approvals holds only approvals of requests that are pending for approval, and an index of pending
/// requests only pending ones.
fn is_implied(terms: &BTreeSet<Term>, driving: &BTreeSet<Term>, driver: KeyLayout) -> bool {
    let is_of_pending = |term: &Term| matches!(term.dimension, Dimension::PendingReason | Dimension::PendingOfState);
    let waits_for_approval = driver == KeyLayout::Approval;
    let is_pending = waits_for_approval || driving.iter().all(is_of_pending);
    (is_pending && terms.contains(&Term::status(Status::Pending)))
        || (waits_for_approval && terms.contains(&Term::pending_reason(PendingReason::Approval)))
}

/// Serialises as the text that it prints.
impl<Q: fmt::Display> serde::Serialize for Plan<Q> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<Q: fmt::Display> fmt::Display for Plan<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByIds { ids, query } => {
                writeln!(f, "read {} request(s) by id, then sort", ids.len())?;
                write!(f, "check on each document: {query}")
            }
            Self::Along(along) => along.fmt(f),
        }
    }
}

impl<Q: fmt::Display> fmt::Display for Along<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "read along {} ({} keys)", joined(&self.terms, " or "), self.cardinality)?;
        if !self.range.is_unbounded() {
            writeln!(f, "only the keys in the requested time")?;
        }
        for probe in &self.probes {
            writeln!(f, "look each up in {} ({} keys)", joined(&probe.terms, " or "), probe.cardinality)?;
        }
        write!(f, "check on each document: {}", self.residual)
    }
}
