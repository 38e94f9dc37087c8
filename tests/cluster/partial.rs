//! A shard that is down for good: its requests are unavailable, all others are served, and what is read names what is missing.

use std::collections::BTreeSet;
use std::time::Duration;

use common::requests::{pending, second};
use common::server::{Cluster, wait_until};
use common::{Flavour, Options, Oracle, Store, unique_namespace};
use mutator_governance::{
    Count, Cursor, Error, FeedPosition, MissingPartition, Page, PageRequest, RequestId, RequestQuery, SortDirection,
};

const PARTITIONS: u16 = 16;
const REQUESTS: usize = 120;
/// How long a call may take, half of which it waits for a node.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A cluster that serves what it can, and keeps what it has over a restart.
fn start() -> Cluster {
    Cluster::start(&["--cluster-require-full-coverage", "no", "--appendonly", "yes", "--appendfsync", "always"])
}

struct Scene {
    store: Store,
    /// The partitions of the shard that goes down, and its address.
    down: BTreeSet<u16>,
    address: String,
    there: BTreeSet<String>,
    missing: BTreeSet<String>,
}

impl Scene {
    /// A namespace with requests on all nodes; `victim` is the number of the primary that is to go down.
    fn new(cluster: &Cluster, flavour: Flavour, victim: usize) -> Self {
        let namespace = unique_namespace("partial");
        let options = Options::in_cluster(cluster.urls(), &namespace).partitions(PARTITIONS).timeout(TIMEOUT);
        let store = flavour.opened(&options);
        let owner = |partition: &u16| {
            let slot = cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", &format!("{{{namespace}:{partition}}}")]);
            cluster.primary_of(slot, 0) == Some(victim)
        };
        let down: BTreeSet<u16> = (0..PARTITIONS).filter(owner).collect();
        let oracle = Oracle::new(&namespace, PARTITIONS);
        let (mut there, mut missing) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..REQUESTS {
            let id = format!("r-{number:03}");
            common::patiently("create", || store.create(pending(&id, "tenant:acme", second(number as u64))));
            if down.contains(&oracle.partition_of(&id)) {
                missing.insert(id)
            } else {
                there.insert(id)
            };
        }
        assert!(!down.is_empty() && !there.is_empty() && missing.len() > 5, "{down:?}");
        Self { store, down, address: cluster.nodes()[victim].address(), there, missing }
    }

    fn assert_named(&self, missing: &[MissingPartition]) {
        let partitions: BTreeSet<u16> = missing.iter().map(|missing| missing.partition).collect();
        assert_eq!(partitions, self.down);
        for missing in missing {
            assert!(missing.server == self.address && !missing.problem.is_empty(), "{missing:?}");
        }
    }

    /// Walks to the end of what is there, and returns where to go on with what is not.
    fn walk(&self, direction: SortDirection) -> Cursor {
        let (store, query) = (self.store.with_partial_reads(), RequestQuery::new().in_order(direction));
        let (mut found, mut page) = (Vec::new(), PageRequest::of(17).unwrap());
        loop {
            let read = store.requests(&query, &page).unwrap();
            found.extend(ids(&read));
            let missing = read.missing.expect("a part is missing");
            self.assert_named(&missing.partitions);
            match read.next {
                Some(next) => {
                    assert_eq!(next, missing.resume);
                    page = PageRequest::of(17).unwrap().after(next);
                }
                None => {
                    let in_order =
                        |one: &String, next: &String| (one < next) == (direction == SortDirection::Ascending);
                    assert!(found.is_sorted_by(in_order), "{found:?}");
                    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), self.there);
                    return missing.resume;
                }
            }
        }
    }
}

fn ids(page: &Page<mutator_governance::MutationRequest>) -> Vec<String> {
    page.items.iter().map(|request| request.id.to_string()).collect()
}

fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Store(failure) if failure.kind.may_pass())
}

/// Goes on from a cursor to the end.
fn rest(store: &Store, query: &RequestQuery, from: Cursor) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(from));
    while let Some(cursor) = next {
        let page = store.requests(query, &PageRequest::of(5).unwrap().after(cursor)).unwrap();
        assert!(page.missing.is_none(), "{:?}", page.missing);
        found.extend(ids(&page));
        next = page.next;
    }
    found
}

#[test]
fn what_is_there_is_served_and_what_is_missing_is_named_until_it_is_back() {
    let mut cluster = start();
    for flavour in Flavour::all() {
        // A shard without its replica, since that would take over.
        let victim = 1;
        let scene = Scene::new(&cluster, flavour, victim);
        let partial = scene.store.with_partial_reads();
        let begun = scene.store.requests(&RequestQuery::new(), &PageRequest::of(20).unwrap()).unwrap();
        let whole = partial.requests(&RequestQuery::new(), &PageRequest::of(20).unwrap()).unwrap();
        assert!(whole.missing.is_none() && whole.next == begun.next && ids(&whole) == ids(&begun), "{flavour:?}");
        let end = scene.store.end_of_feed().unwrap();
        cluster.node_mut(victim + 3).kill();
        cluster.node_mut(victim).kill();
        wait_until("the others know", || {
            [0, 2].iter().all(|node| {
                let nodes: String = cluster.nodes()[*node].ask(&["CLUSTER", "NODES"]);
                nodes.lines().any(|line| line.contains(&scene.address) && line.contains("fail"))
            })
        });

        // Whoever has not asked for parts gets an error instead of some.
        for error in [
            scene.store.requests(&RequestQuery::new(), &PageRequest::first()).map(drop).unwrap_err(),
            scene.store.statistics(second(1), &[]).map(drop).unwrap_err(),
            partial.get(&id(scene.missing.first().unwrap())).map(drop).unwrap_err(),
        ] {
            assert!(may_pass(&error), "{flavour:?}: {error:?}");
        }
        assert!(scene.store.get(&id(scene.there.first().unwrap())).unwrap().is_some(), "{flavour:?}");

        let resume = scene.walk(SortDirection::Ascending);
        let backwards = scene.walk(SortDirection::Descending);
        assert_eq!(partial.count(&RequestQuery::new()).unwrap(), Count::AtLeast(scene.there.len() as u64));
        let statistics = partial.statistics(second(1), &[]).unwrap();
        assert_eq!(statistics.total(), scene.there.len() as u64, "{flavour:?}");
        scene.assert_named(&statistics.missing);
        let all: Vec<RequestId> = scene.there.iter().chain(&scene.missing).map(|text| id(text)).collect();
        let lookup = partial.get_many(&all).unwrap();
        assert_eq!(lookup.requests.iter().flatten().count(), scene.there.len(), "{flavour:?}");
        let unknown: BTreeSet<String> = lookup.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(unknown, scene.missing, "{flavour:?}");
        scene.assert_named(&lookup.missing);

        let feed = partial.read_feed(&FeedPosition::beginning(), 1_000).unwrap();
        scene.assert_named(&feed.missing);
        let of = |page: &mutator_governance::FeedPage| -> BTreeSet<String> {
            page.entries.iter().map(|entry| entry.id.to_string()).collect()
        };
        assert!(feed.is_caught_up && feed.gaps.is_empty() && of(&feed) == scene.there, "{flavour:?}");

        cluster.node_mut(victim).start_again();
        cluster.node_mut(victim + 3).start_again();
        cluster.wait_until_whole();
        for store in [&scene.store, &partial] {
            let missed = rest(store, &RequestQuery::new(), resume.clone());
            assert_eq!(missed, scene.missing.iter().cloned().collect::<Vec<_>>(), "{flavour:?}");
        }
        let query = RequestQuery::new().in_order(SortDirection::Descending);
        let missed = rest(&scene.store, &query, backwards);
        assert_eq!(missed, scene.missing.iter().rev().cloned().collect::<Vec<_>>(), "{flavour:?}");
        let feed = scene.store.read_feed(&feed.next, 1_000).unwrap();
        assert!(feed.gaps.is_empty() && of(&feed) == scene.missing, "{flavour:?}: {feed:?}");
        assert_eq!(feed.next, end, "{flavour:?}");
        assert_eq!(partial.count(&RequestQuery::new()).unwrap(), Count::Exact(REQUESTS as u64), "{flavour:?}");
    }
}

/// The first call waits for the node, the next ones know.
#[test]
fn a_node_that_is_known_to_be_down_is_not_waited_for() {
    let flavour = Flavour::all()[0];
    let mut cluster = start();
    let scene = Scene::new(&cluster, flavour, 2);
    cluster.node_mut(5).kill();
    cluster.node_mut(2).kill();
    let partial = scene.store.with_partial_reads();
    partial.statistics(second(1), &[]).unwrap();
    let began = std::time::Instant::now();
    for _ in 0..10 {
        scene.assert_named(&partial.statistics(second(1), &[]).unwrap().missing);
    }
    assert!(began.elapsed() < 10 * TIMEOUT / 2, "{:?} for ten calls", began.elapsed());
}
