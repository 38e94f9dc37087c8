//! Claims, and how they end.

use std::sync::Arc;
use std::time::Duration;

use super::history::{Occasion, count, record};
use super::{compensation, demand, expiry, lifecycle, retrying, timing};
use crate::command::{AfterFailure, Completion, Failure};
use crate::error::{Error, ExecutionError, InvalidValue, Result};
use crate::request::{
    ApprovalDecision, ApprovalState, Claim, ClaimId, DecisionKind, Digest, ExecutionDecision, ExecutionKind,
    ExecutionLink, Metadata, MutationRequest, RequestDocument, RequestState, Status, Timestamp, Value, metadata_keys,
};

/// Claims the request for one executor until the lease ends. The holder renews a claim by its own id, which the history
/// does not show.
///
/// A new claim that is `recorded_at_its_end` adds no decision.
pub(super) fn claim(
    request: &mut MutationRequest,
    id: ClaimId,
    lease: Duration,
    recorded_at_its_end: bool,
    occasion: Occasion<'_>,
) -> Result<()> {
    check_approved(request)?;
    let lease_ends_at = occasion.now.saturating_add(lease);
    if lease_ends_at <= occasion.now {
        return Err(InvalidValue::new("lease", "is shorter than a microsecond; give it the time to execute").into());
    }
    timing::check_open(request, occasion.now)?;
    check_digests(request)?;
    if check_holds(request, id).is_ok() {
        // The history says who executes, not how long it takes.
        if let Some(claim) = &mut request.edit().execution.claim {
            claim.lease_ends_at = lease_ends_at;
        }
        return Ok(());
    }
    check_unclaimed(request, occasion.now)?;
    retrying::check_pause(request, occasion.now)?;
    let claim = Claim { id, by: Arc::clone(occasion.by), at: occasion.now, lease_ends_at };
    if recorded_at_its_end {
        request.edit().execution.claim = Some(claim);
        return Ok(());
    }
    let mut about = about_claim(id);
    about.note(metadata_keys::LEASE_ENDS_AT, lease_ends_at);
    if let Some(previous) = &request.execution.claim {
        about.note(metadata_keys::PREVIOUS_CLAIM, previous.id.to_string());
    }
    let document = request.edit();
    document.execution.claim = Some(claim);
    record(document, occasion.decision(ExecutionDecision::Claimed, about));
    Ok(())
}

/// Releases the request without having executed it.
pub(super) fn release(request: &mut MutationRequest, id: ClaimId, occasion: Occasion<'_>) -> Result<()> {
    check_holds(request, id)?;
    let document = request.edit();
    document.execution.claim = None;
    record(document, occasion.decision(ExecutionDecision::Released, about_claim(id)));
    Ok(())
}

/// Records that the change was made. Also after the lease ended, as long as nobody has taken over: a result is always
/// recorded.
pub(super) fn complete(
    request: &mut MutationRequest,
    id: ClaimId,
    completion: &Completion,
    occasion: Occasion<'_>,
) -> Result<()> {
    check_holds(request, id)?;
    let document = request.edit();
    document.execution.claim = None;
    document.side_effects.extend(completion.side_effects.iter().cloned());
    if let ExecutionKind::Compensation(plan) = &document.execution.kind {
        let link = ExecutionLink::to_original(plan, occasion.now);
        document.execution.links.push(link);
    }
    let resulting_version = completion.resulting_version.clone();
    let mut about = about_claim(id);
    if let ExecutionKind::Compensation(plan) = &document.execution.kind {
        about.note(metadata_keys::COMPENSATES, plan.compensates.as_str());
        compensation::describe(plan, &mut about);
    }
    about.note(metadata_keys::SIDE_EFFECTS, count(completion.side_effects.len()));
    note_left_out(&mut about, metadata_keys::SIDE_EFFECTS_LEFT_OUT, completion.side_effects_left_out);
    let executed = RequestState::Executed { at: occasion.now, resulting_version };
    lifecycle::go_because(document, executed, occasion, occasion.by.reason.clone(), about)
}

/// Records that the change could not be made; the request is rejected, or stays approved for another attempt. Under a
/// policy of retries, the decision about the attempt is as small as it can be.
pub(super) fn fail(
    request: &mut MutationRequest,
    id: ClaimId,
    failure: &Failure,
    then: AfterFailure,
    occasion: Occasion<'_>,
) -> Result<()> {
    check_holds(request, id)?;
    let document = request.edit();
    document.execution.claim = None;
    document.side_effects.extend(failure.side_effects.iter().cloned());
    let policy = retrying::policy(document, then);
    let message = failure.recorded_message();
    let mut about = failure.metadata.clone();
    if policy.is_none() {
        about.note(metadata_keys::CLAIM, id.to_string());
        about.note(metadata_keys::MESSAGE, &*message);
    }
    if let Some(code) = failure.recorded_code() {
        about.note(metadata_keys::CODE, &*code);
    }
    note_left_out(&mut about, metadata_keys::DETAILS_LEFT_OUT, failure.details_left_out);
    note_left_out(&mut about, metadata_keys::SIDE_EFFECTS_LEFT_OUT, failure.side_effects_left_out);
    let reason = Some(message.into_owned());
    record(document, occasion.decision_because(ExecutionDecision::Failed, reason.clone(), about.clone()));
    if let Some(policy) = policy {
        if let Some(failed) = retrying::after(document, policy, failure, document.updated_at) {
            document.execution.failed_attempts = Some(Box::new(failed));
            return Ok(());
        }
        about.note(metadata_keys::ATTEMPTS, retrying::failed_with_this(document));
    }
    match then {
        AfterFailure::KeepApproved => {
            document.execution.failed_attempts = None;
            Ok(())
        }
        _ => lifecycle::go_because(document, RequestState::Rejected, occasion, reason, about),
    }
}

/// Checks what forbids executing the request whatever its version: before it is resolved, which may reject it.
pub(super) fn check_can_begin(document: &RequestDocument, now: Timestamp) -> Result<()> {
    expiry::check_deadline(document, now)?;
    check_approved(document)?;
    timing::check_open(document, now)?;
    check_unclaimed(document, now)?;
    retrying::check_pause(document, now)
}

pub(super) fn check_approved(document: &RequestDocument) -> Result<()> {
    match document.state.status() {
        Status::Approved => Ok(()),
        status => Err(not_allowed(document, ExecutionError::NotApproved { status })),
    }
}

/// Checks that nobody is executing the request: it has no claim, or the lease of its claim has ended.
pub(super) fn check_unclaimed(document: &RequestDocument, now: Timestamp) -> Result<()> {
    match &document.execution.claim {
        Some(Claim { by, lease_ends_at, .. }) if *lease_ends_at > now => {
            let error = ExecutionError::Claimed { by: by.label().to_owned(), lease_ends_at: *lease_ends_at };
            Err(not_allowed(document, error))
        }
        _ => Ok(()),
    }
}

fn check_holds(document: &RequestDocument, id: ClaimId) -> Result<()> {
    if document.execution.claim.as_ref().is_some_and(|claim| claim.id == id) {
        return Ok(());
    }
    Err(not_allowed(document, ExecutionError::ClaimLost { claim: id, status: document.state.status() }))
}

/// Checks that every grant, and any override, was given for the request as it is now.
fn check_digests(request: &MutationRequest) -> Result<()> {
    digest_error(request, request.digest()).map_or(Ok(()), |error| Err(not_allowed(request, error)))
}

/// Why the request cannot be executed with its current digest.
pub(super) fn digest_error(document: &RequestDocument, current: Digest) -> Option<ExecutionError> {
    for approval in &document.approvals {
        match &approval.state {
            ApprovalState::Approved(verdict) if verdict.digest != current => {
                let (approval, approved) = (approval.id.clone(), verdict.digest);
                return Some(ExecutionError::ApprovedOtherwise { approval, approved, current });
            }
            _ => {}
        }
    }
    match overridden_digest(document) {
        Some(overridden) if *overridden != current.to_string() => {
            let overridden = overridden.to_owned();
            Some(ExecutionError::OverriddenOtherwise { overridden, current })
        }
        _ => None,
    }
}

/// The digest of the last override in this round, if some approvals are unmet.
fn overridden_digest(document: &RequestDocument) -> Option<&str> {
    if demand::missing(&document.approvals) == 0 {
        return None;
    }
    let renewed = DecisionKind::from(ApprovalDecision::Renewed);
    let overridden = DecisionKind::from(ApprovalDecision::Overridden);
    let mut this_round = document.decisions.iter().rev().take_while(|decision| decision.kind != renewed);
    match this_round.find(|decision| decision.kind == overridden)?.metadata.get(metadata_keys::DIGEST) {
        Some(Value::Text(digest)) => Some(digest),
        _ => None,
    }
}

pub(super) fn not_allowed(document: &RequestDocument, error: ExecutionError) -> Error {
    Error::Execution { id: document.id.clone(), error }
}

fn note_left_out(about: &mut Metadata, key: &'static str, left_out: u32) {
    if left_out > 0 {
        about.note(key, left_out);
    }
}

fn about_claim(id: ClaimId) -> Metadata {
    let mut about = Metadata::new();
    about.note(metadata_keys::CLAIM, id.to_string());
    about
}
