//! The change feed: one entry for each write, in order, once; gaps are reported.

use std::sync::Arc;

use super::requests::{full, id, moved_on, pending, second, submit};
use super::{MemoryStore, Store, dual, run_concurrently};
use crate::error::{Error, Outcome};
use crate::feed::{FeedEntry, FeedGap, FeedPage, FeedPosition};
use crate::query::PageRequest;
use crate::request::{MutationRequest, RequestId, Timestamp, WriteId};

/// The entries and gaps of a reader.
#[derive(Default)]
struct Got {
    entries: Vec<FeedEntry>,
    gaps: Vec<FeedGap>,
}

impl Got {
    fn of(&self, request: &RequestId) -> Vec<u64> {
        self.entries.iter().filter(|entry| entry.id == *request).map(|entry| entry.revision).collect()
    }
}

/// Reads one page; saves the position as text and reads it back.
#[dual]
async fn page(store: &Arc<dyn Store>, position: &mut FeedPosition, limit: usize) -> FeedPage {
    let page = store.read_feed(position, limit).await.unwrap();
    assert!(page.entries.len() <= limit, "a page of {limit} has {} entries", page.entries.len());
    assert!(page.unreadable.is_empty(), "{:?}", page.unreadable);
    *position = page.next.to_string().parse().unwrap();
    page
}

/// Reads everything after a position.
#[dual]
async fn follow(store: &Arc<dyn Store>, position: &mut FeedPosition, limit: usize) -> Got {
    let mut got = Got::default();
    for _ in 0..10_000 {
        let page = page(store, position, limit).await;
        got.entries.extend(page.entries);
        got.gaps.extend(page.gaps);
        if page.is_caught_up {
            return got;
        }
    }
    panic!("never caught up, in pages of {limit}");
}

/// Makes this many changes to a request; returns the expected entry of each.
#[dual]
async fn move_on(store: &Arc<dyn Store>, mut request: MutationRequest, times: u64) -> Vec<MutationRequest> {
    let mut written = Vec::new();
    for number in 1..=times {
        request = store.update(moved_on(request, second(number)), WriteId::generate()).await.unwrap();
        written.push(request.clone());
    }
    written
}

/// Creates several requests and changes them in turn; returns the number of writes.
#[dual]
async fn write_some(store: &Arc<dyn Store>, prefix: &str, requests: u64, moves: u64) -> u64 {
    let mut written = Vec::new();
    for number in 0..requests {
        written.push(store.create(pending(&format!("{prefix}-{number}"), "s", second(number))).await.unwrap());
    }
    for number in 1..=moves {
        for request in &mut written {
            let changed = moved_on(request.clone(), second(number));
            *request = store.update(changed, WriteId::generate()).await.unwrap();
        }
    }
    requests * (1 + moves)
}

/// Every write adds one entry with its result; a repeated write, and a write that fails, add none.
#[dual]
pub async fn every_write_adds_one_feed_entry(store: Arc<dyn Store>) {
    let mut position = FeedPosition::beginning();
    let empty = page(&store, &mut position, 5).await;
    assert!(empty.entries.is_empty() && empty.gaps.is_empty() && empty.is_caught_up);

    let first = store.create(full("noted")).await.unwrap();
    let write_id = WriteId::generate();
    let waiting = store.create(pending("moved", "s", second(1))).await.unwrap();
    let change = moved_on(waiting.clone(), second(2));
    let moved = store.update(change.clone(), write_id).await.unwrap();
    let expected = [(&first, 0), (&waiting, 0), (&moved, waiting.decisions.len())];

    let repeated = (store.create(full("noted")).await.is_err(), store.create(first.clone()).await.is_ok());
    assert_eq!(repeated, (true, true));
    store.update(change, write_id).await.unwrap();
    store.update(moved_on(waiting.clone(), second(3)), WriteId::generate()).await.unwrap_err();
    store.update(pending("nobody", "s", second(3)), WriteId::generate()).await.unwrap_err();

    let mut found = follow(&store, &mut position, 50).await.entries;
    assert!(found.iter().all(|entry| entry.added_at > Timestamp::MIN));
    // Between partitions there is no order.
    found.sort_by_key(|entry| (entry.id != first.id, entry.revision));
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (request, stored_decisions)) in found.iter().zip(expected) {
        assert_eq!(*found, FeedEntry::for_write(request, stored_decisions, found.partition, found.added_at));
    }
    // A notification needs no second read: the entry says who acted and where the decisions are.
    let newest = found.iter().rfind(|entry| entry.id == moved.id).unwrap();
    let (acted, first) = (newest.by.as_ref().unwrap(), waiting.decisions.len());
    assert_eq!((acted.label(), newest.first_decision), (moved.decisions[first].by.label(), Some(first as u64)));
    assert_eq!(newest.decisions_in(&moved).unwrap(), &moved.decisions[first..]);
    let again = follow(&store, &mut position, 50).await;
    assert!(again.entries.is_empty(), "{:?} came twice", again.entries);
}

/// Pages of any length have every entry once, and those of one request in the order of its revisions.
#[dual]
pub async fn feed_pages_have_every_entry_once(store: Arc<dyn Store>) {
    let written = write_some(&store, "paged", 7, 3).await;
    for limit in [1, 2, 3, 27, 28, 29, 1_000] {
        let mut position = FeedPosition::beginning();
        let got = follow(&store, &mut position, limit).await;
        assert_eq!((got.entries.len() as u64, got.gaps.len()), (written, 0), "in pages of {limit}");
        for number in 0..7 {
            assert_eq!(got.of(&id(&format!("paged-{number}"))), [0, 1, 2, 3], "in pages of {limit}");
        }
        let again = follow(&store, &mut position, limit).await;
        assert!(again.entries.is_empty(), "in pages of {limit}, {:?} came twice", again.entries);
    }
}

/// A reader that begins at the end gets the writes from then on, even in a store without any writes.
#[dual]
pub async fn the_end_of_a_feed_is_before_what_comes_then(store: Arc<dyn Store>) {
    let mut from_nothing = store.end_of_feed().await.unwrap();
    let nothing = follow(&store, &mut from_nothing, 5).await;
    assert!(nothing.entries.is_empty());
    let early = write_some(&store, "early", 3, 1).await;
    let mut position: FeedPosition = store.end_of_feed().await.unwrap().to_string().parse().unwrap();
    let late = write_some(&store, "late", 3, 1).await;
    let got = follow(&store, &mut position, 2).await;
    assert_eq!((got.entries.len() as u64, got.gaps.len()), (late, 0));
    assert!(got.entries.iter().all(|entry| entry.id.as_str().starts_with("late")), "{:?}", got.entries);
    let all = follow(&store, &mut from_nothing, 2).await;
    assert_eq!((all.entries.len() as u64, all.gaps.len()), (early + late, 0));
}

/// A position is valid only in its own store; the beginning is valid in every store.
#[dual]
pub async fn a_feed_position_of_another_store_is_an_error(store: Arc<dyn Store>) {
    let elsewhere = MemoryStore::new();
    elsewhere.create(pending("elsewhere", "s", second(0))).await.unwrap();
    let end_elsewhere = elsewhere.end_of_feed().await.unwrap();
    // A position that this store has too.
    write_some(&store, "here", 2, 1).await;
    for position in [end_elsewhere, FeedPosition::new("no store at all", *b"place")] {
        let error = store.read_feed(&position, 5).await.unwrap_err();
        assert!(matches!(error, Error::InvalidFeedPosition { .. }), "{error:?}");
        assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, false));
    }
    let own = store.end_of_feed().await.unwrap();
    for position in [own, FeedPosition::beginning()] {
        store.read_feed(&position, 5).await.unwrap();
    }
}

/// The limit of a feed page is that of any page.
#[dual]
pub async fn a_feed_limit_is_that_of_a_page(store: Arc<dyn Store>) {
    for limit in [0, PageRequest::MAX_LIMIT + 1, usize::MAX] {
        let error = store.read_feed(&FeedPosition::beginning(), limit).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
    store.read_feed(&FeedPosition::beginning(), PageRequest::MAX_LIMIT).await.unwrap();
}

const WRITERS: usize = 8;
const MOVES: u64 = 6;

/// Writes to its own request, and reads a page after each write; returns the entries and the position.
#[dual]
async fn write_and_read(store: &Arc<dyn Store>) -> (Got, FeedPosition, RequestId) {
    let (mut got, mut position) = (Got::default(), FeedPosition::beginning());
    let mut request = submit(super::requests::draft(&WriteId::generate().to_string(), "s"), second(0));
    request = store.create(request).await.unwrap();
    for number in 1..=MOVES {
        let page = page(store, &mut position, 3).await;
        got.entries.extend(page.entries);
        got.gaps.extend(page.gaps);
        request = store.update(moved_on(request, second(number)), WriteId::generate()).await.unwrap();
    }
    (got, position, request.id.clone())
}

/// A reader beside writers gets every write once, and those of one request in the order of its revisions.
#[dual]
pub async fn a_reader_beside_writers_gets_every_write(store: Arc<dyn Store>) {
    let readers = run_concurrently(WRITERS, || write_and_read(&store)).await;
    let requests: Vec<RequestId> = readers.iter().map(|(_, _, request)| request.clone()).collect();
    for (mut got, mut position, _) in readers {
        let rest = follow(&store, &mut position, 5).await;
        got.entries.extend(rest.entries);
        got.gaps.extend(rest.gaps);
        assert_eq!((got.entries.len() as u64, got.gaps.len()), (WRITERS as u64 * (1 + MOVES), 0));
        for request in &requests {
            assert_eq!(got.of(request), (0..=MOVES).collect::<Vec<_>>(), "the entries of {request}");
        }
    }
}

/// For a store whose feed keeps about ten entries in its one partition: entries removed unread are one gap, with their
/// number; then the oldest kept entry comes next. A reader at the beginning, or one that had read all removed entries,
/// has missed nothing.
///
/// Not in `store_cases!`, because it needs a special store.
#[dual]
pub async fn what_a_short_feed_removed_is_one_gap(store: Arc<dyn Store>) {
    let request = store.create(pending("trimmed", "s", second(0))).await.unwrap();
    let mut position = FeedPosition::beginning();
    let early = follow(&store, &mut position, 5).await;
    assert_eq!(early.entries.len(), 1);
    let mut at_end = store.end_of_feed().await.unwrap();
    let written = move_on(&store, request, 350).await;

    for position in [&mut position, &mut at_end] {
        let first = page(&store, position, 50).await;
        let [FeedGap::Trimmed { partition: 0, missed }] = first.gaps[..] else { panic!("{:?}", first.gaps) };
        assert!(first.entries.is_empty() && !first.is_caught_up, "{:?}", first.entries);
        assert!(missed > 200, "{missed} entries were removed: the feed is not short");
        let rest = follow(&store, position, 50).await;
        assert!(rest.gaps.is_empty(), "reported twice: {:?}", rest.gaps);
        assert_eq!(rest.of(&id("trimmed")), (missed + 1..=350).collect::<Vec<_>>());
    }
    let begun = follow(&store, &mut FeedPosition::beginning(), 50).await;
    assert!(begun.gaps.is_empty(), "{:?}", begun.gaps);

    let mut request = written.last().unwrap().clone();
    for _ in 0..50 {
        request = move_on(&store, request, 5).await.pop().unwrap();
        let got = follow(&store, &mut position, 3).await;
        let newest = request.revision().number;
        assert!(got.gaps.is_empty(), "nothing was removed unread: {:?}", got.gaps);
        assert_eq!(got.of(&request.id), (newest - 4..=newest).collect::<Vec<_>>());
    }
}
