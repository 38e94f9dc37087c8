//! Failures of a store.

use super::{LayoutError, Outcome};
use crate::request::UnsettledWrite;

/// A failure of the store itself.
#[derive(thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    /// Whether the write of the failed call took effect; `NotApplied` for reads.
    pub outcome: Outcome,
    /// What failed and what to do, in words. Never holds a secret.
    pub problem: String,
    /// The write whose outcome is unknown, if it is; `Governance::settle` settles it.
    pub unsettled: Option<Box<UnsettledWrite>>,
    /// The layout of the namespace, if the store cannot use it; the kind is then
    /// [`Incompatible`](StoreErrorKind::Incompatible).
    pub layout: Option<Box<LayoutError>>,
    /// The cause, as the backend reported it.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failures of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The server cannot be reached.
    Unreachable,
    /// The call did not end by its deadline.
    DeadlineExceeded,
    /// The connection broke, or returned an invalid answer.
    Connection,
    /// The server rejected the call for a reason that may pass: it is loading, busy, read-only or out of memory. In a cluster and
    /// with Sentinels also: a server that is needed is down, and none took over in the time of the call; the problem names it.
    Unavailable,
    /// The server rejected the call for a lasting reason: permissions, a wrong command, a wrong type at a key.
    Rejected,
    /// The server, or what it holds, does not fit this store: its version, or the namespace's format.
    Incompatible,
    /// The stored data contradicts itself, so that a result would be wrong. The error names the index or key.
    Corrupt,
    /// The configuration of the store cannot work.
    Configuration,
    /// The store or its clock panicked: a bug in its code.
    Panicked,
    /// The write took effect, but the requested durability was not confirmed.
    Unconfirmed,
}

impl StoreErrorKind {
    /// Whether a failure of this kind may pass by itself. The outcome decides whether the call can then be repeated:
    /// see [`Error::is_retryable`](crate::Error::is_retryable).
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::DeadlineExceeded | Self::Connection | Self::Unavailable)
    }
}

impl StoreError {
    /// A failure of this kind, for authors of stores.
    pub fn new(kind: StoreErrorKind, outcome: Outcome, problem: impl Into<String>) -> Self {
        Self { kind, outcome, problem: problem.into(), unsettled: None, layout: None, source: None }
    }

    /// A namespace, or a part of one, whose layout this store cannot use. Nothing was written.
    pub fn of_layout(error: LayoutError) -> Self {
        let failure = Self::new(StoreErrorKind::Incompatible, Outcome::NotApplied, error.to_string());
        Self { layout: Some(Box::new(error)), ..failure }
    }

    /// The same failure, which leaves this write unsettled.
    #[must_use]
    pub fn leaving(mut self, write: UnsettledWrite) -> Self {
        self.unsettled = Some(Box::new(write));
        self
    }

    /// The same failure with its cause, as the backend reported it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;
    use crate::error::Error;

    fn failure(kind: StoreErrorKind, outcome: Outcome) -> Error {
        StoreError::new(kind, outcome, "the disk is full").into()
    }

    #[test]
    fn the_cause_is_kept_beside_the_words() {
        let failure = StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, "the disk is full");
        let error = Error::from(failure.caused_by(io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(error.to_string(), "the disk is full");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::StorageFull));
    }

    #[test]
    fn only_what_passes_and_left_nothing_behind_is_retried() {
        use StoreErrorKind::{
            Configuration, Connection, Corrupt, DeadlineExceeded, Incompatible, Panicked, Rejected, Unavailable,
            Unconfirmed, Unreachable,
        };
        for passing in [Unreachable, DeadlineExceeded, Connection, Unavailable] {
            assert!(failure(passing, Outcome::NotApplied).is_retryable(), "{passing:?}");
            for outcome in [Outcome::Unknown, Outcome::Applied] {
                assert!(!failure(passing, outcome).is_retryable(), "{passing:?}, {outcome}");
            }
        }
        for staying in [Rejected, Incompatible, Corrupt, Configuration, Panicked, Unconfirmed] {
            assert!(!failure(staying, Outcome::NotApplied).is_retryable(), "{staying:?}");
        }
    }
}
