//! The disk is full: the append-only file cannot grow. Made so by a limit on the size of the server's files.

use std::process::Command;
use std::time::Duration;

use mutator_governance::{Outcome, StoreErrorKind, WriteId};

use crate::faults::scene::{Directory, Scene, in_time, kind, next, rounds};
use common::PrivateServer;
use common::requests::{pending, second};
use common::{Flavour, patiently};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Limits how large a file the process may write, in bytes; the hard limit stays, so that it can be lifted again.
fn limit_file_size(pid: u32, limit: &str) {
    let status = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--fsize={limit}:")]).status();
    assert!(status.unwrap().success(), "prlimit --fsize={limit}");
}

#[test]
fn a_full_disk_is_unavailable_until_there_is_room_again() {
    for flavour in Flavour::all() {
        let directory = Directory::new();
        // With `always` redis-server itself ends when it cannot write: the fault of a server that is gone.
        let arguments = ["--dir", directory.text(), "--appendonly", "yes", "--appendfsync", "everysec"];
        let server = PrivateServer::start_on_tcp(&arguments);
        let mut scene = Scene::new(flavour, server.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for round in 0..rounds().min(2) {
            limit_file_size(server.pid(), "10");
            // The first writes may be acknowledged before the server finds out that it cannot keep them.
            let mut rejected = None;
            for _ in 0..200 {
                let write_id = WriteId::generate();
                match in_time("update", TIMEOUT, || scene.store.update(next(&request), write_id)) {
                    Ok(stored) => request = stored,
                    Err(error) => {
                        rejected = Some((error, next(&request), write_id));
                        break;
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let (error, change, write_id) =
                rejected.expect("a server that cannot write to its file rejects in the end");
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
            assert!(error.to_string().contains("MISCONF"), "{error}");
            let before = scene.raw.dump(&scene.oracle.namespace);
            let created = pending(&format!("new-{round}"), "s", second(1));
            let error = in_time("create", TIMEOUT, || scene.store.create(created.clone())).unwrap_err();
            assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Unavailable, Outcome::NotApplied), "{error}");
            assert_eq!(scene.raw.dump(&scene.oracle.namespace), before, "{flavour:?}: something was written");
            // Reading goes on, and a program that starts now finds its namespace.
            assert_eq!(scene.store.get(&request.id).unwrap().as_ref(), Some(&request));
            let opened = flavour.open(&scene.options).unwrap();
            assert_eq!(opened.get(&request.id).unwrap().as_ref(), Some(&request));

            limit_file_size(server.pid(), "unlimited");
            request = patiently("update", || scene.store.update(change.clone(), write_id));
            scene.store.create(created).unwrap();
        }
        scene.check();
    }
}
