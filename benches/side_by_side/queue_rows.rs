//! One page of the queue of requests that wait for approval, at several sizes of the store.

use mutator_governance::blocking::Store as _;
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
        let (query, first) = (RequestQuery::pending_approval_queue(), PageRequest::first());
        let as_stored = || assert_eq!(store.stored_requests(&query, &first).unwrap().items.len(), first.limit());
        let decoded = || assert_eq!(store.requests(&query, &first).unwrap().items.len(), first.limit());
        let of_stored = page(extent, &server, &as_stored, seed);
        let mut of_decoded = page(extent, &server, &decoded, None);
        of_decoded.seed.clone_from(&of_stored.seed);
        for (form, columns) in [("", of_stored), (", decoded", of_decoded)] {
            let mut goals = vec![Goal::TimesOfFloor(1.5)];
            if size == 100_000 {
                goals.push(Goal::TimesBetterThanSeed(1_000.0));
            }
            if size == 1_000_000 {
                let smaller = format!("page of 50{form}, at 10 k");
                let at_10_k = rows.iter().find(|row| row.name.contains(&smaller)).map(|row| row.columns.ours.median());
                goals.extend(at_10_k.map(|least| Goal::TimesOfRow(1.3, least)));
            }
            let name = format!("pending approval queue, page of 50{form}, at {}", in_words(size));
            rows.push(Row::time(name, columns, goals));
        }
    }
    rows
}

fn page(extent: &Extent, server: &Server, read: &dyn Fn(), seed: Option<SeedLayout>) -> Columns {
    let first = PageRequest::first();
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
