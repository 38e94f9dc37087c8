//! Approvals through the service: digests, break-glass, explanations.

use std::sync::Arc;

use mutator_governance::{
    ActorContext, ApprovalDecision, ApprovalError, ApprovalRule, ApprovalStatus, Error, ExecutionError,
    MutationRequest, Payload, Status, Value, WriteId,
};

use super::executing::run_for_anybody;
use super::{World, dual};
use crate::runtime::people::{
    Calls, approval, approval_error, at, count, draft, execution_error, id, needing, order, targets, user,
    user_because, version,
};

fn payload(role: &str) -> Payload {
    Payload::new("text/plain", role.as_bytes().to_vec()).unwrap()
}

/// Stores the request with another payload, as a program that does not go through the service could.
#[dual]
async fn change_payload(world: &World, request: &MutationRequest, role: &str) -> MutationRequest {
    let mut document = request.document().clone();
    document.payload = Some(payload(role));
    let changed = MutationRequest::from_document(document, request.revision()).unwrap();
    world.store.update(changed, WriteId::generate()).await.unwrap()
}

#[dual]
pub(crate) async fn a_grant_is_bound_to_the_digest_its_approver_saw(world: World) {
    let draft = needing("request-1", &["alice", "bob"]).with_payload(payload("viewer"));
    let request = world.governance.submit(draft).await.unwrap();
    let seen = request.digest();
    let first = approval("approval-1");
    let granted =
        world.governance.approve_requirement_for_digest(&request.id, &first, user("alice"), seen).await.unwrap();
    assert_eq!(granted.approvals[0].state.verdict().unwrap().digest, seen);

    let changed = change_payload(&world, &granted, "owner").await;
    assert_ne!(changed.digest(), seen);
    let second = approval("approval-2");
    let error =
        world.governance.approve_requirement_for_digest(&request.id, &second, user("bob"), seen).await.unwrap_err();
    assert!(error.to_string().contains("look at it again and decide anew"), "{error}");
    let expected = ApprovalError::AnotherDigest { approval: second.clone(), seen, current: changed.digest() };
    assert_eq!(approval_error(error), expected);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, changed, "nothing is written");
    let granted = world
        .governance
        .approve_requirement_for_digest(&request.id, &second, user("bob"), changed.digest())
        .await
        .unwrap();
    assert_eq!(granted.state.status(), Status::Approved);
}

#[dual]
pub(crate) async fn what_changed_after_its_approval_is_not_executed(world: World) {
    let draft = needing("request-1", &["alice"]).with_payload(payload("viewer")).for_version(version("v1"));
    let request = world.governance.submit(draft).await.unwrap();
    let first = approval("approval-1");
    let granted = world.governance.approve_requirement(&request.id, &first, user("alice")).await.unwrap();
    let changed = change_payload(&world, &granted, "owner").await;
    let calls = Calls::default();
    let result = world.governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("submit what it has become as a new request"), "{error}");
    let (approved, current) = (request.digest(), changed.digest());
    assert_eq!(execution_error(error), ExecutionError::ApprovedOtherwise { approval: first, approved, current });
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, changed, "nothing is written");
}

#[dual]
pub(crate) async fn an_override_needs_a_reason_and_an_id(world: World) {
    let request = world.governance.submit(needing("request-1", &["alice", "bob"])).await.unwrap();
    let first = approval("approval-1");
    let request = world.governance.approve_requirement(&request.id, &first, user("alice")).await.unwrap();
    let nobody = Arc::new(ActorContext::system().because("the site is down"));
    for (by, expected) in [
        (user("admin"), ApprovalError::OverrideWithoutReason),
        (user_because("admin", "  "), ApprovalError::OverrideWithoutReason),
        (nobody, ApprovalError::AnonymousOverride),
    ] {
        let error = world.governance.override_approvals(&request.id, by).await.unwrap_err();
        assert!(error.to_string().contains("give the actor's"), "{error}");
        assert_eq!(approval_error(error), expected);
        let stored = world.stored(&request.id).await;
        assert_eq!(stored, request, "nothing is written");
    }
    let error = world.governance.approve_request(&request.id, user("admin")).await.unwrap_err();
    assert_eq!(approval_error(error), ApprovalError::Unmet { unmet: 1 });

    let by = user_because("admin", "the site is down");
    let overridden = world.governance.override_approvals(&request.id, by).await.unwrap();
    assert_eq!(overridden.state.status(), Status::Approved);
    assert_eq!(overridden.approvals[1].state.status(), ApprovalStatus::Pending, "nobody granted it");
    let decision = overridden.decisions.iter().find(|decision| decision.kind == ApprovalDecision::Overridden.into());
    let decision = decision.unwrap();
    assert_eq!(decision.reason.as_deref(), Some("the site is down"));
    let names = Value::List(vec![Value::from("approval-2")]);
    assert_eq!(decision.metadata.get("overridden"), Some(&names));
    assert_eq!(count(&overridden, ApprovalDecision::Overridden), 1);

    let error = world.governance.override_approvals(&request.id, user_because("admin", "again")).await.unwrap_err();
    assert!(matches!(error, Error::InvalidTransition { .. }), "{error}");
}

#[dual]
pub(crate) async fn explanations_follow_the_clock(world: World) {
    let security = ApprovalRule::quorum("security-quorum", 2, targets(&["bob", "dave", "erin"])).unwrap();
    let draft = draft("request-1")
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .requires_approval(security.expiring_at(at(3 * 3_600)));
    let request = world.governance.submit(draft).await.unwrap();
    let explanation = world.governance.explain(&request.id).await.unwrap();
    assert_eq!(
        explanation.to_string(),
        "waits for anyone with role manager to decide approval-1; step 1 of 2; security-quorum expires in 3 h, which rejects the request"
    );

    let manager = ActorContext::user("mona").unwrap().with_role("manager").unwrap();
    world.governance.approve_requirement(&request.id, &approval("approval-1"), manager).await.unwrap();
    world.governance.approve_requirement(&request.id, &approval("approval-4"), user("erin")).await.unwrap();
    world.clock.set(at(3_600));
    let explanation = world.governance.explain(&request.id).await.unwrap();
    let expected = "waits for 1 more vote in security-quorum: approval-2 by bob, approval-3 by dave; step 2 of 2; security-quorum \
                    expires in 2 h, which rejects the request";
    assert_eq!(explanation.to_string(), expected);
    assert_eq!((explanation.now, explanation.deadline), (at(3_600), Some(at(3 * 3_600))));
    world.clock.set(at(3 * 3_600));
    let explanation = world.governance.explain(&request.id).await.unwrap();
    let expected = "can no longer be approved: security-quorum (step 2 of 2) is missing 1 vote, and approval-2 and approval-3 \
                    were not decided in time; the next sweep rejects it";
    assert_eq!(explanation.to_string(), expected);

    let missing = world.governance.explain(&id("nowhere")).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
}

#[dual]
pub(crate) async fn what_is_decidable_can_be_decided(world: World) {
    let both = targets(&["alice", "requester"]).into_iter().reduce(mutator_governance::ApprovalTarget::or).unwrap();
    let draft = draft("request-1")
        .requires_approval(ApprovalRule::of(both).expiring_at(at(10)))
        .requires_approval(ApprovalRule::actor("alice").unwrap());
    let request = world.governance.submit(draft).await.unwrap();
    for (person, seconds, expected) in
        [("alice", 0, vec!["approval-1"]), ("requester", 0, vec![]), ("bob", 0, vec![]), ("alice", 10, vec![])]
    {
        world.clock.set(at(seconds));
        let decidable = world.governance.decidable_by(&request.id, &user(person)).await.unwrap();
        let ids: Vec<&str> = decidable.iter().map(|approval| approval.id.as_str()).collect();
        assert_eq!(ids, expected, "{person} at {seconds}");
        for name in ["approval-1", "approval-2"] {
            // A store of its own for each attempt is not needed: rejected, it changes nothing; allowed, it is the last.
            if !expected.contains(&name) {
                let result = world.governance.approve_requirement(&request.id, &approval(name), user(person)).await;
                assert!(matches!(result, Err(Error::Approval { .. })), "{person} at {seconds}: {result:?}");
            }
        }
    }
    world.clock.set(at(0));
    let granted = world.governance.approve_requirement(&request.id, &approval("approval-1"), user("alice")).await;
    assert_eq!(granted.unwrap().approvals[0].state.status(), ApprovalStatus::Approved);
    let missing = world.governance.decidable_by(&id("nowhere"), &user("alice")).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
}
