//! Reading from replicas: pages and single requests, of replicas that are in sync, and from the primary if they fail.

use std::thread::sleep;
use std::time::Duration;

use common::requests::{id, pending, second};
use common::server::{Cluster, Node, SentinelSet};
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{Error, PageRequest, RequestQuery, StoreErrorKind};

use super::{CLUSTER, PATIENCE};

const REQUESTS: usize = 30;
/// Longer than a replica that was seen in sync counts for.
const SEEN_NO_MORE: Duration = Duration::from_millis(1_500);

/// A store with some requests, and one that reads them from replicas.
fn stores(flavour: Flavour, options: &Options) -> (Store, Store) {
    let writing = flavour.opened(options);
    for number in 0..REQUESTS {
        writing.create(pending(&format!("r-{number}"), "tenant:acme", second(number as u64))).unwrap();
    }
    let reading = flavour.opened(&options.clone().read_only().replicas());
    (writing, reading)
}

/// How many commands that read a namespace a node has executed.
fn reads(node: &Node) -> u64 {
    let statistics: String = node.ask(&["INFO", "commandstats"]);
    let calls = |line: &str| {
        let (name, fields) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let is_read = ["getrange", "evalsha", "eval"].contains(&name);
        fields.split(',').next().filter(|_| is_read)?.parse::<u64>().ok()
    };
    statistics.lines().filter_map(calls).sum()
}

fn all_reads<'a>(nodes: impl Iterator<Item = &'a Node>) -> u64 {
    nodes.map(reads).sum()
}

fn read_all(store: &Store) {
    let page = store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap();
    assert_eq!((page.items.len(), page.unreadable.len()), (REQUESTS, 0));
    for number in 0..REQUESTS {
        assert!(store.get(&id(&format!("r-{number}"))).unwrap().is_some(), "r-{number}");
    }
    let some = ["r-1", "r-2", "r-3"].map(id);
    assert!(store.get_many(&some).unwrap().requests.iter().all(Option::is_some));
}

/// Pages and single requests come from `replicas`, all else from `primaries`.
fn assert_read_from<'a>(
    flavour: Flavour,
    store: &Store,
    primaries: impl Iterator<Item = &'a Node> + Clone,
    replicas: impl Iterator<Item = &'a Node> + Clone,
) {
    let counts = || (all_reads(primaries.clone()), all_reads(replicas.clone()));
    let before = counts();
    read_all(store);
    let after = counts();
    assert_eq!(after.0, before.0, "{flavour:?}: read from a primary");
    assert!(after.1 >= before.1 + REQUESTS as u64, "{flavour:?}: {before:?}, {after:?}");

    assert_eq!(store.count(&RequestQuery::new()).unwrap().number(), REQUESTS as u64);
    store.statistics(second(1), &[]).unwrap();
    assert!(store.verify().unwrap().is_clean());
    assert!(counts().0 > after.0 && counts().1 == after.1, "{flavour:?}: {after:?}, {:?}", counts());
}

#[test]
fn pages_and_requests_are_read_from_replicas_of_a_cluster_and_all_else_from_primaries() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let options = Options::in_cluster(cluster.urls(), unique_namespace("replicas")).partitions(16);
        let (_writing, reading) = stores(flavour, &options.timeout(PATIENCE));
        cluster.nodes().iter().take(3).for_each(|node| assert_eq!(node.ask::<u64>(&["WAIT", "1", "5000"]), 1));
        sleep(SEEN_NO_MORE);
        assert_read_from(flavour, &reading, cluster.nodes().iter().take(3), cluster.nodes().iter().skip(3));
    }
}

#[test]
fn pages_and_requests_are_read_from_replicas_that_sentinels_know_and_all_else_from_the_primary() {
    let set = SentinelSet::start(&[]);
    for flavour in Flavour::all() {
        let options = Options::watched(set.sentinel_urls(), unique_namespace("replicas")).partitions(4);
        let (_writing, reading) = stores(flavour, &options.timeout(PATIENCE));
        sleep(SEEN_NO_MORE);
        assert_read_from(flavour, &reading, set.servers().iter().take(1), set.servers().iter().skip(1));
    }
}

/// A replica that has lost its primary has no new requests; nobody reads from it.
#[test]
fn a_replica_that_is_not_in_sync_is_not_read_from() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = Options::watched(set.sentinel_urls(), unique_namespace("replicas")).timeout(PATIENCE);
        let (writing, reading) = stores(flavour, &options);
        read_all(&reading);
        for replica in &set.servers()[1..] {
            replica.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
        }
        sleep(SEEN_NO_MORE);
        for number in 0..20 {
            let name = format!("later-{number}");
            writing.create(pending(&name, "tenant:acme", second(1))).unwrap();
            assert!(reading.get(&id(&name)).unwrap().is_some(), "{flavour:?}: {name}");
        }
    }
}

#[test]
fn a_replica_that_hangs_or_is_gone_is_replaced_by_the_primary() {
    for flavour in Flavour::all() {
        let mut set = SentinelSet::start(&[]);
        let options = Options::watched(set.sentinel_urls(), unique_namespace("replicas"));
        let (_writing, reading) = stores(flavour, &options.timeout(Duration::from_secs(8)));
        read_all(&reading);
        let stopped = [1, 2].map(|number| set.servers()[number].stop());
        read_all(&reading);
        drop(stopped);
        set.wait_until_replicated();
        set.server_mut(1).kill();
        set.server_mut(2).kill();
        read_all(&reading);
    }
}

#[test]
fn only_read_only_stores_of_several_servers_read_from_replicas() {
    let server = common::redis_url();
    let options = || Options::in_cluster(CLUSTER.urls(), unique_namespace("replicas")).replicas();
    let alone = Options::new(server, unique_namespace("replicas")).replicas().read_only();
    for (options, said) in [(options(), "read_only"), (alone, "its own URL")] {
        for flavour in Flavour::all() {
            match flavour.open(&options).map(drop).unwrap_err() {
                Error::Store(error) => {
                    assert!(error.kind == StoreErrorKind::Configuration && error.problem.contains(said), "{error}");
                }
                other => panic!("{flavour:?}: {other:?}"),
            }
        }
    }
}
