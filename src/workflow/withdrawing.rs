//! Taking back one's own vote, until the request is claimed.

use std::sync::Arc;

use super::demand::{demand_of, missing};
use super::history::{Occasion, names, record};
use super::phrase::whoever;
use super::{deciding, execution, lifecycle, timing};
use crate::error::{ApprovalError, Error, Result};
use crate::request::{
    ActorContext, Approval, ApprovalDecision, ApprovalId, ApprovalState, Cause, DecisionKind, Metadata,
    MutationRequest, Pending, PendingReason, Quorum, RequestDocument, RequestState, Status, Verdict, metadata_keys,
};

/// Opens the approvals that the actor has decided, all of them or one; then what hung on them.
pub(super) fn withdraw(request: &mut MutationRequest, only: Option<&ApprovalId>, occasion: Occasion<'_>) -> Result<()> {
    let decided = votes(request, only, occasion).map_err(|error| Error::Approval { id: request.id.clone(), error })?;
    execution::check_unclaimed(request, occasion.now)?;
    let document = request.edit();
    let missing_before = missing(&document.approvals);
    for approval in &decided {
        if let Some(verdict) = approval.state.verdict() {
            open(document, approval, verdict, occasion)?;
        }
    }
    deciding::mark_fulfilled(document);
    // An overridden request stays approved unless it loses a grant.
    if document.state.status() == Status::Approved && missing(&document.approvals) > missing_before {
        let waiting = RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at: None });
        lifecycle::transition(document, waiting, occasion)?;
        timing::start_periods(&mut document.approvals, occasion.now);
        lifecycle::record_requested(document, occasion);
    }
    Ok(())
}

/// The approvals whose votes are withdrawn.
fn votes(
    document: &RequestDocument,
    only: Option<&ApprovalId>,
    occasion: Occasion<'_>,
) -> Result<Vec<Approval>, ApprovalError> {
    let status = document.state.status();
    if status.is_terminal() {
        return Err(ApprovalError::TooLateToWithdraw { status });
    }
    let Some(actor) = &occasion.by.id else { return Err(ApprovalError::AnonymousWithdrawal) };
    let is_own = |voter: &ActorContext| voter.people().any(|person| document.id_comparison.is_same(person, actor));
    let own = |approval: &&Approval| voter(approval).is_some_and(is_own);
    let nothing = || ApprovalError::NothingToWithdraw { actor: actor.to_string(), approval: only.cloned() };
    let Some(id) = only else {
        let own: Vec<Approval> = document.approvals.iter().filter(own).cloned().collect();
        return if own.is_empty() { Err(nothing()) } else { Ok(own) };
    };
    let approval = deciding::find(document, id)?;
    match voter(approval) {
        Some(voter) if is_own(voter) => Ok(vec![approval.clone()]),
        Some(voter) => {
            let (actor, voter) = (actor.to_string(), whoever(voter));
            Err(ApprovalError::AnothersVote { approval: id.clone(), actor, voter })
        }
        None => Err(nothing()),
    }
}

/// Whose vote it is: that of who gave it and of the person they acted for, each of whom may take it back.
fn voter(approval: &Approval) -> Option<&ActorContext> {
    approval.state.verdict().map(|verdict| &*verdict.by)
}

/// Opens the approval with this verdict, and those of its group that are needed again. Without a rejection, a group that
/// is met stays met, and needs this approval no more than its others.
fn open(document: &mut RequestDocument, approval: &Approval, verdict: &Verdict, occasion: Occasion<'_>) -> Result<()> {
    let mut about = deciding::describe(approval, document, verdict.digest, Metadata::new());
    let withdrawn = match approval.state {
        ApprovalState::Rejected { .. } => ApprovalDecision::Rejected,
        _ => ApprovalDecision::Granted,
    };
    about.note(metadata_keys::WITHDRAWN, DecisionKind::from(withdrawn).as_str());
    deciding::set_state(document, &approval.id, ApprovalState::Pending);
    if let Some(quorum) = &approval.quorum {
        if demand_of(&document.approvals, approval).is_some_and(|demand| demand.is_met()) {
            let cause = Cause::new(Arc::clone(occasion.by), occasion.now, Some(deciding::has_its_grants(quorum)));
            deciding::set_state(document, &approval.id, ApprovalState::Satisfied(cause));
            about = about.with(metadata_keys::SATISFIED, names([&approval.id]))?;
        } else {
            let reopened = reopen(document, quorum);
            about = about.with(metadata_keys::REOPENED, names(&reopened))?;
        }
    }
    record(document, occasion.decision(ApprovalDecision::Withdrawn, about));
    Ok(())
}

/// Opens the approvals of a group that were no longer needed.
fn reopen(document: &mut RequestDocument, quorum: &Quorum) -> Vec<ApprovalId> {
    let is_of_group = |other: &Approval| other.quorum.as_ref().is_some_and(|it| it.group == quorum.group);
    let mut reopened = Vec::new();
    for approval in document.approvals.iter_mut().filter(|other| is_of_group(other)) {
        if matches!(approval.state, ApprovalState::Satisfied(_)) {
            approval.state = ApprovalState::Pending;
            reopened.push(approval.id.clone());
        }
    }
    reopened
}
