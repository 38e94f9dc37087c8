//! Whether a history of one request could have come from a store that does one thing at a time.
//!
//! In general that is a search. Here it is not: a revision names the one it replaces, and numbers are dense, so what is
//! stored in the end tells every write that was ever applied and their order. What is left is whether that order fits the
//! times of the calls. Calls have an order as soon as each is given its place among the revisions: a write at the one it
//! makes, a read behind the one it saw. Such an order has a moment for each call within its time exactly when no call
//! ended before one that comes earlier in it began.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Answer, Event, Revision, Seen, What, Write};

/// What a store that does one thing at a time would not have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Something was seen that nobody wrote, or a revision under another number than its write makes.
    NeverWritten(Revision),
    /// A write that was told not to have been applied is stored or was seen.
    RejectedButApplied(Write),
    /// A write that was acknowledged is not among the revisions, and no other took its place.
    Lost(Write),
    /// Two writes were acknowledged, or seen, that replace the same revision.
    TwoWinners(Write, Write),
    /// The content does not hold each write up to its revision once, in order.
    WrongContent { at: Revision, content: Vec<Write> },
    /// What the client saw is older than what it had seen.
    WentBack { client: usize, from: Option<u64>, to: Option<u64> },
    /// This call ended before another began that must have come before it: what it saw, or did, was out of date.
    Stale { call: Event, must_follow: Event },
}

/// Checks a history whose last event is a read of what is stored when nothing is under way any more.
pub fn check(history: &[Event]) -> Result<(), Violation> {
    let Some(Event { what: What::Read(last), .. }) = history.last() else {
        panic!("a history ends with a read of what is stored");
    };
    let writes = writes_of(history);
    let chain = chain_to(last.as_ref(), &writes)?;
    check_answers(&writes, &chain)?;
    for event in history {
        if let What::Read(Some(seen)) = &event.what {
            check_seen(seen, &chain, &writes)?;
        }
    }
    check_each_client(history)?;
    check_times(history, &chain)
}

struct Sent {
    base: Option<Revision>,
    answer: Answer,
}

impl Sent {
    fn number(&self) -> u64 {
        self.base.map_or(0, |base| base.number + 1)
    }
}

fn writes_of(history: &[Event]) -> BTreeMap<Write, Sent> {
    let mut writes = BTreeMap::new();
    for event in history {
        if let What::Write { write, base, answer } = event.what {
            let earlier = writes.insert(write, Sent { base, answer });
            assert!(earlier.is_none(), "write {write} is in the history twice");
        }
    }
    writes
}

/// The writes that led to what is stored in the end, by revision number.
fn chain_to(last: Option<&Seen>, writes: &BTreeMap<Write, Sent>) -> Result<Vec<Write>, Violation> {
    let mut chain = Vec::new();
    let mut at = last.map(|seen| seen.revision);
    while let Some(revision) = at {
        let sent = writes.get(&revision.write).filter(|sent| sent.number() == revision.number);
        at = sent.ok_or(Violation::NeverWritten(revision))?.base;
        chain.push(revision.write);
    }
    chain.reverse();
    Ok(chain)
}

fn check_answers(writes: &BTreeMap<Write, Sent>, chain: &[Write]) -> Result<(), Violation> {
    let stored: BTreeSet<Write> = chain.iter().copied().collect();
    for (&write, sent) in writes {
        match (sent.answer, stored.contains(&write)) {
            (Answer::Rejected, true) => return Err(Violation::RejectedButApplied(write)),
            (Answer::Acknowledged, false) => return Err(missing(write, sent, chain)),
            _ => {}
        }
    }
    Ok(())
}

/// Why a write that must be there is not.
fn missing(write: Write, sent: &Sent, chain: &[Write]) -> Violation {
    let place = usize::try_from(sent.number()).unwrap_or(usize::MAX);
    let before = place.checked_sub(1).and_then(|before| chain.get(before));
    match chain.get(place) {
        Some(&other) if before == sent.base.map(|base| base.write).as_ref() => Violation::TwoWinners(write, other),
        _ => Violation::Lost(write),
    }
}

fn check_seen(seen: &Seen, chain: &[Write], writes: &BTreeMap<Write, Sent>) -> Result<(), Violation> {
    let Seen { revision, content } = seen;
    let Some(sent) = writes.get(&revision.write).filter(|sent| sent.number() == revision.number) else {
        return Err(Violation::NeverWritten(*revision));
    };
    let place = usize::try_from(revision.number).unwrap_or(usize::MAX);
    if chain.get(place) != Some(&revision.write) {
        let rejected = sent.answer == Answer::Rejected;
        return Err(if rejected {
            Violation::RejectedButApplied(revision.write)
        } else {
            missing(revision.write, sent, chain)
        });
    }
    if content[..] != chain[..=place] {
        return Err(Violation::WrongContent { at: *revision, content: content.clone() });
    }
    Ok(())
}

/// The number that a call is about: the one it saw, or the one it is known to have made.
fn number_of(event: &Event) -> Option<Option<u64>> {
    match &event.what {
        What::Read(seen) => Some(seen.as_ref().map(|seen| seen.revision.number)),
        What::Write { base, answer: Answer::Acknowledged, .. } => Some(Some(base.map_or(0, |base| base.number + 1))),
        What::Write { .. } => None,
    }
}

/// A client that does one thing after another never sees less than it saw.
fn check_each_client(history: &[Event]) -> Result<(), Violation> {
    let mut calls: Vec<&Event> = history.iter().collect();
    calls.sort_by_key(|event| event.start);
    let mut known: BTreeMap<usize, (Option<u64>, u64)> = BTreeMap::new();
    for event in calls {
        let Some(number) = number_of(event) else { continue };
        if let Some(&(from, ended)) = known.get(&event.client)
            && ended < event.start
            && number < from
        {
            return Err(Violation::WentBack { client: event.client, from, to: number });
        }
        known.insert(event.client, (number, event.end));
    }
    Ok(())
}

fn check_times(history: &[Event], chain: &[Write]) -> Result<(), Violation> {
    let stored: BTreeSet<Write> = chain.iter().copied().collect();
    // Reads of nothing, the creation, reads of revision 0, the first update, …
    let place = |event: &Event| match &event.what {
        What::Read(None) => Some(0),
        What::Read(Some(seen)) => Some(2 * seen.revision.number + 2),
        What::Write { write, base, .. } => {
            stored.contains(write).then(|| base.map_or(1, |base| 2 * (base.number + 1) + 1))
        }
    };
    let mut placed: Vec<(u64, &Event)> = history.iter().filter_map(|event| Some((place(event)?, event))).collect();
    placed.sort_by_key(|(place, event)| (*place, event.start));
    let mut latest: Option<&Event> = None;
    for group in placed.chunk_by(|one, other| one.0 == other.0) {
        for (_, event) in group {
            // Of what is not known when it took effect, only that it was sent.
            let is_open = matches!(event.what, What::Write { answer: Answer::Unknown, .. });
            if let Some(before) = latest.filter(|before| !is_open && event.end < before.start) {
                return Err(Violation::Stale { call: (*event).clone(), must_follow: before.clone() });
            }
        }
        latest = group.iter().map(|(_, event)| *event).chain(latest).max_by_key(|event| event.start);
    }
    Ok(())
}
