//! What became of a write that ended with an error.

use std::fmt;

/// Whether the write of a failed call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing was written.
    NotApplied,
    /// The write took effect.
    Applied,
    /// It cannot be known yet. A plain second call could do it twice, so go on in one of these ways:
    ///
    /// - After `Governance::submit_as` or `apply_as`: repeat the same call with the same write id until it returns. It
    ///   is done once, however often you call it.
    /// - After any other call: [`Error::unsettled_write`](crate::Error::unsettled_write) names the write, and `Governance::settle` says what became of
    ///   it. [`Applied`](crate::Settled::Applied): read the request. [`NotApplied`](crate::Settled::NotApplied):
    ///   nothing happened, and nothing will; decide again. [`Open`](crate::Settled::Open): repeat it under its ids,
    ///   `apply_as(&write.id, &command, write.write_id)`, or `submit_as(draft.with_id(write.id), write.write_id)` for a
    ///   submission.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotApplied => "not applied",
            Self::Applied => "applied",
            Self::Unknown => "unknown",
        })
    }
}
