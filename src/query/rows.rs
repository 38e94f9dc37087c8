//! The rows of pages about parts of requests.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::request::{
    Approval, Decision, Intent, MutationRequest, PendingReason, RequestId, Requester, Revision, Status, Target,
    Timestamp,
};
use crate::stored_format::Head;

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
    pub requested_by: Requester,
    /// Where it stands.
    pub status: Status,
    /// What it waits for, if it does.
    pub pending_reason: Option<PendingReason>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An approval and the request it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingApprovalRow {
    /// The request; the rows of a page that are about the same one share it.
    pub request: Arc<RequestSummary>,
    /// The approval.
    pub approval: Approval,
}

/// A decision and the request it was made about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DecisionRow {
    /// The request; the rows of a page that are about the same one share it.
    pub request: Arc<RequestSummary>,
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

impl RequestSummary {
    /// What the head of a document says, as it was read at this revision.
    pub(crate) fn new(head: Head, revision: Revision) -> Self {
        Self {
            revision,
            status: head.state.status(),
            pending_reason: head.state.pending().map(|pending| pending.reason),
            id: head.id,
            target: head.target,
            intent: head.intent,
            requested_by: head.requested_by,
            created_at: head.created_at,
            updated_at: head.updated_at,
        }
    }
}

impl From<&MutationRequest> for RequestSummary {
    fn from(request: &MutationRequest) -> Self {
        Self {
            id: request.id.clone(),
            revision: request.revision(),
            target: request.target.clone(),
            intent: request.intent.clone(),
            requested_by: (&*request.requested_by).into(),
            status: request.state.status(),
            pending_reason: request.state.pending().map(|pending| pending.reason),
            created_at: request.created_at,
            updated_at: request.updated_at,
        }
    }
}
