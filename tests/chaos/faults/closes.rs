//! Connections that the server closes: a call whose command was not sent by then was not applied, and says so at once.

use std::time::{Duration, Instant};

use mutator_governance::{Outcome, StoreErrorKind, WriteId};

use crate::faults::scene::{Scene, kind, next, rounds};
use common::PrivateServer;
use common::{Flavour, patiently};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Half of the time that a call has: who waits so long waits for its deadline.
const AT_ONCE: Duration = Duration::from_secs(10);

#[test]
fn a_connection_that_was_closed_while_nobody_used_it_fails_no_call() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for round in 0..4 * rounds() {
            let killed: i64 = scene.raw.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
            assert!(killed > 0, "{flavour:?}, round {round}: nothing was connected");
            let began = Instant::now();
            request = scene.store.update(next(&request), WriteId::generate()).unwrap();
            assert!(began.elapsed() < AT_ONCE, "{flavour:?}: {:?}", began.elapsed());
        }
        scene.check();
    }
}

/// Closed while nobody used it, and no other is to be had: nothing was sent, so nothing is unknown.
#[test]
fn a_write_that_finds_its_connection_closed_and_no_other_is_not_applied() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for round in 0..2 * rounds() {
            let _: String = scene.raw.ask(&["CONFIG", "SET", "maxclients", "1"]);
            let _: i64 = scene.raw.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
            let (change, write_id, began) = (next(&request), WriteId::generate(), Instant::now());
            let error = scene.store.update(change.clone(), write_id).unwrap_err();
            let took = began.elapsed();
            let _: String = scene.raw.ask(&["CONFIG", "SET", "maxclients", "1000"]);
            let what = format!("{flavour:?}, round {round}: {error}");
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{what}");
            assert!(error.is_retryable() && took < AT_ONCE, "{what}, {took:?}");
            assert_eq!(scene.store.get(&request.id).unwrap().as_ref(), Some(&request), "{what}");
            request = patiently("update", || scene.store.update(change.clone(), write_id));
        }
        scene.check();
    }
}
