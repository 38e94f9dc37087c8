//! Faults in a loop while writers of several threads work.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mutator_governance::workflow::{self, Command};
use mutator_governance::{ActorContext, MutationRequest, Outcome, PendingReason, WriteId};

use crate::faults::scene::{Scene, resolved, rounds};
use common::PrivateServer;
use common::requests::second;
use common::{Flavour, Raw, Store, patiently};

/// Where the machine is busy, enough writes take longer than they should.
const PATIENCE: Duration = Duration::from_mins(1);

fn is_too_little(writes: u64) -> bool {
    writes < rounds() * 4
}

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
                    while started.elapsed() < lasts
                        || is_too_little(*won.lock().unwrap()) && started.elapsed() < PATIENCE
                    {
                        let Ok(Some(read)) = store.get(id) else {
                            failed.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        let write_id = WriteId::generate();
                        let change = change_of(read, write_id);
                        match store.update(change.clone(), write_id) {
                            Ok(_) => *won.lock().unwrap() += 1,
                            Err(error) if error.as_conflict().is_some() => {}
                            Err(error) => {
                                failed.fetch_add(1, Ordering::Relaxed);
                                assert!(error.is_retryable() || error.outcome() == Outcome::Unknown, "{error:?}");
                                *won.lock().unwrap() += u64::from(was_applied(&store, &change, write_id));
                            }
                        }
                    }
                })
            })
            .collect();
        let results: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        ended.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
    scene.raw = Raw::to(url);
    scene.check();
    let revisions: u64 = ids.iter().map(|id| scene.store.get(id).unwrap().unwrap().revision().number).sum();
    let won = won.into_inner().unwrap();
    assert!(!is_too_little(won), "only {won} writes");
    assert_eq!(revisions, won, "as many revisions as writes that were told to have been applied");
    failed.into_inner()
}

/// A change whose decision is told from that of any other writer.
fn change_of(request: MutationRequest, write_id: WriteId) -> MutationRequest {
    let by = ActorContext::user("alice").unwrap().because(write_id.to_string());
    let command = match request.state.pending() {
        Some(_) => Command::approve_request(by),
        None => Command::hold(by, PendingReason::Quota),
    };
    workflow::apply(request, &command, second(1)).unwrap()
}

/// Whether a write with an unknown outcome was applied: by repeating it or, when too many others have followed, by
/// looking for its decision, as the error says.
fn was_applied(store: &Store, change: &MutationRequest, write_id: WriteId) -> bool {
    match resolved(store, change, write_id) {
        Ok(_) => true,
        Err(error) if error.as_conflict().is_some() => {
            let stored = patiently("get", || store.get(&change.id)).unwrap();
            assert!(
                !stored.decisions.starts_with(&change.decisions),
                "told not to be applied, and is there: {error:?}"
            );
            false
        }
        Err(error) => {
            assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
            let stored = patiently("get", || store.get(&change.id)).unwrap();
            stored.decisions.starts_with(&change.decisions)
        }
    }
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
