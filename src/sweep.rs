use crate::error::{Error, Outcome, Result};
use crate::query::{Cursor, PageRequest};
use crate::request::{MutationRequest, RequestId};

/// What one sweep over the requests that were due did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// The requests of which something was let expire, in the order of their deadlines.
    pub expired: Vec<RequestId>,
    /// How many were found due, but were changed by somebody else first, another sweeper for instance.
    pub overtaken: u64,
    /// The requests that could not be let expire, and why. They are tried again by the next sweep from the beginning. Also
    /// those among the expired whose expiry is written, but less durably than was asked for: the error's outcome is then
    /// [`Outcome::Applied`].
    pub failed: Vec<(RequestId, Error)>,
    /// Whether more are due than this sweep came to.
    pub more: bool,
    /// Behind which request to go on if more are due: past those that failed, which the next sweep from the beginning would
    /// meet again first. None when the store failed for several in a row, so that a later sweep had better begin anew.
    pub next: Option<Cursor>,
    store_failures_in_a_row: u8,
}

impl Swept {
    /// A store that fails so often in a row fails for all, and each attempt may take a call's whole time.
    const MOST_STORE_FAILURES: u8 = 3;

    /// Takes in what became of the attempt to let a request expire.
    pub(crate) fn record(&mut self, id: RequestId, result: Result<MutationRequest>) {
        let is_store_failure = result.as_ref().is_err_and(Error::is_passing_failure);
        self.store_failures_in_a_row = if is_store_failure { self.store_failures_in_a_row + 1 } else { 0 };
        match result {
            Ok(_) => self.expired.push(id),
            Err(error) if is_overtaken(&error) => self.overtaken += 1,
            Err(error) => {
                if error.outcome() == Outcome::Applied {
                    self.expired.push(id.clone());
                }
                self.failed.push((id, error));
            }
        }
    }

    /// How many of at most `limit` requests may still be let expire by the same sweep.
    pub(crate) fn left_of(&self, limit: usize) -> usize {
        let dealt_with = self.expired.len().saturating_add(usize::try_from(self.overtaken).unwrap_or(usize::MAX));
        if self.failed.len() >= PageRequest::MAX_LIMIT || self.is_store_down() {
            return 0;
        }
        limit.saturating_sub(dealt_with)
    }

    pub(crate) const fn is_store_down(&self) -> bool {
        self.store_failures_in_a_row >= Self::MOST_STORE_FAILURES
    }
}

/// Whether a request that somebody else changed first explains the error.
const fn is_overtaken(error: &Error) -> bool {
    matches!(
        error,
        Error::Conflict(_) | Error::InvalidTransition { .. } | Error::NothingDue { .. } | Error::NotFound { .. }
    )
}
