//! Replays the corpora and regressions of the fuzzers on stable, together with the golden vectors as seeds.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "this is a test, all of it"
)]

#[path = "../fuzz/checks/stored_format.rs"]
mod checks;
mod stored_format_support;

use std::fs;
use std::path::Path;

use stored_format_support::vectors;

/// Inputs that were found for a target: `fuzz/corpus/<target>`, and the crashes in `fuzz/regressions/<target>`.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folders = ["corpus", "regressions"].map(|kind| Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder.join(target)).ok()).flatten();
    let found = files.map(|file| fs::read(file.unwrap().path()).unwrap());
    found.chain([1, 2].into_iter().flat_map(|version| vectors(version).into_values())).collect()
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    for input in inputs(target) {
        check(&input);
    }
}

#[test]
fn decode_any() {
    replay("decode_any", checks::decode_any);
}

#[test]
fn round_trip() {
    replay("round_trip", checks::round_trip);
}

#[test]
fn upgrade() {
    replay("upgrade", checks::upgrade);
}

#[test]
fn mutate_envelope() {
    replay("mutate_envelope", checks::mutate_envelope);
}
