//! Waiting for revalidation, and its end.

use super::history::Occasion;
use super::{execution, lifecycle};
use crate::error::{ExecutionError, Result};
use crate::request::{MutationRequest, Pending, PendingReason, RequestDocument, RequestState};

/// Approves a request again whose state has changed since its approval; its grants stay.
pub(super) fn revalidate(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    if !is_awaited(request) {
        let waits_for = request.state.pending().map(|pending| pending.reason);
        let error = ExecutionError::NotRevalidating { status: request.state.status(), waits_for };
        return Err(execution::not_allowed(request, error));
    }
    lifecycle::transition(request.edit(), RequestState::Approved, occasion)
}

/// The state of a request that waits for revalidation.
pub(super) const fn waiting() -> RequestState {
    RequestState::Pending(Pending { reason: PendingReason::Revalidation, expires_at: None })
}

pub(super) fn is_awaited(document: &RequestDocument) -> bool {
    document.state.pending().is_some_and(|pending| pending.reason == PendingReason::Revalidation)
}
