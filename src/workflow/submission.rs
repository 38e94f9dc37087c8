//! Makes a request of a draft.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::history::{Occasion, check_acting_for, check_reason, names, record};
use super::open_demand::{OpenDemand, impossible};
use super::{escalating, lifecycle, resubmitting, timing};
use crate::error::{Error, Result};
use crate::proof;
use crate::request::{
    Approval, ApprovalId, ApprovalRule, ApprovalState, Execution, InitialState, LifecycleDecision, Metadata,
    MutationRequest, Pending, PendingReason, RequestDocument, RequestDraft, RequestId, RequestState, Requirement,
    RequirementKind, Resubmission, Revision, Step, Timestamp, Versioning, WriteId, metadata_keys,
};

/// The request that this draft becomes at submission: its history records the submission, what it waits for, and the
/// requested approvals.
///
/// The draft's own id takes precedence over `id`, which is for drafts without one. A draft with approval rules waits
/// for approval; if it says that it waits for something else, it waits for that first, and for its approvals after
/// [`Command::request_approvals`](super::Command::request_approvals). It waits no longer than the policies allow that the
/// draft records.
///
/// # Errors
/// - [`Error::InvalidApprovalConfiguration`] when the draft is already approved but has approval rules; when it waits
///   for approval but has no rules; when a requirement demands approval but no rule says whose; when two approvals
///   share an id; when the rules of one quorum group disagree; or when the named people cannot give the demanded
///   grants, because the requester may not decide, one actor counts once in a group, or the draft excludes them or
///   lets nobody decide twice.
/// - [`Error::Invalid`] when it resubmits itself; when it waits for correction; when its number makes an approval id too
///   long; when the requester's reason is blank, and when the requester acts for themselves.
pub fn submit(draft: RequestDraft, id: RequestId, write_id: WriteId, now: Timestamp) -> Result<MutationRequest> {
    check_reason(draft.requested_by.reason.as_deref())?;
    check_acting_for(&draft.requested_by, draft.id_comparison)?;
    let payload_hash = draft.payload_hash();
    let (intent, salt) = (draft.write_intent_with(payload_hash), draft.salt);
    let id = draft.id.unwrap_or(id);
    resubmitting::check_another(&id, draft.resubmits.as_ref())?;
    let state = initial_state(&id, draft.initial_state, &draft.approval_rules, &draft.requirements)?;
    let state = in_time(state, &draft.requirements, now);
    let (approvals, demanded) = approvals(&draft.approval_rules)?;
    let requirements = draft.requirements.into_iter().chain(demanded).collect();
    let resubmits = draft.resubmits.map(|request| Resubmission { request, at: now });
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
            resubmits,
            not_before: draft.not_before,
            valid_for: draft.valid_for,
            retry: draft.retry,
            ..Execution::default()
        },
        created_at: now,
        updated_at: now,
        metadata: draft.metadata,
        approver_limits: draft.approver_limits,
        participants: draft.participants,
        unique_key: draft.unique_key,
        chain: None,
        id_comparison: draft.id_comparison,
    };
    for approval in &document.approvals {
        escalating::check(approval, now)?;
    }
    if document.state.awaits_approval() {
        timing::start_approvals(&mut document.approvals, now);
    }
    check_possible(&document)?;
    let deadline = document.state.pending().and_then(|pending| pending.expires_at);
    timing::check_start(&document, document.execution.not_before, deadline)?;
    if document.state.awaits_approval() {
        lifecycle::check_dates_to_come(&document, now)?;
    }
    proof::begin(&mut document, salt, payload_hash);
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
            "request {id} demands approval without saying whose; state it as an approval rule, or read it by RequestDraft::requires_all"
        )));
    }
    match asked_for {
        Some(InitialState::Approved) if !rules.is_empty() => Err(Error::invalid_approval_configuration(format!(
            "request {id} is approved already and has approval rules; leave out one of the two"
        ))),
        Some(InitialState::Approved) => Ok(RequestState::Approved),
        Some(InitialState::Pending(pending)) => {
            lifecycle::check_reason_to_wait(pending.reason)?;
            Ok(RequestState::Pending(pending))
        }
        Some(InitialState::Created) | None if rules.is_empty() => Ok(RequestState::Created),
        Some(InitialState::Created) | None => Ok(RequestState::Pending(Pending::from(PendingReason::Approval))),
    }
}

/// The state with the earliest deadline that policies demand, unless it has an earlier one.
fn in_time(state: RequestState, requirements: &[Requirement], now: Timestamp) -> RequestState {
    let (RequestState::Pending(pending), Some(shortest)) =
        (&state, requirements.iter().filter_map(Requirement::deadline).min())
    else {
        return state;
    };
    let end = now.saturating_add(shortest);
    let expires_at = Some(pending.expires_at.map_or(end, |own| own.min(end)));
    RequestState::Pending(Pending { expires_at, ..*pending })
}

/// Whether enough people are named to give the demanded grants. An approval that is too late simply expires.
pub(super) fn check_possible(document: &RequestDocument) -> Result<()> {
    impossible(document, Timestamp::MIN).map_or(Ok(()), |demand| Err(too_few_people(&demand, document)))
}

pub(super) fn too_few_people(demand: &OpenDemand, document: &RequestDocument) -> Error {
    let what = match &demand.group {
        Some(group) => format!("quorum group {group} asks for {} grants", demand.missing),
        None => format!("an approval of step {} asks for a grant", demand.step),
    };
    let counts_once =
        if document.approver_limits.distinct { "nobody decides twice" } else { "nobody counts twice in a group" };
    Error::invalid_approval_configuration(format!(
        "{what}, and those it names cannot give as many: {counts_once}, the requester does not decide unless the rule \
         allows it, and the excluded do not decide; name further actors, a role or a group"
    ))
}

fn record_filing(document: &mut RequestDocument, now: Timestamp) {
    let requested_by = Arc::clone(&document.requested_by);
    let occasion = Occasion { by: &requested_by, now };
    let mut about = Metadata::new();
    if let Some(resubmits) = &document.execution.resubmits {
        about.note(metadata_keys::RESUBMITS, resubmits.request.as_str());
    }
    record(document, occasion.decision(LifecycleDecision::Submitted, about));
    let mut about = Metadata::new();
    lifecycle::describe(&document.state, &mut about);
    match document.state {
        RequestState::Pending(_) => record(document, occasion.decision(LifecycleDecision::Pending, about)),
        RequestState::Approved => record(document, occasion.decision(LifecycleDecision::Approved, about)),
        _ => {}
    }
    if document.state.awaits_approval() {
        lifecycle::record_requested(document, occasion);
    }
}

/// The approvals of the rules, and one requirement for each rule.
fn approvals(rules: &[ApprovalRule]) -> Result<(Vec<Approval>, Vec<Requirement>)> {
    let given = given_ids(rules)?;
    let mut approvals: Vec<Approval> = Vec::new();
    let mut requirements = Vec::new();
    for (rule, ordinal) in rules.iter().zip(1_u32..) {
        let step = rule.step.map_or_else(|| Step::new(ordinal), Ok)?;
        let is_taken = |id: &ApprovalId| !given.is_empty() && (given.contains(id) || has(&approvals, id));
        let (of_rule, requirement) = numbered(rule, step, approvals.len() + 1, is_taken)?;
        approvals.extend(of_rule);
        requirements.push(requirement);
    }
    Ok((approvals, requirements))
}

/// The ids that rules name; no approval is numbered so.
fn given_ids(rules: &[ApprovalRule]) -> Result<BTreeSet<ApprovalId>> {
    let mut given = BTreeSet::new();
    for rule in rules.iter().filter(|rule| rule.id.is_some()) {
        for place in 0..rule.targets.len() {
            given.insert(approval_id(rule, place, 1)?);
        }
    }
    Ok(given)
}

fn has(approvals: &[Approval], id: &ApprovalId) -> bool {
    approvals.iter().any(|approval| approval.id == *id)
}

/// The approvals of the rule and their requirement; ids that are numbers are the next that are not taken.
pub(super) fn numbered(
    rule: &ApprovalRule,
    step: Step,
    mut first: usize,
    is_taken: impl Fn(&ApprovalId) -> bool,
) -> Result<(Vec<Approval>, Requirement)> {
    loop {
        let made = approvals_of(rule, step, first)?;
        if rule.id.is_some() || !made.0.iter().any(|approval| is_taken(&approval.id)) {
            return Ok(made);
        }
        first = first.saturating_add(1);
    }
}

/// The approvals of one rule, and the requirement that names them.
fn approvals_of(rule: &ApprovalRule, step: Step, first_number: usize) -> Result<(Vec<Approval>, Requirement)> {
    let mut approvals = Vec::new();
    for (place, target) in rule.targets.iter().enumerate() {
        approvals.push(Approval {
            id: approval_id(rule, place, first_number)?,
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
            mandatory: rule.mandatory,
            delegation: None,
            escalation: rule.escalation.as_ref().map(|escalation| Box::new(escalation.to_come())),
            metadata: rule.metadata.clone(),
        });
    }
    let requirement = requirement(rule, step, approvals.iter().map(|approval| &approval.id))?;
    Ok((approvals, requirement))
}

fn approval_id(rule: &ApprovalRule, place: usize, first_number: usize) -> Result<ApprovalId> {
    let id = match &rule.id {
        None => ApprovalId::new(format!("approval-{}", first_number + place))?,
        Some(id) if rule.targets.len() == 1 => id.clone(),
        Some(id) => ApprovalId::new(format!("{id}-{}", place + 1))?,
    };
    Ok(id)
}

fn requirement<'a>(rule: &ApprovalRule, step: Step, ids: impl Iterator<Item = &'a ApprovalId>) -> Result<Requirement> {
    let mut data = Metadata::new().with(metadata_keys::APPROVALS, names(ids))?;
    data.note(metadata_keys::STEP, step.number());
    if let Some(quorum) = &rule.quorum {
        data.note(metadata_keys::QUORUM_GROUP, quorum.group.as_str());
        data.note(metadata_keys::REQUIRED, quorum.required.get());
    }
    Ok(Requirement::new(RequirementKind::APPROVAL, rule.description.as_str())?.with_data(data))
}
