//! The append-only file ends in the middle of something, as after a power cut: what comes before is there, whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use mutator_governance::{MutationRequest, WriteId};

use crate::faults::scene::{Directory, every_byte, next};
use common::requests::{asking_for_approvals, draft, pending, second};
use common::server::free_port;
use common::{Flavour, Options, Oracle, Raw, Store};
use common::{PrivateServer, unique_namespace};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Creations and updates, and what each returned, in order.
fn write(store: &Store) -> Vec<MutationRequest> {
    let mut acknowledged = Vec::new();
    let mut request = store.create(pending("r", "s", second(0))).unwrap();
    acknowledged.push(request.clone());
    acknowledged.push(store.create(asking_for_approvals(draft("asking", "s"), second(1))).unwrap());
    for _ in 0..3 {
        request = store.update(next(&request), WriteId::generate()).unwrap();
        acknowledged.push(request.clone());
    }
    acknowledged.push(store.create(pending("last", "other", second(2))).unwrap());
    acknowledged
}

/// The part of the append-only file that is appended to.
fn appended(directory: &Directory) -> PathBuf {
    let folder = std::fs::read_dir(PathBuf::from(directory.text()).join("appendonlydir")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    paths.into_iter().find(|path| path.to_str().unwrap().ends_with(".incr.aof")).expect("redis 7 appends to it")
}

#[test]
fn an_append_only_file_cut_at_any_byte_holds_the_first_writes_whole_and_is_gone_on_with() {
    let directory = Directory::new();
    let arguments = ["--dir", directory.text(), "--appendonly", "yes", "--appendfsync", "always"];
    let flavour = Flavour::all()[0];
    let namespace = unique_namespace("truncated");
    let mut server = PrivateServer::start_on_port(free_port(), &arguments);
    let store = flavour.open(&Options::new(server.url(), &namespace)).unwrap();
    let opened = std::fs::metadata(appended(&directory)).unwrap().len();
    let acknowledged = write(&store);
    server.stop();
    let whole = std::fs::read(appended(&directory)).unwrap();
    assert!(whole.len() as u64 > opened + 4_000, "{} bytes", whole.len());

    // A restart for each: all of them in the long mode only.
    let every = if every_byte() { 7 } else { (whole.len() / 30) | 1 };
    let (mut survived_before, mut lengths) = (0, BTreeSet::new());
    for length in (usize::try_from(opened).unwrap()..=whole.len()).step_by(every).chain([whole.len()]) {
        std::fs::write(appended(&directory), &whole).unwrap();
        File::options().write(true).open(appended(&directory)).unwrap().set_len(length as u64).unwrap();
        directory.repair_append_only_file();
        let mut server = PrivateServer::start_on_port(free_port(), &arguments);
        let options = Options::new(server.url(), &namespace).timeout(TIMEOUT);
        let survived = check(&flavour.open(&options).unwrap(), &server, &namespace, &acknowledged, length);
        server.stop();
        check_again(flavour, &PrivateServer::start_on_port(free_port(), &arguments), &namespace);
        assert!(survived >= survived_before, "{length} bytes hold less than fewer bytes did");
        survived_before = survived;
        lengths.insert(survived);
    }
    assert_eq!(survived_before, acknowledged.len(), "the whole file holds all");
    assert_eq!(lengths.len(), acknowledged.len() + 1, "cut within each write: {lengths:?}");
}

/// Everything is as after the first writes, and how many of them.
fn check(
    store: &Store,
    server: &PrivateServer,
    namespace: &str,
    acknowledged: &[MutationRequest],
    length: usize,
) -> usize {
    let mut raw = Raw::to(server.url());
    let oracle = Oracle::new(namespace, 1);
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{length} bytes: {:?}", report.findings);
    let documents = oracle.check(&mut raw, store);
    oracle.check_feed_is_dense(&mut raw, &documents);
    let survived = raw.feed(&oracle.feed_key(0)).len();
    let mut expected = BTreeMap::new();
    for request in &acknowledged[..survived] {
        expected.insert(request.id.to_string(), request.clone());
    }
    assert_eq!(documents, expected, "{length} bytes: the first {survived} writes");
    // And it goes on from there.
    if let Some(request) = documents.get("r") {
        store.update(next(request), WriteId::generate()).unwrap();
    }
    survived
}

/// What was written behind the cut joins nothing that was cut off.
fn check_again(flavour: Flavour, server: &PrivateServer, namespace: &str) {
    let (mut raw, oracle) = (Raw::to(server.url()), Oracle::new(namespace, 1));
    let store = flavour.open(&Options::new(server.url(), namespace).timeout(TIMEOUT)).unwrap();
    let documents = oracle.check(&mut raw, &store);
    oracle.check_feed_is_dense(&mut raw, &documents);
}
