//! Replays the corpora and regressions of the fuzzers on stable, those about the stored format together with the golden
//! vectors as seeds. The targets about what is not public are replayed by the unit tests in `src/redis/fuzzing`.
#![cfg(feature = "blocking")]

#[path = "../../fuzz/checks/cursor.rs"]
mod cursor;
#[path = "../../fuzz/checks/stored_format.rs"]
mod stored_format;
#[path = "../../fuzz/checks/workflow_model.rs"]
mod workflow_model;

use std::fs;

use common::vectors::{compressed_vectors, vectors};
use mutator_governance::FormatVersion;

/// Inputs that were found for a target: `fuzz/corpus/<target>`, and the crashes in `fuzz/regressions/<target>`.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = |kind: &str| common::repository().join("fuzz").join(kind).join(target);
    let corpus = fs::read_dir(folder("corpus")).expect("a corpus").collect::<Vec<_>>();
    assert!(!corpus.is_empty(), "the corpus of {target} is empty");
    let files = corpus.into_iter().chain(fs::read_dir(folder("regressions")).into_iter().flatten());
    files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn replay(target: &str, check: impl Fn(&[u8])) {
    inputs(target).iter().for_each(|input| check(input));
}

/// Of a target about the stored format: its corpus, and the golden vectors.
fn replay_with_vectors(target: &str, check: impl Fn(&[u8])) {
    replay(target, &check);
    for vectors in
        (1..=FormatVersion::NEWEST.number()).flat_map(|version| [vectors(version), compressed_vectors(version)])
    {
        vectors.values().for_each(|vector| check(vector));
    }
}

#[test]
fn cursor() {
    replay("cursor", cursor::cursor);
}

#[test]
fn decode_any() {
    replay_with_vectors("decode_any", stored_format::decode_any);
}

#[test]
fn mutate_envelope() {
    replay_with_vectors("mutate_envelope", stored_format::mutate_envelope);
}

#[test]
fn round_trip() {
    replay_with_vectors("round_trip", stored_format::round_trip);
}

#[test]
fn workflow_model() {
    replay("workflow_model", workflow_model::workflow_model);
}

/// A target whose corpus nothing replays would only look as if it had one.
#[test]
fn every_target_is_replayed_here_or_by_the_unit_tests() {
    let root = common::repository();
    let tests = ["tests/format/fuzz_corpus.rs", "src/redis/fuzzing/replay.rs"];
    let tests = tests.map(|file| fs::read_to_string(root.join(file)).unwrap()).concat();
    for target in fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap() {
        let target = target.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(tests.contains(&format!("#[test]\nfn {target}()")), "{target} is not replayed");
    }
}
