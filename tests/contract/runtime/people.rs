//! Requests, people and times that the cases are about.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, ExecutionOrder};
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalId, ApprovalRule, ApprovalTarget, Conflict, DecisionKind, Error,
    ExecutionError, Intent, MutationRequest, RequestDraft, RequestId, StateVersion, Target, Timestamp,
};

/// The given number of seconds after the beginning of 2026; every case begins at 0.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000).unwrap().saturating_add(Duration::from_secs(seconds))
}

pub(crate) fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

pub(crate) fn approval(text: &str) -> ApprovalId {
    ApprovalId::new(text).unwrap()
}

pub(crate) fn version(text: &str) -> StateVersion {
    StateVersion::new(text).unwrap()
}

pub(crate) fn user(id: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap())
}

pub(crate) fn user_because(id: &str, reason: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap().because(reason))
}

pub(crate) fn targets(ids: &[&str]) -> Vec<ApprovalTarget> {
    ids.iter().map(|id| ApprovalTarget::actor(*id).unwrap()).collect()
}

/// A draft of a role grant, asked for by `requester`.
pub(crate) fn draft(id_text: &str) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("requester")).with_id(id(id_text))
}

/// A draft that needs an approval from each, in one step: `approval-1`, `approval-2`, …
pub(crate) fn needing(id_text: &str, approvers: &[&str]) -> RequestDraft {
    draft(id_text).requires_approval(ApprovalRule::each(targets(approvers)).unwrap())
}

/// A draft that is approved when it is submitted, for version v1.
pub(crate) fn approved(id_text: &str) -> RequestDraft {
    draft(id_text).for_version(version("v1")).already_approved()
}

/// To be executed by `executor` on version v1; a lease of 60 s.
pub(crate) fn order() -> ExecutionOrder {
    order_of("executor")
}

pub(crate) fn order_of(executor: &str) -> ExecutionOrder {
    ExecutionOrder::new(user(executor), version("v1"))
        .with_lease(Duration::from_mins(1))
        .when_failed(AfterFailure::Reject)
}

/// The kinds of the decisions from the given one on, as words.
pub(crate) fn history(request: &MutationRequest, from: usize) -> Vec<String> {
    request.decisions[from..].iter().map(|decision| decision.kind.to_string()).collect()
}

pub(crate) fn count(request: &MutationRequest, kind: impl Into<DecisionKind>) -> usize {
    let kind = kind.into();
    request.decisions.iter().filter(|decision| decision.kind == kind).count()
}

pub(crate) fn approval_error(error: Error) -> ApprovalError {
    match error {
        Error::Approval { error, .. } => error,
        other => panic!("not an approval error: {other}"),
    }
}

pub(crate) fn execution_error(error: Error) -> ExecutionError {
    match error {
        Error::Execution { error, .. } => error,
        other => panic!("not an execution error: {other}"),
    }
}

pub(crate) fn conflict(error: Error) -> Conflict {
    match error {
        Error::Conflict(conflict) => *conflict,
        other => panic!("not a conflict: {other}"),
    }
}

/// How often something was called; clones count together.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether nobody else can count any more.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}
