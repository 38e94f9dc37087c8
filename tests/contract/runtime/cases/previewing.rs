//! Previews: what would become of a request, or the very error, and nothing written.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Amendment, Command, Completion, Failure, StaleStrategy};
use mutator_governance::{
    ActorContext, ActorMode, ApprovalRule, ClaimId, CompensationKind, CompensationPlan, CompensationTrigger, Error,
    FeedPosition, MutationRequest, Payload, PendingReason, RequestDocument, RequestDraft, RequestQuery, Result,
    Severity, SideEffect, Status, WriteId,
};

use super::{World, dual};
use crate::runtime::people::{approval, approved, at, draft, id, needing, user, user_because, version};

/// All that is stored, and how often something was written.
#[dual]
async fn everything(world: &World) -> (Vec<MutationRequest>, usize) {
    let page = mutator_governance::PageRequest::first();
    let requests = world.governance.requests(&RequestQuery::new(), &page).await.unwrap().items;
    let feed = world.governance.read_feed(&FeedPosition::beginning(), 1_000).await.unwrap();
    (requests, feed.entries.len())
}

/// Previews the command and then applies it: the same request or the same error.
#[dual]
async fn foreseen(world: &World, name: &str, command: &Command) -> Result<MutationRequest, Error> {
    let before = everything(world).await;
    let foreseen = world.governance.preview(name, command).await;
    let after = everything(world).await;
    assert_eq!(after, before, "a preview of {command:?} wrote something");
    let done = world.governance.apply(name, command).await;
    match (foreseen, &done) {
        (Ok(foreseen), Ok(done)) => assert_eq!(foreseen.document(), done.document(), "{command:?}"),
        (Err(foreseen), Err(error)) => assert_eq!(foreseen.to_string(), error.to_string()),
        (foreseen, done) => panic!("{command:?}: foreseen {foreseen:?}, but {done:?}"),
    }
    done
}

#[dual]
pub(crate) async fn a_preview_is_what_the_command_does_or_its_very_error(world: World) {
    let claim = ClaimId::generate();
    let lease = Duration::from_secs(60);
    world.governance.submit(needing("request-1", &["alice", "bob"]).for_version(version("v1"))).await.unwrap();
    world.governance.submit(draft("other")).await.unwrap();
    let because = |by: &str| user_because(by, "a reason");
    for (command, code) in [
        (Command::approve(user("mallory")), Some("approval.not_addressed")),
        (Command::approve_requirement(user("alice"), approval("approval-9")), Some("approval.unknown")),
        (Command::approve_requirement(user("alice"), approval("approval-1")), None),
        (Command::comment(user("alice"), "For how long?"), None),
        (Command::comment(user("alice"), " "), Some("value.invalid")),
        (Command::withdraw(user("alice")), None),
        (Command::withdraw(user("alice")), Some("approval.nothing_to_withdraw")),
        (Command::amend(user("requester"), Amendment::new()), Some("correction.not_sent_back")),
        (Command::request_changes(user("bob"), "for how long?"), None),
        (Command::amend(user("requester"), Amendment::new().description("for 30 days")), None),
        (Command::supersede(user("admin"), id("nobody")), Some("request.superseding_missing")),
        (Command::supersede(user("admin"), id("request-1")), Some("value.invalid")),
        (Command::expire_approvals(user("sweep")), Some("request.nothing_due")),
        (Command::approve_request(user("admin")), Some("approval.unmet")),
        (Command::claim(user("executor"), claim, lease), Some("execution.not_approved")),
        (Command::approve(user("alice")), None),
        (Command::override_approvals(because("admin")), None),
        (Command::hold(user("admin"), PendingReason::Quota), None),
        (Command::request_approvals(user("admin"), None), None),
        (Command::approve(user("bob")), None),
        (Command::resolve(user("executor"), version("v1"), StaleStrategy::RejectStale), None),
        (Command::claim(user("executor"), claim, Duration::ZERO), Some("execution.lease_too_short")),
        (Command::claim(user("executor"), claim, lease), None),
        (Command::cancel(user("requester")), Some("execution.claimed")),
        (Command::release(user("executor"), ClaimId::generate()), Some("execution.claim_lost")),
        (Command::fail(user("executor"), claim, Failure::new("no route"), AfterFailure::KeepApproved), None),
        (Command::supersede(user("admin"), id("other")), None),
        (Command::cancel(user("requester")), Some("request.invalid_transition")),
    ] {
        let done = foreseen(&world, "request-1", &command).await;
        assert_eq!(done.err().map(|error| error.code()), code, "{command:?}");
    }
    let error = world.governance.preview("request-9", &Command::cancel(user("admin"))).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    let error = world.governance.preview("no id", &Command::cancel(user("admin"))).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)));
}

#[dual]
pub(crate) async fn a_preview_knows_the_limits_of_the_store_and_of_other_requests(world: World) {
    let (claim, lease, by) = (ClaimId::generate(), Duration::from_secs(60), user("executor"));
    world.governance.submit(needing("large", &["alice"])).await.unwrap();
    world.governance.request_changes("large", user("alice"), "why?").await.unwrap();
    let large = || Payload::new("text/plain", vec![b'x'; 2 << 20]).unwrap();
    let amend = Command::amend(user("requester"), Amendment::new().payload(large()));
    let error = foreseen(&world, "large", &amend).await.unwrap_err();
    assert_eq!(error.code(), "request.too_large");

    // What does not fit of a result is left out.
    world.governance.submit(approved("original")).await.unwrap();
    foreseen(&world, "original", &Command::claim(by.clone(), claim, lease)).await.unwrap();
    let effect = |number: usize| {
        SideEffect::new(format!("effect {number}"), format!("{number:01000}"), Severity::Info, at(0)).unwrap()
    };
    let completion = (0..2_000).map(effect).fold(Completion::new(), Completion::with_side_effect);
    let done = foreseen(&world, "original", &Command::complete(by.clone(), claim, completion)).await.unwrap();
    assert!(!done.side_effects.is_empty() && done.side_effects.len() < 2_000);

    // Two compensations of one request.
    let plan = CompensationPlan::new(id("original"), CompensationKind::Rollback, CompensationTrigger::Operator);
    for name in ["undo-1", "undo-2"] {
        world.governance.submit(approved(name).compensating(plan.clone())).await.unwrap();
    }
    let before = everything(&world).await;
    let claimed = world.governance.preview("undo-1", &Command::claim(by.clone(), claim, lease)).await.unwrap();
    assert!(claimed.execution.claim.is_some());
    let after = everything(&world).await;
    assert_eq!(after, before, "nothing is reserved");
    foreseen(&world, "undo-1", &Command::claim(by.clone(), claim, lease)).await.unwrap();
    let error = foreseen(&world, "undo-2", &Command::claim(by, ClaimId::generate(), lease)).await.unwrap_err();
    assert_eq!(error.code(), "execution.compensated_already");
}

/// Previews the submission and then submits: the same request or the same error.
#[dual]
async fn foreseen_submission(world: &World, draft: RequestDraft) -> Result<MutationRequest, Error> {
    let before = everything(world).await;
    let foreseen = world.governance.preview_submit(draft.clone()).await;
    let after = everything(world).await;
    assert_eq!(after, before, "a preview of a submission wrote something");
    let done = world.governance.submit(draft).await;
    match (&foreseen, &done) {
        (Ok(foreseen), Ok(done)) => assert_eq!(unchained(foreseen), unchained(done)),
        (Err(foreseen), Err(error)) => assert_eq!(foreseen.to_string(), error.to_string()),
        (foreseen, done) => panic!("foreseen {foreseen:?}, but {done:?}"),
    }
    done
}

/// The salt of a chain is drawn when a request is submitted.
fn unchained(request: &MutationRequest) -> RequestDocument {
    let mut document = request.document().clone();
    document.chain = None;
    document
}

#[dual]
pub(crate) async fn a_preview_of_a_submission_is_what_it_does_or_its_very_error(world: World) {
    let rule = || ApprovalRule::actor("alice").unwrap();
    let large = Payload::new("text/plain", vec![b'x'; 2 << 20]).unwrap();
    for (draft, code) in [
        (needing("one", &["alice", "bob"]), None),
        (needing("one", &["alice"]), Some("request.already_exists")),
        (draft("two").requires_approval(rule()).already_approved(), Some("value.approval_configuration")),
        (draft("two").waiting_for(PendingReason::Correction), Some("value.invalid")),
        (draft("two").with_payload(large), Some("request.too_large")),
        (draft("two").resubmitting(id("one")), Some("correction.not_resubmittable")),
        (draft("two").resubmitting(id("none")), Some("request.not_found")),
        (draft("two").already_approved(), None),
    ] {
        let done = foreseen_submission(&world, draft).await;
        assert_eq!(done.err().map(|error| error.code()), code);
    }
    world.governance.reject("one", user("alice"), None).await.unwrap();
    let again = || draft("three").resubmitting(id("one"));
    let new = foreseen_submission(&world, again()).await.unwrap();
    assert_eq!(new.execution.resubmits.as_ref().unwrap().request, id("one"));
    let error = foreseen_submission(&world, again()).await.unwrap_err();
    assert_eq!(error.code(), "correction.resubmitted_already");
}

#[dual]
pub(crate) async fn who_only_simulates_or_validates_previews(world: World) {
    let waiting = world.governance.submit(needing("waiting", &["admin"])).await.unwrap();
    for mode in [ActorMode::Simulate, ActorMode::Validate] {
        let mut admin = ActorContext::clone(&user("admin"));
        admin.mode = mode;
        let admin = Arc::new(admin);
        let previewed = world.governance.preview("waiting", &Command::approve(Arc::clone(&admin))).await.unwrap();
        assert_eq!(previewed.state.status(), Status::Approved);
        assert_eq!(previewed.revision(), waiting.revision());
        let draft = RequestDraft::new(waiting.target.clone(), waiting.intent.clone(), admin).with_id(id("new"));
        let submitted = world.governance.preview_submit(draft.clone()).await.unwrap();
        assert_eq!(submitted.state.status(), Status::Created);
        let error = world.governance.submit_as(draft, WriteId::generate()).await.unwrap_err();
        assert_eq!(error.code(), "value.not_commit_mode");
    }
    let (requests, writes) = everything(&world).await;
    assert_eq!((requests, writes), (vec![waiting], 1));
}
