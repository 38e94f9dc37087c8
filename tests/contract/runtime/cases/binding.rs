//! Times that bind what executors do: not before a time, valid for a time, and revalidation between.

use std::time::Duration;

use mutator_governance::workflow::{ExecutionOrder, ExecutionOutcome, StaleStrategy};
use mutator_governance::{
    Count, ExecutionDecision, ExecutionError, LifecycleDecision, PageRequest, Pending, PendingReason, ReadyQuery,
    RequestId, Result, Status, Swept,
};

use super::executing::run_for_anybody;
use super::flavour::Governance;
use super::{World, dual, run_concurrently};
use crate::runtime::people::{
    Calls, approved, at, count, draft, execution_error, id, order, user, user_because, version,
};

#[dual]
async fn ready_ids(world: &World) -> Vec<String> {
    let page = world.governance.ready(&ReadyQuery::new(), &PageRequest::first()).await.unwrap();
    page.items.iter().map(|request| request.id.to_string()).collect()
}

#[dual]
pub(crate) async fn nothing_is_executed_before_its_time_and_a_schedule_opens_it(world: World) {
    let request = world.governance.submit(approved("request-1").not_before(at(60))).await.unwrap();
    let calls = Calls::default();
    world.clock.set(at(60).saturating_sub(Duration::from_micros(1)));
    // It is stale, but it is too early to reject it for that.
    let stale = ExecutionOrder::new(user("executor"), version("v2")).when_stale(StaleStrategy::RejectStale);
    let executed = world.governance.execute(&request.id, &stale, run!(|_request| run_for_anybody(&calls))).await;
    assert_eq!(execution_error(executed.unwrap_err()), ExecutionError::NotYet { not_before: at(60) });
    let (found, stored) = (ready_ids(&world).await, world.stored(&request.id).await);
    assert_eq!((calls.count(), found.len(), stored), (0, 0, request.clone()), "nothing is written");

    let opened = world.governance.schedule(&request.id, user_because("olga", "all is ready"), at(30)).await.unwrap();
    assert_eq!(count(&opened, ExecutionDecision::Scheduled), 1);
    let found = ready_ids(&world).await;
    assert_eq!(found, ["request-1"]);
    let executed = world.governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    assert!(executed.unwrap().is_executed());
    let late = world.governance.schedule(&request.id, user("olga"), at(90)).await.unwrap_err();
    assert_eq!(execution_error(late), ExecutionError::TooLateToSchedule { status: Status::Executed });
}

#[dual]
pub(crate) async fn a_bad_time_is_an_error_of_its_own_and_writes_nothing(world: World) {
    let quota = |end| Pending { reason: PendingReason::Quota, expires_at: Some(at(end)) };
    let late = world.governance.submit(draft("late").not_before(at(61)).waiting_for(quota(60))).await.unwrap_err();
    assert_eq!(late.code(), "execution.start_after_deadline");
    let stored = world.governance.get(&id("late")).await.unwrap();
    assert!(stored.is_none());
    let waiting = world.governance.submit(draft("waiting").waiting_for(quota(60))).await.unwrap();
    let late = world.governance.schedule(&waiting.id, user("olga"), at(61)).await.unwrap_err();
    assert_eq!(late.code(), "execution.start_after_deadline");
    let early = world.governance.revalidate(&waiting.id, user("olga")).await.unwrap_err();
    assert_eq!(early.code(), "execution.not_revalidating");
    let stored = world.stored(&waiting.id).await;
    assert_eq!(stored, waiting);
}

#[dual]
async fn sweep(governance: Governance) -> Result<Swept> {
    governance.expire_due(user("sweeper"), 100).await
}

#[dual]
pub(crate) async fn an_approval_that_nobody_claims_binds_at_its_end_and_expires_once(world: World) {
    const SWEEPERS: usize = 4;
    let mut ids: Vec<RequestId> = Vec::new();
    for number in 0..12 {
        let draft = approved(&format!("request-{number}")).valid_for(Duration::from_secs(30)).unwrap();
        ids.push(world.governance.submit(draft).await.unwrap().id.clone());
    }
    let lasting = world.governance.submit(approved("lasting")).await.unwrap();
    world.clock.set(at(30));
    let calls = Calls::default();
    let executed = world.governance.execute(&ids[0], &order(), run!(|_request| run_for_anybody(&calls))).await;
    let error = execution_error(executed.unwrap_err());
    assert_eq!((error, calls.count()), (ExecutionError::NoLongerValid { valid_until: at(30) }, 0));
    let (found, counted) = (ready_ids(&world).await, world.governance.count_ready(&ReadyQuery::new()).await.unwrap());
    assert_eq!((found, counted), (vec!["lasting".to_owned()], Count::Exact(1)), "before any sweep");

    let governance = world.governance.clone();
    let sweeps = run_concurrently(SWEEPERS, move |_| sweep(governance.clone())).await;
    let sweeps: Vec<Swept> = sweeps.into_iter().map(Result::unwrap).collect();
    let mut expired: Vec<RequestId> = sweeps.iter().flat_map(|swept| swept.expired.clone()).collect();
    expired.sort();
    ids.sort();
    assert_eq!(expired, ids, "each is reported by one sweeper");
    for id in &ids {
        let stored = world.stored(id).await;
        assert_eq!((stored.state.status(), stored.revision().number), (Status::Expired, 1));
        assert_eq!(count(&stored, LifecycleDecision::Expired), 1);
    }
    let stored = world.stored(&lasting.id).await;
    assert_eq!(stored, lasting);
}

#[dual]
pub(crate) async fn what_is_revalidated_keeps_its_grants_and_is_executed(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    let stale = ExecutionOrder::new(user("executor"), version("v2")).when_stale(StaleStrategy::RequireRevalidation);
    let outcome = world.governance.execute(&request.id, &stale, run!(|_request| run_for_anybody(&calls))).await;
    let outcome = outcome.unwrap();
    let ExecutionOutcome::RequiresRevalidation(waiting) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(waiting.state.pending().map(|pending| pending.reason), Some(PendingReason::Revalidation));
    assert_eq!((calls.count(), outcome.is_executed()), (0, false));
    let explained = world.governance.explain(&request.id).await.unwrap().to_string();
    assert!(explained.starts_with("waits for revalidation"), "{explained}");
    let found = ready_ids(&world).await;
    assert!(found.is_empty());
    world.governance.revalidate(&request.id, user_because("olga", "still right")).await.unwrap();
    let outcome = world.governance.execute(&request.id, &stale, run!(|_request| run_for_anybody(&calls))).await;
    assert!(outcome.unwrap().is_executed());
    assert_eq!(calls.count(), 1);
}
