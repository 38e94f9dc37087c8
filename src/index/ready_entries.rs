//! The index entries of requests that executors take: when each is ready, and when its validity ends.

use super::{Dimension, SortKey};
use crate::request::{MutationRequest, Timestamp};
use crate::workflow;

/// The terms of [`Dimension::Ready`]. An approved request that can become ready has one entry in the first or the
/// second; the times of the entries that have come are those of the ready requests, except for what the third takes
/// away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadyTerm {
    /// By the time it becomes ready.
    Open,
    /// By the end of the lease of its claim.
    Claimed,
    /// By the end of its validity, if it has one: from then on its entry in the first is no longer ready.
    Ended,
    /// By the time of the next attempt, if it is tried again after failed ones; only for counting.
    Failing,
}

impl ReadyTerm {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Claimed => "claimed",
            Self::Ended => "ended",
            Self::Failing => "failing",
        }
    }
}

/// Passes on the entries of a request.
pub(super) fn each_ready(request: &MutationRequest, mut take: impl FnMut(&SortKey, Dimension, &str)) {
    let key = |time: Timestamp| SortKey::ready(time, &request.id, request.created_at);
    if let Some(attempts) = &request.execution.failed_attempts {
        take(&key(attempts.next_at), Dimension::Ready, ReadyTerm::Failing.as_str());
    }
    let Some(ready) = workflow::ready_at(request) else { return };
    // What was scheduled after the lease of its claim is open.
    let term = if workflow::awaited_lease(request).is_some() { ReadyTerm::Claimed } else { ReadyTerm::Open };
    take(&key(ready), Dimension::Ready, term.as_str());
    if let Some(end) = workflow::valid_until(request) {
        take(&key(end), Dimension::Ready, ReadyTerm::Ended.as_str());
    }
}
