//! A namespace in a cluster gets more partitions: requests move from node to node, also while a slot moves and when a node dies.

use std::collections::BTreeMap;

use common::requests::{pending, second};
use common::server::Cluster;
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{
    Durability, Error, FeedPosition, LayoutError, MutationRequest, PageRequest, RequestQuery, WriteId,
};

use super::{CLUSTER, PATIENCE};

const REQUESTS: usize = 90;

fn options(cluster: &Cluster, partitions: u16) -> Options {
    Options::in_cluster(cluster.urls(), unique_namespace("repartition")).partitions(partitions).timeout(PATIENCE)
}

fn filled(flavour: Flavour, options: &Options) -> BTreeMap<String, MutationRequest> {
    let store = flavour.opened(options);
    let create = |number: usize| {
        let created = store.create(pending(&format!("r-{number}"), "tenant:acme", second(number as u64))).unwrap();
        store.update(created, WriteId::generate()).unwrap()
    };
    (0..REQUESTS).map(create).map(|request| (request.id.to_string(), request)).collect()
}

fn assert_whole(store: &Store, stored: &BTreeMap<String, MutationRequest>) {
    let page = store.requests(&RequestQuery::new(), &PageRequest::longest()).unwrap();
    let found: BTreeMap<String, MutationRequest> =
        page.items.into_iter().map(|request| (request.id.to_string(), request)).collect();
    assert_eq!(found, *stored);
    for (id, request) in stored {
        assert_eq!(store.get(&id.as_str().try_into().unwrap()).unwrap().as_ref(), Some(request));
    }
    let report = store.verify().unwrap();
    assert!(report.is_clean() && report.records == stored.len() as u64, "{report:?}");
}

#[test]
fn requests_move_between_the_nodes_and_the_feed_goes_on() {
    for flavour in Flavour::all() {
        for durability in [Durability::Acknowledged, Durability::Replicas(1)] {
            let few = options(&CLUSTER, 2);
            let mut stored = filled(flavour, &few);
            let older = flavour.opened(&few);
            let half = older.read_feed(&FeedPosition::beginning(), 70).unwrap();
            let many = Options { partitions: 16, ..few.clone() }.durability(durability);
            let report = flavour.repartition(&many).unwrap();
            assert!(report.is_clean() && report.moved > 60, "{flavour:?}: {report:?}");
            match older.create(pending("late", "s", second(1))) {
                Err(Error::Store(error)) => {
                    assert!(matches!(error.layout.as_deref(), Some(LayoutError::OtherChoice { .. })), "{error}");
                }
                other => panic!("{flavour:?}: {other:?}"),
            }
            let store = flavour.opened(&many);
            assert_whole(&store, &stored);

            for request in stored.values_mut() {
                *request = store.update(request.clone(), WriteId::generate()).unwrap();
            }
            let (mut revisions, mut position) = (BTreeMap::<String, Vec<u64>>::new(), half.next);
            let read = |page: &[mutator_governance::FeedEntry], revisions: &mut BTreeMap<String, Vec<u64>>| {
                page.iter().for_each(|entry| revisions.entry(entry.id.to_string()).or_default().push(entry.revision));
            };
            read(&half.entries, &mut revisions);
            loop {
                let page = store.read_feed(&position, 50).unwrap();
                assert!(page.gaps.is_empty() && page.unreadable.is_empty(), "{flavour:?}: {page:?}");
                read(&page.entries, &mut revisions);
                position = page.next;
                if page.is_caught_up {
                    break;
                }
            }
            assert_eq!(revisions.len(), REQUESTS, "{flavour:?}");
            assert!(revisions.values().all(|of| *of == [0, 1, 2]), "{flavour:?}: {revisions:?}");
        }
    }
}

/// The primary of a shard is killed in the middle; the call waits for its replica, or is made again.
#[test]
fn a_node_that_dies_in_the_middle_loses_nothing() {
    for flavour in Flavour::all() {
        let mut cluster = Cluster::start(&[]);
        let few = options(&cluster, 1);
        let stored = filled(flavour, &few);
        let many = Options { partitions: 12, ..few.clone() }.durability(Durability::Replicas(1));
        let tag = format!("{{{}:0}}", few.namespace);
        let source = cluster.primary_of(cluster.nodes()[0].ask(&["CLUSTER", "KEYSLOT", &tag]), 0).unwrap();
        cluster.nodes()[source].ask::<u64>(&["WAIT", "1", "5000"]);
        let mut killed = false;
        let outcome = flavour.repartition_in_steps(&many, |step| {
            if step.moved > 0 && !killed {
                killed = true;
                cluster.node_mut(source).kill();
            }
        });
        assert!(killed, "{flavour:?}: {outcome:?}");
        // A shard without a replica confirms nothing: the write is reported, and made again with the replica back.
        cluster.node_mut(source).start_again();
        cluster.wait_until_whole();
        common::patiently("repartition", || flavour.repartition(&many));
        assert_whole(&flavour.opened(&many), &stored);
    }
}
