//! Reading a document by parts gives the same as reading the whole.

use std::sync::Arc;

use proptest::prelude::*;

use super::arbitrary::document;
use super::golden::{documents, holds};
use super::*;
use crate::request::Decision;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

/// Compares the parts read from these bytes with the document they are of.
fn agrees(bytes: &[u8], document: &RequestDocument, limit: DocumentLimit) {
    let is_first = |id: &str| document.approvals.first().is_some_and(|approval| approval.id.as_str() == id);
    let approvals = [
        PendingApprovals(&|_, _, _| true),
        PendingApprovals(&|_, _, _| false),
        PendingApprovals(&|_, step, _| step > 1),
        PendingApprovals(&|head, _, id| is_first(id) && head.id == document.id),
    ];
    for excerpt in approvals {
        assert_eq!(decode_excerpt(bytes, limit, excerpt).unwrap(), excerpt.of(document.clone()));
    }
    let first_time = document.decisions.first().map(|decision| decision.at);
    let decisions = [
        Decisions(&|_, _, _| true),
        Decisions(&|_, _, _| false),
        Decisions(&|_, ordinal, _| ordinal % 2 == 1),
        Decisions(&|head, _, at| Some(at) == first_time && head.id == document.id),
    ];
    for excerpt in decisions {
        assert_eq!(decode_excerpt(bytes, limit, excerpt).unwrap(), excerpt.of(document.clone()));
    }
}

/// Both parts without an error, whatever is wanted.
fn is_read(bytes: &[u8]) -> [bool; 2] {
    let approvals = decode_excerpt(bytes, LIMIT, PendingApprovals(&|_, _, _| true));
    [approvals.is_ok(), decode_excerpt(bytes, LIMIT, Decisions(&|_, _, _| true)).is_ok()]
}

fn encodings(document: &RequestDocument) -> impl Iterator<Item = Vec<u8>> {
    let compressions = [Compression::NEVER, Compression::of_payloads_from(0)];
    FormatVersion::all().filter(|version| holds(*version, document)).flat_map(move |version| {
        compressions.map(|compression| encode_compressed(document, version, compression, LIMIT).unwrap())
    })
}

#[test]
fn parts_of_golden_documents_are_those_of_the_whole() {
    for (_, document) in documents() {
        encodings(&document).for_each(|bytes| agrees(&bytes, &document, LIMIT));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn parts_of_any_document_are_those_of_the_whole(document in document()) {
        encodings(&document).for_each(|bytes| agrees(&bytes, &document, LIMIT));
    }

    #[test]
    fn what_is_read_whole_within_a_limit_is_read_by_parts_within_it(document in document(), short in 0..400_usize) {
        let limit = DocumentLimit::of_bytes(short * 16);
        if let Ok(bytes) = encode(&document, limit) {
            agrees(&bytes, &document, limit);
        }
    }
}

#[test]
fn an_actor_who_is_passed_and_named_again_is_read_once() {
    let mut document = samples::realistic();
    let approver = Arc::clone(&document.approvals[0].state.verdict().unwrap().by);
    let by_approver = document.decisions.iter().find(|decision| decision.by == approver).unwrap().clone();
    document.decisions.extend([by_approver.clone(), by_approver]);
    let bytes = encode(&document, LIMIT).unwrap();

    let (_, decisions) = decode_excerpt(&bytes, LIMIT, Decisions(&|_, _, _| true)).unwrap();
    for actor in [&approver, &document.requested_by] {
        let by = decisions.iter().map(|(_, decision)| &decision.by).filter(|by| *by == actor);
        let by: Vec<_> = by.collect();
        assert!(by.len() > 2 && by.windows(2).all(|two| Arc::ptr_eq(two[0], two[1])), "{by:?}");
    }
}

/// Parts that are skipped and read later count once against the budget, as in reading the whole.
#[test]
fn parts_are_read_within_the_least_limit_that_the_whole_is_read_within() {
    let mut document = samples::realistic();
    let decision = Decision { reason: Some("again and again ".repeat(60)), ..document.decisions[0].clone() };
    document.decisions.extend(vec![decision; 60]);
    let bytes = encode(&document, LIMIT).unwrap();
    let mut limits = (bytes.len()..).map(DocumentLimit::of_bytes);
    let least = limits.find(|limit| decode(&bytes, *limit).is_ok()).unwrap();
    assert!(least.bytes() > bytes.len(), "it is the memory that is scarce");
    agrees(&bytes, &document, least);
}

#[test]
fn truncations_and_flipped_bits_are_typed_errors_of_every_part() {
    for bytes in encodings(&samples::realistic()) {
        assert!((0..bytes.len()).all(|length| is_read(&bytes[..length]) == [false; 2]));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            assert_eq!(is_read(&damaged), [false; 2], "byte {place}");
        }
    }
}

/// Bytes with a valid checksum: whatever can be read whole can be read by parts, with the same result.
#[test]
fn changed_bodies_that_are_read_whole_are_read_alike_by_parts() {
    let bytes = encode(&samples::fullest(), LIMIT).unwrap();
    let mut read = 0;
    for place in 16..bytes.len() {
        for change in [1_u8, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = changed[place].wrapping_add(change);
            let changed = hostile_tests::reseal(changed);
            if let Ok(document) = decode(&changed, LIMIT) {
                agrees(&changed, &document, LIMIT);
                read += 1;
            } else {
                // An error or a value, and no panic.
                let _by_parts = is_read(&changed);
            }
        }
    }
    assert!(read > 100, "only {read} of the changed bodies can be read, so little was tried");
}
