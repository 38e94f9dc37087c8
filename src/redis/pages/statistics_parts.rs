//! Statistics, put together from the counts of indexes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::index::{Dimension, KeyRange, ReadyTerm, SortKey, Term};
use crate::query::Statistics;
use crate::request::{PendingReason, Status, Timestamp};

/// The counts of one partition for [`Statistics`]: the pending requests first, because their first key gives the
/// oldest.
pub(crate) struct StatisticsParts {
    parts: Vec<(Part, Term, KeyRange)>,
}

#[derive(Clone, Copy)]
enum Part {
    At(Status),
    WaitingFor(PendingReason),
    /// Requests that wait for approval although their own deadline has passed.
    Undecidable,
    /// Requests by when they become ready, or when the lease of their claim ends.
    Ready,
    /// Those among the ready whose validity has ended.
    ReadyNoLonger,
    Claimed,
    Failing,
    DueWithin(Duration),
}

impl StatisticsParts {
    pub(crate) fn new(now: Timestamp, due_within: &[Duration]) -> Self {
        let others = Status::ALL.into_iter().filter(|status| *status != Status::Pending);
        let statuses = std::iter::once(Status::Pending).chain(others);
        let whole = |part, term| (part, term, KeyRange::ALL);
        let due = |duration: Duration| {
            let range = KeyRange::due_by(now.saturating_add(duration));
            (Part::DueWithin(duration), Term::whole(Dimension::Due), range)
        };
        let parts = statuses.map(|status| whole(Part::At(status), Term::status(status)));
        let parts = parts
            .chain(PendingReason::ALL.into_iter().map(|why| whole(Part::WaitingFor(why), Term::pending_reason(why))));
        let overdue = KeyRange::due_by(now);
        let undecidable = (Part::Undecidable, Term::whole(Dimension::DecisionDeadline), overdue);
        // A duration given twice counts once.
        let durations: BTreeSet<Duration> = due_within.iter().copied().collect();
        let ready = [
            (Part::Ready, ready_term(ReadyTerm::Open), KeyRange::due_by(now)),
            (Part::Ready, ready_term(ReadyTerm::Claimed), KeyRange::due_by(now)),
            (Part::ReadyNoLonger, ready_term(ReadyTerm::Ended), KeyRange::due_by(now)),
            (Part::Claimed, ready_term(ReadyTerm::Claimed), KeyRange::due_after(now)),
            (Part::Failing, ready_term(ReadyTerm::Failing), KeyRange::ALL),
        ];
        Self { parts: parts.chain([undecidable]).chain(ready).chain(durations.into_iter().map(due)).collect() }
    }

    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&Term, &KeyRange)> {
        self.parts.iter().map(|(_, term, range)| (term, range))
    }

    /// The statistics of a partition from these sizes and the first key of the first index.
    pub(crate) fn read(&self, (sizes, first): &(Vec<u64>, Option<SortKey>)) -> Statistics {
        let oldest_pending = first.as_ref().and_then(SortKey::created_time);
        let mut statistics = Statistics { oldest_pending, ..Statistics::default() };
        let (mut undecidable, mut no_longer) = (0, 0);
        for ((part, _, _), size) in self.parts.iter().zip(sizes.iter().copied()) {
            let sum = match part {
                Part::DueWithin(duration) => statistics.due_within.entry(*duration).or_default(),
                Part::At(status) if size > 0 => statistics.by_status.entry(*status).or_default(),
                Part::WaitingFor(why) if size > 0 => statistics.by_pending_reason.entry(*why).or_default(),
                Part::Undecidable => &mut undecidable,
                Part::Ready => &mut statistics.ready,
                Part::ReadyNoLonger => &mut no_longer,
                Part::Claimed => &mut statistics.claimed,
                Part::Failing => &mut statistics.failing,
                Part::At(_) | Part::WaitingFor(_) => continue,
            };
            *sum = size.saturating_add(*sum);
        }
        let awaiting = statistics.by_pending_reason.get(&PendingReason::Approval).copied().unwrap_or_default();
        statistics.ready = statistics.ready.saturating_sub(no_longer);
        statistics.decidable = awaiting.saturating_sub(undecidable);
        statistics
    }
}

pub(crate) fn ready_term(term: ReadyTerm) -> Term {
    Term::new(Dimension::Ready, term.as_str())
}
