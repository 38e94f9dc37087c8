use crate::error::Error;
use crate::request::RequestId;

/// What one sweep over the requests that were due did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// The requests of which something was let expire, in the order of their deadlines.
    pub expired: Vec<RequestId>,
    /// How many were found due, but were changed by somebody else first, another sweeper for instance.
    pub overtaken: u64,
    /// The requests that could not be let expire, and why. They are tried again by the next sweep.
    pub failed: Vec<(RequestId, Error)>,
    /// Whether more are due than this sweep was allowed to look at.
    pub more: bool,
}

impl Swept {
    /// Whether a request that somebody else changed first explains the error.
    pub(crate) const fn is_overtaken(error: &Error) -> bool {
        matches!(
            error,
            Error::Conflict(_) | Error::InvalidTransition { .. } | Error::NothingDue { .. } | Error::NotFound { .. }
        )
    }
}
