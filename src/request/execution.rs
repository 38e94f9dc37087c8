use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActorContext, RequestId, Timestamp, WriteId};

/// How a request is carried out, and with which other requests it is linked by that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// Whether the request makes a change or undoes one.
    pub kind: ExecutionKind,
    /// Links to requests this one compensates or is compensated by.
    pub links: Vec<ExecutionLink>,
    /// Who is executing it now, if anybody is.
    pub claim: Option<Claim>,
}

/// Whether a request makes a change or undoes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionKind {
    /// It makes a change.
    #[default]
    Standard,
    /// It makes up for a change that was executed.
    Compensation(CompensationPlan),
}

/// What an executed request is to be made up for by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompensationPlan {
    /// The executed request.
    pub compensates: RequestId,
    /// How it is made up for.
    pub kind: CompensationKind,
    /// What led to it.
    pub trigger: CompensationTrigger,
    /// Other requests that belong to the same compensation.
    pub related: BTreeSet<RequestId>,
    /// The plan in words.
    pub description: Option<String>,
}

/// How an executed change is made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CompensationKind {
    /// By going back to what was before.
    Rollback,
    /// By going on to what should have been.
    ForwardCorrection,
}

/// What led to a compensation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CompensationTrigger {
    /// An operator asked for it.
    Operator,
    /// A batch was undone.
    Batch,
    /// An execution failed.
    FailedExecution,
}

/// A link from this request to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionLink {
    /// What this request is to the other.
    pub relation: LinkRelation,
    /// The other request.
    pub request: RequestId,
}

/// What a request is to another it is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LinkRelation {
    /// It makes up for the other.
    Compensates,
    /// The other makes up for it.
    CompensatedBy,
    /// The other is being executed to make up for it, or was and has not: how it stands says which. Keeps further compensations
    /// from being executed meanwhile.
    BeingCompensatedBy,
    /// The other was to make up for it and had not when a further compensation took its place.
    WasToBeCompensatedBy,
    /// It takes the place of the other, or was about to: how the other stands says which.
    Supersedes,
    /// It was about to take the place of the other when it was superseded itself.
    WasToSupersede,
}

/// One executor's exclusive right to execute a request, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claim {
    /// Names this claim; two claims of one executor differ by it.
    pub id: WriteId,
    /// The executor.
    pub by: Arc<ActorContext>,
    /// When the claim was made.
    pub at: Timestamp,
    /// From this time on another executor may take over.
    pub lease_ends_at: Timestamp,
}

impl CompensationPlan {
    /// A plan to make up for `compensates`.
    pub fn new(compensates: RequestId, kind: CompensationKind, trigger: CompensationTrigger) -> Self {
        Self { compensates, kind, trigger, related: BTreeSet::new(), description: None }
    }

    /// The same plan with this request related to it.
    pub fn related_to(mut self, request: RequestId) -> Self {
        self.related.insert(request);
        self
    }

    /// The same plan in words.
    pub fn described_as(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}
