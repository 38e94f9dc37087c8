//! Break-glass.

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalStatus, Error, PendingReason, RequestState, Status, Value,
};

use crate::support::{
    apply, approval_error, draft, file_with, grant, history, in_status, quorum, rule, submit, try_apply, user,
    user_because,
};

#[test]
fn break_glass_approves_and_records_what_it_overrode() {
    let request = file_with([rule("alice"), quorum("security", 2, &["bob", "carol", "dave"]), rule("erin")]);
    let request = grant(&request, "alice", "approval-1", 1);
    let request = grant(&request, "carol", "approval-3", 1);
    let request = apply(&request, &Command::override_approvals(user_because("oncall", "site is down")), 2);
    assert_eq!(request.state, RequestState::Approved);
    assert_eq!(history(&request, 5), ["Approval/Overridden", "Lifecycle/Approved"]);
    let overridden = &request.decisions[5];
    let expected = ["approval-2", "approval-4", "approval-5"].map(Value::from).to_vec();
    assert_eq!(overridden.metadata.get("overridden"), Some(&Value::List(expected)));
    assert_eq!(overridden.reason.as_deref(), Some("site is down"));
    assert_eq!(request.approvals[1].state.status(), ApprovalStatus::Pending, "nobody granted it");
    assert!(!request.requirements[2].fulfilled);
}

#[test]
fn break_glass_works_while_the_request_waits_for_something_else() {
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let request = apply(&request, &Command::override_approvals(user_because("oncall", "site is down")), 2);
    assert_eq!(request.state, RequestState::Approved);
    for decision in &request.decisions[2..] {
        assert_eq!(decision.metadata.get("waited_for"), Some(&Value::from("Schedule")), "{}", decision.kind);
    }
}

#[test]
fn break_glass_demands_somebody_with_a_reason_and_something_to_override() {
    let open = || file_with([rule("alice")]);
    let anonymous = ActorContext::system().because("site is down").into();
    let table = [
        (open(), user("oncall"), ApprovalError::OverrideWithoutReason),
        (open(), user_because("oncall", " "), ApprovalError::OverrideWithoutReason),
        (open(), anonymous, ApprovalError::AnonymousOverride),
        (submit(draft()), user_because("oncall", "site is down"), ApprovalError::NothingToOverride),
    ];
    for (request, by, expected) in table {
        assert_eq!(approval_error(try_apply(&request, &Command::override_approvals(by), 1).unwrap_err()), expected);
    }
    let executed = in_status(Status::Executed);
    let error = try_apply(&executed, &Command::override_approvals(user_because("oncall", "late")), 1).unwrap_err();
    assert!(matches!(error, Error::InvalidTransition { .. }), "{error}");
}
