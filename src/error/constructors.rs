//! Constructors for those who write a store, and conversions.

use std::convert::Infallible;

use super::{ArchiveError, Conflict, Error, FormatError, InvalidValue, PolicyError, UnrecordedExecution};
use crate::removal::Tombstone;
use crate::request::{RequestId, UniqueKey};

/// Constructors for authors of stores. [`Conflict::between`](crate::Conflict::between) makes conflicts and
/// [`StoreError::new`](crate::StoreError::new) makes failures; `into()` turns both into errors.
impl Error {
    /// There is no request with this id.
    pub const fn not_found(id: RequestId) -> Self {
        Self::NotFound { id }
    }

    /// There is a request with this id already.
    pub const fn already_exists(id: RequestId) -> Self {
        Self::AlreadyExists { id }
    }

    /// This open request has the unique key already.
    pub const fn already_open(id: RequestId, key: UniqueKey) -> Self {
        Self::AlreadyOpen { id, key }
    }

    /// There was a request with this id, and it was removed.
    pub fn removed(tombstone: Tombstone) -> Self {
        Self::Removed(Box::new(tombstone))
    }

    /// There was a request with this id, so that no other can be created.
    pub fn id_of_removed(tombstone: Tombstone) -> Self {
        Self::IdOfRemoved(Box::new(tombstone))
    }

    /// The same error about an id that a new request was to have.
    pub(crate) fn about_new_id(self) -> Self {
        match self {
            Self::Removed(tombstone) => Self::IdOfRemoved(tombstone),
            other => other,
        }
    }

    /// The decisions of an update do not begin with this many stored ones.
    pub const fn rewritten_history(id: RequestId, stored: usize) -> Self {
        Self::RewrittenHistory { id, stored }
    }

    /// An update would change what is fixed at submission; see
    /// [`has_same_submission`](crate::for_stores::has_same_submission).
    pub const fn submitted_fields_changed(id: RequestId) -> Self {
        Self::SubmittedFieldsChanged { id }
    }

    /// This request takes this many bytes; the limit is lower.
    pub const fn too_large(id: RequestId, size: usize, limit: usize) -> Self {
        Self::TooLarge { id, size, limit, kept: 0 }
    }

    /// This request takes this many index entries; the limit is lower.
    pub const fn too_many_entries(id: RequestId, entries: usize, limit: usize) -> Self {
        Self::TooManyEntries { id, entries, limit }
    }

    /// This request cannot be written in the stored format.
    pub const fn unwritable(id: RequestId, error: FormatError) -> Self {
        Self::Unwritable { id, error }
    }

    /// The bytes stored under this key cannot be read.
    pub fn unreadable(key: impl Into<String>, error: FormatError) -> Self {
        Self::Unreadable { key: key.into(), error }
    }

    /// A page cannot be continued from a cursor, for this reason.
    pub const fn invalid_cursor(problem: &'static str) -> Self {
        Self::InvalidCursor { problem }
    }

    /// The change feed cannot be continued from a position, for this reason.
    pub const fn invalid_feed_position(problem: &'static str) -> Self {
        Self::InvalidFeedPosition { problem }
    }

    pub(crate) fn invalid_approval_configuration(problem: impl Into<String>) -> Self {
        Self::InvalidApprovalConfiguration { problem: problem.into() }
    }
}

// What always converts can be given where something else might not.

impl From<UnrecordedExecution> for Error {
    fn from(error: UnrecordedExecution) -> Self {
        Self::Unrecorded(Box::new(error))
    }
}

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(Box::new(error))
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::Policy(Box::new(error))
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(Box::new(conflict))
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Infallible> for InvalidValue {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
