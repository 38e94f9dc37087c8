//! A future is dropped in the middle: the store stays usable, and the write is resolved by repeating it.
#![cfg(any(feature = "tokio", feature = "smol"))]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use mutator_governance::WriteId;
use mutator_governance::nonblocking::{Store as _, StoreExtension as _};

use crate::faults::scene::{Scene, next, rounds};
use common::Flavour;
use common::PrivateServer;
use common::proxy::Proxy;
use common::requests::{pending, second};

/// Polls a future up to `times` with a pause behind each poll, then drops it. Whether it had ended.
fn polled(flavour: Flavour, times: u64, pause: Duration, future: impl Future) -> bool {
    flavour.block_on(async {
        let mut future = pin!(future);
        for _ in 0..times {
            // Tokio's timers want the runtime's context, which `block_on` gives.
            if let Poll::Ready(_) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return true;
            }
            std::thread::sleep(pause);
        }
        false
    })
}

#[test]
fn a_dropped_future_leaves_the_store_usable_and_the_write_resolvable() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        let mut scene = Scene::new(flavour, &proxy.url(), server.url(), Duration::from_secs(10));
        let mut request = scene.request("r");
        let (mut dropped, mut applied) = (0, 0);
        for round in 0..rounds() {
            for polls in 0..8 {
                for delay in [0, 30] {
                    proxy.delay_replies(Duration::from_millis(delay));
                    let (change, write_id) = (next(&request), WriteId::generate());
                    let created = pending(&format!("n{round}-{polls}-{delay}"), "s", second(1));
                    let store = scene.store.nonblocking().clone();
                    let pause = Duration::from_micros(if delay == 0 { 200 } else { 2_000 });
                    let ended = polled(flavour, polls, pause, store.update(change.clone(), write_id));
                    dropped += u32::from(!ended);
                    polled(flavour, polls, pause, store.create(created.clone()));
                    proxy.delay_replies(Duration::ZERO);

                    let read = scene.store.get(&request.id).unwrap().unwrap();
                    applied += u32::from(!ended && read.revision().write_id == write_id);
                    assert_eq!(read.id, request.id);
                    request = scene.store.update(change, write_id).unwrap();
                    assert_eq!(request.revision().write_id, write_id, "{flavour:?}");
                    assert_eq!(scene.store.create(created.clone()).unwrap(), created);
                }
            }
        }
        assert!(dropped > 0 && applied > 0, "{flavour:?}: {dropped} dropped, of which {applied} were applied");
        scene.check();
    }
}

/// As many dropped calls as there are do not use up the connection.
#[test]
fn a_thousand_dropped_futures_leave_the_connection_as_it_was() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        let scene = Scene::new(flavour, server.url(), server.url(), Duration::from_secs(10));
        let request = scene.request("r");
        let store = scene.store.nonblocking().clone();
        for _ in 0..1_000 {
            polled(flavour, 1, Duration::ZERO, store.get(&request.id));
        }
        assert_eq!(scene.store.get(&request.id).unwrap(), Some(request));
    }
}

/// The connection is dead and nobody has told: it is replaced also when no caller waits as long as the store would.
#[test]
fn a_dead_connection_is_replaced_although_callers_give_up_early() {
    let server = PrivateServer::start_on_tcp(&[]);
    let proxy = Proxy::to(server.url());
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        let scene = Scene::new(flavour, &proxy.url(), server.url(), Duration::from_secs(60));
        let request = scene.request("r");
        let store = scene.store.nonblocking().clone();
        proxy.forget();
        let (began, mut lost) = (Instant::now(), 0);
        loop {
            let answered = async { Some(store.get(&request.id).await) };
            let given_up = async {
                smol::Timer::after(Duration::from_millis(300)).await;
                None
            };
            match flavour.block_on(smol::future::or(answered, given_up)) {
                Some(read) => {
                    assert_eq!(read.unwrap(), Some(request));
                    break;
                }
                None => lost += 1,
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{flavour:?}: {lost} calls were not answered");
        }
        assert!(lost > 0, "{flavour:?}: the connection was not dead");
    }
}
