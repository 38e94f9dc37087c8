//! The JSON form of what a request reports: why it waits, and how its execution ended.

use serde::{Serialize, Serializer};

use super::ExecutionOutcome;
use super::explain::Explanation;
use super::open_demand::OpenDemand;
use super::resolution::Resolution;
use crate::command::Failure;
use crate::request::{
    ActorContext, ApprovalId, Claim, Decision, MutationRequest, RequestId, RequestState, Step, Timestamp, UniqueKey,
};

/// Why a request has its status at one time, and who can move it on.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct ExplanationFields<'a> {
    /// The explanation as the rest of a sentence that begins with the request.
    sentence: String,
    /// The state of the request.
    state: &'a RequestState,
    /// Every unmet approval or quorum group, by step.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    demands: &'a [OpenDemand],
    /// The step that can be decided now.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_step: Option<Step>,
    /// The ordinal of the active step among the request's steps, from 1.
    step_ordinal: u32,
    /// The number of its steps.
    steps: u32,
    /// The next time at which something about it is due to expire, or an open approval is addressed to others too.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
    /// It is not executed before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    /// When it became ready to be executed, or becomes it if nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_at: Option<Timestamp>,
    /// When the validity of its approval ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    /// Who is executing it, or was when the lease ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a Claim>,
    /// The decision that led to its status.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a Decision>,
    /// The executions that failed since it was approved; the latest last.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    failures: &'a [Decision],
    /// When the next attempt can begin, if an executor tries it again by a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    /// Why it cannot be executed, although it is approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<String>,
    /// Who is to correct it, if it was sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrected_by: Option<&'a ActorContext>,
    /// The executed requests that compensate it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    compensated_by: &'a [RequestId],
    /// The request that follows it, if it was resubmitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    resubmitted_as: Option<&'a RequestId>,
    /// Its unique key while it is open: no other request with this key can be submitted until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_key: Option<&'a UniqueKey>,
    /// The time of this explanation.
    now: Timestamp,
}

impl<'a> From<&'a Explanation> for ExplanationFields<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        Self {
            sentence: explanation.to_string(),
            state: &explanation.state,
            demands: &explanation.demands,
            active_step: explanation.active_step,
            step_ordinal: explanation.step_ordinal,
            steps: explanation.steps,
            deadline: explanation.deadline,
            not_before: explanation.not_before,
            ready_at: explanation.ready_at,
            valid_until: explanation.valid_until,
            claim: explanation.claim.as_ref(),
            since: explanation.since.as_ref(),
            failures: &explanation.failures,
            next_attempt_at: explanation.next_attempt_at,
            obstacle: explanation.obstacle.as_ref().map(ToString::to_string),
            corrected_by: explanation.corrected_by.as_deref(),
            compensated_by: &explanation.compensated_by,
            resubmitted_as: explanation.resubmitted_as.as_ref(),
            unique_key: explanation.unique_key.as_ref(),
            now: explanation.now,
        }
    }
}

/// How executing a request ended, with the request as it is stored now.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "type")]
enum OutcomeFields<'a> {
    Executed { request: &'a MutationRequest, resolution: Resolution },
    Failed { request: &'a MutationRequest, failure: &'a Failure },
    RejectedAsStale { request: &'a MutationRequest },
    RequiresRenewedApproval { request: &'a MutationRequest },
    RequiresRevalidation { request: &'a MutationRequest },
}

impl<'a> From<&'a ExecutionOutcome> for OutcomeFields<'a> {
    fn from(outcome: &'a ExecutionOutcome) -> Self {
        match outcome {
            ExecutionOutcome::Executed { request, resolution } => Self::Executed { request, resolution: *resolution },
            ExecutionOutcome::Failed { request, failure } => Self::Failed { request, failure },
            ExecutionOutcome::RejectedAsStale(request) => Self::RejectedAsStale { request },
            ExecutionOutcome::RequiresRenewedApproval(request) => Self::RequiresRenewedApproval { request },
            ExecutionOutcome::RequiresRevalidation(request) => Self::RequiresRevalidation { request },
        }
    }
}

macro_rules! serialised_as {
    ($($name:ident: $Fields:ident;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $Fields::from(self).serialize(serializer)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $Fields::json_schema(generator)
            }
        }
    )*};
}

serialised_as! {
    Explanation: ExplanationFields;
    ExecutionOutcome: OutcomeFields;
}

/// An approval that was not decided in time.
#[derive(Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub(super) struct Overdue<'a> {
    approval: &'a ApprovalId,
    since: Timestamp,
}

/// For `#[serde(serialize_with)]`.
pub(super) fn overdue<S: Serializer>(overdue: &[(ApprovalId, Timestamp)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(overdue.iter().map(|(approval, since)| Overdue { approval, since: *since }))
}
