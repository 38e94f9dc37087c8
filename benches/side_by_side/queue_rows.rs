//! One page of the queue of requests that wait for approval, at several sizes of the store.

use mutator_governance::blocking::{RedisStore, RequestQueries as _};
use mutator_governance::{PageRequest, PendingReason, RequestQuery};

use crate::Extent;
use crate::floor::Floor;
use crate::loading::{load_ours, load_seed};
use crate::measure::{Columns, Rounds};
use crate::monitor::Monitor;
use crate::report::{Goal, Row};
use crate::seed_layout::{Filter, SeedLayout};
use crate::server::{Server, send};

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for &size in &extent.sizes {
        // A server each, which ends with its row.
        let (server, seed_server) = (Server::start(), Server::start());
        let store = load_ours(&server, "queue", size);
        let seed = (size <= extent.largest_seed).then(|| load_seed(&seed_server, "s", size));
        let columns = page(extent, &server, &store, seed);
        let mut goals = vec![Goal::TimesOfFloor(1.5)];
        if size == 100_000 {
            goals.push(Goal::TimesBetterThanSeed(1_000.0));
        }
        if size == 1_000_000 {
            let at_10_k = rows.iter().find(|row| row.name.contains("10 k")).map(|row| row.columns.ours.median());
            goals.extend(at_10_k.map(|least| Goal::TimesOfRow(1.3, least)));
        }
        rows.push(Row::time(format!("pending approval queue, page of 50, at {}", in_words(size)), columns, goals));
    }
    rows
}

fn page(extent: &Extent, server: &Server, store: &RedisStore, seed: Option<SeedLayout>) -> Columns {
    let (query, first) = (RequestQuery::pending_approval_queue(), PageRequest::first());
    let read = || assert_eq!(store.requests(&query, &first).unwrap().items.len(), first.limit());
    read();
    let floor = Floor::load(&mut server.connection());
    let heard = Monitor::start(server.port(), server.connection()).hear(read);
    let (packed, mut raw) = (floor.read(&heard, first.limit()), server.connection());
    let filter = Filter { reasons: vec![PendingReason::Approval], ..Filter::default() };
    // The seed's layout reads every waiting request for a page, so it has a measurement of its own, of few operations.
    let mut columns = extent.rounds(20).times(&mut || read(), None, Some(&mut || drop(send(&mut raw, &packed))));
    if let Some(mut seed) = seed {
        let few = Rounds { rounds: extent.rounds.min(10), ..extent.rounds(1) };
        let mut page_of_seed = || {
            let mut found = seed.query(&filter, |_| true);
            found.truncate(first.limit());
            assert_eq!(found.len(), first.limit());
        };
        columns.seed = few.times(&mut || read(), Some(&mut page_of_seed), None).seed;
    }
    columns
}

fn in_words(size: u64) -> String {
    if size >= 1_000_000 { format!("{} M stored", size / 1_000_000) } else { format!("{} k stored", size / 1_000) }
}
