//! Slots that move while stores read and write: no call fails, and nothing is missed.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::requests::{pending, second};
use common::server::{Cluster, Moving, wait_until};
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{FeedPosition, MutationRequest, PageRequest, RequestId, RequestQuery, WriteId};

use super::PATIENCE;

const PARTITIONS: u16 = 4;

fn slot_of(cluster: &Cluster, namespace: &str, partition: u16) -> u16 {
    cluster.slot_of(&format!("{{{namespace}:{partition}}}"))
}

fn open(flavour: Flavour, cluster: &Cluster, namespace: &str) -> Store {
    let options = Options::in_cluster(cluster.urls(), namespace).partitions(PARTITIONS).timeout(PATIENCE);
    flavour.opened(&options)
}

fn fill(store: &Store, ids: std::ops::Range<u32>) -> Vec<MutationRequest> {
    let requests = ids.map(|number| pending(&format!("r-{number}"), "tenant:acme", second(u64::from(number))));
    requests.map(|request| store.create(request).unwrap()).collect()
}

fn assert_whole(store: &Store, ids: &BTreeSet<RequestId>) {
    let page = store.requests(&RequestQuery::new(), &PageRequest::of(200).unwrap()).unwrap();
    assert_eq!(page.items.iter().map(|request| request.id.clone()).collect::<BTreeSet<_>>(), *ids);
    let all: Vec<RequestId> = ids.iter().cloned().collect();
    assert_eq!(store.get_many(&all).unwrap().requests.into_iter().flatten().count(), ids.len());
    let feed = store.read_feed(&FeedPosition::beginning(), 1_000).unwrap();
    assert!(feed.gaps.is_empty() && feed.entries.len() >= ids.len(), "{feed:?}");
}

#[test]
fn a_map_that_is_old_is_corrected_by_the_first_call_to_each_slot() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let namespace = unique_namespace("moves");
        let store = open(flavour, &cluster, &namespace);
        let created = fill(&store, 0..40);
        for partition in 0..PARTITIONS {
            Moving::begin(&cluster, slot_of(&cluster, &namespace, partition)).end();
        }
        for request in created.iter().take(10) {
            store.update(request.clone(), WriteId::generate()).unwrap();
        }
        assert_whole(&store, &created.iter().map(|request| request.id.clone()).collect());
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
    }
}

/// What has left a slot that is being moved is found at the node that takes it over (ASK), with scripts that it does not know.
#[test]
fn a_slot_half_moved_is_read_and_written_on_both_sides() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let namespace = unique_namespace("moves");
        let store = open(flavour, &cluster, &namespace);
        let created = fill(&store, 0..60);
        let moving = Moving::begin(&cluster, slot_of(&cluster, &namespace, 0));
        let of_slot = moving.keys(1_000);
        let records: Vec<String> = of_slot.into_iter().filter(|key| key.contains("}:r:")).collect();
        assert!(records.len() >= 4, "{records:?}");
        let (moved, stayed) = records.split_at(records.len() / 2);
        moving.migrate(moved);
        for key in [&moved[0], &stayed[0]] {
            let id = RequestId::new(key.split("}:r:").last().unwrap()).unwrap();
            assert!(store.get(&id).unwrap().is_some(), "{flavour:?}: {key}");
        }
        // Other partitions are not concerned.
        let prefix = format!("{{{namespace}:0}}:r:");
        let elsewhere = created.iter().find(|request| !records.contains(&format!("{prefix}{}", request.id))).unwrap();
        store.update(elsewhere.clone(), WriteId::generate()).unwrap();

        // A script of several keys waits for the end of the move.
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                let id = RequestId::new(moved[0].split("}:r:").last().unwrap()).unwrap();
                let request = store.get(&id).unwrap().unwrap();
                store.update(request, WriteId::generate()).unwrap();
                store.requests(&RequestQuery::new(), &PageRequest::of(200).unwrap()).unwrap().items.len()
            });
            std::thread::sleep(Duration::from_millis(300));
            assert!(!writing.is_finished(), "{flavour:?}: half of the keys were elsewhere");
            moving.end();
            assert_eq!(writing.join().unwrap(), 60, "{flavour:?}");
        });
        assert_whole(&store, &created.iter().map(|request| request.id.clone()).collect());
    }
}

#[test]
fn a_check_beside_a_move_misses_nothing() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let namespace = unique_namespace("moves");
        let store = open(flavour, &cluster, &namespace);
        let created = fill(&store, 0..40);
        let moving = Moving::begin(&cluster, slot_of(&cluster, &namespace, 1));
        let keys = moving.keys(1_000);
        moving.migrate(&keys);
        for request in &created {
            assert!(store.get(&request.id).unwrap().is_some(), "{flavour:?}: {}", request.id);
        }
        std::thread::scope(|scope| {
            let checking = scope.spawn(|| store.verify().unwrap());
            std::thread::sleep(Duration::from_millis(300));
            moving.end();
            let report = checking.join().unwrap();
            assert!(report.is_clean() && report.records >= 40, "{flavour:?}: {report:?}");
        });
        assert_whole(&store, &created.iter().map(|request| request.id.clone()).collect());
    }
}

/// What a node gives away in the middle of its walk, to one that was walked before, is found there: the position says so.
#[cfg(feature = "blocking")]
#[test]
fn what_changes_hands_during_a_check_is_scanned_again() {
    use mutator_governance::blocking::RedisStore;
    use mutator_governance::{CheckMode, CheckPosition};

    const REQUESTS: u32 = 900;
    let cluster = Cluster::start(&[]);
    let namespace = unique_namespace("moves");
    let store = RedisStore::cluster_builder(cluster.urls()).namespace(&namespace).partitions(16);
    let store = store.timeout(PATIENCE).open().unwrap();
    fill(&store.clone().into(), 0..REQUESTS);
    let (mut position, mut seen, mut moved) = (CheckPosition::default(), 0, 0);
    loop {
        let step = store.check_step(position, CheckMode::Report).unwrap();
        assert!(step.findings.is_empty(), "{:?}", step.findings);
        seen += step.records;
        let Some(next) = step.next else { break };
        let saved = serde_json::to_value(&next).unwrap();
        let nodes = &saved["nodes"];
        if let (0, Some(done), Some(given)) =
            (moved, nodes["done"][0].as_str(), nodes["current"]["partitions"].as_array())
        {
            let to = cluster.number_of(done);
            for partition in given {
                let partition = u16::try_from(partition.as_u64().unwrap()).unwrap();
                Moving::begin_to(&cluster, slot_of(&cluster, &namespace, partition), to).end();
                moved += 1;
            }
        }
        position = serde_json::from_value(saved).unwrap();
    }
    assert!(moved > 1 && seen >= u64::from(REQUESTS), "{seen} of {REQUESTS} records, {moved} partitions were moved");
}

/// Half of a slot's keys are at the node that takes it over and cannot be seen there, until the slot is fixed and repaired.
#[test]
fn a_slot_half_moved_whose_source_died_is_whole_again_after_a_fix_and_a_repair() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&[]);
        let namespace = unique_namespace("moves");
        let store = open(flavour, &cluster, &namespace);
        let created = fill(&store, 0..60);
        let slot = slot_of(&cluster, &namespace, 0);
        let (source, target, asked) = {
            let moving = Moving::begin(&cluster, slot);
            // Of whatever kind they are: records, indexes, the feed, the layout.
            let keys: Vec<String> = moving.keys(1_000).into_iter().step_by(2).collect();
            moving.migrate(&keys);
            cluster.nodes()[moving.from].ask::<u64>(&["WAIT", "1", "5000"]);
            // The node that takes the slot over goes on believing in its source.
            (moving.from, moving.to, (moving.to + 1) % 3)
        };
        cluster.node_mut(source).kill();
        wait_until("a replica was promoted", || !cluster.primaries(asked).contains(&source) && cluster.is_well(asked));
        // Nothing is fixed while a node that was a primary cannot be reached.
        cluster.node_mut(source).start_again();
        wait_until("the killed node has the data of its successor", || cluster.is_replica_in_step(source));
        let successor = cluster.primary_of(slot, asked).unwrap();
        let nodes: String = cluster.nodes()[successor].ask(&["CLUSTER", "NODES"]);
        if nodes.contains(&format!("[{slot}->-")) {
            // Newer servers go on with the move, and what redis-cli of 7.0 does then loses keys.
            Moving::between(&cluster, slot, successor, target).end();
        } else {
            fix(&cluster.nodes()[asked].address());
        }
        let report = store.repair().unwrap();
        let left = store.verify().unwrap();
        assert!(left.is_clean(), "{flavour:?}: repaired {}, left {left:?}", report.findings.len());
        let all: Vec<RequestId> = created.iter().map(|request| request.id.clone()).collect();
        assert_eq!(store.get_many(&all).unwrap().requests.into_iter().flatten().count(), 60, "{flavour:?}");
        let page = store.requests(&RequestQuery::new(), &PageRequest::of(200).unwrap()).unwrap();
        assert_eq!(page.items.len(), 60, "{flavour:?}");
        for request in created {
            store.update(request, WriteId::generate()).unwrap();
        }
    }
}

fn fix(address: &str) {
    wait_until("the cluster is fixed", || {
        let mut fix = Command::new("redis-cli");
        fix.args(["--cluster", "fix", address, "--cluster-yes"]).stdin(Stdio::null());
        drop(fix.output().unwrap());
        let check = Command::new("redis-cli").args(["--cluster", "check", address]).output().unwrap();
        check.status.success()
    });
}
