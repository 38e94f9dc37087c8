//! Sending back, amending and resubmitting through the service: stored, found, and never half done.

use std::time::Duration;

use mutator_governance::workflow::{Amendment, Command, resubmission_draft};
use mutator_governance::{
    ApprovalError, ApprovalRule, ApprovalStatus, ApprovalTarget, CorrectionError, Error, FeedPosition, MutationRequest,
    Outcome, PageRequest, Payload, PendingReason, RequestDraft, RequestQuery, Result, Status, WriteId,
};

use super::flavour::Governance;
use super::{Mishap, World, dual, run_concurrently};
use crate::runtime::people::{approval_error, at, correction_error, draft, id, needing, user, version};

fn payload(text: &str) -> Payload {
    Payload::new("text/plain", text.as_bytes()).unwrap()
}

fn for_30_days() -> Amendment {
    Amendment::new().payload(payload("for 30 days"))
}

fn ids(requests: &[MutationRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.id.as_str()).collect()
}

#[dual]
async fn sent_back(world: &World, name: &str) -> MutationRequest {
    world.governance.submit(needing(name, &["alice", "bob"]).with_payload(payload("for ever"))).await.unwrap();
    world.governance.approve(name, user("alice")).await.unwrap();
    world.governance.request_changes(name, user("bob"), "for how long?").await.unwrap()
}

#[dual]
async fn rejected(world: &World, name: &str) -> MutationRequest {
    world.governance.submit(needing(name, &["alice", "bob"]).with_payload(payload("for ever"))).await.unwrap();
    world.governance.reject(name, user("bob"), None).await.unwrap()
}

#[dual]
async fn written(world: &World) -> usize {
    world.governance.read_feed(&FeedPosition::beginning(), 1_000).await.unwrap().entries.len()
}

#[dual]
pub(crate) async fn a_request_is_sent_back_amended_and_approved_anew(world: World) {
    let governance = &world.governance;
    let back = sent_back(&world, "request-1").await;
    let (page, everywhere) = (PageRequest::first(), RequestQuery::pending_for(PendingReason::Correction));
    let found = governance.requests(&everywhere, &page).await.unwrap();
    assert_eq!(ids(&found.items), ["request-1"]);
    let waiting = governance.requests(&everywhere.clone().with_actor_ids(["requester"]).unwrap(), &page).await;
    assert_eq!(ids(&waiting.unwrap().items), ["request-1"], "what the requester is to correct");
    let statistics = governance.statistics(&[]).await.unwrap();
    assert_eq!(statistics.by_pending_reason.get(&PendingReason::Correction), Some(&1));
    for who in ["alice", "bob"] {
        let inbox = governance.inbox(&user(who), &page).await.unwrap();
        assert!(inbox.items.is_empty(), "{who} has nothing to decide");
    }
    let explanation = governance.explain("request-1").await.unwrap();
    assert_eq!(explanation.to_string(), "waits for requester to correct it, as bob asked: for how long?");

    let amended = governance.amend("request-1", user("requester"), for_30_days()).await.unwrap();
    let stored = world.stored(&amended.id).await;
    assert_eq!((&stored, stored.payload.as_ref()), (&amended, Some(&payload("for 30 days"))));
    assert!(stored.decisions.starts_with(&back.decisions));
    for who in ["alice", "bob"] {
        let inbox = governance.inbox(&user(who), &page).await.unwrap();
        assert_eq!(inbox.items.len(), 1, "{who} is asked again");
    }
    let error = governance.approve_for_digest("request-1", user("alice"), back.digest()).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::AnotherDigest { .. }));
    governance.approve_for_digest("request-1", user("alice"), amended.digest()).await.unwrap();
    let approved = governance.approve("request-1", user("bob")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
    let found = governance.requests(&everywhere, &page).await.unwrap();
    assert!(found.items.is_empty());
}

#[dual]
pub(crate) async fn nothing_is_written_when_a_correction_is_not_allowed(world: World) {
    sent_back(&world, "back").await;
    world.governance.submit(needing("open", &["alice"])).await.unwrap();
    world.governance.submit(draft("created")).await.unwrap();
    world.governance.submit(draft("approved").already_approved()).await.unwrap();
    let claim = Command::claim(user("executor"), mutator_governance::ClaimId::generate(), Duration::from_secs(60));
    world.governance.submit(draft("claimed").already_approved()).await.unwrap();
    world.governance.apply("claimed", &claim).await.unwrap();
    let writes = written(&world).await;
    let changes = |by: &str, reason: &str| Command::request_changes(user(by), reason);
    let amend = |by: &str, amendment| Command::amend(user(by), amendment);
    for (name, command, code) in [
        ("open", changes("alice", " "), "value.invalid"),
        ("open", changes("mallory", "why?"), "approval.not_addressed"),
        ("open", changes("requester", "why?"), "approval.not_addressed"),
        ("created", changes("alice", "why?"), "approval.not_awaited"),
        ("approved", changes("alice", "why?"), "approval.not_awaited"),
        ("claimed", changes("alice", "why?"), "approval.not_awaited"),
        ("back", changes("bob", "why?"), "approval.not_awaited"),
        ("back", amend("alice", for_30_days()), "correction.anothers_request"),
        ("back", amend("requester", Amendment::new()), "correction.nothing_amended"),
        ("back", amend("requester", Amendment::new().payload(payload("for ever"))), "correction.nothing_amended"),
        ("back", Command::approve(user("bob")), "approval.not_awaited"),
        ("open", amend("requester", for_30_days()), "correction.not_sent_back"),
        ("claimed", amend("requester", for_30_days()), "correction.not_sent_back"),
        ("created", Command::hold(user("admin"), PendingReason::Correction), "value.invalid"),
    ] {
        let before = world.stored(&id(name)).await;
        let error = world.governance.apply(name, &command).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        let after = world.stored(&id(name)).await;
        assert_eq!(after, before, "{name}");
    }
    let large = Amendment::new().payload(payload(&"x".repeat(2 << 20)));
    let error = world.governance.amend("back", user("requester"), large).await.unwrap_err();
    assert_eq!(error.code(), "request.too_large");
    let writes_after = written(&world).await;
    assert_eq!(writes_after, writes);
}

/// Both read the same revision.
#[dual]
pub(crate) async fn who_decides_while_it_is_sent_back_or_amended_decides_on_nothing_else(world: World) {
    let changes = || Command::request_changes(user("bob"), "for how long?");
    let approve = || Command::approve(user("alice"));
    for (name, first, second, code) in [
        ("changes-first", changes(), approve(), Some("approval.not_awaited")),
        ("changes-second", approve(), changes(), None),
        ("changes-twice", changes(), Command::request_changes(user("alice"), "why?"), Some("approval.not_awaited")),
    ] {
        world.governance.submit(needing(name, &["alice", "bob"])).await.unwrap();
        let shaky = world.shaky();
        shaky.plan(1, Mishap::Overtaken(first));
        let result = world.governance_over(shaky).apply(name, &second).await;
        assert_eq!(result.err().map(|error| error.code()), code, "{name}");
        let stored = world.stored(&id(name)).await;
        assert!(stored.state.awaits_correction(), "{name}");
    }

    let seen = sent_back(&world, "page").await.digest();
    let shaky = world.shaky();
    shaky.plan(1, Mishap::Overtaken(Command::amend(user("requester"), for_30_days())));
    world.governance_over(shaky).request_approvals("page", user("bob"), None).await.unwrap_err();
    let late = world.governance.approve_for_digest("page", user("alice"), seen).await.unwrap_err();
    assert!(matches!(approval_error(late), ApprovalError::AnotherDigest { .. }));
}

#[dual]
pub(crate) async fn whoever_amends_for_the_requester_no_longer_decides(world: World) {
    let deputy = (*user("alice")).clone().acting_for("requester", "on leave").unwrap();
    let either = ApprovalTarget::actor("alice").unwrap().or(ApprovalTarget::actor("bob").unwrap());
    let asked = draft("request-1").requires_approval(ApprovalRule::of(either));
    world.governance.submit(asked).await.unwrap();
    world.governance.request_changes("request-1", user("bob"), "for how long?").await.unwrap();
    let amended = world.governance.amend("request-1", deputy, for_30_days()).await.unwrap();
    let stored = world.stored(&amended.id).await;
    assert_eq!(stored, amended);
    let error = world.governance.approve("request-1", user("alice")).await.unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::Excluded { .. }));
    let approved = world.governance.approve("request-1", user("bob")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

#[dual]
pub(crate) async fn an_amendment_whose_reply_was_lost_is_made_once(world: World) {
    sent_back(&world, "request-1").await;
    let shaky = world.shaky();
    shaky.plan(1, Mishap::ReplyLost);
    let governance = world.governance_over(shaky);
    let (command, write_id) = (Command::amend(user("requester"), for_30_days()), WriteId::generate());
    let error = governance.apply_as("request-1", &command, write_id).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let again = governance.apply_as("request-1", &command, write_id).await.unwrap();
    let stored = world.stored(&id("request-1")).await;
    assert_eq!((&again, again.approval_round), (&stored, 2));
    let other = Command::amend(user("requester"), Amendment::new().without_payload());
    let error = governance.apply_as("request-1", &other, write_id).await.unwrap_err();
    assert_eq!(error.code(), "request.write_id_reused");
}

#[dual]
pub(crate) async fn a_rejected_request_is_resubmitted_once_and_linked_both_ways(world: World) {
    let ended = rejected(&world, "request-1").await;
    world.clock.set(at(10));
    let amendment = || for_30_days().expected_version(version("v2"));
    let new = world.governance.resubmit("request-1", user("requester"), amendment()).await.unwrap();
    assert_ne!(new.id, ended.id);
    assert!(new.state.awaits_approval() && new.approval_round == 1);
    assert_eq!((&new.target, &new.intent), (&ended.target, &ended.intent));
    assert_eq!((new.payload.as_ref(), &new.versioning.expected), (Some(&payload("for 30 days")), &Some(version("v2"))));
    let approvals = new.approvals.iter().zip(&ended.approvals);
    for (new, old) in approvals {
        assert_eq!((&new.id, &new.target, new.step), (&old.id, &old.target, old.step));
        assert_eq!(new.state.status(), ApprovalStatus::Pending);
    }
    let link = new.execution.resubmits.as_ref().unwrap();
    assert_eq!((&link.request, link.at), (&ended.id, at(10)));
    let stored = world.stored(&ended.id).await;
    let back = stored.execution.resubmitted_as.as_ref().unwrap();
    assert_eq!((&back.request, back.at), (&new.id, at(10)));
    assert_eq!((&stored.state, &stored.decisions), (&ended.state, &ended.decisions), "it stays as it ended");
    let stored_new = world.stored(&new.id).await;
    assert_eq!(stored_new, new);
    let explanation = world.governance.explain("request-1").await.unwrap().to_string();
    assert!(explanation.ends_with(&format!("; resubmitted as request {}", new.id)), "{explanation}");

    let writes = written(&world).await;
    let error = world.governance.resubmit("request-1", user("requester"), amendment()).await.unwrap_err();
    assert_eq!(correction_error(error), CorrectionError::ResubmittedAlready { resubmitted_as: new.id.clone() });
    let error = world.governance.resubmit("request-1", user("bob"), amendment()).await.unwrap_err();
    assert!(matches!(correction_error(error), CorrectionError::AnothersRequest { .. }));
    let error = world.governance.resubmit(&new.id, user("requester"), amendment()).await.unwrap_err();
    assert_eq!(correction_error(error), CorrectionError::NotResubmittable { status: Status::Pending });
    let error = world.governance.resubmit("request-9", user("requester"), amendment()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    let writes_after = written(&world).await;
    assert_eq!(writes_after, writes);

    world.governance.reject(&new.id, user("alice"), None).await.unwrap();
    let third = world.governance.resubmit(&new.id, user("requester"), Amendment::new()).await.unwrap();
    assert_eq!(third.execution.resubmits.as_ref().unwrap().request, new.id, "one after the other");
}

#[dual]
pub(crate) async fn only_what_ended_without_being_executed_is_resubmitted(world: World) {
    let governance = &world.governance;
    for name in ["canceled", "expired", "superseded", "executed", "open"] {
        governance.submit(draft(name).already_approved()).await.unwrap();
    }
    governance.cancel("canceled", user("requester")).await.unwrap();
    governance.hold("expired", user("admin"), PendingReason::Quota).await.unwrap();
    governance.expire("expired", user("sweep")).await.unwrap();
    governance.supersede("superseded", user("admin"), "open").await.unwrap();
    let claim = mutator_governance::ClaimId::generate();
    let (by, lease) = (user("executor"), Duration::from_secs(60));
    governance.apply("executed", &Command::claim(by.clone(), claim, lease)).await.unwrap();
    let done = Command::complete(by, claim, mutator_governance::workflow::Completion::new());
    governance.apply("executed", &done).await.unwrap();
    for name in ["canceled", "expired"] {
        let new = governance.resubmit(name, user("requester"), Amendment::new()).await.unwrap();
        assert_eq!(new.state.status(), Status::Created, "{name}: it has no approvals");
    }
    let writes = written(&world).await;
    for (name, status) in
        [("superseded", Status::Superseded), ("executed", Status::Executed), ("open", Status::Approved)]
    {
        let error = governance.resubmit(name, user("requester"), Amendment::new()).await.unwrap_err();
        assert_eq!(correction_error(error), CorrectionError::NotResubmittable { status });
        let plain = governance.submit(draft("new").resubmitting(id(name))).await.unwrap_err();
        assert_eq!(correction_error(plain), CorrectionError::NotResubmittable { status });
    }
    let error = governance.submit(draft("canceled").resubmitting(id("expired"))).await.unwrap_err();
    assert_eq!(error.code(), "correction.resubmitted_already");
    let writes_after = written(&world).await;
    assert_eq!(writes_after, writes);
}

/// The first write is made, and then the process ends.
#[dual]
pub(crate) async fn an_interrupted_resubmission_is_completed_by_the_next_one(world: World) {
    rejected(&world, "request-1").await;
    let shaky = world.shaky();
    shaky.plan(1, Mishap::ReplyLost);
    let interrupted = world.governance_over(shaky);
    let error = interrupted.resubmit("request-1", user("requester"), for_30_days()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let ended = world.stored(&id("request-1")).await;
    let reserved = ended.execution.resubmitted_as.clone().unwrap().request;
    let missing = world.governance.get(&reserved).await.unwrap();
    assert_eq!(missing, None);

    let other_id = draft("request-2").resubmitting(id("request-1"));
    let error = world.governance.submit(other_id).await.unwrap_err();
    assert_eq!(correction_error(error), CorrectionError::ResubmittedAlready { resubmitted_as: reserved.clone() });
    let foreseen = world.governance.preview_submit(draft_of(&world, "request-1").await).await.unwrap();
    assert_eq!(foreseen.id, reserved);
    let new = world.governance.resubmit("request-1", user("requester"), for_30_days()).await.unwrap();
    assert_eq!((&new.id, &new.execution.resubmits.as_ref().unwrap().request), (&reserved, &id("request-1")));
    let error = world.governance.resubmit("request-1", user("requester"), for_30_days()).await.unwrap_err();
    assert_eq!(correction_error(error), CorrectionError::ResubmittedAlready { resubmitted_as: reserved });
}

#[dual]
async fn draft_of(world: &World, name: &str) -> RequestDraft {
    let ended = world.stored(&id(name)).await;
    resubmission_draft(&ended, for_30_days(), user("requester"), at(0)).unwrap()
}

#[dual]
pub(crate) async fn a_resubmission_takes_no_id_from_another_request(world: World) {
    rejected(&world, "request-1").await;
    world.governance.submit(draft("taken")).await.unwrap();
    let before = world.stored(&id("request-1")).await;
    let error = world.governance.submit(draft_of(&world, "request-1").await.with_id(id("taken"))).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { id: taken } if taken == id("taken")));
    let error =
        world.governance.submit(draft_of(&world, "request-1").await.with_id(id("request-1"))).await.unwrap_err();
    assert_eq!(error.code(), "value.invalid");
    let after = world.stored(&id("request-1")).await;
    assert_eq!(after, before);

    // It was reserved, and then somebody took the id.
    let shaky = world.shaky();
    shaky.plan(1, Mishap::ReplyLost);
    let interrupted = world.governance_over(shaky);
    let named = draft_of(&world, "request-1").await.with_id(id("request-2"));
    interrupted.submit(named).await.unwrap_err();
    world.governance.submit(draft("request-2")).await.unwrap();
    let write_id = WriteId::generate();
    let named = draft_of(&world, "request-1").await.with_id(id("request-3"));
    let new = world.governance.submit_as(named.clone(), write_id).await.unwrap();
    let again = world.governance.submit_as(named, write_id).await.unwrap();
    assert_eq!((&new.id, &again), (&id("request-3"), &new));
    let ended = world.stored(&id("request-1")).await;
    assert_eq!(ended.execution.resubmitted_as.as_ref().unwrap().request, id("request-3"));
}

#[dual]
async fn resubmit(governance: Governance, by: usize) -> Result<MutationRequest> {
    let amendment = Amendment::new().description(format!("attempt {by}"));
    governance.resubmit("request-1", user("requester"), amendment).await
}

#[dual]
pub(crate) async fn of_many_resubmissions_at_once_one_is_made(world: World) {
    rejected(&world, "request-1").await;
    let governance = world.governance.clone();
    let outcomes = run_concurrently(16, move |by| resubmit(governance.clone(), by)).await;
    let (made, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    let new = made.into_iter().next().unwrap().unwrap();
    for error in failed {
        let expected = CorrectionError::ResubmittedAlready { resubmitted_as: new.id.clone() };
        assert_eq!(correction_error(error.unwrap_err()), expected);
    }
    let all = world.governance.requests(&RequestQuery::new(), &PageRequest::first()).await.unwrap();
    assert_eq!(all.items.len(), 2);
}
