//! Waiting for revalidation, and its end.

use super::history::Occasion;
use super::{demand, execution, lifecycle};
use crate::error::{ExecutionError, Result};
use crate::request::{
    ApprovalDecision, Decision, DecisionKind, MutationRequest, Pending, PendingReason, RequestDocument, RequestState,
    Value, metadata_keys,
};

/// Approves a request again whose state has changed since its approval; its grants stay. If a grant was withdrawn or an
/// approval added meanwhile, it waits for its approvals instead.
pub(super) fn revalidate(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    if !is_awaited(request) {
        let waits_for = request.state.pending().map(|pending| pending.reason);
        let error = ExecutionError::NotRevalidating { status: request.state.status(), waits_for };
        return Err(execution::not_allowed(request, error));
    }
    if needs_grants(request) {
        return lifecycle::request_approvals(request, None, occasion);
    }
    lifecycle::transition(request.edit(), RequestState::Approved, occasion)
}

/// Whether grants are missing, and none of them was missing when its approvals were overridden.
fn needs_grants(document: &RequestDocument) -> bool {
    let overridden = DecisionKind::from(ApprovalDecision::Overridden);
    let latest =
        || document.decisions.iter().rev().find(|decision| decision.kind == overridden || raises_demand(decision));
    demand::missing(&document.approvals) > 0 && latest().is_none_or(|decision| decision.kind != overridden)
}

/// Whether more grants may be missing since this decision.
fn raises_demand(decision: &Decision) -> bool {
    let is = |kind: ApprovalDecision| decision.kind == kind.into();
    let granted = Value::Text(DecisionKind::from(ApprovalDecision::Granted).as_str().to_owned());
    let lost_a_grant = || decision.metadata.get(metadata_keys::WITHDRAWN) == Some(&granted);
    is(ApprovalDecision::Added) || is(ApprovalDecision::Renewed) || is(ApprovalDecision::Withdrawn) && lost_a_grant()
}

/// The state of a request that waits for revalidation.
pub(super) const fn waiting() -> RequestState {
    RequestState::Pending(Pending { reason: PendingReason::Revalidation, expires_at: None })
}

pub(super) fn is_awaited(document: &RequestDocument) -> bool {
    document.state.pending().is_some_and(|pending| pending.reason == PendingReason::Revalidation)
}
