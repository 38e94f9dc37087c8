//! What is due to expire about a request, and how it expires.

use std::sync::Arc;

use super::demand::{is_overdue, is_pending};
use super::history::{Occasion, record, time_after};
use super::open_demand::is_impossible;
use super::timing::valid_until;
use super::{deciding, escalating, lifecycle, timing};
use crate::command::{Action, Command};
use crate::error::{Error, Result};
use crate::request::{
    ActorContext, Approval, ApprovalDecision, ApprovalState, Cause, Metadata, MutationRequest, RequestDocument,
    RequestState, Timestamp, metadata_keys,
};

/// The next time at which a sweep has something to record about the request: its own expiry while it is pending; while
/// it waits for approval, the expiry or the escalation of an open approval; the end of its validity while it is approved.
/// It may lie in the past, if no sweep has come yet.
pub fn next_deadline(document: &RequestDocument) -> Option<Timestamp> {
    next_expiry(document).into_iter().chain(escalating::next(document)).min()
}

/// The next time at which something about the request expires.
pub(super) fn next_expiry(document: &RequestDocument) -> Option<Timestamp> {
    let own = document.state.pending().and_then(|pending| pending.expires_at);
    let open = open_approvals(document).filter_map(|approval| approval.expires_at);
    open.chain(own).chain(valid_until(document)).min()
}

/// Whether a sweep has something to record about the request: whether its [`next_deadline`] has come.
pub fn is_due(document: &RequestDocument, now: Timestamp) -> bool {
    let now = time_after(document.updated_at, now);
    next_deadline(document).is_some_and(|deadline| deadline <= now)
}

/// The command by which `by` records what is due, if anything is.
///
/// When request and approvals are both due, the request expires, and its approvals are no longer needed.
pub fn due_command(document: &RequestDocument, by: impl Into<Arc<ActorContext>>, now: Timestamp) -> Option<Command> {
    let at = time_after(document.updated_at, now);
    if passed_deadline(&document.state, at).is_some() || timing::passed_validity(document, at).is_some() {
        return Some(Command::expire(by));
    }
    is_due(document, now).then(|| Command::expire_approvals(by))
}

/// The request's own deadline, if it is pending and the deadline has come.
pub(super) fn passed_deadline(state: &RequestState, now: Timestamp) -> Option<Timestamp> {
    state.pending().and_then(|pending| pending.expires_at).filter(|deadline| *deadline <= now)
}

/// From its own deadline on, a pending request can only end, swept or not, and be commented on; an approved one from the
/// end of its validity on.
pub(super) fn check_in_time(document: &RequestDocument, action: &Action, now: Timestamp) -> Result<()> {
    match action {
        Action::ApproveRequest
        | Action::Hold { .. }
        | Action::RequestApprovals { .. }
        | Action::Approve { .. }
        | Action::Reject { .. }
        | Action::ApproveRequirement { .. }
        | Action::RejectRequirement { .. }
        | Action::Withdraw { .. }
        | Action::Delegate { .. }
        | Action::Reassign { .. }
        | Action::AddApproval { .. }
        | Action::RemoveApproval { .. }
        | Action::RequestChanges { .. }
        | Action::Amend { .. }
        | Action::ExpireApprovals
        | Action::OverrideApprovals
        | Action::Schedule { .. }
        | Action::Revalidate
        | Action::Resolve { .. }
        | Action::Claim { .. } => check_deadline(document, now),
        Action::RejectRequest
        | Action::Cancel
        | Action::Expire
        | Action::Supersede { .. }
        | Action::Comment { .. }
        // Allowed only for claimed or executed requests, which have no deadline.
        | Action::Release { .. }
        | Action::Complete { .. }
        | Action::Fail { .. }
        | Action::LinkCompensation { .. } => Ok(()),
    }
}

pub(super) fn check_deadline(document: &RequestDocument, now: Timestamp) -> Result<()> {
    match passed_deadline(&document.state, now) {
        Some(deadline) => Err(Error::DeadlinePassed { id: document.id.clone(), deadline }),
        None => timing::check_valid(document, now),
    }
}

/// Records each due escalation, and expires each due approval, by a decision of its own; then rejects the request, if that made a demand impossible.
pub(super) fn expire_approvals(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    let now = occasion.now;
    let due: Vec<Approval> = open_approvals(request).filter(|approval| is_overdue(approval, now)).cloned().collect();
    let digest = request.digest();
    let document = request.edit();
    if !escalating::record_due(document, occasion)? && due.is_empty() {
        return Err(Error::NothingDue { id: document.id.clone() });
    }
    for approval in &due {
        let reason = approval.expires_at.map(|end| format!("not decided by {end}"));
        let cause = Cause::new(Arc::clone(occasion.by), now, reason);
        deciding::set_state(document, &approval.id, ApprovalState::Expired(cause));
        let mut about = deciding::describe(approval, document, digest, Metadata::new());
        if let Some(end) = approval.expires_at {
            about.note(metadata_keys::EXPIRES_AT, end);
        }
        record(document, occasion.decision(ApprovalDecision::Expired, about));
    }
    let fatal = due.iter().find(|approval| is_fatal(document, approval, now));
    if let Some(approval) = fatal {
        let reason = Some(format!("approval {} was not decided in time", approval.id));
        let mut about = Metadata::new();
        about.note(metadata_keys::APPROVAL, approval.id.as_str());
        return lifecycle::go_because(document, RequestState::Rejected, occasion, reason, about);
    }
    deciding::reject_if_impossible(document, occasion)
}

fn open_approvals(document: &RequestDocument) -> impl Iterator<Item = &Approval> {
    let awaited = document.state.awaits_approval();
    document.approvals.iter().filter(move |approval| awaited && is_pending(approval))
}

fn is_fatal(document: &RequestDocument, expired: &Approval, now: Timestamp) -> bool {
    is_impossible(document, expired, now)
}
