//! Failovers under load, and Sentinels that hang or are gone. What each did to the writes is in docs/reliability.md.

use std::thread::sleep;
use std::time::{Duration, Instant};

use common::requests::{pending, second};
use common::server::SentinelSet;
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{Durability, Error, Outcome, RequestId, StoreErrorKind};

use super::PATIENCE;
use super::sentinel_load::{Load, Report};

/// How long the Sentinels may take to tell each other of a failover.
const TOLD_WITHIN: Duration = Duration::from_secs(3);

fn options(set: &SentinelSet) -> Options {
    Options::watched(set.sentinel_urls(), unique_namespace("sentinel")).timeout(PATIENCE)
}

fn create(store: &Store, id: &str) -> Result<(), Error> {
    store.create(pending(id, "tenant:acme", second(1))).map(drop)
}

fn show(fault: &str, flavour: Flavour, report: &Report) {
    println!("{fault}, {flavour:?}: {report}");
}

/// A store of the server alone that the Sentinels name, whatever the stores under test believe.
fn at_primary(set: &SentinelSet, flavour: Flavour, options: &Options) -> Store {
    let urls: Vec<String> = (0..3).filter_map(|asked| set.primary(asked)).map(|at| set.servers()[at].url()).collect();
    flavour.opened(&Options { url: urls[0].clone(), sentinels: Vec::new(), ..options.clone() }.timeout(PATIENCE))
}

/// Ends the load once the primary has been another for a while.
fn end(fault: &str, flavour: Flavour, load: Load, set: &SentinelSet, options: &Options) -> Report {
    load.wait_for_writes(100);
    let store = at_primary(set, flavour, options);
    let report = load.end(&store);
    show(fault, flavour, &report);
    report.assert_errors_may_be_repeated();
    assert_eq!(report.applied_twice, 0, "{report}");
    assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
    report
}

#[test]
fn a_failover_that_was_asked_for_loses_only_what_the_old_primary_took_meanwhile() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = options(&set);
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        set.sentinels()[0].ask::<()>(&["SENTINEL", "FAILOVER", SentinelSet::NAME]);
        set.wait_for_another_primary(0);
        let known = Instant::now();
        sleep(TOLD_WITHIN);
        let report = end("SENTINEL FAILOVER", flavour, load, &set, &options);
        let late = report.lost.iter().filter(|at| **at > known + TOLD_WITHIN).count();
        assert_eq!(late, 0, "{flavour:?}: lost although all knew the new primary: {report}");
    }
}

/// As docs/cluster.md advises for a planned failover.
#[test]
fn a_failover_of_a_primary_whose_writes_pause_loses_nothing() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = options(&set);
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        set.servers()[0].ask::<()>(&["CLIENT", "PAUSE", "3000", "WRITE"]);
        set.sentinels()[0].ask::<()>(&["SENTINEL", "FAILOVER", SentinelSet::NAME]);
        set.wait_for_another_primary(0);
        let report = end("SENTINEL FAILOVER after CLIENT PAUSE", flavour, load, &set, &options);
        report.assert_nothing_lost();
    }
}

#[test]
fn writes_that_wait_for_all_replicas_lose_nothing_in_a_failover() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = options(&set).timeout(Duration::from_secs(3)).durability(Durability::Replicas(2));
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        set.sentinels()[0].ask::<()>(&["SENTINEL", "FAILOVER", SentinelSet::NAME]);
        set.wait_for_another_primary(0);
        set.wait_until_replicated();
        load.wait_for_writes(100);
        let report = load.end(&at_primary(&set, flavour, &options.clone().durability(Durability::Acknowledged)));
        show("SENTINEL FAILOVER, Durability::Replicas(2)", flavour, &report);
        report.assert_nothing_lost();
        for error in &report.errors {
            let is_unconfirmed = matches!(error, Error::Store(error) if error.kind == StoreErrorKind::Unconfirmed);
            assert!(is_unconfirmed || common::may_be_repeated(error), "{error:?}");
        }
    }
}

#[test]
fn calls_wait_for_the_replica_of_a_killed_primary() {
    for flavour in Flavour::all() {
        let mut set = SentinelSet::start(&[]);
        let options = options(&set);
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        set.server_mut(0).kill();
        set.wait_for_another_primary(0);
        let report = end("kill -9 of the primary", flavour, load, &set, &options);
        assert!(report.errors.is_empty(), "{flavour:?}: {report}: {:?}", report.errors);
    }
}

/// A store that nobody used during the failover has connections to the primary that it knows, which still takes writes.
#[test]
fn no_write_goes_to_a_stale_primary_that_is_back() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = options(&set);
        let idle = flavour.opened(&options);
        create(&idle, "before").unwrap();
        assert_eq!(set.servers()[0].ask::<u64>(&["WAIT", "2", "5000"]), 2);
        let stopped = set.servers()[0].stop();
        set.wait_for_another_primary(0);
        drop(stopped);
        assert_eq!(set.servers()[0].field(&["INFO", "replication"], "role").as_deref(), Some("master"));
        let load = Load::start(&idle, "r");
        load.wait_for_writes(1_000);
        sleep(Duration::from_secs(2));
        let report = end("SIGSTOP and SIGCONT of the primary, a store that was idle", flavour, load, &set, &options);
        report.assert_nothing_lost();
        assert!(report.errors.is_empty(), "{flavour:?}: {report}: {:?}", report.errors);
    }
}

/// Its answers to calls that were under way when it was stopped come when another has taken over.
#[test]
fn an_answer_of_a_primary_that_was_stopped_does_not_count() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let options = options(&set);
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        let stopped = set.servers()[0].stop();
        set.wait_for_another_primary(0);
        let continued = Instant::now();
        drop(stopped);
        let report = end("SIGSTOP and SIGCONT of the primary, calls under way", flavour, load, &set, &options);
        // Before that, what it had not passed on when it was stopped may be.
        let late = report.lost.iter().filter(|at| **at >= continued).count();
        assert_eq!(late, 0, "{flavour:?}: {report}");
        assert!(report.errors.is_empty(), "{flavour:?}: {report}: {:?}", report.errors);
    }
}

/// Each call has two seconds, the failover takes longer. Nothing hangs, and the store recovers while the old primary is stopped.
#[test]
fn a_primary_that_hangs_takes_no_call_beyond_its_deadline_and_is_left() {
    for flavour in Flavour::all() {
        let set = SentinelSet::start(&[]);
        let store = flavour.opened(&options(&set).timeout(Duration::from_secs(2)));
        create(&store, "before").unwrap();
        let stopped = set.servers()[0].stop();
        let (began, mut number) = (Instant::now(), 0);
        loop {
            number += 1;
            let called = Instant::now();
            let created = create(&store, &format!("r-{number}"));
            assert!(called.elapsed() < Duration::from_secs(8), "{flavour:?}: {:?}", called.elapsed());
            if created.is_ok() {
                break;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{flavour:?}: not recovered: {created:?}");
        }
        drop(stopped);
    }
}

#[test]
fn a_sentinel_that_hangs_or_is_gone_is_missed_by_nobody() {
    for flavour in Flavour::all() {
        let mut set = SentinelSet::start(&[]);
        let options = options(&set);
        let store = flavour.opened(&options);
        let load = Load::start(&store, "r");
        load.wait_for_writes(200);
        let hung = set.sentinels()[0].stop();
        sleep(Duration::from_secs(5));
        drop(hung);
        set.sentinel_mut(1).kill();
        sleep(Duration::from_secs(3));
        let report = end("one Sentinel hangs, then one is gone", flavour, load, &set, &options);
        report.assert_nothing_lost();
        assert!(report.errors.is_empty(), "{flavour:?}: {report}: {:?}", report.errors);
        assert!(report.longest_pause < Duration::from_secs(4), "{flavour:?}: {report}");
    }
}

#[test]
fn without_a_majority_writes_are_unavailable_and_reads_go_on_until_it_is_back() {
    for flavour in Flavour::all() {
        let mut set = SentinelSet::start(&[]);
        let store = flavour.opened(&options(&set).timeout(Duration::from_secs(3)));
        create(&store, "before").unwrap();
        let hung = set.sentinels()[0].stop();
        set.sentinel_mut(1).kill();
        sleep(Duration::from_secs(1));
        let called = Instant::now();
        match create(&store, "without") {
            Err(Error::Store(error)) => {
                let expected = (StoreErrorKind::Unavailable, Outcome::NotApplied);
                assert_eq!((error.kind, error.outcome), expected, "{flavour:?}: {error}");
                let named = [0, 1].map(|number| set.sentinels()[number].address());
                for part in ["1 of 3 Sentinels", "takes 2", &named[0], &named[1]] {
                    assert!(error.problem.contains(part), "{flavour:?}: {error}");
                }
            }
            other => panic!("{flavour:?}: {other:?}"),
        }
        assert!(called.elapsed() < Duration::from_secs(9), "{flavour:?}: {:?}", called.elapsed());
        let before = RequestId::new("before").unwrap();
        assert!(common::patiently("read", || store.get(&before)).is_some(), "{flavour:?}");
        assert!(common::patiently("read", || store.get(&RequestId::new("without").unwrap())).is_none());

        drop(hung);
        common::patiently("write with a majority", || create(&store, "with"));
        set.sentinel_mut(1).start_again();
        common::patiently("write with all", || create(&store, "with-all"));
    }
}

#[test]
fn a_primary_that_was_restarted_without_its_data_after_a_failover_is_not_written_to() {
    for flavour in Flavour::all() {
        let mut set = SentinelSet::start(&[]);
        let options = options(&set);
        let idle = flavour.opened(&options);
        create(&idle, "before").unwrap();
        assert_eq!(set.servers()[0].ask::<u64>(&["WAIT", "2", "5000"]), 2);
        set.server_mut(0).kill();
        set.wait_for_another_primary(0);
        set.server_mut(0).start_again();
        let load = Load::start(&idle, "r");
        load.wait_for_writes(500);
        let report =
            end("kill -9 of the primary, back and empty, a store that was idle", flavour, load, &set, &options);
        report.assert_nothing_lost();
        assert!(idle.get(&RequestId::new("before").unwrap()).unwrap().is_some(), "{flavour:?}");
    }
}
