//! What an execution is to do, and whether it may begin.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::history::Occasion;
use super::resolution::{self, Resolution};
use super::{Command, execution, retrying};
use crate::command::StaleStrategy;
use crate::command::{AfterFailure, Completion, Failure};
use crate::error::Result;
use crate::json::{IsoDuration, Strict, write_duration};
use crate::request::{
    ActorContext, ClaimId, ExecutionKind, MutationRequest, PendingReason, RequestId, RequestState, StateVersion,
    Status, Timestamp,
};

/// How to execute a request: by whom, on which version of the state, and what to do when it is stale or fails.
///
/// It can be read from JSON, where a field that is not known is an error and only `by` and `current` must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(from = "Strict<Fields>")]
pub struct ExecutionOrder {
    by: Arc<ActorContext>,
    current: StateVersion,
    strategy: StaleStrategy,
    #[serde(serialize_with = "write_duration")]
    #[cfg_attr(feature = "schemars", schemars(with = "IsoDuration"))]
    lease: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewed_for: Option<IsoDuration>,
    after_failure: AfterFailure,
}

/// An order as it is read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    by: Arc<ActorContext>,
    current: StateVersion,
    strategy: Option<StaleStrategy>,
    lease: Option<IsoDuration>,
    renewed_for: Option<IsoDuration>,
    after_failure: Option<AfterFailure>,
}

impl From<Strict<Fields>> for ExecutionOrder {
    fn from(Strict(fields): Strict<Fields>) -> Self {
        let default = Self::new(fields.by, fields.current);
        Self {
            strategy: fields.strategy.unwrap_or(default.strategy),
            lease: fields.lease.map_or(default.lease, |IsoDuration(lease)| lease),
            renewed_for: fields.renewed_for,
            after_failure: fields.after_failure.unwrap_or(default.after_failure),
            ..default
        }
    }
}

/// How executing a request ended, with the request as it is stored now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionOutcome {
    /// It was executed.
    Executed {
        /// The request.
        request: MutationRequest,
        /// Whether it was executed as approved, or had to be validated against a later version of the state first.
        resolution: Resolution,
    },
    /// It was attempted and failed.
    Failed {
        /// The request: rejected or still approved, as the order says.
        request: MutationRequest,
        /// Why it failed.
        failure: Failure,
    },
    /// It was not attempted: it was written for another version of the state, and therefore rejected.
    RejectedAsStale(MutationRequest),
    /// It was not attempted: it was written for another version of the state, and its approvals are open again.
    RequiresRenewedApproval(MutationRequest),
    /// It was not attempted: it was written for another version of the state, and somebody has to
    /// [revalidate](Command::revalidate) it.
    RequiresRevalidation(MutationRequest),
}

impl ExecutionOrder {
    /// Executes as this actor on this version of the state. Defaults to rejecting a stale request, a lease of one
    /// minute, and after a failure doing what the request was submitted with.
    pub fn new(by: impl Into<Arc<ActorContext>>, current: StateVersion) -> Self {
        Self {
            by: by.into(),
            current,
            strategy: StaleStrategy::RejectStale,
            lease: Duration::from_secs(60),
            renewed_for: None,
            after_failure: AfterFailure::default(),
        }
    }

    /// What to do with a request that was written for another version. Defaults to rejecting it.
    pub fn when_stale(mut self, strategy: StaleStrategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// For how long nobody else may execute the request if this executor dies: at least half a second longer than a call
    /// to the store. While the function runs, the lease is renewed each third of it. Defaults to one minute.
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Renews the lease for no longer than this, so that a function that hangs does not keep the request for ever; with
    /// zero, never. Defaults to as long as the function runs.
    pub fn renewed_for_at_most(mut self, limit: Duration) -> Self {
        self.renewed_for = Some(IsoDuration(limit));
        self
    }

    /// What becomes of the request when its execution fails. Defaults to what the request was
    /// [submitted with](crate::RequestDraft::retrying), without that to rejecting it.
    pub fn when_failed(mut self, after_failure: AfterFailure) -> Self {
        self.after_failure = after_failure;
        self
    }

    /// Who executes.
    pub const fn by(&self) -> &Arc<ActorContext> {
        &self.by
    }

    pub(crate) const fn lease(&self) -> Duration {
        self.lease
    }

    /// For how long the lease is renewed.
    pub(crate) fn renewed_for(&self) -> Duration {
        self.renewed_for.map_or(Duration::MAX, |IsoDuration(limit)| limit)
    }

    /// The command that claims the request under this id, or renews the claim.
    pub(crate) fn claim(&self, claim: ClaimId) -> Command {
        Command::claim(Arc::clone(&self.by), claim, self.lease)
    }

    /// Resolves the request against the current version and claims it if it may be executed: one change, so that nobody
    /// comes between the two.
    pub(crate) fn begin(
        &self,
        mut request: MutationRequest,
        claim: ClaimId,
        now: Timestamp,
    ) -> Result<MutationRequest> {
        let occasion = Occasion::on(&request, &self.by, now)?;
        execution::check_can_begin(&request, occasion.now)?;
        let recorded_at_its_end = retrying::is_recorded_at_its_end(&request, self.after_failure);
        let fits = recorded_at_its_end && resolution::fits(&request, &self.current);
        if fits || resolution::settle(&mut request, &self.current, self.strategy, occasion)?.lets_execute() {
            execution::claim(&mut request, claim, self.lease, recorded_at_its_end, occasion)?;
        }
        Ok(request)
    }

    /// The outcome, if the order stopped before executing.
    pub(crate) fn stopped(request: &MutationRequest) -> Option<ExecutionOutcome> {
        match request.state {
            RequestState::Rejected => Some(ExecutionOutcome::RejectedAsStale(request.clone())),
            RequestState::Pending(pending) if pending.reason == PendingReason::Revalidation => {
                Some(ExecutionOutcome::RequiresRevalidation(request.clone()))
            }
            RequestState::Pending(_) => Some(ExecutionOutcome::RequiresRenewedApproval(request.clone())),
            _ => None,
        }
    }

    /// The command that records the result of the execution.
    pub(crate) fn finish(&self, claim: ClaimId, result: &Result<Completion, Failure>) -> Command {
        match result {
            Ok(completion) => Command::complete(Arc::clone(&self.by), claim, completion.clone()),
            Err(failure) => Command::fail(Arc::clone(&self.by), claim, failure.clone(), self.after_failure),
        }
    }
}

impl ExecutionOutcome {
    /// The request as it is stored now.
    pub const fn request(&self) -> &MutationRequest {
        match self {
            Self::Executed { request, .. }
            | Self::Failed { request, .. }
            | Self::RejectedAsStale(request)
            | Self::RequiresRenewedApproval(request)
            | Self::RequiresRevalidation(request) => request,
        }
    }

    /// The outcome for a request that has been executed.
    pub(crate) fn executed(request: MutationRequest) -> Self {
        let resolution = Resolution::recorded_last(&request);
        Self::Executed { request, resolution }
    }

    /// How the request fitted the version of the state that the order names.
    pub fn resolution(&self) -> Resolution {
        match self {
            Self::Executed { resolution, .. } => *resolution,
            Self::Failed { request, .. } => Resolution::recorded_last(request),
            Self::RejectedAsStale(_) => Resolution::RejectedAsStale,
            Self::RequiresRenewedApproval(_) => Resolution::RequiresRenewedApproval,
            Self::RequiresRevalidation(_) => Resolution::RequiresRevalidation,
        }
    }

    /// Whether the request was executed.
    pub const fn is_executed(&self) -> bool {
        matches!(self, Self::Executed { .. })
    }
}

/// The request that this one compensates, if it is an executed compensation.
pub(crate) fn compensates(request: &MutationRequest) -> Option<&RequestId> {
    original_of(request, Status::Executed)
}

/// The request that this one is to compensate, if it is an approved compensation.
pub(crate) fn to_compensate(request: &MutationRequest) -> Option<&RequestId> {
    original_of(request, Status::Approved)
}

fn original_of(request: &MutationRequest, status: Status) -> Option<&RequestId> {
    match &request.execution.kind {
        ExecutionKind::Compensation(plan) if request.state.status() == status => Some(&plan.compensates),
        _ => None,
    }
}
