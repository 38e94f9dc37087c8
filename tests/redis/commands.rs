//! Every call is one command per partition (guarantee 7), and a server that lost its scripts gets them back.
#![cfg(feature = "redis")]

use std::time::Instant;

use common::raw::Monitor;
use common::requests::{id, moved_on, pending, second};
use common::{Flavour, Options, Raw, Store};
use common::{PrivateServer, unique_namespace};
use mutator_governance::{PageRequest, RequestId, StateId, WriteId};

fn private_store(server: &PrivateServer, flavour: Flavour, partitions: u16) -> Store {
    let options = Options::new(server.url(), unique_namespace("commands")).partitions(partitions);
    flavour.open(&options).unwrap()
}

#[test]
fn every_call_is_one_command_per_partition() {
    let server = PrivateServer::start(&[]);
    let mut monitor = Monitor::of(server.url());
    for flavour in Flavour::all() {
        for partitions in [1_u16, 4] {
            let store = private_store(&server, flavour, partitions);
            let state = StateId::new("s").unwrap();
            let page = PageRequest::first();
            // The first of each kind may have to send its script, and connect.
            let first = store.create(pending("first", "s", second(0))).unwrap();
            store.update(moved_on(first, second(1)), WriteId::generate()).unwrap();
            store.pending(&page).unwrap();
            let ids: Vec<RequestId> = (0..30).map(|number| id(&format!("r{number}"))).collect();
            store.get_many(&ids).unwrap();
            monitor.commands();

            for id in &ids {
                store.create(pending(id.as_str(), "s", second(1))).unwrap();
                assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} create");
            }
            let read = store.get(&ids[0]).unwrap().unwrap();
            assert_eq!(monitor.commands(), ["GETRANGE"], "{flavour:?} get");
            store.update(moved_on(read.clone(), second(2)), WriteId::generate()).unwrap();
            assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} update");
            store.update(moved_on(read, second(2)), WriteId::generate()).unwrap_err();
            assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} conflict");

            let each = usize::from(partitions);
            store.get_many(&ids).unwrap();
            assert_eq!(monitor.commands(), vec!["EVALSHA"; each], "{flavour:?} get_many");
            store.get_many(&[]).unwrap();
            assert_eq!(monitor.commands(), Vec::<String>::new(), "{flavour:?} get_many of none");
            store.pending(&PageRequest::of(3).unwrap()).unwrap();
            assert_eq!(monitor.commands(), vec!["EVALSHA"; each], "{flavour:?} pending");
            store.by_state(&state, &page).unwrap();
            assert_eq!(monitor.commands(), vec!["EVALSHA"; each], "{flavour:?} by state");
            store.pending_by_state(&state, &page).unwrap();
            assert_eq!(monitor.commands(), vec!["EVALSHA"; each], "{flavour:?} pending by state");
        }
    }
}

/// A page's work does not grow with what is stored: the commands that its script runs are counted too.
#[test]
fn a_page_of_many_costs_what_a_page_of_few_costs() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let flavour = Flavour::all()[0];
    let mut costs = Vec::new();
    for stored in [20, 1_500] {
        let store = private_store(&server, flavour, 1);
        for number in 0..stored {
            store.create(pending(&format!("r{number}"), "s", second(number))).unwrap();
        }
        let before = raw.command_counts();
        let page = store.pending(&PageRequest::of(10).unwrap()).unwrap();
        let after = raw.command_counts();
        assert_eq!(page.items.len(), 10);
        // One more tells whether there is a next page.
        assert!(page.scanned <= 11, "{} entries looked at for a page of 10", page.scanned);
        let calls = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
        costs.push(["zrange", "mget", "get", "zscore", "zmscore"].map(calls));
    }
    assert_eq!(costs[0], costs[1]);
}

#[test]
fn a_server_that_lost_its_scripts_gets_them_once() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let mut monitor = Monitor::of(server.url());
    for flavour in Flavour::all() {
        let store = private_store(&server, flavour, 1);
        let mut request = store.create(pending("r", "s", second(0))).unwrap();
        let page = PageRequest::first();
        for round in 1..=3 {
            let flushed: String = raw.ask(&["SCRIPT", "FLUSH"]);
            assert_eq!(flushed, "OK");
            monitor.commands();
            let with_source = ["EVALSHA", "EVAL"];
            request = store.update(moved_on(request, second(round)), WriteId::generate()).unwrap();
            assert_eq!(monitor.commands(), with_source, "{flavour:?} update");
            request = store.update(moved_on(request, second(round)), WriteId::generate()).unwrap();
            assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} update");
            store.create(pending(&format!("r{round}"), "s", second(0))).unwrap();
            assert_eq!(monitor.commands(), with_source, "{flavour:?} create");
            store.create(pending(&format!("s{round}"), "s", second(0))).unwrap();
            assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} create");
            store.pending(&page).unwrap();
            assert_eq!(monitor.commands(), with_source, "{flavour:?} page");
            store.pending(&page).unwrap();
            assert_eq!(monitor.commands(), ["EVALSHA"], "{flavour:?} page");
        }
    }
}

/// The server's time is known without a round trip for each call: each connection asks once, then one call every few seconds.
#[test]
fn the_time_is_asked_for_by_each_connection_and_every_few_seconds() {
    const POOL: u32 = 4;
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let mut asked = || raw.command_counts().get("time").copied().unwrap_or(0);
        let (before, began) = (asked(), Instant::now());
        let options = Options::new(server.url(), unique_namespace("time")).pool_size(POOL);
        let store = flavour.open(&options).unwrap();
        let request = store.create(pending("r", "s", second(0))).unwrap();
        let callers = (0..2 * POOL).map(|_| {
            let (store, id) = (store.clone(), request.id.clone());
            std::thread::spawn(move || (0..200).for_each(|_| drop(store.get(&id).unwrap())))
        });
        callers.collect::<Vec<_>>().into_iter().for_each(|caller| caller.join().unwrap());
        let most = u64::from(POOL) + began.elapsed().as_secs() / 5 + 1;
        let in_all = asked() - before;
        assert!((1..=most).contains(&in_all), "{flavour:?}: {in_all} times in {:?}", began.elapsed());
    }
}
