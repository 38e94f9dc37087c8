//! The connection is cut, in the middle of a request or of its reply.

use std::time::Duration;

use mutator_governance::{PageRequest, WriteId};

use crate::faults::scene::{Scene, every_byte, next, rounds};
use common::Flavour;
use common::PrivateServer;
use common::proxy::Proxy;
use common::requests::{pending, second};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The server applied the write and its reply was lost: the call itself succeeds, and the write is there once.
#[test]
fn a_lost_reply_is_a_success_and_nothing_is_applied_twice() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        // The scripts are known, so that the reply that is lost is that of the write.
        let mut request = scene.request("warm");
        request = scene.store.update(next(&request), WriteId::generate()).unwrap();
        for round in 0..rounds() {
            let cuts = proxy.cuts();
            proxy.cut_reply_after(0);
            let created = pending(&format!("r{round}"), "s", second(round));
            assert_eq!(scene.store.create(created.clone()).unwrap(), created, "{flavour:?}");
            assert_eq!(proxy.cuts(), cuts + 1, "{flavour:?}: the reply was lost");

            proxy.cut_reply_after(0);
            let write_id = WriteId::generate();
            let stored = scene.store.update(next(&request), write_id).unwrap();
            assert_eq!(stored.revision(), request.revision().next(write_id));
            assert_eq!(proxy.cuts(), cuts + 2, "{flavour:?}: the reply was lost");
            request = stored;
        }
        let feed = scene.raw.feed(&scene.oracle.feed_key(0));
        assert_eq!(feed.len() as u64, 2 + 2 * rounds(), "{flavour:?}: one entry for each write");
        scene.check();
    }
}

/// The connection is cut behind each byte of the request and of the reply: every write succeeds and is there once.
#[test]
fn a_cut_at_any_byte_neither_loses_nor_repeats_a_write() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        let mut request = scene.request("r");
        for _ in 0..9 {
            // By now the header holds as many write ids as it ever will.
            request = scene.store.update(next(&request), WriteId::generate()).unwrap();
        }
        let before = proxy.traffic();
        request = scene.store.update(next(&request), WriteId::generate()).unwrap();
        let after = proxy.traffic();
        let (sent, received) = ((after.0 - before.0) as usize, (after.1 - before.1) as usize);
        assert!(sent > 500 && received > 5, "{sent} bytes sent, {received} received");

        // A request grows by a decision with each write, so the sample is by the first one's length.
        let step = if every_byte() { 1 } else { 53 };
        let in_request = (0..=sent).filter(|at| at % step == 0 || *at < 4 || *at > sent - 4).map(|at| (true, at));
        let in_reply = (0..received).map(|at| (false, at));
        for (cut_request, at) in in_request.chain(in_reply) {
            let what = format!("{flavour:?}: {} cut after {at} bytes", if cut_request { "request" } else { "reply" });
            let (cuts, number) = (proxy.cuts(), request.revision().number);
            if cut_request {
                proxy.cut_request_after(at);
            } else {
                proxy.cut_reply_after(at);
            }
            let write_id = WriteId::generate();
            request = scene.store.update(next(&request), write_id).unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert_eq!((request.revision().number, request.revision().write_id), (number + 1, write_id), "{what}");
            assert_eq!(proxy.cuts(), cuts + 1, "{what}: not cut");
        }
        assert_eq!(scene.store.get(&request.id).unwrap().as_ref(), Some(&request));
        scene.check();
    }
}

/// A read whose connection is cut at any byte of its reply is repeated and right.
#[test]
fn a_cut_reply_of_a_read_is_never_a_wrong_answer() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all() {
        let scene = Scene::new(flavour, &proxy.url(), server.url(), TIMEOUT);
        let requests: Vec<_> = (0..3).map(|number| scene.request(&format!("r{number}"))).collect();
        scene.store.pending(&PageRequest::first()).unwrap();
        let before = proxy.traffic().1;
        scene.store.pending(&PageRequest::first()).unwrap();
        let length = (proxy.traffic().1 - before) as usize;
        let step = if every_byte() { 1 } else { 101 };
        for at in (0..length).step_by(step) {
            let cuts = proxy.cuts();
            proxy.cut_reply_after(at);
            assert_eq!(scene.store.pending(&PageRequest::first()).unwrap().items, requests, "{flavour:?}, {at}");
            assert_eq!(proxy.cuts(), cuts + 1);
        }
        for at in 0..20 {
            proxy.cut_reply_after(at);
            assert_eq!(scene.store.get(&requests[0].id).unwrap().as_ref(), Some(&requests[0]), "{flavour:?}, {at}");
        }
    }
}
