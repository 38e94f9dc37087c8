//! What was ever written stays readable: the vectors under `tests/fixtures/stored_format` are never edited.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mutator_governance::stored_format::{DocumentLimit, FormatVersion, decode, encode, encode_as};
use mutator_governance::{DecisionKind, PendingReason, Status};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stored_format")
}

/// Name and bytes of every vector of a version.
fn vectors(version: u16) -> BTreeMap<String, Vec<u8>> {
    let folder = fs::read_dir(fixtures().join(format!("v{version}"))).unwrap();
    let files = folder.map(|file| file.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

fn snapshot(name: &str) -> String {
    fs::read_to_string(fixtures().join("documents").join(format!("{name}.txt"))).unwrap()
}

#[test]
fn every_vector_of_every_version_decodes_to_its_document() {
    for version in 1..=FormatVersion::NEWEST.number() {
        let vectors = vectors(version);
        assert!(vectors.len() >= 12, "version {version} has {} vectors", vectors.len());
        for (name, bytes) in vectors {
            let document = decode(&bytes, LIMIT).unwrap_or_else(|error| panic!("{name} of version {version}: {error}"));
            assert!(format!("{document:#?}\n") == snapshot(&name), "{name} of version {version} has changed");
        }
    }
}

#[test]
fn every_document_is_written_as_it_always_was() {
    for number in 1..=FormatVersion::NEWEST.number() {
        let version = FormatVersion::new(number).unwrap();
        for (name, bytes) in vectors(number) {
            let written = encode_as(&decode(&bytes, LIMIT).unwrap(), version, LIMIT).unwrap();
            assert!(written == bytes, "{name} is written differently in version {number}");
        }
    }
}

#[test]
fn an_old_document_is_upgraded_to_the_bytes_it_would_have_been_written_as() {
    let newest = vectors(FormatVersion::NEWEST.number());
    for version in 1..FormatVersion::NEWEST.number() {
        for (name, bytes) in vectors(version) {
            let upgraded = encode(&decode(&bytes, LIMIT).unwrap(), LIMIT).unwrap();
            assert!(upgraded == newest[&name], "{name} of version {version} is upgraded to something else");
        }
    }
}

#[test]
fn the_documents_cover_every_variant() {
    let all: String = vectors(1).keys().map(|name| snapshot(name)).collect();
    let words = [
        "Unknown User System Service Policy Scheduler Administrator",
        "Simulate Validate Commit",
        "Low Medium High Critical Single Module Global",
        "Any WhenImpossible NotTheRequester Anyone Satisfied",
        "Info Warning Error",
        "Standard Compensation Rollback ForwardCorrection Operator Batch FailedExecution Compensates CompensatedBy",
        "Null Bool Integer Float Text Bytes Time List Map",
    ];
    let kinds = DecisionKind::all().map(|kind| format!("{kind:?}").replace(['(', ')'], " "));
    let words = words.iter().map(ToString::to_string).chain(kinds);
    let words: Vec<String> = words.flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
    let states = Status::ALL.iter().map(|status| format!("state: {status:?}"));
    let reasons = PendingReason::ALL.iter().map(|reason| format!("reason: {reason:?}"));
    for word in words.into_iter().chain(states).chain(reasons) {
        assert!(all.contains(&word), "no golden document has {word}");
    }
}
