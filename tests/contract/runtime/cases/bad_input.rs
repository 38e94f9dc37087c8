//! Bad input, rejected: each case by an error of its own, with nothing written, and with words that say what to do next.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{Command, ExecutionOrder};
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalRule, ApprovalStatus, ApprovalTarget, ClaimId, Error, ExecutionError,
    MutationRequest, QuorumGroup, StateVersion, Status, Step,
};

use super::executing::run_for_anybody;
use super::{World, dual};
use crate::runtime::people::{
    Calls, approval, approval_error, approved, at, draft, execution_error, id, needing, order, targets, user,
};

/// Rejected for this, in words that say this, and nothing was written.
#[dual]
async fn assert_rejected(
    world: &World,
    request: &MutationRequest,
    command: Command,
    expected: ApprovalError,
    advice: &str,
) {
    let error = world.governance.apply(&request.id, &command).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("request {}: ", request.id)) && text.contains(advice), "{text}");
    assert_eq!(approval_error(error), expected);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, *request, "nothing is written");
}

#[dual]
pub(crate) async fn who_may_not_decide_gets_the_reason(world: World) {
    let target = ApprovalTarget::role("manager").unwrap().or(ApprovalTarget::actor("requester").unwrap());
    let rule = ApprovalRule::of(target.clone());
    let request = world.governance.submit(draft("request-1").requires_approval(rule)).await.unwrap();
    let first = approval("approval-1");
    let manager = ActorContext::system().with_role("manager").unwrap();
    for decide in [Command::approve_requirement, |by: Arc<ActorContext>, approval| {
        Command::reject_requirement(by, approval, None)
    }] {
        let nobody = decide(Arc::new(manager.clone()), first.clone());
        let expected = ApprovalError::AnonymousDecider { approval: first.clone() };
        assert_rejected(&world, &request, nobody, expected, "give the actor's id").await;

        let own = decide(user("requester"), first.clone());
        let expected = ApprovalError::OwnRequest {
            approval: first.clone(),
            actor: "requester".to_owned(),
            requester: "requester".to_owned(),
        };
        assert_rejected(&world, &request, own, expected, "somebody else has to").await;

        let (target, actor) = (target.clone(), "mallory".to_owned());
        let stranger = decide(user("mallory"), first.clone());
        let expected = ApprovalError::NotAddressed { approval: first.clone(), target: Box::new(target), actor };
        assert_rejected(&world, &request, stranger, expected, "is for requester or role manager").await;

        let unknown = decide(user("alice"), approval("approval-9"));
        let known = "approval-1".to_owned();
        let expected = ApprovalError::UnknownApproval { approval: approval("approval-9"), known };
        assert_rejected(&world, &request, unknown, expected, "its approvals are approval-1").await;
    }
}

#[dual]
pub(crate) async fn the_second_vote_and_the_wrong_order_are_rejected(world: World) {
    let both = ApprovalTarget::group("security").unwrap();
    let quorum = ApprovalRule::quorum("two-of-security", 2, [both.clone(), both]).unwrap();
    let last = ApprovalRule::actor("carol").unwrap().with_id(approval("last"));
    let draft = draft("request-1").requires_approval(quorum).requires_approval(last);
    let request = world.governance.submit(draft).await.unwrap();
    let early = Command::approve_requirement(user("carol"), approval("last"));
    let (step, active) = (Step::new(2).unwrap(), Step::FIRST);
    let expected = ApprovalError::NotYet { approval: approval("last"), step, active };
    assert_rejected(&world, &request, early, expected, "step 1 has to be decided first").await;

    let sam = Arc::new(ActorContext::user("sam").unwrap().with_group("security").unwrap());
    let request =
        world.governance.approve_requirement(&request.id, &approval("approval-1"), Arc::clone(&sam)).await.unwrap();
    let group = QuorumGroup::new("two-of-security").unwrap();
    let (second, actor) = (approval("approval-2"), "sam".to_owned());
    let expected = ApprovalError::AlreadyVoted { approval: second.clone(), group, actor };
    let twice = Command::approve_requirement(Arc::clone(&sam), second);
    assert_rejected(&world, &request, twice, expected, "another member has to").await;

    let expected = ApprovalError::AlreadyDecided { approval: approval("approval-1"), status: ApprovalStatus::Approved };
    let again = Command::approve_requirement(sam, approval("approval-1"));
    assert_rejected(&world, &request, again, expected, "is Approved already; read the request again").await;
}

#[dual]
pub(crate) async fn what_is_over_is_not_decided(world: World) {
    let rule = ApprovalRule::actor("alice").unwrap().expiring_at(at(10));
    let request = world.governance.submit(draft("late").requires_approval(rule)).await.unwrap();
    world.clock.set(at(10));
    let first = approval("approval-1");
    let late = Command::approve_requirement(user("alice"), first.clone());
    let expected = ApprovalError::Expired { approval: first.clone(), expired_at: at(10) };
    assert_rejected(&world, &request, late, expected, "ask for a new request or a renewed approval").await;

    let request = world.governance.submit(needing("terminal", &["alice"])).await.unwrap();
    let request = world.governance.cancel(&request.id, user("requester")).await.unwrap();
    let expected = ApprovalError::NotAwaitingApproval { status: Status::Canceled };
    let decide = Command::approve_requirement(user("alice"), first);
    assert_rejected(
        &world,
        &request,
        decide,
        expected,
        "does not wait for approval (Canceled); that status is final, so submit a new request",
    )
    .await;
    for command in [
        Command::cancel(user("admin")),
        Command::approve_request(user("admin")),
        Command::reject_request(user("admin")),
    ] {
        let error = world.governance.apply(&request.id, &command).await.unwrap_err();
        assert!(error.to_string().contains("that status is final, so submit a new request"), "{error}");
        assert!(matches!(error, Error::InvalidTransition { from: Status::Canceled, .. }), "{error}");
    }
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
}

#[dual]
pub(crate) async fn impossible_orders_are_rejected(world: World) {
    for required in [0, 3] {
        let error = ApprovalRule::quorum("board", required, targets(&["a", "b"])).unwrap_err();
        assert!(error.to_string().contains("it must ask for 1 to 2"), "{error}");
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
    for blank in ["", "  "] {
        let error = StateVersion::new(blank).unwrap_err();
        assert_eq!((error.field, error.problem.as_str()), ("state version", "is blank"));
    }

    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let calls = Calls::default();
    let no_time: ExecutionOrder = order().with_lease(Duration::ZERO);
    let error = world.governance.execute(&request.id, &no_time, run!(|_request| run_for_anybody(&calls))).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("use a lease of at least"), "{error}");
    let is_too_short = |error| matches!(execution_error(error), ExecutionError::LeaseTooShort { .. });
    assert!(is_too_short(error));
    let claim = Command::claim(user("executor"), ClaimId::generate(), Duration::ZERO);
    let error = world.governance.apply(&request.id, &claim).await.unwrap_err();
    assert!(is_too_short(error));
    let error = world.governance.supersede(&request.id, user("admin"), request.id.clone()).await.unwrap_err();
    assert!(error.to_string().contains("name the one that takes its place"), "{error}");
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
}

#[dual]
pub(crate) async fn unknown_requests_are_named(world: World) {
    let missing = id("nowhere");
    let calls = Calls::default();
    let executed = world.governance.execute(&missing, &order(), run!(|_request| run_for_anybody(&calls))).await;
    let canceled = world.governance.cancel(&missing, user("admin")).await;
    let swept = world.governance.expire_due_approvals(&missing, user("admin")).await;
    for error in [executed.unwrap_err(), canceled.unwrap_err(), swept.unwrap_err()] {
        assert!(error.to_string().contains("check the id and the namespace"), "{error}");
        assert!(matches!(&error, Error::NotFound { id, .. } if *id == missing), "{error}");
    }
    assert_eq!(calls.count(), 0);
    let nothing = world.governance.get(&missing).await.unwrap();
    assert_eq!(nothing, None);
}
