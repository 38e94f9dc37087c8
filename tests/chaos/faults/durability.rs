//! Writes that wait for replicas or for the disk: confirmed, or told to have been applied without.

use std::io::Write as _;
use std::time::Duration;

use mutator_governance::{Durability, Error, MutationRequest, Outcome, Result, StoreErrorKind, WriteId};

use crate::faults::failover::follow;
use crate::faults::scene::{Stopped, in_time, kind, next, wait, within};
use common::requests::{pending, second};
use common::{Flavour, Options, Raw};
use common::{PrivateServer, unique_namespace};

const TIMEOUT: Duration = Duration::from_millis(1_500);

fn options(server: &PrivateServer, timeout: Duration) -> Options {
    Options::new(server.url(), unique_namespace("durability")).timeout(timeout)
}

#[test]
fn a_write_that_waits_for_a_replica_is_there_when_its_call_returns() {
    let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
    let replica = PrivateServer::start_on_tcp(&[]);
    let mut on_replica = Raw::to(replica.url());
    follow(&mut on_replica, primary.url());
    for flavour in Flavour::all() {
        let options = options(&primary, Duration::from_secs(10)).durability(Durability::Replicas(1));
        let store = flavour.open(&options).unwrap();
        let mut request = store.create(pending("r", "s", second(0))).unwrap();
        for _ in 0..20 {
            request = store.update(next(&request), WriteId::generate()).unwrap();
            let stored: Vec<Vec<u8>> =
                on_replica.keys(&options.namespace).into_iter().filter(|key| key.ends_with(b":r:r")).collect();
            let record: Vec<u8> = on_replica.ask(&[b"GET".as_slice(), &stored[0]]);
            assert_eq!(record[20..28], request.revision().number.to_be_bytes(), "{flavour:?}");
        }
    }
}

#[test]
fn a_write_that_no_replica_confirms_is_applied_and_reported_as_unconfirmed() {
    let primary = PrivateServer::start_on_tcp(&["--repl-diskless-sync-delay", "0"]);
    let replica = PrivateServer::start_on_tcp(&[]);
    follow(&mut Raw::to(replica.url()), primary.url());
    for flavour in Flavour::all() {
        let options = options(&primary, TIMEOUT);
        let plain = flavour.opened(&options);
        let store = flavour.opened(&options.clone().durability(Durability::Replicas(1)));
        let patient = options.clone().durability(Durability::Replicas(1)).timeout(Duration::from_secs(20));
        let patient = flavour.open(&patient).unwrap();
        let request = patient.create(pending("r", "s", second(0))).unwrap();

        let stopped = Stopped::new(replica.pid());
        let unconfirmed = |what: &str, error: &Error| {
            assert_eq!(
                (kind(error), error.outcome()),
                (StoreErrorKind::Unconfirmed, Outcome::Applied),
                "{what}: {error}"
            );
            assert!(error.to_string().contains("only 0 of 1 replicas"), "{what}: {error}");
            assert!(error.unsettled_write().is_none() && !error.is_retryable(), "{what}: {error}");
        };
        let (change, write_id) = (next(&request), WriteId::generate());
        let error = in_time("update", TIMEOUT, || store.update(change.clone(), write_id)).unwrap_err();
        unconfirmed("update", &error);
        let error = in_time("create", TIMEOUT, || store.create(pending("new", "s", second(1)))).unwrap_err();
        unconfirmed("create", &error);
        // Repeated it is recognised, and still not confirmed, although this connection has written nothing since.
        let error = in_time("repeat", TIMEOUT, || store.update(change.clone(), write_id)).unwrap_err();
        unconfirmed("repeat", &error);

        // Whoever does not wait is not kept waiting, and sees what was applied.
        within("what does not wait", TIMEOUT / 2, || {
            let stored = plain.get(&request.id).unwrap().unwrap();
            assert_eq!(stored.revision().number, 1, "{flavour:?}");
            plain.update(next(&stored), WriteId::generate()).unwrap();
        });

        drop(stopped);
        let stored = plain.get(&request.id).unwrap().unwrap();
        assert_eq!(stored.revision().number, 2, "{flavour:?}");
        patient.update(next(&stored), WriteId::generate()).unwrap();
    }
}

/// From 7.2 on a server tells a connection that has written nothing that all of it is confirmed. The write of a caller who
/// repeats it on another connection was not.
#[test]
fn a_write_repeated_on_a_new_connection_is_unconfirmed_on_a_newer_server_too() {
    let Some(primary) = PrivateServer::start_newer_on_tcp(&["--repl-diskless-sync-delay", "0"]) else {
        return skipped();
    };
    let replica = PrivateServer::start_newer_on_tcp(&[]).unwrap();
    follow(&mut Raw::to(replica.url()), primary.url());
    for flavour in Flavour::all() {
        let waiting = options(&primary, TIMEOUT).durability(Durability::Replicas(1));
        let patient = flavour.open(&waiting.clone().timeout(Duration::from_secs(20))).unwrap();
        let request = patient.create(pending("r", "s", second(0))).unwrap();
        let (change, write_id, created) = (next(&request), WriteId::generate(), pending("new", "s", second(1)));
        let stopped = Stopped::new(replica.pid());
        for attempt in ["first", "repeated"] {
            let store = flavour.opened(&waiting);
            let error = in_time(attempt, TIMEOUT, || store.update(change.clone(), write_id)).unwrap_err();
            assert_eq!(kind(&error), StoreErrorKind::Unconfirmed, "{flavour:?}, {attempt} update: {error}");
            let store = flavour.opened(&waiting);
            let error = in_time(attempt, TIMEOUT, || store.create(created.clone())).unwrap_err();
            assert_eq!(kind(&error), StoreErrorKind::Unconfirmed, "{flavour:?}, {attempt} creation: {error}");
        }
        drop(stopped);
        patient.update(change, write_id).unwrap();
        assert_eq!(patient.create(created.clone()).unwrap(), created);
    }
}

#[test]
fn a_write_that_waits_for_the_disk_of_a_newer_server_is_reported_as_there_or_not() {
    let Some(server) = PrivateServer::start_newer_on_tcp(&["--appendonly", "yes"]) else {
        return skipped();
    };
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = options(&server, Duration::from_secs(10)).durability(Durability::Fsynced);
        let store = flavour.open(&options).unwrap();
        let request = store.create(pending("r", "s", second(0))).unwrap();
        let (change, write_id) = (next(&request), WriteId::generate());
        for _ in ["first", "repeated"] {
            store.update(change.clone(), write_id).unwrap();
        }
        let _: String = raw.ask(&["CONFIG", "SET", "appendonly", "no"]);
        let error = store.update(change.clone(), write_id).unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unconfirmed, Outcome::Applied), "{error}");
        let _: String = raw.ask(&["CONFIG", "SET", "appendonly", "yes"]);
    }
}

/// Past the test harness, which would keep the line of a passing test to itself.
fn skipped() {
    let line = "SKIPPED: MUTATOR_TEST_NEWER_REDIS names no redis-server of 7.2 or newer";
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// What the first of those on newer servers shows, seen on any: a repeated write that waits leaves the connection something to
/// wait for, and nothing else. One that does not wait, or is another's, writes nothing.
#[test]
fn a_repeated_write_that_waits_is_written_once_more() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let options = options(&server, TIMEOUT);
        let mut raw = Raw::to(server.url());
        let plain = flavour.opened(&options);
        let waiting = flavour.opened(&options.clone().durability(Durability::Replicas(1)));
        let created = pending("r", "s", second(0));
        let request = plain.create(created.clone()).unwrap();
        let (change, write_id) = (next(&request), WriteId::generate());
        plain.update(change.clone(), write_id).unwrap();

        let before = raw.dump(&options.namespace);
        let mut written = |write: &dyn Fn() -> Result<MutationRequest>| {
            let before = changes(&mut raw);
            let result = write();
            (changes(&mut raw) - before, result.err().map(|error| kind(&error)))
        };
        let unconfirmed = Some(StoreErrorKind::Unconfirmed);
        assert_eq!(written(&|| waiting.update(change.clone(), write_id)), (1, unconfirmed), "{flavour:?}");
        assert_eq!(written(&|| waiting.create(created.clone())), (1, unconfirmed), "{flavour:?}");
        assert_eq!(written(&|| plain.update(change.clone(), write_id)), (0, None), "{flavour:?}");
        assert_eq!(written(&|| plain.create(created.clone())), (0, None), "{flavour:?}");
        let taken = || waiting.create(pending("r", "s", second(1)));
        let error = within("a write of another's", TIMEOUT / 2, taken).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{flavour:?}: {error}");
        assert_eq!(raw.dump(&options.namespace), before, "{flavour:?}");
    }
}

/// Writes that share a connection wait one after another. Each has what is left of its time when it was answered, and what
/// was answered is known to be applied.
#[test]
fn writes_that_wait_behind_each_other_are_applied_and_unconfirmed() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let timeout = Duration::from_secs(4);
        let options = options(&server, timeout).pool_size(1).durability(Durability::Replicas(1));
        let store = flavour.open(&options).unwrap();
        std::thread::scope(|scope| {
            for name in ["one", "other"] {
                let store = &store;
                scope.spawn(move || {
                    let error = in_time(name, timeout, || store.create(pending(name, "s", second(0)))).unwrap_err();
                    let found = (kind(&error), error.outcome());
                    assert_eq!(found, (StoreErrorKind::Unconfirmed, Outcome::Applied), "{flavour:?}, {name}: {error}");
                });
            }
        });
    }
}

#[test]
fn a_write_whose_server_dies_while_it_waits_was_applied() {
    for flavour in Flavour::all() {
        let mut server = PrivateServer::start_on_tcp(&[]);
        let options = options(&server, Duration::from_secs(20)).durability(Durability::Replicas(1));
        let (plain, store) =
            (flavour.open(&options.clone().durability(Durability::Acknowledged)), flavour.open(&options));
        let (plain, store) = (plain.unwrap(), store.unwrap());
        let request = pending("r", "s", second(0));
        std::thread::scope(|scope| {
            let write = scope.spawn(|| store.create(request.clone()));
            wait("the write is there", || plain.get(&request.id).unwrap().is_some());
            // It is answered, and waits for its confirmation.
            let mut raw = Raw::to(server.url());
            wait("the write waits", || raw.ask::<String>(&["INFO", "clients"]).contains("blocked_clients:1"));
            server.stop();
            let error = write.join().unwrap().unwrap_err();
            let found = (kind(&error), error.outcome());
            assert_eq!(found, (StoreErrorKind::Unconfirmed, Outcome::Applied), "{flavour:?}: {error}");
        });
    }
}

/// How many changes the server has made since it began.
fn changes(raw: &mut Raw) -> u64 {
    let info: String = raw.ask(&["INFO", "persistence"]);
    info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:")?.parse().ok()).unwrap()
}

/// The write that waits must not hold up the reads of the same store.
#[test]
fn reading_goes_on_while_a_write_waits() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let options = options(&server, Duration::from_secs(4)).durability(Durability::Replicas(1));
        let store = flavour.open(&options).unwrap();
        let mut raw = Raw::to(server.url());
        std::thread::scope(|scope| {
            let write = scope.spawn(|| store.create(pending("r", "s", second(0))));
            wait("the write waits", || raw.ask::<String>(&["INFO", "clients"]).contains("blocked_clients:1"));
            assert!(store.get(&pending("r", "s", second(0)).id).unwrap().is_some(), "{flavour:?}");
            assert!(!write.is_finished(), "{flavour:?}: reading was held up, or the write did not wait");
            assert_eq!(kind(&write.join().unwrap().unwrap_err()), StoreErrorKind::Unconfirmed);
        });
    }
}

#[test]
fn a_server_without_the_command_or_the_permission_is_rejected_when_the_store_is_opened() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut raw = Raw::to(server.url());
    let _: String = raw.ask(&["ACL", "SETUSER", "noreplicas", "on", ">pw", "~*", "+@all", "-wait"]);
    let knows_waitaof = raw.try_ask::<Vec<i64>>(&["WAITAOF", "0", "0", "1"]).is_ok();
    for flavour in Flavour::all() {
        if !knows_waitaof {
            let error = flavour.open(&options(&server, TIMEOUT).durability(Durability::Fsynced)).err().unwrap();
            assert_eq!(kind(&error), StoreErrorKind::Incompatible, "{error}");
            assert!(error.to_string().contains("7.2"), "{error}");
        }
        let url = server.url().replace("redis://", "redis://noreplicas:pw@");
        let limited = Options { url, ..options(&server, TIMEOUT) };
        flavour.opened(&limited);
        let waiting = limited.durability(Durability::Replicas(1));
        let error = flavour.open(&waiting).err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains("wait"), "{error}");

        // Taken away later, it does not make a write that was applied look like one that was not.
        let _: String = raw.ask(&["ACL", "SETUSER", "noreplicas", "+wait"]);
        let store = flavour.opened(&waiting);
        let _: String = raw.ask(&["ACL", "SETUSER", "noreplicas", "-wait"]);
        let error = store.create(pending("r", "s", second(0))).unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unconfirmed, Outcome::Applied), "{error}");
        assert!(store.get(&pending("r", "s", second(0)).id).unwrap().is_some(), "{flavour:?}");
    }
}
