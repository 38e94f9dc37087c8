//! The checker finds what is wrong with histories that are, and nothing in histories that are not.

use super::checker::{Violation, check};
use super::history::{Answer, Event, Revision, Seen, Write};

use Answer::{Acknowledged, Rejected, Unknown};

fn at(number: u64, write: Write) -> Option<Revision> {
    Some(Revision { number, write })
}

/// A revision whose content is as it must be when the writes are these.
fn seen(content: &[Write]) -> Option<Seen> {
    let write = *content.last().unwrap();
    Some(Seen { revision: Revision { number: content.len() as u64 - 1, write }, content: content.to_vec() })
}

fn read(client: usize, times: (u64, u64), content: &[Write]) -> Event {
    Event::read(client, times.0, times.1, if content.is_empty() { None } else { seen(content) })
}

fn write(client: usize, times: (u64, u64), write: Write, base: Option<Revision>, answer: Answer) -> Event {
    Event::write(client, times.0, times.1, write, base, answer)
}

fn created(times: (u64, u64)) -> Event {
    write(0, times, 1, None, Acknowledged)
}

#[test]
fn histories_of_a_store_that_does_one_thing_at_a_time_pass() {
    let good: &[(&str, Vec<Event>)] = &[
        ("nothing happened", vec![read(0, (1, 2), &[])]),
        (
            "one after another",
            vec![
                read(1, (1, 2), &[]),
                created((3, 4)),
                write(1, (5, 6), 2, at(0, 1), Acknowledged),
                read(0, (7, 8), &[1, 2]),
                read(9, (9, 10), &[1, 2]),
            ],
        ),
        (
            "reads beside a write see before and after",
            vec![
                created((1, 2)),
                write(1, (3, 20), 2, at(0, 1), Acknowledged),
                read(2, (4, 5), &[1]),
                read(3, (6, 7), &[1, 2]),
                read(9, (30, 31), &[1, 2]),
            ],
        ),
        (
            "the loser of two is rejected",
            vec![
                created((1, 2)),
                write(1, (3, 10), 2, at(0, 1), Acknowledged),
                write(2, (4, 9), 3, at(0, 1), Rejected),
                read(2, (4, 9), &[1, 2]),
                read(9, (30, 31), &[1, 2]),
            ],
        ),
        (
            "an unknown write took effect long after its call had ended",
            vec![
                created((1, 2)),
                write(1, (3, 4), 2, at(0, 1), Unknown),
                read(2, (5, 6), &[1]),
                read(2, (7, 8), &[1, 2]),
                read(9, (30, 31), &[1, 2]),
            ],
        ),
        (
            "an unknown write never took effect",
            vec![
                created((1, 2)),
                write(1, (3, 4), 2, at(0, 1), Unknown),
                write(2, (5, 6), 3, at(0, 1), Acknowledged),
                read(9, (30, 31), &[1, 3]),
            ],
        ),
        (
            "an unknown creation beside one that is rejected",
            vec![write(0, (1, 2), 1, None, Unknown), write(1, (3, 4), 5, None, Rejected), read(9, (30, 31), &[1])],
        ),
    ];
    for (what, history) in good {
        assert_eq!(check(history), Ok(()), "{what}");
    }
}

/// Each history, and what the checker must say of it.
#[test]
fn histories_that_cannot_be_are_found() {
    let revision = |number, write| Revision { number, write };
    let stale = |history: &[Event], call: usize, must_follow: usize| Violation::Stale {
        call: history[call].clone(),
        must_follow: history[must_follow].clone(),
    };
    let update = |times| write(1, times, 2, at(0, 1), Acknowledged);
    let last = |content: &[Write]| read(9, (90, 91), content);

    let history = vec![created((1, 2)), update((3, 4)), read(2, (5, 6), &[1]), last(&[1, 2])];
    assert_eq!(check(&history), Err(stale(&history, 1, 2)), "a read that began after a write");

    let history = vec![created((1, 2)), read(2, (3, 4), &[]), last(&[1])];
    assert!(matches!(check(&history), Err(Violation::Stale { .. })), "nothing where there was something");

    let history = vec![created((1, 2)), update((3, 4)), last(&[1])];
    assert_eq!(check(&history), Err(Violation::Lost(2)), "an acknowledged write is gone");

    let history = vec![created((1, 2)), last(&[])];
    assert_eq!(check(&history), Err(Violation::Lost(1)), "an acknowledged creation is gone");

    let history = vec![created((1, 2)), update((3, 9)), write(2, (3, 9), 3, at(0, 1), Acknowledged), last(&[1, 3])];
    assert_eq!(check(&history), Err(Violation::TwoWinners(2, 3)), "two winners");

    let history = vec![created((1, 2)), write(1, (1, 2), 7, None, Acknowledged), last(&[1])];
    assert_eq!(check(&history), Err(Violation::TwoWinners(7, 1)), "two creations");

    let history = vec![created((1, 2)), update((3, 4)), write(2, (5, 6), 3, at(0, 1), Acknowledged), last(&[1, 3])];
    assert_eq!(check(&history), Err(Violation::TwoWinners(2, 3)), "a stale writer brought back what was replaced");

    let history = vec![created((1, 2)), read(2, (3, 4), &[1, 8]), last(&[1])];
    assert_eq!(check(&history), Err(Violation::NeverWritten(revision(1, 8))), "a value that nobody wrote");

    let renumbered = Some(Seen { revision: revision(3, 2), content: vec![1, 2] });
    let history = vec![created((1, 2)), update((3, 4)), Event::read(2, 5, 6, renumbered), last(&[1, 2])];
    assert_eq!(check(&history), Err(Violation::NeverWritten(revision(3, 2))), "a revision under another number");

    let twice = Seen { revision: revision(2, 3), content: vec![1, 2, 2, 3] };
    let next = write(1, (5, 6), 3, at(1, 2), Acknowledged);
    let history = vec![created((1, 2)), update((3, 4)), next, Event::read(9, 90, 91, Some(twice.clone()))];
    let wrong = Violation::WrongContent { at: twice.revision, content: twice.content };
    assert_eq!(check(&history), Err(wrong), "applied twice");

    let history =
        vec![created((1, 2)), update((3, 20)), read(2, (4, 5), &[1, 2]), read(2, (6, 7), &[1]), last(&[1, 2])];
    let back = Violation::WentBack { client: 2, from: Some(1), to: Some(0) };
    assert_eq!(check(&history), Err(back), "going back");

    let history =
        vec![created((1, 2)), update((3, 20)), read(2, (4, 5), &[1, 2]), read(3, (6, 7), &[1]), last(&[1, 2])];
    assert!(matches!(check(&history), Err(Violation::Stale { .. })), "going back, seen by two");

    let history = vec![created((1, 2)), write(1, (3, 4), 2, at(0, 1), Rejected), read(2, (5, 6), &[1, 2]), last(&[1])];
    assert_eq!(check(&history), Err(Violation::RejectedButApplied(2)), "a rejected write was seen");

    let history = vec![created((1, 2)), write(1, (3, 4), 2, at(0, 1), Rejected), last(&[1, 2])];
    assert_eq!(check(&history), Err(Violation::RejectedButApplied(2)), "a rejected write is stored");

    let history = vec![created((1, 2)), read(2, (3, 4), &[1, 2]), update((5, 6)), last(&[1, 2])];
    assert!(matches!(check(&history), Err(Violation::Stale { .. })), "seen before it was sent");

    let unknown = write(1, (5, 6), 2, at(0, 1), Unknown);
    let history = vec![created((1, 2)), read(2, (3, 4), &[1, 2]), unknown, last(&[1, 2])];
    assert!(matches!(check(&history), Err(Violation::Stale { .. })), "an unknown write seen before it was sent");

    let overwritten = write(2, (5, 6), 3, at(0, 1), Unknown);
    let history = vec![created((1, 2)), update((3, 4)), overwritten, last(&[1, 3])];
    assert_eq!(check(&history), Err(Violation::TwoWinners(2, 3)), "an unknown write replaced an acknowledged one");

    let history = vec![created((1, 2)), read(2, (3, 4), &[1, 1]), last(&[1])];
    assert_eq!(check(&history), Err(Violation::NeverWritten(revision(1, 1))), "a creation applied as an update");
}
