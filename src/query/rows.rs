//! Rows about parts of requests.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::request::{
    Approval, Decision, Intent, MutationRequest, PendingReason, RequestId, Requester, Revision, Status, Target,
    Timestamp,
};
use crate::stored_format::Head;

/// The request in a row about one of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RequestSummary {
    /// The id of the request.
    pub id: RequestId,
    /// The revision the row was read at.
    pub revision: Revision,
    /// What the request would change.
    pub target: Target,
    /// What the change is meant to do.
    pub intent: Intent,
    /// The actor who submitted the request.
    pub requested_by: Requester,
    /// The status of the request.
    pub status: Status,
    /// What the request waits for, if it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_reason: Option<PendingReason>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An approval and the request it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PendingApprovalRow {
    /// The request, shared by the rows of a page about the same one.
    pub request: Arc<RequestSummary>,
    /// The approval.
    pub approval: Approval,
}

/// A decision and the request it was made about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct DecisionRow {
    /// The request, shared by the rows of a page about the same one.
    pub request: Arc<RequestSummary>,
    /// The place of the decision in the request's history; the first is 0.
    pub ordinal: u32,
    /// The decision.
    pub decision: Decision,
}

/// An approved request, and the time of its latest approval activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RecentApprovalRow {
    /// The request.
    pub request: MutationRequest,
    /// The time of the latest decision about its approvals; without one, the time of the request's last change.
    pub activity_at: Timestamp,
}

impl RequestSummary {
    /// A summary from the head of a document, read at this revision.
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
