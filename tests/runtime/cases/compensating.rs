//! Requests that make up for others.

use std::sync::Arc;

use mutator_governance::workflow::{ExecutionOrder, compensation_draft};
use mutator_governance::{
    CompensationKind, CompensationPlan, CompensationTrigger, Error, ExecutionRefusal, Intent, LifecycleDecision,
    LinkRelation, MutationRequest, RequestDraft, RequestId, Result, StateVersion, Status,
};

use super::executing::{run_for_anybody, succeed};
use super::flavour::Governance;
use super::{Mishap, World, dual, together};
use crate::people::{Calls, approved, count, draft, execution_refusal, id, order, user, version};

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
    // 1: claimed, 2: executed, 3: linked.
    shaky.plan(3, Mishap::Lost);
    let governance = world.governance_over(Arc::clone(&shaky));
    let error =
        governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
    assert_eq!((calls.count(), shaky.updates()), (1, 3));
    let stored = world.stored(&compensation.id).await;
    assert_eq!(stored.state.status(), Status::Executed);
    let untouched = world.stored(&original.id).await;
    assert_eq!(untouched, original);

    for _ in 0..2 {
        // The current version says nothing about a request that is executed already.
        let later = order_at(version("v3"));
        let outcome = governance.execute(&compensation.id, &later, run!(|request| succeed(&calls, request))).await;
        assert!(outcome.unwrap().is_executed());
        assert_eq!(calls.count(), 1);
        let linked = world.stored(&original.id).await;
        assert_linked(&linked, &stored);
        assert_eq!(linked.revision().number, original.revision().number + 1);
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
    shaky.plan(2, Mishap::Lost);
    let governance = world.governance_over(shaky);
    let executed = governance.execute(&compensation.id, &order, run!(|request| succeed(&calls, request))).await;
    let error = executed.unwrap_err();
    let advice = "Once it is recorded, execute it again, which runs nothing: that links request request-1";
    assert!(error.to_string().contains(advice), "{error}");
    let Error::Unrecorded(unrecorded) = error else { panic!("{error}") };
    assert_eq!(unrecorded.compensates.as_ref(), Some(&original.id));
    governance.apply(&compensation.id, &unrecorded.record).await.unwrap();
    let unlinked = world.stored(&original.id).await;
    assert_eq!(unlinked, original);

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
    shaky.plan(3, Mishap::Lost);
    let interrupted = execute_again(world.governance_over(shaky), compensation.id.clone(), calls.clone()).await;
    assert!(interrupted.is_err());

    let shaky = world.shaky();
    shaky.let_readers_meet(&original.id, 8);
    let (governance, id, counted) = (world.governance_over(shaky), compensation.id.clone(), calls.clone());
    let outcomes = together(8, move |_| execute_again(governance.clone(), id.clone(), counted.clone())).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    assert_eq!(calls.count(), 1);
    let (linked, compensation) = (world.stored(&original.id).await, world.stored(&compensation.id).await);
    assert_linked(&linked, &compensation);
    assert_eq!(linked.revision().number, original.revision().number + 1, "linked already, it stays as it is");
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
    assert_eq!(execution_refusal(error), ExecutionRefusal::NotExecuted { status: Status::Approved });
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
