//! Compensation.

use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Command, Completion, Failure, compensation_draft, link_compensation, owes_link, submit,
};
use mutator_governance::{
    BatchId, ClaimId, CompensationKind, CompensationPlan, CompensationTrigger, ExecutionError, ExecutionKind, Intent,
    LinkRelation, MutationRequest, RequestId, StateVersion, Status, Value, WriteId,
};

use crate::support::{apply, at, draft, execution_error, history, id, in_status, try_apply, user};

fn execute(request: &MutationRequest, seconds: u64) -> MutationRequest {
    let claim = ClaimId::from_bytes([1; 16]);
    let completion = Completion::new().resulting_in(StateVersion::new("v2").unwrap());
    let claimed = apply(request, &Command::claim(user("executor"), claim, Duration::from_mins(1)), seconds);
    apply(&claimed, &Command::complete(user("executor"), claim, completion), seconds)
}

fn original() -> MutationRequest {
    execute(&crate::support::submit(draft().already_approved()), 1)
}

fn plan(compensates: &RequestId) -> CompensationPlan {
    CompensationPlan::new(compensates.clone(), CompensationKind::Rollback, CompensationTrigger::Operator)
}

fn undo() -> Intent {
    Intent::new("revoke-role", "Access").unwrap()
}

/// An executed compensation of the original.
fn compensating() -> MutationRequest {
    let draft = compensation_draft(&original(), plan(&original().id), undo(), user("requester")).unwrap();
    let submitted = submit(draft.already_approved(), id("undo-1"), WriteId::from_bytes([2; 16]), at(2)).unwrap();
    execute(&submitted, 3)
}

#[test]
fn a_compensation_is_drafted_from_an_executed_request() {
    let plan = plan(&original().id).related_to(id("batch-7"));
    let draft = compensation_draft(&original(), plan.clone(), undo(), user("requester")).unwrap();
    let submitted = submit(draft, id("undo-1"), WriteId::from_bytes([2; 16]), at(2)).unwrap();
    assert_eq!(submitted.target, original().target);
    assert_eq!(submitted.execution.kind, ExecutionKind::Compensation(plan));
    assert_eq!(submitted.versioning.expected, Some(StateVersion::new("v2").unwrap()));
    assert!(submitted.execution.links.is_empty(), "it links when it is executed");
}

#[test]
fn only_an_executed_request_is_compensated() {
    for status in Status::ALL {
        let request = in_status(status);
        let result = compensation_draft(&request, plan(&request.id), undo(), user("requester"));
        match status {
            Status::Executed => assert!(result.is_ok()),
            _ => assert_eq!(execution_error(result.unwrap_err()), ExecutionError::NotExecuted { status }),
        }
    }
    let error = compensation_draft(&original(), plan(&id("other")), undo(), user("requester")).unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::CompensatesAnother { compensates: id("other") });
}

#[test]
fn when_it_executes_it_links_to_the_original_and_the_original_to_it() {
    let compensating = compensating();
    let links = |of: &MutationRequest| -> Vec<_> {
        of.execution.links.iter().map(|link| (link.relation, link.request.clone())).collect()
    };
    assert_eq!(links(&compensating), [(LinkRelation::Compensates, original().id.clone())]);
    assert!(owes_link(&original(), &compensating));

    let linked = link_compensation(original(), &compensating, &user("executor"), at(4)).unwrap();
    assert_eq!(links(&linked), [(LinkRelation::CompensatedBy, id("undo-1"))]);
    assert_eq!(history(&linked, original().decisions.len()), ["Lifecycle/Compensated"]);
    let (ours, theirs) = (linked.decisions.last().unwrap(), compensating.decisions.last().unwrap());
    assert_eq!(ours.metadata.get("compensated_by"), Some(&Value::from("undo-1")));
    assert_eq!(theirs.metadata.get("compensates"), Some(&Value::from("request-1")));
    for decision in [ours, theirs] {
        assert_eq!(decision.metadata.get("compensation"), Some(&Value::from("Rollback")));
        assert_eq!(decision.metadata.get("trigger"), Some(&Value::from("Operator")));
        assert_eq!(decision.metadata.get("batch"), None);
    }
    assert_eq!((&linked.state, linked.updated_at), (&original().state, at(4)));
    assert!(!owes_link(&linked, &compensating));
}

#[test]
fn both_links_say_how_why_in_which_batch_and_when() {
    let batch = BatchId::new("2026-11 cleanup").unwrap();
    let plan =
        CompensationPlan::new(original().id.clone(), CompensationKind::ForwardCorrection, CompensationTrigger::Batch)
            .in_batch(batch.clone());
    let draft = compensation_draft(&original(), plan, undo(), user("requester")).unwrap();
    let submitted = submit(draft.already_approved(), id("undo-1"), WriteId::from_bytes([2; 16]), at(2)).unwrap();
    let compensating = execute(&submitted, 3);
    let linked = link_compensation(original(), &compensating, &user("executor"), at(4)).unwrap();
    for (request, made) in [(&compensating, at(3)), (&linked, at(4))] {
        let link = &request.execution.links[0];
        assert_eq!((link.kind, link.trigger), (CompensationKind::ForwardCorrection, CompensationTrigger::Batch));
        assert_eq!((link.batch.as_ref(), link.at), (Some(&batch), made));
    }
}

#[test]
fn a_link_made_again_changes_nothing() {
    let linked = link_compensation(original(), &compensating(), &user("executor"), at(4)).unwrap();
    let again = link_compensation(linked.clone(), &compensating(), &user("executor"), at(9)).unwrap();
    assert_eq!(again, linked);
    let command = Command::link_compensation(user("executor"), &compensating()).unwrap();
    assert_eq!(apply(&linked, &command, 9), linked);
}

#[test]
fn only_an_executed_compensation_of_this_original_is_linked() {
    let not_yet = {
        let draft = compensation_draft(&original(), plan(&original().id), undo(), user("requester")).unwrap();
        submit(draft.already_approved(), id("undo-1"), WriteId::from_bytes([2; 16]), at(2)).unwrap()
    };
    let error = Command::link_compensation(user("executor"), &not_yet).unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotExecuted { status: Status::Approved });
    let error = Command::link_compensation(user("executor"), &original()).unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NoCompensation);
    assert!(!owes_link(&original(), &not_yet));

    let command = Command::link_compensation(user("executor"), &compensating()).unwrap();
    let error = try_apply(&crate::support::submit(draft()), &command, 4).unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotExecuted { status: Status::Created });
    let other = crate::support::submit(draft().with_id(id("other")).already_approved());
    let error = try_apply(&execute(&other, 1), &command, 4).unwrap_err();
    assert!(matches!(execution_error(error), ExecutionError::CompensatesAnother { .. }));
}

#[test]
fn what_failed_is_compensated_once_it_is_final_and_for_that_reason_only() {
    let (claim, approved) = (ClaimId::from_bytes([1; 16]), crate::support::submit(draft().already_approved()));
    let claimed = apply(&approved, &Command::claim(user("executor"), claim, Duration::from_mins(1)), 1);
    let fail = |then| Command::fail(user("executor"), claim, Failure::new("half of it is done"), then);
    let kept = apply(&claimed, &fail(AfterFailure::KeepApproved), 2);
    let plan = |trigger| CompensationPlan::new(approved.id.clone(), CompensationKind::Rollback, trigger);
    let draft_of = |request: &MutationRequest, trigger| {
        compensation_draft(request, plan(trigger), undo(), user("requester")).map_err(execution_error)
    };
    let failed = CompensationTrigger::FailedExecution;
    let rejected = ExecutionError::NotExecuted { status: Status::Approved };
    assert_eq!(draft_of(&kept, failed).unwrap_err(), rejected, "it may be executed again");
    let ended = [
        apply(&claimed, &fail(AfterFailure::Reject), 2),
        apply(&kept, &Command::cancel(user("requester")), 3),
        apply(&kept, &Command::reject_request(user("requester")), 3),
    ];
    for original in ended {
        assert!(draft_of(&original, failed).is_ok());
        let status = original.state.status();
        for other in [CompensationTrigger::Operator, CompensationTrigger::Batch] {
            assert_eq!(draft_of(&original, other).unwrap_err(), ExecutionError::NotExecuted { status });
        }
        let draft = draft_of(&original, failed).unwrap().already_approved();
        let submitted = submit(draft, id("undo-1"), WriteId::from_bytes([2; 16]), at(4)).unwrap();
        let linked = link_compensation(original.clone(), &execute(&submitted, 5), &user("executor"), at(6)).unwrap();
        assert_eq!((&linked.state, linked.execution.links.len()), (&original.state, 1));
        let decision = linked.decisions.last().unwrap();
        assert_eq!(decision.metadata.get("trigger"), Some(&Value::from("FailedExecution")));
    }
    let never_tried = apply(&approved, &Command::cancel(user("requester")), 1);
    let rejected = ExecutionError::NotExecuted { status: Status::Canceled };
    assert_eq!(draft_of(&never_tried, failed).unwrap_err(), rejected);
}
