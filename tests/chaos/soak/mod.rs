//! Mixed traffic of all flavours in one process on one redis-server, under random faults, for a while: whoever files,
//! approves, executes, expires and asks goes on, what was acknowledged is there, and nothing grows that should not.
//!
//! `MUTATOR_SOAK_SECONDS` is how long, 30 if it is not set; `scripts/soak.sh MINUTES` is the long mode.
#![cfg(all(feature = "redis", feature = "blocking", any(feature = "tokio", feature = "smol")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test that is surprised has failed"
)]

mod blocking;
mod faults;
mod ledger;
mod nonblocking;
mod process;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use self::faults::Machine;
use self::ledger::Ledger;
use self::process::Level;
use common::unique_namespace;
use common::{Flavour, Options, Oracle, Raw};

const TIMEOUT: Duration = Duration::from_millis(800);
const POOL_SIZE: u32 = 8;
const PARTITIONS: u16 = 3;
/// More than a run files, so that the ledger takes all its memory at the beginning.
const REQUESTS_A_SECOND: usize = 150;
/// How many entries a feed keeps: all, so that it can be compared with the documents.
const FEED_LENGTH: u32 = 100_000_000;

fn seconds() -> u64 {
    std::env::var("MUTATOR_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(30)
}

#[test]
fn mixed_traffic_under_faults_loses_nothing_and_grows_nowhere() {
    let duration = Duration::from_secs(seconds());
    let namespace = unique_namespace("soak");
    let mut machine = Machine::new();
    let ledger = Arc::new(Ledger::new(seconds() as usize * REQUESTS_A_SECOND));
    let mut threads = blocking::start(&machine.proxy.url(), &namespace, &ledger);
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        threads.extend(nonblocking::start(flavour, &machine.proxy.url(), &namespace, &ledger));
    }

    let started = Instant::now();
    let mut random = fastrand::Rng::new();
    let mut early: Option<Level> = None;
    // Whoever has failed ends, and so does the run.
    while started.elapsed() < duration && !threads.iter().any(thread::JoinHandle::is_finished) {
        machine.cause_a_fault(&mut random);
        thread::sleep(Duration::from_millis(random.u64(50..400)));
        if early.is_none() && started.elapsed() > duration / 3 {
            early = Some(machine.level());
        }
    }
    let late = machine.level();
    ledger.ended.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }

    println!("{}; {:?}; {early:?} after a third, {late:?} at the end", ledger.figures(), machine.caused);
    check_what_is_stored(&mut machine, &namespace, &ledger);
    ledger.check_enough_happened(seconds());
    machine.check_enough_faults(seconds());
    late.check_is_no_higher_than(&early.expect("a third of the time has passed"));
}

fn check_what_is_stored(machine: &mut Machine, namespace: &str, ledger: &Ledger) {
    let options = Options::new(machine.url(), namespace).partitions(PARTITIONS).timeout(Duration::from_secs(60));
    let store = Flavour::all()[0].open(&options).unwrap();
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let mut raw = Raw::to(machine.url());
    let oracle = Oracle::new(namespace, PARTITIONS);
    let documents = oracle.check(&mut raw, &store);
    oracle.check_feed_is_dense(&mut raw, &documents);
    ledger.check(&store, &documents);
    println!("{} requests stored, {} index entries compared", documents.len(), report.entries);
}
