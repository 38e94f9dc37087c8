//! What a sweep did, and what failed.

use serde::{Serialize, Serializer};

use crate::error::{Error, Outcome, Result};
use crate::query::{Cursor, PageRequest};
use crate::request::{ApprovalDecision, MutationRequest, RequestId};

/// What one sweep over the due requests did.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Swept {
    /// The requests in which something expired, in the order of their deadlines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<RequestId>,
    /// The requests of which an escalation was recorded, and nothing expired.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalated: Vec<RequestId>,
    /// How many due requests somebody else changed first, for instance another sweeper.
    pub overtaken: u64,
    /// The requests that could not be expired, and why. The next sweep from the beginning tries them again. Also
    /// requests in `expired` whose expiry is written but less durably than requested: the error's outcome is then
    /// [`Outcome::Applied`].
    #[serde(serialize_with = "failures", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "Vec<SweepFailure<'static>>"))]
    pub failed: Vec<(RequestId, Error)>,
    /// Whether more requests are due than this sweep reached.
    pub more: bool,
    /// If more are due, the position to continue from: after those that failed, which a sweep from the beginning would
    /// meet again first. `None` when the store failed for several in a row, so that a later sweep should start from the
    /// beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
    #[serde(skip)]
    store_failures_in_a_row: u8,
}

/// A request that could not be expired, as it serialises.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct SweepFailure<'a> {
    request: &'a RequestId,
    error: &'a Error,
}

fn failures<S: Serializer>(failed: &[(RequestId, Error)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(failed.iter().map(|(request, error)| SweepFailure { request, error }))
}

impl Swept {
    /// A store that fails this often in a row fails for all requests, and each attempt may take a call's whole time.
    const MAX_STORE_FAILURES: u8 = 3;

    /// Records the result of expiring a request.
    pub(crate) fn record(&mut self, id: RequestId, result: Result<MutationRequest>) {
        let is_store_failure = result.as_ref().is_err_and(Error::is_passing_failure);
        self.store_failures_in_a_row = if is_store_failure { self.store_failures_in_a_row + 1 } else { 0 };
        match result {
            Ok(swept) if has_only_escalated(&swept) => self.escalated.push(id),
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
        let recorded = self.expired.len().saturating_add(self.escalated.len());
        let dealt_with = recorded.saturating_add(usize::try_from(self.overtaken).unwrap_or(usize::MAX));
        if self.failed.len() >= PageRequest::MAX_LIMIT || self.is_store_down() {
            return 0;
        }
        limit.saturating_sub(dealt_with)
    }

    pub(crate) const fn is_store_down(&self) -> bool {
        self.store_failures_in_a_row >= Self::MAX_STORE_FAILURES
    }
}

/// Whether the last thing recorded about the request is an escalation: an expiry is recorded after it.
fn has_only_escalated(swept: &MutationRequest) -> bool {
    swept.decisions.last().is_some_and(|last| last.kind == ApprovalDecision::Escalated.into())
}

/// Whether the error only means that somebody else changed the request first.
const fn is_overtaken(error: &Error) -> bool {
    matches!(
        error,
        Error::Conflict(_)
            | Error::InvalidTransition { .. }
            | Error::NothingDue { .. }
            | Error::NotFound { .. }
            | Error::Removed(_)
    )
}
