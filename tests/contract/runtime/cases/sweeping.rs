//! What is due expires once, in order, whoever sweeps.

use std::sync::Arc;

use mutator_governance::{
    ApprovalDecision, ApprovalRule, ApprovalStatus, Error, FormatError, LifecycleDecision, MutationRequest, Outcome,
    PageRequest, Pending, PendingReason, RequestId, Result, Status, Swept, Unreadable,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{at, count, draft, id, targets, user};

/// Submits a request that waits for its time until then.
#[dual]
pub(crate) async fn due_at(world: &World, id_text: &str, seconds: u64) -> RequestId {
    let pending = Pending { reason: PendingReason::Schedule, expires_at: Some(at(seconds)) };
    world.governance.submit(draft(id_text).waiting_for(pending)).await.unwrap().id.clone()
}

fn names(ids: &[RequestId]) -> Vec<&str> {
    ids.iter().map(RequestId::as_str).collect()
}

#[dual]
pub(crate) async fn the_longest_overdue_expires_first(world: World) {
    for (name, seconds) in [("e", 51), ("d", 40), ("a", 10), ("c", 30), ("b", 20), ("f", 50)] {
        due_at(&world, name, seconds).await;
    }
    let nothing = world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert!(nothing.expired.is_empty() && !nothing.more && nothing.failed.is_empty() && nothing.overtaken == 0);

    world.clock.set(at(50));
    let swept = world.governance.expire_due(user("sweeper"), 2).await.unwrap();
    assert_eq!((names(&swept.expired), swept.more), (vec!["a", "b"], true));
    let swept = world.governance.expire_due(user("sweeper"), 3).await.unwrap();
    assert_eq!(names(&swept.expired), ["c", "d", "f"], "due at its very deadline");
    let swept = world.governance.expire_due(user("sweeper"), 3).await.unwrap();
    assert_eq!((swept.expired.len(), swept.more), (0, false));

    let expired = world.stored(&id("a")).await;
    assert_eq!(expired.state.status(), Status::Expired);
    let last = expired.decisions.last().unwrap();
    assert_eq!((last.kind, last.by.label(), last.at), (LifecycleDecision::Expired.into(), "sweeper", at(50)));
    assert_eq!((count(&expired, LifecycleDecision::Expired), expired.revision().number), (1, 1));
    let waiting = world.stored(&id("e")).await;
    assert_eq!((waiting.state.status(), waiting.revision().number), (Status::Pending, 0));
}

#[dual]
pub(crate) async fn what_expired_but_is_unconfirmed_counts_and_is_reported(world: World) {
    for (name, seconds) in [("a", 10), ("b", 20), ("c", 30)] {
        due_at(&world, name, seconds).await;
    }
    world.clock.set(at(50));
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Unconfirmed);
    let swept = world.governance_over(shaky).expire_due(user("sweeper"), 2).await.unwrap();
    assert_eq!((names(&swept.expired), swept.more), (vec!["a", "b"], true));
    let failed: Vec<_> = swept.failed.iter().map(|(id, error)| (id.as_str(), error.outcome())).collect();
    assert_eq!(failed, [("a", Outcome::Applied)]);
    let stored = world.stored(&id("a")).await;
    assert_eq!(stored.state.status(), Status::Expired);
}

#[dual]
async fn needing_rule(world: &World, id_text: &str, rule: ApprovalRule) -> MutationRequest {
    world.governance.submit(draft(id_text).requires_approval(rule)).await.unwrap()
}

#[dual]
pub(crate) async fn due_approvals_expire_with_what_follows(world: World) {
    let alone = ApprovalRule::actor("alice").unwrap().expiring_at(at(10));
    let alone = needing_rule(&world, "alone", alone).await;
    let soon = ApprovalRule::actor("bob").unwrap().expiring_at(at(20)).with_id(crate::runtime::people::approval("bob"));
    let later =
        ApprovalRule::actor("carol").unwrap().expiring_at(at(900)).with_id(crate::runtime::people::approval("carol"));
    let group = ApprovalRule::quorum("board", 1, targets(&["bob", "carol"])).unwrap().expiring_at(at(20));
    let group = needing_rule(&world, "group", group).await;
    let two_rules =
        world.governance.submit(draft("two").requires_approval(soon).requires_approval(later)).await.unwrap();

    let early = world.governance.expire_due_approvals(&alone.id, user("sweeper")).await.unwrap_err();
    assert!(early.to_string().contains("try again at its next deadline"), "{early}");
    assert!(matches!(early, Error::NothingDue { .. }), "{early}");
    let stored = world.stored(&alone.id).await;
    assert_eq!(stored, alone, "nothing is written");

    world.clock.set(at(20));
    let swept = world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert_eq!(names(&swept.expired), ["alone", "group", "two"]);
    for request in [&alone, &group, &two_rules] {
        let stored = world.stored(&request.id).await;
        assert_eq!(stored.state.status(), Status::Rejected, "{}", request.id);
        assert_eq!(stored.approvals[0].state.status(), ApprovalStatus::Expired);
    }
    let stored = world.stored(&group.id).await;
    assert_eq!(count(&stored, ApprovalDecision::Expired), 2, "one decision for each approval");
    let stored = world.stored(&two_rules.id).await;
    assert_eq!(count(&stored, ApprovalDecision::Expired), 1);
    assert_eq!(stored.approvals[1].state.status(), ApprovalStatus::Pending);
    let again = world.governance.expire_due(user("sweeper"), 10).await.unwrap();
    assert!(again.expired.is_empty() && again.failed.is_empty());
}

#[dual]
async fn sweep(governance: Governance) -> Result<Swept> {
    governance.expire_due(user("sweeper"), PageRequest::MAX_LIMIT).await
}

#[dual]
pub(crate) async fn many_sweepers_record_each_expiry_once(world: World) {
    const DUE: usize = 24;
    const SWEEPERS: usize = 6;
    let mut ids = Vec::new();
    for number in 0..DUE {
        let due = due_at(&world, &format!("due-{number}"), 1).await;
        ids.push(due);
    }
    world.clock.set(at(1));
    let shaky = world.shaky();
    shaky.let_sweepers_meet(SWEEPERS);
    let governance = world.governance_over(Arc::clone(&shaky));
    let sweeps = run_concurrently(SWEEPERS, move |_| sweep(governance.clone())).await;
    let sweeps: Vec<Swept> = sweeps.into_iter().map(Result::unwrap).collect();
    assert!(sweeps.iter().all(|swept| swept.failed.is_empty()));
    let mut expired: Vec<RequestId> = sweeps.iter().flat_map(|swept| swept.expired.clone()).collect();
    expired.sort();
    ids.sort();
    assert_eq!(expired, ids, "each is reported by one sweeper");
    let overtaken: u64 = sweeps.iter().map(|swept| swept.overtaken).sum();
    assert_eq!(overtaken, (DUE * (SWEEPERS - 1)) as u64, "all had found all of them due");
    for id in &ids {
        let stored = world.stored(id).await;
        assert_eq!((count(&stored, LifecycleDecision::Expired), stored.revision().number), (1, 1));
    }
}

#[dual]
pub(crate) async fn one_that_fails_does_not_keep_the_others(world: World) {
    for (name, seconds) in [("a", 1), ("b", 2), ("c", 3)] {
        due_at(&world, name, seconds).await;
    }
    world.clock.set(at(3));
    let shaky = world.shaky();
    shaky.reject_updates_of(&id("b"));
    shaky.add_unreadable(Unreadable::new(id("broken"), FormatError::Foreign));
    let swept = sweep(world.governance_over(shaky)).await.unwrap();
    assert_eq!(names(&swept.expired), ["a", "c"]);
    let failed: Vec<&str> = swept.failed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(failed, ["broken", "b"]);
    assert!(matches!(swept.failed[0].1, Error::Unreadable { .. }));
    assert!(matches!(swept.failed[1].1, Error::Store(_)));

    let swept = sweep(world.governance.clone()).await.unwrap();
    assert_eq!(names(&swept.expired), ["b"], "the next sweep tries again");
}

#[dual]
pub(crate) async fn those_that_always_fail_starve_nobody(world: World) {
    let shaky = world.shaky();
    for number in 0..5 {
        let stuck = due_at(&world, &format!("stuck-{number}"), 1).await;
        shaky.reject_updates_of(&stuck);
    }
    due_at(&world, "fine-1", 2).await;
    due_at(&world, "fine-2", 2).await;
    world.clock.set(at(2));
    let governance = world.governance_over(shaky);
    for expected in ["fine-1", "fine-2"] {
        let swept = governance.expire_due(user("sweeper"), 1).await.unwrap();
        assert_eq!(names(&swept.expired), [expected], "behind five that are longer overdue and cannot be written");
        assert_eq!(swept.failed.len(), 5);
    }
    let swept = governance.expire_due(user("sweeper"), 1).await.unwrap();
    assert_eq!((swept.expired.len(), swept.failed.len(), swept.more), (0, 5, false));
}

/// So many due requests that cannot be written that a sweep gives up among them, and behind them one that can: its id.
#[dual]
pub(crate) async fn behind_many_that_always_fail(world: &World) -> (Governance, RequestId) {
    let shaky = world.shaky();
    for number in 0..=PageRequest::MAX_LIMIT {
        let stuck = due_at(world, &format!("stuck-{number:04}"), 1).await;
        shaky.reject_updates_of(&stuck);
    }
    let fine = due_at(world, "fine", 2).await;
    world.clock.set(at(2));
    (world.governance_over(shaky), fine)
}

#[dual]
pub(crate) async fn a_sweep_goes_on_behind_any_number_that_always_fail(world: World) {
    let (governance, fine) = behind_many_that_always_fail(&world).await;
    let swept = governance.expire_due(user("sweeper"), 50).await.unwrap();
    assert_eq!((swept.expired.len(), swept.failed.len(), swept.more), (0, PageRequest::MAX_LIMIT, true));
    let swept = governance.expire_due_after(user("sweeper"), 50, swept.next.unwrap()).await.unwrap();
    assert_eq!((swept.expired, swept.failed.len(), swept.more), (vec![fine], 1, false));
    assert_eq!(swept.next, None);

    let elsewhere = world.governance.pending(&PageRequest::of(1).unwrap()).await.unwrap().next.unwrap();
    let error = governance.expire_due_after(user("sweeper"), 50, elsewhere).await.unwrap_err();
    assert!(matches!(error, Error::InvalidCursor { .. }), "{error}");
}

#[dual]
pub(crate) async fn a_store_that_is_down_is_not_asked_for_each(world: World) {
    for number in 0..8 {
        due_at(&world, &format!("due-{number}"), number).await;
    }
    world.clock.set(at(8));
    let shaky = world.shaky();
    // The first expires, then the store is down.
    for update in 2..=8 {
        shaky.plan(update, super::Mishap::Lost);
    }
    let governance = world.governance_over(Arc::clone(&shaky));
    for (limit, expected) in [(4, vec!["due-0"]), (1, vec![])] {
        let before = shaky.updates();
        let swept = governance.expire_due(user("sweeper"), limit).await.unwrap();
        assert_eq!((names(&swept.expired), swept.failed.len(), swept.more), (expected, 3, true));
        assert_eq!(shaky.updates() - before, swept.expired.len() + 3);
    }
    let swept = sweep(world.governance.clone()).await.unwrap();
    assert_eq!((swept.expired.len(), swept.more), (7, false), "nothing is lost");
}

#[dual]
pub(crate) async fn a_limit_of_nothing_is_rejected(world: World) {
    due_at(&world, "due", 0).await;
    for limit in [0, PageRequest::MAX_LIMIT + 1] {
        let error = world.governance.expire_due(user("sweeper"), limit).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert!(error.to_string().contains("it must be 1 to 1000"), "{error}");
    }
    let stored = world.stored(&id("due")).await;
    assert_eq!(stored.revision().number, 0);
}
