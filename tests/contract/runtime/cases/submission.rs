//! Submission a request once, however often it is tried.

use std::sync::Arc;

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, Error, Intent, Metadata, MutationRequest, Outcome, PageRequest, Payload, RequestDraft, Result,
    StateId, Status, Target, WriteId, WriteKind,
};

use super::flavour::Governance;
use super::{World, dual, run_concurrently};
use crate::runtime::people::{approval, at, draft, id, needing, user};

/// How many requests there are for the state that all drafts are about.
#[dual]
async fn submitted(world: &World) -> usize {
    let state = StateId::new("tenant:acme").unwrap();
    world.governance.by_state(&state, &PageRequest::first()).await.unwrap().items.len()
}

#[dual]
pub(crate) async fn a_repeated_submission_files_once(world: World) {
    let write_id = WriteId::generate();
    let first = world.governance.submit_as(draft("request-1"), write_id).await.unwrap();
    assert_eq!((first.revision().number, first.revision().write_id), (0, write_id));
    world.clock.set(at(60));
    let other = Governance::builder().store(Arc::clone(&world.store)).clock(world.clock.clone()).build();
    for governance in [&world.governance, &other] {
        let again = governance.submit_as(draft("request-1"), write_id).await.unwrap();
        assert_eq!(again, first, "submitted at the time of the first submission");
    }
    let count = submitted(&world).await;
    assert_eq!(count, 1);
}

#[dual]
async fn submit_same(governance: Governance, write_id: WriteId) -> Result<MutationRequest> {
    governance.submit_as(draft("request-1"), write_id).await
}

#[dual]
pub(crate) async fn many_submissions_at_once_file_once(world: World) {
    let (governance, write_id) = (world.governance.clone(), WriteId::generate());
    let outcomes = run_concurrently(12, move |_| submit_same(governance.clone(), write_id)).await;
    for outcome in outcomes {
        let stored = world.stored(&outcome.as_ref().unwrap().id).await;
        assert_eq!(outcome.unwrap(), stored);
    }
    let count = submitted(&world).await;
    assert_eq!(count, 1);
}

#[dual]
pub(crate) async fn a_repetition_returns_what_the_request_has_become(world: World) {
    let write_id = WriteId::generate();
    let draft: RequestDraft = needing("request-1", &["a", "b", "c", "d", "e", "f", "g"]);
    world.governance.submit_as(draft.clone(), write_id).await.unwrap();
    for (place, name) in ["a", "b", "c", "d", "e", "f", "g"].into_iter().enumerate() {
        let own = approval(&format!("approval-{}", place + 1));
        let granted = world
            .governance
            .approve_requirement(&crate::runtime::people::id("request-1"), &own, user(name))
            .await
            .unwrap();
        let again = world.governance.submit_as(draft.clone(), write_id).await.unwrap();
        assert_eq!(again, granted);
    }
    let approved = world.stored(&crate::runtime::people::id("request-1")).await;
    assert_eq!(approved.state.status(), Status::Approved);
}

#[dual]
pub(crate) async fn an_id_that_is_taken_is_rejected(world: World) {
    let first = world.governance.submit(draft("request-1")).await.unwrap();
    let error = world.governance.submit(draft("request-1")).await.unwrap_err();
    assert!(error.to_string().contains("read it, or submit the new one under another id"), "{error}");
    assert!(matches!(&error, Error::AlreadyExists { id, .. } if *id == first.id), "{error}");
    let stored = world.stored(&first.id).await;
    assert_eq!(stored, first);
}

#[dual]
pub(crate) async fn without_an_id_a_submission_cannot_be_repeated(world: World) {
    let target = mutator_governance::Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = mutator_governance::Intent::new("grant-role", "Access").unwrap();
    let nameless = RequestDraft::new(target, intent, user("requester"));
    let error = world.governance.submit_as(nameless.clone(), WriteId::generate()).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
    assert!(error.to_string().contains("name it in the draft"), "{error}");
    let count = submitted(&world).await;
    assert_eq!(count, 0, "a repetition would have submitted another one");

    let generated = world.governance.submit(nameless).await.unwrap();
    let stored = world.stored(&generated.id).await;
    assert_eq!(stored, generated);
}

#[dual]
pub(crate) async fn a_repetition_in_other_circumstances_is_one(world: World) {
    let write_id = WriteId::generate();
    let with_session = |session: &str| {
        let mut by = ActorContext::user("requester").unwrap().with_role(session).unwrap();
        by.session_id = Some(session.to_owned());
        by.at = Some(mutator_governance::Timestamp::now());
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), by).with_id(id("request-1"))
    };
    let first = world.governance.submit_as(with_session("one"), write_id).await.unwrap();
    world.clock.set(at(60));
    let again = world.governance.submit_as(with_session("two"), write_id).await.unwrap();
    assert_eq!(again, first);
}

#[dual]
pub(crate) async fn a_write_id_of_another_draft_is_rejected(world: World) {
    let write_id = WriteId::generate();
    let submitted = world.governance.submit_as(draft("request-1"), write_id).await.unwrap();
    let noted = Metadata::new().with("amount", 2).unwrap();
    let others = [
        draft("request-1").with_metadata(noted),
        draft("request-1").already_approved(),
        needing("request-1", &["a"]),
        draft("request-1").with_payload(Payload::new("text/plain", b"x".to_vec()).unwrap()),
    ];
    for other in others {
        let error = world.governance.submit_as(other, write_id).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotApplied);
        let is_reported = matches!(&error, Error::WriteIdReused { used_to: WriteKind::Submit, revision: 0, .. });
        assert!(is_reported, "{error:?}");
    }
    let command = Command::cancel(user("requester"));
    let canceled = WriteId::generate();
    world.governance.apply_as(&submitted.id, &command, canceled).await.unwrap();
    let error = world.governance.submit_as(draft("request-1"), canceled).await.unwrap_err();
    assert!(matches!(error, Error::WriteIdReused { used_to: WriteKind::Cancel, revision: 1, .. }), "{error:?}");
    let stored = world.stored(&submitted.id).await;
    assert_eq!(stored.revision().write_id, canceled);
}
