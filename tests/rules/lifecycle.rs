//! Transitions.

use mutator_governance::workflow::{Command, can_transition, explain};
use mutator_governance::{
    ApprovalError, DecisionKind, Error, LifecycleDecision, Pending, PendingReason, RequestState, Status, Value,
};

use crate::support::{
    apply, approval_error, at, draft, file_with, grant, history, id, in_status, rule, submit, try_apply, user,
    user_because,
};

/// The lifecycle table, as the rules give it.
const TABLE: [(Status, &[Status]); 8] = [
    (Status::Created, &[Status::Pending, Status::Approved, Status::Canceled, Status::Superseded]),
    (Status::Pending, &[Status::Approved, Status::Rejected, Status::Canceled, Status::Expired, Status::Superseded]),
    (
        Status::Approved,
        &[Status::Pending, Status::Rejected, Status::Canceled, Status::Expired, Status::Superseded, Status::Executed],
    ),
    (Status::Rejected, &[]),
    (Status::Canceled, &[]),
    (Status::Expired, &[]),
    (Status::Superseded, &[]),
    (Status::Executed, &[]),
];

fn commands() -> Vec<(Command, Status, LifecycleDecision)> {
    let by = || user_because("operator", "as agreed");
    vec![
        (Command::approve_request(by()), Status::Approved, LifecycleDecision::Approved),
        (Command::reject_request(by()), Status::Rejected, LifecycleDecision::Rejected),
        (Command::cancel(by()), Status::Canceled, LifecycleDecision::Canceled),
        (Command::expire(by()), Status::Expired, LifecycleDecision::Expired),
        (Command::supersede(by(), id("next")), Status::Superseded, LifecycleDecision::Superseded),
        (Command::hold(by(), PendingReason::Quota), Status::Pending, LifecycleDecision::Pending),
    ]
}

#[test]
fn the_lifecycle_table_is_the_one_of_the_rules() {
    for (from, allowed) in TABLE {
        for to in Status::ALL {
            assert_eq!(can_transition(from, to), allowed.contains(&to), "{from} to {to}");
        }
        assert_eq!(from.is_terminal(), allowed.is_empty(), "{from}");
    }
}

#[test]
fn each_transition_of_the_table_is_one_decision_and_any_other_is_an_invalid_transition() {
    for (from, allowed) in TABLE {
        for (command, to, kind) in commands() {
            let before = in_status(from);
            match try_apply(&before, &command, 5) {
                Ok(after) => {
                    assert!(allowed.contains(&to), "{from} to {to} must be rejected");
                    assert_eq!(after.state.status(), to);
                    assert_eq!(after.decisions.len(), before.decisions.len() + 1);
                    let decision = after.decisions.last().unwrap();
                    assert_eq!(decision.kind, DecisionKind::Lifecycle(kind));
                    assert_eq!(decision.reason.as_deref(), Some("as agreed"));
                    assert_eq!((decision.at, after.updated_at), (at(5), at(5)));
                    assert_eq!(decision.metadata.get("from"), Some(&Value::from(from.as_str())));
                    assert_eq!(after.revision(), before.revision(), "the store raises the revision");
                }
                Err(Error::InvalidTransition { id, from: stood, to: went, .. }) => {
                    assert!(!allowed.contains(&to), "{from} to {to} must be allowed");
                    assert_eq!((&id, stood, went), (&before.id, from, to));
                }
                // An approval that lasts does not expire.
                Err(Error::NothingDue { .. }) => assert_eq!((from, to), (Status::Approved, Status::Expired)),
                Err(other) => panic!("{from} to {to}: {other}"),
            }
        }
    }
}

#[test]
fn supersede_records_the_superseding_id() {
    let request = apply(&submit(draft()), &Command::supersede(user("operator"), id("next")), 1);
    assert_eq!(request.state, RequestState::Superseded { by: id("next") });
    let decision = request.decisions.last().unwrap();
    assert_eq!(decision.metadata.get("superseded_by"), Some(&Value::from("next")));
}

#[test]
fn a_request_does_not_supersede_itself() {
    let error = try_apply(&submit(draft()), &Command::supersede(user("operator"), id("request-1")), 1).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

#[test]
fn leaving_pending_clears_reason_and_expiry() {
    let pending = Pending { reason: PendingReason::Quota, expires_at: Some(at(60)) };
    let request = submit(draft().waiting_for(pending));
    assert_eq!(request.state.pending(), Some(pending));
    let request = apply(&request, &Command::approve_request(user("operator")), 1);
    assert_eq!(request.state.pending(), None);
}

#[test]
fn direct_approval_with_unmet_approvals_is_rejected() {
    let request = file_with([rule("alice"), rule("bob")]);
    let error = try_apply(&request, &Command::approve_request(user("operator")), 1).unwrap_err();
    assert_eq!(approval_error(error), ApprovalError::Unmet { unmet: 2 });
    let waiting = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let error = try_apply(&waiting, &Command::approve_request(user("operator")), 1).unwrap_err();
    assert_eq!(approval_error(error), ApprovalError::Unmet { unmet: 1 });
}

#[test]
fn waiting_for_approval_needs_an_approval_that_is_unmet() {
    let hold = Command::hold(user("operator"), PendingReason::Approval);
    let granted = grant(&file_with([rule("alice")]), "alice", "approval-1", 1);
    for request in [submit(draft()), granted] {
        let error = try_apply(&request, &hold, 2).unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
}

#[test]
fn a_request_that_is_held_for_approval_asks_for_it() {
    let open = file_with([rule("alice"), rule("bob").at_step(mutator_governance::Step::FIRST)]);
    let granted = grant(&open, "bob", "approval-2", 1);
    let overridden = apply(&granted, &Command::override_approvals(user_because("oncall", "it burns")), 2);
    let until = Pending { reason: PendingReason::Approval, expires_at: Some(at(60)) };
    let held = apply(&overridden, &Command::hold(user("admin"), until), 3);
    assert_eq!(history(&held, overridden.decisions.len()), ["Lifecycle/Pending", "Approval/Requested"]);
    let requested = held.decisions.last().unwrap();
    assert_eq!(requested.metadata.get("missing"), Some(&Value::Integer(1)));
    assert_eq!(held.state, RequestState::Pending(until));
    assert_eq!(grant(&held, "alice", "approval-1", 4).state, RequestState::Approved);

    let paused = apply(&overridden, &Command::hold(user("admin"), PendingReason::Quota), 3);
    assert_eq!(history(&paused, overridden.decisions.len()), ["Lifecycle/Pending"], "asks for nothing yet");
}

/// The lifecycle lets both go to Pending, so that is not what is wrong; what the error says to do instead works.
#[test]
fn approvals_of_a_request_that_waits_for_nothing_are_not_asked_for() {
    let ask = Command::request_approvals(user("scheduler"), None);
    let by = || user_because("oncall", "it burns");
    let overridden = apply(&file_with([rule("alice")]), &Command::override_approvals(by()), 1);
    let table = [
        (submit(draft()), Command::approve_request(by()), "approve it directly"),
        (overridden, Command::hold(by(), PendingReason::Approval), "hold it for approval"),
    ];
    for (request, instead, advice) in table {
        let error = try_apply(&request, &ask, 2).unwrap_err();
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(approval_error(error), ApprovalError::NotWaiting { status: request.state.status() });
        assert!(try_apply(&request, &instead, 2).is_ok());
    }
}

#[test]
fn approvals_are_asked_for_after_what_the_request_waited_for_first() {
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let ask = Command::request_approvals(user("scheduler"), Some(at(90)));
    let asked = apply(&request, &ask, 1);
    assert_eq!(
        asked.state,
        RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at: Some(at(90)) })
    );
    assert_eq!(history(&asked, 2), ["Lifecycle/Pending", "Approval/Requested"]);
    let pending = &asked.decisions[2].metadata;
    let expected: [(&str, Value); 4] = [
        ("from", "Pending".into()),
        ("waited_for", "Schedule".into()),
        ("pending_reason", "Approval".into()),
        ("expires_at", at(90).into()),
    ];
    assert!(expected.iter().all(|(key, value)| pending.get(key) == Some(value)), "{pending:?}");
    assert_eq!(explain(&asked, at(1)).since.as_ref(), Some(&asked.decisions[2]));
    assert_eq!(grant(&asked, "alice", "approval-1", 2).state, RequestState::Approved);

    let error = try_apply(&asked, &ask, 2).unwrap_err();
    assert_eq!(error.to_string(), "request request-1 cannot go from Pending to Pending; it has that status already");
    let error = try_apply(&in_status(Status::Canceled), &ask, 2).unwrap_err();
    assert!(matches!(error, Error::InvalidTransition { from: Status::Canceled, .. }), "{error}");
    let error = try_apply(&in_status(Status::Pending), &ask, 2).unwrap_err();
    assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
}
