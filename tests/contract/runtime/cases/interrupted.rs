//! An executor that loses its store between claiming, running and recording: never twice within one lease, never lost.

use std::sync::Arc;

use mutator_governance::{
    Error, ExecutionDecision, ExecutionError, Outcome, RequestState, Status, StoreErrorKind, Value,
};

use super::executing::{run_for_anybody, succeed};
use super::{Mishap, World, dual};
use crate::runtime::people::{Calls, approved, at, count, execution_error, order, order_of, version};

#[dual]
pub(crate) async fn a_claim_that_was_not_written_is_tried_again_at_once(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(1, Mishap::Lost);
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, true));
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request);

    let outcome = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    assert!(outcome.unwrap().is_executed());
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_claim_whose_reply_was_lost_holds_until_its_lease_ends(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(1, Mishap::ReplyLost);
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(calls.count(), 0);

    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    let expected = ExecutionError::Claimed { by: "executor".to_owned(), lease_ends_at: at(60) };
    assert_eq!(execution_error(error), expected);
    assert_eq!(calls.count(), 0);
    world.clock.set(at(60));
    let outcome = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    assert!(outcome.unwrap().is_executed(), "the request is not lost");
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_result_that_was_not_written_is_not_repeated_within_the_lease(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(2, Mishap::Lost);
    let governance = world.governance_over(Arc::clone(&shaky));
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert_eq!((calls.count(), shaky.updates()), (1, 2));
    let interrupted = world.stored(&request.id).await;
    assert_eq!(interrupted.state, RequestState::Approved);
    let claim = interrupted.execution.claim.clone().unwrap();

    let other = order_of("other");
    let error = governance.execute(&request.id, &other, run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert!(matches!(execution_error(error), ExecutionError::Claimed { .. }));
    assert_eq!(calls.count(), 1);
    world.clock.set(at(60));
    let outcome = governance.execute(&request.id, &other, run!(|_request| run_for_anybody(&calls))).await.unwrap();
    assert!(outcome.is_executed(), "the request is not lost");
    assert_eq!(calls.count(), 2);
    let mut decisions = outcome.request().decisions.iter().rev();
    let claimed = decisions.find(|decision| decision.kind == ExecutionDecision::Claimed.into());
    let previous = claimed.unwrap().metadata.get("previous_claim").cloned();
    assert_eq!(previous, Some(Value::from(claim.id.to_string())), "the history tells that it may have run before");
}

#[dual]
pub(crate) async fn a_result_that_was_not_written_can_be_recorded_later(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(2, Mishap::Lost);
    let governance = world.governance_over(shaky);
    let result = governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await;
    let error = result.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(error.to_string().contains("Apply the command in this error"), "{error}");
    assert!(!error.to_string().contains("links"), "{error}");
    let Error::Unrecorded(unrecorded) = error else { panic!("{error}") };
    let claim = world.stored(&request.id).await.execution.claim.as_ref().unwrap().id;
    world.clock.set(at(600));
    assert_eq!((&unrecorded.id, unrecorded.claim), (&request.id, claim));
    let complete = unrecorded.record;
    let executed = governance.apply(&request.id, &complete).await.unwrap();
    assert_eq!(executed.state, RequestState::Executed { at: at(600), resulting_version: Some(version("v2")) });
    let again = governance.apply(&request.id, &complete).await.unwrap_err();
    assert!(matches!(execution_error(again), ExecutionError::ClaimLost { .. }));
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn a_result_that_is_written_but_unconfirmed_is_not_called_unrecorded(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(2, Mishap::Unconfirmed);
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert!(matches!(&error, Error::Store(error) if error.kind == StoreErrorKind::Unconfirmed), "{error:?}");
    assert_eq!((error.outcome(), calls.count()), (Outcome::Applied, 1));
    let stored = world.stored(&request.id).await;
    assert_eq!(stored.state.status(), Status::Executed);
}

#[dual]
pub(crate) async fn a_result_whose_reply_was_lost_is_never_repeated(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    shaky.plan(2, Mishap::ReplyLost);
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(calls.count(), 1);
    world.clock.set(at(3_600));
    let error = governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await.unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotApproved { status: Status::Executed });
    assert_eq!(calls.count(), 1);
    let stored = world.stored(&request.id).await;
    assert_eq!(count(&stored, ExecutionDecision::Claimed), 1);
}
