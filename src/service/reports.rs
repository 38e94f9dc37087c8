//! Functions that a runner reports to, which may panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Outcome, StoreError, StoreErrorKind};

/// The function that a sweeper, an executor or a follower reports to panicked. It went on, and stopping it returns this.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the function reported to panicked in {times} report(s), last with {message:?}; the content of these reports is \
     lost, but the work went on. Fix the function"
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
    /// Calls the function; counts its panic instead of passing it on.
    pub(crate) fn guard(&self, report: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(report)) {
            self.add(panic_message(&*panic));
        }
    }

    fn add(&self, message: String) {
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

/// The error about work that ended with a panic of the store or its clock.
pub(crate) fn panicked(work: &str, message: &str) -> Error {
    let problem = format!(
        "{work} panicked: {message}; what it had written by then is written. The store or the clock of this service has \
         a bug: fix that"
    );
    StoreError::new(StoreErrorKind::Panicked, Outcome::Unknown, problem).into()
}
