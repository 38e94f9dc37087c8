//! The server answers, and rejects.

use std::time::Duration;

use mutator_governance::{Error, Outcome, PageRequest, StoreErrorKind, WriteId};

use crate::faults::scene::{Scene, in_time, kind, next, rounds};
use common::requests::{pending, second};
use common::{Flavour, Options, Raw, patiently};
use common::{PrivateServer, unique_namespace};

const TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_server_out_of_memory_is_unavailable_and_writes_nothing() {
    let server = PrivateServer::start_on_tcp(&["--maxmemory-policy", "noeviction"]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for round in 0..rounds() {
            let before = scene.raw.dump(&scene.oracle.namespace);
            let _: String = scene.raw.ask(&["CONFIG", "SET", "maxmemory", "100kb"]);
            let (change, write_id) = (next(&request), WriteId::generate());
            let error = in_time("update", TIMEOUT, || scene.store.update(change.clone(), write_id)).unwrap_err();
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
            let created = pending(&format!("new-{round}"), "s", second(1));
            let error = in_time("create", TIMEOUT, || scene.store.create(created.clone())).unwrap_err();
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
            assert_eq!(scene.raw.dump(&scene.oracle.namespace), before, "{flavour:?}: something was written");
            // Reading goes on.
            assert_eq!(scene.store.get(&request.id).unwrap().as_ref(), Some(&request));
            assert!(!scene.store.pending(&PageRequest::first()).unwrap().items.is_empty() || round % 2 == 1);
            let _: String = scene.raw.ask(&["CONFIG", "SET", "maxmemory", "0"]);
            request = scene.store.update(change, write_id).unwrap();
            scene.store.create(created).unwrap();
        }
        scene.check();
    }
}

#[test]
fn a_replica_is_unavailable_for_writes_and_recovers_when_promoted() {
    let primary = PrivateServer::start_on_tcp(&[]);
    let (host, port) = primary.url().trim_start_matches("redis://").trim_end_matches('/').split_once(':').unwrap();
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&[]);
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for _ in 0..rounds() {
            // The other server has nothing, so the replica must not have synchronised with it: its link is rejected.
            let mut primary_raw = Raw::to(primary.url());
            let _: String = primary_raw.ask(&["CONFIG", "SET", "requirepass", "nobody-knows"]);
            let _: String = scene.raw.ask(&["REPLICAOF", host, port]);
            let before = scene.raw.dump(&scene.oracle.namespace);
            let (change, write_id) = (next(&request), WriteId::generate());
            let update = || scene.store.update(change.clone(), write_id);
            let error = in_time("update", TIMEOUT, update).unwrap_err();
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
            assert_eq!(scene.store.get(&request.id).unwrap().as_ref(), Some(&request), "{flavour:?}: reading goes on");
            assert_eq!(scene.raw.dump(&scene.oracle.namespace), before);
            let _: String = scene.raw.ask(&["REPLICAOF", "NO", "ONE"]);
            request = patiently("update", || scene.store.update(change.clone(), write_id));
            let _: String = primary_raw.ask(&["CONFIG", "SET", "requirepass", ""]);
        }
        scene.check();
    }
}

#[test]
fn too_few_replicas_are_unavailable_and_nothing_is_written() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let request = scene.request("r");
        let before = scene.raw.dump(&scene.oracle.namespace);
        let _: String = scene.raw.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
        let (change, write_id) = (next(&request), WriteId::generate());
        let error = scene.store.update(change.clone(), write_id).unwrap_err();
        let _: String = scene.raw.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
        assert_eq!(scene.raw.dump(&scene.oracle.namespace), before);
        scene.store.update(change, write_id).unwrap();
        scene.check();
    }
}

/// The feed entry is the first that is written, because no check finds out that it will fail.
#[test]
fn a_feed_that_takes_no_entry_any_more_leaves_nothing_half_written() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let request = scene.request("r");
        let feed = scene.oracle.feed_key(0);
        let last = format!("{max}-{max}", max = u64::MAX);
        let _: String = scene.raw.ask(&[b"XADD".as_slice(), &feed, last.as_bytes(), b"id", b"x"]);
        let before = scene.raw.dump(&scene.oracle.namespace);
        let update = scene.store.update(next(&request), WriteId::generate()).unwrap_err();
        let create = scene.store.create(pending("new", "s", second(1))).unwrap_err();
        assert_eq!(scene.raw.dump(&scene.oracle.namespace), before, "{flavour:?}: {update}, {create}");
    }
}

/// A user who may run scripts but lacks one command that they use: all of a write, or nothing of it.
#[test]
fn a_permission_that_is_missing_leaves_nothing_half_written() {
    let server = PrivateServer::start_on_tcp(&[]);
    let address = server.url().trim_start_matches("redis://").to_owned();
    for flavour in Flavour::all() {
        for missing in ["get", "set", "zadd", "zrem", "xadd", "type", "evalsha"] {
            let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
            let request = scene.request("r");
            let user = unique_namespace("user");
            let without = format!("-{missing}");
            let _: String = scene.raw.ask(&["ACL", "SETUSER", &user, "on", ">pw", "~*", "+@all"]);
            let options = Options { url: format!("redis://{user}:pw@{address}"), ..scene.options.clone() };
            // Taken away after the store was opened, since opening finds it out.
            let store = flavour.opened(&options);
            let _: String = scene.raw.ask(&["ACL", "SETUSER", &user, &without]);
            let update = || store.update(next(&request), WriteId::generate());
            let create = || store.create(pending("new", "s", second(1)));
            for (what, write) in [("update", &update as &dyn Fn() -> Result<_, Error>), ("create", &create)] {
                let before = scene.raw.dump(&scene.oracle.namespace);
                // Types are asked for only where something is of another, and a create removes nothing.
                if missing == "type" || (missing, what) == ("zrem", "create") {
                    write().unwrap();
                    continue;
                }
                let error = write().unwrap_err();
                assert_eq!(kind(&error), StoreErrorKind::Rejected, "{flavour:?} {without} {what}: {error}");
                assert_eq!(error.outcome(), Outcome::NotApplied, "{flavour:?} {without} {what}: {error}");
                assert_eq!(scene.raw.dump(&scene.oracle.namespace), before, "{flavour:?}, {without}: {what}");
            }
            let opened = flavour.open(&options).map(drop).unwrap_err();
            assert!(matches!(opened, Error::Store(_)), "{flavour:?}, {without}: {opened:?}");
            scene.check();
        }
    }
}

/// Nothing was sent that the server has looked at, and it may have room again at any time.
#[test]
fn a_server_with_all_the_clients_it_takes_is_unavailable() {
    for server in [PrivateServer::start_on_tcp(&[]), PrivateServer::start(&[])] {
        let mut raw = Raw::to(server.url());
        let _: String = raw.ask(&["CONFIG", "SET", "requirepass", "pw"]);
        let with_password = match server.url().strip_prefix("redis://") {
            Some(address) => format!("redis://:pw@{address}"),
            None => format!("{}?pass=pw", server.url()),
        };
        for flavour in Flavour::all() {
            for (url, password) in [(server.url(), ""), (&with_password, "pw")] {
                let _: String = raw.ask(&["CONFIG", "SET", "requirepass", password]);
                let options = Options::new(url, unique_namespace("full")).timeout(TIMEOUT);
                let _: String = raw.ask(&["CONFIG", "SET", "maxclients", "1"]);
                let opened = in_time("open", TIMEOUT, || flavour.open(&options).map(drop));
                let _: String = raw.ask(&["CONFIG", "SET", "maxclients", "1000"]);
                let error = opened.unwrap_err();
                let what = format!("{flavour:?} at {}: {error}", server.url());
                assert_eq!(kind(&error), StoreErrorKind::Unavailable, "{what}");
                assert_eq!((error.outcome(), error.is_retryable()), (Outcome::NotApplied, true), "{what}");
                patiently("open", || flavour.open(&options).map(drop));
            }
        }
    }
}
