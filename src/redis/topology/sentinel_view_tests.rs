//! For how long the confirmation of a primary counts, and who renews it.

use super::*;
use crate::error::Outcome;
use crate::redis::topology::samples::address;
use crate::redis::topology::sentinel::Opinion;

const LONG: Duration = Duration::from_secs(60);

fn sentinels() -> Vec<NodeAddress> {
    [1, 2, 3].map(|port| address("s", port)).into()
}

fn view() -> SentinelView {
    SentinelView::new("main", sentinels())
}

fn answered(sentinel: u16) -> (NodeAddress, Result<Opinion, StoreError>) {
    let opinion =
        Opinion { epoch: 1, primary: address("p", 1), is_failing_over: false, replicas: Vec::new(), sentinels: 3 };
    (address("s", sentinel), Ok(opinion))
}

fn late(sentinel: u16) -> (NodeAddress, Result<Opinion, StoreError>) {
    let error = StoreError::new(StoreErrorKind::DeadlineExceeded, Outcome::NotApplied, "late");
    (address("s", sentinel), Err(error))
}

fn confirmed_at(at: Instant) -> SentinelView {
    let mut view = view();
    view.conclude([1, 2, 3].map(answered).into(), 0, at, LONG, at).unwrap();
    view
}

#[test]
fn a_write_asks_first_and_others_wait_for_the_one_who_does() {
    let (mut view, now) = (view(), Instant::now());
    assert_eq!(view.inquire(Purpose::Write, now, now + LONG), Inquiry::Ask(sentinels(), Vec::new()));
    assert_eq!(view.inquire(Purpose::Write, now, now + LONG), Inquiry::Wait);
    assert_eq!(view.inquire(Purpose::Read, now, now + LONG), Inquiry::Confirmed);
    // A caller who vanished keeps nobody.
    assert!(matches!(view.inquire(Purpose::Write, now + LONG, now + 2 * LONG), Inquiry::Ask(..)));
}

#[test]
fn what_was_confirmed_counts_for_a_second_and_one_caller_renews_it_before() {
    let start = Instant::now();
    let mut view = confirmed_at(start);
    let at = |millis| start + Duration::from_millis(millis);
    assert_eq!(view.inquire(Purpose::Write, at(249), at(5_000)), Inquiry::Confirmed);
    assert!(matches!(view.inquire(Purpose::Write, at(250), at(5_000)), Inquiry::Ask(..)));
    assert_eq!(view.inquire(Purpose::Write, at(999), at(5_000)), Inquiry::Confirmed);
    assert_eq!(view.inquire(Purpose::Write, at(1_000), at(5_000)), Inquiry::Wait);

    let mut view = confirmed_at(start);
    assert_eq!(view.inquire(Purpose::Read, at(999), at(5_000)), Inquiry::Confirmed);
    assert!(matches!(view.inquire(Purpose::Read, at(1_000), at(5_000)), Inquiry::Ask(..)));
}

/// Counted from when they were asked, not from when they answered.
#[test]
fn a_slow_answer_counts_for_less() {
    let start = Instant::now();
    let mut view = view();
    let answers = [1, 2, 3].map(answered).into();
    view.conclude(answers, 0, start, LONG, start + Duration::from_millis(900)).unwrap();
    let now = start + Duration::from_millis(1_000);
    assert!(matches!(view.inquire(Purpose::Write, now, now + LONG), Inquiry::Ask(..)));
}

#[test]
fn a_failure_ends_a_confirmation_unless_that_is_new() {
    let start = Instant::now();
    let mut view = confirmed_at(start);
    view.doubt(start + Duration::from_millis(99));
    let soon = start + Duration::from_millis(100);
    assert_eq!(view.inquire(Purpose::Write, soon, soon + LONG), Inquiry::Confirmed);
    view.doubt(soon);
    assert!(matches!(view.inquire(Purpose::Write, soon, soon + LONG), Inquiry::Ask(..)));
}

/// A primary that is being replaced does not count any longer.
#[test]
fn whatever_is_wrong_ends_a_confirmation() {
    let start = Instant::now();
    let mut view = confirmed_at(start);
    let at = |millis| start + Duration::from_millis(millis);
    assert!(matches!(view.inquire(Purpose::Write, at(250), at(5_000)), Inquiry::Ask(..)));
    let error = view.conclude(vec![answered(1), late(2), late(3)], 0, at(250), LONG, at(260)).unwrap_err();
    assert_eq!(view.inquire(Purpose::Write, at(261), at(5_000)), Inquiry::Unknown(error.problem));
}

#[test]
fn without_a_majority_writes_end_and_reads_go_on_and_neither_asks_all_the_time() {
    let start = Instant::now();
    let mut view = view();
    let error = view.conclude(vec![answered(1), late(2), late(3)], 0, start, LONG, start).unwrap_err();
    let at = |millis| start + Duration::from_millis(millis);
    assert_eq!(view.inquire(Purpose::Write, at(99), at(5_000)), Inquiry::Unknown(error.problem));
    assert_eq!(view.inquire(Purpose::Read, at(999), at(5_000)), Inquiry::Confirmed);
    assert!(matches!(view.inquire(Purpose::Write, at(100), at(5_000)), Inquiry::Ask(..)));
}

#[test]
fn who_did_not_answer_is_asked_again_later_and_before_that_only_if_the_others_are_too_few() {
    let start = Instant::now();
    let mut view = view();
    view.conclude(vec![late(1), answered(2), answered(3)], 0, start, LONG, start).unwrap();
    let soon = start + CONFIRMED_FOR;
    let expected = Inquiry::Ask(vec![address("s", 2), address("s", 3)], vec![address("s", 1)]);
    assert_eq!(view.inquire(Purpose::Write, soon, soon), expected);
    let later = start + LEFT_OUT_FOR;
    let expected = Inquiry::Ask([2, 3, 1].map(|port| address("s", port)).into(), Vec::new());
    assert_eq!(view.inquire(Purpose::Write, later, later), expected);
    view.conclude([1, 2, 3].map(answered).into(), 0, later, LONG, later).unwrap();
    let later = later + CONFIRMED_FOR;
    assert_eq!(view.inquire(Purpose::Write, later, later), Inquiry::Ask(sentinels(), Vec::new()));
}

/// A call that is nearly over, and has too little time to learn anything.
#[test]
fn who_asks_in_a_hurry_leaves_what_others_know() {
    let start = Instant::now();
    let mut view = confirmed_at(start);
    let soon = start + CONFIRMED_SOON;
    assert!(matches!(view.inquire(Purpose::Write, soon, soon + LONG), Inquiry::Ask(..)));
    let all = || [1, 2, 3].map(late).into();
    view.conclude(all(), 0, soon, Duration::from_millis(199), soon).unwrap_err();
    assert_eq!(view.inquire(Purpose::Write, soon, soon), Inquiry::Ask(sentinels(), Vec::new()));

    let known = view.conclude(vec![answered(1), late(2), late(3)], 0, soon, LONG, soon).unwrap_err();
    let hurried = view.conclude(all(), 0, soon, Duration::ZERO, soon).unwrap_err();
    assert_eq!(hurried.problem, known.problem);
}
