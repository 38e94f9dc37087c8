//! The ready queue: what executors can take, in which order, and how much of it there is.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{alice, draft, second, submit};
use super::{Store, dual};
use crate::query::{Count, PageRequest, ReadyQuery, RequestQuery, Statistics};
use crate::request::{ClaimId, MutationRequest, PendingReason, RequestDraft, RetryPolicy, Timestamp, WriteId};
use crate::workflow::{self, AfterFailure, Command, Failure};

fn approved(draft: RequestDraft, at: u64) -> MutationRequest {
    submit(draft.already_approved(), second(at))
}

fn valid_for(draft: RequestDraft, seconds: u64) -> RequestDraft {
    draft.valid_for(Duration::from_secs(seconds)).unwrap()
}

fn claim(number: u8, lease: u64) -> Command {
    Command::claim(alice(), ClaimId::from_bytes([number; 16]), Duration::from_secs(lease))
}

/// Applies the command, and stores the result.
#[dual]
async fn change(store: &Arc<dyn Store>, request: MutationRequest, command: Command, at: u64) -> MutationRequest {
    let changed = workflow::apply(request, &command, second(at)).unwrap();
    store.update(changed, WriteId::generate()).await.unwrap()
}

/// The ids of what is ready at one time, read in pages of `limit`.
#[dual]
async fn all_ready(store: &Arc<dyn Store>, query: &ReadyQuery, now: Timestamp, limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = PageRequest::of(limit).unwrap();
    loop {
        let read = store.ready(query, now, &page).await.unwrap();
        assert!(read.items.len() <= limit, "a page of {limit} has {} requests", read.items.len());
        found.extend(read.items.iter().map(|request| request.id.to_string()));
        match read.next {
            Some(cursor) => page = PageRequest::of(limit).unwrap().after(cursor),
            None => return found,
        }
    }
}

/// Stores requests, some of which are ready at some times, and returns all as they are stored.
#[dual]
async fn fill(store: &Arc<dyn Store>) -> Vec<MutationRequest> {
    let mut stored = Vec::new();
    for request in [
        approved(draft("at-40", "tenant:beta"), 40),
        approved(draft("at-20", "tenant:acme"), 20),
        approved(draft("also-at-20", "tenant:beta"), 20),
        approved(draft("from-60", "tenant:acme").not_before(second(60)), 5),
        approved(valid_for(draft("until-70", "tenant:acme"), 40), 30),
        approved(valid_for(draft("never", "tenant:acme").not_before(second(90)), 10), 10),
        submit(draft("waiting", "tenant:acme").waiting_for(PendingReason::Quota), second(1)),
    ] {
        stored.push(store.create(request).await.unwrap());
    }
    let held = store.create(approved(draft("held-until-80", "tenant:beta"), 2)).await.unwrap();
    stored.push(change(store, held, claim(1, 70), 10).await);
    let failed = store.create(approved(draft("failed-at-50", "tenant:beta"), 3)).await.unwrap();
    let failed = change(store, failed, claim(2, 30), 45).await;
    let fail = Command::fail(alice(), ClaimId::from_bytes([2; 16]), Failure::new("broken"), AfterFailure::KeepApproved);
    stored.push(change(store, failed, fail, 50).await);
    stored
}

/// What is ready at a time comes by the time at which it became so, then by id, in pages of any length.
#[dual]
pub async fn what_is_ready_comes_in_the_order_in_which_it_became_so(store: Arc<dyn Store>) {
    fill(&store).await;
    let all = ["also-at-20", "at-20", "until-70", "at-40", "failed-at-50", "from-60", "held-until-80"];
    let without_ended: Vec<&str> = all.into_iter().filter(|id| *id != "until-70").collect();
    let just_before = |number| second(number).saturating_sub(Duration::from_micros(1));
    for (now, expected) in [
        (second(19), &all[..0]),
        (second(20), &all[..2]),
        (second(50), &all[..5]),
        (just_before(60), &all[..5]),
        (second(60), &all[..6]),
        (just_before(70), &all[..6]),
        (second(70), &without_ended[..5]),
        (just_before(80), &without_ended[..5]),
        (second(80), &without_ended[..]),
        (Timestamp::MAX, &without_ended[..]),
    ] {
        for limit in [1, 2, 50] {
            let found = all_ready(&store, &ReadyQuery::new(), now, limit).await;
            assert_eq!(found, expected, "ready at {now}, in pages of {limit}");
        }
        let counted = store.count_ready(&ReadyQuery::new(), now).await.unwrap();
        assert_eq!(counted, Count::Exact(expected.len() as u64), "ready at {now}");
    }
    let of_beta = ReadyQuery::of_requests(RequestQuery::new().with_state_ids(["tenant:beta"]).unwrap());
    let found = all_ready(&store, &of_beta, second(79), 2).await;
    assert_eq!(found, ["also-at-20", "at-40", "failed-at-50"]);
    let counted = store.count_ready(&of_beta, second(79)).await.unwrap();
    assert_eq!(counted, Count::Exact(3));
}

/// A request leaves the queue when it is claimed, held or ended, and enters it where it becomes ready.
#[dual]
pub async fn what_is_taken_leaves_the_queue_and_comes_back_at_its_end(store: Arc<dyn Store>) {
    let mut requests = Vec::new();
    for (number, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        requests.push(store.create(approved(draft(name, "s"), number as u64)).await.unwrap());
    }
    let first = change(&store, requests[0].clone(), claim(1, 30), 10).await;
    change(&store, requests[1].clone(), Command::hold(alice(), PendingReason::Quota), 10).await;
    change(&store, requests[2].clone(), Command::schedule(alice(), second(25)), 10).await;
    for (now, expected) in [(9, &["d"][..]), (20, &["d"][..]), (25, &["d", "c"][..]), (40, &["d", "c", "a"][..])] {
        let found = all_ready(&store, &ReadyQuery::new(), second(now), 50).await;
        assert_eq!(found, expected, "at {now}");
    }
    let release = Command::release(alice(), ClaimId::from_bytes([1; 16]));
    let released = change(&store, first, release, 15).await;
    let found = all_ready(&store, &ReadyQuery::new(), second(26), 50).await;
    assert_eq!(found, ["d", "a", "c"]);
    change(&store, released, Command::cancel(alice()), 30).await;
    let found = all_ready(&store, &ReadyQuery::new(), second(40), 50).await;
    assert_eq!(found, ["d", "c"]);
}

/// The statistics count what is ready and what is claimed, as the documents say.
#[dual]
pub async fn statistics_count_what_is_ready(store: Arc<dyn Store>) {
    let none = store.statistics(second(99), &[]).await.unwrap();
    assert_eq!((none.ready, none.claimed, none.oldest_ready), (0, 0, None));
    let stored = fill(&store).await;
    for (now, ready, claimed, oldest) in
        [(9, 0, 1, None), (20, 2, 1, Some(20)), (69, 6, 1, Some(20)), (70, 5, 1, Some(20)), (80, 6, 0, Some(20))]
    {
        let statistics = store.statistics(second(now), &[]).await.unwrap();
        assert_eq!(statistics, Statistics::of(&stored, second(now), &[]), "at {now}");
        let counted = (statistics.ready, statistics.claimed, statistics.oldest_ready);
        assert_eq!(counted, (ready, claimed, oldest.map(second)), "at {now}");
    }
}

/// A request that is tried again is not ready before its next attempt, and counts as failing until it ends or waits.
#[dual]
pub async fn what_is_tried_again_is_ready_after_its_pause(store: Arc<dyn Store>) {
    let policy = RetryPolicy::new(9).unwrap().pauses(Duration::from_secs(30), Duration::from_secs(60)).unwrap();
    let fail = |number| {
        let claim = ClaimId::from_bytes([number; 16]);
        Command::fail(alice(), claim, Failure::new("broken"), AfterFailure::Retry(policy))
    };
    let other = store.create(approved(draft("other", "s"), 20)).await.unwrap();
    let mut request = store.create(approved(draft("failing", "s"), 10)).await.unwrap();
    for (number, begins, ready) in [(1, 15, 45), (2, 45, 105)] {
        let claimed = change(&store, request, claim(number, 10), begins).await;
        request = change(&store, claimed, fail(number), begins).await;
        let before = second(ready).saturating_sub(Duration::from_micros(1));
        for (now, expected) in [(before, &["other"][..]), (second(ready), &["other", "failing"][..])] {
            let found = all_ready(&store, &ReadyQuery::new(), now, 50).await;
            assert_eq!(found, expected, "at {now}");
            let statistics = store.statistics(now, &[]).await.unwrap();
            assert_eq!(statistics, Statistics::of(&[request.clone(), other.clone()], now, &[]), "at {now}");
            assert_eq!((statistics.ready, statistics.failing), (expected.len() as u64, 1), "at {now}");
        }
    }
    let held = change(&store, request, Command::hold(alice(), PendingReason::Quota), 200).await;
    assert_eq!(held.execution.failed_attempts, None);
    let statistics = store.statistics(second(200), &[]).await.unwrap();
    assert_eq!((statistics.ready, statistics.failing), (1, 0));
}

/// The oldest ready request is one that is still valid, swept or not.
#[dual]
pub async fn the_oldest_ready_request_is_still_valid(store: Arc<dyn Store>) {
    let mut stored = Vec::new();
    for (name, at) in [("one", 1), ("two", 2), ("three", 3)] {
        stored.push(store.create(approved(valid_for(draft(name, "s"), 10), at)).await.unwrap());
    }
    stored.push(store.create(approved(draft("lasting", "s"), 5)).await.unwrap());
    for (now, ready, oldest) in [(10, 4, 1), (11, 3, 2), (13, 1, 5), (99, 1, 5)] {
        let statistics = store.statistics(second(now), &[]).await.unwrap();
        assert_eq!(statistics, Statistics::of(&stored, second(now), &[]), "at {now}");
        assert_eq!((statistics.ready, statistics.oldest_ready), (ready, Some(second(oldest))), "at {now}");
    }
}

/// An approved request whose validity ends is due at that time, and no longer when it was claimed in time.
#[dual]
pub async fn a_validity_that_ends_is_due(store: Arc<dyn Store>) {
    let first = store.create(approved(valid_for(draft("first", "s"), 10), 5)).await.unwrap();
    store.create(approved(valid_for(draft("second", "s"), 10), 6)).await.unwrap();
    let page = PageRequest::first();
    for (now, expected) in [(14, 0), (15, 1), (16, 2)] {
        let due = store.due(second(now), &page).await.unwrap();
        assert_eq!(due.items.len(), expected, "at {now}");
    }
    change(&store, first, claim(1, 60), 14).await;
    let due = store.due(second(99), &page).await.unwrap();
    assert_eq!(due.items.iter().map(|request| request.id.to_string()).collect::<Vec<_>>(), ["second"]);
}
