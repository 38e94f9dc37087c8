//! Writers of all flavours that go on while something befalls a cluster, and what became of their writes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::requests::{moved_on, pending, second};
use common::server::wait_until;
use common::{Flavour, Options, Store, may_be_repeated};
use mutator_governance::{
    Error, FeedPosition, MutationRequest, RequestId, Revision, Settled, StoreErrorKind, UnsettledWrite, WriteId,
};

use super::PATIENCE;

/// The time that calls have unless an application says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const WRITERS_OF_EACH_FLAVOUR: usize = 2;
/// So many writes are acknowledged to each writer before the fault, and after it.
const WRITES_BEFORE_AND_AFTER: usize = 20;
const UPDATES_OF_EACH_REQUEST: u64 = 2;

/// What became of the writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub acknowledged: usize,
    /// Acknowledged and not stored.
    pub lost: usize,
    /// Stored, or in the feed, more than once.
    pub twice: usize,
    /// Calls that returned an error.
    pub errors: usize,
    /// The longest time between two writes of a writer.
    pub longest: Duration,
}

/// A write that was acknowledged.
struct Acknowledged {
    write: UnsettledWrite,
    number: u64,
}

struct Writer<'a> {
    store: Store,
    ended: &'a AtomicBool,
    progress: &'a AtomicUsize,
    last: Instant,
    journal: Journal,
}

#[derive(Default)]
struct Journal {
    acknowledged: Vec<Acknowledged>,
    /// Writes of each request that were sent at all.
    sent: BTreeMap<RequestId, u64>,
    errors: usize,
    longest: Duration,
}

/// Whoever waits for writers that go on must not keep them when it fails.
struct EndWith<'a>(&'a AtomicBool);

/// What calls of writers of all flavours returned while `fault` happened, which returns when what it did is over.
pub fn under_load(what: &str, options: &Options, fault: impl FnOnce()) -> Figures {
    let flavours = Flavour::all();
    let stores: Vec<Store> = flavours.iter().map(|flavour| flavour.opened(options)).collect();
    let writers = stores.iter().flat_map(|store| [store; WRITERS_OF_EACH_FLAVOUR]);
    let ended = AtomicBool::new(false);
    let progress: Vec<AtomicUsize> = writers.clone().map(|_| AtomicUsize::new(0)).collect();
    let journals: Vec<Journal> = thread::scope(|scope| {
        let _end = EndWith(&ended);
        let start = |(number, (store, progress))| {
            let (store, ended): (&Store, _) = (store, &ended);
            let writer =
                Writer { store: store.clone(), ended, progress, last: Instant::now(), journal: Journal::default() };
            scope.spawn(move || writer.work(number))
        };
        let working: Vec<_> = writers.zip(&progress).enumerate().map(start).collect();
        let reach = |goals: Vec<usize>| {
            wait_until("every writer goes on", || {
                assert!(!working.iter().any(thread::ScopedJoinHandle::is_finished), "a writer has failed");
                progress.iter().zip(&goals).all(|(done, goal)| done.load(Ordering::SeqCst) >= *goal)
            });
        };
        reach(vec![WRITES_BEFORE_AND_AFTER; progress.len()]);
        fault();
        reach(progress.iter().map(|done| done.load(Ordering::SeqCst) + WRITES_BEFORE_AND_AFTER).collect());
        ended.store(true, Ordering::SeqCst);
        working.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let figures = figures(&journals, &Options { timeout: PATIENCE, ..options.clone() });
    println!("| {what} | {figures} |");
    figures
}

impl Writer<'_> {
    fn work(mut self, number: usize) -> Journal {
        for turn in 0.. {
            let id = format!("w{number}-{turn}");
            if !self.goes_on() || self.write_one(&id).is_none() && !self.goes_on() {
                break;
            }
        }
        self.journal
    }

    fn goes_on(&self) -> bool {
        !self.ended.load(Ordering::SeqCst)
    }

    /// A request from its creation to its last update; `None` if a write of it was overtaken by what a failover lost.
    fn write_one(&mut self, id: &str) -> Option<()> {
        let created = pending(id, "tenant:acme", second(1));
        let write_id = created.revision().write_id;
        let mut stored = self.send(&created.id, None, write_id, |store| store.create(created.clone()))?;
        for update in 0..UPDATES_OF_EACH_REQUEST {
            let (base, write_id) = (stored.revision(), WriteId::generate());
            let changed = moved_on(stored, second(2 + update));
            stored =
                self.send(&changed.id.clone(), Some(base), write_id, |store| store.update(changed.clone(), write_id))?;
        }
        Some(())
    }

    /// Sends a write, under the same id, until it is acknowledged or cannot be.
    fn send(
        &mut self,
        id: &RequestId,
        base: Option<Revision>,
        write_id: WriteId,
        send: impl Fn(&Store) -> Result<MutationRequest, Error>,
    ) -> Option<MutationRequest> {
        *self.journal.sent.entry(id.clone()).or_default() += 1;
        while self.goes_on() {
            match send(&self.store) {
                Ok(stored) => {
                    let write = UnsettledWrite { id: id.clone(), base, write_id, intent: None };
                    self.journal.acknowledged.push(Acknowledged { write, number: stored.revision().number });
                    self.journal.longest = self.journal.longest.max(self.last.elapsed());
                    self.last = Instant::now();
                    self.progress.fetch_add(1, Ordering::SeqCst);
                    return Some(stored);
                }
                Err(error) => {
                    self.journal.errors += 1;
                    if matches!(&error, Error::Conflict(_) | Error::NotFound { .. } | Error::AlreadyExists { .. }) {
                        return None;
                    }
                    let is_unconfirmed =
                        matches!(&error, Error::Store(error) if error.kind == StoreErrorKind::Unconfirmed);
                    assert!(is_unconfirmed || may_be_repeated(&error), "{error:?}");
                }
            }
        }
        None
    }
}

impl Drop for EndWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn figures(journals: &[Journal], patient: &Options) -> Figures {
    let store = Flavour::all()[0].opened(patient);
    let mut figures = Figures::default();
    for journal in journals {
        figures.errors += journal.errors;
        figures.longest = figures.longest.max(journal.longest);
        figures.acknowledged += journal.acknowledged.len();
        for acknowledged in &journal.acknowledged {
            let Acknowledged { write, number } = acknowledged;
            let is_there = store.inspect(&write.id).unwrap().is_some_and(|stored| {
                // The newest first.
                let writes = stored.write_ids;
                let place = writes.len().checked_sub(1 + usize::try_from(*number).unwrap());
                place.is_some_and(|place| writes[place] == write.write_id)
            });
            if !is_there {
                figures.lost += 1;
                let settled = store.settle(write);
                let is_denied =
                    matches!(settled, Ok(Settled::NotApplied | Settled::Open) | Err(Error::NotFound { .. }));
                assert!(is_denied, "{write:?} is lost, and is said to be {settled:?}");
            }
        }
        for (id, sent) in &journal.sent {
            let Some(stored) = store.inspect(id).unwrap() else { continue };
            let different: BTreeSet<&WriteId> = stored.write_ids.iter().collect();
            figures.twice += stored.write_ids.len() - different.len();
            assert!(stored.write_ids.len() as u64 <= *sent, "{id}: {} writes of {sent}", stored.write_ids.len());
        }
    }
    figures.twice += repeated_in_feed(&store);
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{report:?}");
    figures
}

/// How many revisions the feed tells of once more.
fn repeated_in_feed(store: &Store) -> usize {
    let (mut position, mut seen, mut repeated) = (FeedPosition::beginning(), BTreeSet::new(), 0);
    loop {
        let page = store.read_feed(&position, 1_000).unwrap();
        if page.entries.is_empty() {
            return repeated;
        }
        repeated += page.entries.iter().filter(|entry| !seen.insert((entry.id.clone(), entry.revision))).count();
        position = page.next;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, lost, twice, errors, longest } = self;
        write!(formatter, "{acknowledged} | {lost} | {twice} | {errors} | {:.1} s", longest.as_secs_f64())
    }
}
