//! Claims and their ends.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Command, Completion, Failure, StaleStrategy};
use mutator_governance::{
    ClaimId, Error, ExecutionError, Metadata, MutationRequest, Payload, PendingReason, RequestState, Severity,
    SideEffect, StateVersion, Status, Value,
};

use crate::support::{
    apply, approval, at, draft, execution_error, file_with, grant, history, id, in_status, rule, submit, try_apply,
    user, user_because,
};

const LEASE: Duration = Duration::from_mins(1);

fn claim_id(number: u8) -> ClaimId {
    ClaimId::from_bytes([number; 16])
}

fn claim(number: u8) -> Command {
    Command::claim(user("executor"), claim_id(number), LEASE)
}

fn complete(number: u8) -> Command {
    Command::complete(user("executor"), claim_id(number), Completion::new())
}

fn fail(number: u8, then: AfterFailure) -> Command {
    let details = Metadata::new().with("attempt", 3_i64).unwrap();
    let failure = Failure::new("no such role").with_code("E42").with_metadata(details);
    Command::fail(user("executor"), claim_id(number), failure, then)
}

fn approved() -> MutationRequest {
    in_status(Status::Approved)
}

#[test]
fn one_executor_at_a_time_and_another_takes_over_after_the_lease() {
    let claimed = apply(&approved(), &claim(1), 10);
    assert_eq!(history(&claimed, 1), ["Execution/Claimed"]);
    let held = claimed.execution.claim.as_ref().unwrap();
    assert_eq!((held.id, &held.by, held.at, held.lease_ends_at), (claim_id(1), &user("executor"), at(10), at(70)));
    assert_eq!((claimed.state.status(), claimed.updated_at), (Status::Approved, at(10)));

    let error = execution_error(try_apply(&claimed, &claim(2), 69).unwrap_err());
    assert_eq!(error, ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(70) });
    let taken = apply(&claimed, &claim(2), 70);
    assert_eq!(taken.execution.claim.as_ref().unwrap().id, claim_id(2));
    let previous = Value::from(claim_id(1).to_string());
    assert_eq!(taken.decisions.last().unwrap().metadata.get("previous_claim"), Some(&previous));
}

#[test]
fn the_holder_renews_its_lease() {
    let claimed = apply(&approved(), &claim(1), 10);
    let renewed = apply(&claimed, &claim(1), 40);
    assert_eq!(renewed.execution.claim.as_ref().unwrap().lease_ends_at, at(100));
    assert_eq!(renewed.decisions, claimed.decisions, "in the claim, not in the history");
}

#[test]
fn a_lease_of_zero_is_rejected() {
    for lease in [Duration::ZERO, Duration::from_nanos(999)] {
        let error = try_apply(&approved(), &Command::claim(user("executor"), claim_id(1), lease), 1).unwrap_err();
        assert!(matches!(&error, Error::Invalid(invalid) if invalid.field == "lease"), "{error}");
    }
}

#[test]
fn only_an_approved_request_is_claimed() {
    for status in Status::ALL {
        let result = try_apply(&in_status(status), &claim(1), 1);
        match status {
            Status::Approved => assert!(result.is_ok()),
            _ => assert_eq!(execution_error(result.unwrap_err()), ExecutionError::NotApproved { status }),
        }
    }
}

#[test]
fn a_released_request_can_be_claimed_at_once() {
    let claimed = apply(&approved(), &claim(1), 10);
    let released = apply(&claimed, &Command::release(user("executor"), claim_id(1)), 11);
    assert_eq!(history(&released, 2), ["Execution/Released"]);
    assert_eq!(released.execution.claim, None);
    assert!(try_apply(&released, &claim(2), 12).is_ok());
}

#[test]
fn complete_stores_time_resulting_version_and_side_effects() {
    let side_effect = SideEffect::new("mail", "told the tenant", Severity::Info, at(15)).unwrap();
    let version = StateVersion::new("v2").unwrap();
    let completion = Completion::new().resulting_in(version.clone()).with_side_effect(side_effect.clone());
    let claimed = apply(&approved(), &claim(1), 10);
    let executed = apply(&claimed, &Command::complete(user("executor"), claim_id(1), completion), 15);
    assert_eq!(executed.state, RequestState::Executed { at: at(15), resulting_version: Some(version) });
    assert_eq!(executed.side_effects, [side_effect]);
    assert_eq!(executed.execution.claim, None);
    assert_eq!(history(&executed, 2), ["Lifecycle/Executed"]);
    assert_eq!(executed.decisions[2].metadata.get("resulting_version"), Some(&Value::from("v2")));
}

#[test]
fn what_was_done_after_the_lease_is_recorded_until_another_takes_over() {
    let claimed = apply(&approved(), &claim(1), 10);
    assert_eq!(apply(&claimed, &complete(1), 500).state.status(), Status::Executed);
    let taken = apply(&claimed, &claim(2), 70);
    for late in [complete(1), fail(1, AfterFailure::Reject), Command::release(user("executor"), claim_id(1))] {
        let error = execution_error(try_apply(&taken, &late, 71).unwrap_err());
        assert_eq!(error, ExecutionError::ClaimLost { claim: claim_id(1), status: Status::Approved });
    }
    assert_eq!(apply(&taken, &complete(2), 72).state.status(), Status::Executed);
}

#[test]
fn nothing_is_completed_without_a_claim() {
    for status in Status::ALL {
        let error = execution_error(try_apply(&in_status(status), &complete(1), 1).unwrap_err());
        assert_eq!(error, ExecutionError::ClaimLost { claim: claim_id(1), status });
    }
}

#[test]
fn a_failure_rejects_the_request_with_its_details_or_keeps_it_approved() {
    let claimed = apply(&approved(), &claim(1), 10);
    let rejected = apply(&claimed, &fail(1, AfterFailure::Reject), 11);
    assert_eq!(rejected.state, RequestState::Rejected);
    assert_eq!(history(&rejected, 2), ["Execution/Failed", "Lifecycle/Rejected"]);
    for decision in &rejected.decisions[2..] {
        assert_eq!(decision.reason.as_deref(), Some("no such role"));
        assert_eq!(decision.metadata.get("code"), Some(&Value::from("E42")));
        assert_eq!(decision.metadata.get("attempt"), Some(&Value::from(3_i64)));
    }
    let kept = apply(&claimed, &fail(1, AfterFailure::KeepApproved), 11);
    assert_eq!(kept.state, RequestState::Approved);
    assert_eq!(history(&kept, 2), ["Execution/Failed"]);
    assert_eq!((kept.execution.claim.as_ref(), kept.updated_at), (None, at(11)));
    assert!(try_apply(&kept, &claim(2), 12).is_ok());
}

#[test]
fn a_request_is_not_moved_away_under_its_executor() {
    let claimed = apply(&approved(), &claim(1), 10);
    let by = || user_because("operator", "changed my mind");
    for command in [
        Command::cancel(by()),
        Command::reject_request(by()),
        Command::supersede(by(), id("next")),
        Command::hold(by(), PendingReason::Quota),
    ] {
        let error = execution_error(try_apply(&claimed, &command, 69).unwrap_err());
        assert!(matches!(error, ExecutionError::Claimed { .. }), "{command:?}");
        let moved = apply(&claimed, &command, 70);
        assert_eq!(moved.execution.claim, None);
        let late = execution_error(try_apply(&moved, &complete(1), 71).unwrap_err());
        assert!(matches!(late, ExecutionError::ClaimLost { .. }), "{command:?}");
    }
}

#[test]
fn execution_rejects_what_was_approved_as_something_else() {
    let before = submit(draft().requires_approval(rule("alice")).with_payload(payload("grant reader")));
    let request = grant(&before, "alice", "approval-1", 1);
    assert!(try_apply(&request, &claim(1), 2).is_ok());
    let (mut document, revision) = (request.document().clone(), request.revision());
    document.payload = Some(payload("grant owner"));
    let changed = MutationRequest::from_document(document, revision).unwrap();
    let error = execution_error(try_apply(&changed, &claim(1), 2).unwrap_err());
    let expected = ExecutionError::ApprovedOtherwise {
        approval: approval("approval-1"),
        approved: request.digest(),
        current: changed.digest(),
    };
    assert_eq!(error, expected);
}

/// The request as if somebody had changed its payload in the store.
fn with_payload(request: &MutationRequest, text: &str) -> MutationRequest {
    let mut document = request.document().clone();
    document.payload = Some(payload(text));
    MutationRequest::from_document(document, request.revision()).unwrap()
}

#[test]
fn execution_rejects_what_was_overridden_as_something_else() {
    let open = submit(draft().requires_approval(rule("alice")).with_payload(payload("grant reader")));
    let override_it = Command::override_approvals(user_because("oncall", "site is down"));
    let overridden = apply(&open, &override_it, 1);
    assert!(try_apply(&overridden, &claim(1), 2).is_ok());

    let changed = with_payload(&overridden, "grant owner");
    let error = execution_error(try_apply(&changed, &claim(1), 2).unwrap_err());
    let (seen, current) = (open.digest().to_string(), changed.digest());
    assert_eq!(error, ExecutionError::OverriddenOtherwise { overridden: seen, current });

    // Whoever looks at it again can override it again, or grant it.
    let held = apply(&changed, &Command::hold(user("oncall"), PendingReason::Approval), 3);
    assert!(try_apply(&apply(&held, &override_it, 4), &claim(1), 5).is_ok());
    assert!(try_apply(&grant(&held, "alice", "approval-1", 4), &claim(1), 5).is_ok());
}

#[test]
fn an_override_of_an_earlier_round_says_nothing_about_this_one() {
    let version = |text| StateVersion::new(text).unwrap();
    let open = submit(draft().requires_approval(rule("alice")).for_version(version("v1")));
    let override_it = Command::override_approvals(user_because("oncall", "site is down"));
    let renew = Command::resolve(user("executor"), version("v2"), StaleStrategy::RequireRenewedApproval);
    let renewed = apply(&apply(&open, &override_it, 1), &renew, 2);
    assert_ne!(renewed.digest(), open.digest());
    assert!(try_apply(&apply(&renewed, &override_it, 3), &claim(1), 4).is_ok());
    assert!(try_apply(&grant(&renewed, "alice", "approval-1", 3), &claim(1), 4).is_ok());
}

#[test]
fn a_request_that_waits_for_approval_is_not_claimed() {
    let error = execution_error(try_apply(&file_with([rule("alice")]), &claim(1), 1).unwrap_err());
    assert_eq!(error, ExecutionError::NotApproved { status: Status::Pending });
}

fn payload(text: &str) -> Payload {
    Payload::new("text/plain", text.as_bytes()).unwrap()
}

#[test]
fn an_error_says_what_to_do_next() {
    let digest = mutator_governance::Digest::from_bytes([1; 32]);
    let approval = approval("approval-1");
    let table = [
        (ExecutionError::NotApproved { status: Status::Pending }, "only an approved request"),
        (ExecutionError::Claimed { by: "worker".to_owned(), lease_ends_at: at(60) }, "2026-01-01T00:01:00Z"),
        (
            ExecutionError::ClaimLost { claim: claim_id(1), status: Status::Approved },
            "taken over; read it again, and find out what the interrupted execution did before you repeat it",
        ),
        (
            ExecutionError::ApprovedOtherwise { approval, approved: digest, current: digest },
            "; submit what it has become as a new request",
        ),
        (
            ExecutionError::OverriddenOtherwise { overridden: "00ff".to_owned(), current: digest },
            "overridden for digest 00ff, but the request has digest 0101",
        ),
        (ExecutionError::NothingToRenew, "choose another strategy"),
        (ExecutionError::NotExecuted { status: Status::Created }, "only an executed request"),
        (ExecutionError::NoCompensation, "submit one with a draft"),
        (ExecutionError::CompensatesAnother { compensates: id("other") }, "is for request other; name that one"),
    ];
    for (error, expected) in table {
        assert!(error.to_string().contains(expected), "{error}");
    }
}
