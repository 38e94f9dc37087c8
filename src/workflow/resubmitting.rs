//! Submitting a request again after it was rejected, canceled or expired: a new one, linked with the one that ended.
//!
//! Two documents change, each by a write of its own. The ended request first names the one that is to follow it
//! ([`reserve`]), then that one is submitted under this id. So at most one request follows another; and if the second write
//! never comes, whoever resubmits next makes it.

use std::sync::Arc;

use super::correcting::check_requester;
use super::history::time_after;
use super::resolution::{as_far_away, round_opened_at};
use crate::command::Amendment;
use crate::error::{CorrectionError, Error, InvalidValue, Result};
use crate::request::{
    ActorContext, Approval, ApprovalRule, MutationRequest, RequestDocument, RequestDraft, RequestId, Requirement,
    RequirementKind, Resubmission, Status, Timestamp,
};

/// A draft that resubmits a request which was rejected, canceled or expired, with these changes. It has the same
/// target, intent, payload, metadata, expected version, named participants, excluded people, requirements and approvals,
/// whose deadlines are as far away as they were at first; the validity, and the time before which it is not executed
/// unless that has passed; and no id yet.
///
/// What the request waited for, and its own deadline, are not taken over, except for the deadline that a policy demanded: it
/// counts anew from the submission.
///
/// # Errors
/// [`Error::Correction`] when the request did not end in one of these ways, or when somebody else submitted it.
pub fn resubmission_draft(
    ended: &MutationRequest,
    amendment: Amendment,
    by: impl Into<Arc<ActorContext>>,
    now: Timestamp,
) -> Result<RequestDraft> {
    let by = by.into();
    check(ended, &by)?;
    Ok(amendment.amend_draft(draft_of(ended, by, time_after(ended.updated_at, now))))
}

/// Whether this actor may resubmit the request.
pub(crate) fn check(ended: &RequestDocument, by: &ActorContext) -> Result<()> {
    match ended.state.status() {
        Status::Rejected | Status::Canceled | Status::Expired => check_requester(ended, by),
        status => Err(not_allowed(ended, CorrectionError::NotResubmittable { status })),
    }
}

/// What a draft resubmits is another request.
pub(super) fn check_another(id: &RequestId, resubmits: Option<&RequestId>) -> Result<(), InvalidValue> {
    if resubmits == Some(id) {
        let problem = "is the id of the request itself; name the one that it follows";
        return Err(InvalidValue::new("resubmitted request", problem));
    }
    Ok(())
}

/// The request that is to follow this one.
pub(crate) fn follower(ended: &RequestDocument) -> Option<&RequestId> {
    ended.execution.resubmitted_as.as_ref().map(|link| &link.request)
}

/// Whether the request follows the other.
pub(crate) fn follows(request: &RequestDocument, ended: &RequestId) -> bool {
    request.execution.resubmits.as_ref().is_some_and(|link| link.request == *ended)
}

/// The ended request, which names the one that is to follow it.
#[must_use]
pub(crate) fn reserve(mut ended: MutationRequest, follower: &RequestId, now: Timestamp) -> MutationRequest {
    ended.edit().execution.resubmitted_as = Some(Resubmission { request: follower.clone(), at: now });
    ended
}

pub(crate) fn resubmitted_already(ended: &RequestDocument, as_request: &RequestId) -> Error {
    not_allowed(ended, CorrectionError::ResubmittedAlready { resubmitted_as: as_request.clone() })
}

fn not_allowed(ended: &RequestDocument, error: CorrectionError) -> Error {
    Error::Correction { id: ended.id.clone(), error }
}

/// Every field is named, so that a new one is either taken over or left out on purpose.
fn draft_of(ended: &RequestDocument, by: Arc<ActorContext>, now: Timestamp) -> RequestDraft {
    let RequestDocument {
        id,
        target,
        intent,
        requested_by: _,
        payload,
        state: _,
        requirements,
        approvals,
        approval_round: _,
        decisions: _,
        side_effects: _,
        versioning,
        execution,
        created_at,
        updated_at: _,
        metadata,
        approver_limits,
        participants,
        unique_key,
        chain: _,
        id_comparison,
    } = ended;
    let times = [round_opened_at(ended), *created_at];
    RequestDraft {
        payload: payload.clone(),
        requirements: requirements.iter().filter(|it| !it.is_approval()).map(unfulfilled).collect(),
        approval_rules: approvals.iter().map(|approval| rule_of(approval, times, now)).collect(),
        expected_version: versioning.expected.clone(),
        execution: execution.kind.clone(),
        resubmits: Some(id.clone()),
        retry: execution.retry,
        metadata: metadata.clone(),
        approver_limits: approver_limits.clone(),
        participants: participants.clone(),
        unique_key: unique_key.clone(),
        id_comparison: *id_comparison,
        not_before: execution.not_before.filter(|time| *time > now),
        valid_for: execution.valid_for,
        ..RequestDraft::new(target.clone(), intent.clone(), by)
    }
}

fn unfulfilled(requirement: &Requirement) -> Requirement {
    // That a policy applied is a record, which nobody has to fulfil.
    let fulfilled = requirement.fulfilled && requirement.kind == RequirementKind::POLICY;
    Requirement { fulfilled, ..requirement.clone() }
}

/// A rule for this approval alone: those of a quorum group are members of it again.
fn rule_of(approval: &Approval, times: [Timestamp; 2], now: Timestamp) -> ApprovalRule {
    let Approval {
        id,
        target,
        description,
        name,
        step,
        quorum,
        expires_at,
        expires_after,
        decider,
        reasons,
        mandatory,
        delegation,
        escalation,
        state: _,
        metadata,
    } = approval;
    // Whoever handed it on may do so again.
    let target = delegation.as_ref().map_or(target, |delegation| &delegation.from);
    ApprovalRule {
        targets: vec![target.clone()],
        quorum: quorum.clone(),
        id: Some(id.clone()),
        description: description.clone(),
        name: name.clone(),
        step: Some(*step),
        expires_at: if expires_after.is_some() { None } else { as_far_away(*expires_at, times, now) },
        expires_after: *expires_after,
        decider: *decider,
        reasons: *reasons,
        mandatory: *mandatory,
        escalation: escalation.as_ref().map(|escalation| escalation.rule()),
        metadata: metadata.clone(),
    }
}
