//! What approving or rejecting a requirement does to its request.

use std::sync::Arc;

use super::decidable;
use super::demand::{Demand, demand_of, demands, is_pending};
use super::eligibility::DecisionContext;
use super::history::{Occasion, check_reason, names, record};
use super::open_demand::{impossible, is_impossible};
use super::phrase::list;
use super::{lifecycle, moving};
use crate::error::{ApprovalError, Error, Result};
use crate::request::{
    ActorContext, Approval, ApprovalDecision, ApprovalId, ApprovalState, ApprovalSummary, Cause, Decision, Digest,
    Metadata, MutationRequest, Quorum, ReasonRule, Rejection, RequestDocument, RequestState, Timestamp, Value, Verdict,
    metadata_keys,
};

/// Whether the actor may decide the approval now, by the rules of [`ApprovalError`] in their order.
pub(super) fn check<'a>(
    document: &'a RequestDocument,
    id: &ApprovalId,
    actor: &ActorContext,
    now: Timestamp,
) -> Result<&'a Approval, ApprovalError> {
    if !document.state.awaits_approval() {
        return Err(ApprovalError::NotAwaitingApproval { status: document.state.status() });
    }
    if document.approvals.is_empty() {
        return Err(ApprovalError::NoApprovals);
    }
    let approval = find(document, id)?;
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    DecisionContext::about(document, &summaries).check(approval, actor, now).map(|()| approval)
}

/// The approval with this id.
pub(super) fn find<'a>(document: &'a RequestDocument, id: &ApprovalId) -> Result<&'a Approval, ApprovalError> {
    let unknown = || ApprovalError::UnknownApproval { approval: id.clone(), known: known(document) };
    document.approvals.iter().find(|approval| approval.id == *id).ok_or_else(unknown)
}

pub(super) fn approve_requirement(
    request: &mut MutationRequest,
    id: &ApprovalId,
    seen: Option<Digest>,
    occasion: Occasion<'_>,
) -> Result<()> {
    let approval = allowed(request, id, occasion)?.clone();
    approve_all(request, &[approval], seen, occasion)
}

/// Approves all that the actor may decide now.
pub(super) fn approve(request: &mut MutationRequest, seen: Option<Digest>, occasion: Occasion<'_>) -> Result<()> {
    let approvals = decidable(request, occasion)?;
    approve_all(request, &approvals, seen, occasion)
}

fn approve_all(
    request: &mut MutationRequest,
    approvals: &[Approval],
    seen: Option<Digest>,
    occasion: Occasion<'_>,
) -> Result<()> {
    let digest = request.digest();
    if let (Some(seen), Some(first)) = (seen.filter(|seen| *seen != digest), approvals.first()) {
        let error = ApprovalError::AnotherDigest { approval: first.id.clone(), seen, current: digest };
        return Err(not_allowed(request, error));
    }
    demanded_reason(approvals, occasion.by.reason.as_deref(), false).map_err(|error| not_allowed(request, error))?;
    let document = request.edit();
    for approval in approvals {
        let (approval, moved) = moving::make_way(document, approval, occasion)?;
        set_state(document, &approval.id, ApprovalState::Approved(verdict(occasion, digest)));
        let mut about = describe(&approval, document, digest, Metadata::new());
        if let Some(moved) = moved {
            about = about.with(metadata_keys::MOVED, moved)?;
        }
        record(document, occasion.decision(ApprovalDecision::Granted, about));
        satisfy_quorum(document, &approval, occasion)?;
    }
    mark_fulfilled(document);
    if demands(&document.approvals).iter().all(Demand::is_met) {
        let reason = Some("all approval requirements met".to_owned());
        return lifecycle::go_because(document, RequestState::Approved, occasion, reason, Metadata::new());
    }
    Ok(())
}

pub(super) fn reject_requirement(
    request: &mut MutationRequest,
    id: &ApprovalId,
    rejection: Option<&Rejection>,
    occasion: Occasion<'_>,
) -> Result<()> {
    let approval = allowed(request, id, occasion)?.clone();
    reject_all(request, &[approval], rejection, occasion)
}

/// Rejects all that the actor may decide now.
pub(super) fn reject(
    request: &mut MutationRequest,
    rejection: Option<&Rejection>,
    occasion: Occasion<'_>,
) -> Result<()> {
    let approvals = decidable(request, occasion)?;
    reject_all(request, &approvals, rejection, occasion)
}

fn reject_all(
    request: &mut MutationRequest,
    approvals: &[Approval],
    rejection: Option<&Rejection>,
    occasion: Occasion<'_>,
) -> Result<()> {
    let digest = request.digest();
    check_reason(rejection.map(|rejection| rejection.message.as_str()))?;
    let reason = verdict_reason(occasion.by, rejection);
    demanded_reason(approvals, reason, true).map_err(|error| not_allowed(request, error))?;
    let document = request.edit();
    let mut decided = Vec::with_capacity(approvals.len());
    for approval in approvals {
        let (approval, moved) = moving::make_way(document, approval, occasion)?;
        let reason = verdict_reason(occasion.by, rejection).map(str::to_owned);
        let verdict = Verdict { reason, ..verdict(occasion, digest) };
        let state = ApprovalState::Rejected { verdict, rejection: rejection.cloned().map(Box::new) };
        set_state(document, &approval.id, state);
        let rejected = rejected_decision(document, &approval, rejection, digest, moved, occasion)?;
        record(document, rejected);
        decided.push(approval);
    }
    // By votes alone: the sweep records what has become impossible by time.
    let makes_impossible = |approval: &Approval| {
        if document.approver_limits.distinct {
            return impossible(document, Timestamp::MIN).is_some();
        }
        is_impossible(document, approval, Timestamp::MIN)
    };
    let rejects = |approval: &&Approval| {
        let demand = demand_of(&document.approvals, approval);
        demand.is_none_or(|demand| demand.any_rejection_rejects() || makes_impossible(approval))
    };
    let ids: Vec<&ApprovalId> = decided.iter().filter(rejects).map(|approval| &approval.id).collect();
    let mut about = Metadata::new();
    match ids.as_slice() {
        [] => return Ok(()),
        [id] => about.note(metadata_keys::APPROVAL, id.as_str()),
        ids => about = about.with(metadata_keys::REJECTED, names(ids.iter().copied()))?,
    }
    let reason = Some(rejection_reason(&ids, rejection, occasion.by));
    lifecycle::go_because(document, RequestState::Rejected, occasion, reason, about)
}

/// Rejects the request if it can no longer be approved, whoever decides what; otherwise it would wait for ever.
pub(super) fn reject_if_impossible(document: &mut RequestDocument, occasion: Occasion<'_>) -> Result<()> {
    let Some(demand) = impossible(document, occasion.now) else { return Ok(()) };
    let mut about = Metadata::new();
    about.note(metadata_keys::STEP, demand.step.number());
    let reason = match &demand.group {
        Some(group) => {
            about.note(metadata_keys::QUORUM_GROUP, group.as_str());
            format!("quorum group {group} can no longer be met")
        }
        None => format!("nobody can grant an approval of step {} any longer", demand.step),
    };
    lifecycle::go_because(document, RequestState::Rejected, occasion, Some(reason), about)
}

/// When the group of a granted approval has its grants, its other approvals are no longer needed.
fn satisfy_quorum(document: &mut RequestDocument, approval: &Approval, occasion: Occasion<'_>) -> Result<()> {
    let Some(quorum) = &approval.quorum else { return Ok(()) };
    if demand_of(&document.approvals, approval).is_none_or(|demand| !demand.is_met()) {
        return Ok(());
    }
    let reason = Some(has_its_grants(quorum));
    let cause = Cause::new(Arc::clone(occasion.by), occasion.now, reason.clone());
    let mut satisfied = Vec::new();
    for member in &mut document.approvals {
        if is_pending(member) && member.quorum.as_ref().is_some_and(|other| other.group == quorum.group) {
            member.state = ApprovalState::Satisfied(cause.clone());
            satisfied.push(member.id.clone());
        }
    }
    let mut about = Metadata::new().with(metadata_keys::SATISFIED, names(&satisfied))?;
    about.note(metadata_keys::QUORUM_GROUP, quorum.group.as_str());
    about.note(metadata_keys::REQUIRED, quorum.required.get());
    about.note(metadata_keys::STEP, approval.step.number());
    record(document, occasion.decision_because(ApprovalDecision::QuorumSatisfied, reason, about));
    Ok(())
}

/// Why the other approvals of a group are no longer needed.
pub(super) fn has_its_grants(quorum: &Quorum) -> String {
    format!("quorum group {} has its {} grants", quorum.group, quorum.required)
}

/// An approval requirement is fulfilled when all demands of its approvals are met.
pub(super) fn mark_fulfilled(document: &mut RequestDocument) {
    let unmet: Vec<String> = demands(&document.approvals)
        .iter()
        .filter(|demand| !demand.is_met())
        .flat_map(|demand| demand.members.iter().map(|member| member.id.to_string()))
        .collect();
    for requirement in document.requirements.iter_mut().filter(|requirement| requirement.is_approval()) {
        let Some(Value::List(ids)) = requirement.data.get(metadata_keys::APPROVALS) else { continue };
        requirement.fulfilled = !ids.iter().any(|id| matches!(id, Value::Text(id) if unmet.contains(id)));
    }
}

/// What the actor decides by one approval or rejection of the request.
fn decidable(request: &MutationRequest, occasion: Occasion<'_>) -> Result<Vec<Approval>> {
    let chosen = decidable::chosen_for(request, occasion.by, occasion.now);
    let chosen = chosen.map_err(|error| not_allowed(request, error))?;
    Ok(chosen.into_iter().cloned().collect())
}

fn allowed<'a>(request: &'a MutationRequest, id: &ApprovalId, occasion: Occasion<'_>) -> Result<&'a Approval> {
    check(request, id, occasion.by, occasion.now).map_err(|error| not_allowed(request, error))
}

fn not_allowed(document: &RequestDocument, error: ApprovalError) -> Error {
    Error::Approval { id: document.id.clone(), error }
}

/// Whether every approval has the reason it demands.
fn demanded_reason(approvals: &[Approval], reason: Option<&str>, rejecting: bool) -> Result<(), ApprovalError> {
    let demands = |approval: &&Approval| match approval.reasons {
        ReasonRule::Optional => false,
        ReasonRule::ForRejecting => rejecting,
        ReasonRule::Always => true,
    };
    match approvals.iter().find(demands) {
        Some(approval) if reason.is_none() => {
            Err(ApprovalError::ReasonDemanded { approval: approval.id.clone(), rejecting })
        }
        _ => Ok(()),
    }
}

fn verdict(occasion: Occasion<'_>, digest: Digest) -> Verdict {
    Verdict { by: Arc::clone(occasion.by), at: occasion.now, reason: occasion.by.reason.clone(), digest }
}

pub(super) fn set_state(document: &mut RequestDocument, id: &ApprovalId, state: ApprovalState) {
    if let Some(approval) = document.approvals.iter_mut().find(|approval| approval.id == *id) {
        approval.state = state;
    }
}

/// What a decision says about its approval, added to what it says already.
pub(super) fn describe(
    approval: &Approval,
    document: &RequestDocument,
    digest: Digest,
    mut about: Metadata,
) -> Metadata {
    about.note(metadata_keys::APPROVAL, approval.id.as_str());
    about.note(metadata_keys::TARGET, approval.target.to_string());
    about.note(metadata_keys::STEP, approval.step.number());
    about.note(metadata_keys::ROUND, document.approval_round);
    about.note(metadata_keys::DIGEST, digest.to_string());
    if let Some(quorum) = &approval.quorum {
        about.note(metadata_keys::QUORUM_GROUP, quorum.group.as_str());
        about.note(metadata_keys::REQUIRED, quorum.required.get());
    }
    about
}

fn rejected_decision(
    document: &RequestDocument,
    approval: &Approval,
    rejection: Option<&Rejection>,
    digest: Digest,
    moved: Option<Value>,
    occasion: Occasion<'_>,
) -> Result<Decision> {
    let details = rejection.map_or_else(Metadata::new, |rejection| rejection.metadata.clone());
    let mut about = describe(approval, document, digest, details);
    if let Some(moved) = moved {
        about = about.with(metadata_keys::MOVED, moved)?;
    }
    if let Some(rejection) = rejection {
        about.note(metadata_keys::CODE, rejection.code.as_str());
        about.note(metadata_keys::MESSAGE, rejection.message.as_str());
        if let Some(category) = &rejection.category {
            about.note(metadata_keys::CATEGORY, category.as_str());
        }
    }
    let reason = verdict_reason(occasion.by, rejection).map(str::to_owned);
    Ok(occasion.decision_because(ApprovalDecision::Rejected, reason, about))
}

/// Why an approval is rejected: the actor's reason, or else the message of the rejection.
fn verdict_reason<'a>(by: &'a ActorContext, rejection: Option<&'a Rejection>) -> Option<&'a str> {
    by.reason.as_deref().or(rejection.map(|rejection| rejection.message.as_str()))
}

fn rejection_reason(ids: &[&ApprovalId], rejection: Option<&Rejection>, by: &ActorContext) -> String {
    let what = match ids {
        [id] => format!("approval {id} was rejected"),
        ids => format!("approvals {} were rejected", list(ids, ", ", " and ")),
    };
    match verdict_reason(by, rejection) {
        Some(why) => format!("{what}: {why}"),
        None => what,
    }
}

fn known(document: &RequestDocument) -> String {
    document.approvals.iter().map(|approval| approval.id.to_string()).collect::<Vec<_>>().join(", ")
}
