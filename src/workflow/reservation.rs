//! Which compensation of a request may be executed: what is checked and written of several documents, each by itself.
//!
//! A compensation first reserves its original, then it is claimed. A further one takes the reservation over only while the
//! holder is not claimed and not executed, and then changes the revision of the one before, so that no claim that was prepared
//! under the earlier reservation succeeds. So of all compensations of one request at most one is claimed or executed.

use super::compensation::check_compensable;
use super::execution::refused;
use crate::error::{ExecutionError, Result};
use crate::request::{CompensationPlan, ExecutionLink, LinkRelation, MutationRequest, RequestId, Status, Timestamp};

/// Whether the original can be made up for by this compensation.
///
/// # Errors
/// [`Error::Execution`](crate::Error::Execution) when it cannot, or was by another one.
pub(crate) fn check(original: &MutationRequest, compensating: &RequestId, plan: &CompensationPlan) -> Result<()> {
    check_compensable(original, plan)?;
    match with_relation(original, LinkRelation::CompensatedBy).find(|by| *by != compensating) {
        Some(by) => Err(refused(original, ExecutionError::CompensatedAlready { by: by.clone() })),
        None => Ok(()),
    }
}

/// The compensation that the original is reserved for.
pub(crate) fn holder(original: &MutationRequest) -> Option<&RequestId> {
    with_relation(original, LinkRelation::BeingCompensatedBy).next()
}

/// Those it was reserved for before.
pub(crate) fn earlier_holders(original: &MutationRequest) -> Vec<RequestId> {
    with_relation(original, LinkRelation::WasToBeCompensatedBy).cloned().collect()
}

/// Whether this compensation, as it was found, will not be executed unless it reserves the original again.
///
/// # Errors
/// [`ExecutionError::CompensatedAlready`] when it was executed, or is claimed: also when the lease has ended, as nobody has
/// recorded what came of it.
pub(crate) fn check_given_up(
    original: &MutationRequest,
    compensating: &RequestId,
    found: Option<&MutationRequest>,
) -> Result<()> {
    let may_have_been_executed =
        |found: &MutationRequest| found.state.status() == Status::Executed || found.execution.claim.is_some();
    if found.is_some_and(may_have_been_executed) {
        return Err(refused(original, ExecutionError::CompensatedAlready { by: compensating.clone() }));
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
