//! When a request may be executed: not before its time, and while its approval is valid. Approvals with a duration.

use super::history::{Occasion, record};
use super::ready::approved_at;
use super::{demand, execution};
use crate::error::{Error, ExecutionError, Result};
use crate::request::{
    Approval, ExecutionDecision, Metadata, MutationRequest, RequestDocument, Status, Timestamp, metadata_keys,
};

/// When the validity of the request's approval ends: from this time on it is due to expire, and can no longer be
/// executed. `None` if it is not approved, if its approval lasts, or while an executor holds it, also after the lease:
/// part of the change may have been made then.
pub fn valid_until(document: &RequestDocument) -> Option<Timestamp> {
    let period = document.execution.valid_for.filter(|_| document.execution.claim.is_none())?;
    approved_at(document).map(|at| at.saturating_add(period.duration()))
}

/// The end of its validity, if that has come.
pub(super) fn passed_validity(document: &RequestDocument, now: Timestamp) -> Option<Timestamp> {
    valid_until(document).filter(|end| *end <= now)
}

/// Changes the time before which the request is not executed; whoever schedules it also ends the pause after a failed
/// attempt.
pub(super) fn schedule(request: &mut MutationRequest, not_before: Timestamp, occasion: Occasion<'_>) -> Result<()> {
    let status = request.state.status();
    if status.is_terminal() {
        return Err(execution::not_allowed(request, ExecutionError::TooLateToSchedule { status }));
    }
    execution::check_unclaimed(request, occasion.now)?;
    let deadline = request.state.pending().and_then(|pending| pending.expires_at);
    check_start(request, Some(not_before), deadline)?;
    let mut about = Metadata::new();
    about.note(metadata_keys::NOT_BEFORE, not_before);
    if let Some(previous) = request.execution.not_before {
        about.note(metadata_keys::PREVIOUSLY_NOT_BEFORE, previous);
    }
    let document = request.edit();
    document.execution.not_before = Some(not_before);
    if let Some(attempts) = &mut document.execution.failed_attempts {
        attempts.next_at = not_before;
    }
    record(document, occasion.decision(ExecutionDecision::Scheduled, about));
    Ok(())
}

/// Checks that the request does not expire before it may be executed.
pub(super) fn check_start(
    document: &RequestDocument,
    not_before: Option<Timestamp>,
    deadline: Option<Timestamp>,
) -> Result<()> {
    match (not_before, deadline) {
        (Some(not_before), Some(deadline)) if not_before > deadline => {
            Err(execution::not_allowed(document, ExecutionError::StartAfterDeadline { not_before, deadline }))
        }
        _ => Ok(()),
    }
}

/// Checks that the time of the request has come.
pub(super) fn check_open(document: &RequestDocument, now: Timestamp) -> Result<()> {
    match document.execution.not_before {
        Some(not_before) if not_before > now => {
            Err(execution::not_allowed(document, ExecutionError::NotYet { not_before }))
        }
        _ => Ok(()),
    }
}

/// Checks that the approval of the request is still valid, if it is approved.
pub(super) fn check_valid(document: &RequestDocument, now: Timestamp) -> Result<()> {
    if document.state.status() != Status::Approved {
        return Ok(());
    }
    match passed_validity(document, now) {
        Some(valid_until) => {
            Err(Error::Execution { id: document.id.clone(), error: ExecutionError::NoLongerValid { valid_until } })
        }
        None => Ok(()),
    }
}

/// Counts the times of each open approval from now, because it is requested now: until it expires, if it has a duration,
/// and until it escalates.
pub(super) fn start_approvals(approvals: &mut [Approval], now: Timestamp) {
    start_periods(approvals, now);
    for approval in approvals.iter_mut().filter(|approval| demand::is_pending(approval)) {
        if let Some(escalation) = &mut approval.escalation {
            escalation.start(now);
        }
    }
}

/// Gives each open approval with a duration its deadline, counted from now.
pub(super) fn start_periods(approvals: &mut [Approval], now: Timestamp) {
    for approval in approvals.iter_mut().filter(|approval| demand::is_pending(approval)) {
        if let Some(period) = approval.expires_after {
            approval.expires_at = Some(now.saturating_add(period.duration()));
        }
    }
}
