//! What each operation costs the server and the network, against committed figures: a guard against slow regressions
//! that needs no quiet machine, because it counts instead of timing.
//!
//! A figure that got worse is a regression; one that got better is to be committed, so that it cannot get worse again
//! unseen. The failure prints the measured table.
#![cfg(all(feature = "blocking", feature = "redis"))]

#[path = "../../benches/requests/mod.rs"]
pub(crate) mod requests;

use std::collections::BTreeMap;

use common::PrivateServer;
use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{
    ActorContext, DecisionQuery, InboxQuery, PageRequest, RequestQuery, Status, Timestamp, WriteId,
};

/// Commands the server executed, those of scripts included; bytes it received; bytes it sent.
#[derive(Clone, Copy, Debug)]
struct Cost {
    commands: u64,
    received: u64,
    sent: u64,
}

/// How far a figure may be from the committed one.
const TOLERANCE: f64 = 0.1;
const STORED: u64 = 2_000;

#[rustfmt::skip]
const COMMITTED: [(&str, Cost); 7] = [
    ("create",               Cost { commands: 60, received: 3080, sent: 17 }),
    ("update",               Cost { commands: 35, received: 2776, sent: 17 }),
    ("get",                  Cost { commands: 1, received: 96, sent: 2137 }),
    ("pending queue",        Cost { commands: 56, received: 217, sent: 89668 }),
    ("status + actor + tag", Cost { commands: 34, received: 319, sent: 57347 }),
    ("inbox",                Cost { commands: 48, received: 262, sent: 75423 }),
    ("recent decisions",     Cost { commands: 33, received: 208, sent: 62351 }),
];

#[test]
fn every_operation_costs_what_is_committed() {
    let server = PrivateServer::start(&[]);
    let store = RedisStore::builder(server.url()).timeout(std::time::Duration::from_secs(60)).open().unwrap();
    for number in 0..STORED {
        store.create(requests::request(number)).unwrap();
    }
    let (fresh, id) = (store.clone(), requests::request(0).id.clone());
    // One call every few seconds brings the server's time along: not the one that is measured.
    let mut meter = Meter::new(&server, move || drop(fresh.get(&id).unwrap()));
    let measured = measure(&store, &mut meter);

    let mut worse = Vec::new();
    for ((name, committed), (measured_name, cost)) in COMMITTED.iter().zip(&measured) {
        assert_eq!(name, measured_name);
        for (what, committed, now) in [
            ("commands", committed.commands, cost.commands),
            ("bytes received", committed.received, cost.received),
            ("bytes sent", committed.sent, cost.sent),
        ] {
            if now.abs_diff(committed) as f64 > TOLERANCE * committed as f64 {
                worse.push(format!("{name}: {now} {what}, committed are {committed}"));
            }
        }
    }
    let table: String = measured.iter().map(|(name, cost)| format!("    ({name:?}, {cost:?}),\n")).collect();
    assert!(worse.is_empty(), "{}\nIf that is meant, commit what was measured:\n{table}", worse.join("\n"));
}

fn measure(store: &RedisStore, meter: &mut Meter) -> Vec<(&'static str, Cost)> {
    let page = PageRequest::first();
    let new = requests::almost_approved(STORED);
    let (id, changed) = (new.id.clone(), requests::approved(&new));
    let busy = RequestQuery::new().with_statuses([Status::Executed]).unwrap();
    let busy = busy.with_actor_ids([requests::BUSY_ACTOR]).unwrap().with_any_tag([requests::COMMON_TAG]).unwrap();
    let officer = ActorContext::user("officer-1").unwrap().with_role("security-officer").unwrap();
    let inbox = InboxQuery::of(&officer).unwrap();
    let now: Timestamp = changed.updated_at;
    // The first write sends the source of its script.
    store.create(requests::almost_approved(STORED + 1)).unwrap();
    store.update(requests::approved(&requests::almost_approved(STORED + 1)), WriteId::generate()).unwrap();
    vec![
        ("create", meter.cost_of(|| drop(store.create(new.clone()).unwrap()))),
        ("update", meter.cost_of(|| drop(store.update(changed.clone(), WriteId::generate()).unwrap()))),
        ("get", meter.cost_of(|| drop(store.get(&id).unwrap().unwrap()))),
        (
            "pending queue",
            meter.cost_of_page(|| store.requests(&RequestQuery::pending_approval_queue(), &page).unwrap().items.len()),
        ),
        ("status + actor + tag", meter.cost_of_page(|| store.requests(&busy, &page).unwrap().items.len())),
        ("inbox", meter.cost_of_page(|| store.inbox(&inbox, now, &page).unwrap().items.len())),
        ("recent decisions", meter.cost_of_page(|| store.decisions(&DecisionQuery::new(), &page).unwrap().items.len())),
    ]
}

/// Reads the counters of a server that nobody else uses.
struct Meter {
    connection: redis::Connection,
    /// What is done before each measurement.
    first: Box<dyn Fn()>,
    /// What reading the counters costs itself.
    own: Cost,
}

impl Meter {
    fn new(server: &PrivateServer, first: impl Fn() + 'static) -> Self {
        let connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        let first = Box::new(first);
        let mut meter = Self { connection, first, own: Cost { commands: 0, received: 0, sent: 0 } };
        meter.read();
        meter.own = meter.cost_of(|| ());
        meter
    }

    /// A page twice, because the first read learns how large the indexes are and loads the script; the second counts.
    fn cost_of_page(&mut self, read: impl Fn() -> usize) -> Cost {
        read();
        assert!(read() > 0);
        self.cost_of(|| {
            read();
        })
    }

    fn cost_of(&mut self, work: impl FnOnce()) -> Cost {
        (self.first)();
        let before = self.read();
        work();
        let after = self.read();
        Cost {
            commands: after.commands - before.commands - self.own.commands,
            received: after.received - before.received - self.own.received,
            sent: (after.sent - before.sent).saturating_sub(self.own.sent),
        }
    }

    fn read(&mut self) -> Cost {
        let everything: String = redis::cmd("INFO").arg("stats").query(&mut self.connection).unwrap();
        let statistics: BTreeMap<&str, &str> = everything.lines().filter_map(|line| line.split_once(':')).collect();
        let number = |name: &str| statistics.get(name).unwrap().trim().parse().unwrap();
        Cost {
            commands: number("total_commands_processed"),
            received: number("total_net_input_bytes"),
            sent: number("total_net_output_bytes"),
        }
    }
}
