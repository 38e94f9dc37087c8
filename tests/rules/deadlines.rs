//! A pending request's own deadline, and dates that have passed when they are set.

use std::time::Duration;

use mutator_governance::workflow::{
    Command, Failure, StaleStrategy, apply as apply_at, decidable_by, due_command, explain, resolve,
};
use mutator_governance::{
    ApprovalError, ClaimId, Error, MutationRequest, Pending, PendingReason, RequestState, StateVersion, Status,
    Timestamp,
};

use crate::support::{
    apply, approval, approval_error, at, draft, file_with, grant, history, id, in_status, rule, submit, try_apply,
    user, user_because,
};

fn until(reason: PendingReason, seconds: u64) -> Pending {
    Pending { reason, expires_at: Some(at(seconds)) }
}

fn version() -> StateVersion {
    StateVersion::new("v1").unwrap()
}

/// What moves a pending request on, or would if it were approved.
fn moving_on() -> Vec<Command> {
    let by = || user_because("alice", "as agreed");
    let claim = ClaimId::from_bytes([1; 16]);
    vec![
        Command::approve_requirement(by(), approval("approval-1")),
        Command::reject_requirement(by(), approval("approval-1"), None),
        Command::approve_request(by()),
        Command::hold(by(), PendingReason::Quota),
        Command::request_approvals(by(), None),
        Command::override_approvals(by()),
        Command::expire_approvals(by()),
        Command::resolve(by(), version(), StaleStrategy::RejectStale),
        Command::claim(by(), claim, Duration::from_mins(1)),
    ]
}

#[test]
fn from_its_own_deadline_on_a_pending_request_only_ends() {
    let needing = || draft().requires_approval(rule("alice").expiring_at(at(50)));
    let table = [
        submit(needing().waiting_for(until(PendingReason::Approval, 60))),
        submit(needing().waiting_for(until(PendingReason::Schedule, 60))),
        submit(draft().waiting_for(until(PendingReason::Quota, 60))),
    ];
    for request in table {
        for command in moving_on() {
            let error = try_apply(&request, &command, 60).unwrap_err();
            assert!(
                matches!(&error, Error::DeadlinePassed { id, deadline, .. } if (id, *deadline) == (&request.id, at(60)))
            );
            assert!(error.to_string().contains("2026-01-01T00:01:00Z"), "{error}");
        }
        let by = user("executor");
        let error = resolve(request.clone(), &version(), StaleStrategy::RejectStale, &by, at(60)).unwrap_err();
        assert!(matches!(error, Error::DeadlinePassed { .. }), "{error}");
        // An executor who comes too late learns that it has lost its claim, as ever.
        let failed = Command::fail(by, ClaimId::from_bytes([1; 16]), Failure::new("late"), Default::default());
        assert!(matches!(try_apply(&request, &failed, 60).unwrap_err(), Error::Execution { .. }));

        let by = || user("operator");
        for (command, status) in [
            (Command::cancel(by()), Status::Canceled),
            (Command::expire(by()), Status::Expired),
            (Command::supersede(by(), id("next")), Status::Superseded),
            (Command::reject_request(by()), Status::Rejected),
        ] {
            assert_eq!(apply(&request, &command, 60).state.status(), status);
        }
        let expired = apply(&request, &due_command(&request, by(), at(60)).unwrap(), 60);
        assert_eq!(expired.state, RequestState::Expired);
    }
}

#[test]
fn a_deadline_binds_at_its_microsecond_and_not_before() {
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(until(PendingReason::Approval, 60)));
    let just_before = at(60).saturating_sub(Duration::from_micros(1));
    let alice = Command::approve_requirement(user("alice"), approval("approval-1"));
    let decidable = |now: Timestamp| {
        let ids = |approvals: Vec<&mutator_governance::Approval>| approvals.len();
        let explained = explain(&request, now);
        assert_eq!(explained.decidable_by(&user("alice")).len(), ids(decidable_by(&request, &user("alice"), now)));
        (ids(decidable_by(&request, &user("alice"), now)), explained.active_step.is_some())
    };
    assert_eq!(decidable(just_before), (1, true));
    assert_eq!(apply_at(request.clone(), &alice, just_before).unwrap().state, RequestState::Approved);
    assert_eq!(decidable(at(60)), (0, false));
    assert!(apply_at(request.clone(), &alice, at(60)).is_err());
    assert!(explain(&request, at(60)).demands.iter().all(|demand| demand.open.is_empty()));
}

#[test]
fn what_was_approved_in_time_has_no_deadline_any_more() {
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(until(PendingReason::Approval, 60)));
    let approved = [
        grant(&request, "alice", "approval-1", 59),
        apply(&request, &Command::override_approvals(user_because("oncall", "it burns")), 59),
    ];
    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_mins(1));
    for request in approved {
        assert!(apply(&request, &claim, 99).execution.claim.is_some());
    }
}

#[test]
fn a_renewed_request_has_the_deadlines_of_its_approvals_and_none_of_its_own() {
    let needing = draft().requires_approval(rule("alice").expiring_at(at(50))).for_version(version());
    let request = submit(needing.waiting_for(until(PendingReason::Approval, 60)));
    let approved = grant(&request, "alice", "approval-1", 10);
    let newer =
        Command::resolve(user("executor"), StateVersion::new("v2").unwrap(), StaleStrategy::RequireRenewedApproval);
    let renewed = apply(&approved, &newer, 100);
    assert_eq!(renewed.state, RequestState::Pending(Pending::from(PendingReason::Approval)));
    assert_eq!(renewed.approvals[0].expires_at, Some(at(150)), "as long as it had at first");
    assert_eq!(grant(&renewed, "alice", "approval-1", 149).state, RequestState::Approved);
}

#[test]
fn a_date_that_has_passed_when_it_is_set_is_rejected() {
    let by = || user("scheduler");
    let waiting = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let created = in_status(Status::Created);
    let table = [
        (&waiting, Command::request_approvals(by(), Some(at(30)))),
        (&created, Command::hold(by(), until(PendingReason::Quota, 30))),
    ];
    for (request, command) in table {
        let error = try_apply(request, &command, 30).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert!(error.to_string().contains("2026-01-01T00:00:30Z has passed"), "{error}");
        assert!(try_apply(request, &command, 29).is_ok());
    }
    let too_late =
        submit(draft().requires_approval(rule("alice").expiring_at(at(30))).waiting_for(PendingReason::Schedule));
    let ask = Command::request_approvals(by(), None);
    let expected = ApprovalError::Expired { approval: approval("approval-1"), expired_at: at(30) };
    assert_eq!(approval_error(try_apply(&too_late, &ask, 30).unwrap_err()), expected);
    assert!(try_apply(&too_late, &ask, 29).is_ok());
}

fn times(request: &MutationRequest) -> Vec<Timestamp> {
    request.decisions.iter().map(|decision| decision.at).collect()
}

#[test]
fn a_clock_that_was_set_back_dates_nothing_before_what_it_follows() {
    let request = file_with([rule("alice"), rule("bob").expiring_at(at(100))]);
    let ahead = grant(&request, "alice", "approval-1", 10);
    let behind = grant(&ahead, "bob", "approval-2", 5);
    assert!(times(&behind).is_sorted(), "{:?}", times(&behind));
    let after = at(10).saturating_add(Duration::from_micros(1));
    assert_eq!((behind.decisions.last().unwrap().at, behind.updated_at), (after, after));
    assert_eq!(behind.approvals[1].state.verdict().unwrap().at, after, "all of a decision has one time");

    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_mins(1));
    let claimed = apply(&behind, &claim, 6);
    let held = claimed.execution.claim.as_ref().unwrap();
    assert_eq!(
        held.lease_ends_at,
        held.at.saturating_add(Duration::from_mins(1)),
        "the lease is as long as it was asked for"
    );
    assert!(times(&claimed).is_sorted() && times(&claimed).last() > Some(&after), "and so it goes on");
    assert_eq!(history(&claimed, 3).len(), 4);
}

/// By its history it is later than the clock says, and by that deadlines are judged: nothing is granted after the end that it
/// is recorded before.
#[test]
fn deadlines_and_history_agree_although_the_clock_was_set_back() {
    let request = file_with([rule("alice").at_step(mutator_governance::Step::FIRST), rule("bob").expiring_at(at(20))]);
    let ahead = grant(&request, "alice", "approval-1", 30);
    let bob = Command::approve_requirement(user("bob"), approval("approval-2"));
    assert!(matches!(approval_error(try_apply(&ahead, &bob, 15).unwrap_err()), ApprovalError::Expired { .. }));
    assert!(decidable_by(&ahead, &user("bob"), at(15)).is_empty());
    assert!(explain(&ahead, at(15)).decidable_by(&user("bob")).is_empty());
    assert!(explain(&ahead, at(15)).now > at(30));
}
