//! Which compensation of a request may be executed: what is checked and written in several documents, each by itself.
//!
//! A compensation first reserves its original, then it is claimed. Another one takes over the reservation only while
//! the holder is neither claimed nor executed, and then changes the holder's revision, so that no claim prepared under
//! the earlier reservation succeeds. So at most one compensation of a request is claimed or executed.

use super::compensation::check_compensable;
use super::execution::not_allowed;
use crate::error::{ExecutionError, Result};
use crate::request::{CompensationPlan, ExecutionLink, LinkRelation, MutationRequest, RequestId, Status, Timestamp};

/// Checks that this compensation can compensate the original.
///
/// # Errors
/// [`Error::Execution`](crate::Error::Execution) when it cannot, or another one did.
pub(crate) fn check(original: &MutationRequest, compensating: &RequestId, plan: &CompensationPlan) -> Result<()> {
    check_compensable(original, plan)?;
    match with_relation(original, LinkRelation::CompensatedBy).find(|by| *by != compensating) {
        Some(by) => Err(not_allowed(original, ExecutionError::CompensatedAlready { by: by.clone() })),
        None => Ok(()),
    }
}

/// The compensation that the original is reserved for.
pub(crate) fn holder(original: &MutationRequest) -> Option<&RequestId> {
    with_relation(original, LinkRelation::BeingCompensatedBy).next()
}

/// The compensations that it was reserved for before.
pub(crate) fn earlier_holders(original: &MutationRequest) -> Vec<RequestId> {
    with_relation(original, LinkRelation::WasToBeCompensatedBy).cloned().collect()
}

/// Checks that this compensation, as found, will not be executed unless it reserves the original again.
///
/// # Errors
/// [`ExecutionError::CompensatedAlready`] when it was executed or is claimed, even after the lease ended, since its
/// result is not recorded.
pub(crate) fn check_given_up(
    original: &MutationRequest,
    compensating: &RequestId,
    found: Option<&MutationRequest>,
) -> Result<()> {
    let may_have_been_executed =
        |found: &MutationRequest| found.state.status() == Status::Executed || found.execution.claim.is_some();
    if found.is_some_and(may_have_been_executed) {
        return Err(not_allowed(original, ExecutionError::CompensatedAlready { by: compensating.clone() }));
    }
    Ok(())
}

/// The original, reserved for this compensation by its plan.
#[must_use]
pub(crate) fn reserve(
    mut original: MutationRequest,
    compensating: &RequestId,
    plan: &CompensationPlan,
    now: Timestamp,
) -> MutationRequest {
    let links = &mut original.edit().execution.links;
    links.retain(|link| !(link.relation == LinkRelation::WasToBeCompensatedBy && link.request == *compensating));
    for link in links.iter_mut().filter(|link| link.relation == LinkRelation::BeingCompensatedBy) {
        link.relation = LinkRelation::WasToBeCompensatedBy;
    }
    links.push(ExecutionLink::to_attempt(compensating.clone(), plan, now));
    original
}

fn with_relation(original: &MutationRequest, relation: LinkRelation) -> impl Iterator<Item = &RequestId> {
    original.execution.links.iter().filter(move |link| link.relation == relation).map(|link| &link.request)
}
