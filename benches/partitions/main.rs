//! What reading over several partitions costs, against one: `cargo bench -p mutator-governance-benches --bench partitions`.
//!
//! Starts a server of its own, loads the same requests with 1, 4, 16 and 64 partitions, and prints a Markdown table. In each
//! round the namespaces take turns, so that what else the machine does strikes all of them alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails has failed")]
#![allow(clippy::indexing_slicing, reason = "as above")]

#[path = "../requests/mod.rs"]
mod requests;

use std::time::{Duration, Instant};

use common::PrivateServer;
use mutator_governance::blocking::{RedisStore, Store as _};
use mutator_governance::{
    ActorContext, FeedPosition, InboxQuery, PageRequest, RequestId, RequestQuery, Status, Timestamp,
};

const PARTITIONS: [u16; 4] = [1, 4, 16, 64];
const STORED: u64 = 10_000;
const ROUNDS: usize = 40;
/// How many calls a namespace answers in its turn.
const CALLS: usize = 10;

type Read = Box<dyn Fn(&RedisStore)>;

fn main() {
    let server = PrivateServer::start_on_tcp(&[]);
    let stores = PARTITIONS.map(|partitions| load(&server, partitions));
    let heading = PARTITIONS.map(|partitions| format!(" P = {partitions} |")).concat();
    println!("| read, µs |{heading}\n|---|{}", "---|".repeat(PARTITIONS.len()));
    for (name, read) in reads() {
        let least = least(&stores, &read);
        let cells = least.map(|figure| format!(" {figure:.0}, {:.1} × |", figure / least[0])).concat();
        println!("| {name} |{cells}");
    }
}

fn load(server: &PrivateServer, partitions: u16) -> RedisStore {
    let builder = RedisStore::builder(server.url()).namespace(format!("p{partitions}")).partitions(partitions);
    let store = builder.timeout(Duration::from_secs(120)).open().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let store = &store;
            scope.spawn(move || {
                for number in (thread..STORED).step_by(2) {
                    store.create(requests::request(number)).unwrap();
                }
            });
        }
    });
    store
}

fn reads() -> Vec<(&'static str, Read)> {
    let first = PageRequest::first;
    let queue = RequestQuery::pending_approval_queue;
    let busy = RequestQuery::new().with_statuses([Status::Executed]).unwrap();
    let busy = busy.with_actor_ids([requests::BUSY_ACTOR]).unwrap().with_any_tag([requests::COMMON_TAG]).unwrap();
    let counted = busy.clone();
    let officer = ActorContext::user("officer-1").unwrap().with_role("security-officer").unwrap();
    let inbox = InboxQuery::of(&officer.with_group("owners-3").unwrap()).unwrap();
    let ids: Vec<RequestId> = (0..50).map(|number| requests::request(number * 7).id.clone()).collect();
    let now: Timestamp = requests::request(STORED).created_at;
    vec![
        (
            "queue, page of 50, as stored",
            Box::new(move |store| assert_eq!(store.stored_requests(&queue(), &first()).unwrap().items.len(), 50)),
        ),
        (
            "queue, page of 50, decoded",
            Box::new(move |store| assert_eq!(store.requests(&queue(), &first()).unwrap().items.len(), 50)),
        ),
        (
            "status + actor + tag, page of 50, as stored",
            Box::new(move |store| assert!(!store.stored_requests(&busy, &first()).unwrap().items.is_empty())),
        ),
        (
            "inbox, page of 50",
            Box::new(move |store| assert!(!store.inbox(&inbox, now, &first()).unwrap().items.is_empty())),
        ),
        ("count of one index", Box::new(move |store| assert!(store.count(&queue()).unwrap().number() > 0))),
        ("count of status + actor + tag", Box::new(move |store| assert!(store.count(&counted).unwrap().number() > 0))),
        ("statistics", Box::new(move |store| drop(store.statistics(now, &[]).unwrap()))),
        (
            "50 requests by id",
            Box::new(move |store| assert!(store.get_many(&ids).unwrap().requests.iter().all(Option::is_some))),
        ),
        (
            "feed, page of 100",
            Box::new(|store| {
                assert!(!store.read_feed(&FeedPosition::beginning(), 100).unwrap().entries.is_empty());
            }),
        ),
    ]
}

/// The quickest call to each namespace, in microseconds: the others waited for what else the machine does as well.
fn least(stores: &[RedisStore; PARTITIONS.len()], read: &Read) -> [f64; PARTITIONS.len()] {
    let mut least = [f64::INFINITY; PARTITIONS.len()];
    for round in 0..ROUNDS {
        for turn in 0..stores.len() {
            let place = (round + turn) % stores.len();
            let quickest = (0..CALLS).map(|_| microseconds(|| read(&stores[place]))).fold(f64::INFINITY, f64::min);
            least[place] = least[place].min(quickest);
        }
    }
    least
}

fn microseconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e6
}
