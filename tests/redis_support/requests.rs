//! Requests to store, filed by the library's own rules at times of the test's choosing.

use std::sync::Arc;

use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, ApprovalRule, Intent, MutationRequest, PendingReason, RequestDraft, RequestId, Target, Timestamp,
    WriteId,
};

pub fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

pub fn second(number: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + number * 1_000_000).unwrap()
}

pub fn actor(name: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(name).unwrap().with_role("operator").unwrap().because("the quarter ends"))
}

pub fn draft(request_id: &str, state: &str) -> RequestDraft {
    let target = Target::new(state, "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), actor("alice")).with_id(id(request_id))
}

pub fn file(draft: RequestDraft, at: Timestamp) -> MutationRequest {
    workflow::file(draft, RequestId::generate(), WriteId::generate(), at).unwrap()
}

/// A request that waits.
pub fn pending(request_id: &str, state: &str, at: Timestamp) -> MutationRequest {
    file(draft(request_id, state).waiting_for(PendingReason::Schedule), at)
}

/// A request that waits for a manager and two of three security people.
pub fn with_approvals(request_id: &str, state: &str, at: Timestamp) -> MutationRequest {
    let reviewers = ["bob", "dave", "erin"].map(|name| mutator_governance::ApprovalTarget::actor(name).unwrap());
    let draft = draft(request_id, state)
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .requires_approval(ApprovalRule::quorum("security", 2, reviewers).unwrap().expiring_at(second(9_000_000)));
    file(draft, at)
}

/// The next change of a request that is moved to and fro between waiting and approved.
pub fn moved_on(request: MutationRequest, at: Timestamp) -> MutationRequest {
    let command = match request.state.pending() {
        Some(_) => Command::approve(actor("alice")),
        None => Command::hold(actor("alice"), PendingReason::Quota),
    };
    workflow::apply(request, &command, at).unwrap()
}
