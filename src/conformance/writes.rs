//! Single writes, and their effects.

use std::sync::Arc;

use super::requests::{draft, full, id, moved_on, pending, second, submit};
use super::{Store, StoreExtension as _, dual};
use crate::error::{Error, Outcome};
use crate::query::PageRequest;
use crate::request::UnsettledWrite;
use crate::request::{
    BlastRadius, BlastScope, MutationRequest, Participants, RequestDocument, RequestId, RiskLevel, StateId, Status,
    Tag, WriteId,
};
use crate::service::settle::Settled;

/// A stored request reads back equal, with every field and the revision.
#[dual]
pub async fn a_stored_request_reads_back_whole(store: Arc<dyn Store>) {
    let request = full("whole");
    let stored = store.create(request.clone()).await.unwrap();
    assert_eq!(stored, request);
    assert_eq!(stored.revision().number, 0);
    let read = store.get(&request.id).await.unwrap();
    assert_eq!(read, Some(request));
}

/// For an unknown id `get` returns `None`, and an update `NotFound`.
#[dual]
pub async fn an_unknown_request_is_not_found(store: Arc<dyn Store>) {
    let read = store.get(&id("nobody")).await.unwrap();
    assert_eq!(read, None);
    let update = store.update(pending("nobody", "s", second(0)), WriteId::generate()).await;
    assert!(matches!(update, Err(Error::NotFound { .. })), "{update:?}");
}

/// An id is used once; a second request with it changes nothing.
#[dual]
pub async fn a_second_creation_is_rejected(store: Arc<dyn Store>) {
    let first = store.create(submit(draft("taken", "one"), second(0))).await.unwrap();
    let error = store.create(submit(draft("taken", "two"), second(1))).await.unwrap_err();
    assert!(matches!(&error, Error::AlreadyExists { id, .. } if *id == first.id), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let read = store.get(&first.id).await.unwrap();
    assert_eq!(read, Some(first));
}

/// Creating again with the same write id returns what is stored, even after others have changed it.
#[dual]
pub async fn a_repeated_creation_returns_what_is_stored(store: Arc<dyn Store>) {
    let request = pending("again", "s", second(0));
    let first = store.create(request.clone()).await.unwrap();
    let again = store.create(request.clone()).await.unwrap();
    assert_eq!(again, first);
    let changed = store.update(moved_on(first, second(1)), WriteId::generate()).await.unwrap();
    let later = store.create(request).await.unwrap();
    assert_eq!(later, changed);
}

/// A request at a later revision, for instance from another store, is not created as if that revision had been written
/// here.
#[dual]
pub async fn a_creation_makes_revision_0(store: Arc<dyn Store>) {
    let request = pending("elsewhere", "s", second(0));
    let first = request.revision();
    let later = request.at_revision(first.next(WriteId::generate()));
    let error = store.create(later.clone()).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid(invalid) if invalid.field == "revision"), "{error:?}");
    let read = store.get(&later.id).await.unwrap();
    assert_eq!(read, None);

    let anew = MutationRequest::from_document(later.into_document(), first).unwrap();
    let created = store.create(anew.clone()).await.unwrap();
    assert_eq!(created, anew);
    let write = UnsettledWrite { id: anew.id.clone(), base: None, write_id: first.write_id, intent: None };
    let settled = store.settle_write(&write).await.unwrap();
    assert_eq!(settled, Settled::Applied);
    let repeated_later = store.create(anew.at_revision(first.next(WriteId::generate()))).await;
    assert!(matches!(repeated_later, Err(Error::Invalid(_))), "{repeated_later:?}");
}

/// Each update raises the revision by one, and reads return it from then on.
#[dual]
pub async fn an_update_raises_the_revision(store: Arc<dyn Store>) {
    let mut request = store.create(submit(draft("raised", "s"), second(0))).await.unwrap();
    for number in 1..=20 {
        let write_id = WriteId::generate();
        request = store.update(moved_on(request, second(number)), write_id).await.unwrap();
        assert_eq!((request.revision().number, request.revision().write_id), (number, write_id));
        let read = store.get(&request.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&request));
    }
}

/// An update from an earlier revision is a conflict that holds what is stored, and changes nothing.
#[dual]
pub async fn a_stale_update_conflicts(store: Arc<dyn Store>) {
    let base = store.create(pending("stale", "s", second(0))).await.unwrap();
    let winner = store.update(moved_on(base.clone(), second(1)), WriteId::generate()).await.unwrap();
    let error = store.update(moved_on(base.clone(), second(2)), WriteId::generate()).await.unwrap_err();
    let conflict = error.as_conflict().unwrap();
    assert_eq!(conflict.expected, base.revision());
    assert_eq!(conflict.actual, winner.revision());
    assert_eq!(conflict.status, Status::Approved);
    assert_eq!(conflict.decisions_since, winner.decisions[base.decisions.len()..]);
    assert_eq!(error.outcome(), Outcome::NotApplied);
    let read = store.get(&base.id).await.unwrap();
    assert_eq!(read, Some(winner));
}

/// An update repeated with its write id is applied once and returns what is stored, even after a few other writes.
#[dual]
pub async fn a_repeated_update_applies_once(store: Arc<dyn Store>) {
    let base = store.create(pending("repeated", "s", second(0))).await.unwrap();
    let change = moved_on(base, second(1));
    let write_id = WriteId::generate();
    let first = store.update(change.clone(), write_id).await.unwrap();
    let second_time = store.update(change.clone(), write_id).await.unwrap();
    assert_eq!(second_time, first);

    let mut latest = first.clone();
    for number in 2..=4 {
        latest = store.update(moved_on(latest, second(number)), WriteId::generate()).await.unwrap();
    }
    let late = store.update(change, write_id).await.unwrap();
    assert_eq!(late, latest);
    let read = store.get(&latest.id).await.unwrap();
    assert_eq!(read, Some(latest));
}

/// `settle` distinguishes a write that was applied, one that lost, and one that was never made.
#[dual]
pub async fn a_write_can_be_settled(store: Arc<dyn Store>) {
    let base = store.create(pending("settled", "s", second(0))).await.unwrap();
    let write = |base: Option<&MutationRequest>, write_id| UnsettledWrite {
        id: id("settled"),
        base: base.map(MutationRequest::revision),
        write_id,
        intent: None,
    };
    let created = store.settle_write(&write(None, base.revision().write_id)).await.unwrap();
    assert_eq!(created, Settled::Applied);
    let not_created = store.settle_write(&write(None, WriteId::generate())).await.unwrap();
    assert_eq!(not_created, Settled::NotApplied);

    let (winner, loser) = (WriteId::generate(), WriteId::generate());
    let open = store.settle_write(&write(Some(&base), winner)).await.unwrap();
    assert_eq!(open, Settled::Open);
    let mut latest = store.update(moved_on(base.clone(), second(1)), winner).await.unwrap();
    for number in 2..=4 {
        let won = store.settle_write(&write(Some(&base), winner)).await.unwrap();
        assert_eq!(won, Settled::Applied);
        let lost = store.settle_write(&write(Some(&base), loser)).await.unwrap();
        assert_eq!(lost, Settled::NotApplied);
        latest = store.update(moved_on(latest, second(number)), WriteId::generate()).await.unwrap();
    }

    let elsewhere = UnsettledWrite { id: id("nobody"), base: None, write_id: winner, intent: None };
    let never_created = store.settle_write(&elsewhere).await.unwrap();
    assert_eq!(never_created, Settled::Open);
    let of_nothing = store.settle_write(&UnsettledWrite { base: Some(base.revision()), ..elsewhere }).await;
    assert!(matches!(of_nothing, Err(Error::NotFound { .. })), "{of_nothing:?}");
}

/// An update that drops or changes a stored decision is an error.
#[dual]
pub async fn a_rewritten_history_is_rejected(store: Arc<dyn Store>) {
    let base = store.create(pending("history", "s", second(0))).await.unwrap();
    let mut dropped = moved_on(base.clone(), second(1)).into_document();
    dropped.decisions.remove(0);
    let mut changed = moved_on(base.clone(), second(1)).into_document();
    changed.decisions[0].at = second(5);
    let mut annotated = moved_on(base.clone(), second(1)).into_document();
    annotated.decisions[0].metadata.insert("added", "later").unwrap();
    let mut renamed = moved_on(base.clone(), second(1)).into_document();
    Arc::make_mut(&mut renamed.decisions[0].by).name = Some("Somebody Else".to_owned());
    let mut emptied = base.document().clone();
    emptied.decisions.clear();
    for document in [dropped, changed, annotated, renamed, emptied] {
        let rewritten = MutationRequest::from_document(document, base.revision()).unwrap();
        let error = store.update(rewritten, WriteId::generate()).await.unwrap_err();
        assert!(matches!(error, Error::RewrittenHistory { stored: 2, .. }), "{error:?}");
    }
    let read = store.get(&base.id).await.unwrap();
    assert_eq!(read, Some(base));
}

/// An update that changes a field fixed at submission is an error.
#[dual]
pub async fn changed_submitted_fields_are_rejected(store: Arc<dyn Store>) {
    let base = store.create(pending("other-fields", "s", second(0))).await.unwrap();
    let changed = |change: &dyn Fn(&mut RequestDocument)| {
        let mut document = moved_on(base.clone(), second(1)).into_document();
        change(&mut document);
        document
    };
    let documents = [
        changed(&|document| document.target.state_id = StateId::new("another").unwrap()),
        changed(&|document| document.intent.risk = RiskLevel::Critical),
        changed(&|document| document.intent.tags = [Tag::new("added").unwrap()].into()),
        changed(&|document| document.intent.blast_radius = Some(BlastRadius::new(BlastScope::Global))),
        changed(&|document| Arc::make_mut(&mut document.requested_by).id = None),
        changed(&|document| document.created_at = second(1)),
        changed(&|document| document.participants = Participants::new().with_actor_ids(["added"]).unwrap()),
    ];
    for document in documents {
        let refiled = MutationRequest::from_document(document, base.revision()).unwrap();
        let error = store.update(refiled, WriteId::generate()).await.unwrap_err();
        assert!(matches!(&error, Error::SubmittedFieldsChanged { id, .. } if *id == base.id), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }
    let read = store.get(&base.id).await.unwrap();
    assert_eq!(read, Some(base));
}

/// Many ids return results in their order, `None` for unknown ones; more ids than a page holds are an error.
#[dual]
pub async fn a_lookup_answers_in_the_order_of_the_ids(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for number in 0..30 {
        let request = store.create(pending(&format!("many-{number}"), "s", second(number))).await.unwrap();
        ids.push(request.id.clone());
    }
    ids.insert(7, id("nobody"));
    ids.reverse();
    ids.push(ids[0].clone());
    let lookup = store.get_many(&ids).await.unwrap();
    let found: Vec<Option<&RequestId>> =
        lookup.requests.iter().map(|request| request.as_ref().map(|found| &found.id)).collect();
    let expected: Vec<Option<&RequestId>> = ids.iter().map(|id| (*id != "nobody").then_some(id)).collect();
    assert_eq!(found, expected);
    assert!(lookup.unreadable.is_empty());

    let none = store.get_many(&[]).await.unwrap();
    assert!(none.requests.is_empty());
    let too_many = store.get_many(&vec![id("a"); PageRequest::MAX_LIMIT + 1]).await;
    assert!(matches!(too_many, Err(Error::Invalid(_))), "{too_many:?}");
}
