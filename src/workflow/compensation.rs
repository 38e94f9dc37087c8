//! Requests that undo or correct others.

use std::sync::Arc;

use super::execution;
use super::history::{Occasion, record};
use crate::command::{Action, Command};
use crate::error::{ExecutionError, Result};
use crate::request::{
    ActorContext, CompensationPlan, CompensationTrigger, DecisionKind, ExecutionDecision, ExecutionKind, ExecutionLink,
    Intent, LifecycleDecision, LinkRelation, Metadata, MutationRequest, RequestDocument, RequestDraft, RequestId,
    RequestState, Status, Timestamp, metadata_keys,
};

/// A draft that compensates a request by `plan`: for the same target and for the version of the state that resulted
/// from the original, if known. The original has to be executed. For a plan with the trigger
/// [`FailedExecution`](CompensationTrigger::FailedExecution) it has to be final without being executed, with a failed
/// attempt.
///
/// # Errors
/// [`Error::Execution`](crate::Error::Execution) when the original is neither, or when the plan names another request.
pub fn compensation_draft(
    original: &MutationRequest,
    plan: CompensationPlan,
    intent: Intent,
    requested_by: impl Into<Arc<ActorContext>>,
) -> Result<RequestDraft> {
    let resulting_version = match &original.state {
        RequestState::Executed { resulting_version, .. } => resulting_version.clone(),
        _ => None,
    };
    check_compensable(original, &plan)?;
    if plan.compensates != original.id {
        let error = ExecutionError::CompensatesAnother { compensates: plan.compensates };
        return Err(execution::not_allowed(original, error));
    }
    let draft = RequestDraft::new(original.target.clone(), intent, requested_by).compensating(plan);
    Ok(match resulting_version {
        Some(version) => draft.for_version(version),
        None => draft,
    })
}

impl Command {
    /// Links the original with `compensating`, which compensates it. A request that is linked already stays unchanged.
    ///
    /// # Errors
    /// [`Error::Execution`](crate::Error::Execution) when `compensating` is not executed, or is no compensation.
    pub fn link_compensation(by: impl Into<Arc<ActorContext>>, compensating: &MutationRequest) -> Result<Self> {
        let plan = executed_plan(compensating)?.clone();
        Ok(Self::new(Action::LinkCompensation { plan, compensating: compensating.id.clone() }, by))
    }
}

/// Links the original with its executed compensation, by the decision `Lifecycle/Compensated`.
///
/// A linked original is returned unchanged, so that a link interrupted by a crash can simply be repeated.
///
/// # Errors
/// [`Error::Execution`](crate::Error::Execution) when one of the two is not executed, or when `compensating` does not
/// compensate this original.
pub fn link_compensation(
    mut original: MutationRequest,
    compensating: &MutationRequest,
    by: &Arc<ActorContext>,
    now: Timestamp,
) -> Result<MutationRequest> {
    let command = Command::link_compensation(Arc::clone(by), compensating)?;
    if let Action::LinkCompensation { plan, compensating } = &command.action {
        let occasion = Occasion::on(&original, by, now)?;
        link(&mut original, plan, compensating, occasion)?;
    }
    Ok(original)
}

/// Whether the original still has to be linked to its compensation.
pub fn owes_link(original: &MutationRequest, compensating: &MutationRequest) -> bool {
    executed_plan(compensating).is_ok_and(|plan| plan.compensates == original.id)
        && !is_linked(original, &compensating.id)
}

/// The plan of an executed compensation.
pub(super) fn executed_plan(compensating: &MutationRequest) -> Result<&CompensationPlan> {
    match &compensating.execution.kind {
        _ if compensating.state.status() != Status::Executed => Err(not_executed(compensating)),
        ExecutionKind::Compensation(plan) => Ok(plan),
        ExecutionKind::Standard => Err(execution::not_allowed(compensating, ExecutionError::NoCompensation)),
    }
}

/// No transition: an executed request stays executed.
pub(super) fn link(
    original: &mut MutationRequest,
    plan: &CompensationPlan,
    compensating: &RequestId,
    occasion: Occasion<'_>,
) -> Result<()> {
    if plan.compensates != original.id {
        let error = ExecutionError::CompensatesAnother { compensates: plan.compensates.clone() };
        return Err(execution::not_allowed(original, error));
    }
    check_compensable(original, plan)?;
    if is_linked(original, compensating) {
        return Ok(());
    }
    let mut about = Metadata::new();
    about.note(metadata_keys::COMPENSATED_BY, compensating.as_str());
    describe(plan, &mut about);
    let document = original.edit();
    // Nobody compensates it twice, so the reservations are no longer needed.
    document
        .execution
        .links
        .retain(|link| !matches!(link.relation, LinkRelation::BeingCompensatedBy | LinkRelation::WasToBeCompensatedBy));
    let link = ExecutionLink::to_compensation(compensating.clone(), plan, occasion.now);
    document.execution.links.push(link);
    record(document, occasion.decision(LifecycleDecision::Compensated, about));
    Ok(())
}

/// Checks that this plan can compensate the request: it was executed or, for a failed execution, an attempt failed and
/// it will never be executed.
pub(super) fn check_compensable(original: &MutationRequest, plan: &CompensationPlan) -> Result<()> {
    match original.state.status() {
        Status::Executed => Ok(()),
        _ if plan.trigger == CompensationTrigger::FailedExecution && is_executed_or_failed(original) => Ok(()),
        _ => Err(not_executed(original)),
    }
}

/// Whether the request changed something, or may have in a failed attempt, and will change nothing more.
pub(crate) fn is_executed_or_failed(document: &RequestDocument) -> bool {
    let failed = DecisionKind::from(ExecutionDecision::Failed);
    match document.state.status() {
        Status::Executed => true,
        status => status.is_terminal() && document.decisions.iter().any(|decision| decision.kind == failed),
    }
}

/// What the decisions of both requests say about their compensation.
pub(super) fn describe(plan: &CompensationPlan, about: &mut Metadata) {
    about.note(metadata_keys::COMPENSATION, plan.kind.as_str());
    about.note(metadata_keys::TRIGGER, plan.trigger.as_str());
    if let Some(batch) = &plan.batch {
        about.note(metadata_keys::BATCH, batch.as_str());
    }
}

fn is_linked(original: &MutationRequest, compensating: &RequestId) -> bool {
    let links = &original.execution.links;
    links.iter().any(|link| link.relation == LinkRelation::CompensatedBy && link.request == *compensating)
}

fn not_executed(request: &MutationRequest) -> crate::Error {
    execution::not_allowed(request, ExecutionError::NotExecuted { status: request.state.status() })
}
