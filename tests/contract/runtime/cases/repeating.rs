//! Going on after an outcome that is not known: the same command under the same write id, applied once.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{self, Command, Completion, StaleStrategy};
use mutator_governance::{
    ActorContext, ApprovalDecision, ApprovalError, ClaimId, Error, MutationRequest, OnConflict, Outcome, PendingReason,
    Rejection, Result, Settled, StateVersion, UnsettledWrite, VersionDecision, WriteId, WriteKind,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{approval, approval_error, approved, at, count, needing, user, version};

fn grant_by(name: &str, number: usize) -> Command {
    Command::approve_requirement(user(name), approval(&format!("approval-{number}")))
}

#[dual]
pub(crate) async fn a_command_whose_reply_was_lost_is_applied_once(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::ReplyLost);
    let governance = world.governance_over(shaky);
    let (command, write_id) = (grant_by("a", 1), WriteId::generate());
    let error = governance.apply_as(&request.id, &command, write_id).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Unknown, false));

    world.clock.set(at(60));
    let again = governance.apply_as(&request.id, &command, write_id).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(again, stored);
    assert_eq!((stored.revision().number, count(&stored, ApprovalDecision::Granted)), (1, 1));
    assert_eq!(stored.updated_at, at(0), "by the first attempt");

    let under_another_id = governance.apply_as(&request.id, &command, WriteId::generate()).await.unwrap_err();
    assert!(matches!(approval_error(under_another_id), ApprovalError::AlreadyDecided { .. }));
}

#[dual]
pub(crate) async fn a_command_that_was_not_written_is_applied_by_its_repetition(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Lost);
    let governance = world.governance_over(shaky);
    let (command, write_id) = (grant_by("a", 1), WriteId::generate());
    let error = governance.apply_as(&request.id, &command, write_id).await.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, true));
    let granted = governance.apply_as(&request.id, &command, write_id).await.unwrap();
    assert_eq!(granted.revision().write_id, write_id);
    let stored = world.stored(&request.id).await;
    assert_eq!((stored.revision().number, &stored), (1, &granted));
}

/// Up to six further writes, which is what every store remembers.
#[dual]
pub(crate) async fn a_repetition_returns_what_the_request_has_become(world: World) {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let request = world.governance.submit(needing("request-1", &names)).await.unwrap();
    world.governance.apply(&request.id, &grant_by("h", 8)).await.unwrap();
    let (command, write_id) = (grant_by("a", 1), WriteId::generate());
    world.governance.apply_as(&request.id, &command, write_id).await.unwrap();
    for (place, name) in names.into_iter().enumerate().skip(1).take(6) {
        let latest = world.governance.apply(&request.id, &grant_by(name, place + 1)).await.unwrap();
        let again = world.governance.apply_as(&request.id, &command, write_id).await;
        assert_eq!(again.unwrap_or_else(|error| panic!("after {place} further writes: {error}")), latest);
    }
}

/// Its own rules would allow it any number of times.
#[dual]
pub(crate) async fn a_command_that_could_be_done_again_is_not(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let command = Command::resolve(user("executor"), version("v1"), StaleStrategy::RejectStale);
    let write_id = WriteId::generate();
    let first = world.governance.apply_as(&request.id, &command, write_id).await.unwrap();
    let again = world.governance.apply_as(&request.id, &command, write_id).await.unwrap();
    assert_eq!(again, first);
    let other = world.governance.apply_as(&request.id, &command, WriteId::generate()).await.unwrap();
    assert_eq!(count(&other, VersionDecision::Validated), 2, "under another id it is another command");
    let later = world.governance.apply_as(&request.id, &command, write_id).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!((&later, &stored), (&other, &other));
}

#[dual]
async fn apply_same(governance: Governance, write_id: WriteId) -> Result<MutationRequest> {
    governance.apply_as(&crate::runtime::people::id("request-1"), &grant_by("a", 1), write_id).await
}

#[dual]
pub(crate) async fn many_repetitions_at_once_apply_once(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let (governance, write_id) = (world.governance.clone(), WriteId::generate());
    let outcomes = run_concurrently(12, move |_| apply_same(governance.clone(), write_id)).await;
    let stored = world.stored(&request.id).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), stored);
    }
    assert_eq!((stored.revision().number, count(&stored, ApprovalDecision::Granted)), (1, 1));
}

/// Whoever gave no write id has that of the error, and an attempt that is still under way changes nothing any more.
#[dual]
pub(crate) async fn an_open_write_is_repeated_under_its_own_id(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let command = grant_by("a", 1);
    let under_way = workflow::apply(request.clone(), &command, at(0)).unwrap();
    let write = UnsettledWrite {
        id: request.id.clone(),
        base: Some(request.revision()),
        write_id: WriteId::generate(),
        intent: None,
    };
    let settled = world.governance.settle(&write).await.unwrap();
    assert_eq!(settled, Settled::Open);
    let granted = world.governance.apply_as(&write.id, &command, write.write_id).await.unwrap();
    let settled = world.governance.settle(&write).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    world.store.update(under_way, write.write_id).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, granted);
}

/// Others may come between: each attempt but the last was rejected, and all go by one id.
#[dual]
pub(crate) async fn an_overtaken_command_keeps_its_write_id(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(grant_by("b", 2)));
    let governance = world.governance_over(shaky);
    let write_id = WriteId::generate();
    let granted = governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap();
    assert_eq!((granted.revision().number, granted.revision().write_id), (2, write_id));
    assert_eq!(count(&granted, ApprovalDecision::Granted), 2);
}

/// As an HTTP handler makes it anew for each attempt.
fn from(address: &str, name: &str) -> Arc<ActorContext> {
    let mut actor = ActorContext::user(name).unwrap().with_role(format!("role-at-{address}")).unwrap();
    actor.source_address = Some(address.to_owned());
    actor.session_id = Some(format!("session-{address}"));
    actor.correlation_id = Some(WriteId::generate().to_string());
    actor.at = Some(mutator_governance::Timestamp::now());
    Arc::new(actor)
}

#[dual]
pub(crate) async fn a_repetition_from_another_address_is_one(world: World) {
    let request = world.governance.submit(needing("request-1", &["mona", "sam"])).await.unwrap();
    let grant = |address| Command::approve_requirement(from(address, "mona"), approval("approval-1"));
    let write_id = WriteId::generate();
    world.governance.apply_as(&request.id, &grant("10.0.0.1"), write_id).await.unwrap();
    let approved = world.governance.apply(&request.id, &grant_by("sam", 2)).await.unwrap();
    let again = world.governance.apply_as(&request.id, &grant("10.0.0.2"), write_id).await.unwrap();
    assert_eq!(again, approved);
    let stored = world.stored(&request.id).await;
    assert_eq!((&stored, count(&stored, ApprovalDecision::Granted)), (&approved, 2));
}

/// A lease is what is stored: an executor that believes in a longer one runs beside whoever takes over.
#[dual]
pub(crate) async fn a_repeated_renewal_returns_the_stored_lease(world: World) {
    let request = world.governance.submit(approved("request-1")).await.unwrap();
    let (claim, write_id, lease) = (ClaimId::generate(), WriteId::generate(), Duration::from_secs(60));
    let renewal = |address| Command::claim(from(address, "executor"), claim, lease);
    world.governance.apply(&request.id, &renewal("10.0.0.1")).await.unwrap();
    world.clock.set(at(30));
    world.governance.apply_as(&request.id, &renewal("10.0.0.1"), write_id).await.unwrap();
    world.clock.set(at(31));
    let latest = world.governance.apply(&request.id, &renewal("10.0.0.1")).await.unwrap();
    world.clock.set(at(89));
    let again = world.governance.apply_as(&request.id, &renewal("10.0.0.2"), write_id).await.unwrap();
    assert_eq!(again, latest);
    assert_eq!(again.execution.claim.as_ref().unwrap().lease_ends_at, at(91));
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, latest);
}

fn is_reused(result: Result<MutationRequest>, kind: WriteKind, by_revision: u64) {
    let error = result.unwrap_err();
    assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, false), "{error}");
    let Error::WriteIdReused { used_to, revision, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*used_to, *revision), (kind, by_revision));
    assert!(error.to_string().contains(kind.as_str()), "{error}");
}

/// Whether or not the other command would be allowed: neither answer is one to it.
#[dual]
pub(crate) async fn a_write_id_of_another_command_is_rejected(world: World) {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let request = world.governance.submit(needing("request-1", &names)).await.unwrap();
    let (submission, write_id) = (request.revision().write_id, WriteId::generate());
    world.governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap();
    let of = |name: &str, reason: Option<&str>, number: usize| {
        let mut by = ActorContext::user(name).unwrap();
        by.reason = reason.map(str::to_owned);
        Command::approve_requirement(by, approval(&format!("approval-{number}")))
    };
    let rejection = || Some(Rejection::new("E1", "no"));
    let others = [
        of("b", None, 2),
        of("a", None, 2),
        of("b", None, 1),
        of("a", Some("asked"), 1),
        Command::reject_requirement(user("a"), approval("approval-1"), rejection()),
        Command::cancel(user("a")),
        Command::approve_request(user("a")),
        Command::hold(user("a"), PendingReason::Quota),
        Command::complete(user("a"), ClaimId::generate(), Completion::new()),
        Command::resolve(user("a"), StateVersion::new("v1").unwrap(), StaleStrategy::RejectStale),
    ];
    for (place, name) in names.into_iter().enumerate().skip(1).take(6) {
        for other in &others {
            let result = world.governance.apply_as(&request.id, other, write_id).await;
            is_reused(result, WriteKind::ApproveRequirement, 1);
            let result = world.governance.apply_as(&request.id, other, submission).await;
            is_reused(result, WriteKind::Submit, 0);
        }
        let latest = world.governance.apply(&request.id, &grant_by(name, place + 1)).await.unwrap();
        let stored = world.stored(&request.id).await;
        assert_eq!(stored, latest);
    }
}

/// The two in turn: load and store; load and find out. A write id that is not known costs nothing where the command is allowed.
#[dual]
pub(crate) async fn finding_out_costs_one_read(world: World) {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let request = world.governance.submit(needing("request-1", &names)).await.unwrap();
    let shaky = world.shaky();
    let governance = world.governance_over(Arc::clone(&shaky));
    let write_id = WriteId::generate();
    governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap();
    assert_eq!((shaky.reads(), shaky.settles(), shaky.updates()), (1, 0, 1));
    for (place, name) in names.into_iter().enumerate().skip(1).take(6) {
        governance.apply(&request.id, &grant_by(name, place + 1)).await.unwrap();
    }
    let (reads, updates) = (shaky.reads(), shaky.updates());
    governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap();
    assert_eq!((shaky.reads() - reads, shaky.settles(), shaky.updates() - updates), (2, 1, 0), "load, find out, load");
    let other = governance.apply_as(&request.id, &grant_by("a", 1), WriteId::generate()).await.unwrap_err();
    assert!(matches!(approval_error(other), ApprovalError::AlreadyDecided { .. }));
    assert_eq!((shaky.reads() - reads, shaky.settles()), (3, 2));
}

/// Two attempts under one id, while somebody else writes: each is answered with what is stored, or was a moment ago.
#[dual]
pub(crate) async fn attempts_that_race_are_answered_with_what_is_stored(world: World) {
    for round in 0..20 {
        let name = format!("round-{round}");
        let request = world.governance.submit(needing(&name, &["a", "b", "c"])).await.unwrap();
        let (governance, write_id, id) = (world.governance.clone(), WriteId::generate(), request.id.clone());
        let outcomes =
            run_concurrently(3, move |place| grant_in(governance.clone(), id.clone(), place, write_id)).await;
        let stored = world.stored(&request.id).await;
        assert_eq!(stored.revision().number, 2);
        for outcome in outcomes {
            let outcome = outcome.unwrap();
            if outcome.revision() == stored.revision() {
                assert_eq!(outcome, stored);
            } else {
                assert_eq!(outcome.revision().number, 1);
                assert!(stored.decisions.starts_with(&outcome.decisions), "what was stored before");
                assert_eq!(outcome.decisions.len() + 1, stored.decisions.len());
            }
        }
    }
}

#[dual]
async fn grant_in(
    governance: Governance,
    id: mutator_governance::RequestId,
    place: usize,
    write_id: WriteId,
) -> Result<MutationRequest> {
    match place {
        0 => governance.apply(&id, &grant_by("b", 2)).await,
        _ => governance.apply_as(&id, &grant_by("a", 1), write_id).await,
    }
}

/// Each attempt has the id of the one before, and the policy says nothing about that.
#[dual]
pub(crate) async fn a_repetition_that_met_a_conflict_is_still_one(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(grant_by("b", 2)));
    let governance = world.governance_over(shaky).on_conflict(OnConflict::Fail);
    let write_id = WriteId::generate();
    let error = governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap_err();
    assert!(error.as_conflict().is_some(), "{error}");
    let granted = governance.apply_as(&request.id, &grant_by("a", 1), write_id).await.unwrap();
    assert_eq!(count(&granted, ApprovalDecision::Granted), 2);
}
