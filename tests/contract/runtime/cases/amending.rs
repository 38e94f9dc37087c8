//! Amendments beside decisions: of two at once, both happen or the second gets its own error.

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ActorId, AmendmentError, ApprovalDecision, ApprovalError, ApprovalId, ApprovalRule, Error, Status,
};

use super::{Mishap, World, dual};
use crate::runtime::people::{approval, approval_error, count, draft, needing, targets, user};

fn because(id: &str) -> ActorContext {
    ActorContext::user(id).unwrap().because("on holiday")
}

fn delegate(by: &str, to: &str) -> Command {
    Command::delegate(because(by), approval("approval-1"), ActorId::new(to).unwrap())
}

#[dual]
pub(crate) async fn an_amendment_that_comes_second_is_checked_again(world: World) {
    let approve = |by: &str| Command::approve_requirement(user(by), ApprovalId::new("approval-1").unwrap());
    let add = || Command::add_approval(because("admin"), ApprovalRule::actor("dave").unwrap());
    for (name, first, second, fails) in [
        ("delegated-before", delegate("alice", "carol"), approve("alice"), true),
        ("approved-before", approve("alice"), delegate("alice", "carol"), true),
        ("added-before", add(), approve("alice"), false),
        ("decided-before", approve("alice"), add(), false),
    ] {
        let request = world.governance.submit(needing(name, &["alice", "bob"])).await.unwrap();
        let shaky = world.shaky();
        shaky.plan(1, Mishap::Overtaken(first));
        let result = world.governance_over(shaky).apply(&request.id, &second).await;
        let stored = world.stored(&request.id).await;
        assert_eq!((result.is_err(), stored.revision().number), (fails, if fails { 1 } else { 2 }), "{name}");
        match result {
            Ok(_) => assert_eq!(count(&stored, ApprovalDecision::Added), 1, "{name}"),
            Err(error) => assert!(matches!(
                approval_error(error),
                ApprovalError::NotAddressed { .. } | ApprovalError::AlreadyDecided { .. }
            )),
        }
        assert_eq!(stored.state.status(), Status::Pending);
    }
}

#[dual]
pub(crate) async fn an_amendment_that_is_not_allowed_writes_nothing(world: World) {
    let request = world.governance.submit(needing("fixed", &["alice"])).await.unwrap();
    let remove = |by: ActorContext| Command::remove_approval(by, approval("approval-1"));
    for (command, expected) in [
        (delegate("alice", "alice"), "amendment.to_oneself"),
        (delegate("alice", "requester"), "amendment.to_requester"),
        (remove(because("admin")), "amendment.last_unmet"),
        (remove(ActorContext::user("admin").unwrap().because(" ")), "amendment.without_reason"),
        (remove(ActorContext::system().because("late")), "amendment.anonymous"),
    ] {
        let error = world.governance.apply(&request.id, &command).await.unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
    }
    let error = world.governance.delegate("fixed", "approval-1", because("bob"), "carol").await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::NotAddressed { .. }));
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request);
    let approved = world.governance.approve(&request.id, user("alice")).await.unwrap();
    let error = world.governance.delegate("fixed", "approval-1", because("alice"), "carol").await.unwrap_err();
    assert!(matches!(error, Error::Amendment { error: AmendmentError::NotPending { .. }, .. }), "{error}");
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, approved);
}

#[dual]
pub(crate) async fn each_bad_delegation_removal_and_withdrawal_has_its_own_error(world: World) {
    let rules = ApprovalRule::each(targets(&["p0", "alice", "bob"])).unwrap().mandatory();
    let draft = draft("request-1").requires_approval(rules).excluding([ActorId::new("mallory").unwrap()]);
    let mut request = world.governance.submit(draft).await.unwrap();
    request = world.governance.approve(&request.id, user("alice")).await.unwrap();
    for turn in 0..5 {
        let by = because(&format!("p{turn}"));
        request = world.governance.delegate(&request.id, "approval-1", by, format!("p{}", turn + 1)).await.unwrap();
    }
    let bobs = |to: &str| Command::delegate(because("bob"), approval("approval-3"), ActorId::new(to).unwrap());
    for (command, expected) in [
        (bobs("requester"), "amendment.to_requester"),
        (bobs("mallory"), "amendment.to_excluded"),
        (delegate("p5", "p0"), "amendment.circle"),
        (delegate("p5", "p6"), "amendment.chain_too_long"),
        (Command::remove_approval(because("admin"), approval("approval-3")), "amendment.mandatory"),
        (Command::withdraw_requirement(user("bob"), approval("approval-2")), "approval.anothers_vote"),
    ] {
        let error = world.governance.apply(&request.id, &command).await.unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
    }
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
    world.governance.approve(&request.id, user("p5")).await.unwrap();
    world.governance.approve(&request.id, user("bob")).await.unwrap();
    let lease = std::time::Duration::from_mins(1);
    let claim = Command::claim(user("executor"), mutator_governance::ClaimId::generate(), lease);
    let claimed = world.governance.apply(&request.id, &claim).await.unwrap();
    let late = world.governance.withdraw(&request.id, user("alice")).await.unwrap_err();
    assert_eq!(late.code(), "execution.claimed", "{late}");
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, claimed, "nothing is written");
}
