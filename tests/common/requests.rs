//! Requests to store, submitted by the library's own rules at times of the test's choosing.

use std::sync::Arc;

pub use super::people::{at as second, id};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, ApprovalRule, BlastRadius, BlastScope, Intent, MutationRequest, PendingReason, RequestDraft,
    RequestId, RiskLevel, Target, Timestamp, WriteId,
};

pub fn actor(name: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(name).unwrap().with_role("operator").unwrap().because("the quarter ends"))
}

pub fn draft(request_id: &str, state: &str) -> RequestDraft {
    let target = Target::new(state, "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), actor("alice")).with_id(id(request_id))
}

pub fn submit(draft: RequestDraft, at: Timestamp) -> MutationRequest {
    workflow::submit(draft, RequestId::generate(), WriteId::generate(), at).unwrap()
}

/// A request that waits.
pub fn pending(request_id: &str, state: &str, at: Timestamp) -> MutationRequest {
    submit(draft(request_id, state).waiting_for(PendingReason::Schedule), at)
}

/// A request that waits for a manager and two of three security people.
pub fn with_approvals(request_id: &str, state: &str, at: Timestamp) -> MutationRequest {
    asking_for_approvals(draft(request_id, state), at)
}

/// Submits a draft that waits for a manager, one of two groups, and two of three security people, one step after another.
pub fn asking_for_approvals(draft: RequestDraft, at: Timestamp) -> MutationRequest {
    let reviewers = ["bob", "dave", "erin"].map(|name| mutator_governance::ApprovalTarget::actor(name).unwrap());
    let draft = draft
        .requires_approval(ApprovalRule::group("auditors").unwrap().requester_may_decide())
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .requires_approval(ApprovalRule::quorum("security", 2, reviewers).unwrap().expiring_at(second(9_000_000)));
    submit(draft, at)
}

/// A draft that uses all that is indexed, each part or not by chance.
pub fn varied_draft(request_id: &str, state: &str, random: &mut fastrand::Rng) -> RequestDraft {
    let mut pick = |of: usize| random.usize(0..of);
    let types = ["Tenant", "Rôle: {a}", "p"];
    let target = Target::new(state, types[pick(3)], types[pick(3)]).unwrap();
    let risks = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
    let mut intent =
        Intent::new("grant", ["Access", "Billing: \"x\"", "a"][pick(3)]).unwrap().with_risk(risks[pick(4)]);
    for tag in ["quarter-end", "a", "ü ö"] {
        if pick(2) == 0 {
            intent = intent.with_tag(tag).unwrap();
        }
    }
    if pick(2) == 0 {
        let scopes = [BlastScope::System, BlastScope::Module];
        intent = intent.with_blast_radius(BlastRadius::new(scopes[pick(2)]));
    }
    let requester = [actor("alice"), actor("bob"), Arc::new(ActorContext::system())];
    RequestDraft::new(target, intent, Arc::clone(&requester[pick(3)])).with_id(id(request_id))
}

/// The next change of a request that is moved to and fro between waiting and approved.
pub fn moved_on(request: MutationRequest, at: Timestamp) -> MutationRequest {
    let command = match request.state.pending() {
        Some(_) => Command::approve_request(actor("alice")),
        None => Command::hold(actor("alice"), PendingReason::Quota),
    };
    workflow::apply(request, &command, at).unwrap()
}
