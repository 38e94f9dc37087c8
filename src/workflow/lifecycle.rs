//! The transitions of a request: which are allowed, and how they happen.

use super::history::{Occasion, count, record};
use super::open_demand::impossible;
use super::{demand, execution, timing};
use crate::error::{ApprovalError, Error, InvalidValue, Result};
use crate::request::{
    ApprovalDecision, LifecycleDecision, Metadata, MutationRequest, Pending, PendingReason, RequestDocument, RequestId,
    RequestState, Status, Timestamp, metadata_keys,
};

/// Whether the lifecycle allows a transition between two statuses. No status leads to itself. Only
/// [`Command::request_approvals`](super::Command::request_approvals) makes a pending request wait again, for its
/// approvals.
pub const fn can_transition(from: Status, to: Status) -> bool {
    use Status::{Approved, Canceled, Created, Executed, Expired, Pending, Rejected, Superseded};
    match from {
        Created => matches!(to, Pending | Approved | Canceled | Superseded),
        Pending => matches!(to, Approved | Rejected | Canceled | Expired | Superseded),
        Approved => matches!(to, Pending | Rejected | Canceled | Expired | Superseded | Executed),
        Rejected | Canceled | Expired | Superseded | Executed => false,
    }
}

pub(super) fn approve(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    check(request, Status::Approved)?;
    let unmet = demand::missing(&request.approvals);
    if unmet > 0 {
        let error = ApprovalError::Unmet { unmet: unmet as usize };
        return Err(Error::Approval { id: request.id.clone(), error });
    }
    transition(request.edit(), RequestState::Approved, occasion)
}

pub(super) fn reject(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    transition(request.edit(), RequestState::Rejected, occasion)
}

pub(super) fn cancel(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    transition(request.edit(), RequestState::Canceled, occasion)
}

pub(super) fn expire(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    let mut about = Metadata::new();
    if request.state.status() == Status::Approved {
        let Some(valid_until) = timing::passed_validity(request, occasion.now) else {
            return Err(Error::NothingDue { id: request.id.clone() });
        };
        about.note(metadata_keys::VALID_UNTIL, valid_until);
    }
    go_because(request.edit(), RequestState::Expired, occasion, occasion.by.reason.clone(), about)
}

pub(super) fn supersede(request: &mut MutationRequest, by: &RequestId, occasion: Occasion<'_>) -> Result<()> {
    if *by == request.id {
        let problem = "is the id of the request itself; name the one that takes its place";
        return Err(InvalidValue::new("superseding request", problem).into());
    }
    transition(request.edit(), RequestState::Superseded { by: by.clone() }, occasion)
}

pub(super) fn hold(request: &mut MutationRequest, pending: Pending, occasion: Occasion<'_>) -> Result<()> {
    check(request, Status::Pending)?;
    check_reason_to_wait(pending.reason)?;
    check_to_come(pending.expires_at, occasion.now)?;
    timing::check_start(request, request.execution.not_before, pending.expires_at)?;
    if pending.reason == PendingReason::Approval {
        timing::start_approvals(&mut request.edit().approvals, occasion.now);
        check_approvals_to_come(request, occasion.now)?;
    }
    transition(request.edit(), RequestState::Pending(pending), occasion)?;
    if pending.reason == PendingReason::Approval {
        record_requested(request.edit(), occasion);
    }
    Ok(())
}

/// The one way from pending to pending: ends the current wait, and makes the request wait for its approvals.
pub(super) fn request_approvals(
    request: &mut MutationRequest,
    expires_at: Option<Timestamp>,
    occasion: Occasion<'_>,
) -> Result<()> {
    match request.state.status() {
        Status::Pending if !request.state.awaits_approval() => {}
        status @ (Status::Created | Status::Approved) => {
            let error = ApprovalError::NotWaiting { status };
            return Err(Error::Approval { id: request.id.clone(), error });
        }
        _ => return Err(forbidden(request, Status::Pending)),
    }
    check_to_come(expires_at, occasion.now)?;
    timing::check_start(request, request.execution.not_before, expires_at)?;
    timing::start_approvals(&mut request.edit().approvals, occasion.now);
    check_approvals_to_come(request, occasion.now)?;
    let document = request.edit();
    let asked = RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at });
    move_to(document, asked, occasion, occasion.by.reason.clone(), Metadata::new());
    record_requested(document, occasion);
    Ok(())
}

/// Moves the request, with the actor's reason.
pub(super) fn transition(document: &mut RequestDocument, to: RequestState, occasion: Occasion<'_>) -> Result<()> {
    go_because(document, to, occasion, occasion.by.reason.clone(), Metadata::new())
}

/// Moves the request if the lifecycle allows it, and appends the decision.
pub(super) fn go_because(
    document: &mut RequestDocument,
    to: RequestState,
    occasion: Occasion<'_>,
    reason: Option<String>,
    about: Metadata,
) -> Result<()> {
    check(document, to.status())?;
    // An executor may be at work: a request must not move away during its execution.
    execution::check_unclaimed(document, occasion.now)?;
    move_to(document, to, occasion, reason, about);
    Ok(())
}

/// Moves the request and appends the decision; the caller has checked the transition.
pub(super) fn move_to(
    document: &mut RequestDocument,
    to: RequestState,
    occasion: Occasion<'_>,
    reason: Option<String>,
    mut about: Metadata,
) {
    about.note(metadata_keys::FROM, document.state.status().as_str());
    if let Some(waiting) = document.state.pending() {
        about.note(metadata_keys::WAITED_FOR, waiting.reason.as_str());
    }
    describe(&to, &mut about);
    let decision = occasion.decision_because(decision_to_be(to.status()), reason, about);
    document.state = to;
    document.execution.claim = None;
    document.execution.failed_attempts = None;
    record(document, decision);
}

/// What the decision says about the new state.
pub(super) fn describe(state: &RequestState, about: &mut Metadata) {
    match state {
        RequestState::Pending(pending) => {
            about.note(metadata_keys::PENDING_REASON, pending.reason.as_str());
            if let Some(end) = pending.expires_at {
                about.note(metadata_keys::EXPIRES_AT, end);
            }
        }
        RequestState::Superseded { by } => about.note(metadata_keys::SUPERSEDED_BY, by.as_str()),
        RequestState::Executed { resulting_version: Some(version), .. } => {
            about.note(metadata_keys::RESULTING_VERSION, version.as_str());
        }
        _ => {}
    }
}

/// Appends that approvals were requested, with the number of missing grants.
pub(super) fn record_requested(document: &mut RequestDocument, occasion: Occasion<'_>) {
    let mut about = Metadata::new();
    about.note(metadata_keys::APPROVALS, count(document.approvals.len()));
    about.note(metadata_keys::MISSING, demand::missing(&document.approvals));
    about.note(metadata_keys::ROUND, document.approval_round);
    record(document, occasion.decision(ApprovalDecision::Requested, about));
}

pub(super) fn check(document: &RequestDocument, to: Status) -> Result<()> {
    if can_transition(document.state.status(), to) { Ok(()) } else { Err(forbidden(document, to)) }
}

fn forbidden(document: &RequestDocument, to: Status) -> Error {
    Error::InvalidTransition { id: document.id.clone(), from: document.state.status(), to }
}

/// A request waits for these only by their own commands: for correction after somebody sent it back, for revalidation
/// after it was approved, because whoever ends that wait approves it.
pub(super) fn check_reason_to_wait(reason: PendingReason) -> Result<(), InvalidValue> {
    let problem = match reason {
        PendingReason::Correction => {
            "is Correction; only sending a request back by request_changes makes it wait for that"
        }
        PendingReason::Revalidation => {
            "is Revalidation; only resolving an approved request with the strategy RequireRevalidation makes it wait \
             for that"
        }
        _ => return Ok(()),
    };
    Err(InvalidValue::new("pending reason", problem))
}

/// Checks that a new deadline is in the future.
pub(super) fn check_to_come(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    match expires_at {
        Some(end) if end <= now => {
            let problem = format!("{end} has passed; it is {now} now. Give a later time, or none");
            Err(InvalidValue::new("deadline", problem).into())
        }
        _ => Ok(()),
    }
}

/// Checks that the request has approvals to wait for, and that every requested one can still be granted.
fn check_approvals_to_come(document: &RequestDocument, now: Timestamp) -> Result<()> {
    if demand::missing(&document.approvals) == 0 {
        return Err(Error::invalid_approval_configuration(format!(
            "request {} has no unmet approval to wait for; approve it, or let it wait for something else",
            document.id
        )));
    }
    check_dates_to_come(document, now)?;
    if impossible(document, now).is_some() {
        return Err(Error::invalid_approval_configuration(format!(
            "request {} has approvals that nobody can grant any longer; override them with a reason, or cancel it",
            document.id
        )));
    }
    Ok(())
}

/// Checks that no open approval has a date that has passed.
pub(super) fn check_dates_to_come(document: &RequestDocument, now: Timestamp) -> Result<()> {
    let open = document.approvals.iter().filter(|approval| demand::is_pending(approval));
    for approval in open {
        if let Some(expired_at) = approval.expires_at.filter(|_| demand::is_overdue(approval, now)) {
            let error = ApprovalError::Expired { approval: approval.id.clone(), expired_at };
            return Err(Error::Approval { id: document.id.clone(), error });
        }
    }
    Ok(())
}

const fn decision_to_be(status: Status) -> LifecycleDecision {
    match status {
        Status::Created => LifecycleDecision::Submitted,
        Status::Pending => LifecycleDecision::Pending,
        Status::Approved => LifecycleDecision::Approved,
        Status::Rejected => LifecycleDecision::Rejected,
        Status::Canceled => LifecycleDecision::Canceled,
        Status::Expired => LifecycleDecision::Expired,
        Status::Superseded => LifecycleDecision::Superseded,
        Status::Executed => LifecycleDecision::Executed,
    }
}
