//! What a sweep did, and what failed.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Outcome, Result, StoreError, StoreErrorKind};
use crate::query::{Cursor, PageRequest};
use crate::request::{MutationRequest, RequestId};

/// What one sweep over the due requests did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Swept {
    /// The requests in which something expired, in the order of their deadlines.
    pub expired: Vec<RequestId>,
    /// How many due requests somebody else changed first, for instance another sweeper.
    pub overtaken: u64,
    /// The requests that could not be expired, and why. The next sweep from the beginning tries them again. Also
    /// requests in `expired` whose expiry is written but less durably than requested: the error's outcome is then
    /// [`Outcome::Applied`].
    pub failed: Vec<(RequestId, Error)>,
    /// Whether more requests are due than this sweep reached.
    pub more: bool,
    /// If more are due, the position to continue from: after those that failed, which a sweep from the beginning would
    /// meet again first. `None` when the store failed for several in a row, so that a later sweep should start from the
    /// beginning.
    pub next: Option<Cursor>,
    store_failures_in_a_row: u8,
}

impl Swept {
    /// A store that fails this often in a row fails for all requests, and each attempt may take a call's whole time.
    const MAX_STORE_FAILURES: u8 = 3;

    /// Records the result of expiring a request.
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

    /// How many of at most `limit` requests the same sweep may still expire.
    pub(crate) fn left_of(&self, limit: usize) -> usize {
        let dealt_with = self.expired.len().saturating_add(usize::try_from(self.overtaken).unwrap_or(usize::MAX));
        if self.failed.len() >= PageRequest::MAX_LIMIT || self.is_store_down() {
            return 0;
        }
        limit.saturating_sub(dealt_with)
    }

    pub(crate) const fn is_store_down(&self) -> bool {
        self.store_failures_in_a_row >= Self::MAX_STORE_FAILURES
    }
}

/// The function that a sweeper reports to panicked. The sweeper went on, and stopping it returns this.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the function this sweeper reports to panicked in {times} report(s), last with {message:?}; the content of these \
     reports is lost, but the sweeps went on. Fix the function"
)]
#[non_exhaustive]
pub struct ReportPanicked {
    /// The number of reports that panicked.
    pub times: u64,
    /// The message of the last panic, if it was text.
    pub message: String,
}

crate::error::debug_as_sentence!(ReportPanicked);

/// Counts the reports that ended with a panic.
#[derive(Debug, Default)]
pub(crate) struct LostReports(Mutex<Option<ReportPanicked>>);

impl LostReports {
    pub(crate) fn add(&self, message: String) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = lost.as_ref().map_or(0, |lost| lost.times).saturating_add(1);
        *lost = Some(ReportPanicked { times, message });
    }

    pub(crate) fn check(&self) -> Result<(), ReportPanicked> {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.take().map_or(Ok(()), Err)
    }
}

/// The message of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text").to_owned()
}

/// A sweep that ended with a panic.
pub(crate) fn panicked_sweep(message: &str) -> Error {
    let problem = format!(
        "the sweep panicked: {message}; what had expired by then is written. The store or the clock of this \
         service has a bug: fix that"
    );
    StoreError::new(StoreErrorKind::Panicked, Outcome::Unknown, problem).into()
}

/// Whether the error only means that somebody else changed the request first.
const fn is_overtaken(error: &Error) -> bool {
    matches!(
        error,
        Error::Conflict(_) | Error::InvalidTransition { .. } | Error::NothingDue { .. } | Error::NotFound { .. }
    )
}
