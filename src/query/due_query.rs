//! Which requests have something that is due to expire.

use super::{Query, QueryDigest};
use crate::index::{KeyLayout, SortKey};
use crate::request::{MutationRequest, Timestamp};
use crate::workflow;

/// Asks for the requests of which something is due to expire at a time or was before, by their next deadline, then by id:
/// what `Store::due` answers.
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

    /// The time is left out: a later one only makes the same list longer, so that a cursor leads on in it.
    fn fingerprint(&self) -> [u8; 8] {
        QueryDigest::of("due").finish()
    }
}
