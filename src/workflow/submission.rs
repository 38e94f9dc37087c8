//! Makes a request of a draft.

use std::sync::Arc;

use super::history::{Occasion, check_acting_for, check_reason, names, record};
use super::open_demand::impossible;
use super::{lifecycle, revalidating, timing};
use crate::error::{Error, Result};
use crate::request::{
    Approval, ApprovalId, ApprovalRule, ApprovalState, Execution, InitialState, LifecycleDecision, Metadata,
    MutationRequest, Pending, PendingReason, RequestDocument, RequestDraft, RequestId, RequestState, Requirement,
    RequirementKind, Revision, Step, Timestamp, Versioning, WriteId, metadata_keys,
};

/// The request that this draft becomes at submission: its history records the submission, what it waits for, and the
/// requested approvals.
///
/// The draft's own id takes precedence over `id`, which is for drafts without one. A draft with approval rules waits
/// for approval; if it says that it waits for something else, it waits for that first, and for its approvals after
/// [`Command::request_approvals`](super::Command::request_approvals).
///
/// # Errors
/// - [`Error::InvalidApprovalConfiguration`] when the draft is already approved but has approval rules; when it waits
///   for approval but has no rules; when a requirement demands approval but no rule says whose; when two approvals
///   share an id; when the rules of one quorum group disagree; or when the named people cannot give the demanded
///   grants, because the requester may not decide, or one actor counts once in a group.
/// - [`Error::Invalid`] when its number makes an approval id too long, when the requester's reason is blank, and when the
///   requester acts for themselves.
pub fn submit(draft: RequestDraft, id: RequestId, write_id: WriteId, now: Timestamp) -> Result<MutationRequest> {
    check_reason(draft.requested_by.reason.as_deref())?;
    check_acting_for(&draft.requested_by, draft.id_comparison)?;
    let intent = draft.write_intent();
    let id = draft.id.unwrap_or(id);
    let state = initial_state(&id, draft.initial_state, &draft.approval_rules, &draft.requirements)?;
    let (approvals, demanded) = approvals(&draft.approval_rules)?;
    let requirements = draft.requirements.into_iter().chain(demanded).collect();
    let mut document = RequestDocument {
        id,
        target: draft.target,
        intent: draft.intent,
        requested_by: draft.requested_by,
        payload: draft.payload,
        state,
        requirements,
        approvals,
        approval_round: 1,
        decisions: Vec::new(),
        side_effects: Vec::new(),
        versioning: Versioning { expected: draft.expected_version.clone(), reviewed: draft.expected_version },
        execution: Execution {
            kind: draft.execution,
            not_before: draft.not_before,
            valid_for: draft.valid_for,
            ..Execution::default()
        },
        created_at: now,
        updated_at: now,
        metadata: draft.metadata,
        approver_limits: draft.approver_limits,
        id_comparison: draft.id_comparison,
    };
    check_possible(&document)?;
    let deadline = document.state.pending().and_then(|pending| pending.expires_at);
    timing::check_start(&document, document.execution.not_before, deadline)?;
    if document.state.awaits_approval() {
        lifecycle::check_dates_to_come(&document, now)?;
    }
    record_filing(&mut document, now);
    Ok(MutationRequest::from_document(document, Revision::first(write_id))?.meant_to(intent))
}

fn initial_state(
    id: &RequestId,
    asked_for: Option<InitialState>,
    rules: &[ApprovalRule],
    requirements: &[Requirement],
) -> Result<RequestState> {
    if requirements.iter().any(Requirement::is_approval) {
        return Err(Error::invalid_approval_configuration(format!(
            "request {id} demands approval without saying whose; state it as an approval rule"
        )));
    }
    match asked_for {
        Some(InitialState::Approved) if !rules.is_empty() => Err(Error::invalid_approval_configuration(format!(
            "request {id} is approved already and has approval rules; leave out one of the two"
        ))),
        Some(InitialState::Approved) => Ok(RequestState::Approved),
        Some(InitialState::Pending(pending)) => {
            revalidating::check_reason_to_wait(pending.reason)?;
            Ok(RequestState::Pending(pending))
        }
        Some(InitialState::Created) | None if rules.is_empty() => Ok(RequestState::Created),
        Some(InitialState::Created) | None => Ok(RequestState::Pending(Pending::from(PendingReason::Approval))),
    }
}

/// Whether enough people are named to give the demanded grants. An approval that is too late simply expires.
fn check_possible(document: &RequestDocument) -> Result<()> {
    let Some(demand) = impossible(document, Timestamp::MIN) else { return Ok(()) };
    let what = match &demand.group {
        Some(group) => format!("quorum group {group} asks for {} grants", demand.missing),
        None => format!("an approval of step {} asks for a grant", demand.step),
    };
    Err(Error::invalid_approval_configuration(format!(
        "{what}, and those it names cannot give as many: nobody counts twice in a group, and the requester does not \
         decide unless the rule allows it; name further actors, a role or a group"
    )))
}

fn record_filing(document: &mut RequestDocument, now: Timestamp) {
    let requested_by = Arc::clone(&document.requested_by);
    let occasion = Occasion { by: &requested_by, now };
    record(document, occasion.decision(LifecycleDecision::Submitted, Metadata::new()));
    let mut about = Metadata::new();
    lifecycle::describe(&document.state, &mut about);
    match document.state {
        RequestState::Pending(_) => record(document, occasion.decision(LifecycleDecision::Pending, about)),
        RequestState::Approved => record(document, occasion.decision(LifecycleDecision::Approved, about)),
        _ => {}
    }
    if document.state.awaits_approval() {
        lifecycle::ask(document, occasion);
    }
}

/// The approvals of the rules, and one requirement for each rule, which names its approvals.
fn approvals(rules: &[ApprovalRule]) -> Result<(Vec<Approval>, Vec<Requirement>)> {
    let mut approvals = Vec::new();
    let mut requirements = Vec::new();
    for (rule, ordinal) in rules.iter().zip(1_u32..) {
        let step = rule.step.map_or_else(|| Step::new(ordinal), Ok)?;
        let first_number = approvals.len() + 1;
        let mut ids = Vec::new();
        for (place, target) in rule.targets.iter().enumerate() {
            let id = approval_id(rule, place, first_number)?;
            ids.push(id.clone());
            approvals.push(Approval {
                id,
                target: target.clone(),
                description: rule.description.clone(),
                name: rule.name.clone(),
                step,
                quorum: rule.quorum.clone(),
                expires_at: rule.expires_at,
                expires_after: rule.expires_after,
                decider: rule.decider,
                reasons: rule.reasons,
                state: ApprovalState::Pending,
                metadata: rule.metadata.clone(),
            });
        }
        requirements.push(requirement(rule, step, &ids)?);
    }
    Ok((approvals, requirements))
}

fn approval_id(rule: &ApprovalRule, place: usize, first_number: usize) -> Result<ApprovalId> {
    let id = match &rule.id {
        None => ApprovalId::new(format!("approval-{}", first_number + place))?,
        Some(id) if rule.targets.len() == 1 => id.clone(),
        Some(id) => ApprovalId::new(format!("{id}-{}", place + 1))?,
    };
    Ok(id)
}

fn requirement(rule: &ApprovalRule, step: Step, ids: &[ApprovalId]) -> Result<Requirement> {
    let mut data = Metadata::new().with(metadata_keys::APPROVALS, names(ids))?;
    data.note(metadata_keys::STEP, step.number());
    if let Some(quorum) = &rule.quorum {
        data.note(metadata_keys::QUORUM_GROUP, quorum.group.as_str());
        data.note(metadata_keys::REQUIRED, quorum.required.get());
    }
    Ok(Requirement::new(RequirementKind::APPROVAL, rule.description.as_str())?.with_data(data))
}
