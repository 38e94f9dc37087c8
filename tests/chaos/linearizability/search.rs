//! The checker against a search that tries every order, on small histories made at random.

use fastrand::Rng;

use super::checker::check;
use super::history::{Answer, Event, Revision, Seen, What, Write};

/// Whether some order of the calls, each at a moment within its time, is what a store doing one thing at a time does.
fn is_possible(history: &[Event]) -> bool {
    // A rejected write does nothing, so that its moment does not matter.
    let calls: Vec<&Event> =
        history.iter().filter(|event| !matches!(event.what, What::Write { answer: Answer::Rejected, .. })).collect();
    goes_on(&calls, None)
}

fn is_unknown(event: &Event) -> bool {
    matches!(event.what, What::Write { answer: Answer::Unknown, .. })
}

fn goes_on(left: &[&Event], stored: Option<&Seen>) -> bool {
    // Unknown writes may never happen.
    if left.iter().all(|event| is_unknown(event)) {
        return true;
    }
    let first_end = left.iter().filter(|event| !is_unknown(event)).map(|event| event.end).min().unwrap();
    for (place, event) in left.iter().enumerate().filter(|(_, event)| event.start < first_end) {
        let next = match &event.what {
            What::Read(seen) if seen.as_ref() == stored => stored.cloned(),
            What::Write { write, base, .. } if *base == stored.map(|stored| stored.revision) => {
                Some(written(*write, stored))
            }
            _ => continue,
        };
        let mut others = left.to_vec();
        others.remove(place);
        if goes_on(&others, next.as_ref()) {
            return true;
        }
    }
    false
}

fn written(write: Write, stored: Option<&Seen>) -> Seen {
    let mut content = stored.map(|stored| stored.content.clone()).unwrap_or_default();
    content.push(write);
    Seen { revision: Revision { number: content.len() as u64 - 1, write }, content }
}

/// A history as a store that does one thing at a time makes it, and sometimes one thing in it changed.
fn history(random: &mut Rng) -> Vec<Event> {
    let count = random.usize(2..8);
    let mut moments: Vec<u64> = (0..3 * count as u64).collect();
    random.shuffle(&mut moments);
    // Each call begins, does what it does, and ends.
    let mut calls: Vec<[u64; 3]> = moments.chunks(3).map(|times| [times[0], times[1], times[2]]).collect();
    calls.iter_mut().for_each(|times| times.sort_unstable());
    calls.sort_by_key(|times| times[1]);

    let (mut stored, mut earlier): (Option<Seen>, Vec<Option<Seen>>) = (None, vec![None]);
    let mut events = Vec::new();
    for ([start, _, end], number) in calls.into_iter().zip(1..) {
        if random.u8(..10) < 4 {
            events.push(Event::read(number, start, end, stored.clone()));
            continue;
        }
        let write = Write::try_from(number).unwrap();
        let base = if random.u8(..10) < 7 { stored.clone() } else { earlier[random.usize(..earlier.len())].clone() };
        let is_applied = base == stored && random.u8(..10) < 8;
        let answer = match random.u8(..4) {
            0 => Answer::Unknown,
            _ if is_applied => Answer::Acknowledged,
            _ => Answer::Rejected,
        };
        let base = base.map(|base| base.revision);
        events.push(Event::write(number, start, end, write, base, answer));
        if is_applied {
            stored = Some(written(write, stored.as_ref()));
            earlier.push(stored.clone());
        }
    }
    if random.u8(..4) > 0 {
        let place = random.usize(..events.len());
        let other = earlier[random.usize(..earlier.len())].clone();
        match &mut events[place].what {
            What::Read(seen) => *seen = other,
            What::Write { answer, .. } if random.bool() => *answer = Answer::Acknowledged,
            What::Write { base, .. } => *base = other.map(|other| other.revision),
        }
    }
    // In the end, and sometimes of something else than there is.
    if random.u8(..8) == 0 {
        stored = earlier[random.usize(..earlier.len())].clone();
    }
    let end = 3 * count as u64;
    events.push(Event::read(0, end + 1, end + 2, stored));
    events
}

#[test]
fn the_checker_finds_what_a_search_finds() {
    let mut random = Rng::with_seed(7);
    let mut possible = 0;
    for case in 0..20_000 {
        let history = history(&mut random);
        let found = check(&history);
        assert_eq!(found.is_ok(), is_possible(&history), "case {case}: {found:?} of {history:#?}");
        possible += u32::from(found.is_ok());
    }
    assert!((5_000..17_000).contains(&possible), "{possible} of 20000 are possible: too few of one kind");
}
