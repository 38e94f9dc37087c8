//! Removal: a request is gone at once, its tombstone stays, and nothing comes between.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::requests::{alice, company, draft, full, id, pending, second, submit};
use super::{Governance, Store, StoreExtension as _, dual, run_concurrently};
use crate::archive::{Imported, RequestRecord};
use crate::error::{Error, Result};
use crate::feed::{FeedChange, FeedPosition};
use crate::query::{DecisionQuery, PageRequest, RecentApprovalQuery, RequestQuery};
use crate::removal::{ArchiveName, Removal, Tombstone};
use crate::request::{
    ActorContext, Metadata, MutationRequest, PendingReason, RequestDraft, Status, Timestamp, UnsettledWrite, WriteId,
};
use crate::workflow::{self, Amendment, Command};

fn removal() -> Removal {
    Removal::new(ActorContext::service("archivist").unwrap()).archived_in(ArchiveName::new("shelf/1").unwrap())
}

/// A request with every part of a submission and a decision of each approval, rejected at the end.
#[dual]
async fn ended(store: &Arc<dyn Store>, request: MutationRequest, at: Timestamp) -> MutationRequest {
    let stored = store.create(request).await.unwrap();
    let canceled = workflow::apply(stored, &Command::cancel(alice()), at).unwrap();
    store.update(canceled, WriteId::generate()).await.unwrap()
}

fn tombstone_of(request: &MutationRequest) -> Tombstone {
    workflow::remove(request, &removal(), [], second(5_000)).unwrap()
}

/// The draft that follows an ended request, under the id `new`.
fn following(ended: &MutationRequest) -> RequestDraft {
    let draft = workflow::resubmission_draft(ended, Amendment::new(), alice(), second(9)).unwrap();
    draft.with_id(id("new"))
}

fn is_removed<T: std::fmt::Debug>(result: Result<T>, tombstone: &Tombstone) -> bool {
    matches!(&result, Err(Error::Removed(found)) if **found == *tombstone)
}

fn is_id_of_removed<T: std::fmt::Debug>(result: Result<T>, tombstone: &Tombstone) -> bool {
    matches!(&result, Err(Error::IdOfRemoved(found)) if **found == *tombstone)
}

/// No read finds it, no write brings it back, and every one of them says that it was removed.
#[dual]
pub async fn a_removed_request_is_gone_and_its_tombstone_stays(store: Arc<dyn Store>) {
    for request in company() {
        store.create(request).await.unwrap();
    }
    let page = PageRequest::longest();
    let all = RequestQuery::new();
    let before = store.requests(&all, &page).await.unwrap().items;
    let decisions_before = store.decisions(&DecisionQuery::new(), &page).await.unwrap().items;
    let statistics_before = store.statistics(second(0), &[Duration::from_secs(9_000)]).await.unwrap();

    let first = full("full");
    let gone = ended(&store, first.clone(), second(60)).await;
    let records = store.records(&all, &page).await.unwrap().items;
    let record = records.into_iter().find(|record| *record.request().id() == gone.id).unwrap();
    let end = store.end_of_feed().await.unwrap();
    let tombstone = tombstone_of(&gone);
    let stored = store.remove(&gone, &tombstone).await.unwrap();
    assert_eq!(stored, tombstone);
    assert!(stored.is_of(&gone) && stored.status == Status::Canceled, "{stored:?}");

    let found = store.get(&gone.id).await;
    assert!(is_removed(found, &tombstone));
    let other = before[0].id.clone();
    let found = store.get_many(&[gone.id.clone(), other.clone(), id("never")]).await.unwrap();
    let ids: Vec<_> = found.requests.iter().map(|found| found.as_ref().map(|found| found.id.clone())).collect();
    assert_eq!(
        (ids, found.removed, found.unreadable.len()),
        (vec![None, Some(other), None], vec![tombstone.clone()], 0)
    );
    let read = store.requests(&all, &page).await.unwrap();
    assert!(read.items == before && read.unreadable.is_empty(), "{read:?}");
    let by_id = RequestQuery::new().with_ids([gone.id.as_str()]).unwrap();
    let read = store.requests(&by_id, &page).await.unwrap();
    assert!(read.items.is_empty() && read.unreadable.is_empty(), "{read:?}");
    let read = store.records(&by_id, &page).await.unwrap();
    assert!(read.items.is_empty() && read.unreadable.is_empty(), "{read:?}");
    let decisions = store.decisions(&DecisionQuery::new(), &page).await.unwrap().items;
    assert_eq!(decisions, decisions_before);
    let statistics = store.statistics(second(0), &[Duration::from_secs(9_000)]).await.unwrap();
    assert_eq!(statistics, statistics_before);

    let again = store.create(first).await;
    assert!(is_id_of_removed(again, &tombstone));
    let other = store.create(pending("full", "s", second(70))).await;
    assert!(is_id_of_removed(other, &tombstone));
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let submitted = governance.submit(draft("full", "s")).await;
    assert!(is_id_of_removed(submitted, &tombstone));
    let comment = workflow::apply(gone.clone(), &Command::comment(alice(), "late"), second(80)).unwrap();
    let changed = store.update(comment, WriteId::generate()).await;
    assert!(is_removed(changed, &tombstone));
    let (base, write_id) = (None, gone.revision().write_id);
    let write = UnsettledWrite { id: gone.id.clone(), base, write_id, intent: None };
    let settled = store.settle_write(&write).await;
    assert!(is_removed(settled, &tombstone));
    let mut imported = store.import(&[record]).await.unwrap();
    assert!(is_id_of_removed(imported.remove(0), &tombstone));

    let entries = store.read_feed(&end, 100).await.unwrap().entries;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((&entry.id, entry.change, entry.revision), (&gone.id, FeedChange::Removed, gone.revision().number));
    assert_eq!((entry.by.as_ref(), entry.status, entry.decisions.len()), (Some(&stored.removed_by), stored.status, 0));
}

/// A second removal changes nothing, whoever asks for it and whatever it says.
#[dual]
pub async fn a_repeated_removal_returns_the_first_tombstone(store: Arc<dyn Store>) {
    let gone = ended(&store, pending("gone", "s", second(1)), second(2)).await;
    let first = store.remove(&gone, &tombstone_of(&gone)).await.unwrap();
    let end = store.end_of_feed().await.unwrap();
    let other = Removal::new(ActorContext::user("mona").unwrap());
    let other = workflow::remove(&gone, &other, [], second(9_000)).unwrap();
    for again in [&first, &other] {
        let returned = store.remove(&gone, again).await.unwrap();
        assert_eq!(returned, first);
    }
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let returned = governance.remove("gone", &removal()).await.unwrap();
    assert_eq!(returned, first);
    let entries = store.read_feed(&end, 100).await.unwrap().entries;
    assert!(entries.is_empty(), "{entries:?}");
    let nothing = governance.remove("never", &removal()).await;
    assert!(matches!(&nothing, Err(Error::NotFound { .. })), "{nothing:?}");
    let never = ended(&store, pending("other", "s", second(1)), second(2)).await;
    let mut never_stored = never.document().clone();
    never_stored.id = id("never");
    let never = MutationRequest::from_document(never_stored, never.revision()).unwrap();
    let nothing = store.remove(&never, &tombstone_of(&never)).await;
    assert!(matches!(&nothing, Err(Error::NotFound { .. })), "{nothing:?}");
}

/// Whichever comes first: the other one gets a conflict, or learns that the request is gone.
#[dual]
pub async fn of_a_removal_and_a_change_one_wins(store: Arc<dyn Store>) {
    let request = ended(&store, pending("r", "s", second(1)), second(2)).await;
    let comment = workflow::apply(request.clone(), &Command::comment(alice(), "wait"), second(3)).unwrap();
    let changed = store.update(comment, WriteId::generate()).await.unwrap();
    let lost = store.remove(&request, &tombstone_of(&request)).await;
    assert!(matches!(&lost, Err(Error::Conflict(conflict)) if conflict.stored == changed), "{lost:?}");
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let lost = governance.remove("r", &removal().at(request.revision())).await;
    assert!(matches!(&lost, Err(Error::Conflict(conflict)) if conflict.actual == changed.revision()), "{lost:?}");

    let (tombstones, updates) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    for round in 0..8_u64 {
        let request = ended(&store, pending(&format!("r{round}"), "s", second(1)), second(2)).await;
        let comment = workflow::apply(request.clone(), &Command::comment(alice(), "wait"), second(3)).unwrap();
        let turns = Mutex::new((0..6_u64).collect::<Vec<_>>());
        let next_turn = || turns.lock().unwrap().pop();
        run_concurrently(6, || one_of_both(&store, &request, &comment, next_turn(), (&tombstones, &updates))).await;
        let (mut tombstones, mut updates) = (tombstones.lock().unwrap(), updates.lock().unwrap());
        match (&tombstones[..], &updates[..]) {
            ([first, others @ ..], []) => assert!(others.iter().all(|other| other == first), "{others:?}"),
            ([], [_]) => {}
            both => panic!("both won: {both:?}"),
        }
        tombstones.clear();
        updates.clear();
    }
}

type Won<'a> = (&'a Mutex<Vec<Tombstone>>, &'a Mutex<Vec<MutationRequest>>);

#[dual]
async fn one_of_both(
    store: &Arc<dyn Store>,
    request: &MutationRequest,
    comment: &MutationRequest,
    turn: Option<u64>,
    (tombstones, updates): Won<'_>,
) {
    if turn.is_some_and(|turn| turn % 2 == 0) {
        match store.remove(request, &tombstone_of(request)).await {
            Ok(tombstone) => tombstones.lock().unwrap().push(tombstone),
            Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error:?}"),
        }
    } else {
        match store.update(comment.clone(), WriteId::generate()).await {
            Ok(changed) => updates.lock().unwrap().push(changed),
            Err(error) => assert!(matches!(error, Error::Conflict(_) | Error::Removed(_)), "{error:?}"),
        }
    }
}

/// However many remove a request at once: there is one tombstone and one entry in the feed.
#[dual]
pub async fn of_many_removals_one_wins_and_all_return_its_tombstone(store: Arc<dyn Store>) {
    let request = ended(&store, full("full"), second(60)).await;
    let returned = Mutex::new(Vec::new());
    run_concurrently(12, || removed_by_somebody(&store, &request, &returned)).await;
    let returned = returned.into_inner().unwrap();
    assert!(returned.len() == 12 && returned.iter().all(|tombstone| *tombstone == returned[0]), "{returned:?}");
    let entries = store.read_feed(&FeedPosition::beginning(), 100).await.unwrap().entries;
    let removals = entries.iter().filter(|entry| entry.change == FeedChange::Removed).count();
    assert_eq!(removals, 1);
}

#[dual]
async fn removed_by_somebody(store: &Arc<dyn Store>, request: &MutationRequest, returned: &Mutex<Vec<Tombstone>>) {
    let somebody = ActorContext::user(format!("u{}", WriteId::generate())).unwrap();
    let tombstone = workflow::remove(request, &Removal::new(somebody), [], second(5_000)).unwrap();
    let stored = store.remove(request, &tombstone).await.unwrap();
    returned.lock().unwrap().push(stored);
}

/// What has not ended stays, and so does what is on hold or named by something open.
#[dual]
pub async fn only_what_has_ended_is_removed(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let held = Metadata::new().with(Removal::LEGAL_HOLD, true).unwrap();
    let held = submit(draft("held", "s").with_metadata(held), second(2));
    ended(&store, held, second(3)).await;
    store.create(pending("open", "s", second(1))).await.unwrap();
    let old = ended(&store, pending("old", "s", second(1)), second(2)).await;
    governance.submit(following(&old).waiting_for(PendingReason::Quota)).await.unwrap();
    let before = store.end_of_feed().await.unwrap();
    for (name, code) in
        [("open", "removal.not_terminal"), ("held", "removal.on_hold"), ("old", "removal.linked_to_open")]
    {
        let error = governance.remove(name, &removal()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let error = governance.remove("old", &Removal::new(ActorContext::system())).await.unwrap_err();
    assert_eq!(error.code(), "removal.anonymous", "{error}");
    let entries = store.read_feed(&before, 100).await.unwrap().entries;
    assert!(entries.is_empty(), "{entries:?}");
    governance.cancel("new", alice()).await.unwrap();
    let tombstone = governance.remove("old", &removal()).await.unwrap();
    assert_eq!(tombstone.archive.as_ref().map(ArchiveName::as_str), Some("shelf/1"));
}

/// Links keep the ids of removed requests, and commands that follow them say what became of those.
#[dual]
pub async fn what_names_a_removed_request_still_does(store: Arc<dyn Store>) {
    let governance = Governance::builder().store(Arc::clone(&store)).build();
    let old = ended(&store, pending("old", "s", second(1)), second(2)).await;
    governance.submit(following(&old)).await.unwrap();
    governance.cancel("new", alice()).await.unwrap();
    let tombstone = governance.remove("new", &removal()).await.unwrap();
    let old = governance.get("old").await.unwrap().unwrap();
    assert_eq!(old.execution.resubmitted_as.as_ref().map(|link| &link.request), Some(&tombstone.id));
    let again = governance.submit(following(&old)).await;
    assert!(matches!(&again, Err(Error::Correction { .. })), "{again:?}");
    let records: Vec<RequestRecord> = vec![RequestRecord::new(old.clone().into(), [])];
    let mut imported = store.import(&records).await.unwrap();
    assert!(matches!(imported.remove(0), Ok(Imported::Unchanged)));
    let approvals = store.recent_approvals(&RecentApprovalQuery::new(), &PageRequest::longest()).await.unwrap();
    assert!(approvals.items.iter().all(|row| row.request.id != tombstone.id));
    governance.remove("old", &removal()).await.unwrap();
    let superseding = store.create(pending("open", "s", second(9))).await.unwrap();
    let lost = governance.supersede(&superseding.id, alice(), &tombstone.id).await;
    assert!(is_removed(lost, &tombstone));
}
