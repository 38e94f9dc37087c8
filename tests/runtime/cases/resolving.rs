//! How an approved request stands to the version of its state: asked, and stored.

use mutator_governance::workflow::{Resolution, StaleStrategy};
use mutator_governance::{Error, PendingReason, RequestState, Status, VersionDecision};

use super::{World, dual};
use crate::people::{approved, count, id, needing, user, version};

#[dual]
pub(crate) async fn asking_stores_nothing(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    for (strategy, expected, status) in [
        (StaleStrategy::RejectStale, Resolution::RejectedAsStale, Status::Rejected),
        (StaleStrategy::RevalidateOnLatestState, Resolution::RevalidateOnLatestState, Status::Approved),
    ] {
        let (resolution, resolved) =
            world.governance.resolve(&request.id, &version("v2"), strategy, user("executor")).await.unwrap();
        assert_eq!((resolution, resolved.state.status()), (expected, status));
        let stored = world.stored(&request.id).await;
        assert_eq!(stored, request);
    }
}

#[dual]
pub(crate) async fn what_it_becomes_is_stored(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (fits, stored_once) = world
        .governance
        .resolve_and_store(&request.id, &version("v1"), StaleStrategy::RejectStale, user("executor"))
        .await
        .unwrap();
    assert_eq!((fits, stored_once.revision().number), (Resolution::ExecuteApprovedVersion, 1));
    assert_eq!(count(&stored_once, VersionDecision::Validated), 1);
    let (stale, rejected) = world
        .governance
        .resolve_and_store(&request.id, &version("v2"), StaleStrategy::RejectStale, user("executor"))
        .await
        .unwrap();
    assert_eq!((stale, &rejected.state), (Resolution::RejectedAsStale, &RequestState::Rejected));
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, rejected);
}

#[dual]
pub(crate) async fn only_approved_requests_that_exist_are_resolved(world: World) {
    let waiting = world.governance.submit(needing("request-1", &["a"])).await.unwrap();
    assert!(waiting.state.pending().is_some_and(|pending| pending.reason == PendingReason::Approval));
    let (strategy, by) = (StaleStrategy::RejectStale, user("executor"));
    let asked = world.governance.resolve(&waiting.id, &version("v1"), strategy, by.clone()).await.unwrap_err();
    assert!(matches!(asked, Error::Execution { .. }), "{asked}");
    let told = world.governance.resolve_and_store(&waiting.id, &version("v1"), strategy, by.clone()).await.unwrap_err();
    assert!(matches!(told, Error::Execution { .. }), "{told}");
    let unknown = world.governance.resolve(&id("nobody"), &version("v1"), strategy, by).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { .. }), "{unknown}");
    let stored = world.stored(&waiting.id).await;
    assert_eq!(stored, waiting);
}
