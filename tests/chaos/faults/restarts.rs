//! The server is killed and comes back at the same address, from its append-only file.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mutator_governance::{MutationRequest, Outcome, StoreErrorKind, WriteId};

use crate::faults::scene::{Directory, Scene, kind, next, resolved, rounds, wait};
use common::requests::{pending, second};
use common::server::free_port;
use common::{Flavour, Options, Oracle, Raw, patiently};
use common::{PrivateServer, unique_namespace};

struct EndAtDrop<'a>(&'a AtomicBool);

impl Drop for EndAtDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Killed under load, again and again: what was acknowledged is there when the server is back, the store reconnects by
/// itself, and writes whose outcome was unknown are resolved by repeating them.
#[test]
fn acknowledged_writes_survive_a_kill_and_the_store_reconnects() {
    for flavour in Flavour::all() {
        let directory = Directory::new();
        let port = free_port();
        // With `everysec` the server answers before it has written to the file whenever the disk is slower than it
        // would like, and a kill then loses up to two seconds.
        let arguments = ["--dir", directory.text(), "--appendonly", "yes", "--appendfsync", "always"];
        let mut server = PrivateServer::start_on_port(port, &arguments);
        let mut scene = Scene::new(flavour, server.url(), server.url(), Duration::from_millis(400));
        let acknowledged: Mutex<Vec<MutationRequest>> =
            Mutex::new((0..3).map(|n| scene.request(&format!("r{n}"))).collect());
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Set too when the checks below fail, or the writers would go on for ever.
            let _end = EndAtDrop(&ended);
            for writer in 0..3 {
                let (store, acknowledged, ended) = (scene.store.clone(), &acknowledged, &ended);
                scope.spawn(move || {
                    while !ended.load(Ordering::Relaxed) {
                        let request = acknowledged.lock().unwrap()[writer].clone();
                        let write_id = WriteId::generate();
                        // Nobody else writes it, so a conflict would be a write lost or applied twice.
                        let stored = resolved(&store, &next(&request), write_id).unwrap();
                        assert_eq!(stored.revision(), request.revision().next(write_id));
                        acknowledged.lock().unwrap()[writer] = stored;
                    }
                });
            }
            let written =
                || acknowledged.lock().unwrap().iter().map(|request| request.revision().number).min().unwrap();
            for _ in 0..rounds() {
                let begun = written();
                wait("every writer has written again", || written() >= begun + 2);
                std::thread::sleep(Duration::from_millis(fastrand::u64(..200)));
                let before = acknowledged.lock().unwrap().clone();
                server.stop();
                directory.repair_append_only_file();
                server = PrivateServer::start_on_port(port, &arguments);
                scene.raw = Raw::to(server.url());
                for known in before {
                    let read =
                        patiently("get", || scene.store.get(&known.id)).expect("an acknowledged request is there");
                    assert!(read.revision().number >= known.revision().number, "{flavour:?}: acknowledged, and lost");
                    assert_eq!(read.decisions[..known.decisions.len()], known.decisions[..]);
                }
            }
        });
        for request in acknowledged.into_inner().unwrap() {
            assert_eq!(patiently("get", || scene.store.get(&request.id)), Some(request));
        }
        scene.check();
    }
}

/// Nothing listens at the address any more: each call says so, and that nothing was written.
#[test]
fn a_server_that_is_gone_is_unreachable_and_nothing_is_claimed() {
    for flavour in Flavour::all() {
        let port = free_port();
        let mut server = PrivateServer::start_on_port(port, &[]);
        let scene = Scene::new(flavour, server.url(), server.url(), Duration::from_secs(2));
        let request = scene.request("r");
        server.stop();
        // The first call may find out by a connection that was open: then it cannot know.
        drop(scene.store.update(next(&request), WriteId::generate()));
        for _ in 0..3 {
            let error = scene.store.update(next(&request), WriteId::generate()).unwrap_err();
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unreachable, Outcome::NotApplied), "{error}");
            assert!(error.to_string().contains(&port.to_string()), "{error}");
            assert!(error.to_string().to_lowercase().contains("refused"), "{flavour:?}: no cause: {error}");
        }
    }
}

/// The server loads its data, slowly: a call returns so or waits for it, and the store is there afterwards.
#[test]
fn a_server_that_is_loading_is_unavailable_until_it_has_loaded() {
    let directory = Directory::new();
    let port = free_port();
    let on_disk = ["--dir", directory.text(), "--appendonly", "yes"];
    let mut server = PrivateServer::start_on_port(port, &on_disk);
    let namespace = unique_namespace("loading");
    let mut raw = Raw::to(server.url());
    let options = Options::new(server.url(), &namespace).timeout(Duration::from_millis(300));
    let stores: Vec<_> = Flavour::all().into_iter().map(|flavour| (flavour, flavour.opened(&options))).collect();
    let request = patiently("create", || stores[0].1.create(pending("r", "s", second(0))));
    for number in 0..1_500 {
        let _: String = raw.ask(&["SET", &format!("filler-{number}"), &"x".repeat(2_000)]);
    }
    let _: String = raw.ask(&["BGREWRITEAOF"]);
    let info = |raw: &mut Raw| -> String { raw.ask(&["INFO", "persistence"]) };
    wait("the file is rewritten", || {
        let loading = info(&mut raw);
        loading.contains("aof_rewrites:1") && loading.contains("aof_rewrite_in_progress:0")
    });
    server.stop();

    let mut loading = 0;
    std::thread::scope(|scope| {
        let start = scope.spawn(|| {
            let slowly =
                [&on_disk[..], &["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"]];
            PrivateServer::start_on_port(port, &slowly.concat())
        });
        while !start.is_finished() {
            for (flavour, store) in &stores {
                let Err(error) = store.get(&request.id) else { continue };
                let known = matches!(
                    kind(&error),
                    StoreErrorKind::Unavailable
                        | StoreErrorKind::Unreachable
                        | StoreErrorKind::Connection
                        | StoreErrorKind::DeadlineExceeded
                );
                assert!(known && error.is_retryable(), "{flavour:?}: {error:?}");
                let is_loading = error.to_string().contains("LOADING") || error.to_string().contains("loading");
                loading += u32::from(kind(&error) == StoreErrorKind::Unavailable && is_loading);
            }
        }
        server = start.join().unwrap();
    });
    assert!(loading > 0, "nobody was told that the server is loading");
    for (_, store) in &stores {
        assert_eq!(patiently("get", || store.get(&request.id)).as_ref(), Some(&request));
    }
    let patient = stores[0].0.opened(&options.timeout(Duration::from_mins(1)));
    Oracle::new(&namespace, 1).check(&mut Raw::to(server.url()), &patient);
}
