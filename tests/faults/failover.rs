//! A replica is promoted that never got the last writes: revision numbers repeat, write ids do not.

use std::time::{Duration, Instant};

use mutator_governance::WriteId;

use crate::proxy::Proxy;
use crate::redis_support::{Flavour, Raw};
use crate::scene::{Scene, next, recovered, rounds};
use crate::support::PrivateServer;

pub fn follow(replica: &mut Raw, primary: &str) {
    let (host, port) = primary.trim_start_matches("redis://").trim_end_matches('/').split_once(':').unwrap();
    let _: String = replica.ask(&["REPLICAOF", host, port]);
    wait("the replica follows", || replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "waiting for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_writer_whose_revision_was_lost_in_a_failover_does_not_win() {
    for flavour in Flavour::all() {
        for round in 0..rounds() {
            let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
            let replica = PrivateServer::start_on_tcp(&[]);
            let mut replica_raw = Raw::to(replica.url());
            let proxy = Proxy::to(primary.url());
            let mut scene = Scene::new(flavour, &proxy.url(), primary.url(), Duration::from_secs(10));
            let base = scene.request("r");
            follow(&mut replica_raw, primary.url());
            let _: i64 = scene.raw.ask(&["WAIT", "1", "10000"]);

            // The link is cut, and writes are acknowledged that the replica never sees.
            let _: String = replica_raw.ask(&["REPLICAOF", "NO", "ONE"]);
            let mut lost = base.clone();
            for _ in 0..=round {
                lost = scene.store.update(next(&lost), WriteId::generate()).unwrap();
            }
            proxy.redirect(replica.url());
            scene.raw = replica_raw;

            let mut kept = recovered("get", || scene.store.get(&base.id)).unwrap();
            assert_eq!(kept, base, "{flavour:?}");
            for _ in 0..=round {
                kept = scene.store.update(next(&kept), WriteId::generate()).unwrap();
            }
            assert_eq!(kept.revision().number, lost.revision().number, "the numbers repeat");

            let error = scene.store.update(next(&lost), WriteId::generate()).unwrap_err();
            let conflict = error.as_conflict().unwrap_or_else(|| panic!("{flavour:?}: {error:?}"));
            assert_eq!((conflict.expected, conflict.actual), (lost.revision(), kept.revision()));
            assert_eq!(scene.store.get(&base.id).unwrap().as_ref(), Some(&kept));
            scene.check();
        }
    }
}
