//! Execution: its kind, its claim, and links to other requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ActorContext, BatchId, ClaimId, FailedAttempts, Period, RequestId, Resubmission, RetryPolicy, Timestamp};
use crate::error::InvalidValue;

/// How a request is executed, and its links with other requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Execution {
    /// Whether the request makes a change or undoes one.
    #[serde(default, skip_serializing_if = "ExecutionKind::is_standard")]
    pub kind: ExecutionKind,
    /// Links to requests that this one compensates, or that compensate it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<ExecutionLink>,
    /// Who is executing it now, if anybody is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The requests that it supersedes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supersedes: Vec<Supersession>,
    /// The request that ended without being executed, and that this one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resubmits: Option<Resubmission>,
    /// The request that follows this one. If there is none with this id, its submission was interrupted, and resubmitting
    /// this one again completes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resubmitted_as: Option<Resubmission>,
    /// It is not executed before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// For how long an approval of the request lasts while nobody claims it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Period>,
    /// How often it is tried again, as it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// The attempts that failed, while it is approved and tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_attempts: Option<Box<FailedAttempts>>,
}

/// Whether a request makes a change or undoes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ExecutionKind {
    /// It makes a change.
    #[default]
    Standard,
    /// It compensates an executed change.
    Compensation(CompensationPlan),
}

/// How an executed request is to be compensated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CompensationPlan {
    /// The executed request.
    pub compensates: RequestId,
    /// How it is compensated.
    pub kind: CompensationKind,
    /// What led to it.
    pub trigger: CompensationTrigger,
    /// The batch it belongs to, if it is one of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// Other requests that belong to the same compensation.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<RequestId>,
    /// The plan in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How an executed change is compensated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum CompensationKind {
    /// By restoring the previous state.
    Rollback,
    /// By moving on to the correct state.
    ForwardCorrection,
}

/// What led to a compensation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExecutionLink {
    /// What this request is to the other.
    pub relation: LinkRelation,
    /// The other request.
    pub request: RequestId,
    /// How the change is compensated.
    pub kind: CompensationKind,
    /// What led to the compensation.
    pub trigger: CompensationTrigger,
    /// The batch the compensation belongs to, if it is one of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// When the link was made.
    pub at: Timestamp,
}

/// What a request announces about another that it supersedes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Supersession {
    /// The other request. Its status says whether it was superseded, which is recorded there after this announcement.
    pub request: RequestId,
    /// When it was announced.
    pub at: Timestamp,
    /// Whether the announcement was withdrawn, because this request was to be superseded itself before it took the
    /// place.
    pub withdrawn: bool,
}

/// The relation of a request to a linked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum LinkRelation {
    /// It compensates the other.
    Compensates,
    /// The other compensates it.
    CompensatedBy,
    /// The other is being executed to compensate it, or was and has not: its status says which. Meanwhile, no other
    /// compensation can be executed.
    BeingCompensatedBy,
    /// The other was to compensate it but had not, when another compensation took its place.
    WasToBeCompensatedBy,
}

/// One executor's exclusive right to execute a request, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Claim {
    /// The id of this claim, which differs between two claims of one executor.
    pub id: ClaimId,
    /// The executor.
    pub by: Arc<ActorContext>,
    /// When the claim was made.
    pub at: Timestamp,
    /// From this time on another executor may take over.
    pub lease_ends_at: Timestamp,
}

impl Execution {
    /// Whether it is that of a new request which makes a change.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl ExecutionKind {
    /// Whether it makes a change.
    pub(crate) const fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }
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
    /// A plan to compensate `compensates`.
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

    /// The same plan with this description.
    pub fn described_as(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl ExecutionLink {
    /// The link from the compensation to the request that it compensates.
    pub(crate) fn to_original(plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::Compensates, plan.compensates.clone(), plan, at)
    }

    /// The link from the original to the request that compensates it.
    pub(crate) fn to_compensation(compensating: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::CompensatedBy, compensating, plan, at)
    }

    /// The link from the original to the request that is about to compensate it.
    pub(crate) fn to_attempt(compensating: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        Self::by_plan(LinkRelation::BeingCompensatedBy, compensating, plan, at)
    }

    fn by_plan(relation: LinkRelation, request: RequestId, plan: &CompensationPlan, at: Timestamp) -> Self {
        let CompensationPlan { kind, trigger, ref batch, .. } = *plan;
        Self { relation, request, kind, trigger, batch: batch.clone(), at }
    }
}

/// The fields of every kind of execution, so that reading one misses no unknown field.
#[derive(Deserialize)]
struct KindFields {
    #[serde(rename = "type")]
    kind_type: KindType,
    compensates: Option<RequestId>,
    kind: Option<CompensationKind>,
    trigger: Option<CompensationTrigger>,
    batch: Option<BatchId>,
    #[serde(default)]
    related: BTreeSet<RequestId>,
    description: Option<String>,
}

#[derive(Deserialize)]
enum KindType {
    Standard,
    Compensation,
}

impl<'de> Deserialize<'de> for ExecutionKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = KindFields::deserialize(deserializer)?;
        fields.into_kind().map_err(D::Error::custom)
    }
}

impl KindFields {
    fn into_kind(self) -> Result<ExecutionKind, InvalidValue> {
        let Self { kind_type, compensates, kind, trigger, batch, related, description } = self;
        match (kind_type, compensates, kind, trigger) {
            (KindType::Compensation, Some(compensates), Some(kind), Some(trigger)) => {
                let plan = CompensationPlan { compensates, kind, trigger, batch, related, description };
                Ok(ExecutionKind::Compensation(plan))
            }
            (KindType::Compensation, ..) => {
                Err(InvalidValue::new("execution", "is a Compensation without compensates, kind or trigger"))
            }
            (KindType::Standard, None, None, None)
                if batch.is_none() && related.is_empty() && description.is_none() =>
            {
                Ok(ExecutionKind::Standard)
            }
            (KindType::Standard, ..) => {
                Err(InvalidValue::new("execution", "is Standard, and has fields of a Compensation"))
            }
        }
    }
}
