//! Replays the corpora and regressions of the fuzzers on stable; those of the other targets are in `tests/format/fuzz_corpus.rs`.

use std::fs;
use std::path::Path;

/// Inputs that were found for a target: `fuzz/corpus/<target>`, and the crashes in `fuzz/regressions/<target>`.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = |kind: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let corpus = fs::read_dir(folder("corpus")).expect("a corpus").collect::<Vec<_>>();
    assert!(!corpus.is_empty(), "the corpus of {target} is empty");
    for file in corpus.into_iter().chain(fs::read_dir(folder("regressions")).into_iter().flatten()) {
        check(&fs::read(file.unwrap().path()).unwrap());
    }
}

/// The golden vectors too, which are seeds of the fuzzer.
#[test]
fn excerpt() {
    replay("excerpt", super::excerpt);
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stored_format");
    let folders = fs::read_dir(vectors).expect("golden vectors").map(|folder| folder.unwrap().path());
    let files =
        folders.filter(|folder| !folder.ends_with("documents")).flat_map(|folder| fs::read_dir(folder).unwrap());
    let vectors: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(vectors.len() > 20, "only {} golden vectors", vectors.len());
    vectors.iter().for_each(|vector| super::excerpt(vector));
}

#[test]
fn query_vs_scan() {
    replay("query_vs_scan", super::query_vs_scan);
}

#[test]
fn record_header() {
    replay("record_header", super::record_header);
}

#[test]
fn script_reply() {
    replay("script_reply", super::script_reply);
}
