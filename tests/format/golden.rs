//! What was ever written stays readable: the vectors under `tests/fixtures/stored_format` are never edited.

use std::collections::BTreeSet;
use std::fs;

use common::vectors::{body, compressed_vectors, fixtures, vectors};
use mutator_governance::stored_format::{DocumentLimit, FormatVersion, decode, encode, encode_as};
use mutator_governance::{DecisionKind, PendingReason, RequestDocument, Status};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

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

/// Another compressor may give other bytes, so that only what was compressed is compared, not the stream.
#[test]
fn every_compressed_vector_decodes_to_its_document_and_has_the_body_it_has_uncompressed() {
    for version in 1..=FormatVersion::NEWEST.number() {
        let (compressed, uncompressed) = (compressed_vectors(version), vectors(version));
        assert!(compressed.len() >= 4, "version {version} has {} compressed vectors", compressed.len());
        for (name, bytes) in compressed {
            let document = decode(&bytes, LIMIT).unwrap_or_else(|error| panic!("{name} of version {version}: {error}"));
            assert!(format!("{document:#?}\n") == snapshot(&name), "{name} of version {version} has changed");
            let (length, stream) = body(&bytes).split_first_chunk().unwrap();
            let inflated = miniz_oxide::inflate::decompress_to_vec_zlib(stream).unwrap();
            assert_eq!((bytes[5], u32::from_le_bytes(*length) as usize), (1, inflated.len()));
            assert!(inflated == body(&uncompressed[&name]), "{name} of version {version} has another body");
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
    let newest = vectors(FormatVersion::NEWEST.number());
    let snapshots: String = newest.keys().map(|name| snapshot(name)).collect();
    let used: BTreeSet<&str> = snapshots.split(|c: char| !c.is_alphanumeric()).collect();
    let words = [
        "Unknown User System Service Policy Scheduler Administrator",
        "Simulate Validate Commit",
        "Low Medium High Critical Single Module Global",
        "Any WhenImpossible NotTheRequester Anyone Satisfied",
        "Info Warning Error",
        "Standard Compensation Rollback ForwardCorrection Operator Batch FailedExecution Compensates CompensatedBy",
        "Null Bool Integer Float Text Bytes Time List Map",
    ];
    for word in words.iter().flat_map(|line| line.split(' ')) {
        assert!(used.contains(word), "no golden document has {word}");
    }
    let documents: Vec<_> = newest.values().map(|bytes| decode(bytes, LIMIT).unwrap()).collect();
    for status in Status::ALL {
        assert!(documents.iter().any(|document| document.state.status() == status), "{status}");
    }
    for reason in PendingReason::ALL {
        let waits =
            |document: &RequestDocument| document.state.pending().is_some_and(|pending| pending.reason == reason);
        assert!(documents.iter().any(waits), "{reason}");
    }
    for kind in DecisionKind::all() {
        let decided = |document: &RequestDocument| document.decisions.iter().any(|decision| decision.kind == kind);
        assert!(documents.iter().any(decided), "{kind}");
    }
}
