//! Requests, people and times for the rules.

pub(crate) use common::people::{
    approval, approval_error, at, correction_error, execution_error, history, id, user, user_because,
};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ApprovalRule, ApprovalTarget, Error, Intent, MutationRequest, Pending, PendingReason, RequestDraft, RequestState,
    Status, Target, WriteId,
};

pub(crate) fn actor(id: &str) -> ApprovalTarget {
    ApprovalTarget::actor(id).unwrap()
}

/// A draft of a role grant, asked for by `requester`.
pub(crate) fn draft() -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("requester"))
}

pub(crate) fn try_file(draft: RequestDraft) -> Result<MutationRequest, Error> {
    workflow::submit(draft, id("request-1"), WriteId::from_bytes([7; 16]), at(0))
}

pub(crate) fn submit(draft: RequestDraft) -> MutationRequest {
    try_file(draft).unwrap()
}

/// A request that waits for these approvals.
pub(crate) fn file_with(rules: impl IntoIterator<Item = ApprovalRule>) -> MutationRequest {
    submit(rules.into_iter().fold(draft(), RequestDraft::requires_approval))
}

pub(crate) fn rule(actor_id: &str) -> ApprovalRule {
    ApprovalRule::actor(actor_id).unwrap()
}

pub(crate) fn quorum(group: &str, required: u32, members: &[&str]) -> ApprovalRule {
    ApprovalRule::quorum(group, required, members.iter().map(|member| actor(member))).unwrap()
}

pub(crate) fn try_apply(request: &MutationRequest, command: &Command, seconds: u64) -> Result<MutationRequest, Error> {
    workflow::apply(request.clone(), command, at(seconds))
}

pub(crate) fn apply(request: &MutationRequest, command: &Command, seconds: u64) -> MutationRequest {
    try_apply(request, command, seconds).unwrap()
}

pub(crate) fn grant(request: &MutationRequest, by: &str, approval_id: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::approve_requirement(user(by), approval(approval_id)), seconds)
}

pub(crate) fn reject(request: &MutationRequest, by: &str, approval_id: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::reject_requirement(user(by), approval(approval_id), None), seconds)
}

/// A request in this status, without approvals.
pub(crate) fn in_status(status: Status) -> MutationRequest {
    let mut document = submit(draft()).into_document();
    document.state = match status {
        Status::Created => RequestState::Created,
        Status::Pending => RequestState::Pending(Pending::from(PendingReason::Schedule)),
        Status::Approved => RequestState::Approved,
        Status::Rejected => RequestState::Rejected,
        Status::Canceled => RequestState::Canceled,
        Status::Expired => RequestState::Expired,
        Status::Superseded => RequestState::Superseded { by: id("other") },
        Status::Executed => RequestState::Executed { at: at(0), resulting_version: None },
    };
    let revision = submit(draft()).revision();
    MutationRequest::from_document(document, revision).unwrap()
}
