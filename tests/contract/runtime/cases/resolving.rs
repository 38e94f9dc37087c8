//! Resolving alone stores nothing; resolving and storing does, and both say the same.

use mutator_governance::workflow::{Resolution, StaleStrategy};
use mutator_governance::{Error, MutationRequest, PendingReason, Status};

use super::{World, dual};
use crate::runtime::people::{approval, history, id, needing, user, version};

/// Approved by alice for version v1.
#[dual]
async fn approved_by_alice(world: &World, name: &str) -> MutationRequest {
    let request = world.governance.submit(needing(name, &["alice"]).for_version(version("v1"))).await.unwrap();
    world.governance.approve_requirement(&request.id, &approval("approval-1"), user("alice")).await.unwrap()
}

#[dual]
pub(crate) async fn resolving_stores_only_on_request(world: World) {
    use StaleStrategy::{RejectStale, RequireRenewedApproval, RevalidateOnLatestState};
    let table = [
        ("current", "v1", RejectStale, Resolution::ExecuteApprovedVersion, Status::Approved),
        ("stale", "v2", RejectStale, Resolution::RejectedAsStale, Status::Rejected),
        ("renewed", "v2", RequireRenewedApproval, Resolution::RequiresRenewedApproval, Status::Pending),
        ("revalidated", "v2", RevalidateOnLatestState, Resolution::RevalidateOnLatestState, Status::Approved),
    ];
    for (name, current, strategy, expected, status) in table {
        let request = approved_by_alice(&world, name).await;
        let (current, by) = (version(current), user("executor"));
        let (resolution, foreseen) = world.governance.resolve(&id(name), &current, strategy, by.clone()).await.unwrap();
        assert_eq!((resolution, foreseen.state.status()), (expected, status), "{name}");
        let stored = world.stored(&id(name)).await;
        assert_eq!(stored, request, "{name}: nothing is written");

        let (resolution, done) = world.governance.resolve_and_store(&id(name), &current, strategy, by).await.unwrap();
        assert_eq!(resolution, expected, "{name}");
        assert_eq!(done.document(), foreseen.document(), "{name}");
        let stored = world.stored(&id(name)).await;
        assert_eq!(stored, done, "{name}");
        assert_eq!(stored.revision().number, request.revision().number + 1, "{name}");
    }
}

/// The outcome is that of the last resolution, whatever was recorded of earlier ones.
#[dual]
pub(crate) async fn a_request_is_resolved_again_and_again(world: World) {
    let request = approved_by_alice(&world, "request-1").await;
    for (current, expected) in [
        ("v2", Resolution::RevalidateOnLatestState),
        ("v2", Resolution::ExecuteApprovedVersion),
        ("v3", Resolution::RevalidateOnLatestState),
    ] {
        let (current, strategy) = (version(current), StaleStrategy::RevalidateOnLatestState);
        let resolved = world.governance.resolve_and_store(&request.id, &current, strategy, user("executor")).await;
        let (resolution, _) = resolved.unwrap();
        assert_eq!(resolution, expected);
    }
    let stored = world.stored(&request.id).await;
    let kinds = ["RevalidationRequired", "Validated", "RevalidationRequired"];
    assert_eq!(history(&stored, request.decisions.len()), kinds.map(|kind| format!("VersionResolution/{kind}")));
}

#[dual]
pub(crate) async fn only_approved_requests_that_exist_are_resolved(world: World) {
    let waiting = world.governance.submit(needing("request-1", &["a"])).await.unwrap();
    assert!(waiting.state.pending().is_some_and(|pending| pending.reason == PendingReason::Approval));
    let (strategy, by) = (StaleStrategy::RejectStale, user("executor"));
    let asked = world.governance.resolve(&waiting.id, &version("v1"), strategy, by.clone()).await.unwrap_err();
    assert!(matches!(asked, Error::Execution { .. }), "{asked}");
    let error =
        world.governance.resolve_and_store(&waiting.id, &version("v1"), strategy, by.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Execution { .. }), "{error}");
    let unknown = world.governance.resolve(&id("nobody"), &version("v1"), strategy, by).await.unwrap_err();
    assert!(matches!(unknown, Error::NotFound { .. }), "{unknown}");
    let stored = world.stored(&waiting.id).await;
    assert_eq!(stored, waiting);
}
