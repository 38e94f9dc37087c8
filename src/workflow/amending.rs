//! Amending the approvals of a pending request. Verdicts stay, and no amendment leaves a request that nobody can approve.

use super::demand::{is_overdue, is_pending, missing};
use super::history::{Occasion, count, record};
use super::open_demand::impossible;
use super::{deciding, escalating, execution, lifecycle, submission, timing};
use crate::error::{AmendmentError, ApprovalError, Error, InvalidValue, Result};
use crate::request::{
    ActorId, Approval, ApprovalDecision, ApprovalId, ApprovalRule, ApprovalTarget, DeciderRule, Metadata,
    MutationRequest, RequestDocument, Requirement, Status, Step, Timestamp, Value, metadata_keys,
};

/// Addresses the approval to others.
pub(super) fn reassign(
    request: &mut MutationRequest,
    id: &ApprovalId,
    target: &ApprovalTarget,
    occasion: Occasion<'_>,
) -> Result<()> {
    check_amending(request, occasion)?;
    let approval = open_approval(request, id, occasion.now)?;
    if approval.target == *target && approval.delegation.is_none() {
        let error = AmendmentError::SameTarget { approval: id.clone(), target: target.to_string() };
        return Err(not_allowed(request, error));
    }
    let about = Metadata::new().with(metadata_keys::FROM, approval.target.to_string())?;
    let about = about.with(metadata_keys::TO, target.to_string())?;
    let reassigned = Approval { target: target.clone(), delegation: None, ..approval.clone() };
    replace(request, id, reassigned, ApprovalDecision::Reassigned, about, occasion)
}

/// Adds the approvals of the rule.
pub(super) fn add(request: &mut MutationRequest, rule: &ApprovalRule, occasion: Occasion<'_>) -> Result<()> {
    check_amending(request, occasion)?;
    lifecycle::check_to_come(rule.expires_at, occasion.now)?;
    check_decider(rule)?;
    let mut groups = request.approvals.iter().filter_map(|approval| approval.quorum.as_ref());
    if let Some(quorum) = &rule.quorum
        && groups.any(|other| other.group == quorum.group)
    {
        return Err(not_allowed(request, AmendmentError::GroupTaken { group: quorum.group.clone() }));
    }
    let demands = request.requirements.iter().filter(|requirement| requirement.is_approval()).count();
    let step = rule.step.map_or_else(|| Step::new(count(demands).saturating_add(1)), Ok)?;
    let first = request.approvals.len().saturating_add(1);
    let (mut added, requirement) = submission::numbered(rule, step, first, |id| is_taken(request, id))?;
    if let Some(taken) = added.iter().find(|approval| is_taken(request, &approval.id)) {
        return Err(not_allowed(request, AmendmentError::IdTaken { approval: taken.id.clone() }));
    }
    for approval in &added {
        escalating::check(approval, occasion.now)?;
    }
    if request.state.awaits_approval() {
        timing::start_approvals(&mut added, occasion.now);
    }
    amend(request, occasion, |document| {
        document.requirements.push(requirement);
        for approval in added {
            let about = Metadata::new().with(metadata_keys::TARGET, approval.target.to_string())?;
            let about = describe(&approval, document, about);
            document.approvals.push(approval);
            record(document, occasion.decision(ApprovalDecision::Added, about));
        }
        Ok(())
    })
}

/// With an approval of their own in place of the others, a requester could approve the request alone.
fn check_decider(rule: &ApprovalRule) -> Result<(), InvalidValue> {
    match rule.decider {
        DeciderRule::NotTheRequester => Ok(()),
        DeciderRule::Anyone => {
            let problem = "lets the requester decide, which only the draft of a request may; leave that out";
            Err(InvalidValue::new("added approval rule", problem))
        }
    }
}

/// Removes the approval, and its requirement if that demands no other.
pub(super) fn remove(request: &mut MutationRequest, id: &ApprovalId, occasion: Occasion<'_>) -> Result<()> {
    check_amending(request, occasion)?;
    let approval = open_approval(request, id, occasion.now)?.clone();
    if approval.mandatory {
        return Err(not_allowed(request, AmendmentError::Mandatory { approval: id.clone() }));
    }
    let about = Metadata::new().with(metadata_keys::TARGET, approval.target.to_string())?;
    let about = describe(&approval, request, about);
    amend(request, occasion, |document| {
        document.approvals.retain(|other| other.id != *id);
        forget(&mut document.requirements, id)?;
        if missing(&document.approvals) == 0 {
            return Err(not_allowed(document, AmendmentError::LastUnmet { approval: id.clone() }));
        }
        record(document, occasion.decision(ApprovalDecision::Removed, about));
        Ok(())
    })
}

/// Checks who amends, when and why, which all amendments have in common.
pub(super) fn check_amending<'a>(document: &RequestDocument, occasion: Occasion<'a>) -> Result<&'a ActorId> {
    execution::check_unclaimed(document, occasion.now)?;
    let status = document.state.status();
    if status != Status::Pending {
        return Err(not_allowed(document, AmendmentError::NotPending { status }));
    }
    if occasion.by.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(not_allowed(document, AmendmentError::WithoutReason));
    }
    occasion.by.id.as_ref().ok_or_else(|| not_allowed(document, AmendmentError::Anonymous))
}

/// The approval, if it is there and can still be decided.
pub(super) fn open_approval<'a>(
    document: &'a RequestDocument,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<&'a Approval> {
    let is_open = |approval: &Approval| match approval.expires_at.filter(|_| is_overdue(approval, now)) {
        _ if !is_pending(approval) => {
            Err(ApprovalError::AlreadyDecided { approval: id.clone(), status: approval.state.status() })
        }
        Some(expired_at) => Err(ApprovalError::Expired { approval: id.clone(), expired_at }),
        None => Ok(()),
    };
    let open = deciding::find(document, id).and_then(|approval| is_open(approval).map(|()| approval));
    open.map_err(|error| Error::Approval { id: document.id.clone(), error })
}

/// Puts the amended approval in the place of the one with its id.
pub(super) fn replace(
    request: &mut MutationRequest,
    id: &ApprovalId,
    amended: Approval,
    kind: ApprovalDecision,
    about: Metadata,
    occasion: Occasion<'_>,
) -> Result<()> {
    let about = describe(&amended, request, about);
    amend(request, occasion, |document| {
        if let Some(approval) = document.approvals.iter_mut().find(|approval| approval.id == *id) {
            *approval = amended;
        }
        record(document, occasion.decision(kind, about));
        Ok(())
    })
}

/// Changes the approvals, unless nobody could meet them afterwards: in time, or at all. What is impossible already waits
/// for the sweep.
fn amend(
    request: &mut MutationRequest,
    occasion: Occasion<'_>,
    change: impl FnOnce(&mut RequestDocument) -> Result<()>,
) -> Result<()> {
    let times = [Timestamp::MIN, occasion.now];
    let was_possible = times.map(|time| impossible(request, time).is_none());
    let document = request.edit();
    change(document)?;
    deciding::mark_fulfilled(document);
    for (time, was_possible) in times.into_iter().zip(was_possible) {
        if let Some(demand) = impossible(document, time).filter(|_| was_possible) {
            return Err(submission::too_few_people(&demand, document));
        }
    }
    Ok(())
}

/// Whether an approval has this id, or had it until it was removed: the history names both by it.
fn is_taken(document: &RequestDocument, id: &ApprovalId) -> bool {
    let names_it =
        |about: &Metadata| matches!(about.get(metadata_keys::APPROVAL), Some(Value::Text(text)) if text == id.as_str());
    let removed = ApprovalDecision::Removed.into();
    document.approvals.iter().any(|approval| approval.id == *id)
        || document.decisions.iter().any(|decision| decision.kind == removed && names_it(&decision.metadata))
}

/// Takes the approval out of its requirement; a requirement without approvals is no longer demanded.
fn forget(requirements: &mut Vec<Requirement>, id: &ApprovalId) -> Result<()> {
    for requirement in requirements.iter_mut().filter(|requirement| requirement.is_approval()) {
        let Some(Value::List(ids)) = requirement.data.get(metadata_keys::APPROVALS) else { continue };
        let is_other = |value: &&Value| !matches!(value, Value::Text(text) if text == id.as_str());
        let left: Vec<Value> = ids.iter().filter(is_other).cloned().collect();
        if left.len() < ids.len() {
            requirement.data = requirement.data.clone().with(metadata_keys::APPROVALS, Value::List(left))?;
        }
    }
    let is_empty = |requirement: &Requirement| {
        requirement.is_approval()
            && matches!(requirement.data.get(metadata_keys::APPROVALS), Some(Value::List(ids)) if ids.is_empty())
    };
    requirements.retain(|requirement| !is_empty(requirement));
    Ok(())
}

/// What a decision about an amended approval says beside what it says already.
pub(super) fn describe(approval: &Approval, document: &RequestDocument, mut about: Metadata) -> Metadata {
    about.note(metadata_keys::APPROVAL, approval.id.as_str());
    about.note(metadata_keys::STEP, approval.step.number());
    about.note(metadata_keys::ROUND, document.approval_round);
    if let Some(quorum) = &approval.quorum {
        about.note(metadata_keys::QUORUM_GROUP, quorum.group.as_str());
        about.note(metadata_keys::REQUIRED, quorum.required.get());
    }
    about
}

pub(super) fn not_allowed(document: &RequestDocument, error: AmendmentError) -> Error {
    Error::Amendment { id: document.id.clone(), error }
}
