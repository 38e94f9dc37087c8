//! One call decides all that its actor may decide.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ApprovalDecision, ApprovalError, ApprovalRule, ApprovalStatus, ClaimId, Digest, Error,
    ExecutionError, IntoId, MutationRequest, NothingToDecide, Outcome, PageRequest, Rejection, RequestDraft, RequestId,
    Result, Status, Step, WriteId,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{approval_error, at, count, draft, execution_error, needing, user};

fn manager(name: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(name).unwrap().with_roles(["manager"]).unwrap())
}

/// Needs two approvals of managers, one after the other.
fn two_managers(id_text: &str) -> RequestDraft {
    let rule = || ApprovalRule::role("manager").unwrap();
    draft(id_text).requires_approval(rule()).requires_approval(rule())
}

fn voters(request: &MutationRequest) -> Vec<Option<&str>> {
    let verdicts = request.approvals.iter().map(|approval| approval.state.verdict());
    verdicts.map(|verdict| verdict.and_then(|verdict| verdict.by.id.as_ref()).map(|id| id.as_str())).collect()
}

#[dual]
pub(crate) async fn one_call_decides_all_its_actor_may_decide(world: World) {
    let both = |id_text: &str| {
        let alone = ApprovalRule::role("manager").unwrap().at_step(Step::FIRST);
        needing(id_text, &["alice", "alice", "bob"]).requires_approval(alone)
    };
    world.governance.submit(both("request-1")).await.unwrap();
    let half = world.governance.approve("request-1", manager("alice")).await.unwrap();
    assert_eq!(voters(&half), [Some("alice"), Some("alice"), None, Some("alice")]);
    assert_eq!((half.revision().number, half.state.status()), (1, Status::Pending));
    let done = world.governance.approve("request-1", user("bob")).await.unwrap();
    assert_eq!((done.revision().number, done.state.status()), (2, Status::Approved));
    let stored = world.stored(&done.id).await;
    assert_eq!(stored, done);

    let other = world.governance.submit(both("request-2")).await.unwrap();
    let seen = other.digest();
    let half = world.governance.approve_for_digest(&other.id, user("bob"), seen).await.unwrap();
    assert_eq!(half.approvals[2].state.verdict().unwrap().digest, seen);
    let other_seen = Digest::from_bytes([7; 32]);
    let wrong = world.governance.approve_for_digest(&other.id, user("alice"), other_seen).await.unwrap_err();
    assert!(matches!(approval_error(wrong), ApprovalError::AnotherDigest { .. }));
    let rejection = Rejection::new("E1", "not before the audit");
    world.governance.submit(both("request-3")).await.unwrap();
    let rejected = world.governance.reject("request-3", user("alice"), Some(rejection)).await.unwrap();
    assert_eq!((rejected.state.status(), count(&rejected, ApprovalDecision::Rejected)), (Status::Rejected, 2));
}

#[dual]
async fn approve(governance: Governance, id: RequestId, name: &'static str) -> Result<MutationRequest> {
    governance.approve(&id, manager(name)).await
}

/// Both read the same revision; each decides what is theirs.
#[dual]
pub(crate) async fn approvers_at_once_both_land(world: World) {
    for round in 0..8 {
        let request = world.governance.submit(needing(&format!("round-{round}"), &["ann", "bob"])).await.unwrap();
        let shaky = world.shaky();
        shaky.let_readers_meet(&request.id, 2);
        let (governance, id) = (world.governance_over(Arc::clone(&shaky)), request.id.clone());
        let names = ["ann", "bob"];
        let outcomes = run_concurrently(2, move |place| approve(governance.clone(), id.clone(), names[place])).await;
        for outcome in outcomes {
            outcome.unwrap();
        }
        let stored = world.stored(&request.id).await;
        assert_eq!(shaky.conflicts(), 1, "both had read the same revision");
        assert_eq!(voters(&stored), [Some("ann"), Some("bob")]);
        assert_eq!((stored.revision().number, stored.state.status()), (2, Status::Approved));
    }
}

/// Both are for the first step; who comes second gets the second.
#[dual]
pub(crate) async fn an_approver_who_comes_second_decides_what_is_left(world: World) {
    let request = world.governance.submit(two_managers("request-1")).await.unwrap();
    let shaky = world.shaky();
    shaky.let_readers_meet(&request.id, 2);
    let (governance, id) = (world.governance_over(Arc::clone(&shaky)), request.id.clone());
    let names = ["ann", "bob"];
    let outcomes = run_concurrently(2, move |place| approve(governance.clone(), id.clone(), names[place])).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let stored = world.stored(&request.id).await;
    let mut voted = voters(&stored);
    voted.sort_unstable();
    assert_eq!(voted, [Some("ann"), Some("bob")]);
    assert_eq!(stored.state.status(), Status::Approved);

    // Where nothing is left for the second, the error says so.
    let (manager_first, then_eve) = (ApprovalRule::role("manager").unwrap(), ApprovalRule::actor("eve").unwrap());
    let draft = draft("request-2").requires_approval(manager_first).requires_approval(then_eve);
    let request = world.governance.submit(draft).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(Command::approve(manager("ann"))));
    let error = world.governance_over(shaky).approve(&request.id, manager("bob")).await.unwrap_err();
    let expected = "request request-2: approval-1 is decided already, and no other approval is for bob; it waits for \
                    eve to decide approval-2; step 2 of 2";
    assert_eq!(error.to_string(), expected);
}

#[dual]
pub(crate) async fn an_approval_whose_reply_was_lost_decides_nothing_more(world: World) {
    let request = world.governance.submit(two_managers("request-1")).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::ReplyLost);
    let governance = world.governance_over(shaky);
    let (command, write_id) = (Command::approve(manager("ann")), WriteId::generate());
    let error = governance.apply_as(&request.id, &command, write_id).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    world.clock.set(at(60));
    let again = governance.apply_as(&request.id, &command, write_id).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(again, stored);
    assert_eq!(voters(&stored), [Some("ann"), None], "the second step is open");
    assert_eq!((stored.revision().number, stored.updated_at), (1, at(0)));

    let rejection = (Command::reject(manager("ann"), None), WriteId::generate());
    let rejected = governance.apply_as(&request.id, &rejection.0, rejection.1).await.unwrap();
    let again = governance.apply_as(&request.id, &rejection.0, rejection.1).await.unwrap();
    assert_eq!((again, rejected.revision().number), (rejected.clone(), 2));
    let anew = governance.apply_as(&request.id, &rejection.0, WriteId::generate()).await.unwrap_err();
    assert!(matches!(approval_error(anew), ApprovalError::NotAwaitingApproval { status: Status::Rejected }));
}

#[dual]
pub(crate) async fn who_has_nothing_to_decide_learns_why_and_changes_nothing(world: World) {
    let request = world.governance.submit(needing("request-1", &["alice", "bob"])).await.unwrap();
    let before = world.governance.approve(&request.id, user("alice")).await.unwrap();
    let voted = NothingToDecide::Voted { approvals: vec![before.approvals[0].id.clone()] };
    let waits = "it waits for bob to decide approval-2; step 1 of 1";
    for (by, why, sentence) in [
        (user("alice"), Some(voted), "alice has voted already, on approval-1"),
        (user("mallory"), None, "none of its approvals is for mallory, by id, role or group"),
    ] {
        for error in [
            world.governance.approve(&request.id, by.clone()).await.unwrap_err(),
            world.governance.reject(&request.id, by.clone(), None).await.unwrap_err(),
        ] {
            assert_eq!(error.outcome(), Outcome::NotApplied);
            assert_eq!(error.to_string(), format!("request request-1: {sentence}; {waits}"));
            let ApprovalError::NothingToDecide { actor, why: found, .. } = approval_error(error) else {
                panic!("{sentence}")
            };
            assert_eq!(by.id.as_ref().unwrap(), &*actor);
            assert!(why.as_ref().is_none_or(|why| *why == found), "{found:?}");
        }
    }
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, before);
    assert_eq!(stored.approvals[1].state.status(), ApprovalStatus::Pending);
    let missing = world.governance.approve("nowhere", user("alice")).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
}

#[dual]
async fn read(world: &World, id: impl IntoId<RequestId>) -> Option<MutationRequest> {
    world.governance.get(id).await.unwrap()
}

#[dual]
pub(crate) async fn ids_are_taken_in_every_form(world: World) {
    let request = world.governance.submit(needing("request-1", &["alice"])).await.unwrap();
    let text = "request-1".to_owned();
    let found = [
        read(&world, "request-1").await,
        read(&world, &text).await,
        read(&world, text.clone()).await,
        read(&world, &request.id).await,
        read(&world, request.id.clone()).await,
    ];
    assert!(found.iter().all(|found| found.as_ref() == Some(&request)));

    let page = PageRequest::first();
    let of_state = world.governance.by_state("tenant:acme", &page).await.unwrap();
    let pending = world.governance.pending_by_state(&request.target.state_id, &page).await.unwrap();
    assert_eq!((of_state.items.len(), pending.items.len()), (1, 1));
    let approved = world.governance.approve_requirement("request-1", "approval-1", user("alice")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);

    let bad = "not an id";
    let errors = [
        world.governance.get(bad).await.map(drop),
        world.governance.approve(bad, user("alice")).await.map(drop),
        world.governance.approve_requirement("request-1", bad, user("alice")).await.map(drop),
        world.governance.supersede("request-1", user("alice"), bad).await.map(drop),
        world.governance.by_state("", &page).await.map(drop),
        world.governance.apply_as(bad, &Command::cancel(user("alice")), WriteId::generate()).await.map(drop),
    ];
    for error in errors {
        assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
    }
}

/// The claim is the point of no return: of the two, the one that comes second gets its own error.
#[dual]
pub(crate) async fn a_vote_is_withdrawn_before_the_claim_or_not_at_all(world: World) {
    let claim = || Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_mins(1));
    for (name, first, second) in [
        ("claim-first", claim(), Command::withdraw(user("alice"))),
        ("withdrawal-first", Command::withdraw(user("alice")), claim()),
    ] {
        let request = world.governance.submit(needing(name, &["alice"])).await.unwrap();
        let approved = world.governance.approve(&request.id, user("alice")).await.unwrap();
        assert_eq!(approved.state.status(), Status::Approved);
        let shaky = world.shaky();
        shaky.plan(1, Mishap::Overtaken(first));
        let error = world.governance_over(shaky).apply(&request.id, &second).await.unwrap_err();
        let stored = world.stored(&request.id).await;
        match execution_error(error) {
            ExecutionError::Claimed { .. } => {
                assert_eq!((name, stored.state.status()), ("claim-first", Status::Approved))
            }
            ExecutionError::NotApproved { .. } => assert_eq!(name, "withdrawal-first"),
            other => panic!("{name}: {other}"),
        }
        assert_eq!(stored.execution.claim.is_some(), name == "claim-first");
    }
}
