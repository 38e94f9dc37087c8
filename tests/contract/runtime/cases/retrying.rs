//! Executions that fail and are tried again by a policy.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Command, ExecutionOutcome, Resolution, StaleStrategy};
use mutator_governance::{ClaimId, ExecutionError, RetryPolicy, Status};

use super::executing::{break_down, succeed};
use super::{World, dual};
use crate::runtime::people::{Calls, approved, at, execution_error, history, order, user, version};

/// Pauses of 10, 20, 20, … seconds.
fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy::new(attempts).unwrap().pauses(Duration::from_secs(10), Duration::from_secs(20)).unwrap()
}

/// The function is called once for each attempt, no earlier than the pause allows; each attempt is one decision, and
/// after the last the request is rejected.
#[dual]
pub(crate) async fn each_attempt_is_one_decision_until_the_last_rejects(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (calls, order) = (Calls::default(), order().when_failed(AfterFailure::Retry(policy(4))));
    for (attempt, second) in [(1, 100), (2, 110), (3, 130)] {
        world.clock.set(at(second - 1));
        if attempt > 1 {
            let early = world.governance.execute(&request.id, &order, run!(|_request| break_down(&calls))).await;
            let error = execution_error(early.unwrap_err());
            assert_eq!(error, ExecutionError::BetweenAttempts { failed: attempt - 1, next_at: at(second) });
        }
        world.clock.set(at(second));
        let outcome = world.governance.execute(&request.id, &order, run!(|_request| break_down(&calls))).await.unwrap();
        assert!(matches!(outcome, ExecutionOutcome::Failed { .. }), "{outcome:?}");
        let failed = outcome.request().execution.failed_attempts.clone().unwrap();
        assert_eq!((failed.failed, failed.allowed, failed.last_at), (attempt, 4, at(second)));
        let stored = world.stored(&request.id).await;
        assert_eq!(stored, *outcome.request());
        assert_eq!(calls.count(), attempt as usize);
        assert_eq!(history(&stored, request.decisions.len()), vec!["Execution/Failed"; attempt as usize]);
    }
    world.clock.set(at(150));
    let outcome = world.governance.execute(&request.id, &order, run!(|_request| break_down(&calls))).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, *outcome.request());
    assert_eq!(stored.state.status(), Status::Rejected);
    let mut expected = vec!["Execution/Failed"; 4];
    expected.push("Lifecycle/Rejected");
    assert_eq!(history(&stored, request.decisions.len()), expected);
    assert_eq!(calls.count(), 4);
}

/// A program that takes part by commands sees the same pauses.
#[dual]
pub(crate) async fn a_submitted_policy_binds_who_executes_by_commands(world: World) {
    let request = world.governance.submit(approved("request-1").retrying(policy(3))).await.unwrap();
    let (calls, order) = (Calls::default(), order().when_failed(AfterFailure::AsSubmitted));
    let outcome = world.governance.execute(&request.id, &order, run!(|_request| break_down(&calls))).await.unwrap();
    let next_at = outcome.request().execution.failed_attempts.clone().unwrap().next_at;
    let claim = Command::claim(user("executor"), ClaimId::generate(), Duration::from_mins(1));
    let error = world.governance.apply(&request.id, &claim).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), ("execution.between_attempts", Some(next_at)));
    world.clock.set(next_at);
    let claimed = world.governance.apply(&request.id, &claim).await.unwrap();
    assert!(claimed.execution.claim.is_some());
    assert_eq!(history(&claimed, request.decisions.len()), ["Execution/Failed"]);
}

/// The outcome says for which version it ran, whichever attempt succeeds.
#[dual]
pub(crate) async fn a_later_attempt_knows_that_it_was_revalidated(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    let to_v2 = mutator_governance::workflow::ExecutionOrder::new(user("executor"), version("v2"))
        .with_lease(Duration::from_mins(1))
        .when_stale(StaleStrategy::RevalidateOnLatestState)
        .when_failed(AfterFailure::Retry(policy(4)));
    world.governance.execute(&request.id, &to_v2, run!(|_request| break_down(&calls))).await.unwrap();
    world.clock.set(at(world.clock_seconds() + 10));
    let outcome =
        world.governance.execute(&request.id, &to_v2, run!(|request| succeed(&calls, request))).await.unwrap();
    assert!(outcome.is_executed());
    assert_eq!(outcome.resolution(), Resolution::RevalidateOnLatestState);
    let expected = ["VersionResolution/RevalidationRequired", "Execution/Failed", "Lifecycle/Executed"];
    assert_eq!(history(outcome.request(), request.decisions.len()), expected);
}
