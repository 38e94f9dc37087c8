//! Faults in a loop while writers of several threads work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mutator_governance::{MutationRequest, WriteId};

use crate::redis_support::{Flavour, Raw};
use crate::scene::{Scene, next, resolved, rounds};
use crate::support::PrivateServer;

/// Writers change requests, two of them each, while `fault` is caused again and again. Returns how often a call failed
/// before it was resolved.
fn under_load(scene: &mut Scene, url: &str, fault: impl Fn(&mut Raw) + Sync) -> u64 {
    let lasts = Duration::from_millis(250) * u32::try_from(rounds()).unwrap();
    let ids: Vec<_> = (0..2).map(|number| scene.request(&format!("r{number}")).id.clone()).collect();
    let (won, failed) = (Mutex::new(0_u64), AtomicU64::new(0));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut raw = Raw::to(url);
            while !ended.load(Ordering::Relaxed) {
                fault(&mut raw);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (store, id, won, failed) = (scene.store.clone(), &ids[writer % 2], &won, &failed);
                scope.spawn(move || {
                    let started = Instant::now();
                    while started.elapsed() < lasts {
                        let Ok(Some(read)) = store.get(id) else {
                            failed.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        let (change, write_id): (MutationRequest, _) = (next(&read), WriteId::generate());
                        match store.update(change.clone(), write_id) {
                            Ok(_) => *won.lock().unwrap() += 1,
                            Err(error) if error.as_conflict().is_some() => {}
                            Err(error) => {
                                failed.fetch_add(1, Ordering::Relaxed);
                                assert!(error.is_retryable(), "{error:?}");
                                match resolved(&store, &change, write_id) {
                                    Ok(_) => *won.lock().unwrap() += 1,
                                    Err(error) => assert!(error.as_conflict().is_some(), "{error:?}"),
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
    });
    scene.raw = Raw::to(url);
    scene.check();
    let revisions: u64 = ids.iter().map(|id| scene.store.get(id).unwrap().unwrap().revision().number).sum();
    let won = won.into_inner().unwrap();
    assert!(won >= rounds() * 4, "only {won} writes");
    assert_eq!(revisions, won, "as many revisions as writes that were told to have been applied");
    failed.into_inner()
}

#[test]
fn connections_killed_in_a_loop_lose_and_repeat_nothing() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), Duration::from_secs(10));
        let failed = under_load(&mut scene, server.url(), |raw| {
            let _: i64 = raw.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        });
        println!("{flavour:?}: {failed} calls failed before they were resolved");
    }
}

#[test]
fn scripts_flushed_in_a_loop_fail_no_call() {
    let server = PrivateServer::start_on_tcp(&[]);
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour, server.url(), server.url(), Duration::from_secs(10));
        let failed = under_load(&mut scene, server.url(), |raw| {
            let _: String = raw.ask(&["SCRIPT", "FLUSH"]);
        });
        assert_eq!(failed, 0, "{flavour:?}");
    }
}
