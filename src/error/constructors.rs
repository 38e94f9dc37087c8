//! Constructors for those who write a store.

use super::Error;
use crate::request::RequestId;
use crate::stored_format::FormatError;

/// The refusals of a store, for those who write one of their own. Of the others, conflicts are made by
/// [`Conflict::between`](crate::Conflict::between), failures by [`StoreError::new`](crate::StoreError::new), and both
/// become errors by `into()`.
impl Error {
    /// There is no request with this id.
    pub const fn not_found(id: RequestId) -> Self {
        Self::NotFound { id }
    }

    /// There is a request with this id already.
    pub const fn already_exists(id: RequestId) -> Self {
        Self::AlreadyExists { id }
    }

    /// An update of this request does not begin with so many decisions that are stored.
    pub const fn rewritten_history(id: RequestId, stored: usize) -> Self {
        Self::RewrittenHistory { id, stored }
    }

    /// An update would change what was fixed when this request was submitted; see
    /// [`has_same_submission`](crate::for_stores::has_same_submission).
    pub const fn submitted_fields_changed(id: RequestId) -> Self {
        Self::SubmittedFieldsChanged { id }
    }

    /// This request takes so many bytes where the limit allows fewer.
    pub const fn too_large(id: RequestId, size: usize, limit: usize) -> Self {
        Self::TooLarge { id, size, limit, kept: 0 }
    }

    /// This request takes so many index entries where the limit allows fewer.
    pub const fn too_many_entries(id: RequestId, entries: usize, limit: usize) -> Self {
        Self::TooManyEntries { id, entries, limit }
    }

    /// This request cannot be written in the stored format.
    pub const fn unwritable(id: RequestId, source: FormatError) -> Self {
        Self::Unwritable { id, source }
    }

    /// What is stored under this key cannot be read.
    pub fn unreadable(key: impl Into<String>, source: FormatError) -> Self {
        Self::Unreadable { key: key.into(), source }
    }

    /// A page cannot be continued from a cursor, because of this.
    pub const fn invalid_cursor(problem: &'static str) -> Self {
        Self::InvalidCursor { problem }
    }

    /// The change feed cannot be read on from a position, because of this.
    pub const fn invalid_feed_position(problem: &'static str) -> Self {
        Self::InvalidFeedPosition { problem }
    }

    pub(crate) fn invalid_approval_configuration(problem: impl Into<String>) -> Self {
        Self::InvalidApprovalConfiguration { problem: problem.into() }
    }
}
