//! Why something was decided is recorded as far as it is known, and never as a blank.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Command, Completion, Failure, StaleStrategy, resolve};
use mutator_governance::{
    ApprovalDecision, ApprovalError, ApprovalState, ClaimId, DecisionKind, Error, Intent, MutationRequest,
    PendingReason, Rejection, RequestDraft, StateVersion, Status, Target,
};

use crate::support::{
    apply, approval, approval_error, at, draft, file_with, id, in_status, rule, submit, try_apply, try_file, user,
    user_because,
};

fn rejected_with(
    request: &MutationRequest,
    reason: Option<&str>,
    message: Option<&str>,
) -> Result<MutationRequest, Error> {
    let by = reason.map_or_else(|| user("alice"), |reason| user_because("alice", reason));
    let rejection = message.map(|message| Rejection::new("E1", message));
    try_apply(request, &Command::reject_requirement(by, approval("approval-1"), rejection), 1)
}

#[test]
fn the_reason_of_a_rejection_is_the_actors_else_its_message() {
    let request = file_with([rule("alice")]);
    for (reason, message, expected) in [
        (Some("too risky"), Some("over budget"), Some("too risky")),
        (None, Some("over budget"), Some("over budget")),
        (Some("too risky"), None, Some("too risky")),
        (None, None, None),
    ] {
        let rejected = rejected_with(&request, reason, message).unwrap();
        let kind = DecisionKind::from(ApprovalDecision::Rejected);
        let decision = rejected.decisions.iter().find(|decision| decision.kind == kind).unwrap();
        assert_eq!(decision.reason.as_deref(), expected);
        let ApprovalState::Rejected { verdict, .. } = &rejected.approvals[0].state else { panic!("not rejected") };
        assert_eq!(verdict.reason.as_deref(), expected);
        let last = rejected.decisions.last().unwrap().reason.as_deref().unwrap();
        assert!(last.ends_with(expected.unwrap_or("was rejected")), "{last}");
    }
}

fn is_blank_reason(error: &Error) -> bool {
    matches!(error, Error::Invalid(invalid) if invalid.field == "reason" && invalid.problem.contains("blank"))
}

#[test]
fn a_blank_reason_is_rejected_wherever_one_is_given() {
    let request = file_with([rule("alice")]);
    for blank in ["", " ", "\t\n", "\u{a0}"] {
        for result in [
            rejected_with(&request, Some(blank), None),
            rejected_with(&request, Some(blank), Some("over budget")),
            rejected_with(&request, None, Some(blank)),
            rejected_with(&request, Some("too risky"), Some(blank)),
            try_file(draft_because(blank)),
        ] {
            let error = result.unwrap_err();
            assert!(is_blank_reason(&error), "{blank:?}: {error}");
        }
        let by = || user_because("alice", blank);
        let version = || StateVersion::new("v1").unwrap();
        let claim = ClaimId::from_bytes([1; 16]);
        for command in [
            Command::approve_requirement(by(), approval("approval-1")),
            Command::approve_request(by()),
            Command::reject_request(by()),
            Command::cancel(by()),
            Command::expire(by()),
            Command::supersede(by(), id("next")),
            Command::hold(by(), PendingReason::Quota),
            Command::request_approvals(by(), None),
            Command::expire_approvals(by()),
            Command::resolve(by(), version(), StaleStrategy::RejectStale),
            Command::claim(by(), claim, Duration::from_mins(1)),
            Command::release(by(), claim),
            Command::complete(by(), claim, Completion::new()),
            Command::fail(by(), claim, Failure::new("broken"), AfterFailure::Reject),
        ] {
            let error = try_apply(&request, &command, 1).unwrap_err();
            assert!(is_blank_reason(&error), "{blank:?} {command:?}: {error}");
        }
        let error = resolve(in_status(Status::Approved), &version(), StaleStrategy::RejectStale, &by(), at(1));
        assert!(is_blank_reason(&error.unwrap_err()));
        let error = try_apply(&request, &Command::override_approvals(by()), 1).unwrap_err();
        assert_eq!(approval_error(error), ApprovalError::OverrideWithoutReason, "it demands one");
    }
}

fn draft_because(reason: &str) -> RequestDraft {
    let by = user_because("requester", reason);
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), by)
}

/// What went wrong is recorded in any case.
#[test]
fn a_failure_without_a_message_is_recorded_and_says_that_it_has_none() {
    let claim = ClaimId::from_bytes([1; 16]);
    let approved = submit(draft().already_approved());
    let claimed = apply(&approved, &Command::claim(user("executor"), claim, Duration::from_mins(1)), 1);
    for blank in ["", " \n"] {
        let fail = Command::fail(user("executor"), claim, Failure::new(blank), AfterFailure::Reject);
        let rejected = apply(&claimed, &fail, 2);
        assert_eq!(rejected.decisions.last().unwrap().reason.as_deref(), Some("it failed without a message"));
    }
}

#[test]
fn a_long_message_of_a_failure_is_cut_with_a_mark() {
    let claim = ClaimId::from_bytes([1; 16]);
    let approved = submit(draft().already_approved());
    let claimed = apply(&approved, &Command::claim(user("executor"), claim, Duration::from_mins(1)), 1);
    for length in [0, 1, 4_095, 4_096, 4_097, 4_100, 100_000, 3_000_000] {
        let message = "m".repeat(length.max(1));
        let fail = Command::fail(user("executor"), claim, Failure::new(message.clone()), AfterFailure::KeepApproved);
        let kept = apply(&claimed, &fail, 2);
        let reason = kept.decisions.last().unwrap().reason.clone().unwrap();
        assert_eq!(reason == message, message.len() <= Failure::MAX_MESSAGE_BYTES, "{length}");
        assert!(reason.len() <= Failure::MAX_MESSAGE_BYTES && (reason == message || reason.ends_with("… (cut)")));
    }
}
