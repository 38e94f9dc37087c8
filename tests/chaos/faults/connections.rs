//! Connections that are dead although nobody has noticed yet.

use std::time::Duration;

use mutator_governance::{PageRequest, WriteId};

use crate::faults::scene::{Scene, next, rounds};
use common::Flavour;
use common::PrivateServer;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Has every connection that the pool may hold made and given back.
fn fill_pool(scene: &Scene, connections: usize) {
    let barrier = std::sync::Barrier::new(connections);
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..30 {
                    scene.store.pending(&PageRequest::first()).unwrap();
                }
            });
        }
    });
}

fn clients(scene: &mut Scene) -> usize {
    let list: String = scene.raw.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
    list.lines().count() - 1
}

/// All connections of a full pool are dead, as after a restart: the next call still succeeds, since one failure makes
/// the others suspect.
#[test]
fn a_pool_full_of_dead_connections_does_not_fail_a_call() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        scene.options.pool_size = 20;
        scene.store = flavour.opened(&scene.options);
        let mut request = scene.request("r");
        for round in 0..rounds() {
            fill_pool(&scene, 20);
            let held = clients(&mut scene);
            if flavour == Flavour::Blocking {
                assert!(held >= 8, "only {held} connections are held; the test needs more than there are attempts");
            }
            let killed: i64 = scene.raw.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
            assert!(killed >= held as i64);
            let write_id = WriteId::generate();
            let change = next(&request);
            request = scene
                .store
                .update(change, write_id)
                .unwrap_or_else(|error| panic!("{flavour:?}, round {round}, {held} dead connections: {error:?}"));
        }
        scene.check();
    }
}

/// A connection is kept: calls one after another make no new one.
#[test]
fn calls_one_after_another_share_a_connection() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        let connected = |scene: &mut Scene| -> u64 {
            let info: String = scene.raw.ask(&["INFO", "stats"]);
            let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
            line.unwrap().trim().parse().unwrap()
        };
        let before = connected(&mut scene);
        for _ in 0..50 {
            request = scene.store.update(next(&request), WriteId::generate()).unwrap();
        }
        assert_eq!(connected(&mut scene), before, "{flavour:?}");
    }
}
