//! How a query is read: the planner.

use std::collections::BTreeSet;
use std::fmt;

use super::{ChosenIndexes, Condition, Dimension, KeyLayout, KeyRange, Term};
use crate::query::{Query, SortDirection, joined};
use crate::request::{IdComparison, PendingReason, RequestId, Status};

/// More terms than this are not worth a look-up each for every row: the request itself is checked instead.
const MAX_PROBED_TERMS: usize = 16;

/// How the rows of a query are found. Prints as the answer to "why does this query take so long?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<Q> {
    /// Read the requests that the query names, each by its key, and sort their rows.
    ByIds {
        /// The requests.
        ids: BTreeSet<RequestId>,
        /// All that is asked; checked on the requests themselves.
        query: Q,
    },
    /// Read along indexes.
    Along(Along<Q>),
}

/// What is read along, what every row of it is looked up in, and what is checked on the request itself.
///
/// A row belongs to the result exactly when its key lies in the range, one of the terms holds it, every probe holds it, and the
/// residual query matches it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Along<Q> {
    /// What is read along: the keys of these terms, merged in the order of the query; a key that several of them hold counts
    /// once. There is at least one term, and all are of one key layout.
    ///
    /// When that is `Created` and the query asks for approvals, each key stands for all rows of its request.
    pub terms: BTreeSet<Term>,
    /// How many keys they hold, one by one.
    pub cardinality: u64,
    /// What each row has to be in as well: in one of the terms of every condition. Cheapest first.
    pub probes: Vec<Probe>,
    /// The stretch of their keys that is read.
    pub range: KeyRange,
    /// From which end it is read.
    pub direction: SortDirection,
    /// What no index has answered; checked on the request itself.
    pub residual: Q,
}

/// A condition that every row read along is looked up in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The terms, of which one has to hold the row: by the row's own key when the layouts are the same, else by
    /// [`KeyLayout::request_key`].
    pub terms: BTreeSet<Term>,
    /// How many keys they hold, one by one.
    pub cardinality: u64,
}

/// The plan that reads along the cheapest condition: the one whose terms hold the fewest keys.
///
/// `ids` is the rule of the store whose indexes are read. `cardinality` tells how many keys a term holds; it need not be exact.
/// Any plan gives the same rows, a bad one later.
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
    // Where both hold the same number of keys, the condition answers more than the base.
    let cheapest = conditions.iter().position(|(total, condition)| can_drive(condition, Q::LAYOUT) && *total <= base.0);
    let (total, driving) = cheapest.map_or(base, |place| conditions.remove(place));
    match query.ids() {
        Some(ids) if ids.len() as u64 <= total => Plan::ByIds { ids: ids.clone(), query: query.clone() },
        _ => Plan::Along(along(query, total, driving, conditions)),
    }
}

#[cfg(feature = "redis")]
impl<Q: Query> Along<Q> {
    /// How the keys that are read along are laid out.
    pub(crate) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }

    /// The one term and range that hold exactly the rows, when counting them is counting its keys.
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
    /// How the keys that it looks up are laid out.
    pub(crate) fn layout(&self) -> KeyLayout {
        layout_of(&self.terms)
    }
}

/// How the keys of these terms, which are of one layout, are laid out.
pub(super) fn layout_of(terms: &BTreeSet<Term>) -> KeyLayout {
    terms.first().map_or(KeyLayout::Created, |term| term.dimension.layout())
}

/// `others` are in the order in which they are to be probed.
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

/// Rows are read along an index of their own layout; those of approvals along requests too, because their orders agree.
fn can_drive(condition: &Condition, rows: KeyLayout) -> bool {
    let layout = condition.layout();
    layout == rows || (rows == KeyLayout::Approval && layout == KeyLayout::Created)
}

/// Every row can be looked up under its own key and under that of its request.
fn can_probe(condition: &Condition, driver: KeyLayout) -> bool {
    let layout = condition.layout();
    let is_row_or_request = layout == driver || layout == KeyLayout::Created;
    is_row_or_request && !condition.only_drives && condition.terms.len() <= MAX_PROBED_TERMS
}

/// An index of open approvals holds only those of requests that are pending for approval, and an index of pending requests
/// only pending ones.
fn is_implied(terms: &BTreeSet<Term>, driving: &BTreeSet<Term>, driver: KeyLayout) -> bool {
    let is_of_pending = |term: &Term| matches!(term.dimension, Dimension::PendingReason | Dimension::PendingOfState);
    let waits_for_approval = driver == KeyLayout::Approval;
    let is_pending = waits_for_approval || driving.iter().all(is_of_pending);
    (is_pending && terms.contains(&Term::status(Status::Pending)))
        || (waits_for_approval && terms.contains(&Term::pending_reason(PendingReason::Approval)))
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
            writeln!(f, "only the keys of the time asked for")?;
        }
        for probe in &self.probes {
            writeln!(f, "look each up in {} ({} keys)", joined(&probe.terms, " or "), probe.cardinality)?;
        }
        write!(f, "check on each document: {}", self.residual)
    }
}
