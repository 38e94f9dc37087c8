//! One open request for each unique key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::requests::{alice, draft, id, pending, second, submit};
use super::{Governance, MemoryStore, Store, StoreExtension as _, dual, run_concurrently};
use crate::archive::Imported;
use crate::command::Amendment;
use crate::error::Error;
use crate::query::{PageRequest, RequestQuery};
use crate::request::{MutationRequest, PendingReason, RequestDraft, RequestState, Status, UniqueKey, WriteId};
use crate::service::many::{ManyOptions, ManyOutcome};

fn key(text: &str) -> UniqueKey {
    UniqueKey::new(text).unwrap()
}

fn keyed(request_id: &str, unique: &str) -> MutationRequest {
    submit(draft(request_id, "s").waiting_for(PendingReason::Schedule).with_unique_key(key(unique)), second(0))
}

/// The request that has the key already.
#[dual]
async fn already_open(store: &Arc<dyn Store>, request: MutationRequest) -> String {
    match store.create(request).await {
        Err(Error::AlreadyOpen { id, .. }) => id.to_string(),
        other => panic!("neither open nor another's: {other:?}"),
    }
}

fn ended(request: &MutationRequest, status: Status) -> MutationRequest {
    let mut document = request.document().clone();
    document.state = match status {
        Status::Rejected => RequestState::Rejected,
        Status::Canceled => RequestState::Canceled,
        Status::Expired => RequestState::Expired,
        Status::Superseded => RequestState::Superseded { by: id("other") },
        _ => RequestState::Executed { at: second(1), resulting_version: None },
    };
    document.updated_at = second(1);
    MutationRequest::from_document(document, request.revision()).unwrap()
}

/// While a request with a key is open, no other is created with it; other keys, and requests without one, are free.
#[dual]
pub async fn a_unique_key_has_one_open_request(store: Arc<dyn Store>) {
    let first = store.create(keyed("first", "restart payments")).await.unwrap();
    let holder = already_open(&store, keyed("second", "restart payments")).await;
    assert_eq!(holder, "first");
    let missing = store.get(&id("second")).await.unwrap();
    assert_eq!(missing, None);
    for (request_id, unique) in [("third", "restart billing"), ("fourth", "Restart payments")] {
        store.create(keyed(request_id, unique)).await.unwrap();
    }
    store.create(pending("without", "s", second(0))).await.unwrap();
    let open = store.open_request(&key("restart payments")).await.unwrap();
    assert_eq!(open.as_ref(), Some(&first));
    let none = store.open_request(&key("restart nothing")).await.unwrap();
    assert_eq!(none, None);
    let query = RequestQuery::new().with_unique_keys(["restart payments", "restart billing"]).unwrap();
    let found = store.requests(&query, &PageRequest::first()).await.unwrap();
    let found: Vec<&str> = found.items.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(found, ["first", "third"]);
}

/// A key is free again when its request ends, in whatever status; the ended request keeps it for readers.
#[dual]
pub async fn a_unique_key_is_free_at_every_end(store: Arc<dyn Store>) {
    let ends: Vec<Status> = Status::ALL.into_iter().filter(|status| status.is_terminal()).collect();
    assert_eq!(ends.len(), 5);
    let mut last = store.create(keyed("request-0", "restart")).await.unwrap();
    for (number, status) in ends.into_iter().enumerate() {
        let next = format!("request-{}", number + 1);
        let holder = already_open(&store, keyed(&next, "restart")).await;
        assert_eq!(holder, last.id.as_str());
        let written = store.update(ended(&last, status), WriteId::generate()).await.unwrap();
        assert_eq!(written.unique_key, Some(key("restart")));
        let open = store.open_request(&key("restart")).await.unwrap();
        assert_eq!(open, None, "{status:?}");
        last = store.create(keyed(&next, "restart")).await.unwrap();
    }
}

/// A repetition of a creation returns what is stored, also after the key has gone to another request.
#[dual]
pub async fn a_repeated_creation_with_a_unique_key_returns_what_is_stored(store: Arc<dyn Store>) {
    let request = keyed("first", "restart");
    let stored = store.create(request.clone()).await.unwrap();
    let again = store.create(request.clone()).await.unwrap();
    assert_eq!(again, stored);
    let canceled = store.update(ended(&stored, Status::Canceled), WriteId::generate()).await.unwrap();
    store.create(keyed("second", "restart")).await.unwrap();
    let again = store.create(request).await.unwrap();
    assert_eq!(again, canceled);
    let error = store.create(keyed("first", "another")).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    store.create(keyed("third", "another")).await.unwrap();
}

/// No update changes the key of a request.
#[dual]
pub async fn a_unique_key_is_fixed_at_submission(store: Arc<dyn Store>) {
    let stored = store.create(keyed("first", "restart")).await.unwrap();
    for other in [None, Some(key("another"))] {
        let mut document = ended(&stored, Status::Canceled).document().clone();
        document.unique_key = other;
        let changed = MutationRequest::from_document(document, stored.revision()).unwrap();
        let error = store.update(changed, WriteId::generate()).await.unwrap_err();
        assert!(matches!(error, Error::SubmittedFieldsChanged { .. }), "{error}");
    }
}

/// The number of the winner, or who won.
#[dual]
async fn race(store: &Arc<dyn Store>, number: usize) -> Result<String, String> {
    match store.create(keyed(&format!("racer-{number}"), "contended")).await {
        Ok(request) => Ok(request.id.to_string()),
        Err(Error::AlreadyOpen { id, .. }) => Err(id.to_string()),
        Err(error) => panic!("neither created nor the other named: {error}"),
    }
}

/// Of 64 concurrent submissions with one key, one wins, and the others get its id.
#[dual]
pub async fn of_many_with_one_unique_key_one_is_created(store: Arc<dyn Store>) {
    let number = AtomicUsize::new(0);
    let outcomes = run_concurrently(64, || race(&store, number.fetch_add(1, Ordering::Relaxed))).await;
    let winners: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.as_ref().err() == Some(winners[0])).count(),
        63,
        "{outcomes:?}"
    );
    let open = store.open_request(&key("contended")).await.unwrap().unwrap();
    assert_eq!(open.id.as_str(), winners[0]);
}

fn keyed_draft(request_id: &str, unique: &str) -> RequestDraft {
    draft(request_id, "s").waiting_for(PendingReason::ManualReview).with_unique_key(key(unique))
}

/// What follows a rejected request takes its key; a preview says who has it.
#[dual]
pub async fn a_unique_key_passes_to_the_resubmission(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(store).build();
    governance.submit(keyed_draft("first", "restart")).await.unwrap();
    let foreseen = governance.preview_submit(keyed_draft("second", "restart")).await.unwrap_err();
    assert_eq!((foreseen.code(), foreseen.request()), ("request.already_open", Some(&id("first"))));
    let explained = governance.explain("first").await.unwrap();
    assert_eq!(explained.unique_key, Some(key("restart")));
    governance.reject_request("first", alice()).await.unwrap();
    let explained = governance.explain("first").await.unwrap();
    assert_eq!(explained.unique_key, None);
    governance.preview_submit(keyed_draft("second", "restart")).await.unwrap();
    let new = governance.resubmit("first", alice(), Amendment::new()).await.unwrap();
    assert_eq!(new.unique_key, Some(key("restart")));
    let open = governance.open_request("restart").await.unwrap();
    assert_eq!(open, Some(new));
}

/// A request that was superseded gives its key up, and the one that superseded it does not get it.
#[dual]
pub async fn a_superseded_request_gives_its_unique_key_up(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(store).build();
    governance.submit(keyed_draft("first", "restart")).await.unwrap();
    governance.submit(keyed_draft("other", "another")).await.unwrap();
    governance.supersede("first", alice(), "other").await.unwrap();
    let open = governance.open_request("restart").await.unwrap();
    assert_eq!(open, None);
    let next = governance.submit(keyed_draft("next", "restart")).await.unwrap();
    let open = governance.open_request("restart").await.unwrap();
    assert_eq!(open, Some(next));
}

/// Of several drafts of one call with one key, one is submitted; each of the others fails by itself, with its id.
#[dual]
pub async fn of_many_drafts_with_one_unique_key_one_is_submitted(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(store).build();
    let keys = [("many-0", "restart"), ("many-1", "restart"), ("many-2", "another"), ("many-3", "restart")];
    let drafts = keys.map(|(request_id, unique)| keyed_draft(request_id, unique));
    let options = ManyOptions::new().write_id(WriteId::generate());
    let report = governance.submit_many(&drafts, &options).await.unwrap();
    let open = governance.open_request("restart").await.unwrap().unwrap();
    for result in &report.results {
        match &result.outcome {
            ManyOutcome::Done { .. } => assert!(result.id == open.id || result.id == "many-2", "{report:?}"),
            ManyOutcome::Failed { error: Error::AlreadyOpen { id, key } } => {
                assert!(*id == open.id && result.id != open.id && key.as_str() == "restart", "{report:?}");
            }
            other => panic!("neither submitted nor another's: {other:?}"),
        }
    }
    let again = governance.submit_many(&drafts, &options).await.unwrap();
    assert_eq!((report.done(), again.done()), (2, 2));
}

/// An import reserves the key of an open request, and of two with one key stores the first. What has ended needs no key.
#[dual]
pub async fn an_import_reserves_the_unique_key_of_an_open_request(store: Arc<dyn Store>) {
    let (one, other): (Arc<dyn Store>, Arc<dyn Store>) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let before = one.create(keyed("before", "restart")).await.unwrap();
    one.update(ended(&before, Status::Canceled), WriteId::generate()).await.unwrap();
    one.create(keyed("open", "restart")).await.unwrap();
    one.create(keyed("another", "billing")).await.unwrap();
    other.create(keyed("rival", "restart")).await.unwrap();
    other.create(pending("without", "s", second(0))).await.unwrap();
    let (all, page) = (RequestQuery::new(), PageRequest::longest());
    let records = one.records(&all, &page).await.unwrap().items;
    for expected in [Imported::Added, Imported::Unchanged] {
        let imported = store.import(&records).await.unwrap();
        let imported: Vec<Imported> = imported.into_iter().map(Result::unwrap).collect();
        assert_eq!(imported, [expected; 3]);
    }
    let open = store.open_request(&key("restart")).await.unwrap().unwrap();
    assert_eq!(open.id, id("open"));
    let holder = already_open(&store, keyed("late", "restart")).await;
    assert_eq!(holder, "open");
    let rivals = other.records(&all, &page).await.unwrap().items;
    for imported in store.import(&rivals).await.unwrap().into_iter().zip(&rivals) {
        match imported {
            (Ok(Imported::Added), record) => assert_eq!(*record.request().id(), id("without")),
            (Err(Error::AlreadyOpen { id: holder, .. }), record) => {
                assert_eq!((holder, record.request().id()), (id("open"), &id("rival")));
            }
            (unexpected, record) => panic!("{}: {unexpected:?}", record.request().id()),
        }
    }
    let missing = store.get(&id("rival")).await.unwrap();
    assert_eq!(missing, None);
    store.update(ended(&open, Status::Canceled), WriteId::generate()).await.unwrap();
    let imported = store.import(&rivals).await.unwrap();
    assert!(imported.iter().all(Result::is_ok), "{imported:?}");
    let open = store.open_request(&key("restart")).await.unwrap().unwrap();
    assert_eq!(open.id, id("rival"));
}
