//! Pages of requests: order, cursors, and changes in between.

use std::sync::Arc;

use super::requests::{alice, draft, moved_on, pending, second, submit};
use super::{Store, StoreExtension as _, dual};
use crate::error::Error;
use crate::query::PageRequest;
use crate::request::{ApprovalRule, MutationRequest, Pending, PendingReason, StateId, Timestamp, WriteId};
use crate::workflow::{self, Command};

fn ids(requests: &[MutationRequest]) -> Vec<String> {
    requests.iter().map(|request| request.id.to_string()).collect()
}

/// Every pending request, read in pages of `limit`.
#[dual]
async fn all_pending(store: &Arc<dyn Store>, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = PageRequest::of(limit).unwrap();
    loop {
        let read = store.pending(&page).await.unwrap();
        assert!(read.items.len() <= limit, "a page of {limit} has {} requests", read.items.len());
        assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        found.extend(ids(&read.items));
        match read.next {
            Some(cursor) => page = PageRequest::of(limit).unwrap().after(cursor),
            None => return found,
        }
    }
}

/// Pending requests come in the order of submission, in pages of any length, and no other requests come.
#[dual]
pub async fn pages_come_in_created_order(store: Arc<dyn Store>) {
    let mut expected = Vec::new();
    for number in 0..23 {
        let name = format!("r{:02}", (number * 7) % 23);
        store.create(pending(&name, "s", second(number))).await.unwrap();
        expected.push(name);
    }
    store.create(submit(draft("not-pending", "s"), second(3))).await.unwrap();
    for limit in [1, 5, 22, 23, 24, 1_000] {
        let found = all_pending(&store, limit).await;
        assert_eq!(found, expected, "in pages of {limit}");
    }
    let last = store.pending(&PageRequest::of(23).unwrap()).await.unwrap();
    assert_eq!(last.next, None, "a page that is full and the last has no next one");
}

/// Requests with the same time come in the order of their ids, each once.
#[dual]
pub async fn equal_times_page_exactly(store: Arc<dyn Store>) {
    let mut expected = Vec::new();
    for number in 0..150 {
        let name = format!("same-{:03}", (number * 67) % 150);
        store.create(pending(&name, "s", second(0))).await.unwrap();
        expected.push(name);
    }
    expected.sort();
    let found = all_pending(&store, 7).await;
    assert_eq!(found, expected);
}

/// The lists by state and of pending requests hold exactly the right requests, before and after a change.
#[dual]
pub async fn lists_are_by_state_and_pending(store: Arc<dyn Store>) {
    let waiting = store.create(pending("a-waiting", "a", second(0))).await.unwrap();
    store.create(submit(draft("a-created", "a"), second(1))).await.unwrap();
    store.create(pending("b-waiting", "b", second(2))).await.unwrap();
    let page = PageRequest::first();
    let (a, none) = (StateId::new("a").unwrap(), StateId::new("none").unwrap());

    let of_a = store.by_state(&a, &page).await.unwrap();
    assert_eq!(ids(&of_a.items), ["a-waiting", "a-created"]);
    let waiting_of_a = store.pending_by_state(&a, &page).await.unwrap();
    assert_eq!(waiting_of_a.items, std::slice::from_ref(&waiting));
    let of_none = store.by_state(&none, &page).await.unwrap();
    assert!(of_none.items.is_empty() && of_none.next.is_none());

    let approved = store.update(moved_on(waiting, second(3)), WriteId::generate()).await.unwrap();
    let of_a = store.by_state(&a, &page).await.unwrap();
    assert_eq!(of_a.items[0], approved);
    let waiting_of_a = store.pending_by_state(&a, &page).await.unwrap();
    assert!(waiting_of_a.items.is_empty());
    let pending = store.pending(&page).await.unwrap();
    assert_eq!(ids(&pending.items), ["b-waiting"]);

    store.update(moved_on(approved, second(4)), WriteId::generate()).await.unwrap();
    let pending = store.pending(&page).await.unwrap();
    assert_eq!(ids(&pending.items), ["a-waiting", "b-waiting"]);
}

/// A request that joins or leaves the list between two pages makes no other request come twice or not at all.
#[dual]
pub async fn a_request_that_changes_away_neither_repeats_nor_hides(store: Arc<dyn Store>) {
    let mut requests = Vec::new();
    for number in 0..6 {
        requests.push(store.create(pending(&format!("p{number}"), "s", second(number * 10))).await.unwrap());
    }
    let first = store.pending(&PageRequest::of(3).unwrap()).await.unwrap();
    assert_eq!(ids(&first.items), ["p0", "p1", "p2"]);
    for gone in [2, 0, 4] {
        let changed = moved_on(requests[gone].clone(), second(99));
        store.update(changed, WriteId::generate()).await.unwrap();
    }
    store.create(pending("earlier", "s", second(5))).await.unwrap();
    store.create(pending("later", "s", second(35))).await.unwrap();
    let rest = store.pending(&PageRequest::of(9).unwrap().after(first.next.unwrap())).await.unwrap();
    assert_eq!(ids(&rest.items), ["p3", "later", "p5"]);
}

/// The ids of due requests, read in pages of `limit`.
#[dual]
async fn all_due(store: &Arc<dyn Store>, by: Timestamp, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = PageRequest::of(limit).unwrap();
    loop {
        let read = store.due(by, &page).await.unwrap();
        assert!(read.items.len() <= limit, "a page of {limit} has {} requests", read.items.len());
        found.extend(ids(&read.items));
        match read.next {
            Some(cursor) => page = PageRequest::of(limit).unwrap().after(cursor),
            None => return found,
        }
    }
}

/// Due requests come by their next deadline, of the request or of an approval, and leave the list when they expire.
#[dual]
pub async fn what_is_due_comes_by_its_deadline(store: Arc<dyn Store>) {
    let ends = |at| Pending { reason: PendingReason::Quota, expires_at: Some(second(at)) };
    let rule = || ApprovalRule::actor("bob").unwrap();
    store.create(submit(draft("at-300", "s").waiting_for(ends(300)), second(0))).await.unwrap();
    let first = store.create(submit(draft("at-100", "s").waiting_for(ends(100)), second(1))).await.unwrap();
    store.create(submit(draft("also-at-100", "s").waiting_for(ends(100)), second(2))).await.unwrap();
    let approval = draft("approval-at-200", "s").requires_approval(rule().expiring_at(second(200)));
    store.create(submit(approval, second(3))).await.unwrap();
    store.create(submit(draft("whenever", "s").requires_approval(rule()), second(4))).await.unwrap();
    store.create(pending("waits-for-ever", "s", second(5))).await.unwrap();

    let expected = ["also-at-100", "at-100", "approval-at-200", "at-300"];
    for (by, count) in [(99, 0), (100, 2), (199, 2), (200, 3), (300, 4), (9_000, 4)] {
        for limit in [1, 2, 50] {
            let found = all_due(&store, second(by), limit).await;
            assert_eq!(found, expected[..count], "due by {by}, in pages of {limit}");
        }
    }
    let expired = workflow::apply(first, &Command::expire(alice()), second(100)).unwrap();
    store.update(expired, WriteId::generate()).await.unwrap();
    let found = all_due(&store, second(200), 50).await;
    assert_eq!(found, ["also-at-100", "approval-at-200"]);
}

/// A cursor is valid only in its own list.
#[dual]
pub async fn a_cursor_of_another_query_is_rejected(store: Arc<dyn Store>) {
    for number in 0..3 {
        store.create(pending(&format!("c{number}"), "s", second(number))).await.unwrap();
    }
    let first = store.pending(&PageRequest::of(1).unwrap()).await.unwrap();
    let page = PageRequest::first().after(first.next.unwrap());
    let other = store.by_state(&StateId::new("s").unwrap(), &page).await;
    assert!(matches!(other, Err(Error::InvalidCursor { .. })), "{other:?}");
    let same = store.pending(&page).await.unwrap();
    assert_eq!(ids(&same.items), ["c1", "c2"]);
}
