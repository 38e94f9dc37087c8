//! A lease that is too short, or nearly over when the answer to its claim comes: nothing runs that somebody else may be running.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mutator_governance::workflow::{Command, Completion, Failure};
use mutator_governance::{
    ClaimId, ClaimedRequest, ExecutionDecision, ExecutionError, Lease, ManualClock, RequestState, Status, WriteId,
};

use super::executing::{run_for_anybody, succeed};
use super::{Mishap, World, dual};
use crate::runtime::people::{Calls, approved, at, count, execution_error, history, order, order_of, user};

/// What has to be left of a lease, beside the time of a call.
const MARGIN: Duration = Duration::from_millis(500);

#[dual]
pub(crate) async fn a_lease_that_the_answer_to_its_claim_could_outlast_is_rejected(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    let call_timeout = world.store.call_timeout();
    let shortest = call_timeout + MARGIN;
    let just_below = shortest - Duration::from_nanos(1);
    for lease in [Duration::from_micros(1), Duration::from_millis(400), just_below] {
        let expected = ExecutionError::LeaseTooShort { lease, call_timeout, shortest };
        let short = order().with_lease(lease);
        let error = world.governance.execute(&request.id, &short, run!(|request| succeed(&calls, request))).await;
        let error = error.unwrap_err();
        let text = error.to_string();
        for named in [lease, call_timeout, shortest] {
            assert!(text.contains(&format!("{named:?}")), "{text}");
        }
        assert_eq!(execution_error(error), expected);
        let claim = Command::claim(user("executor"), ClaimId::generate(), lease);
        let error = world.governance.apply(&request.id, &claim).await.unwrap_err();
        assert_eq!(execution_error(error), expected);
        let error = world.governance.apply_as(&request.id, &claim, WriteId::generate()).await.unwrap_err();
        assert_eq!(execution_error(error), expected);
    }
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");

    let enough = order().with_lease(shortest);
    let outcome = world.governance.execute(&request.id, &enough, run!(|request| succeed(&calls, request))).await;
    assert!(outcome.unwrap().is_executed());
    assert_eq!(calls.count(), 1);
}

/// The lease as the function sees it when it begins.
#[dual]
async fn note_lease(seen: &Mutex<Option<Lease>>, request: &ClaimedRequest) -> Result<Completion, Failure> {
    *seen.lock().unwrap() = Some(request.lease().clone());
    Ok(Completion::new())
}

#[dual]
pub(crate) async fn a_claim_that_is_answered_late_is_renewed_before_it_runs(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let shaky = world.shaky();
    let late = Duration::from_millis(59_501);
    shaky.plan(1, Mishap::Late(late, None));
    let seen = Mutex::new(None);
    let governance = world.governance_over(shaky);
    let outcome = governance.execute(&request.id, &order(), run!(|request| note_lease(&seen, request))).await.unwrap();
    assert!(outcome.is_executed());
    let lease = seen.into_inner().unwrap().unwrap();
    assert_eq!(lease.ends_at(), at(60).saturating_add(late), "it ran on the renewed lease");

    let stored = world.stored(&request.id).await;
    let expected = ["VersionResolution/Validated", "Execution/Claimed", "Lifecycle/Executed"];
    assert_eq!(history(&stored, request.decisions.len()), expected);
    assert_eq!(stored.revision().number, request.revision().number + 3, "the renewal is a write without a decision");
}

#[dual]
pub(crate) async fn nothing_runs_when_every_answer_is_late(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    for update in [1, 2] {
        shaky.plan(update, Mishap::Late(Duration::from_millis(59_800), None));
    }
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await.unwrap_err();
    assert!(error.to_string().contains("nothing was run") && error.to_string().contains("200ms"), "{error}");
    let lease_ends_at = at(60).saturating_add(Duration::from_millis(59_800));
    let expected = ExecutionError::LeaseNearlyOver { lease_ends_at, left: Duration::from_millis(200) };
    assert_eq!(execution_error(error), expected);
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!((&stored.state, &stored.execution.claim), (&RequestState::Approved, &None));
    assert_eq!(count(&stored, ExecutionDecision::Released), 1);

    let other = order_of("other");
    let outcome = governance.execute(&request.id, &other, run!(|_request| run_for_anybody(&calls))).await.unwrap();
    assert!(outcome.is_executed(), "it was given back, so nobody has to wait");
    assert_eq!(calls.count(), 1);
}

#[dual]
pub(crate) async fn nothing_runs_when_somebody_took_over_before_the_answer_came(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    let takes_over = Command::claim(user("successor"), ClaimId::generate(), Duration::from_mins(1));
    shaky.plan(1, Mishap::Late(Duration::from_secs(61), Some(takes_over)));
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await.unwrap_err();
    let expected = ExecutionError::Claimed { by: "successor".to_owned(), lease_ends_at: at(121) };
    assert_eq!(execution_error(error), expected);
    assert_eq!(calls.count(), 0, "the successor runs it, and nobody else");
}

#[dual]
pub(crate) async fn nothing_runs_when_somebody_is_done_before_the_answer_comes(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (shaky, calls) = (world.shaky(), Calls::default());
    let claim = ClaimId::generate();
    let taken_over = Command::claim(user("successor"), claim, Duration::from_mins(1));
    shaky.plan(1, Mishap::Late(Duration::from_secs(61), Some(taken_over)));
    // The renewal comes upon a request that the successor has meanwhile executed.
    shaky.plan(2, Mishap::Overtaken(Command::complete(user("successor"), claim, Completion::new())));
    let governance = world.governance_over(shaky);
    let error = governance.execute(&request.id, &order(), run!(|request| succeed(&calls, request))).await.unwrap_err();
    assert_eq!(execution_error(error), ExecutionError::NotApproved { status: Status::Executed });
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(count(&stored, ExecutionDecision::Claimed), 2);
}

/// Works until its lease is over.
#[dual]
async fn watch_lease(clock: &ManualClock, request: &ClaimedRequest) -> Result<Completion, Failure> {
    let lease = request.lease().clone();
    assert_eq!(Some(lease.claim()), request.execution.claim.as_ref().map(|claim| claim.id));
    assert_eq!((lease.ends_at(), lease.remaining(), lease.is_lost()), (at(60), Duration::from_mins(1), false));
    clock.set(at(60).saturating_sub(Duration::from_micros(1)));
    assert_eq!((lease.remaining(), lease.is_lost()), (Duration::from_micros(1), false));
    clock.set(at(60));
    assert_eq!((lease.remaining(), lease.is_lost()), (Duration::ZERO, true));
    Err(Failure::new("the lease was lost"))
}

#[dual]
pub(crate) async fn the_function_sees_how_much_of_its_lease_is_left(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let clock = Arc::clone(&world.clock);
    let outcome = world.governance.execute(&request.id, &order(), run!(|request| watch_lease(&clock, request))).await;
    assert_eq!(outcome.unwrap().request().state, RequestState::Rejected, "nobody has taken over, so it is recorded");
}
