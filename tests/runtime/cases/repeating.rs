//! Going on after an outcome that is not known: the same command under the same write id, applied once.

use mutator_governance::workflow::{self, Command, StaleStrategy};
use mutator_governance::{
    ApprovalDecision, ApprovalRefusal, MutationRequest, Outcome, Result, Settled, UnsettledWrite, VersionDecision,
    WriteId,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, together};
use crate::people::{approval, approved, at, count, needing, refusal, user, version};

fn grant_by(name: &str, number: usize) -> Command {
    Command::grant(user(name), approval(&format!("approval-{number}")))
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
    assert!(matches!(refusal(under_another_id), ApprovalRefusal::AlreadyDecided { .. }));
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
    governance.apply_as(&crate::people::id("request-1"), &grant_by("a", 1), write_id).await
}

#[dual]
pub(crate) async fn many_repetitions_at_once_apply_once(world: World) {
    let request = world.governance.submit(needing("request-1", &["a", "b"])).await.unwrap();
    let (governance, write_id) = (world.governance.clone(), WriteId::generate());
    let outcomes = together(12, move |_| apply_same(governance.clone(), write_id)).await;
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
    let write =
        UnsettledWrite { id: request.id.clone(), base: Some(request.revision()), write_id: WriteId::generate() };
    let settled = world.governance.settle(&write).await.unwrap();
    assert_eq!(settled, Settled::Open);
    let granted = world.governance.apply_as(&write.id, &command, write.write_id).await.unwrap();
    let settled = world.governance.settle(&write).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    world.store.update(under_way, write.write_id).await.unwrap();
    let stored = world.stored(&request.id).await;
    assert_eq!(stored, granted);
}

/// Others may come between: each attempt but the last was refused, and all go by one id.
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
