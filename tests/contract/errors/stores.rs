//! Whoever writes a store can build every error that it needs, and whoever calls it can match on them.

use mutator_governance::{
    Error, ErrorKind, FormatError, InvalidValue, LayoutError, Outcome, RequestId, StoreError, StoreErrorKind,
    UnsettledWrite, WriteId, WriteKind,
};

fn id() -> RequestId {
    RequestId::new("r").unwrap()
}

#[test]
fn a_store_can_build_every_error_that_it_needs() {
    let write = UnsettledWrite { id: id(), base: None, write_id: WriteId::generate(), intent: None };
    let lost = StoreError::new(StoreErrorKind::DeadlineExceeded, Outcome::Unknown, "no reply").leaving(write.clone());
    let older = LayoutError::Older { place: "table requests".to_owned(), found: 1, expected: 2 };
    let reused = Error::WriteIdReused { id: id(), write_id: write.write_id, used_to: WriteKind::Submit, revision: 0 };
    let format = || FormatError::Malformed { problem: "no end".to_owned() };
    for (error, code) in [
        (Error::not_found(id()), "request.not_found"),
        (Error::already_exists(id()), "request.already_exists"),
        (reused, "request.write_id_reused"),
        (Error::rewritten_history(id(), 1), "request.rewritten_history"),
        (Error::submitted_fields_changed(id()), "request.submitted_fields_changed"),
        (Error::too_large(id(), 2, 1), "request.too_large"),
        (Error::too_many_entries(id(), 2, 1), "request.too_many_entries"),
        (Error::unwritable(id(), format()), "format.malformed"),
        (Error::unreadable("row 7", format()), "format.malformed"),
        (Error::invalid_cursor("it is damaged"), "value.cursor"),
        (Error::invalid_feed_position("it is damaged"), "value.feed_position"),
        (InvalidValue::new("limit", "is 0").into(), "value.invalid"),
        (lost.into(), "store.deadline_exceeded"),
        (StoreError::of_layout(older).into(), "layout.older"),
    ] {
        assert_eq!(error.code(), code, "{error}");
    }
}

/// As a caller writes it: by name, through no box.
fn answer(error: &Error) -> &str {
    match error {
        Error::Store(StoreError { kind: StoreErrorKind::Corrupt, problem, .. }) => problem,
        Error::Unreadable { error: FormatError::Malformed { problem }, .. } => problem,
        Error::NotFound { id } => id.as_str(),
        other if matches!(other.layout(), Some(LayoutError::Older { found: 1, .. })) => "reindex it",
        other if other.kind() == ErrorKind::UnknownOutcome => "settle it",
        _ => "something else",
    }
}

#[test]
fn errors_are_matched_by_name_through_no_box() {
    let corrupt = StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, "an index");
    assert_eq!(answer(&corrupt.into()), "an index");
    assert_eq!(answer(&Error::unreadable("r", FormatError::Malformed { problem: "no end".to_owned() })), "no end");
    assert_eq!(answer(&Error::not_found(id())), "r");
    let older = LayoutError::Older { place: "table requests".to_owned(), found: 1, expected: 2 };
    assert_eq!(answer(&StoreError::of_layout(older).into()), "reindex it");
    let lost = StoreError::new(StoreErrorKind::Connection, Outcome::Unknown, "closed");
    assert_eq!(answer(&lost.into()), "settle it");
}
