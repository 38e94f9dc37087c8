//! Drafts: what is to be submitted.

use std::sync::Arc;

use serde::Serialize;

use super::{
    ActorContext, ApprovalRule, CompensationPlan, ExecutionKind, IdComparison, Intent, Metadata, Payload, Pending,
    RequestId, Requirement, StateVersion, Target,
};

/// A request before submission: the change, who asks for it, and what it has to wait for.
///
/// A draft with approval rules waits for approval; one that waits for something else says so by
/// [`waiting_for`](Self::waiting_for). Any other becomes a created request, or an approved one by
/// [`already_approved`](Self::already_approved).
#[derive(Clone, Debug)]
pub struct RequestDraft {
    pub(crate) id: Option<RequestId>,
    pub(crate) target: Target,
    pub(crate) intent: Intent,
    pub(crate) requested_by: Arc<ActorContext>,
    pub(crate) payload: Option<Payload>,
    pub(crate) initial_state: Option<InitialState>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) approval_rules: Vec<ApprovalRule>,
    pub(crate) expected_version: Option<StateVersion>,
    pub(crate) execution: ExecutionKind,
    pub(crate) metadata: Metadata,
    pub(crate) id_comparison: IdComparison,
}

/// The state that a request can have when it is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum InitialState {
    /// Nobody has to do anything yet.
    Created,
    /// It waits.
    Pending(Pending),
    /// It may be executed at once.
    Approved,
}

impl RequestDraft {
    /// A draft of this change, requested by this actor.
    pub fn new(target: Target, intent: Intent, requested_by: impl Into<Arc<ActorContext>>) -> Self {
        Self {
            id: None,
            target,
            intent,
            requested_by: requested_by.into(),
            payload: None,
            initial_state: None,
            requirements: Vec::new(),
            approval_rules: Vec::new(),
            expected_version: None,
            execution: ExecutionKind::Standard,
            metadata: Metadata::new(),
            id_comparison: IdComparison::default(),
        }
    }

    /// Submits the request under this id instead of a generated one.
    pub fn with_id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }

    /// Attaches the change itself.
    pub fn with_payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Expects this version of the state.
    pub fn for_version(mut self, version: StateVersion) -> Self {
        self.expected_version = Some(version);
        self
    }

    /// Requires this approval; rules keep the order in which they are added.
    pub fn requires_approval(mut self, rule: ApprovalRule) -> Self {
        self.approval_rules.push(rule);
        self
    }

    /// Records this requirement, other than an approval, for readers. Nothing enforces it: the request is approved and
    /// executed whether or not it is met.
    pub fn requires(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self
    }

    /// Makes the submitted request wait for this.
    pub fn waiting_for(mut self, pending: impl Into<Pending>) -> Self {
        self.initial_state = Some(InitialState::Pending(pending.into()));
        self
    }

    /// Makes the submitted request approved. Submitting such a draft with approval rules is an error.
    pub fn already_approved(mut self) -> Self {
        self.initial_state = Some(InitialState::Approved);
        self
    }

    /// Makes the request compensate an executed one.
    pub fn compensating(mut self, plan: CompensationPlan) -> Self {
        self.execution = ExecutionKind::Compensation(plan);
        self
    }

    /// Sets the rule for comparing ids of people. A service replaces it by the rule of its store.
    pub fn comparing_ids(mut self, rule: IdComparison) -> Self {
        self.id_comparison = rule;
        self
    }

    /// Attaches this metadata.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }
}
