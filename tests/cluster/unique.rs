//! Unique keys in a cluster, where the reservation of a key and its request are mostly on different nodes.

use common::requests::{draft, second, submit};
use common::server::Cluster;
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{Durability, Error, MutationRequest, PendingReason, RequestId, UniqueKey};

use super::{CLUSTER, PATIENCE};

const KEYS: usize = 24;

fn options(cluster: &Cluster, partitions: u16) -> Options {
    let options = Options::in_cluster(cluster.urls(), unique_namespace("unique")).partitions(partitions);
    options.timeout(PATIENCE).durability(Durability::Replicas(1))
}

fn key(number: usize) -> UniqueKey {
    UniqueKey::new(format!("key {number}")).unwrap()
}

fn keyed(prefix: &str, number: usize) -> MutationRequest {
    let draft = draft(&format!("{prefix}-{number}"), "tenant:acme").waiting_for(PendingReason::Quota);
    submit(draft.with_unique_key(key(number)), second(number as u64))
}

/// The first request with each key is open, and keeps others from it.
fn assert_held(flavour: Flavour, store: &Store) {
    for number in 0..KEYS {
        let first = RequestId::new(format!("first-{number}")).unwrap();
        assert_eq!(store.open_request(&key(number)).unwrap().unwrap().id, first, "{flavour:?}");
        match store.create(keyed("second", number)) {
            Err(Error::AlreadyOpen { id, .. }) => assert_eq!(id, first, "{flavour:?}"),
            other => panic!("{flavour:?}: {other:?}"),
        }
    }
    let report = store.verify().unwrap();
    assert!(report.is_clean() && report.records == KEYS as u64, "{flavour:?}: {report:?}");
}

/// The replica of a primary that is killed has its reservations and permits as well as its requests.
#[test]
fn a_unique_key_stays_reserved_when_a_node_dies() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&[]);
        let options = options(&cluster, 16);
        let store = flavour.opened(&options);
        for number in 0..KEYS {
            common::patiently("create", || store.create(keyed("first", number)));
        }
        let slot = cluster.slot_of(&format!("{{{}:0}}", options.namespace));
        let killed = cluster.primary_of(slot, 0).unwrap();
        cluster.node_mut(killed).kill();
        // Reads wait until its replica has taken over; nothing is confirmed in that shard until the node is back.
        for number in 0..KEYS {
            assert!(store.open_request(&key(number)).unwrap().is_some(), "{flavour:?}: {number}");
        }
        cluster.node_mut(killed).start_again();
        cluster.wait_until_whole();
        assert_held(flavour, &flavour.opened(&options));
    }
}

#[test]
fn reservations_move_between_the_nodes() {
    for flavour in Flavour::all() {
        let few = options(&CLUSTER, 2);
        let store = flavour.opened(&few);
        for number in 0..KEYS {
            common::patiently("create", || store.create(keyed("first", number)));
        }
        let many = Options { partitions: 16, ..few };
        let report = common::patiently("repartition", || flavour.repartition(&many));
        assert!(report.is_clean() && report.moved > 0, "{flavour:?}: {report:?}");
        assert_held(flavour, &flavour.opened(&many));
    }
}
