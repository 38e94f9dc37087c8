//! A replica is promoted that never got the last writes: revision numbers repeat, write ids do not.

use std::time::Duration;

use mutator_governance::{Outcome, PageRequest, StoreErrorKind, WriteId};

use crate::faults::scene::{Scene, kind, next, rounds, wait};
use common::proxy::Proxy;
use common::requests::{pending, second};
use common::{Flavour, Options, Raw, patiently};
use common::{PrivateServer, unique_namespace};

pub fn follow(replica: &mut Raw, primary: &str) {
    let (host, port) = primary.trim_start_matches("redis://").trim_end_matches('/').split_once(':').unwrap();
    let _: String = replica.ask(&["REPLICAOF", host, port]);
    wait("the replica follows", || replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
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

            let mut kept = patiently("get", || scene.store.get(&base.id)).unwrap();
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

/// A store that only reads is content with a replica, and rejects to write by itself.
#[test]
fn a_read_only_store_reads_a_replica_and_writes_nothing() {
    let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
    let replica = PrivateServer::start_on_tcp(&[]);
    let mut on_replica = Raw::to(replica.url());
    follow(&mut on_replica, primary.url());
    for flavour in Flavour::all() {
        let namespace = unique_namespace("read-only");
        let reading = Options::new(replica.url(), &namespace).read_only();
        let error = flavour.open(&reading).err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Incompatible, "{error}");
        assert!(error.to_string().contains("does not exist"), "{error}");

        let writer = flavour.open(&Options::new(primary.url(), &namespace)).unwrap();
        let request = writer.create(pending("r", "s", second(0))).unwrap();
        wait("the replica has the namespace", || flavour.open(&reading).is_ok());
        let error = flavour.open(&Options::new(replica.url(), &namespace)).err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Incompatible, "{error}");
        assert!(error.to_string().contains("read_only"), "{error}");

        let reader = flavour.open(&reading).unwrap();
        wait("the replica has it", || reader.get(&request.id).unwrap().as_ref() == Some(&request));
        assert_eq!(reader.pending(&PageRequest::first()).unwrap().items, [request.clone()]);
        for rejected in [
            reader.create(pending("new", "s", second(1))),
            reader.update(next(&request), WriteId::generate()),
            flavour.open(&Options::new(primary.url(), &namespace).read_only()).unwrap().create(pending(
                "new",
                "s",
                second(1),
            )),
        ] {
            let error = rejected.unwrap_err();
            assert_eq!(
                (kind(&error), error.outcome()),
                (StoreErrorKind::Configuration, Outcome::NotApplied),
                "{error}"
            );
        }
        assert_eq!(writer.get(&pending("new", "s", second(1)).id).unwrap(), None, "{flavour:?}");
    }
}
