//! What nothing else here calls does what its name says, and stores it.

use mutator_governance::{
    ApprovalStatus, Error, PageRequest, PendingReason, Rejection, RequestId, RequestState, Status,
};

use super::{World, dual};
use crate::runtime::people::{approval, at, draft, history, id, needing, user, user_because};

#[dual]
pub(crate) async fn approvals_are_asked_for_with_an_end(world: World) {
    let waiting = needing("request-1", &["alice"]).waiting_for(PendingReason::Schedule);
    let request = world.governance.submit(waiting).await.unwrap();
    let asked = world.governance.request_approvals(&request.id, user("scheduler"), Some(at(60))).await.unwrap();
    let pending = asked.state.pending().unwrap();
    assert_eq!((pending.reason, pending.expires_at), (PendingReason::Approval, Some(at(60))));
    assert_eq!(history(&asked, request.decisions.len()), ["Lifecycle/Pending", "Approval/Requested"]);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, asked);
    let granted =
        world.governance.approve_requirement(&request.id, &approval("approval-1"), user("alice")).await.unwrap();
    assert_eq!(granted.state, RequestState::Approved);
}

#[dual]
pub(crate) async fn a_request_is_rejected_and_expired(world: World) {
    for name in ["rejected", "expired"] {
        world.governance.submit(draft(name).waiting_for(PendingReason::ManualReview)).await.unwrap();
    }
    let by = user_because("admin", "out of time");
    let rejected = world.governance.reject_request(&id("rejected"), by.clone()).await.unwrap();
    let expired = world.governance.expire(&id("expired"), by).await.unwrap();
    for (done, status, decision) in
        [(rejected, Status::Rejected, "Lifecycle/Rejected"), (expired, Status::Expired, "Lifecycle/Expired")]
    {
        let stored = world.stored(&done.id).await;
        assert_eq!(stored, done);
        assert_eq!((stored.state.status(), history(&stored, 2)), (status, vec![decision.to_owned()]));
        assert_eq!(stored.decisions[2].reason.as_deref(), Some("out of time"));
    }
}

#[dual]
pub(crate) async fn a_rejection_is_stored_with_its_reason(world: World) {
    let request = world.governance.submit(needing("request-1", &["alice"])).await.unwrap();
    let rejection = Rejection::new("E7", "too broad").in_category("scope");
    let by = user_because("alice", "see E7");
    let first = approval("approval-1");
    let rejected =
        world.governance.reject_requirement(&request.id, &first, by.clone(), Some(rejection.clone())).await.unwrap();
    assert_eq!(rejected.state, RequestState::Rejected);
    assert_eq!(rejected.approvals[0].state.status(), ApprovalStatus::Rejected);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, rejected);
    let mutator_governance::ApprovalState::Rejected { verdict, rejection: why } = &stored.approvals[0].state else {
        panic!("{:?}", stored.approvals[0].state)
    };
    assert_eq!((&verdict.by, why.as_deref()), (&by, Some(&rejection)));
}

#[dual]
pub(crate) async fn requests_are_read_by_state_and_by_ids(world: World) {
    let elsewhere = mutator_governance::Target::new("tenant:other", "Tenant", "RoleGrant").unwrap();
    for (seconds, name) in [(1, "b"), (2, "a"), (3, "created")] {
        world.clock.set(at(seconds));
        let own = draft(name);
        let own = if name == "created" { own } else { own.waiting_for(PendingReason::Quota) };
        world.governance.submit(own).await.unwrap();
    }
    let other = mutator_governance::Intent::new("grant-role", "Access").unwrap();
    let other = mutator_governance::RequestDraft::new(elsewhere, other, user("requester")).with_id(id("other"));
    world.governance.submit(other.waiting_for(PendingReason::Quota)).await.unwrap();

    let state = world.stored(&id("a")).await.target.state_id.clone();
    let names = |page: &[mutator_governance::MutationRequest]| -> Vec<RequestId> {
        page.iter().map(|request| request.id.clone()).collect()
    };
    let first = world.governance.pending_by_state(&state, &PageRequest::of(1).unwrap()).await.unwrap();
    assert_eq!(names(&first.items), [id("b")]);
    let rest = PageRequest::of(5).unwrap().after(first.next.unwrap());
    let rest = world.governance.pending_by_state(&state, &rest).await.unwrap();
    assert_eq!((names(&rest.items), rest.next), (vec![id("a")], None));

    let lookup = world.governance.get_many(&[id("other"), id("nobody"), id("a")]).await.unwrap();
    let found: Vec<Option<RequestId>> =
        lookup.requests.into_iter().map(|found| found.map(|request| request.id.clone())).collect();
    assert_eq!(found, [Some(id("other")), None, Some(id("a"))]);
    assert!(lookup.unreadable.is_empty());
    let too_many = world.governance.get_many(&vec![id("a"); PageRequest::MAX_LIMIT + 1]).await;
    assert!(matches!(too_many, Err(Error::Invalid(_))), "{too_many:?}");
}
