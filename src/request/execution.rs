//! Execution: its kind, its claim, and links to other requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActorContext, BatchId, ClaimId, RequestId, Timestamp};

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
    /// The requests whose place it takes.
    pub supersedes: Vec<Supersession>,
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
    /// The batch it belongs to, if it is one of several.
    pub batch: Option<BatchId>,
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
    /// How the change is made up for.
    pub kind: CompensationKind,
    /// What led to the compensation.
    pub trigger: CompensationTrigger,
    /// The batch the compensation belongs to, if it is one of several.
    pub batch: Option<BatchId>,
    /// When the link was made.
    pub at: Timestamp,
}

/// What a request says of another whose place it takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Supersession {
    /// The other request. How it stands says whether its place was taken; it is recorded there after it is announced here.
    pub request: RequestId,
    /// When it was announced.
    pub at: Timestamp,
    /// Whether the request was itself to be superseded while it had not taken the place yet, which made this void.
    pub withdrawn: bool,
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
}

/// One executor's exclusive right to execute a request, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claim {
    /// Names this claim; two claims of one executor differ by it.
    pub id: ClaimId,
    /// The executor.
    pub by: Arc<ActorContext>,
    /// When the claim was made.
    pub at: Timestamp,
    /// From this time on another executor may take over.
    pub lease_ends_at: Timestamp,
}

impl CompensationKind {
    /// The kind as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "Rollback",
            Self::ForwardCorrection => "ForwardCorrection",
        }
    }
}

impl CompensationTrigger {
    /// The trigger as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "Operator",
            Self::Batch => "Batch",
            Self::FailedExecution => "FailedExecution",
        }
    }
}

impl CompensationPlan {
    /// A plan to make up for `compensates`.
    pub fn new(compensates: RequestId, kind: CompensationKind, trigger: CompensationTrigger) -> Self {
        Self { compensates, kind, trigger, batch: None, related: BTreeSet::new(), description: None }
    }

    /// The same plan as part of this batch.
    pub fn in_batch(mut self, batch: BatchId) -> Self {
        self.batch = Some(batch);
        self
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

impl ExecutionLink {
    /// The link from the compensation to the request it compensates by this plan.
    pub(crate) fn to_original(plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::Compensates, plan.compensates.clone(), plan, at)
    }

    /// The link from the original to the request that compensates it by this plan.
    pub(crate) fn to_compensation(compensating: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::CompensatedBy, compensating, plan, at)
    }

    /// The link from the original to the request that is about to compensate it by this plan.
    pub(crate) fn to_attempt(compensating: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::BeingCompensatedBy, compensating, plan, at)
    }

    fn by_plan(relation: LinkRelation, request: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        let CompensationPlan { kind, trigger, ref batch, .. } = *plan;
        Self { relation, request, kind, trigger, batch: batch.clone(), at }
    }
}
