//! Requests that make up for others.

use std::sync::Arc;

use mutator_governance::workflow::{AfterFailure, Command, ExecutionOrder, compensation_draft};
use mutator_governance::{
    ClaimId, CompensationKind, CompensationPlan, CompensationTrigger, Error, ExecutionError, Intent, LifecycleDecision,
    LinkRelation, MutationRequest, RequestDraft, RequestId, Result, StateVersion, Status,
};

use super::executing::{break_down, run_for_anybody, succeed};
use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{Calls, approved, count, draft, execution_error, id, order, user, version};

fn plan(original: &RequestId) -> CompensationPlan {
    CompensationPlan::new(original.clone(), CompensationKind::Rollback, CompensationTrigger::Operator)
}

fn undo_draft(original: &MutationRequest) -> RequestDraft {
    let intent = Intent::new("revoke-role", "Access").unwrap();
    let draft = compensation_draft(original, plan(&original.id), intent, user("requester")).unwrap();
    draft.with_id(id("undo-1")).already_approved()
}

fn order_at(current: StateVersion) -> ExecutionOrder {
    ExecutionOrder::new(user("executor"), current)
}

/// An executed request, which v2 came of, and an approved one that makes up for it.
#[dual]
async fn original_and_compensation(world: &World) -> (MutationRequest, MutationRequest) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    let outcome = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
    let original = outcome.unwrap().request().clone();
    let compensation = world.governance.submit(undo_draft(&original)).await.unwrap();
    assert_eq!(compensation.versioning.expected, Some(version("v2")));
    (original, compensation)
}

fn assert_linked(original: &MutationRequest, compensation: &MutationRequest) {
    let links = |of: &MutationRequest| -> Vec<_> {
        of.execution.links.iter().map(|link| (link.relation, link.request.clone())).collect()
    };
    assert_eq!(links(compensation), [(LinkRelation::Compensates, original.id.clone())]);
    assert_eq!(links(original), [(LinkRelation::CompensatedBy, compensation.id.clone())]);
    assert_eq!(original.state.status(), Status::Executed);
    assert_eq!(compensation.state.status(), Status::Executed);
    assert_eq!(count(original, LifecycleDecision::Compensated), 1);
    assert_eq!(original.decisions.last().unwrap().kind, LifecycleDecision::Compensated.into());
}

/// Nothing is changed but that the compensation has the original for itself.
fn assert_reserved(stored: &MutationRequest, original: &MutationRequest, compensation: &MutationRequest) {
    let links: Vec<_> = stored.execution.links.iter().map(|link| (link.relation, link.request.clone())).collect();
    assert_eq!(links, [(LinkRelation::BeingCompensatedBy, compensation.id.clone())]);
    assert_eq!((&stored.state, &stored.decisions), (&original.state, &original.decisions));
}

#[dual]
pub(crate) async fn it_links_both_requests(world: World) {
    let (original, compensation) = original_and_compensation(&world).await;
    let (calls, order) = (Calls::default(), order_at(version("v2")));
    let outcome = world.governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await;
    assert!(outcome.unwrap().is_executed());
    assert_eq!(calls.count(), 1);
    let (original, compensation) = (world.stored(&original.id).await, world.stored(&compensation.id).await);
    assert_linked(&original, &compensation);
}

#[dual]
pub(crate) async fn an_interrupted_link_is_completed_without_running_again(world: World) {
    let (original, compensation) = original_and_compensation(&world).await;
    let (calls, order, shaky) = (Calls::default(), order_at(version("v2")), world.shaky());
    // 1: original reserved, 2: claimed, 3: executed, 4: linked.
    shaky.plan(4, Mishap::Lost);
    let governance = world.governance_over(Arc::clone(&shaky));
    let error =
        governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert_eq!((calls.count(), shaky.updates()), (1, 4));
    let stored = world.stored(&compensation.id).await;
    assert_eq!(stored.state.status(), Status::Executed);
    let reserved = world.stored(&original.id).await;
    assert_reserved(&reserved, &original, &compensation);

    for _ in 0..2 {
        // The current version says nothing about a request that is executed already.
        let later = order_at(version("v3"));
        let outcome = governance.execute(&compensation.id, &later, run!(|request| succeed(&calls, request))).await;
        assert!(outcome.unwrap().is_executed());
        assert_eq!(calls.count(), 1);
        let linked = world.stored(&original.id).await;
        assert_linked(&linked, &stored);
        assert_eq!(linked.revision().number, original.revision().number + 2);
    }
}

#[dual]
async fn execute_again(governance: Governance, id: RequestId, calls: Calls) -> Result<MutationRequest> {
    let order = order_at(version("v2"));
    let outcome = governance.execute(&id, &order, run!(|_request| run_for_anybody(&calls))).await?;
    Ok(outcome.request().clone())
}

#[dual]
pub(crate) async fn a_result_recorded_later_is_linked_by_executing_again_as_its_error_says(world: World) {
    let (original, compensation) = original_and_compensation(&world).await;
    let (calls, order, shaky) = (Calls::default(), order_at(version("v2")), world.shaky());
    shaky.plan(3, Mishap::Lost);
    let governance = world.governance_over(shaky);
    let executed = governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await;
    let error = executed.unwrap_err();
    let advice = "Once it is recorded, execute it again: that runs nothing and links request request-1";
    assert!(error.to_string().contains(advice), "{error}");
    let Error::Unrecorded(unrecorded) = error else { panic!("{error}") };
    assert_eq!(unrecorded.compensates.as_ref(), Some(&original.id));
    governance.apply(&compensation.id, &unrecorded.record).await.unwrap();
    let unlinked = world.stored(&original.id).await;
    assert_reserved(&unlinked, &original, &compensation);

    let again = governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await;
    assert!(again.unwrap().is_executed());
    let (original, compensation) = (world.stored(&original.id).await, world.stored(&compensation.id).await);
    assert_linked(&original, &compensation);
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_link_made_by_many_at_once_is_recorded_once(world: World) {
    let (original, compensation) = original_and_compensation(&world).await;
    let (calls, shaky) = (Calls::default(), world.shaky());
    shaky.plan(4, Mishap::Lost);
    let interrupted = execute_again(world.governance_over(shaky), compensation.id.clone(), calls.clone()).await;
    assert!(interrupted.is_err());

    let shaky = world.shaky();
    shaky.let_readers_meet(&original.id, 8);
    let (governance, id, counted) = (world.governance_over(shaky), compensation.id.clone(), calls.clone());
    let outcomes = run_concurrently(8, move |_| execute_again(governance.clone(), id.clone(), counted.clone())).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    assert_eq!(calls.count(), 1);
    let (linked, compensation) = (world.stored(&original.id).await, world.stored(&compensation.id).await);
    assert_linked(&linked, &compensation);
    assert_eq!(linked.revision().number, original.revision().number + 2, "linked already, it stays as it is");
}

#[dual]
pub(crate) async fn what_was_not_executed_is_not_made_up_for(world: World) {
    let original = world.governance.submit(approved("request-1")).await.unwrap();
    let undo = draft("undo-1").compensating(plan(&original.id)).already_approved();
    let undo = world.governance.submit(undo).await.unwrap();
    let calls = Calls::default();
    let error =
        world.governance.execute(&undo.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert!(matches!(&error, Error::Execution { id, .. } if *id == original.id), "{error}");
    assert_eq!(execution_error(error), ExecutionError::NotExecuted { status: Status::Approved });
    assert_eq!(calls.count(), 0, "nothing was there to be made up for");
    let (stored, untouched) = (world.stored(&undo.id).await, world.stored(&original.id).await);
    assert_eq!((stored, untouched), (undo, original));
}

#[dual]
pub(crate) async fn what_does_not_exist_is_not_made_up_for(world: World) {
    let undo = draft("undo-1").compensating(plan(&id("nowhere"))).already_approved();
    let undo = world.governance.submit(undo).await.unwrap();
    let calls = Calls::default();
    let error =
        world.governance.execute(&undo.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound { id, .. } if *id == "nowhere"), "{error}");
    assert_eq!(calls.count(), 0, "nothing was there to be made up for");
    let stored = world.stored(&undo.id).await;
    assert_eq!(stored, undo);
}

fn second_undo(original: &MutationRequest) -> RequestDraft {
    undo_draft(original).with_id(id("undo-2"))
}

fn compensated_already(error: Error, by: &RequestId) {
    assert_eq!(execution_error(error), ExecutionError::CompensatedAlready { by: by.clone() });
}

#[dual]
pub(crate) async fn a_second_compensation_is_executed_only_when_the_first_failed(world: World) {
    let (original, first) = original_and_compensation(&world).await;
    let second = world.governance.submit(second_undo(&original)).await.unwrap();
    let (governance, calls, order) = (&world.governance, Calls::default(), order_at(version("v2")));
    let keeping = order.clone().when_failed(AfterFailure::KeepApproved);

    // The first is claimed, and nobody knows what comes of it, not even after its lease.
    let (claim, lease) = (ClaimId::generate(), std::time::Duration::from_mins(1));
    governance.apply(&first.id, &Command::claim(user("executor"), claim, lease)).await.unwrap();
    for seconds in [1, 61] {
        world.clock.set(crate::runtime::people::at(seconds));
        let rejected = governance.execute(&second.id, &order, run!(|_request| run_for_anybody(&calls))).await;
        compensated_already(rejected.unwrap_err(), &first.id);
        let by_hand = Command::claim(user("executor"), ClaimId::generate(), lease);
        let rejected = governance.apply(&second.id, &by_hand).await;
        compensated_already(rejected.unwrap_err(), &first.id);
    }
    governance.apply(&first.id, &Command::release(user("executor"), claim)).await.unwrap();

    // It failed and may be attempted again, but now the second may be as well, and keeps the first from it.
    let failed = governance.execute(&first.id, &keeping, run!(|_request| break_down(&calls))).await;
    assert!(!failed.unwrap().is_executed());
    let claim = ClaimId::generate();
    governance.apply(&second.id, &Command::claim(user("executor"), claim, lease)).await.unwrap();
    let rejected = governance.execute(&first.id, &order, run!(|_request| run_for_anybody(&calls))).await;
    compensated_already(rejected.unwrap_err(), &second.id);
    governance.apply(&second.id, &Command::release(user("executor"), claim)).await.unwrap();
    assert_eq!(calls.count(), 1);

    let outcome = governance.execute(&second.id, &order, run!(|_request| run_for_anybody(&calls))).await;
    assert!(outcome.unwrap().is_executed());
    let rejected = governance.execute(&first.id, &order, run!(|_request| run_for_anybody(&calls))).await;
    compensated_already(rejected.unwrap_err(), &second.id);
    assert_eq!(calls.count(), 2);
    let (original, second) = (world.stored(&original.id).await, world.stored(&second.id).await);
    assert_linked(&original, &second);
}

#[dual]
pub(crate) async fn of_compensations_executed_at_once_one_runs(world: World) {
    for round in 0..6 {
        let draft = approved(&format!("round-{round}"));
        let request = world.governance.submit(draft).await.unwrap();
        let calls = Calls::default();
        let outcome = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
        let original = outcome.unwrap().request().clone();
        for number in 1..=3 {
            let undo = undo_draft(&original).with_id(id(&format!("{}-undo-{number}", original.id)));
            world.governance.submit(undo).await.unwrap();
        }
        let (governance, calls, of) = (world.governance.clone(), Calls::default(), original.id.to_string());
        let counted = calls.clone();
        let execute =
            move |number| execute_named(governance.clone(), id(&format!("{of}-undo-{}", number + 1)), counted.clone());
        let outcomes = run_concurrently(3, execute).await;
        assert_eq!(calls.count(), 1, "{outcomes:?}");
        let won: Vec<_> = outcomes.iter().filter(|outcome| outcome.is_ok()).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        for lost in outcomes.into_iter().filter_map(Result::err) {
            assert!(matches!(execution_error(lost), ExecutionError::CompensatedAlready { .. }));
        }
        let linked = world.stored(&original.id).await;
        assert_eq!(count(&linked, LifecycleDecision::Compensated), 1);
    }
}

#[dual]
async fn execute_named(governance: Governance, undo: RequestId, calls: Calls) -> Result<bool> {
    let order = order_at(version("v2"));
    let outcome = governance.execute(&undo, &order, run!(|_request| run_for_anybody(&calls))).await?;
    Ok(outcome.is_executed())
}

#[dual]
pub(crate) async fn what_an_attempt_that_failed_left_behind_is_made_up_for(world: World) {
    let (calls, governance) = (Calls::default(), &world.governance);
    let request = governance.submit(approved("request-1")).await.unwrap();
    let keeping = order().when_failed(AfterFailure::KeepApproved);
    governance.execute(&request.id, &keeping, run!(|_request| break_down(&calls))).await.unwrap();
    let plan = |trigger| CompensationPlan::new(request.id.clone(), CompensationKind::Rollback, trigger);
    let intent = || Intent::new("revoke-role", "Access").unwrap();

    // It may be attempted again, so there is nothing to make up for yet.
    let kept = world.stored(&request.id).await;
    let failed = CompensationTrigger::FailedExecution;
    let error = compensation_draft(&kept, plan(failed), intent(), user("requester")).unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotExecuted { status: Status::Approved });

    governance.execute(&request.id, &order(), run!(|_request| break_down(&calls))).await.unwrap();
    let rejected = world.stored(&request.id).await;
    assert_eq!((rejected.state.status(), rejected.side_effects.len()), (Status::Rejected, 2));
    let error = compensation_draft(&rejected, plan(CompensationTrigger::Operator), intent(), user("requester"));
    let expected = ExecutionError::NotExecuted { status: Status::Rejected };
    assert_eq!(execution_error(error.unwrap_err()), expected, "for another trigger it has to be executed");
    let draft = compensation_draft(&rejected, plan(failed), intent(), user("requester")).unwrap();
    let undo = governance.submit(draft.with_id(id("undo-1")).already_approved()).await.unwrap();
    let outcome = governance.execute(&undo.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    assert!(outcome.unwrap().is_executed());
    let (original, undo) = (world.stored(&request.id).await, world.stored(&undo.id).await);
    assert_eq!(original.execution.links.len(), 1);
    assert_eq!(original.execution.links[0].relation, LinkRelation::CompensatedBy);
    assert_eq!(original.execution.links[0].request, undo.id);
    assert_eq!((original.state.status(), count(&original, LifecycleDecision::Compensated)), (Status::Rejected, 1));
}
