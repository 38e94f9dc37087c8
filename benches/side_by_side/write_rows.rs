//! Creating, updating and getting one request, over one connection.

use std::cell::RefCell;

use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::{MutationRequest, WriteId};

use crate::floor::Floor;
use crate::loading::{load_ours, load_seed};
use crate::measure::{Columns, Rounds};
use crate::monitor::Monitor;
use crate::report::{Goal, Row};
use crate::seed_layout::SeedLayout;
use crate::server::{Server, send};
use crate::{Extent, requests};

/// What is stored while writing.
const STORED: u64 = 10_000;
/// Behind all numbers that are stored.
const FIRST_NEW: u64 = 10_000_000;
const FLOOR: &str = "floor";
const HEARD: &str = "heard";
const OURS: &str = "ours";

struct Writes {
    new: Vec<MutationRequest>,
    /// The same, one approval later.
    changed: Vec<MutationRequest>,
    /// The bytes to send for the floor's writes.
    floor_creates: Vec<Vec<u8>>,
    floor_updates: Vec<Vec<u8>>,
}

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let (server, seed_server) = (Server::start(), Server::start());
    let store = load_ours(&server, OURS, STORED);
    load_ours(&server, FLOOR, STORED);
    let mut seed = load_seed(&seed_server, "s", STORED);
    let rounds = Rounds { rounds: extent.rounds * 2, ..extent.rounds(8) };
    let count = (rounds.rounds as u64 + 1) * rounds.operations as u64;
    let writes = Writes::prepare(&server, count);
    let mut raw = server.connection();
    let goals = || vec![Goal::TimesBetterThanSeed(5.0), Goal::TimesOfFloor(1.5)];
    let create = rounds.times(
        &mut each(writes.new.clone(), |request| drop(store.create(request).unwrap())),
        Some(&mut each(writes.new.clone(), |request| seed.create(&request))),
        Some(&mut each(writes.floor_creates, |packed| drop(send(&mut raw, &packed)))),
    );
    let update = rounds.times(
        &mut each(writes.changed.clone(), |request| drop(store.update(request, WriteId::generate()).unwrap())),
        Some(&mut each(writes.changed, |request| seed.update(&request))),
        Some(&mut each(writes.floor_updates, |packed| drop(send(&mut raw, &packed)))),
    );
    vec![
        Row::time("create", create, goals()),
        Row::time("update that changes status", update, goals()),
        get(extent, &server, &store, &mut seed),
    ]
}

fn get(extent: &Extent, server: &Server, store: &RedisStore, seed: &mut SeedLayout) -> Row {
    let ids: Vec<_> = requests::almost_approved_below(STORED).map(|request| request.id.clone()).collect();
    let key = |id| redis::cmd("GET").arg(format!("{{{OURS}:0}}:r:{id}")).get_packed_command();
    let packed: Vec<Vec<u8>> = ids.iter().map(key).collect();
    let mut raw = server.connection();
    let (mut our_next, mut seed_next, mut floor_next) = (ids.iter().cycle(), ids.iter().cycle(), packed.iter().cycle());
    let rounds = Rounds { rounds: extent.rounds * 2, ..extent.rounds(20) };
    let columns: Columns = rounds.times(
        &mut || assert!(store.get(our_next.next().unwrap()).unwrap().is_some()),
        Some(&mut || assert!(seed.get(seed_next.next().unwrap()).is_some())),
        Some(&mut || drop(send(&mut raw, floor_next.next().unwrap()))),
    );
    Row::time("get, decoded", columns, vec![Goal::TimesOfFloor(1.25)])
}

impl Writes {
    /// Lets a namespace of ours make every write once, and takes down what reaches the server.
    fn prepare(server: &Server, count: u64) -> Self {
        let new: Vec<_> = (FIRST_NEW..FIRST_NEW + count).map(requests::almost_approved).collect();
        let changed: Vec<_> = new.iter().map(requests::approved).collect();
        let store = server.store(HEARD, 1);
        let floor = Floor::load(&mut server.connection());
        let mut monitor = Monitor::start(server.port(), server.connection());
        let mut hear = |work: &mut dyn FnMut()| floor.write(&monitor.hear(work), (HEARD, FLOOR)).get_packed_command();
        let floor_creates = new.iter().map(|request| hear(&mut || drop(store.create(request.clone()).unwrap())));
        let floor_creates = floor_creates.collect();
        let update = |request: &MutationRequest| drop(store.update(request.clone(), WriteId::generate()).unwrap());
        let floor_updates = changed.iter().map(|request| hear(&mut || update(request))).collect();
        Self { new, changed, floor_creates, floor_updates }
    }
}

/// Does the work for one thing after the other, each once; dropping what is returned is no part of the work.
fn each<T>(things: Vec<T>, mut work: impl FnMut(T)) -> impl FnMut() {
    let things = RefCell::new(things.into_iter());
    move || work(things.borrow_mut().next().expect("as many things as operations"))
}
