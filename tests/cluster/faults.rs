//! Nodes that die or hang: calls wait for what takes their place, and none waits beyond its deadline.

use std::time::{Duration, Instant};

use common::requests::{pending, second};
use common::server::Cluster;
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{Durability, Error, Outcome, RequestId, StoreErrorKind, WriteId};

use super::{CLUSTER, PATIENCE};

fn options(cluster: &Cluster) -> Options {
    Options::in_cluster(cluster.urls(), unique_namespace("faults")).partitions(16).timeout(PATIENCE)
}

fn create(store: &Store, id: &str) -> Result<(), Error> {
    store.create(pending(id, "tenant:acme", second(1))).map(drop)
}

/// The node that serves partition 0.
fn owner(cluster: &Cluster, options: &Options, asked: usize) -> usize {
    let tag = format!("{{{}:0}}", options.namespace);
    let slot = cluster.nodes()[asked].ask(&["CLUSTER", "KEYSLOT", &tag]);
    cluster.primary_of(slot, asked).unwrap()
}

#[test]
fn calls_wait_for_the_replica_of_a_killed_primary() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&[]);
        let options = options(&cluster);
        let store = flavour.opened(&options);
        let ids: Vec<String> = (0..40).map(|number| format!("r-{number}")).collect();
        ids.iter().for_each(|id| create(&store, id).unwrap());
        let killed = owner(&cluster, &options, 0);
        let replica = &cluster.nodes()[killed];
        replica.ask::<u64>(&["WAIT", "1", "5000"]);
        cluster.node_mut(killed).kill();
        for number in 40..60 {
            create(&store, &format!("r-{number}")).unwrap_or_else(|error| panic!("{flavour:?}: {error}"));
        }
        let requests = store.statistics(second(1), &[]).unwrap();
        assert!(format!("{requests:?}").contains("60"), "{flavour:?}: {requests:?}");
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");

        cluster.node_mut(killed).start_again();
        cluster.wait_until_whole();
        create(&store, "afterwards").unwrap();
    }
}

/// The replica takes over as it is told to, and every call that was under way succeeds.
#[test]
fn a_failover_that_was_asked_for_fails_no_call() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let store = flavour.opened(&options(&cluster));
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for number in 0..400 {
                    let id = format!("r-{number}");
                    create(&store, &id).unwrap_or_else(|error| panic!("{flavour:?}: {error}"));
                    assert!(store.get(&RequestId::new(id).unwrap()).unwrap().is_some(), "{flavour:?}");
                }
            });
            let shards = cluster.shards(0).unwrap();
            for shard in shards {
                let replica = &cluster.nodes()[cluster.number_of(&shard.replicas[0])];
                replica.ask::<()>(&["CLUSTER", "FAILOVER"]);
            }
            writing.join().unwrap();
        });
        cluster.wait_until_whole();
    }
}

#[test]
fn a_seed_that_dies_is_missed_by_nobody() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&[]);
        let seed = 3;
        let options = Options { cluster: vec![cluster.nodes()[seed].url()], ..options(&cluster) };
        let store = flavour.opened(&options);
        cluster.node_mut(seed).kill();
        let killed = owner(&cluster, &options, 1);
        if killed != 0 {
            cluster.node_mut(killed).kill();
        }
        for number in 0..20 {
            create(&store, &format!("r-{number}")).unwrap_or_else(|error| panic!("{flavour:?}: {error}"));
        }
    }
}

/// Each call has two seconds, the failover takes longer. Nothing hangs, and the store recovers.
#[test]
fn a_primary_that_hangs_takes_no_call_beyond_its_deadline_and_is_left() {
    for flavour in Flavour::all() {
        let cluster = Cluster::start(&[]);
        let options = options(&cluster).timeout(Duration::from_secs(2));
        let store = flavour.opened(&options);
        create(&store, "before").unwrap();
        let stopped = cluster.nodes()[owner(&cluster, &options, 0)].stop();
        let (began, mut number) = (Instant::now(), 0);
        loop {
            number += 1;
            let called = Instant::now();
            // To every partition in its turn, so that the one that hangs is among them.
            let outcomes: Vec<_> = (0..16).map(|part| create(&store, &format!("r-{number}-{part}"))).collect();
            let longest = called.elapsed();
            let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count() as u32;
            assert!(longest < Duration::from_secs(3) * (failed + 1), "{flavour:?}: {longest:?} for {failed} failures");
            if failed == 0 {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{flavour:?}: not recovered: {outcomes:?}");
        }
        drop(stopped);
    }
}

#[test]
fn a_write_waits_for_the_replica_of_the_node_that_it_went_to() {
    for flavour in Flavour::all() {
        let options = options(&CLUSTER).durability(Durability::Replicas(1));
        let store = flavour.opened(&options);
        for number in 0..40 {
            create(&store, &format!("r-{number}")).unwrap();
        }
        let asking_too_much =
            flavour.opened(&Options { timeout: Duration::from_secs(4), ..options }.durability(Durability::Replicas(2)));
        match create(&asking_too_much, "more") {
            Err(Error::Store(error)) => {
                assert_eq!((error.kind, error.outcome), (StoreErrorKind::Unconfirmed, Outcome::Applied), "{error}");
            }
            other => panic!("{flavour:?}: {other:?}"),
        }
    }
}

#[test]
fn a_node_that_forgot_the_scripts_gets_them_again() {
    for flavour in Flavour::all() {
        let store = flavour.opened(&options(&CLUSTER));
        let created = store.create(pending("one", "tenant:acme", second(1))).unwrap();
        CLUSTER.nodes().iter().take(3).for_each(|node| node.ask(&["SCRIPT", "FLUSH"]));
        store.update(created, WriteId::generate()).unwrap();
        assert!(store.verify().unwrap().is_clean());
    }
}
