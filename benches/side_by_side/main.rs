//! Ours, the layout it replaces and the floor, side by side in one run: `cargo bench -p mutator-governance-benches --bench side_by_side`.
//!
//! Starts servers of its own, loads them, measures every row in rounds in which the columns take turns, and prints a
//! Markdown table. `docs/performance.md` says what the columns are and what has been found with them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails has failed")]
#![allow(clippy::indexing_slicing, clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as above")]
#![allow(
    clippy::duration_suboptimal_units,
    clippy::format_push_string,
    clippy::precedence,
    clippy::struct_field_names,
    clippy::type_complexity,
    clippy::wildcard_imports,
    reason = "read once, by whoever measures"
)]

mod arguments;
mod awake;
mod floor;
mod format_rows;
mod loading;
mod measure;
mod monitor;
mod query_rows;
mod queue_rows;
mod report;
mod server;
mod size_rows;
mod throughput;
mod write_rows;

#[path = "../requests/mod.rs"]
mod requests;
#[path = "../seed_layout/mod.rs"]
mod seed_layout;

use std::time::{Duration, Instant};

use arguments::Arguments;
use awake::Awake;
use measure::Rounds;
use report::Row;

/// How much is stored, and how long is measured.
pub(crate) struct Extent {
    /// The sizes at which the queue is read.
    pub(crate) sizes: Vec<u64>,
    /// No more than this in the seed's layout.
    pub(crate) largest_seed: u64,
    /// The size at which queries are compared.
    pub(crate) queried: u64,
    pub(crate) rounds: usize,
    pub(crate) at_most: Duration,
}

impl Extent {
    fn of(arguments: &Arguments) -> Self {
        if arguments.quick {
            let at_most = Duration::from_secs(3);
            return Self { sizes: vec![1_000, 10_000], largest_seed: 10_000, queried: 10_000, rounds: 25, at_most };
        }
        let mut sizes = vec![1_000, 10_000, 100_000];
        if arguments.million {
            // Some 6 kB each, twice: while the table of keys grows there are two.
            match loading::free_megabytes() {
                Some(free) if free < 12_000 => eprintln!("{free} MB are free: a million requests are left out"),
                _ => sizes.push(1_000_000),
            }
        }
        let at_most = Duration::from_secs(20);
        Self { sizes, largest_seed: 100_000, queried: 100_000, rounds: 100, at_most }
    }

    pub(crate) fn rounds(&self, operations: usize) -> Rounds {
        Rounds { rounds: self.rounds, operations, at_most: self.at_most }
    }
}

fn main() {
    let arguments = Arguments::read();
    let began = Instant::now();
    let extent = Extent::of(&arguments);
    let awake = arguments.awake.then(Awake::keep);
    let mut rows: Vec<Row> = Vec::new();
    let parts: &[(&str, fn(&Extent) -> Vec<Row>)] = &[
        ("format", format_rows::measure),
        ("size", size_rows::measure),
        ("writes", write_rows::measure),
        ("queries", query_rows::measure),
        ("throughput", throughput::measure),
        ("queue", queue_rows::measure),
    ];
    for &(name, measure) in parts {
        if arguments.wants(name) {
            let began = Instant::now();
            rows.extend(measure(&extent));
            loading::progress(&format!("measured: {name}"), began);
        }
    }
    drop(awake);
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report::json(&rows)).unwrap();
        std::fs::write(path, text + "\n").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    println!("{}", report::markdown(&rows));
    loading::progress("the whole bench ended", began);
}
