use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::request::{
    ActorContext, Approval, Decision, Intent, MutationRequest, PendingReason, RequestId, Revision, Status, Target,
    Timestamp,
};

/// What a row about a part of a request says about the request itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RequestSummary {
    /// The request.
    pub id: RequestId,
    /// The revision the row was read at.
    pub revision: Revision,
    /// What it would change.
    pub target: Target,
    /// What the change is meant to do.
    pub intent: Intent,
    /// Who asked for it.
    pub requested_by: Arc<ActorContext>,
    /// Where it stands.
    pub status: Status,
    /// What it waits for, if it does.
    pub pending_reason: Option<PendingReason>,
    /// When it was filed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An approval and the request it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingApprovalRow {
    /// The request.
    pub request: RequestSummary,
    /// The approval.
    pub approval: Approval,
}

/// A decision and the request it was made about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionRow {
    /// The request.
    pub request: RequestSummary,
    /// The place of the decision in the request's history; the first is 0.
    pub ordinal: u32,
    /// The decision.
    pub decision: Decision,
}

/// A request that was approved, and when it last saw approval activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecentApprovalRow {
    /// The request.
    pub request: MutationRequest,
    /// When the latest decision about its approvals was made.
    pub activity_at: Timestamp,
}

impl From<&MutationRequest> for RequestSummary {
    fn from(request: &MutationRequest) -> Self {
        Self {
            id: request.id.clone(),
            revision: request.revision(),
            target: request.target.clone(),
            intent: request.intent.clone(),
            requested_by: Arc::clone(&request.requested_by),
            status: request.state.status(),
            pending_reason: request.state.pending().map(|pending| pending.reason),
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}

impl From<MutationRequest> for RequestSummary {
    fn from(request: MutationRequest) -> Self {
        let revision = request.revision();
        let document = request.into_document();
        Self {
            revision,
            status: document.state.status(),
            pending_reason: document.state.pending().map(|pending| pending.reason),
            id: document.id,
            target: document.target,
            intent: document.intent,
            requested_by: document.requested_by,
            created_at: document.created_at,
            updated_at: document.updated_at,
        }
    }
}
