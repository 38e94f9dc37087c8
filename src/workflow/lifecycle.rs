use super::history::{Occasion, count, record};
use super::{demand, execution};
use crate::error::{ApprovalRefusal, Error, InvalidValue, Result};
use crate::request::{
    ApprovalDecision, LifecycleDecision, Metadata, MutationRequest, Pending, PendingReason, RequestDocument, RequestId,
    RequestState, Status, Timestamp,
};

/// Whether the lifecycle lets a request go from one status to the other. No status leads to itself.
pub const fn can_go(from: Status, to: Status) -> bool {
    use Status::{Approved, Canceled, Created, Executed, Expired, Pending, Rejected, Superseded};
    match from {
        Created => matches!(to, Pending | Approved | Canceled | Superseded),
        Pending => matches!(to, Approved | Rejected | Canceled | Expired | Superseded),
        Approved => matches!(to, Pending | Rejected | Canceled | Superseded | Executed),
        Rejected | Canceled | Expired | Superseded | Executed => false,
    }
}

pub(super) fn approve(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    check(request, Status::Approved)?;
    let unmet = demand::missing(&request.approvals);
    if unmet > 0 {
        let refusal = Box::new(ApprovalRefusal::Unmet { unmet: unmet as usize });
        return Err(Error::Approval { id: request.id.clone(), refusal });
    }
    go(request.edit(), RequestState::Approved, occasion)
}

pub(super) fn reject(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    go(request.edit(), RequestState::Rejected, occasion)
}

pub(super) fn cancel(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    go(request.edit(), RequestState::Canceled, occasion)
}

pub(super) fn expire(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    go(request.edit(), RequestState::Expired, occasion)
}

pub(super) fn supersede(request: &mut MutationRequest, by: &RequestId, occasion: Occasion<'_>) -> Result<()> {
    if *by == request.id {
        let problem = "is the id of the request itself; name the one that takes its place";
        return Err(InvalidValue::new("superseding request", problem).into());
    }
    go(request.edit(), RequestState::Superseded { by: by.clone() }, occasion)
}

pub(super) fn hold(request: &mut MutationRequest, pending: Pending, occasion: Occasion<'_>) -> Result<()> {
    check(request, Status::Pending)?;
    if pending.reason == PendingReason::Approval {
        check_unmet_approvals(request)?;
    }
    go(request.edit(), RequestState::Pending(pending), occasion)?;
    if pending.reason == PendingReason::Approval {
        record_requested(request.edit(), occasion);
    }
    Ok(())
}

/// No transition: the request stays pending, and only what it waits for changes.
pub(super) fn request_approvals(
    request: &mut MutationRequest,
    expires_at: Option<Timestamp>,
    occasion: Occasion<'_>,
) -> Result<()> {
    if request.state.pending().is_none() || request.state.awaits_approval() {
        return Err(forbidden(request, Status::Pending));
    }
    check_unmet_approvals(request)?;
    let document = request.edit();
    document.state = RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at });
    record_requested(document, occasion);
    Ok(())
}

/// Moves the request, for the reason the actor gave.
pub(super) fn go(document: &mut RequestDocument, to: RequestState, occasion: Occasion<'_>) -> Result<()> {
    go_because(document, to, occasion, occasion.by.reason.clone(), Metadata::new())
}

/// Moves the request where the lifecycle allows it, and appends the decision to do so.
pub(super) fn go_because(
    document: &mut RequestDocument,
    to: RequestState,
    occasion: Occasion<'_>,
    reason: Option<String>,
    mut about: Metadata,
) -> Result<()> {
    check(document, to.status())?;
    // An executor may be at work: what it does must not happen to a request that was moved away meanwhile.
    execution::check_unclaimed(document, occasion.now)?;
    about.note("from", document.state.status().as_str());
    describe(&to, &mut about);
    let decision = occasion.decision_because(decision_to_be(to.status()), reason, about);
    document.state = to;
    document.execution.claim = None;
    record(document, decision);
    Ok(())
}

/// What the decision to stand there says about it.
pub(super) fn describe(state: &RequestState, about: &mut Metadata) {
    match state {
        RequestState::Pending(pending) => {
            about.note("pending_reason", pending.reason.as_str());
            if let Some(end) = pending.expires_at {
                about.note("expires_at", end);
            }
        }
        RequestState::Superseded { by } => about.note("superseded_by", by.as_str()),
        RequestState::Executed { resulting_version: Some(version), .. } => {
            about.note("resulting_version", version.as_str());
        }
        _ => {}
    }
}

/// Appends that approvals were asked for, with the number of grants that are missing.
pub(super) fn record_requested(document: &mut RequestDocument, occasion: Occasion<'_>) {
    let mut about = Metadata::new();
    about.note("approvals", count(document.approvals.len()));
    about.note("missing", demand::missing(&document.approvals));
    about.note("round", document.approval_round);
    record(document, occasion.decision(ApprovalDecision::Requested, about));
}

pub(super) fn check(document: &RequestDocument, to: Status) -> Result<()> {
    if can_go(document.state.status(), to) { Ok(()) } else { Err(forbidden(document, to)) }
}

fn forbidden(document: &RequestDocument, to: Status) -> Error {
    Error::InvalidTransition { id: document.id.clone(), from: document.state.status(), to }
}

fn check_unmet_approvals(document: &RequestDocument) -> Result<()> {
    if demand::missing(&document.approvals) > 0 {
        return Ok(());
    }
    Err(Error::invalid_approval_configuration(format!(
        "request {} has no unmet approval to wait for; approve it, or let it wait for something else",
        document.id
    )))
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
