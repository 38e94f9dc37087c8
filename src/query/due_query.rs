//! The query for requests that are due to expire, or have an approval that is.

use super::{Query, QueryDigest};
use crate::index::{KeyLayout, SortKey};
use crate::request::{MutationRequest, Timestamp};
use crate::workflow;

/// A query for the requests that are due at a time or earlier, by their next deadline, then by id: the query of `Store::due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueQuery {
    by: Timestamp,
}

impl DueQuery {
    /// Due at this time, or before.
    pub const fn by(time: Timestamp) -> Self {
        Self { by: time }
    }

    pub(super) const fn time(self) -> Timestamp {
        self.by
    }
}

impl Query for DueQuery {
    type Part<'a> = &'a MutationRequest;
    type Row = MutationRequest;
    const LAYOUT: KeyLayout = KeyLayout::Due;

    fn rows_of<'a>(&self, request: &'a MutationRequest, _now: Timestamp) -> Vec<(SortKey, Self::Part<'a>)> {
        let deadline = workflow::next_deadline(request).filter(|deadline| *deadline <= self.by);
        deadline.map(|deadline| (SortKey::due(deadline, &request.id), request)).into_iter().collect()
    }

    fn row(part: Self::Part<'_>) -> MutationRequest {
        part.clone()
    }

    /// Leaves the time out: a later time only makes the same list longer, so a cursor stays valid.
    fn fingerprint(&self) -> [u8; 8] {
        QueryDigest::of("due").finish()
    }
}
