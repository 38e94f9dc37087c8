//! Approved requests against the current version of their state.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::history::{Occasion, count, record};
use super::{deciding, execution, expiry, lifecycle, revalidating, timing};
use crate::command::StaleStrategy;
use crate::error::{ExecutionError, Result};
use crate::request::{
    ActorContext, ApprovalDecision, ApprovalState, DecisionKind, LifecycleDecision, Metadata, MutationRequest, Pending,
    PendingReason, RequestDocument, RequestState, StateVersion, Timestamp, VersionDecision, metadata_keys,
};

/// How an approved request fits the current version of the state, and so what its executor does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum Resolution {
    /// Execute it as it was approved.
    ExecuteApprovedVersion,
    /// Nothing: it was rejected.
    RejectedAsStale,
    /// Nothing yet: its approvals are open again.
    RequiresRenewedApproval,
    /// Nothing yet: somebody has to revalidate it.
    RequiresRevalidation,
    /// Validate it against the current version, then execute it.
    RevalidateOnLatestState,
}

/// Resolves the request against the `current` version of the state, and returns the resulting request.
///
/// Stores nothing. A request without an expected version fits every version.
///
/// # Errors
/// [`Error::Execution`](crate::Error::Execution): the request is not approved, somebody is executing it, or it has no approvals to renew.
/// [`Error::Invalid`](crate::Error::Invalid): the actor's reason is blank.
pub fn resolve(
    mut request: MutationRequest,
    current: &StateVersion,
    strategy: StaleStrategy,
    by: &Arc<ActorContext>,
    now: Timestamp,
) -> Result<(Resolution, MutationRequest)> {
    let occasion = Occasion::on(&request, by, now)?;
    let resolution = settle(&mut request, current, strategy, occasion)?;
    Ok((resolution, request))
}

pub(super) fn settle(
    request: &mut MutationRequest,
    current: &StateVersion,
    strategy: StaleStrategy,
    occasion: Occasion<'_>,
) -> Result<Resolution> {
    expiry::check_deadline(request, occasion.now)?;
    execution::check_approved(request)?;
    execution::check_unclaimed(request, occasion.now)?;
    let about = versions(request, current);
    let decided = |kind: VersionDecision| occasion.decision(DecisionKind::from(kind), about);
    if fits(request, current) {
        record(request.edit(), decided(VersionDecision::Validated));
        return Ok(Resolution::ExecuteApprovedVersion);
    }
    match strategy {
        StaleStrategy::RejectStale => {
            let document = request.edit();
            record(document, decided(VersionDecision::RejectedAsStale));
            let reason = Some(format!("it was written for another version of the state than {current}"));
            lifecycle::go_because(document, RequestState::Rejected, occasion, reason, Metadata::new())?;
            Ok(Resolution::RejectedAsStale)
        }
        StaleStrategy::RequireRenewedApproval => {
            if request.approvals.is_empty() {
                return Err(execution::not_allowed(request, ExecutionError::NothingToRenew));
            }
            let document = request.edit();
            record(document, decided(VersionDecision::RenewedApprovalRequired));
            document.versioning.expected = Some(current.clone());
            document.versioning.reviewed = Some(current.clone());
            renew(document, PendingReason::Approval.into(), occasion);
            Ok(Resolution::RequiresRenewedApproval)
        }
        StaleStrategy::RequireRevalidation => {
            let document = request.edit();
            record(document, decided(VersionDecision::RevalidationRequired));
            document.versioning.expected = Some(current.clone());
            lifecycle::transition(document, revalidating::waiting(), occasion)?;
            Ok(Resolution::RequiresRevalidation)
        }
        StaleStrategy::RevalidateOnLatestState => {
            let document = request.edit();
            record(document, decided(VersionDecision::RevalidationRequired));
            document.versioning.expected = Some(current.clone());
            Ok(Resolution::RevalidateOnLatestState)
        }
    }
}

/// Whether the request was written for this version of the state, or for any.
pub(super) fn fits(document: &RequestDocument, current: &StateVersion) -> bool {
    document.versioning.expected.as_ref().is_none_or(|expected| expected == current)
}

/// Opens all approvals again, as a new round: earlier approvers are asked again. The request waits for them as `pending`
/// says; the caller has checked that it may.
pub(super) fn renew(document: &mut RequestDocument, pending: Pending, occasion: Occasion<'_>) {
    let (opened, submitted) = (round_opened_at(document), document.created_at);
    for approval in &mut document.approvals {
        approval.state = ApprovalState::Pending;
        approval.expires_at = as_far_away(approval.expires_at, [opened, submitted], occasion.now);
    }
    timing::start_approvals(&mut document.approvals, occasion.now);
    document.approval_round = document.approval_round.saturating_add(1);
    deciding::mark_fulfilled(document);
    let reason = occasion.by.reason.clone();
    lifecycle::move_to(document, RequestState::Pending(pending), occasion, reason, Metadata::new());
    let mut about = Metadata::new();
    about.note(metadata_keys::APPROVALS, count(document.approvals.len()));
    about.note(metadata_keys::ROUND, document.approval_round);
    record(document, occasion.decision(ApprovalDecision::Renewed, about));
}

/// The deadline of an approval that is requested again. It keeps its duration, not its date: a past date could never be
/// met again. If the date had passed when the approval was requested, the duration counts from submission.
pub(super) fn as_far_away(
    end: Option<Timestamp>,
    [requested, submitted]: [Timestamp; 2],
    now: Timestamp,
) -> Option<Timestamp> {
    let mut times = [requested, submitted].into_iter().filter_map(|from| Some(end?.duration_since(from)));
    times.find(|time| *time > Duration::ZERO).map(|time| now.saturating_add(time))
}

/// When the approvals of this round were requested: at the renewal or, in the first round, at their first request,
/// which may be long after submission.
pub(super) fn round_opened_at(document: &RequestDocument) -> Timestamp {
    let (renewed, requested) =
        (DecisionKind::from(ApprovalDecision::Renewed), DecisionKind::from(ApprovalDecision::Requested));
    let renewal = document.decisions.iter().rev().find(|decision| decision.kind == renewed);
    let opening = renewal.or_else(|| document.decisions.iter().find(|decision| decision.kind == requested));
    opening.map_or(document.created_at, |decision| decision.at)
}

fn versions(document: &RequestDocument, current: &StateVersion) -> Metadata {
    let mut about = Metadata::new();
    about.note(metadata_keys::CURRENT_VERSION, current.as_str());
    if let Some(expected) = &document.versioning.expected {
        about.note(metadata_keys::EXPECTED_VERSION, expected.as_str());
    }
    about
}

crate::request::read_by_name! {
    StaleStrategy, "stale strategy": RejectStale, RequireRenewedApproval, RequireRevalidation, RevalidateOnLatestState;
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ExecuteApprovedVersion => "ExecuteApprovedVersion",
            Self::RejectedAsStale => "RejectedAsStale",
            Self::RequiresRenewedApproval => "RequiresRenewedApproval",
            Self::RequiresRevalidation => "RequiresRevalidation",
            Self::RevalidateOnLatestState => "RevalidateOnLatestState",
        })
    }
}

impl Resolution {
    /// The last resolution in the request's history since it was approved.
    pub(crate) fn recorded_last(document: &RequestDocument) -> Self {
        let approved = DecisionKind::from(LifecycleDecision::Approved);
        let mut since = document.decisions.iter().rev().take_while(|decision| decision.kind != approved);
        let last = since.find_map(|decision| match decision.kind {
            DecisionKind::VersionResolution(kind) => Some(kind),
            _ => None,
        });
        match last {
            Some(VersionDecision::RejectedAsStale) => Self::RejectedAsStale,
            Some(VersionDecision::RenewedApprovalRequired) => Self::RequiresRenewedApproval,
            Some(VersionDecision::RevalidationRequired) if revalidating::is_awaited(document) => {
                Self::RequiresRevalidation
            }
            Some(VersionDecision::RevalidationRequired) => Self::RevalidateOnLatestState,
            Some(VersionDecision::Validated) | None => Self::ExecuteApprovedVersion,
        }
    }

    /// Whether the request may be executed now.
    pub const fn lets_execute(self) -> bool {
        matches!(self, Self::ExecuteApprovedVersion | Self::RevalidateOnLatestState)
    }
}
