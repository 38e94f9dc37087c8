//! One open request for each unique key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::requests::{alice, draft, id, pending, second, submit};
use super::{Governance, Store, StoreExtension as _, dual, run_concurrently};
use crate::command::Amendment;
use crate::error::Error;
use crate::query::{PageRequest, RequestQuery};
use crate::request::{MutationRequest, PendingReason, RequestState, Status, UniqueKey, WriteId};

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
        Err(error) => panic!("neither created nor told who was: {error}"),
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

/// What follows a rejected request takes its key; a preview says who has it.
#[dual]
pub async fn a_unique_key_passes_to_the_resubmission(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let draft = |request_id: &str| {
        draft(request_id, "s").waiting_for(PendingReason::ManualReview).with_unique_key(key("restart"))
    };
    governance.submit(draft("first")).await.unwrap();
    let foreseen = governance.preview_submit(draft("second")).await.unwrap_err();
    assert_eq!((foreseen.code(), foreseen.request()), ("request.already_open", Some(&id("first"))));
    governance.reject_request("first", alice()).await.unwrap();
    governance.preview_submit(draft("second")).await.unwrap();
    let new = governance.resubmit("first", alice(), Amendment::new()).await.unwrap();
    assert_eq!(new.unique_key, Some(key("restart")));
    let open = governance.open_request("restart").await.unwrap();
    assert_eq!(open, Some(new));
}
