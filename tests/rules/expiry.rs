//! Deadlines that have passed.

use mutator_governance::workflow::{Action, Command, due_command, is_due, next_deadline};
use mutator_governance::{ActorContext, ApprovalStatus, Error, Pending, PendingReason, RequestState};

use crate::support::{apply, at, draft, file_with, grant, history, quorum, rule, submit, try_apply};

fn sweep(request: &mutator_governance::MutationRequest, seconds: u64) -> mutator_governance::MutationRequest {
    apply(request, &Command::expire_approvals(ActorContext::system()), seconds)
}

#[test]
fn the_next_deadline_is_the_earliest_of_request_and_open_approvals() {
    let until = |reason, seconds| Pending { reason, expires_at: Some(at(seconds)) };
    let rules = || draft().requires_approval(rule("alice").expiring_at(at(50))).requires_approval(rule("bob"));
    let table = [
        ("nothing ends", submit(draft()), None),
        ("itself", submit(draft().waiting_for(until(PendingReason::Quota, 30))), Some(at(30))),
        ("an approval", submit(rules()), Some(at(50))),
        ("itself first", submit(rules().waiting_for(until(PendingReason::Approval, 30))), Some(at(30))),
        ("an approval first", submit(rules().waiting_for(until(PendingReason::Approval, 70))), Some(at(50))),
        (
            "approvals do not count while it waits for its time",
            submit(rules().waiting_for(PendingReason::Schedule)),
            None,
        ),
        ("a decided approval", grant(&submit(rules()), "alice", "approval-1", 1), None),
        ("an approved request", grant(&file_with([rule("alice").expiring_at(at(50))]), "alice", "approval-1", 1), None),
    ];
    for (case, request, deadline) in table {
        assert_eq!(next_deadline(&request), deadline, "{case}");
        if let Some(deadline) = deadline {
            assert!(is_due(&request, deadline), "{case}");
            assert!(!is_due(&request, deadline.saturating_sub(std::time::Duration::from_micros(1))), "{case}");
        } else {
            assert!(!is_due(&request, mutator_governance::Timestamp::MAX), "{case}");
        }
    }
}

#[test]
fn what_is_due_is_expired_by_one_command_and_the_request_goes_before_its_approvals() {
    let pending = Pending { reason: PendingReason::Approval, expires_at: Some(at(50)) };
    let request = submit(draft().requires_approval(rule("alice").expiring_at(at(40))).waiting_for(pending));
    let action = |seconds| due_command(&request, ActorContext::system(), at(seconds)).map(|command| command.action);
    assert_eq!(action(39), None);
    assert_eq!(action(40), Some(Action::ExpireApprovals));
    assert_eq!(action(50), Some(Action::Expire));
    let expired = apply(&request, &due_command(&request, ActorContext::system(), at(50)).unwrap(), 50);
    assert_eq!(history(&expired, 3), ["Lifecycle/Expired"]);
    assert_eq!(due_command(&expired, ActorContext::system(), at(50)), None);
}

#[test]
fn an_ungrouped_expiry_rejects_the_request() {
    let request = file_with([rule("alice"), rule("bob").expiring_at(at(40))]);
    let request = sweep(&request, 40);
    assert_eq!(history(&request, 3), ["Approval/Expired", "Lifecycle/Rejected"]);
    assert_eq!(request.state, RequestState::Rejected);
    assert_eq!(request.approvals[1].state.status(), ApprovalStatus::Expired);
    let cause = request.approvals[1].state.cause().unwrap();
    assert_eq!((&*cause.by, cause.at), (&ActorContext::system(), at(40)), "who swept it");
    assert_eq!(cause.reason, Some(format!("not decided by {}", at(40))));
    assert_eq!(
        request.decisions.last().unwrap().reason.as_deref(),
        Some("approval approval-2 was not decided in time")
    );
    assert_eq!(request.updated_at, at(40));
}

#[test]
fn a_grouped_expiry_rejects_only_when_it_makes_the_quorum_impossible() {
    let step = mutator_governance::Step::FIRST;
    let member = |name: &str, seconds| quorum("security", 1, &[name]).at_step(step).expiring_at(at(seconds));
    let request = file_with([member("bob", 40), member("carol", 60)]);
    let one = sweep(&request, 40);
    assert_eq!(history(&one, 3), ["Approval/Expired"]);
    assert!(one.state.awaits_approval(), "carol can still grant");
    assert_eq!(grant(&one, "carol", "approval-2", 59).state, RequestState::Approved);
    assert_eq!(history(&sweep(&one, 60), 4), ["Approval/Expired", "Lifecycle/Rejected"]);
    assert_eq!(history(&sweep(&request, 60), 3), ["Approval/Expired", "Approval/Expired", "Lifecycle/Rejected"]);
}

/// Rules alice, then bob until 40 s; nobody has swept when alice grants.
#[test]
fn a_grant_after_another_approval_expired_is_recorded_and_the_sweep_rejects_in_its_own_name() {
    let open = file_with([rule("alice"), rule("bob").expiring_at(at(40))]);
    let granted = grant(&open, "alice", "approval-1", 40);
    assert!(granted.state.awaits_approval());
    assert_eq!(history(&granted, 3), ["Approval/Granted"]);
    assert_eq!(granted.approvals[1].state.status(), ApprovalStatus::Pending);
    let sweeper = ActorContext::user("sweeper").unwrap();
    let swept = apply(&granted, &due_command(&granted, sweeper.clone(), at(40)).unwrap(), 41);
    assert_eq!(history(&swept, 4), ["Approval/Expired", "Lifecycle/Rejected"]);
    assert!(swept.decisions[4..].iter().all(|decision| *decision.by == sweeper));
    assert_eq!(swept.approvals[1].state.status(), ApprovalStatus::Expired);
}

#[test]
fn approvals_that_are_not_due_do_not_expire() {
    let waiting = draft().requires_approval(rule("alice").expiring_at(at(40))).waiting_for(PendingReason::Schedule);
    let request = file_with([rule("alice").expiring_at(at(40))]);
    for (request, seconds) in [(request, 39), (submit(waiting), 90), (submit(draft()), 90)] {
        let error = try_apply(&request, &Command::expire_approvals(ActorContext::system()), seconds).unwrap_err();
        assert!(matches!(error, Error::NothingDue { .. }), "{error}");
    }
}
