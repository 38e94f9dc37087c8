//! Several people act on one request at once.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::Command;
use mutator_governance::{
    ApprovalDecision, ApprovalError, ApprovalId, ApprovalRule, ApprovalStatus, ApprovalTarget, Error, OnConflict,
    Outcome, RequestId, Status,
};
use mutator_governance::{MutationRequest, Result};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{approval, approval_error, conflict, count, draft, needing, targets, user};

const ROUNDS: usize = 12;

const MEMBERS: [&str; 8] = ["ada", "bob", "cid", "dee", "eve", "fay", "gus", "hal"];

/// The approver at this place grants the approval that is theirs.
#[dual]
async fn grant_own(governance: Governance, id: RequestId, place: usize) -> Result<MutationRequest> {
    let own = approval(&format!("approval-{}", place + 1));
    governance.approve_requirement(&id, &own, user(MEMBERS[place])).await
}

/// The approver at this place grants the first approval, which is for everybody.
#[dual]
async fn grant_first(governance: Governance, id: RequestId, place: usize) -> Result<MutationRequest> {
    governance.approve_requirement(&id, &approval("approval-1"), user(MEMBERS[place])).await
}

fn granted(by: &str, approval_id: &str) -> Mishap {
    Mishap::Overtaken(Command::approve_requirement(user(by), approval(approval_id)))
}

#[dual]
pub(crate) async fn approvers_of_different_approvals_both_land(world: World) {
    for round in 0..ROUNDS {
        let request = world.governance.submit(needing(&format!("round-{round}"), &MEMBERS[..2])).await.unwrap();
        let shaky = world.shaky();
        shaky.let_readers_meet(&request.id, 2);
        let (governance, id) = (world.governance_over(Arc::clone(&shaky)), request.id.clone());
        let outcomes = run_concurrently(2, move |place| grant_own(governance.clone(), id.clone(), place)).await;
        for outcome in outcomes {
            outcome.unwrap();
        }

        let stored = world.stored(&request.id).await;
        assert_eq!(shaky.conflicts(), 1, "both had read the same revision");
        assert_eq!(stored.state.status(), Status::Approved);
        assert_eq!(count(&stored, ApprovalDecision::Granted), 2);
        assert_eq!(stored.revision().number, 2);
        assert!(stored.decisions.starts_with(&request.decisions));
    }
}

#[dual]
pub(crate) async fn eight_members_of_a_quorum_all_land(world: World) {
    let rule = ApprovalRule::quorum("board", 8, targets(&MEMBERS)).unwrap();
    let request = world.governance.submit(draft("board").requires_approval(rule)).await.unwrap();
    let shaky = world.shaky();
    shaky.let_readers_meet(&request.id, 8);
    // Whoever loses against all the others is rebased seven times.
    let governance = world.governance_over(Arc::clone(&shaky)).on_conflict(OnConflict::Rebase(7));
    let id = request.id.clone();
    let outcomes = run_concurrently(8, move |place| grant_own(governance.clone(), id.clone(), place)).await;
    for outcome in outcomes {
        outcome.unwrap();
    }

    let stored = world.stored(&request.id).await;
    assert!(shaky.conflicts() >= 7, "all eight had read the same revision: {}", shaky.conflicts());
    assert_eq!(stored.state.status(), Status::Approved);
    assert_eq!(count(&stored, ApprovalDecision::Granted), 8);
    assert_eq!(count(&stored, ApprovalDecision::QuorumSatisfied), 1);
    assert_eq!(stored.revision().number, 8);
}

#[dual]
pub(crate) async fn with_fail_the_conflict_says_what_happened(world: World) {
    let request = world.governance.submit(needing("fail", &MEMBERS[..3])).await.unwrap();
    let shaky = world.shaky();
    shaky.let_readers_meet(&request.id, 2);
    let governance = world.governance_over(shaky).on_conflict(OnConflict::Fail);
    let id = request.id.clone();
    let outcomes = run_concurrently(2, move |place| grant_own(governance.clone(), id.clone(), place)).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    let winner = won.into_iter().next().unwrap().unwrap();
    let error = lost.into_iter().next().unwrap().unwrap_err();

    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(!error.is_retryable());
    let conflict = conflict(error);
    assert_eq!(conflict.id, request.id);
    assert_eq!(conflict.expected, request.revision());
    assert_eq!(conflict.actual, winner.revision());
    assert_eq!(conflict.status, Status::Pending);
    assert_eq!(conflict.decisions_since, winner.decisions[request.decisions.len()..]);
    assert_eq!(conflict.decisions_since.len(), 1);
    assert_eq!(conflict.stored, winner);
    assert_eq!(conflict.commutes, Some(true));
    let text = conflict.to_string();
    assert!(text.contains("read it again and decide anew"), "{text}");
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, winner);
}

#[dual]
pub(crate) async fn a_conflict_says_when_the_two_do_not_commute(world: World) {
    let request = world.governance.submit(needing("canceled", &["ada", "bob"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(Command::cancel(user("requester"))));
    let governance = world.governance_over(shaky).on_conflict(OnConflict::Fail);
    let error = grant_own(governance, request.id.clone(), 0).await.unwrap_err();
    let conflict = conflict(error);
    assert_eq!(conflict.status, Status::Canceled);
    assert_eq!(conflict.commutes, Some(false));
}

#[dual]
pub(crate) async fn a_command_made_invalid_fails_with_its_own_error(world: World) {
    let request = world.governance.submit(needing("canceled", &["ada", "bob"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(Command::cancel(user("requester"))));
    let error = grant_own(world.governance_over(shaky), request.id.clone(), 0).await.unwrap_err();
    assert_eq!(approval_error(error), ApprovalError::NotAwaitingApproval { status: Status::Canceled });
    let stored = world.stored(&request.id).await;
    assert_eq!((stored.revision().number, stored.state.status()), (1, Status::Canceled));

    let request = world.governance.submit(draft("rejected").already_approved()).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(Command::reject_request(user("ada"))));
    let error = world.governance_over(shaky).cancel(&request.id, user("requester")).await.unwrap_err();
    let expected = (Status::Rejected, Status::Canceled);
    assert!(matches!(error, Error::InvalidTransition { from, to, .. } if (from, to) == expected), "{error}");
}

#[dual]
pub(crate) async fn rebase_gives_up_after_so_many_times(world: World) {
    for (policy, overtakers) in [(OnConflict::Rebase(2), 3), (OnConflict::Rebase(0), 1), (OnConflict::Fail, 1)] {
        let id_text = format!("given-up-{overtakers}-{}", policy == OnConflict::Fail);
        let request = world.governance.submit(needing(&id_text, &MEMBERS)).await.unwrap();
        let shaky = world.shaky();
        for (place, member) in MEMBERS.into_iter().enumerate().skip(1).take(overtakers) {
            shaky.plan(place, granted(member, &format!("approval-{}", place + 1)));
        }
        let governance = world.governance_over(Arc::clone(&shaky)).on_conflict(policy);
        let error = grant_own(governance, request.id.clone(), 0).await.unwrap_err();
        let conflict = conflict(error);
        assert_eq!(shaky.updates(), overtakers);
        assert_eq!(conflict.actual.number, overtakers as u64);
        assert_eq!(conflict.expected.number, conflict.actual.number - 1, "computed from what the one before had left");
        assert_eq!(conflict.decisions_since.len(), 1);
        assert_eq!(conflict.commutes, Some(true));
        let stored = world.stored(&request.id).await;
        assert_eq!(stored.approvals[0].state.status(), ApprovalStatus::Pending);
    }

    let request = world.governance.submit(needing("not-given-up", &MEMBERS)).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, granted("bob", "approval-2"));
    shaky.plan(2, granted("cid", "approval-3"));
    let governance = world.governance_over(Arc::clone(&shaky)).on_conflict(OnConflict::Rebase(2));
    let changed = grant_own(governance, request.id.clone(), 0).await.unwrap();
    assert_eq!((shaky.updates(), changed.revision().number), (3, 3));
    assert_eq!(count(&changed, ApprovalDecision::Granted), 3);
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, changed);
}

#[dual]
pub(crate) async fn no_rebase_is_begun_after_the_deadline(world: World) {
    for (deadline, updates) in [(Duration::ZERO, 1), (Duration::from_secs(60), 2)] {
        let request = world.governance.submit(needing(&format!("until-{deadline:?}"), &MEMBERS)).await.unwrap();
        let shaky = world.shaky();
        shaky.plan(1, granted("bob", "approval-2"));
        let governance =
            Governance::builder().store(shaky.clone()).clock(world.clock.clone()).deadline(deadline).build();
        let outcome = grant_own(governance, request.id.clone(), 0).await;
        assert_eq!(shaky.updates(), updates);
        assert_eq!(outcome.is_ok(), updates == 2);
        if let Err(error) = outcome {
            assert_eq!(conflict(error).commutes, Some(true));
        }
    }
}

#[dual]
pub(crate) async fn one_approval_is_granted_once(world: World) {
    let everybody = targets(&MEMBERS).into_iter().reduce(ApprovalTarget::or).unwrap();
    for round in 0..ROUNDS {
        let rule = ApprovalRule::of(everybody.clone());
        let request = world.governance.submit(draft(&format!("one-{round}")).requires_approval(rule)).await.unwrap();
        let shaky = world.shaky();
        shaky.let_readers_meet(&request.id, 4);
        let (governance, id) = (world.governance_over(shaky), request.id.clone());
        let outcomes = run_concurrently(4, move |place| grant_first(governance.clone(), id.clone(), place)).await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 3));
        for error in lost.into_iter().map(Result::unwrap_err) {
            let expected = ApprovalError::NotAwaitingApproval { status: Status::Approved };
            assert_eq!(approval_error(error), expected);
        }
        let stored = world.stored(&request.id).await;
        assert_eq!(count(&stored, ApprovalDecision::Granted), 1);
        let first: ApprovalId = approval("approval-1");
        assert_eq!(stored.approvals[0].id, first);
    }
}

const CROWD: usize = 64;

fn crowd() -> Vec<String> {
    (0..CROWD).map(|number| format!("approver-{number}")).collect()
}

fn crowded(id_text: &str) -> mutator_governance::RequestDraft {
    let names = crowd();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    needing(id_text, &names)
}

/// The approver at this place grants the approval that is theirs.
#[dual]
async fn grant_in_crowd(governance: Governance, id: RequestId, place: usize) -> Result<MutationRequest> {
    let own = approval(&format!("approval-{}", place + 1));
    governance.approve_requirement(&id, &own, user(&format!("approver-{place}"))).await
}

/// By the default of the service; all have read the same revision.
#[dual]
pub(crate) async fn sixty_four_approvers_at_once_all_land(world: World) {
    let request = world.governance.submit(crowded("crowd")).await.unwrap();
    let shaky = world.shaky();
    shaky.let_readers_meet(&request.id, CROWD);
    let (governance, id) = (world.governance_over(Arc::clone(&shaky)), request.id.clone());
    let outcomes = run_concurrently(CROWD, move |place| grant_in_crowd(governance.clone(), id.clone(), place)).await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let stored = world.stored(&request.id).await;
    assert!(shaky.conflicts() >= CROWD - 1, "{}", shaky.conflicts());
    assert_eq!(stored.state.status(), Status::Approved);
    assert_eq!(count(&stored, ApprovalDecision::Granted), CROWD);
    assert_eq!(stored.revision().number, CROWD as u64);
}

/// The one at place 0 cancels; the others grant.
#[dual]
async fn grant_or_cancel(governance: Governance, id: RequestId, place: usize) -> Result<MutationRequest> {
    match place {
        0 => governance.cancel(&id, user("requester")).await,
        _ => grant_in_crowd(governance, id, place).await,
    }
}

/// Whoever does not commute with what came before fails with their own error, and none with a conflict.
#[dual]
pub(crate) async fn a_crowd_is_let_in_and_who_came_too_late_gets_an_error_that_says_so(world: World) {
    let request = world.governance.submit(crowded("canceled-crowd")).await.unwrap();
    let shaky = world.shaky();
    shaky.let_readers_meet(&request.id, CROWD);
    let (governance, id) = (world.governance_over(Arc::clone(&shaky)), request.id.clone());
    let outcomes = run_concurrently(CROWD, move |place| grant_or_cancel(governance.clone(), id.clone(), place)).await;
    let stored = world.stored(&request.id).await;
    let granted = count(&stored, ApprovalDecision::Granted);
    let (landed, late): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((landed.len(), late.len()), (granted + 1, CROWD - 1 - granted));
    for error in late.into_iter().map(Result::unwrap_err) {
        assert_eq!(approval_error(error), ApprovalError::NotAwaitingApproval { status: Status::Canceled });
    }
    assert_eq!((stored.state.status(), stored.revision().number), (Status::Canceled, granted as u64 + 1));
}

/// More often than three times.
#[dual]
pub(crate) async fn who_keeps_being_overtaken_lands_in_the_end(world: World) {
    let request = world.governance.submit(needing("overtaken", &MEMBERS)).await.unwrap();
    let shaky = world.shaky();
    for (place, member) in MEMBERS.into_iter().enumerate().skip(1) {
        shaky.plan(place, granted(member, &format!("approval-{}", place + 1)));
    }
    let governance = world.governance_over(Arc::clone(&shaky));
    let landed = grant_own(governance, request.id.clone(), 0).await.unwrap();
    assert_eq!((shaky.conflicts(), landed.revision().number), (7, 8));
    assert_eq!(landed.state.status(), Status::Approved);
}
