//! Time that binds: not before a time, valid for a time, and approvals with a duration.

use std::time::Duration;

use mutator_governance::workflow::{
    self, AfterFailure, Command, Completion, Failure, StaleStrategy, due_command, explain, next_deadline, ready_at,
    valid_until,
};
use mutator_governance::{
    ApprovalError, ApprovalRule, ClaimId, DecisionKind, Error, ExecutionDecision, ExecutionError, MutationRequest,
    Pending, PendingReason, RequestDraft, RequestState, StateVersion, Status, Timestamp,
};

use crate::support::{
    apply, approval, approval_error, at, draft, execution_error, file_with, grant, id, in_status, rule, submit,
    try_apply, try_file, user, user_because,
};

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn just_before(second: u64) -> Timestamp {
    at(second).saturating_sub(Duration::from_micros(1))
}

fn claim(number: u8) -> Command {
    Command::claim(user("executor"), ClaimId::from_bytes([number; 16]), seconds(10))
}

fn version(number: u8) -> StateVersion {
    StateVersion::new(format!("v{number}")).unwrap()
}

fn approved(draft: RequestDraft) -> MutationRequest {
    submit(draft.already_approved())
}

fn valid_for(draft: RequestDraft, number: u64) -> RequestDraft {
    draft.valid_for(seconds(number)).unwrap()
}

#[test]
fn an_approved_request_is_not_claimed_before_its_microsecond() {
    let request = approved(draft().not_before(at(60)));
    let error = workflow::apply(request.clone(), &claim(1), just_before(60)).unwrap_err();
    assert_eq!((error.code(), error.retry_after()), ("execution.not_yet", Some(at(60))));
    assert!(error.to_string().contains("2026-01-01T00:01:00Z"), "{error}");
    assert!(workflow::apply(request, &claim(1), at(60)).is_ok());
}

#[test]
fn before_its_time_a_request_can_be_resolved_held_and_ended() {
    let request = approved(draft().not_before(at(60)).for_version(version(1)));
    let by = || user("operator");
    for command in [
        Command::resolve(by(), version(1), StaleStrategy::RejectStale),
        Command::hold(by(), PendingReason::Quota),
        Command::cancel(by()),
        Command::reject_request(by()),
        Command::supersede(by(), id("next")),
    ] {
        assert!(try_apply(&request, &command, 10).is_ok(), "{command:?}");
    }
}

#[test]
fn schedule_changes_the_time_until_the_request_is_claimed() {
    let request = approved(draft().not_before(at(60)));
    let earlier = apply(&request, &Command::schedule(user_because("olga", "all is ready"), at(20)), 5);
    assert_eq!(earlier.execution.not_before, Some(at(20)));
    let decision = earlier.decisions.last().unwrap();
    assert_eq!(decision.kind, DecisionKind::from(ExecutionDecision::Scheduled));
    assert_eq!(decision.reason.as_deref(), Some("all is ready"));
    assert_eq!(decision.metadata.get("not_before"), Some(&at(20).into()));
    assert_eq!(decision.metadata.get("previously_not_before"), Some(&at(60).into()));
    let held = apply(&earlier, &claim(1), 20);
    let late = Command::schedule(user("olga"), at(90));
    assert!(matches!(execution_error(try_apply(&held, &late, 29).unwrap_err()), ExecutionError::Claimed { .. }));
    let rescheduled = apply(&held, &late, 30);
    let error = execution_error(try_apply(&rescheduled, &claim(1), 31).unwrap_err());
    assert_eq!(error, ExecutionError::NotYet { not_before: at(90) }, "the old claim is not renewed before either");
    for status in Status::ALL {
        let result = try_apply(&in_status(status), &late, 5);
        match status.is_terminal() {
            true => {
                assert_eq!(execution_error(result.unwrap_err()), ExecutionError::TooLateToSchedule { status });
            }
            false => assert_eq!(result.unwrap().state.status(), status),
        }
    }
}

#[test]
fn a_request_does_not_wait_for_a_time_after_its_own_deadline() {
    let pending = |end| Pending { reason: PendingReason::Quota, expires_at: Some(at(end)) };
    let late = |error| {
        let expected = ExecutionError::StartAfterDeadline { not_before: at(60), deadline: at(59) };
        assert_eq!(execution_error(error), expected);
    };
    late(try_file(draft().not_before(at(60)).waiting_for(pending(59))).unwrap_err());
    let request = submit(draft().not_before(at(60)).waiting_for(pending(60)));
    let waiting = submit(draft().waiting_for(pending(59)));
    late(try_apply(&waiting, &Command::schedule(user("olga"), at(60)), 1).unwrap_err());
    let open = apply(&request, &Command::approve_request(user("operator")), 1);
    late(try_apply(&open, &Command::hold(user("operator"), pending(59)), 2).unwrap_err());
    let asked = submit(draft().not_before(at(60)).requires_approval(rule("alice")).waiting_for(PendingReason::Quota));
    late(try_apply(&asked, &Command::request_approvals(user("operator"), Some(at(59))), 2).unwrap_err());
}

#[test]
fn an_approval_that_nobody_claims_expires_at_its_microsecond() {
    let request = grant(&submit(valid_for(draft(), 30).requires_approval(rule("alice"))), "alice", "approval-1", 10);
    assert_eq!((valid_until(&request), next_deadline(&request)), (Some(at(40)), Some(at(40))));
    assert!(due_command(&request, user("sweeper"), just_before(40)).is_none());
    assert!(workflow::apply(request.clone(), &claim(1), just_before(40)).is_ok());
    let error = try_apply(&request, &Command::expire(user("operator")), 39).unwrap_err();
    assert!(matches!(error, Error::NothingDue { .. }), "{error}");

    let by = || user("operator");
    for command in [
        claim(1),
        Command::resolve(by(), version(1), StaleStrategy::RejectStale),
        Command::hold(by(), PendingReason::Quota),
        Command::schedule(by(), at(50)),
        Command::withdraw(user("alice")),
    ] {
        let error = execution_error(try_apply(&request, &command, 40).unwrap_err());
        assert_eq!(error, ExecutionError::NoLongerValid { valid_until: at(40) }, "{command:?}");
    }
    for (command, status) in [
        (Command::cancel(by()), Status::Canceled),
        (Command::reject_request(by()), Status::Rejected),
        (Command::supersede(by(), id("next")), Status::Superseded),
        (due_command(&request, by(), at(40)).unwrap(), Status::Expired),
    ] {
        let ended = apply(&request, &command, 40);
        assert_eq!((ended.state.status(), valid_until(&ended)), (status, None));
    }
    let expired = apply(&request, &due_command(&request, by(), at(40)).unwrap(), 41);
    assert_eq!(expired.decisions.last().unwrap().metadata.get("valid_until"), Some(&at(40).into()));
}

#[test]
fn a_claim_ends_the_validity_and_a_release_brings_it_back() {
    let request = approved(valid_for(draft(), 30));
    let held = apply(&request, &claim(1), 29);
    assert_eq!((valid_until(&held), next_deadline(&held)), (None, None), "somebody may have begun");
    assert!(apply(&held, &claim(2), 99).execution.claim.is_some(), "and another may go on");
    let complete = Command::complete(user("executor"), ClaimId::from_bytes([1; 16]), Completion::new());
    assert_eq!(apply(&held, &complete, 99).state.status(), Status::Executed);
    let release = Command::release(user("executor"), ClaimId::from_bytes([1; 16]));
    let then = AfterFailure::KeepApproved;
    let fail = Command::fail(user("executor"), ClaimId::from_bytes([1; 16]), Failure::new("broken"), then);
    for given_back in [release, fail].map(|command| apply(&held, &command, 35)) {
        assert_eq!((valid_until(&given_back), ready_at(&given_back)), (Some(at(30)), None));
        assert!(due_command(&given_back, user("sweeper"), at(35)).is_some());
    }
}

#[test]
fn the_validity_starts_anew_with_each_approval() {
    let request = approved(valid_for(draft(), 30));
    let held = apply(&request, &Command::hold(user("operator"), PendingReason::Quota), 20);
    assert_eq!((valid_until(&held), next_deadline(&held)), (None, None));
    let again = apply(&held, &Command::approve_request(user("operator")), 100);
    assert_eq!(valid_until(&again), Some(at(130)));
}

#[test]
fn what_is_ready_became_so_when_the_last_thing_in_its_way_ended() {
    assert_eq!(Status::ALL.map(|status| ready_at(&in_status(status)).is_some()).iter().filter(|it| **it).count(), 1);
    let request = file_with([rule("alice")]);
    assert_eq!(ready_at(&request), None);
    let request = grant(&request, "alice", "approval-1", 10);
    assert_eq!(ready_at(&request), Some(at(10)));
    let later = apply(&request, &Command::schedule(user("olga"), at(60)), 20);
    assert_eq!(ready_at(&later), Some(at(60)));
    let opened = apply(&later, &Command::schedule(user("olga"), at(0)), 30);
    assert_eq!(ready_at(&opened), Some(at(30)), "not when it was to be, but when it was opened");
    let held = apply(&opened, &claim(1), 40);
    assert_eq!(ready_at(&held), Some(at(50)), "when the lease ends");
    let commented = apply(&held, &Command::comment(user("alice"), "how long?"), 41);
    assert_eq!(ready_at(&commented), Some(at(50)));
    let released = apply(&commented, &Command::release(user("executor"), ClaimId::from_bytes([1; 16])), 42);
    assert_eq!(ready_at(&released), Some(at(42)), "at the end of the queue");
    let never = approved(valid_for(draft().not_before(at(60)), 60));
    assert_eq!(ready_at(&never), None, "its approval ends at the moment it could begin");
    assert_eq!(ready_at(&approved(valid_for(draft().not_before(at(59)), 60))), Some(at(59)));
}

fn expiring(number: u64) -> ApprovalRule {
    rule("alice").expiring_after(seconds(number)).unwrap()
}

#[test]
fn an_approval_with_a_duration_expires_that_long_after_it_is_asked_for() {
    let asked_at_once = file_with([expiring(30)]);
    assert_eq!(asked_at_once.approvals[0].expires_at, Some(at(30)));
    let waiting = submit(draft().requires_approval(expiring(30)).waiting_for(PendingReason::Schedule));
    assert_eq!((waiting.approvals[0].expires_at, next_deadline(&waiting)), (None, None));
    let ask = Command::request_approvals(user("operator"), None);
    let asked = apply(&waiting, &ask, 100);
    assert_eq!(asked.approvals[0].expires_at, Some(at(130)));
    let alice = Command::approve_requirement(user("alice"), approval("approval-1"));
    assert!(workflow::apply(asked.clone(), &alice, just_before(130)).is_ok());
    let error = approval_error(try_apply(&asked, &alice, 130).unwrap_err());
    assert_eq!(error, ApprovalError::Expired { approval: approval("approval-1"), expired_at: at(130) });
}

#[test]
fn asking_again_gives_an_approval_the_duration_it_had() {
    let draft = || draft().requires_approval(expiring(30)).for_version(version(1));
    let approved = grant(&submit(draft()), "alice", "approval-1", 10);
    let newer = Command::resolve(user("executor"), version(2), StaleStrategy::RequireRenewedApproval);
    assert_eq!(apply(&approved, &newer, 500).approvals[0].expires_at, Some(at(530)));
    let withdrawn = apply(&approved, &Command::withdraw(user("alice")), 500);
    assert_eq!((withdrawn.state.awaits_approval(), withdrawn.approvals[0].expires_at), (true, Some(at(530))));
}

#[test]
fn a_date_that_has_passed_when_it_is_asked_for_is_an_error_at_submission_too() {
    let late = || rule("alice").expiring_at(at(0));
    let error = approval_error(try_file(draft().requires_approval(late())).unwrap_err());
    assert_eq!(error, ApprovalError::Expired { approval: approval("approval-1"), expired_at: at(0) });
    assert!(try_file(draft().requires_approval(rule("alice").expiring_at(at(1)))).is_ok());
    assert!(try_file(draft().requires_approval(late()).waiting_for(PendingReason::Quota)).is_ok(), "not asked for yet");
}

#[test]
fn a_time_of_nothing_cannot_be_built_or_read() {
    for nothing in [Duration::ZERO, Duration::from_nanos(999)] {
        assert!(draft().valid_for(nothing).unwrap_err().to_string().starts_with("validity"));
        assert!(rule("alice").expiring_after(nothing).unwrap_err().to_string().starts_with("deadline of an approval"));
    }
    let rule = serde_json::to_string(&expiring(90)).unwrap();
    assert!(rule.contains(r#""expires_after":"PT1M30S""#), "{rule}");
    assert_eq!(serde_json::from_str::<ApprovalRule>(&rule).unwrap(), expiring(90));
    assert!(serde_json::from_str::<ApprovalRule>(&rule.replace("PT1M30S", "PT0S")).is_err());
    let both = rule.replace(r#""expires_after""#, r#""expires_at":"2026-01-01T00:00:00Z","expires_after""#);
    assert!(serde_json::from_str::<ApprovalRule>(&both).unwrap_err().to_string().contains("both expires_at and"));
    let draft = serde_json::to_string(&valid_for(draft(), 60)).unwrap();
    assert!(serde_json::from_str::<RequestDraft>(&draft).is_ok());
    assert!(
        serde_json::from_str::<RequestDraft>(&draft.replace(r#""valid_for":"PT1M""#, r#""valid_for":"PT0S""#)).is_err()
    );
}

#[test]
fn revalidation_keeps_the_grants_and_waits_for_somebody() {
    let request = valid_for(draft(), 30).requires_approval(rule("alice")).for_version(version(1));
    let approved = grant(&submit(request), "alice", "approval-1", 10);
    let stale = Command::resolve(user("executor"), version(2), StaleStrategy::RequireRevalidation);
    let waiting = apply(&approved, &stale, 20);
    assert_eq!(waiting.state, RequestState::Pending(PendingReason::Revalidation.into()));
    assert_eq!((&waiting.versioning.expected, &waiting.approvals), (&Some(version(2)), &approved.approvals));
    assert_eq!(waiting.digest(), approved.digest());
    let again = apply(&waiting, &Command::revalidate(user_because("olga", "still right")), 100);
    assert_eq!((&again.state, &again.approvals), (&RequestState::Approved, &approved.approvals));
    assert_eq!(valid_until(&again), Some(at(130)));
    assert!(try_apply(&again, &claim(1), 101).is_ok());
    assert!(matches!(
        execution_error(try_apply(&again, &Command::revalidate(user("olga")), 101).unwrap_err()),
        ExecutionError::NotRevalidating { status: Status::Approved, waits_for: None }
    ));
}

/// Otherwise a vote that was taken back, or an approval that was demanded meanwhile, would not count.
#[test]
fn revalidation_approves_nothing_that_lacks_a_grant() {
    let stale = Command::resolve(user("executor"), version(2), StaleStrategy::RequireRevalidation);
    let revalidate = Command::revalidate(user("olga"));
    let submitted = submit(draft().requires_approval(rule("alice")).for_version(version(1)));
    let waiting = apply(&grant(&submitted, "alice", "approval-1", 10), &stale, 20);

    let withdrawn = apply(&waiting, &Command::withdraw(user("alice")), 30);
    assert_eq!(withdrawn.state, waiting.state);
    let asked = apply(&withdrawn, &revalidate, 40);
    assert_eq!(asked.state, RequestState::Pending(PendingReason::Approval.into()));
    assert_eq!(grant(&asked, "alice", "approval-1", 50).state, RequestState::Approved);

    let added = apply(&waiting, &Command::add_approval(user_because("olga", "it is large"), rule("bob")), 30);
    let asked = apply(&added, &revalidate, 40);
    assert_eq!(asked.state, RequestState::Pending(PendingReason::Approval.into()));
    assert_eq!(grant(&asked, "bob", "approval-2", 50).state, RequestState::Approved);

    let overridden = apply(&submitted, &Command::override_approvals(user_because("oncall", "it burns")), 1);
    let added = Command::add_approval(user_because("olga", "it is large"), rule("bob"));
    let asked = apply(&apply(&apply(&overridden, &stale, 2), &added, 3), &revalidate, 4);
    assert_eq!(
        asked.state,
        RequestState::Pending(PendingReason::Approval.into()),
        "the override was of what it demanded"
    );
}

#[test]
fn only_resolving_makes_a_request_wait_for_revalidation() {
    let waiting = || draft().waiting_for(PendingReason::Revalidation);
    assert!(matches!(try_file(waiting().requires_approval(rule("alice"))).unwrap_err(), Error::Invalid(_)));
    let hold = Command::hold(user("operator"), PendingReason::Revalidation);
    assert!(matches!(try_apply(&approved(draft()), &hold, 1).unwrap_err(), Error::Invalid(_)));
    let overridden = apply(
        &submit(draft().requires_approval(rule("alice")).for_version(version(1))),
        &Command::override_approvals(user_because("oncall", "it burns")),
        1,
    );
    let stale = Command::resolve(user("executor"), version(2), StaleStrategy::RequireRevalidation);
    let again = apply(&apply(&overridden, &stale, 2), &Command::revalidate(user("olga")), 3);
    assert_eq!(again.state, RequestState::Approved, "what was overridden stays so");
}

#[test]
fn the_explanation_says_from_when_and_until_when() {
    let request = approved(valid_for(draft().not_before(at(60)), 600));
    let said = |second| explain(&request, at(second)).to_string();
    assert_eq!(
        said(0),
        "is approved; ready from 2026-01-01T00:01:00Z, in 1 min; valid until 2026-01-01T00:10:00Z, in 10 min"
    );
    assert_eq!(said(60), "is approved and can be executed; valid until 2026-01-01T00:10:00Z, in 9 min");
    assert_eq!(
        said(600),
        "was approved until 2026-01-01T00:10:00Z, and nobody claimed it; it can no longer be executed, and the next \
         sweep expires it"
    );
    let never = approved(valid_for(draft().not_before(at(60)), 30));
    assert!(explain(&never, at(0)).to_string().contains("is not executed before 2026-01-01T00:01:00Z, when it is no"));
    let waiting = submit(draft().not_before(at(60)).requires_approval(rule("alice")));
    let said = explain(&waiting, at(0)).to_string();
    assert!(said.ends_with("; it is not executed before 2026-01-01T00:01:00Z"), "{said}");
}
