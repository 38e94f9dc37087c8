//! The server stands still: stopped by a signal, or so slow that a reply comes when nobody waits for it.

use std::time::Duration;

use mutator_governance::{Error, Outcome, PageRequest, StoreErrorKind, WriteId};

use crate::faults::scene::{Scene, Stopped, in_time, kind, next, rounds, wait};
use common::PrivateServer;
use common::proxy::Proxy;
use common::requests::{pending, second};
use common::{Flavour, Raw, patiently};

const TIMEOUT: Duration = Duration::from_millis(500);

#[test]
fn a_stopped_server_ends_every_call_by_its_deadline_and_the_writes_are_resolved() {
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&[]);
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for round in 0..rounds() {
            let store = &scene.store;
            let (change, write_id) = (next(&request), WriteId::generate());
            let created = pending(&format!("new-{round}"), "s", second(round));
            let stopped = Stopped::new(server.pid());
            let error = in_time("update", TIMEOUT, || store.update(change.clone(), write_id)).unwrap_err();
            assert_eq!(
                (kind(&error), error.outcome()),
                (StoreErrorKind::DeadlineExceeded, Outcome::Unknown),
                "{error}"
            );
            let error = in_time("create", TIMEOUT, || store.create(created.clone())).unwrap_err();
            assert!(is_unanswered(&error, Outcome::Unknown), "{error:?}");
            let error = in_time("get", TIMEOUT, || store.get(&request.id)).unwrap_err();
            assert!(is_unanswered(&error, Outcome::NotApplied), "{error:?}");
            let error = in_time("page", TIMEOUT, || store.pending(&PageRequest::first())).unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
            drop(stopped);

            let stored = patiently("update", || store.update(change.clone(), write_id));
            assert_eq!(stored.revision(), request.revision().next(write_id), "{flavour:?}");
            assert_eq!(patiently("create", || store.create(created.clone())), created);
            let read = |id| patiently("get", || store.get(id));
            assert_eq!(read(&stored.id).as_ref(), Some(&stored), "{flavour:?}: the reply of another call");
            assert_eq!(read(&created.id).as_ref(), Some(&created));
            request = stored;
        }
        scene.check();
    }
}

/// Whether a call says that it was not answered; or that its new connection was not, and then that it was not even sent.
fn is_unanswered(error: &Error, outcome: Outcome) -> bool {
    match kind(error) {
        StoreErrorKind::DeadlineExceeded => error.outcome() == outcome,
        StoreErrorKind::Unreachable => error.outcome() == Outcome::NotApplied,
        _ => false,
    }
}

/// A reply that comes too late is not taken for the answer to the next call.
#[test]
fn a_late_reply_is_never_handed_to_another_call() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all() {
        let scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        let (one, other) = (scene.request("one"), scene.request("other"));
        for _ in 0..rounds() {
            // By so much that a busy machine cannot be too slow to tell.
            proxy.delay_replies(TIMEOUT + Duration::from_millis(300));
            let error = in_time("get", TIMEOUT, || scene.store.get(&one.id)).unwrap_err();
            assert_eq!(kind(&error), StoreErrorKind::DeadlineExceeded);
            proxy.delay_replies(Duration::ZERO);
            for _ in 0..20 {
                let read = patiently("get", || scene.store.get(&other.id));
                assert_eq!(read.as_ref(), Some(&other), "{flavour:?}: got the answer to another call");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Many callers on a server that stands still: nobody waits longer than the deadline, and no more connections are made
/// than the pool may have.
#[test]
fn an_exhausted_pool_ends_every_call_by_its_deadline() {
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&[]);
        let proxy = Proxy::to(server.url());
        let mut scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        scene.options.pool_size = 2;
        scene.store = flavour.opened(&scene.options);
        let request = scene.request("r");
        let accepted = proxy.accepted();
        let stopped = Stopped::new(server.pid());
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let error = in_time("get", TIMEOUT, || scene.store.get(&request.id)).unwrap_err();
                    let kinds = [StoreErrorKind::DeadlineExceeded, StoreErrorKind::Unreachable];
                    assert!(kinds.contains(&kind(&error)), "{error:?}");
                    assert!(error.is_retryable());
                });
            }
        });
        drop(stopped);
        assert!(proxy.accepted() - accepted <= 4, "{flavour:?}: {} connections", proxy.accepted() - accepted);
        assert_eq!(patiently("get", || scene.store.get(&request.id)).as_ref(), Some(&request), "{flavour:?}");
    }
}

/// A command that takes long, as a script of somebody else's would: the server is alive and does nothing else.
#[test]
fn a_server_that_sleeps_ends_every_call_by_its_deadline_and_the_writes_are_resolved() {
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&["--enable-debug-command", "yes"]);
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for _ in 0..rounds().div_ceil(5) {
            let (change, write_id) = (next(&request), WriteId::generate());
            std::thread::scope(|scope| {
                let mut raw = Raw::to(server.url());
                let asleep = scope.spawn(move || raw.ask::<String>(&["DEBUG", "SLEEP", "4"]));
                wait("the server sleeps", || !answers(server.url()));
                let error = in_time("update", TIMEOUT, || scene.store.update(change.clone(), write_id)).unwrap_err();
                let expected = (StoreErrorKind::DeadlineExceeded, Outcome::Unknown);
                assert_eq!((kind(&error), error.outcome()), expected, "{error}");
                let error = in_time("get", TIMEOUT, || scene.store.get(&request.id)).unwrap_err();
                assert!(is_unanswered(&error, Outcome::NotApplied), "{error:?}");
                asleep.join().unwrap();
            });
            let stored = patiently("update", || scene.store.update(change.clone(), write_id));
            assert_eq!(stored.revision(), request.revision().next(write_id), "{flavour:?}: applied once");
            request = stored;
        }
        scene.check();
    }
}

/// Whether the server answers a new connection within a moment.
fn answers(url: &str) -> bool {
    let mut connection = match redis::Client::open(url).unwrap().get_connection_with_timeout(TIMEOUT) {
        Ok(connection) => connection,
        Err(_) => return false,
    };
    connection.set_read_timeout(Some(TIMEOUT / 5)).unwrap();
    redis::cmd("PING").query::<String>(&mut connection).is_ok()
}

/// Callers keep coming while one of them makes the next connection, which a stopped server accepts and does not answer:
/// whoever was waiting for a reply does not wait for the connection too.
#[test]
fn nobody_waits_beyond_his_deadline_for_a_connection_that_others_make() {
    const PATIENCE: Duration = Duration::from_millis(2_500);
    for flavour in Flavour::all() {
        let server = PrivateServer::start_on_tcp(&[]);
        // Another database, so that making a connection takes an answer of the server.
        let url = format!("{}1", server.url());
        let scene = Scene::new(flavour, &url, server.url(), PATIENCE);
        let request = scene.request("r");
        let stopped = Stopped::new(server.pid());
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| in_time("get", PATIENCE, || scene.store.get(&request.id)).unwrap_err());
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        drop(stopped);
        assert_eq!(patiently("get", || scene.store.get(&request.id)).as_ref(), Some(&request), "{flavour:?}");
    }
}
