//! The clusters and Sentinel sets that the other tests stand on: they start soon, they fail over, and they end with the test
//! binary.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::server::{Cluster, SentinelSet, wait_until};

/// How soon servers are ready on a machine that is not kept busy by others.
const READY_WITHIN: Duration = Duration::from_secs(6);

/// Key and slot, as the specification of Redis Cluster gives them.
const KEY: &str = "123456789";
const SLOT: u16 = 12_739;

/// The best of a few, because other tests run beside this one.
fn assert_ready_soon<T>(what: &str, start: impl Fn() -> T) -> T {
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        let began = Instant::now();
        let started = start();
        if began.elapsed() < READY_WITHIN {
            return started;
        }
        slowest = slowest.max(began.elapsed());
    }
    panic!("{what} took {slowest:?}");
}

#[test]
fn a_cluster_serves_all_slots_within_seconds() {
    let cluster = assert_ready_soon("a cluster", || Cluster::start(&[]));
    for asked in 0..cluster.nodes().len() {
        let shards = cluster.shards(asked).unwrap();
        let slots: BTreeSet<u16> = shards.iter().flat_map(|shard| shard.first..=shard.last).collect();
        assert_eq!((slots.len(), slots.first(), slots.last()), (16_384, Some(&0), Some(&16_383)), "{shards:?}");
        let primaries: BTreeSet<&String> = shards.iter().map(|shard| &shard.primary).collect();
        let replicas: BTreeSet<&String> = shards.iter().flat_map(|shard| &shard.replicas).collect();
        assert_eq!((primaries.len(), replicas.len()), (3, 3), "{shards:?}");
        assert!(primaries.is_disjoint(&replicas), "{shards:?}");
    }
    let owner = cluster.primary_of(SLOT, 0).unwrap();
    cluster.nodes()[owner].ask::<()>(&["SET", KEY, "1"]);
    let other = &cluster.nodes()[(owner + 1) % 3];
    let error = other.try_ask::<String>(&["GET", KEY]).unwrap_err().to_string();
    assert!(error.contains(&cluster.nodes()[owner].address()), "{error}");
}

#[test]
fn a_replica_takes_over_when_it_is_told_to() {
    let cluster = Cluster::start(&[]);
    let owner = cluster.primary_of(SLOT, 0).unwrap();
    cluster.nodes()[owner].ask::<()>(&["SET", KEY, "kept"]);
    let replica = cluster.nodes()[owner].address();
    let replica =
        cluster.shards(0).unwrap().into_iter().find(|shard| shard.primary == replica).unwrap().replicas[0].clone();
    let replica = cluster.number_of(&replica);
    cluster.nodes()[replica].ask::<()>(&["CLUSTER", "FAILOVER"]);
    wait_until("every node knows the new primary", || {
        (0..cluster.nodes().len()).all(|asked| cluster.primary_of(SLOT, asked) == Some(replica))
    });
    assert_eq!(cluster.nodes()[replica].ask::<String>(&["GET", KEY]), "kept");
    cluster.wait_until_whole();
}

#[test]
fn a_killed_primary_is_followed_by_its_replica_and_comes_back_as_one() {
    let mut cluster = Cluster::start(&[]);
    let owner = cluster.primary_of(SLOT, 0).unwrap();
    let asked = (owner + 1) % 3;
    let before = cluster.nodes()[owner].pid();
    cluster.node_mut(owner).kill();
    wait_until("a replica was promoted", || {
        let found = cluster.primary_of(SLOT, asked);
        found.is_some_and(|found| found != owner && cluster.is_well(found))
    });
    let promoted = cluster.primary_of(SLOT, asked).unwrap();
    cluster.nodes()[promoted].ask::<()>(&["SET", KEY, "after"]);

    cluster.node_mut(owner).start_again();
    assert_ne!(cluster.nodes()[owner].pid(), before);
    cluster.wait_until_whole();
    assert_eq!(cluster.primary_of(SLOT, owner), Some(promoted));
    cluster.nodes()[owner].ask::<()>(&["READONLY"]);
    assert_eq!(cluster.nodes()[owner].field(&["INFO", "replication"], "role").as_deref(), Some("slave"));
}

#[test]
fn a_stopped_primary_is_followed_by_its_replica() {
    let cluster = Cluster::start(&[]);
    let owner = cluster.primary_of(SLOT, 0).unwrap();
    let asked = (owner + 1) % 3;
    let stopped = cluster.nodes()[owner].stop();
    wait_until("a replica was promoted", || cluster.primary_of(SLOT, asked).is_some_and(|found| found != owner));
    drop(stopped);
    cluster.wait_until_whole();
}

#[test]
fn sentinels_know_the_primary_within_seconds_and_name_the_promoted_one() {
    let mut set = assert_ready_soon("a Sentinel set", || SentinelSet::start(&[]));
    assert_eq!((0..3).map(|sentinel| set.primary(sentinel)).collect::<Vec<_>>(), [Some(0); 3]);
    set.servers()[0].ask::<()>(&["SET", KEY, "kept"]);
    assert_eq!(set.servers()[0].ask::<u64>(&["WAIT", "2", "5000"]), 2);
    set.server_mut(0).kill();
    wait_until("all Sentinels name one promoted replica", || {
        let named: BTreeSet<_> = (0..3).map(|sentinel| set.primary(sentinel)).collect();
        named.len() == 1 && !named.contains(&Some(0)) && !named.contains(&None)
    });
    let promoted = &set.servers()[set.primary(0).unwrap()];
    assert_eq!(promoted.ask::<String>(&["GET", KEY]), "kept");
    promoted.ask::<()>(&["SET", KEY, "after"]);

    set.server_mut(0).start_again();
    wait_until("the old primary has become a replica", || {
        set.servers()[0].field(&["INFO", "replication"], "master_link_status").as_deref() == Some("up")
    });
    assert_eq!(set.servers()[0].ask::<String>(&["GET", KEY]), "after");

    set.sentinel_mut(1).kill();
    assert_eq!(set.primary(1), None);
    let named = set.primary(0);
    set.sentinel_mut(1).start_again();
    assert_eq!(set.primary(1), named, "its file says which one it was");
}

#[test]
fn a_killed_test_binary_takes_its_servers_along() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::hold_servers_until_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ports = lines.find_map(|line| line.strip_prefix("serving on ").map(str::to_owned)).expect("a line of ports");
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().unwrap()).collect();
    assert_eq!(ports.len(), 12);
    let answers = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
    assert!(ports.iter().all(answers));
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_until("no server outlives its test binary", || !ports.iter().any(answers));
}

/// Not a test of its own: it is the binary that `a_killed_test_binary_takes_its_servers_along` runs and kills.
#[test]
#[ignore = "run by the test that kills it"]
fn hold_servers_until_killed() {
    let (cluster, set) = (Cluster::start(&[]), SentinelSet::start(&[]));
    let nodes = cluster.nodes().iter().chain(set.servers()).chain(set.sentinels());
    let ports: Vec<String> = nodes.map(|node| node.port().to_string()).collect();
    println!("\nserving on {}", ports.join(" "));
    sleep(Duration::from_mins(2));
}
