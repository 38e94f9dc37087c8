//! Records of requests, handed on by one store and imported by another.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{alice, company, draft, full, id, moved_on, pending, second, submit};
use super::{MemoryStore, Store, StoreExtension as _, dual};
use crate::archive::{Imported, RequestRecord};
use crate::error::Result;
use crate::feed::{FeedChange, FeedPosition};
use crate::query::{
    DecisionQuery, PageRequest, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, SortDirection,
};
use crate::request::{ActorId, MutationRequest, PendingReason, RequestId, Revision, UnsettledWrite, WriteId};
use crate::service::settle::Settled;
use crate::workflow::{self, Command};

/// Changes a request so often, and returns the ids of the writes that did, the first included.
#[dual]
async fn change(store: &Arc<dyn Store>, request: MutationRequest, times: u64) -> (MutationRequest, Vec<WriteId>) {
    let mut writes = vec![request.revision().write_id];
    let mut stored = store.create(request).await.unwrap();
    for number in 1..=times {
        writes.push(WriteId::generate());
        stored = store.update(moved_on(stored, second(100 + number)), writes[writes.len() - 1]).await.unwrap();
    }
    (stored, writes)
}

#[dual]
async fn records_of(store: &Arc<dyn Store>, query: &RequestQuery) -> Vec<RequestRecord> {
    let page = store.records(query, &PageRequest::longest()).await.unwrap();
    assert!(page.unreadable.is_empty() && page.next.is_none(), "{:?}", page.unreadable);
    page.items
}

fn all_of(results: Vec<Result<Imported>>) -> Vec<Imported> {
    results.into_iter().map(Result::unwrap).collect()
}

fn other() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// Requests come from another store and go to another one as they are: every query finds the same, the writes that made them are
/// known, and they go on from their revisions.
#[dual]
pub async fn an_imported_request_is_the_same_everywhere(store: Arc<dyn Store>) {
    let (source, target) = (other(), other());
    for request in company() {
        source.create(request).await.unwrap();
    }
    source.create(full("full")).await.unwrap();
    let (changed, writes) = change(&source, pending("changed", "tenant:acme", second(5)), 12).await;
    for (from, to) in [(&source, &store), (&store, &target)] {
        let imported = to.import(&records_of(from, &RequestQuery::new()).await).await.unwrap();
        assert_eq!(all_of(imported), [Imported::Added; 7]);
        same_reads(to, &source).await;
        let read = to.get(&changed.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&changed));
        for number in [0_usize, 6, 7, 11, 12] {
            let before = |number: usize| Revision { number: number as u64, write_id: writes[number] };
            let base = number.checked_sub(1).map(before);
            let write = UnsettledWrite { id: changed.id.clone(), base, write_id: writes[number], intent: None };
            let settled = to.settle_write(&write).await.unwrap();
            assert_eq!(settled, Settled::Applied, "write {number}");
        }
    }
    let canceled = workflow::apply(changed, &Command::cancel(alice()), second(900)).unwrap();
    for to in [&store, &target] {
        let canceled = to.update(canceled.clone(), WriteId::generate()).await.unwrap();
        assert_eq!(canceled.revision().number, 13);
        let read = to.get(&canceled.id).await.unwrap();
        assert_eq!(read, Some(canceled));
    }
}

/// Every list and number is the same in both.
#[dual]
async fn same_reads(one: &Arc<dyn Store>, other: &Arc<dyn Store>) {
    let (all, page) = (RequestQuery::new(), PageRequest::longest());
    let (ours, theirs) = (one.requests(&all, &page).await.unwrap(), other.requests(&all, &page).await.unwrap());
    assert_eq!(ours.items, theirs.items);
    let of_state = RequestQuery::of_state("tenant:acme".try_into().unwrap());
    let (ours, theirs) =
        (one.requests(&of_state, &page).await.unwrap(), other.requests(&of_state, &page).await.unwrap());
    assert_eq!(ours.items, theirs.items);
    let all = PendingApprovalQuery::new();
    let ours = one.pending_approvals(&all, &page).await.unwrap();
    let theirs = other.pending_approvals(&all, &page).await.unwrap();
    assert!(!ours.items.is_empty() && ours.items == theirs.items, "{ours:?}");
    let all = RecentApprovalQuery::new();
    let ours = one.recent_approvals(&all, &page).await.unwrap();
    let theirs = other.recent_approvals(&all, &page).await.unwrap();
    assert!(!ours.items.is_empty() && ours.items == theirs.items, "{ours:?}");
    let all = DecisionQuery::new();
    let (ours, theirs) = (one.decisions(&all, &page).await.unwrap(), other.decisions(&all, &page).await.unwrap());
    assert!(!ours.items.is_empty() && ours.items == theirs.items, "{ours:?}");
    let (ours, theirs) =
        (one.due(second(10_000), &page).await.unwrap(), other.due(second(10_000), &page).await.unwrap());
    assert!(!ours.items.is_empty() && ours.items == theirs.items, "{ours:?}");
    let within = [Duration::from_secs(9_000)];
    let ours = one.statistics(second(0), &within).await.unwrap();
    let theirs = other.statistics(second(0), &within).await.unwrap();
    assert_eq!(ours, theirs);
}

/// A repetition of an import changes nothing, and adds no entry to the feed. Nor does a request come twice in one.
#[dual]
pub async fn an_import_that_is_repeated_changes_nothing(store: Arc<dyn Store>) {
    let source = other();
    for request in company() {
        source.create(request).await.unwrap();
    }
    let mut records = records_of(&source, &RequestQuery::new()).await;
    records.push(records[0].clone());
    let first = all_of(store.import(&records).await.unwrap());
    let added = first.iter().filter(|imported| **imported == Imported::Added).count();
    assert_eq!((added, first.len()), (5, 6));
    assert!(first.contains(&Imported::Unchanged), "{first:?}");
    let end = store.end_of_feed().await.unwrap();
    let again = all_of(store.import(&records).await.unwrap());
    assert_eq!(again, [Imported::Unchanged; 6]);
    let page = store.read_feed(&end, 100).await.unwrap();
    assert!(page.entries.is_empty(), "{:?}", page.entries);
    let nothing = store.import(&[]).await.unwrap();
    assert!(nothing.is_empty());
}

/// Each request that is added has one entry in the feed, which says that it was imported, and names no decision.
#[dual]
pub async fn an_import_adds_one_feed_entry_for_each_request(store: Arc<dyn Store>) {
    let source = other();
    change(&source, pending("a", "s", second(1)), 2).await;
    change(&source, pending("b", "s", second(2)), 0).await;
    store.import(&records_of(&source, &RequestQuery::new()).await).await.unwrap();
    let page = store.read_feed(&FeedPosition::beginning(), 100).await.unwrap();
    let mut entries = page.entries;
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    let listed: Vec<_> = entries.iter().map(|entry| (entry.id.as_str(), entry.revision, entry.change)).collect();
    assert_eq!(listed, [("a", 2, FeedChange::Imported), ("b", 0, FeedChange::Imported)]);
    assert!(entries.iter().all(|entry| entry.decisions.is_empty() && entry.by.is_none()), "{entries:?}");
    let end = store.end_of_feed().await.unwrap();
    let (stored, _) = change(&store, pending("c", "s", second(3)), 0).await;
    let page = store.read_feed(&end, 100).await.unwrap();
    assert_eq!(page.entries[0].change, FeedChange::Written, "{stored:?}");
}

/// Whatever else is stored under the id of an imported request stays: another request, another revision of the same, or the same
/// revision of another document.
#[dual]
pub async fn an_import_replaces_nothing(store: Arc<dyn Store>) {
    let source = other();
    let (newest, writes) = change(&source, pending("moved", "s", second(1)), 2).await;
    change(&source, pending("good", "s", second(3)), 0).await;
    let taken = submit(draft("taken", "one"), second(2));
    source.create(taken.clone()).await.unwrap();
    let records = records_of(&source, &RequestQuery::new()).await;

    let mut other_document = taken.document().clone();
    other_document.intent.description = Some("something else".to_owned());
    let same_revision = MutationRequest::from_document(other_document, taken.revision()).unwrap();
    let there = store.create(same_revision.clone()).await.unwrap();
    let older = store.create(pending("moved", "s", second(1))).await.unwrap();
    let imported = all_of(store.import(&records).await.unwrap());
    let expected = [
        Imported::Differs { stored: older.revision() },
        Imported::Differs { stored: there.revision() },
        Imported::Added,
    ];
    assert_eq!(imported, expected);
    assert_ne!(older.revision().write_id, writes[0]);
    let read = store.get_many(&[id("moved"), id("taken"), id("good")]).await.unwrap();
    let read: Vec<_> = read.requests.into_iter().map(Option::unwrap).collect();
    assert_eq!(read[..2], [older, same_revision]);
    assert!(read[2].revision().number == 0 && newest.revision().number == 2);
}

/// A page of records has those of the query, whatever it filters by, with their writes.
#[dual]
pub async fn records_are_those_of_requests(store: Arc<dyn Store>) {
    for number in 0..6 {
        let name = if number % 2 == 0 { "even" } else { "odd" };
        change(&store, pending(&format!("{name}-{number}"), name, second(number)), number).await;
    }
    let ids: Vec<RequestId> = ["odd-1", "even-4", "odd-9"].map(id).to_vec();
    let queries = [
        RequestQuery::new(),
        RequestQuery::of_state("even".try_into().unwrap()),
        RequestQuery::new().with_ids(ids).unwrap(),
        RequestQuery::new().with_actor_names(["Alice"]).unwrap(),
        RequestQuery::new().with_actor_ids([ActorId::new("nobody").unwrap()]).unwrap(),
        RequestQuery::new().in_order(SortDirection::Descending),
        RequestQuery::new().with_pending_reasons([PendingReason::Schedule]).unwrap(),
    ];
    for query in queries {
        let (mut records, mut requests, mut page) = (Vec::new(), Vec::new(), PageRequest::of(2).unwrap());
        loop {
            let read = store.records(&query, &page).await.unwrap();
            let same = store.requests(&query, &page).await.unwrap();
            assert_eq!(read.next, same.next, "{query:?}");
            records.extend(read.items);
            requests.extend(same.items);
            match page.clone().going_on(read.next).unwrap() {
                Some(next) => page = next,
                None => break,
            }
        }
        let decoded: Vec<_> = records.iter().map(|record| record.request().request().unwrap()).collect();
        assert_eq!(decoded, requests, "{query:?}");
        for record in records {
            let numbers: Vec<u64> = record.writes().iter().map(|write| write.number).collect();
            let expected: Vec<u64> = (0..=record.request().revision().number).rev().collect();
            assert_eq!(numbers, expected, "{query:?}");
        }
    }
}
