//! The mutation request and its parts: plain data, construction and validation.
//!
//! `workflow` decides how a request moves on, `stored_format` and `redis` store it, `query` finds it.

mod acting_for;
mod actor;
mod approval;
mod approval_requirement;
mod approval_rule;
mod approval_summary;
mod approval_target;
mod approver_limits;
mod by_name;
mod canonical;
mod decision;
mod delegation;
mod digest;
mod document;
mod draft;
mod escalation;
mod execution;
mod history_chain;
mod id_comparison;
mod intent;
mod into_id;
mod metadata;
pub mod metadata_keys;
mod participants;
mod payload;
mod period;
mod person_id;
mod random_id;
mod reason_rule;
mod rejection;
mod requester;
mod requirement;
mod resubmission;
mod retries;
mod revision;
mod side_effect;
mod state;
mod text;
mod time_conversions;
mod timestamp;
mod unsettled_write;
mod value_json;
mod write_intent;

pub use acting_for::ActingFor;
pub(crate) use acting_for::for_oneself;
pub use actor::{ActorContext, ActorKind, ActorMode};
pub use approval::{
    Approval, ApprovalState, ApprovalStatus, Cause, DeciderRule, Quorum, QuorumRejection, Step, Verdict,
};
pub use approval_rule::ApprovalRule;
pub(crate) use approval_summary::{ApprovalSummary, Slot};
pub use approval_target::ApprovalTarget;
pub use approver_limits::ApproverLimits;
pub(crate) use by_name::{by_name, read_by_name};
pub(crate) use canonical::canonical_bytes;
pub use decision::{
    ApprovalDecision, Decision, DecisionCategory, DecisionKind, DiscussionDecision, ExecutionDecision,
    LifecycleDecision, VersionDecision,
};
pub use delegation::Delegation;
pub use digest::Digest;
pub use document::{MutationRequest, RequestDocument, Target, Versioning};
pub use draft::{InitialState, RequestDraft};
pub use escalation::Escalation;
pub(crate) use escalation::EscalationRule;
pub use execution::{
    Claim, CompensationKind, CompensationPlan, CompensationTrigger, Execution, ExecutionKind, ExecutionLink,
    LinkRelation, Supersession,
};
pub use history_chain::{HashMark, HistoryChain, HistorySeal, Salt};
pub use id_comparison::IdComparison;
pub use intent::{BlastRadius, BlastScope, Intent, RiskLevel};
pub use into_id::IntoId;
pub use metadata::{Metadata, MetadataIter, Value};
pub(crate) use metadata_keys::metadata_key;
pub use participants::Participants;
pub use payload::Payload;
pub use period::Period;
pub use random_id::{ClaimId, HolderId, WriteId};
pub use reason_rule::ReasonRule;
pub use rejection::Rejection;
pub use requester::Requester;
pub use requirement::Requirement;
pub use resubmission::Resubmission;
pub use retries::{FailedAttempts, RetryPolicy};
pub use revision::Revision;
pub use side_effect::{Severity, SideEffect};
pub use state::{Pending, PendingReason, RequestState, Status};
pub use text::{
    ActorId, ApprovalId, BatchId, Category, ConsumerName, ContractId, Grounds, Group, KeyId, MutationType, Operation,
    PolicyName, QuorumGroup, RequestId, RequirementKind, Role, StateId, StateType, StateVersion, Tag, UniqueKey,
};
pub use timestamp::Timestamp;
pub use unsettled_write::UnsettledWrite;
pub(crate) use write_intent::Who;
pub use write_intent::{WriteIntent, WriteKind};
