//! What is read of a document by parts is what the whole has.

use std::sync::Arc;

use proptest::prelude::*;

use super::arbitrary::document;
use super::golden::documents;
use super::versions::KNOWN;
use super::*;
use crate::request::{ActorContext, ApprovalState};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

/// The same approvals, with no more of those who decided them than is certain to be read.
fn with_kinds_and_ids(mut approvals: Vec<Approval>) -> Vec<Approval> {
    for approval in &mut approvals {
        if let ApprovalState::Approved(verdict) | ApprovalState::Rejected { verdict, .. } = &mut approval.state {
            let id = verdict.by.id.clone();
            verdict.by = Arc::new(ActorContext { id, ..ActorContext::new(verdict.by.kind) });
        }
    }
    approvals
}

/// Compares what is read by parts of these bytes, which are those of the document.
pub(super) fn agrees(bytes: &[u8], document: &RequestDocument, limit: DocumentLimit) {
    let (head, approvals) = decode_approvals(bytes, limit).unwrap();
    let (whole_head, whole) = approvals_of(document.clone());
    assert_eq!(head, whole_head);
    assert_eq!(with_kinds_and_ids(approvals), with_kinds_and_ids(whole));

    let every: IsWanted<'_> = &|_, _, _| true;
    let no: IsWanted<'_> = &|_, _, _| false;
    let odd: IsWanted<'_> = &|_, ordinal, _| ordinal % 2 == 1;
    let first_time = document.decisions.first().map(|decision| decision.at);
    let at_first: IsWanted<'_> = &|head, _, at| Some(at) == first_time && head.id == document.id;
    for is_wanted in [every, no, odd, at_first] {
        let read = decode_decisions(bytes, limit, is_wanted).unwrap();
        assert_eq!(read, decisions_of(document.clone(), is_wanted));
    }
}

fn encodings(document: &RequestDocument) -> impl Iterator<Item = Vec<u8>> {
    let compressions = [Compression::NEVER, Compression::of_payloads_from(0)];
    KNOWN.iter().flat_map(move |version| {
        let version = FormatVersion::new(version.number).unwrap();
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

    let (head, decisions) = decode_decisions(&bytes, LIMIT, &|_, _, _| true).unwrap();
    let of = |actor: &Arc<ActorContext>| {
        let by = decisions.iter().map(|(_, decision)| Arc::clone(&decision.by));
        by.filter(|by| by == actor).collect::<Vec<_>>()
    };
    assert!(of(&approver).len() > 2 && of(&approver).windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1])));
    assert!(of(&document.requested_by).iter().all(|by| Arc::ptr_eq(by, &head.requested_by)));
}

#[test]
fn truncations_and_flipped_bits_are_typed_errors_of_every_part() {
    for bytes in encodings(&samples::realistic()) {
        let is_refused = |bytes: &[u8]| {
            decode_approvals(bytes, LIMIT).is_err() && decode_decisions(bytes, LIMIT, &|_, _, _| true).is_err()
        };
        assert!((0..bytes.len()).all(|length| is_refused(&bytes[..length])));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            assert!(is_refused(&damaged), "byte {place}");
        }
    }
}

/// Bytes behind a right checksum: whatever is read whole is read by parts, and alike.
#[test]
fn changed_bodies_that_are_read_whole_are_read_alike_by_parts() {
    let bytes = encode(&samples::fullest(), LIMIT).unwrap();
    let mut read = 0;
    for place in 16..bytes.len() {
        for change in [1_u8, 2, 0x10, 0xff] {
            let mut changed = bytes.clone();
            changed[place] = changed[place].wrapping_add(change);
            let changed = hostile_tests::reseal(changed);
            if let Ok(document) = decode(&changed, LIMIT) {
                agrees(&changed, &document, LIMIT);
                read += 1;
            } else {
                // An error or a value, and no panic.
                let _by_parts = (decode_approvals(&changed, LIMIT), decode_decisions(&changed, LIMIT, &|_, _, _| true));
            }
        }
    }
    assert!(read > 100, "only {read} of the changed bodies can be read, so little was tried");
}
