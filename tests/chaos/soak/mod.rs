//! Mixed traffic of all flavours in one process on one redis-server, under random faults, for a while: whoever files,
//! approves, executes, expires and asks goes on, what was acknowledged is there, and nothing grows that should not.
//!
//! `MUTATOR_SOAK_SECONDS` is how long, 30 if it is not set; `scripts/soak.sh MINUTES` is the long mode. On a cluster it takes
//! `MUTATOR_CLUSTER_SOAK_SECONDS`, or as long.
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

use self::faults::{Machine, OneServer, WholeCluster};
use self::ledger::Ledger;
use self::process::Level;
use common::Flavour;
use common::unique_namespace;

const TIMEOUT: Duration = Duration::from_millis(800);
const POOL_SIZE: u32 = 8;
const PARTITIONS: u16 = 3;
/// More than a run files, so that the ledger takes all its memory at the beginning.
const REQUESTS_A_SECOND: usize = 150;
/// How many entries a feed keeps: all, so that it can be compared with the documents.
const FEED_LENGTH: u32 = 100_000_000;

/// Where stores are opened.
pub enum Servers {
    One(String),
    Cluster(Vec<String>),
}

fn seconds(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn mixed_traffic_under_faults_loses_nothing_and_grows_nowhere() {
    common::alone!();
    run(&mut OneServer::new(), seconds("MUTATOR_SOAK_SECONDS").unwrap_or(30));
}

#[test]
fn mixed_traffic_on_a_cluster_loses_nothing_and_grows_nowhere() {
    common::alone!();
    let duration = seconds("MUTATOR_CLUSTER_SOAK_SECONDS").or_else(|| seconds("MUTATOR_SOAK_SECONDS")).unwrap_or(30);
    run(&mut WholeCluster::new(), duration);
}

fn run(machine: &mut dyn Machine, seconds: u64) {
    let duration = Duration::from_secs(seconds);
    let namespace = unique_namespace("soak");
    let ledger = Arc::new(Ledger::new(seconds as usize * REQUESTS_A_SECOND));
    let mut threads = blocking::start(&machine.servers(), &namespace, &ledger);
    for flavour in Flavour::all().into_iter().filter(|flavour| *flavour != Flavour::Blocking) {
        threads.extend(nonblocking::start(flavour, &machine.servers(), &namespace, &ledger));
    }

    let started = Instant::now();
    let mut random = fastrand::Rng::new();
    let mut early: Option<Level> = None;
    // Whoever has failed ends, and so does the run.
    while started.elapsed() < duration && !threads.iter().any(thread::JoinHandle::is_finished) {
        machine.cause_a_fault(&namespace, &mut random);
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

    println!("{}; {:?}; {early:?} after a third, {late:?} at the end", ledger.figures(), machine.caused());
    check_what_is_stored(machine, &namespace, &ledger);
    ledger.check_enough_happened(seconds);
    machine.check_enough_faults(seconds);
    assert!(ledger.unknown() >= machine.fewest_unknown(seconds), "{} unknown outcomes", ledger.unknown());
    let servers = match machine.servers() {
        Servers::One(_) => 1,
        Servers::Cluster(urls) => urls.len(),
    };
    late.check_is_no_higher_than(&early.expect("a third of the time has passed"), servers);
}

fn check_what_is_stored(machine: &dyn Machine, namespace: &str, ledger: &Ledger) {
    let options = machine.options(namespace).partitions(PARTITIONS).timeout(Duration::from_secs(60));
    let store = Flavour::all()[0].open(&options).unwrap();
    let report = store.verify().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let documents = machine.check(namespace, &store);
    ledger.check(&store, &documents);
    println!("{} requests stored, {} index entries compared", documents.len(), report.entries);
}
