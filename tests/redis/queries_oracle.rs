//! Redis against memory: random requests, random writes between pages, random questions; every page has the same rows in
//! the same order, nothing twice and nothing missing, whatever plan each page was read by.
//!
//! `MUTATOR_QUERY_SEEDS=100..200` plays other seeds than the usual ones; a failure names its seed.
#![cfg(all(feature = "blocking", feature = "redis"))]

use std::collections::HashMap;
use std::fmt::Debug;
use std::ops::Range;
use std::time::Duration;

use common::queries::changes::Changes;
use common::queries::questions::{self, AnyQuery};
use common::queries::{PATIENCE, happens, one, second};
use mutator_governance::blocking::{MemoryStore, RedisStore, Store, StoreExtension as _};
use mutator_governance::{MutationRequest, Page, PageRequest, RequestId, Result};

/// Between how many pages of one read something is written.
const PAGES_WRITTEN_BETWEEN: usize = 20;

/// Both stores with the same requests, and several clients of the one under test.
struct World {
    seed: u64,
    changes: Changes,
    memory: MemoryStore,
    open: Box<dyn Fn() -> RedisStore>,
    /// Each has learned the sizes of what it was asked about, and so plans for itself.
    clients: Vec<RedisStore>,
    requests: HashMap<RequestId, MutationRequest>,
    pages: usize,
    rows: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut changes = Changes::new(seed);
        let partitions = one(&mut changes.rng, &[1, 3, 4]);
        let indexed = one(&mut changes.rng, &[&[][..], &["ticket"], &["team", "ticket"]]);
        let indexes_correlation_ids = changes.rng.bool();
        let namespace = common::unique_namespace("oracle");
        let open = Box::new(move || {
            let builder = RedisStore::builder(common::redis_url()).namespace(namespace.clone());
            let builder = builder.partitions(partitions).index_metadata(indexed.iter().copied());
            let builder = if indexes_correlation_ids { builder.index_correlation_ids() } else { builder };
            builder.pool_size(2).timeout(PATIENCE).open().unwrap()
        });
        let clients = (0..3).map(|_| open()).collect();
        let memory = MemoryStore::new();
        Self { seed, changes, memory, open, clients, requests: HashMap::new(), pages: 0, rows: 0 }
    }

    /// A new request, or another revision of one, in both stores.
    fn write(&mut self) {
        let file = self.requests.len() < 20 || happens(&mut self.changes.rng, 30);
        let redis = one(&mut self.changes.rng, &self.clients);
        let stored = if file {
            let request = self.changes.new_request();
            self.memory.create(request.clone()).unwrap();
            redis.create(request).unwrap()
        } else {
            let mut ids: Vec<&RequestId> = self.requests.keys().collect();
            ids.sort();
            let id = one(&mut self.changes.rng, &ids).clone();
            let (changed, write_id) = self.changes.change(self.requests[&id].clone());
            let stored = self.memory.update(changed.clone(), write_id).unwrap();
            assert_eq!(redis.update(changed, write_id).unwrap(), stored, "seed {}", self.seed);
            stored
        };
        self.requests.insert(stored.id.clone(), stored);
    }

    fn client(&mut self) -> RedisStore {
        if happens(&mut self.changes.rng, 30) { (self.open)() } else { one(&mut self.changes.rng, &self.clients) }
    }

    fn ask(&mut self) {
        let mut known: Vec<RequestId> = self.requests.keys().cloned().collect();
        known.sort();
        let question = questions::question(&mut self.changes.rng, &known);
        let writes = one(&mut self.changes.rng, &[0, 0, 1, 3]);
        let limit = self.changes.rng.usize(1..=20);
        match &question {
            AnyQuery::Requests(query) => {
                self.read(&question, limit, writes, |store, page| store.requests(query, page));
                self.read(&question, limit, writes, |store, page| {
                    let stored = store.stored_requests(query, page)?;
                    Ok(stored.map(|stored| (stored.id().clone(), stored.revision(), stored.into_request().unwrap())))
                });
            }
            AnyQuery::Approvals(query) => {
                self.read(&question, limit, writes, |store, page| store.pending_approvals(query, page));
            }
            AnyQuery::RecentApprovals(query) => {
                self.read(&question, limit, writes, |store, page| store.recent_approvals(query, page));
            }
            AnyQuery::Decisions(query) => {
                self.read(&question, limit, writes, |store, page| store.decisions(query, page));
            }
            AnyQuery::Inbox(query, now) => {
                self.read(&question, limit, writes, |store, page| store.inbox(query, *now, page));
            }
            AnyQuery::Pending => self.read(&question, limit, writes, |store, page| store.pending(page)),
            AnyQuery::ByState(state) => self.read(&question, limit, writes, |store, page| store.by_state(state, page)),
            AnyQuery::PendingByState(state) => {
                self.read(&question, limit, writes, |store, page| store.pending_by_state(state, page));
            }
            AnyQuery::Ready(query, now) => {
                self.read(&question, limit, writes, |store, page| store.ready(query, *now, page));
            }
            AnyQuery::Due(by) => self.read(&question, limit, writes, |store, page| store.due(*by, page)),
        }
    }

    /// All pages of a question, from both stores.
    fn read<Row: PartialEq + Debug>(
        &mut self,
        question: &AnyQuery,
        limit: usize,
        writes: usize,
        ask: impl Fn(&dyn Store, &PageRequest) -> Result<Page<Row>>,
    ) {
        let first = || PageRequest::of(limit).unwrap();
        let (mut page, mut redis_page) = (first(), first());
        let mut number = 0;
        loop {
            let expected = ask(&self.memory, &page).unwrap();
            let client = self.client();
            let found = ask(&client, &redis_page).unwrap();
            let place = format!("page {number} of {limit}, seed {}: {question:?}", self.seed);
            assert!(found.unreadable.is_empty(), "{place}: {:?}", found.unreadable);
            assert_eq!(found.items, expected.items, "{place}");
            (self.pages, self.rows, number) = (self.pages + 1, self.rows + found.items.len(), number + 1);
            match (expected.next, found.next) {
                (Some(next), Some(redis_next)) => {
                    page = first().after(next);
                    redis_page = first().after(redis_next);
                }
                (None, rest) => {
                    // What follows may still have to be looked at; there must be no rows in it.
                    let mut rest = rest;
                    while let Some(next) = rest {
                        let more = ask(&self.client(), &first().after(next)).unwrap();
                        assert_eq!(more.items, [], "behind the last {place}");
                        rest = more.next;
                    }
                    return;
                }
                (Some(_), None) => panic!("Redis says that nothing follows {place}"),
            }
            // A reader who is written to for ever may never reach the end.
            if number < PAGES_WRITTEN_BETWEEN {
                (0..writes).for_each(|_| self.write());
            }
        }
    }

    fn count(&mut self) {
        let mut known: Vec<RequestId> = self.requests.keys().cloned().collect();
        known.sort();
        let query = questions::request_query(&mut self.changes.rng, &known);
        let client = self.client();
        assert_eq!(client.count(&query).unwrap(), self.memory.count(&query).unwrap(), "seed {}: {query:?}", self.seed);

        let now = second(self.changes.rng.u64(0..400));
        let query = questions::ready_query(&mut self.changes.rng, &known);
        let expected = self.memory.count_ready(&query, now).unwrap();
        assert_eq!(client.count_ready(&query, now).unwrap(), expected, "seed {}: {query:?}", self.seed);
        // The same one may be given twice.
        let durations: Vec<Duration> =
            (0..self.changes.rng.usize(0..4)).map(|_| Duration::from_secs(self.changes.rng.u64(0..3) * 60)).collect();
        let expected = self.memory.statistics(now, &durations).unwrap();
        assert_eq!(client.statistics(now, &durations).unwrap(), expected, "seed {}: {durations:?}", self.seed);
    }
}

fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(given) = std::env::var("MUTATOR_QUERY_SEEDS") else { return usual };
    let (from, to) = given.split_once("..").expect("MUTATOR_QUERY_SEEDS is <from>..<to>");
    from.parse().unwrap()..to.parse().unwrap()
}

fn play(seeds: Range<u64>) {
    let (mut pages, mut rows) = (0, 0);
    for seed in seeds.clone() {
        let mut world = World::new(seed);
        (0..60).for_each(|_| world.write());
        for _ in 0..40 {
            world.ask();
            world.count();
            world.write();
        }
        (pages, rows) = (pages + world.pages, rows + world.rows);
    }
    println!("seeds {seeds:?}: {pages} pages with {rows} rows");
    assert!(rows > pages, "most pages are empty: {rows} rows on {pages} pages");
}

#[test]
fn every_page_of_redis_has_the_rows_of_memory_in_their_order() {
    play(seeds(0..4));
}
