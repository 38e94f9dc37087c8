//! Concurrent histories of creations, updates and reads, recorded on a real redis-server under faults by eight clients of
//! all flavours, are such that a store doing one thing at a time could have made them (guarantees 1 and 3).
//!
//! `MUTATOR_HISTORIES` is how many are recorded, 24 if it is not set, 6 where there is one flavour only; on a cluster it is
//! `MUTATOR_CLUSTER_HISTORIES`, and half as many.
//! `MUTATOR_FIRST_HISTORY` is the number of the first, which what its clients do follows from. A failure prints the history.
#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test that is surprised has failed"
)]

mod checker;
mod checker_tests;
mod client;
mod faults;
mod ground;
mod history;
mod recorder;
mod search;

use std::collections::BTreeMap;
use std::time::Duration;

use self::ground::{Caused, Ground};
use self::history::{Answer, Event, What};
use self::recorder::Recorder;
use crate::battered_cluster::KINDS;
use common::Flavour;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn histories() -> u64 {
    number("MUTATOR_HISTORIES").unwrap_or(if Flavour::all().len() > 1 { 24 } else { 6 })
}

/// What the recorded histories hold in all: enough of everything, or they prove nothing.
#[derive(Debug, Default)]
struct Figures {
    requests: u64,
    events: usize,
    reads: usize,
    acknowledged: usize,
    rejected: usize,
    unknown: usize,
    unknown_but_applied: usize,
}

impl Figures {
    fn add(&mut self, events: &[Event]) {
        self.requests += 1;
        self.events += events.len();
        let Some(Event { what: What::Read(last), .. }) = events.last() else { panic!("the last event is a read") };
        for event in events {
            match event.what {
                What::Read(_) => self.reads += 1,
                What::Write { answer: Answer::Acknowledged, .. } => self.acknowledged += 1,
                What::Write { answer: Answer::Rejected, .. } => self.rejected += 1,
                What::Write { answer: Answer::Unknown, write, .. } => {
                    self.unknown += 1;
                    let is_there = last.as_ref().is_some_and(|seen| seen.content.contains(&write));
                    self.unknown_but_applied += usize::from(is_there);
                }
            }
        }
    }
}

#[test]
fn histories_under_faults_are_those_of_a_store_that_does_one_thing_at_a_time() {
    let wanted = histories();
    let (figures, caused) = record(ground::OneServer::start, wanted);
    // Of the rare things there may be none among a few.
    if wanted < 24 {
        return;
    }
    assert!(figures.unknown > wanted as usize / 10, "{figures:?}");
    assert!(figures.unknown_but_applied > 0 || wanted < 200, "{figures:?}");
    assert!(faults::KINDS.iter().all(|kind| caused.contains_key(kind)), "{caused:?}");
}

/// Nodes are killed, stopped and replaced as planned, and slots move, all of which loses nothing.
#[test]
fn histories_on_a_cluster_are_those_of_a_store_that_does_one_thing_at_a_time() {
    let wanted = number("MUTATOR_CLUSTER_HISTORIES").unwrap_or(histories() / 2);
    let (figures, caused) = record(ground::WholeCluster::start, wanted);
    if wanted >= 100 {
        assert!(figures.unknown > 0, "{figures:?}");
        assert!(KINDS.iter().all(|kind| caused.contains_key(kind)), "{caused:?}");
    }
}

/// Records so many histories, and checks each.
fn record(start: fn() -> Box<dyn Ground>, wanted: u64) -> (Figures, Caused) {
    let mut figures = Figures::default();
    let mut recorder = Recorder::new(start);
    let first = number("MUTATOR_FIRST_HISTORY").unwrap_or(0);
    for number in first..first + wanted {
        let seed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for (request, events) in recorder.record(number, seed) {
            if let Err(violation) = checker::check(&events) {
                panic!("history {number}, request {request}: {violation:#?}\n{}", shown(&events));
            }
            figures.add(&events);
        }
        // Each server and namespace serves some histories, so that the check of the whole stays quick.
        if number % 100 == 99 {
            recorder.check_and_begin_anew();
        }
    }
    recorder.check_and_begin_anew();
    let caused = recorder.faults_caused;
    println!("{figures:?}; faults: {caused:?}");
    let wanted = wanted as usize;
    assert!(figures.acknowledged > 10 * wanted && figures.reads > 10 * wanted, "{figures:?}");
    assert!(figures.rejected > wanted, "{figures:?}");
    (figures, caused)
}

/// A history as a person reads it.
fn shown(events: &[Event]) -> String {
    let mut by_start: BTreeMap<(u64, usize), String> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let line = format!("{:>6}–{:<6} client {} {:?}", event.start, event.end, event.client, event.what);
        by_start.insert((event.start, place), line);
    }
    by_start.into_values().collect::<Vec<_>>().join("\n")
}

/// So short that a stopped server leaves outcomes unknown, and long enough for a few retries.
const TIMEOUT: Duration = Duration::from_millis(150);
/// A call to a cluster may have to ask several nodes.
const CLUSTER_TIMEOUT: Duration = Duration::from_millis(400);
