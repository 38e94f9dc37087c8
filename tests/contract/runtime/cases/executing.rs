//! `execute`: what runs, how often, and what is recorded.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Command, Completion, ExecutionOrder, ExecutionOutcome, Failure, Resolution, StaleStrategy,
};
use mutator_governance::{
    ApprovalStatus, ClaimId, Error, ExecutionDecision, ExecutionError, LifecycleDecision, ManualClock, Metadata,
    MutationRequest, OnConflict, PendingReason, RequestId, RequestState, Result, Severity, SideEffect, Status, Value,
    VersionDecision,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, pause, run_concurrently};
use crate::runtime::people::{
    Calls, approval, approved, at, count, draft, execution_error, history, needing, order, order_of, user, version,
};

fn side_effect() -> SideEffect {
    SideEffect::new("CacheInvalidated", "the role cache", Severity::Info, at(1)).unwrap()
}

/// Executes well: v2 comes of it, and a side effect.
#[dual]
pub(crate) async fn succeed(calls: &Calls, request: &MutationRequest) -> Result<Completion, Failure> {
    calls.add();
    let claim = request.execution.claim.as_ref().unwrap();
    assert_eq!(claim.by.label(), "executor");
    assert_eq!(request.state, RequestState::Approved);
    Ok(Completion::new().resulting_in(version("v2")).with_side_effect(side_effect()))
}

/// Executes well, whoever does it.
#[dual]
pub(crate) async fn run_for_anybody(calls: &Calls) -> Result<Completion, Failure> {
    calls.add();
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn break_down(calls: &Calls) -> Result<Completion, Failure> {
    calls.add();
    let about = Metadata::new().with("attempt", 1).unwrap();
    Err(Failure::new("the directory is down").with_code("E42").with_metadata(about).with_side_effect(side_effect()))
}

#[dual]
pub(crate) async fn it_runs_once_and_records_what_came_of_it(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    world.clock.set(at(5));
    let calls = Calls::default();
    let outcome = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
    let outcome = outcome.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(outcome.resolution(), Resolution::ExecuteApprovedVersion);
    assert_eq!(calls.count(), 1);

    let stored = world.stored(&request.id).await;
    assert_eq!(*outcome.request(), stored);
    assert_eq!(stored.state, RequestState::Executed { at: at(5), resulting_version: Some(version("v2")) });
    assert_eq!(stored.side_effects, [side_effect()]);
    assert_eq!(stored.execution.claim, None);
    let expected = ["VersionResolution/Validated", "Execution/Claimed", "Lifecycle/Executed"];
    assert_eq!(history(&stored, request.decisions.len()), expected);
    assert_eq!(stored.revision().number, 2, "one write to claim, one to record");

    let again = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
    let expected = ExecutionError::NotApproved { status: Status::Executed };
    assert_eq!(execution_error(again.unwrap_err()), expected);
    assert_eq!(calls.count(), 1);
    let unchanged = world.stored(&request.id).await;
    assert_eq!(unchanged, stored);
}

#[dual]
pub(crate) async fn a_failure_rejects_or_keeps_approved(world: World) {
    let calls = Calls::default();
    let request = world.governance.submit(approved("rejected")).await.unwrap();
    let outcome = world.governance.execute(&request.id, &order(), run!(|_request| break_down(&calls))).await.unwrap();
    let ExecutionOutcome::Failed { request: rejected, failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.message.as_str(), failure.code.as_deref()), ("the directory is down", Some("E42")));
    assert_eq!(rejected.state, RequestState::Rejected);
    assert_eq!(rejected.side_effects, [side_effect()]);
    let failed = &rejected.decisions[rejected.decisions.len() - 2];
    assert_eq!(failed.kind, ExecutionDecision::Failed.into());
    let last = rejected.decisions.last().unwrap();
    assert_eq!(last.kind, LifecycleDecision::Rejected.into());
    for decision in [failed, last] {
        assert_eq!(decision.reason.as_deref(), Some("the directory is down"));
        assert_eq!(decision.metadata.get("code"), Some(&Value::from("E42")));
        assert_eq!(decision.metadata.get("attempt"), Some(&Value::from(1)));
    }
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, rejected);

    let request = world.governance.submit(approved("kept")).await.unwrap();
    let keeping = order().when_failed(AfterFailure::KeepApproved);
    let outcome = world.governance.execute(&request.id, &keeping, run!(|_request| break_down(&calls))).await.unwrap();
    assert!(matches!(outcome, ExecutionOutcome::Failed { .. }));
    assert_eq!(outcome.request().state, RequestState::Approved);
    assert_eq!(outcome.request().execution.claim, None);
    assert_eq!(count(outcome.request(), ExecutionDecision::Failed), 1);
    assert_eq!(calls.count(), 2);
    let outcome = world.governance.execute(&request.id, &keeping, run!(|request| succeed(&calls, request))).await;
    assert!(outcome.unwrap().is_executed(), "it is not claimed any more, so another attempt needs no waiting");
    assert_eq!(calls.count(), 3);
}

fn at_v2(strategy: StaleStrategy) -> ExecutionOrder {
    ExecutionOrder::new(user("executor"), version("v2")).when_stale(strategy).with_lease(Duration::from_mins(1))
}

#[dual]
pub(crate) async fn a_stale_request_is_rejected_without_running(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (calls, order) = (Calls::default(), at_v2(StaleStrategy::RejectStale));
    let outcome = world.governance.execute(&request.id, &order, run!(|request| succeed(&calls, request))).await;
    let outcome = outcome.unwrap();
    assert!(matches!(outcome, ExecutionOutcome::RejectedAsStale(_)), "{outcome:?}");
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(*outcome.request(), stored);
    assert_eq!(stored.state, RequestState::Rejected);
    let expected = ["VersionResolution/RejectedAsStale", "Lifecycle/Rejected"];
    assert_eq!(history(&stored, request.decisions.len()), expected);
    let about = &stored.decisions[request.decisions.len()].metadata;
    assert_eq!(about.get("current_version"), Some(&Value::from("v2")));
    assert_eq!(about.get("expected_version"), Some(&Value::from("v1")));
}

#[dual]
pub(crate) async fn a_stale_request_is_renewed_without_running(world: World) {
    let draft = needing("request-1", &["alice", "bob"]).for_version(version("v1"));
    let request = world.governance.submit(draft).await.unwrap();
    let (first, second) = (approval("approval-1"), approval("approval-2"));
    world.governance.approve_requirement(&request.id, &first, user("alice")).await.unwrap();
    let granted = world.governance.approve_requirement(&request.id, &second, user("bob")).await.unwrap();

    let (calls, order) = (Calls::default(), at_v2(StaleStrategy::RequireRenewedApproval));
    let outcome = world.governance.execute(&request.id, &order, run!(|request| succeed(&calls, request))).await;
    let outcome = outcome.unwrap();
    assert!(matches!(outcome, ExecutionOutcome::RequiresRenewedApproval(_)), "{outcome:?}");
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(*outcome.request(), stored);
    assert_eq!(stored.state.pending().unwrap().reason, PendingReason::Approval);
    assert_eq!(stored.versioning.expected, Some(version("v2")));
    assert_eq!(stored.approval_round, 2);
    assert_eq!(stored.execution.claim, None);
    assert!(stored.approvals.iter().all(|approval| approval.state.status() == ApprovalStatus::Pending));
    assert!(stored.decisions.starts_with(&granted.decisions));

    world.governance.approve_requirement(&request.id, &first, user("alice")).await.unwrap();
    world.governance.approve_requirement(&request.id, &second, user("bob")).await.unwrap();
    let outcome = world.governance.execute(&request.id, &order, run!(|request| succeed(&calls, request))).await;
    assert!(outcome.unwrap().is_executed(), "a renewed request can be approved and executed");
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_stale_request_is_revalidated_and_runs(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (calls, order) = (Calls::default(), at_v2(StaleStrategy::RevalidateOnLatestState));
    let outcome = world.governance.execute(&request.id, &order, run!(|request| succeed(&calls, request))).await;
    let outcome = outcome.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(calls.count(), 1);
    let stored = outcome.request();
    assert_eq!(stored.versioning.expected, Some(version("v2")));
    assert_eq!(count(stored, VersionDecision::RevalidationRequired), 1);
    assert_eq!(outcome.resolution(), Resolution::RevalidateOnLatestState);
}

#[dual]
pub(crate) async fn without_approvals_there_is_nothing_to_renew(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (calls, order) = (Calls::default(), at_v2(StaleStrategy::RequireRenewedApproval));
    let error = world.governance.execute(&request.id, &order, run!(|request| succeed(&calls, request))).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("choose another strategy"), "{error}");
    assert_eq!(execution_error(error), ExecutionError::NothingToRenew);
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request);
}

#[dual]
pub(crate) async fn a_claim_keeps_others_out_until_its_lease_ends(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let claim = Command::claim(user("first"), ClaimId::generate(), Duration::from_mins(1));
    let claimed = world.governance.apply(&request.id, &claim).await.unwrap();
    let calls = Calls::default();
    let just_before = at(60).saturating_sub(Duration::from_micros(1));
    for now in [at(0), at(59), just_before] {
        world.clock.set(now);
        let error = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains("wait for that, or until the lease ends at"), "{error}");
        let expected = ExecutionError::Claimed { by: "first".to_owned(), lease_ends_at: at(60) };
        assert_eq!(execution_error(error), expected);
        let error = world.governance.cancel(&request.id, user("requester")).await.unwrap_err();
        assert_eq!(execution_error(error), expected);
    }
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, claimed);

    world.clock.set(at(60));
    let outcome = world.governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
    let outcome = outcome.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(calls.count(), 1);
    let taken_over =
        outcome.request().decisions.iter().rfind(|decision| decision.kind == ExecutionDecision::Claimed.into());
    let previous = claimed.execution.claim.as_ref().unwrap().id.to_string();
    assert_eq!(taken_over.unwrap().metadata.get("previous_claim"), Some(&Value::from(previous)));
}

/// Takes longer than its lease, and somebody else takes over meanwhile.
#[dual]
async fn oversleep(
    clock: &ManualClock,
    other: &Governance,
    id: &RequestId,
    calls: &Calls,
) -> Result<Completion, Failure> {
    calls.add();
    clock.advance(Duration::from_mins(1));
    let outcome = other.execute(id, &order_of("successor"), run!(|_request| run_for_anybody(calls))).await.unwrap();
    assert!(outcome.is_executed());
    Ok(Completion::new().resulting_in(version("v9")))
}

#[dual]
pub(crate) async fn a_late_executor_records_nothing_over_its_successor(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (clock, governance, calls) = (&world.clock, &world.governance, Calls::default());
    let late = run!(|request| oversleep(clock, governance, &request.id, &calls));
    let error = world.governance.execute(&request.id, &order(), late).await.unwrap_err();
    assert!(error.to_string().contains("find out what the interrupted execution did"), "{error}");
    let error = execution_error(error);
    assert!(matches!(error, ExecutionError::ClaimLost { status: Status::Executed, .. }), "{error:?}");
    assert_eq!(calls.count(), 2);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored.state, RequestState::Executed { at: at(60), resulting_version: None });
    assert_eq!(count(&stored, LifecycleDecision::Executed), 1);
    assert_eq!(count(&stored, ExecutionDecision::Claimed), 2);
}

#[dual]
async fn take_too_long(clock: &ManualClock) -> Result<Completion, Failure> {
    clock.advance(Duration::from_hours(1));
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn a_late_executor_without_successor_records_what_it_did(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let clock = &world.clock;
    let outcome = world.governance.execute(&request.id, &order(), run!(|_request| take_too_long(clock))).await;
    assert_eq!(outcome.unwrap().request().state, RequestState::Executed { at: at(3_600), resulting_version: None });
}

#[dual]
pub(crate) async fn a_result_is_recorded_whoever_else_writes(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (clock, shaky) = (&world.clock, world.shaky());
    // The lease is over, so others may resolve the request again; between reading and writing they do.
    let validate = Command::resolve(user("other"), version("v1"), StaleStrategy::RejectStale);
    shaky.plan(2, Mishap::Overtaken(validate));
    let governance = world.governance_over(Arc::clone(&shaky)).on_conflict(OnConflict::Fail);
    let outcome = governance.execute(&request.id, &order(), run!(|_request| take_too_long(clock))).await.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(shaky.conflicts(), 1);
    assert_eq!(count(outcome.request(), VersionDecision::Validated), 2);
    let stored = world.stored(&request.id).await;
    assert_eq!(*outcome.request(), stored);
}

#[dual]
async fn take_a_while(calls: &Calls) -> Result<Completion, Failure> {
    calls.add();
    pause(Duration::from_millis(3)).await;
    Ok(Completion::new())
}

/// One of many executors; its future is `Send`, or it could not be spawned.
#[dual]
async fn compete(governance: Governance, id: RequestId, calls: Calls) -> Result<ExecutionOutcome> {
    governance.execute(&id, &order(), run!(|_request| take_a_while(&calls))).await
}

#[dual]
pub(crate) async fn of_sixteen_executors_one_runs(world: World) {
    for round in 0..4 {
        let request = world.governance.submit(approved(&format!("round-{round}"))).await.unwrap();
        let shaky = world.shaky();
        shaky.let_readers_meet(&request.id, 16);
        let (governance, id, calls) = (world.governance_over(Arc::clone(&shaky)), request.id.clone(), Calls::default());
        let counted = calls.clone();
        let outcomes = run_concurrently(16, move |_| compete(governance.clone(), id.clone(), counted.clone())).await;
        assert_eq!(calls.count(), 1);
        assert_eq!(shaky.conflicts(), 15, "all had read the same revision");
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 15));
        for error in lost.into_iter().map(Result::unwrap_err) {
            let error = execution_error(error);
            let expected = [
                ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(60) },
                ExecutionError::NotApproved { status: Status::Executed },
            ];
            assert!(expected.contains(&error), "{error:?}");
        }
        let stored = world.stored(&request.id).await;
        assert_eq!(count(&stored, ExecutionDecision::Claimed), 1);
        assert_eq!(count(&stored, LifecycleDecision::Executed), 1);
    }
}

#[dual]
async fn note(notes: &mut Vec<String>, request: &MutationRequest) -> Result<Completion, Failure> {
    notes.push(request.id.to_string());
    pause(Duration::ZERO).await;
    notes.push(request.revision().number.to_string());
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn the_closure_borrows_from_its_surroundings(world: World) {
    let request = world.governance.submit(draft("request-1").already_approved()).await.unwrap();
    let mut notes = Vec::new();
    let noting = run!(|request| note(&mut notes, request));
    world.governance.execute(&request.id, &order(), noting).await.unwrap();
    assert_eq!(notes, ["request-1", "1"], "it is given the request as it was claimed");
    let executed =
        world.governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&Calls::default()))).await;
    assert!(matches!(executed, Err(Error::Execution { .. })));
}
