//! Deadlines that bind although nobody has swept, names under what people did, and times that follow each other.

use std::time::Duration;

use mutator_governance::workflow::Command;
use mutator_governance::{
    ApprovalRule, ApprovalStatus, ClaimId, Error, MutationRequest, Pending, PendingReason, Status,
};

use super::executing::run_for_anybody;
use super::{World, dual};
use crate::runtime::people::{Calls, approval, at, draft, history, id, needing, order, targets, user, user_because};

#[dual]
pub(crate) async fn from_its_own_deadline_on_a_request_only_ends(world: World) {
    let until = Pending { reason: PendingReason::Approval, expires_at: Some(at(3_600)) };
    for name in ["a", "b", "c", "d", "e"] {
        world.governance.submit(needing(name, &["alice"]).waiting_for(until)).await.unwrap();
    }
    let first = approval("approval-1");
    let alice = || user_because("alice", "as agreed");
    world.clock.set(at(3_600).saturating_sub(Duration::from_micros(1)));
    let in_time = world.governance.decidable_by(&id("a"), &alice()).await.unwrap();
    assert_eq!(in_time.len(), 1);

    world.clock.set(at(3_600));
    let request = world.stored(&id("a")).await;
    let commands = [
        Command::approve_requirement(alice(), first.clone()),
        Command::reject_requirement(alice(), first.clone(), None),
        Command::approve_request(alice()),
        Command::hold(alice(), PendingReason::Quota),
        Command::request_approvals(alice(), None),
        Command::override_approvals(alice()),
        Command::expire_approvals(alice()),
        Command::claim(alice(), ClaimId::generate(), Duration::from_mins(1)),
    ];
    for command in commands {
        let error = world.governance.apply(&request.id, &command).await.unwrap_err();
        assert!(error.to_string().contains("2026-01-01T01:00:00Z"), "{error}");
        assert!(matches!(error, Error::DeadlinePassed { deadline, .. } if deadline == at(3_600)), "{error}");
    }
    let calls = Calls::default();
    let executed = world.governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    assert!(matches!(executed, Err(Error::DeadlinePassed { .. })), "{executed:?}");
    assert_eq!(calls.count(), 0);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, request, "nothing is written");
    let decidable = world.governance.decidable_by(&request.id, &alice()).await.unwrap();
    assert!(decidable.is_empty(), "{decidable:?}");
    let explanation = world.governance.explain(&request.id).await.unwrap();
    assert!(explanation.decidable_by(&alice()).is_empty() && explanation.active_step.is_none());
    assert!(explanation.to_string().contains("the next sweep expires it"), "{explanation}");

    let canceled = world.governance.cancel(&id("a"), user("requester")).await.unwrap();
    let expired = world.governance.expire(&id("b"), user("admin")).await.unwrap();
    let superseded = world.governance.supersede(&id("c"), user("admin"), id("e")).await.unwrap();
    let rejected = world.governance.reject_request(&id("d"), user("admin")).await.unwrap();
    let ends = [canceled, expired, superseded, rejected].map(|request| request.state.status());
    assert_eq!(ends, [Status::Canceled, Status::Expired, Status::Superseded, Status::Rejected]);
    let swept = world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert_eq!((swept.expired, swept.overtaken), (vec![id("e")], 0));
}

fn deciders(request: &MutationRequest, from: usize) -> Vec<&str> {
    request.decisions[from..].iter().map(|decision| decision.by.label()).collect()
}

#[dual]
pub(crate) async fn what_expired_unswept_is_rejected_by_the_sweep_and_not_by_who_grants(world: World) {
    let bob = ApprovalRule::actor("bob").unwrap().expiring_at(at(60));
    let rules = draft("request-1").requires_approval(ApprovalRule::actor("alice").unwrap()).requires_approval(bob);
    let request = world.governance.submit(rules).await.unwrap();
    world.clock.set(at(60));
    let granted =
        world.governance.approve_requirement(&request.id, &approval("approval-1"), user("alice")).await.unwrap();
    assert_eq!(history(&granted, 3), ["Approval/Granted"]);
    assert!(granted.state.awaits_approval());
    let swept = world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert_eq!(swept.expired, [id("request-1")]);
    let stored = world.stored(&request.id).await;
    assert_eq!(history(&stored, 4), ["Approval/Expired", "Lifecycle/Rejected"]);
    assert_eq!(deciders(&stored, 3), ["alice", "sweeper", "sweeper"]);
    let statuses = stored.approvals.iter().map(|approval| approval.state.status());
    assert!(statuses.eq([ApprovalStatus::Approved, ApprovalStatus::Expired]));

    // Bob rejects, which his group allows; that carol’s time is over is none of his doing.
    let member = |name: &str, end| {
        let rule = ApprovalRule::quorum("team", 1, targets(&[name])).unwrap().rejected_when_impossible();
        rule.at_step(mutator_governance::Step::FIRST).expiring_at(at(end))
    };
    let team = draft("request-2").requires_approval(member("bob", 900)).requires_approval(member("carol", 100));
    let request = world.governance.submit(team).await.unwrap();
    world.clock.set(at(100));
    let rejected =
        world.governance.reject_requirement(&request.id, &approval("approval-1"), user("bob"), None).await.unwrap();
    assert!(rejected.state.awaits_approval());
    world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(history(&stored, 3), ["Approval/Rejected", "Approval/Expired", "Lifecycle/Rejected"]);
    assert_eq!(deciders(&stored, 3), ["bob", "sweeper", "sweeper"]);

    // By votes alone it is still rejected at the vote.
    let board = ApprovalRule::quorum("board", 2, targets(&["bob", "carol"])).unwrap().rejected_when_impossible();
    let request = world.governance.submit(draft("request-3").requires_approval(board)).await.unwrap();
    let rejected =
        world.governance.reject_requirement(&request.id, &approval("approval-1"), user("bob"), None).await.unwrap();
    assert_eq!(rejected.state.status(), Status::Rejected);
    assert_eq!(deciders(&rejected, 3), ["bob", "bob"]);
}

#[dual]
pub(crate) async fn nothing_is_dated_before_what_it_follows(world: World) {
    world.clock.set(at(10));
    let request = world.governance.submit(needing("request-1", &["alice"])).await.unwrap();
    world.clock.set(at(0));
    let granted =
        world.governance.approve_requirement(&request.id, &approval("approval-1"), user("alice")).await.unwrap();
    assert!(granted.updated_at >= granted.created_at);
    let calls = Calls::default();
    let executed = world.governance.execute(&request.id, &order(), run!(|_request| run_for_anybody(&calls))).await;
    let executed = executed.unwrap();
    let request = executed.request();
    assert_eq!(calls.count(), 1);
    assert!(request.decisions.is_sorted_by_key(|decision| decision.at), "{:?}", request.decisions);
    assert_eq!(request.decisions.last().unwrap().at, request.updated_at);
    let stored = world.stored(&request.id).await;
    assert_eq!(&stored, request);
}
