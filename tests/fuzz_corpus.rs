//! Replays the corpora and regressions of the fuzzers on stable, together with the golden vectors as seeds.

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

#[test]
fn decode_any() {
    inputs("decode_any").iter().for_each(|input| checks::decode_any(input));
}

#[test]
fn round_trip() {
    inputs("round_trip").iter().for_each(|input| checks::round_trip(input));
}

#[test]
fn upgrade() {
    inputs("upgrade").iter().for_each(|input| checks::upgrade(input));
}

#[test]
fn mutate_envelope() {
    inputs("mutate_envelope").iter().for_each(|input| checks::mutate_envelope(input));
}
