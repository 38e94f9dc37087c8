//! The results of a store for a write id that it knows.

use std::sync::Arc;

use super::requests::{alice, draft, id, moved_on, pending, second, submit};
use super::{Store, StoreExtension as _, dual};
use crate::error::{Error, Outcome};
use crate::request::UnsettledWrite;
use crate::request::{
    ActorContext, ApprovalRule, ApprovalTarget, MutationRequest, PendingReason, RequestDocument, RequestDraft,
    RequestId, Revision, Severity, SideEffect, WriteId, WriteKind,
};
use crate::service::settle::Settled;
use crate::workflow::{self, Command};

fn applied(request: &MutationRequest, command: &Command, at: u64) -> MutationRequest {
    workflow::apply(request.clone(), command, second(at)).unwrap()
}

fn by(name: &str) -> ActorContext {
    ActorContext::user(name).unwrap()
}

fn grant(request: &MutationRequest, name: &str, place: usize) -> Command {
    Command::approve_requirement(by(name), request.approvals[place].id.clone())
}

/// Waits for ann and for bob.
fn waiting(request_id: &str) -> MutationRequest {
    let both = ApprovalRule::each(["ann", "bob"].map(|name| ApprovalTarget::actor(name).unwrap())).unwrap();
    submit(draft(request_id, "s").requires_approval(both), second(0))
}

/// The same request built from its parts, so that no command is known for it.
fn edited(request: &MutationRequest, edit: impl FnOnce(&mut RequestDocument)) -> MutationRequest {
    let mut document = request.document().clone();
    edit(&mut document);
    MutationRequest::from_document(document, request.revision()).unwrap()
}

fn filed_as(draft: RequestDraft, write_id: WriteId, at: u64) -> MutationRequest {
    workflow::submit(draft, RequestId::generate(), write_id, second(at)).unwrap()
}

fn is_reused(result: crate::error::Result<MutationRequest>, used: WriteKind, by_revision: u64) {
    let error = result.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}");
    let Error::WriteIdReused { used_to, revision, .. } = error else { panic!("{error:?}") };
    assert_eq!((used_to, revision), (used, by_revision));
}

/// An update under the id of another write is an error that names the use of the id, and changes nothing.
#[dual]
pub async fn a_write_id_answers_only_for_its_own_intent(store: Arc<dyn Store>) {
    let base = store.create(waiting("reused")).await.unwrap();
    let (submission, write_id) = (base.revision().write_id, WriteId::generate());
    let ann = grant(&base, "ann", 0);
    let granted = store.update(applied(&base, &ann, 1), write_id).await.unwrap();
    let others = [
        applied(&base, &grant(&base, "bob", 1), 1),
        applied(&granted, &grant(&base, "bob", 1), 2),
        applied(&base, &Command::approve_requirement(by("ann").because("asked"), base.approvals[0].id.clone()), 1),
        applied(&base, &Command::cancel(by("ann")), 1),
        applied(&granted, &Command::cancel(by("ann")), 2),
        edited(&applied(&base, &grant(&base, "bob", 1), 1), |_| ()),
        edited(&applied(&granted, &Command::cancel(by("ann")), 2), |_| ()),
        edited(&granted, |document| document.updated_at = second(9)),
        edited(&base, |_| ()),
        edited(&base, |document| {
            let mailed = SideEffect::new("Mailed", "the owner was told", Severity::Info, second(1));
            document.side_effects.push(mailed.unwrap());
        }),
    ];
    for other in others {
        let result = store.update(other, write_id).await;
        is_reused(result, WriteKind::ApproveRequirement, 1);
    }
    let of_the_filing = store.update(applied(&granted, &grant(&base, "bob", 1), 2), submission).await;
    is_reused(of_the_filing, WriteKind::Submit, 0);
    let read = store.get(&base.id).await.unwrap();
    assert_eq!(read, Some(granted));
}

/// A creation under the id of another draft, or of an update, is an error and changes nothing.
#[dual]
pub async fn a_creation_under_the_id_of_another_write_is_rejected(store: Arc<dyn Store>) {
    let (submission, update) = (WriteId::generate(), WriteId::generate());
    let first = store.create(filed_as(draft("taken", "s"), submission, 0)).await.unwrap();
    let other = store.create(filed_as(draft("taken", "other"), submission, 0)).await;
    is_reused(other, WriteKind::Submit, 0);
    let held = Command::hold(alice(), PendingReason::Quota);
    let updated = store.update(applied(&first, &held, 1), update).await.unwrap();
    let of_an_update = store.create(filed_as(draft("taken", "s"), update, 2)).await;
    is_reused(of_an_update, WriteKind::Hold, 1);
    let read = store.get(&first.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&updated));

    let mut elsewhere = alice();
    elsewhere.session_id = Some("another".to_owned());
    elsewhere.roles.clear();
    let mut again = draft("taken", "s");
    again.requested_by = Arc::new(elsewhere);
    let repeated = store.create(filed_as(again, submission, 60)).await.unwrap();
    assert_eq!(repeated, updated, "in other circumstances it is the same");
    let as_it_was_stored = store.create(first.clone()).await.unwrap();
    assert_eq!(as_it_was_stored, updated, "so is what the first returned");
    let noted = edited(&first, |document| document.intent.description = Some("other".to_owned()));
    let other = store.create(noted).await;
    is_reused(other, WriteKind::Submit, 0);
}

/// A repetition from another revision or time, or in other circumstances, returns what is stored: never what it
/// computed itself.
#[dual]
pub async fn a_repetition_from_another_revision_returns_what_is_stored(store: Arc<dyn Store>) {
    let base = store.create(waiting("rebased")).await.unwrap();
    let write_id = WriteId::generate();
    let ann = grant(&base, "ann", 0);
    let bobs = store.update(applied(&base, &grant(&base, "bob", 1), 1), WriteId::generate()).await.unwrap();
    let anns = store.update(applied(&bobs, &ann, 2), write_id).await.unwrap();
    assert_eq!(anns.revision(), Revision { number: 2, write_id });
    let mut elsewhere = by("ann").with_role("manager").unwrap();
    elsewhere.source_address = Some("10.0.0.2".to_owned());
    let from_elsewhere = Command::approve_requirement(elsewhere, base.approvals[0].id.clone());
    for command in [ann, from_elsewhere] {
        for sent in [applied(&base, &command, 1), applied(&bobs, &command, 3)] {
            let repeated = store.update(sent, write_id).await.unwrap();
            assert_eq!(repeated, anns);
        }
    }
    let read = store.get(&base.id).await.unwrap();
    assert_eq!(read, Some(anns));
}

/// The same for an update without a command.
#[dual]
pub async fn a_repeated_change_of_no_command_returns_what_is_stored(store: Arc<dyn Store>) {
    let base = store.create(waiting("edited")).await.unwrap();
    let write_id = WriteId::generate();
    let granted = |request: &MutationRequest, at| edited(&applied(request, &grant(request, "ann", 0), at), |_| ());
    let bobs = store.update(applied(&base, &grant(&base, "bob", 1), 1), WriteId::generate()).await.unwrap();
    let anns = store.update(granted(&bobs, 2), write_id).await.unwrap();
    for sent in [granted(&bobs, 2), granted(&bobs, 3), granted(&base, 1)] {
        let repeated = store.update(sent, write_id).await.unwrap();
        assert_eq!(repeated, anns);
    }
    let noted = WriteId::generate();
    let note = |second_of: u64| edited(&anns, |document| document.updated_at = second(second_of));
    let stored = store.update(note(7), noted).await.unwrap();
    let repeated = store.update(note(7), noted).await.unwrap();
    assert_eq!(repeated, stored);
    let other = store.update(note(8), noted).await;
    is_reused(other, WriteKind::Update, 3);
}

/// A write is settled by its id wherever it was applied, and by its intent if that is known.
#[dual]
pub async fn a_write_is_settled_by_its_intent(store: Arc<dyn Store>) {
    let base = store.create(waiting("settled-by")).await.unwrap();
    let write_id = WriteId::generate();
    let ann = grant(&base, "ann", 0);
    let write = |intent| UnsettledWrite { id: id("settled-by"), base: Some(base.revision()), write_id, intent };
    let bobs = store.update(applied(&base, &grant(&base, "bob", 1), 1), WriteId::generate()).await.unwrap();
    let lost = store.settle_write(&write(Some(ann.write_intent()))).await.unwrap();
    assert_eq!(lost, Settled::NotApplied, "its revision is another's");
    store.update(applied(&bobs, &ann, 2), write_id).await.unwrap();
    for intent in [None, Some(ann.write_intent())] {
        let landed = store.settle_write(&write(intent)).await.unwrap();
        assert_eq!(landed, Settled::Applied, "at the revision after");
    }
    let other = store.settle_write(&write(Some(Command::cancel(by("ann")).write_intent()))).await;
    assert!(
        matches!(other, Err(Error::WriteIdReused { used_to: WriteKind::ApproveRequirement, revision: 2, .. })),
        "{other:?}"
    );
    let as_a_creation = store.settle_write(&UnsettledWrite { base: None, ..write(None) }).await;
    assert!(matches!(as_a_creation, Err(Error::WriteIdReused { .. })), "{as_a_creation:?}");
}

/// This many other writes may follow: every store remembers as many.
#[dual]
pub async fn six_writes_later_a_write_id_is_still_known(store: Arc<dyn Store>) {
    let base = store.create(pending("later", "s", second(0))).await.unwrap();
    let (write_id, submission) = (WriteId::generate(), base.revision().write_id);
    let change = moved_on(base.clone(), second(1));
    let mut latest = store.update(change.clone(), write_id).await.unwrap();
    for number in 2..=7 {
        latest = store.update(moved_on(latest, second(number)), WriteId::generate()).await.unwrap();
        let repeated = store.update(change.clone(), write_id).await.unwrap();
        assert_eq!(repeated, latest, "after {} further writes", number - 1);
        let other = store.update(moved_on(latest.clone(), second(number)), write_id).await;
        is_reused(other, WriteKind::ApproveRequest, 1);
        let other = store.update(moved_on(latest.clone(), second(number)), submission).await;
        is_reused(other, WriteKind::Submit, 0);
    }
}
