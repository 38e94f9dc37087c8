//! Writers that go on whatever happens, and what became of their writes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use common::Store;
use common::requests::{pending, second};
use mutator_governance::{Error, FeedPosition, Outcome, RequestId};

const WRITERS: usize = 4;

/// Writers under way; each submits one request after another.
pub struct Load {
    stops: Arc<AtomicBool>,
    written: Arc<Mutex<Written>>,
    writers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Written {
    /// Each id whose call returned it, and when.
    acknowledged: Vec<(String, Instant)>,
    errors: Vec<Error>,
}

/// What became of all writes.
pub struct Report {
    pub acknowledged: usize,
    /// When each acknowledged write that is not there returned.
    pub lost: Vec<Instant>,
    /// Ids that have two entries of one revision in the feed.
    pub applied_twice: usize,
    pub errors: Vec<Error>,
    /// The longest time in which no write succeeded.
    pub longest_pause: Duration,
}

impl Load {
    /// Begins to write by this store.
    pub fn start(store: &Store, prefix: &'static str) -> Self {
        let (stops, written) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Written>>::default());
        let writer = |number: usize| {
            let (store, stops, written) = (store.clone(), Arc::clone(&stops), Arc::clone(&written));
            spawn(move || {
                for count in 0.. {
                    if stops.load(Ordering::SeqCst) {
                        return;
                    }
                    let id = format!("{prefix}-{number}-{count}");
                    let created = store.create(pending(&id, "tenant:acme", second(1)));
                    let mut written = written.lock().unwrap();
                    match created {
                        Ok(_) => written.acknowledged.push((id, Instant::now())),
                        Err(error) => written.errors.push(error),
                    }
                }
            })
        };
        Self { writers: (0..WRITERS).map(writer).collect(), stops, written }
    }

    /// Waits until so many more writes have succeeded.
    pub fn wait_for_writes(&self, more: usize) {
        let count = || self.written.lock().unwrap().acknowledged.len();
        let (began, before) = (Instant::now(), count());
        while count() < before + more {
            assert!(began.elapsed() < Duration::from_mins(1), "{:?}", self.written.lock().unwrap().errors.last());
            sleep(Duration::from_millis(5));
        }
    }

    /// Ends the writers, and looks for what they wrote by this store.
    pub fn end(self, store: &Store) -> Report {
        self.stops.store(true, Ordering::SeqCst);
        self.writers.into_iter().for_each(|writer| writer.join().unwrap());
        let mut written = std::mem::take(&mut *self.written.lock().unwrap());
        written.acknowledged.sort_by_key(|(_, at)| *at);
        let mut lost = Vec::new();
        for chunk in written.acknowledged.chunks(100) {
            let ids: Vec<RequestId> = chunk.iter().map(|(id, _)| RequestId::new(id).unwrap()).collect();
            let found = common::patiently("look up", || store.get_many(&ids)).requests;
            lost.extend(chunk.iter().zip(found).filter(|(_, found)| found.is_none()).map(|((_, at), _)| *at));
        }
        let pauses = written.acknowledged.windows(2).map(|pair| pair[1].1 - pair[0].1);
        Report {
            acknowledged: written.acknowledged.len(),
            lost,
            applied_twice: applied_twice(store),
            longest_pause: pauses.max().unwrap_or_default(),
            errors: written.errors,
        }
    }
}

/// How many requests have a revision that the feed names twice.
fn applied_twice(store: &Store) -> usize {
    let mut counts: BTreeMap<(String, u64), usize> = BTreeMap::new();
    let mut from = FeedPosition::beginning();
    loop {
        let page = common::patiently("read the feed", || store.read_feed(&from, 1_000));
        for entry in &page.entries {
            *counts.entry((entry.id.to_string(), entry.revision)).or_default() += 1;
        }
        if page.is_caught_up {
            break;
        }
        from = page.next;
    }
    counts.values().filter(|count| **count > 1).count()
}

impl Report {
    /// No acknowledged write is lost, and none was applied twice.
    pub fn assert_nothing_lost(&self) {
        assert!(self.lost.is_empty() && self.applied_twice == 0, "{self}");
    }

    /// Each error says that the call may be repeated.
    pub fn assert_errors_may_be_repeated(&self) {
        for error in &self.errors {
            assert!(common::may_be_repeated(error), "{error:?}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = self.errors.iter().filter(|error| error.outcome() == Outcome::Unknown).count();
        write!(
            f,
            "acknowledged {}, lost {}, applied twice {}, errors {} ({unknown} unknown), longest pause {:.1} s",
            self.acknowledged,
            self.lost.len(),
            self.applied_twice,
            self.errors.len(),
            self.longest_pause.as_secs_f64()
        )
    }
}
