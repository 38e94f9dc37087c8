use std::collections::BTreeSet;
use std::fmt;

use super::conditions::Condition;
use super::request_text::joined;
use super::{Dimension, IndexedMetadata, KeyLayout, KeyRange, Query, SortDirection, Term};
use crate::request::{IdComparison, PendingReason, RequestId, Status};

/// More terms than this are not worth a look-up each for every row: the request itself is checked instead.
const MAX_PROBED_TERMS: usize = 16;

/// How the rows of a query are found: what is read along, what every row of it is looked up in, and what is checked on
/// the request itself.
///
/// A row belongs to the result exactly when its key lies in the range, the driver holds it, every probe holds it, and the
/// residual query matches it. Prints as the answer to "why does this query take so long?".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan<Q> {
    /// What is read along, in the order of the query.
    pub driver: Driver,
    /// What each row has to be in as well: in one of the terms of every condition. Cheapest first.
    pub probes: Vec<Probe>,
    /// The stretch of the driver's keys that is read.
    pub range: KeyRange,
    /// From which end it is read.
    pub direction: SortDirection,
    /// What no index has answered; checked on the request itself.
    pub residual: Q,
}

/// What a plan reads along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Driver {
    /// These requests, each by its key; their rows are then sorted.
    Requests(BTreeSet<RequestId>),
    /// The keys of these terms, merged in order; a key that several of them hold counts once.
    ///
    /// When their layout is `Created` and the query asks for approvals, each key stands for all rows of its request.
    Terms {
        /// The terms, all of one key layout.
        terms: BTreeSet<Term>,
        /// How many keys they hold, one by one.
        cardinality: u64,
    },
}

/// A condition that every row of the driver is looked up in.
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
/// `ids` is the rule of the store whose indexes are read. `cardinality` tells how many keys a term holds; it need not be exact. Any plan gives the same rows, a bad one later.
pub fn plan<Q: Query>(
    query: &Q,
    indexed: &IndexedMetadata,
    ids: IdComparison,
    cardinality: impl Fn(&Term) -> u64,
) -> Plan<Q> {
    let sized = |condition: Condition| {
        let condition = condition.comparing(ids);
        let total = condition.terms.iter().map(&cardinality).fold(0, u64::saturating_add);
        (total, condition)
    };
    let mut conditions: Vec<_> = query.conditions(indexed).into_iter().map(sized).collect();
    conditions.sort_by_key(|(total, _)| *total);

    let base = sized(query.base());
    // Where both hold the same number of keys, the condition answers more than the base.
    let cheapest = conditions.iter().position(|(total, condition)| can_drive(condition, Q::LAYOUT) && *total <= base.0);
    let (total, driving) = cheapest.map_or(base, |place| conditions.remove(place));
    match query.ids() {
        Some(ids) if ids.len() as u64 <= total => Plan {
            driver: Driver::Requests(ids.clone()),
            probes: Vec::new(),
            range: KeyRange::default(),
            direction: query.direction(),
            residual: query.clone(),
        },
        _ => along(query, total, driving, conditions),
    }
}

#[cfg(feature = "redis")]
impl<Q: Query> Plan<Q> {
    /// The one term and range that hold exactly the rows, when counting them is counting its keys.
    pub(crate) fn single_range(&self) -> Option<(&Term, &KeyRange)> {
        match &self.driver {
            Driver::Terms { terms, .. }
                if terms.len() == 1 && self.probes.is_empty() && self.leaves_nothing_to_check() =>
            {
                terms.first().map(|term| (term, &self.range))
            }
            _ => None,
        }
    }

    /// Whether driver, range and probes answer the whole query.
    pub(crate) fn leaves_nothing_to_check(&self) -> bool {
        let reads_along = matches!(self.driver, Driver::Terms { .. });
        reads_along && self.residual.is_without_filters()
    }
}

/// `others` are in the order in which they are to be probed.
fn along<Q: Query>(query: &Q, cardinality: u64, driving: Condition, others: Vec<(u64, Condition)>) -> Plan<Q> {
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
        if !goes_without_saying(&condition.terms, &driving.terms, layout) {
            probes.push(Probe { terms: condition.terms, cardinality });
        }
    }
    let range = query.range().map(|(range, filter)| {
        answered.push(filter);
        range
    });
    Plan {
        driver: Driver::Terms { terms: driving.terms, cardinality },
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
fn goes_without_saying(terms: &BTreeSet<Term>, driving: &BTreeSet<Term>, driver: KeyLayout) -> bool {
    let is_of_pending = |term: &Term| matches!(term.dimension, Dimension::PendingReason | Dimension::PendingOfState);
    let waits_for_approval = driver == KeyLayout::Approval;
    let is_pending = waits_for_approval || driving.iter().all(is_of_pending);
    (is_pending && terms.contains(&Term::status(Status::Pending)))
        || (waits_for_approval && terms.contains(&Term::pending_reason(PendingReason::Approval)))
}

impl<Q: fmt::Display> fmt::Display for Plan<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.driver {
            Driver::Requests(ids) => writeln!(f, "read {} request(s) by id, then sort", ids.len())?,
            Driver::Terms { terms, cardinality } => {
                writeln!(f, "read along {} ({cardinality} keys)", joined(terms, " or "))?;
            }
        }
        if !self.range.is_unbounded() {
            writeln!(f, "only the keys of the time asked for")?;
        }
        for probe in &self.probes {
            writeln!(f, "look each up in {} ({} keys)", joined(&probe.terms, " or "), probe.cardinality)?;
        }
        write!(f, "check on each document: {}", self.residual)
    }
}
