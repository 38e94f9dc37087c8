//! Versions after the first, as a later release has them: an older version rejects their parts, and reads defaults.

use std::cell::Cell;
use std::sync::Arc;

use super::document::kinds::kinds_of;
use super::gates::{Field, Format, Gate, Part};
use super::samples::{fullest, realistic, smallest};
use super::*;
use crate::request::*;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

/// Today's format, as if one field and two kinds had come with two later versions.
const LATER: Format = Format::of(&[
    Gate { since: 2, opens: Part::Field(Field::Batch) },
    Gate { since: 2, opens: Part::Kind("decision kind", 39) },
    Gate { since: 3, opens: Part::Kind("pending reason", 5) },
]);

thread_local! {
    pub(super) static STAND_IN: Cell<Option<Format>> = const { Cell::new(None) };
}

/// From here on this thread reads and writes [`LATER`], whose versions are 1 to 3; from 3 on a request may wait for a
/// manual review.
#[cfg(all(feature = "blocking", feature = "redis"))]
pub(crate) fn stand_in_a_later_format() {
    STAND_IN.set(Some(LATER));
}

fn encode_later(document: &RequestDocument, version: u16) -> Result<Vec<u8>, FormatError> {
    LATER.encode(version, document, Compression::NEVER, LIMIT)
}

fn with_decision(kind: ApprovalDecision) -> RequestDocument {
    let mut document = realistic();
    document.decisions.push(Decision::new(kind, &document.requested_by, document.updated_at));
    document
}

fn waiting_for(reason: PendingReason) -> RequestDocument {
    RequestDocument { state: RequestState::Pending(reason.into()), ..smallest() }
}

fn compensation(batch: Option<BatchId>) -> RequestDocument {
    let mut document = smallest();
    let plan = CompensationPlan::new(document.id.clone(), CompensationKind::Rollback, CompensationTrigger::Batch);
    let plan = batch.into_iter().fold(plan, CompensationPlan::in_batch);
    document.execution.links = vec![ExecutionLink::to_original(&plan, document.updated_at)];
    document.execution.kind = ExecutionKind::Compensation(plan);
    document
}

/// The documents that need a later version than the first: that version, and their error in an older one.
fn newer_documents() -> Vec<(RequestDocument, u16, &'static str)> {
    vec![
        (compensation(Some(BatchId::new("b").unwrap())), 2, "the batch of a compensation, which came with version 2"),
        (
            with_decision(ApprovalDecision::Delegated),
            2,
            "the decision kind Approval/Delegated, which came with version 2",
        ),
        (waiting_for(PendingReason::ManualReview), 3, "the pending reason ManualReview, which came with version 3"),
    ]
}

#[test]
fn versions_are_derived_from_the_gates() {
    assert_eq!([Format::of(&[]), LATER].map(Format::newest), [1, 3]);
    assert_eq!(LATER.versions().map(|version| version.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(Format::CURRENT.newest(), FormatVersion::NEWEST.number());
    for unknown in [4, u16::MAX] {
        let newer = FormatError::UnsupportedVersion { part: "schema", found: unknown, newest_supported: 3 };
        assert_eq!(LATER.version(unknown).err(), Some(newer));
    }
    assert!(matches!(LATER.version(0), Err(FormatError::Malformed { .. })));
}

#[test]
fn what_a_version_has_no_place_for_is_not_written_in_it() {
    for (document, since, problem) in newer_documents() {
        for version in 1..=3 {
            let written = encode_later(&document, version);
            if version < since {
                let Err(FormatError::NotExpressible { version: named, problem: named_problem }) = written else {
                    panic!("{problem}: written in version {version}: {written:?}");
                };
                assert_eq!((named, named_problem), (version, format!("it has {problem}")));
            } else {
                assert_eq!(LATER.decode(&written.unwrap(), LIMIT).unwrap(), document, "{problem}, version {version}");
            }
        }
    }
}

#[test]
fn what_an_older_version_lacks_is_read_as_its_default_and_takes_no_byte_there() {
    let plain = compensation(None);
    let lengths = [1, 2, 3].map(|version| {
        let bytes = encode_later(&plain, version).unwrap();
        assert_eq!(LATER.decode(&bytes, LIMIT).unwrap(), plain, "version {version}");
        bytes.len()
    });
    assert_eq!([lengths[1], lengths[2]], [lengths[0] + 2; 2], "a byte in the plan, one in its link");
}

#[test]
fn what_came_with_version_2_is_written_in_it_and_not_in_the_first() {
    let by = Arc::new(ActorContext::system());
    let with = |kind: DecisionKind| {
        let mut document = realistic();
        document.decisions.push(Decision::new(kind, &by, document.updated_at));
        document
    };
    for kind in [ApprovalDecision::Withdrawn.into(), DiscussionDecision::Commented.into()] {
        let document = with(kind);
        let written = Format::CURRENT.encode(1, &document, Compression::NEVER, LIMIT);
        let problem = format!("it has the decision kind {kind}, which came with version 2");
        assert_eq!(written.unwrap_err(), FormatError::NotExpressible { version: 1, problem });
        let bytes = Format::CURRENT.encode(2, &document, Compression::NEVER, LIMIT).unwrap();
        assert_eq!(Format::CURRENT.decode(&bytes, LIMIT).unwrap(), document);
    }
    let without = realistic();
    let bytes = [1, 2].map(|version| Format::CURRENT.encode(version, &without, Compression::NEVER, LIMIT).unwrap());
    assert_eq!(bytes[0].len(), bytes[1].len(), "a request that uses none of it costs no more bytes");
}

/// The same as `migrate` and every other write.
#[test]
fn a_document_of_an_older_version_is_upgraded_and_back_while_it_has_nothing_new() {
    for document in [realistic(), smallest(), compensation(None), waiting_for(PendingReason::Quota)] {
        let older = encode_later(&document, 1).unwrap();
        let newest = encode_later(&LATER.decode(&older, LIMIT).unwrap(), 3).unwrap();
        assert_eq!(LATER.decode(&newest, LIMIT).unwrap(), document);
        assert_eq!(encode_later(&LATER.decode(&newest, LIMIT).unwrap(), 1).unwrap(), older);
    }
}

#[test]
fn an_older_release_rejects_a_newer_version_by_its_number_also_in_parts() {
    let older = Format::of(&[]);
    let bytes = encode_later(&fullest(), 3).unwrap();
    let rejected = FormatError::UnsupportedVersion { part: "schema", found: 3, newest_supported: 1 };
    assert_eq!(older.decode(&bytes, LIMIT).unwrap_err(), rejected);
    assert_eq!(older.decode_excerpt(&bytes, LIMIT, PendingApprovals(&|_, _, _| true)).unwrap_err(), rejected);
    assert_eq!(older.decode_excerpt(&bytes, LIMIT, Decisions(&|_, _, _| true)).unwrap_err(), rejected);
    assert!(LATER.decode_excerpt(&bytes, LIMIT, PendingApprovals(&|_, _, _| true)).is_ok());
    assert!(LATER.decode_excerpt(&bytes, LIMIT, Decisions(&|_, _, _| true)).is_ok());
}

/// No writer makes these: a body of version 1 with a later part.
#[test]
fn a_kind_that_came_later_is_malformed_in_an_older_version() {
    for (document, number) in [
        (with_decision(ApprovalDecision::Delegated), "decision kind 39"),
        (waiting_for(PendingReason::ManualReview), "pending reason 5"),
    ] {
        let bytes = Format::of(&[]).encode(1, &document, Compression::NEVER, LIMIT).unwrap();
        // Valid in the version that wrote it.
        assert!(Format::of(&[]).decode(&bytes, LIMIT).is_ok());
        let FormatError::Malformed { problem } = LATER.decode(&bytes, LIMIT).unwrap_err() else { panic!("{number}") };
        assert!(problem.starts_with(&format!("there is no {number} in version 1 (")), "{problem}");
    }
}

#[test]
fn a_gate_closes_exactly_the_kind_it_names() {
    let kinds: Vec<String> = LATER.versions().map(kinds_of).collect();
    let added = |from: usize| {
        let known: Vec<&str> = kinds[from].lines().collect();
        kinds[from + 1].lines().filter(|line| !known.contains(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(added(0), ["decision kind 39 Approval/Delegated"]);
    assert_eq!(added(1), ["pending reason 5 ManualReview"]);
    let ungated = Format::CURRENT.versions().last().map(kinds_of);
    assert_eq!(kinds.last(), ungated.as_ref(), "the newest version has all kinds");
}
