//! Sending a request back: its requester amends it, and a new round of approvals begins.

use std::sync::Arc;

use super::history::{Occasion, names, record};
use super::phrase::whoever;
use super::{decidable, lifecycle, resolution, submission, timing};
use crate::command::Amendment;
use crate::error::{CorrectionError, Error, InvalidValue, Result};
use crate::proof;
use crate::request::{
    ActorContext, ActorId, LifecycleDecision, Metadata, MutationRequest, Pending, PendingReason, RequestDocument,
    RequestState, metadata_keys,
};

/// Makes the request wait for its requester. Only those may who could decide it instead.
pub(super) fn request_changes(request: &mut MutationRequest, reason: &str, occasion: Occasion<'_>) -> Result<()> {
    if reason.trim().is_empty() {
        return Err(InvalidValue::new("reason", "is blank; say what its requester is to change").into());
    }
    decidable::chosen_for(request, occasion.by, occasion.now)
        .map_err(|error| Error::Approval { id: request.id.clone(), error })?;
    let mut about = Metadata::new();
    about.note(metadata_keys::ROUND, request.approval_round);
    about.note(metadata_keys::DIGEST, request.digest().to_string());
    // The deadline is the request's own, whoever it waits for.
    let expires_at = request.state.pending().and_then(|pending| pending.expires_at);
    let waiting = RequestState::Pending(Pending { reason: PendingReason::Correction, expires_at });
    lifecycle::move_to(request.edit(), waiting, occasion, Some(reason.to_owned()), about);
    Ok(())
}

/// Changes what the amendment names, and asks for all approvals again.
pub(super) fn amend(request: &mut MutationRequest, amendment: &Amendment, occasion: Occasion<'_>) -> Result<()> {
    let not_allowed = |id, error| Err(Error::Correction { id, error });
    let id = request.id.clone();
    let Some(Pending { reason: PendingReason::Correction, expires_at }) = request.state.pending() else {
        let waits_for = request.state.pending().map(|pending| pending.reason);
        return not_allowed(id, CorrectionError::NotSentBack { status: request.state.status(), waits_for });
    };
    check_requester(request, occasion.by)?;
    let previous = request.digest();
    proof::begin_if_absent(request.edit());
    let previous_content = proof::content_hash(request, None);
    let changed = amendment.amend(request.edit());
    if changed.is_empty() {
        return not_allowed(id, CorrectionError::NothingAmended);
    }
    if request.approvals.is_empty() {
        return not_allowed(id, CorrectionError::NoApprovals);
    }
    timing::check_start(request, request.execution.not_before, expires_at)?;
    let document = request.edit();
    document.versioning.reviewed.clone_from(&document.versioning.expected);
    let is_by_deputy = exclude_deputy(document, occasion.by);
    let mut about = Metadata::new().with(metadata_keys::AMENDED, names(&changed))?;
    about.note(metadata_keys::PREVIOUS_DIGEST, previous.to_string());
    about.note(metadata_keys::DIGEST, request.digest().to_string());
    about.note(metadata_keys::PREVIOUS_CONTENT, previous_content.to_string());
    about.note(metadata_keys::CONTENT, proof::content_hash(request, None).to_string());
    about.note(metadata_keys::ROUND, request.approval_round.saturating_add(1));
    let document = request.edit();
    record(document, occasion.decision(LifecycleDecision::Amended, about));
    resolution::renew(document, Pending { reason: PendingReason::Approval, expires_at }, occasion);
    if is_by_deputy { submission::check_possible(document) } else { Ok(()) }
}

/// Whoever amends for the requester does not approve what they wrote. Returns whether somebody did.
fn exclude_deputy(document: &mut RequestDocument, actor: &ActorContext) -> bool {
    let (ids, requester) = (document.id_comparison, Arc::clone(&document.requested_by));
    let is_requester = |id: &&ActorId| requester.people().any(|person| ids.is_same(person, id));
    let Some(deputy) = actor.id.as_ref().filter(|id| !is_requester(id)) else { return false };
    document.approver_limits.excluded.insert(deputy.clone());
    true
}

/// Whether the actor has the rights of somebody who submitted the request, and so may correct and resubmit it.
pub(super) fn check_requester(document: &RequestDocument, actor: &ActorContext) -> Result<()> {
    let requester = document.requested_by.rights_of();
    let mut people = document.requested_by.people();
    if actor.rights_of().is_some_and(|id| people.any(|person| document.id_comparison.is_same(person, id))) {
        return Ok(());
    }
    let error =
        CorrectionError::AnothersRequest { actor: whoever(actor), requester: requester.map(ToString::to_string) };
    Err(Error::Correction { id: document.id.clone(), error })
}
