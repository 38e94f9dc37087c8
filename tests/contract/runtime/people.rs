//! Requests, people and times that the cases are about.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) use common::people::{
    approval, approval_error, at, correction_error, execution_error, history, id, user, user_because,
};
use mutator_governance::workflow::{AfterFailure, ExecutionOrder};
use mutator_governance::{
    ApprovalRule, ApprovalTarget, Conflict, DecisionKind, Error, Intent, MutationRequest, RequestDraft, StateVersion,
    Target,
};

pub(crate) fn version(text: &str) -> StateVersion {
    StateVersion::new(text).unwrap()
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

pub(crate) fn count(request: &MutationRequest, kind: impl Into<DecisionKind>) -> usize {
    let kind = kind.into();
    request.decisions.iter().filter(|decision| decision.kind == kind).count()
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
