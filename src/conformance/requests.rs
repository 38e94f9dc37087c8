//! Requests for the cases: submitted by the usual rules, at times that the case chooses.

use crate::request::{
    ActorContext, ApprovalRule, ApprovalTarget, BlastRadius, BlastScope, Intent, Metadata, MutationRequest, Payload,
    PendingReason, RequestDraft, RequestId, Requirement, RiskLevel, StateVersion, Target, Timestamp, Value, WriteId,
};
use crate::workflow::{self, Command};

pub(super) fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

pub(super) fn second(number: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + number * 1_000_000).unwrap()
}

pub(super) fn alice() -> ActorContext {
    ActorContext::user("alice").unwrap().with_role("operator").unwrap().named("Alice").because("the quarter ends")
}

pub(super) fn draft(request_id: &str, state: &str) -> RequestDraft {
    let target = Target::new(state, "Tenant", "RoleGrant").unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), alice()).with_id(id(request_id))
}

pub(super) fn submit(draft: RequestDraft, at: Timestamp) -> MutationRequest {
    workflow::submit(draft, RequestId::generate(), WriteId::generate(), at).unwrap()
}

/// A request that waits for something.
pub(super) fn pending(request_id: &str, state: &str, at: Timestamp) -> MutationRequest {
    submit(draft(request_id, state).waiting_for(PendingReason::Schedule), at)
}

/// A request with every part that a submission can have.
pub(super) fn full(request_id: &str) -> MutationRequest {
    let nested = Metadata::new().with("list", vec![Value::Null, Value::from(0.5)]).unwrap();
    let metadata = Metadata::new().with("ticket", "OPS-1 – ü").unwrap().with("nested", nested).unwrap();
    let blast_radius = BlastRadius::new(BlastScope::System).affecting(12);
    let intent = Intent::new("grant-role", "Access")
        .unwrap()
        .described_as("Carol takes over")
        .with_risk(RiskLevel::High)
        .with_blast_radius(blast_radius)
        .with_tag("quarter-end")
        .unwrap();
    let reviewers = ["bob", "dave", "erin"].map(|member| ApprovalTarget::actor(member).unwrap());
    let draft = RequestDraft::new(Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap(), intent, alice())
        .with_id(id(request_id))
        .with_payload(Payload::new("application/json", br#"{"role":"admin"}"#.to_vec()).unwrap())
        .for_version(StateVersion::new("v10").unwrap())
        .requires(Requirement::new("TwoFactor", "a second factor").unwrap())
        .requires_approval(ApprovalRule::role("manager").unwrap().described_as("the manager agrees"))
        .requires_approval(ApprovalRule::quorum("security", 2, reviewers).unwrap().expiring_at(second(9_000)))
        .with_metadata(metadata);
    submit(draft, second(0))
}

/// The next change of a request that alternates between waiting and approved, with a reason of its own.
pub(super) fn moved_on(request: MutationRequest, at: Timestamp) -> MutationRequest {
    let by = alice().because(WriteId::generate().to_string());
    let command = match request.state.pending() {
        Some(_) => Command::approve_request(by),
        None => Command::hold(by, PendingReason::Quota),
    };
    workflow::apply(request, &command, at).unwrap()
}

/// Requests of which every query finds some: one that waits for a manager and then for bob, one that waits for its
/// time, one without requirements, and two that bob approved.
pub(super) fn company() -> Vec<MutationRequest> {
    let (bob, manager) = (|| ApprovalRule::actor("bob").unwrap(), ApprovalRule::role("manager").unwrap());
    let approved = |request: MutationRequest, at| {
        let grant = Command::approve_requirement(ActorContext::user("bob").unwrap(), request.approvals[0].id.clone());
        workflow::apply(request, &grant, at).unwrap()
    };
    vec![
        submit(draft("two-steps", "tenant:acme").requires_approval(manager).requires_approval(bob()), second(10)),
        pending("scheduled", "tenant:beta", second(20)),
        submit(draft("submitted", "tenant:acme"), second(30)),
        approved(submit(draft("late", "tenant:beta").requires_approval(bob()), second(40)), second(70)),
        approved(submit(draft("early", "tenant:acme").requires_approval(bob()), second(50)), second(60)),
    ]
}
