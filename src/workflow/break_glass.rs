//! Approving a request although approvals are unmet.

use super::demand::{Demand, demands};
use super::history::{Occasion, names, record};
use super::lifecycle;
use crate::error::{ApprovalError, Error, Result};
use crate::request::{
    ApprovalDecision, ApprovalId, ApprovalState, Metadata, MutationRequest, RequestState, Status, metadata_keys,
};

/// Approves the request despite its approvals; these stay unchanged, since nobody granted them.
pub(super) fn override_approvals(request: &mut MutationRequest, occasion: Occasion<'_>) -> Result<()> {
    lifecycle::check(request, Status::Approved)?;
    let unmet = unmet(request);
    let error = if unmet.is_empty() {
        Some(ApprovalError::NothingToOverride)
    } else if occasion.by.id.is_none() {
        Some(ApprovalError::AnonymousOverride)
    } else if occasion.by.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
        Some(ApprovalError::OverrideWithoutReason)
    } else {
        None
    };
    if let Some(error) = error {
        return Err(Error::Approval { id: request.id.clone(), error });
    }
    let mut about = Metadata::new().with(metadata_keys::OVERRIDDEN, names(&unmet))?;
    about.note(metadata_keys::ROUND, request.approval_round);
    about.note(metadata_keys::DIGEST, request.digest().to_string());
    if let Some(pending) = request.state.pending() {
        about.note(metadata_keys::WAITED_FOR, pending.reason.as_str());
    }
    let document = request.edit();
    record(document, occasion.decision(ApprovalDecision::Overridden, about));
    lifecycle::transition(document, RequestState::Approved, occasion)
}

/// The approvals that were still needed: in each unmet demand, all that are not granted.
fn unmet(request: &MutationRequest) -> Vec<ApprovalId> {
    demands(&request.approvals)
        .iter()
        .filter(|demand| !Demand::is_met(demand))
        .flat_map(|demand| demand.members.iter())
        .filter(|member| !matches!(member.state, ApprovalState::Approved(_)))
        .map(|member| member.id.clone())
        .collect()
}
