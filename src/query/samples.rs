//! Requests for the tests of this module: a plain one, and random ones with frequent coincidences.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::request::*;

/// One of them is longer than an index stores unchanged.
pub(crate) const CORRELATION_IDS: [&str; 2] =
    ["import-7", "0199a4a2-7b1e-7c3a-9d55-0242ac120002/0199a4a2-7b1e-7c3a-9d55-0242ac120003"];
pub(crate) const CONTENT_TYPES: [&str; 2] = ["application/json", "text/plain"];
pub(crate) const UNIQUE_KEYS: [&str; 2] = ["restart payments", "restart billing"];

pub(crate) fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// Submitted by Alice at 10, last changed at 20, waiting for nothing.
pub(crate) fn document(id: &str) -> RequestDocument {
    RequestDocument {
        id: RequestId::new(id).unwrap(),
        target: Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap(),
        intent: Intent::new("grant-role", "Access").unwrap(),
        requested_by: Arc::new(ActorContext::user("alice").unwrap().named("Alice")),
        payload: None,
        state: RequestState::Created,
        requirements: Vec::new(),
        approvals: Vec::new(),
        approval_round: 1,
        decisions: Vec::new(),
        side_effects: Vec::new(),
        versioning: Versioning::default(),
        execution: Execution::default(),
        created_at: at(10),
        updated_at: at(20),
        metadata: Metadata::new(),
        approver_limits: ApproverLimits::default(),
        participants: Participants::default(),
        unique_key: None,
        chain: None,
        id_comparison: IdComparison::default(),
    }
}

pub(crate) fn request(document: RequestDocument) -> MutationRequest {
    MutationRequest::from_document(document, Revision::first(WriteId::from_bytes([7; 16]))).unwrap()
}

pub(crate) fn request_with(id: &str, change: impl FnOnce(&mut RequestDocument)) -> MutationRequest {
    let mut document = document(id);
    change(&mut document);
    request(document)
}

pub(crate) fn waiting_for_approval() -> RequestState {
    RequestState::Pending(PendingReason::Approval.into())
}

pub(crate) fn approval(id: &str, target: ApprovalTarget, step: u32) -> Approval {
    Approval {
        id: ApprovalId::new(id).unwrap(),
        target,
        description: String::new(),
        name: None,
        step: Step::new(step).unwrap(),
        quorum: None,
        expires_at: None,
        expires_after: None,
        decider: DeciderRule::NotTheRequester,
        reasons: ReasonRule::Optional,
        state: ApprovalState::Pending,
        mandatory: false,
        delegation: None,
        escalation: None,
        metadata: Metadata::new(),
    }
}

fn escalation_at(at: Timestamp, to: ApprovalTarget, recorded: bool) -> Escalation {
    Escalation { after: std::time::Duration::from_secs(1), to, at: Some(at), recorded, delegation: None }
}

/// As the approval, with parts that only amended approvals have.
fn amended(plain: Approval, reasons: ReasonRule, mandatory: bool, delegated: bool) -> Approval {
    let to = ActorId::new("carol").unwrap();
    let by = vec![ActorId::new("alice").unwrap(), ActorId::new("bob").unwrap()];
    let delegation = delegated.then(|| Box::new(Delegation { from: plain.target.clone(), by, to: to.clone() }));
    let target = if delegated { ApprovalTarget::of_actor(to) } else { plain.target };
    Approval { target, reasons, mandatory, delegation, ..plain }
}

fn cause() -> Cause {
    Cause::new(Arc::new(ActorContext::system()), at(3), None)
}

pub(crate) fn verdict(by: &str) -> Verdict {
    let by = Arc::new(ActorContext::user(by).unwrap());
    Verdict { by, at: at(15), reason: None, digest: Digest::from_bytes([0; 32]) }
}

pub(crate) fn decision(kind: impl Into<DecisionKind>, by: &str, micros: u64) -> Decision {
    Decision::new(kind, &Arc::new(ActorContext::user(by).unwrap().named(by.to_uppercase())), at(micros))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..6_u64).prop_map(at)
}

fn actor_id() -> impl Strategy<Value = &'static str> {
    select(vec!["alice", "bob", "carol"])
}

fn target() -> impl Strategy<Value = ApprovalTarget> {
    let one = prop_oneof![
        actor_id().prop_map(|id| ApprovalTarget::actor(id).unwrap()),
        select(vec!["manager", "owner"]).prop_map(|role| ApprovalTarget::role(role).unwrap()),
        select(vec!["security", "legal"]).prop_map(|group| ApprovalTarget::group(group).unwrap()),
    ];
    (one, option::of(actor_id())).prop_map(|(target, also)| match also {
        Some(id) => target.or(ApprovalTarget::actor(id).unwrap()),
        None => target,
    })
}

/// One of the actors, with roles, who may act for another.
fn voter() -> impl Strategy<Value = ActorContext> {
    let roles = subsequence(vec!["manager", "owner"], 0..=2);
    (actor_id(), roles, acting_for()).prop_map(|(id, roles, other)| {
        let actor = ActorContext::user(id).unwrap().named(id.to_uppercase()).with_roles(roles).unwrap();
        for_another(actor, other)
    })
}

fn acting_for() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.2, actor_id())
}

fn for_another(actor: ActorContext, other: Option<&str>) -> ActorContext {
    match other {
        Some(other) if actor.id.as_ref().is_none_or(|id| *id != other) => actor.acting_for(other, "deputy").unwrap(),
        _ => actor,
    }
}

fn vote() -> impl Strategy<Value = Verdict> {
    voter().prop_map(|by| Verdict { by: Arc::new(by), ..verdict("alice") })
}

fn approver_limits() -> impl Strategy<Value = ApproverLimits> {
    (any::<bool>(), option::weighted(0.2, actor_id())).prop_map(|(distinct, excluded)| ApproverLimits {
        distinct,
        excluded: excluded.into_iter().map(|id| ActorId::new(id).unwrap()).collect(),
    })
}

fn participants() -> impl Strategy<Value = Participants> {
    option::weighted(0.2, (actor_id(), select(vec!["manager", "auditor"]))).prop_map(|named| {
        let named =
            named.map(|(id, role)| Participants::new().with_actor_ids([id]).unwrap().with_roles([role]).unwrap());
        named.unwrap_or_default()
    })
}

fn approval_state() -> impl Strategy<Value = ApprovalState> {
    prop_oneof![
        3 => Just(ApprovalState::Pending),
        2 => vote().prop_map(ApprovalState::Approved),
        1 => vote().prop_map(|verdict| ApprovalState::Rejected { verdict, rejection: None }),
        1 => Just(ApprovalState::Satisfied(cause())),
        1 => Just(ApprovalState::Expired(cause())),
    ]
}

fn approvals() -> impl Strategy<Value = Vec<Approval>> {
    let escalation = option::weighted(0.3, (time(), target(), any::<bool>()));
    let reasons = select(vec![ReasonRule::Optional, ReasonRule::ForRejecting, ReasonRule::Always]);
    let rare = (reasons, prop::bool::weighted(0.2), prop::bool::weighted(0.2), escalation);
    let one = (target(), 1..3_u32, approval_state(), option::of(time()), any::<bool>(), any::<bool>(), rare);
    vec(one, 0..4).prop_map(|drawn| {
        let approvals = drawn.into_iter().enumerate();
        approvals
            .map(|(place, (target, step, state, expires_at, by_anyone, in_quorum, rare))| {
                let (reasons, mandatory, delegated, escalation) = rare;
                let quorum = in_quorum.then(|| Quorum {
                    group: QuorumGroup::new(format!("step-{step}")).unwrap(),
                    required: 1.try_into().unwrap(),
                    rejection: QuorumRejection::Any,
                });
                let decider = if by_anyone { DeciderRule::Anyone } else { DeciderRule::NotTheRequester };
                let plain = approval(&format!("approval-{place}"), target, step);
                let plain = amended(plain, reasons, mandatory, delegated);
                let escalation = escalation.map(|(at, to, recorded)| Box::new(escalation_at(at, to, recorded)));
                Approval { quorum, expires_at, decider, state, escalation, ..plain }
            })
            .collect()
    })
}

fn state() -> impl Strategy<Value = RequestState> {
    let pending = (select(PendingReason::ALL.to_vec()), option::of(time()))
        .prop_map(|(reason, expires_at)| RequestState::Pending(Pending { reason, expires_at }));
    prop_oneof![
        3 => Just(waiting_for_approval()),
        2 => pending,
        3 => select(vec![
            RequestState::Created,
            RequestState::Approved,
            RequestState::Rejected,
            RequestState::Canceled,
            RequestState::Expired,
            RequestState::Superseded { by: RequestId::new("other").unwrap() },
            RequestState::Executed { at: at(4), resulting_version: None },
        ]),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    let risks = vec![RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
    let scopes = vec![BlastScope::Single, BlastScope::Module, BlastScope::System, BlastScope::Global];
    let tags = subsequence(vec!["urgent", "audit", "nightly"], 0..=3);
    let drawn = (select(vec!["Access", "Billing"]), select(risks), option::of(select(scopes)), tags, metadata());
    drawn.prop_map(|(category, risk, scope, tags, metadata)| {
        let mut intent = Intent::new("change", category).unwrap().with_risk(risk);
        intent.blast_radius = scope.map(BlastRadius::new);
        intent.tags = tags.into_iter().map(|tag| Tag::new(tag).unwrap()).collect();
        intent.metadata = metadata;
        intent
    })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let value = select(vec![Value::Null, Value::from(1_i64), Value::from(1.0), Value::from("one")]);
    vec((select(vec!["ticket", "team"]), value), 0..3).prop_map(|pairs| {
        pairs.into_iter().fold(Metadata::new(), |metadata, (key, value)| metadata.with(key, value).unwrap())
    })
}

fn side_effects() -> impl Strategy<Value = Vec<SideEffect>> {
    let severities = vec![Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    let one = (select(vec!["CacheInvalidated", "MailSent"]), select(severities), any::<bool>(), any::<bool>());
    vec(one, 0..3).prop_map(|drawn| {
        let effects = drawn.into_iter().map(|(effect_type, severity, has_contract, requires_action)| {
            let contract = has_contract.then(|| ContractId::new("contract-1").unwrap());
            let effect = SideEffect::new(effect_type, "", severity, at(4)).unwrap();
            let effect = effect.with_data(Metadata::new(), contract);
            if requires_action { effect.requiring_action() } else { effect }
        });
        effects.collect()
    })
}

fn decisions() -> impl Strategy<Value = Vec<Decision>> {
    let kind = select(DecisionKind::all().collect::<Vec<_>>());
    vec((kind, voter(), 0..6_u64), 0..5).prop_map(|drawn| {
        drawn.into_iter().map(|(kind, by, micros)| Decision::new(kind, &Arc::new(by), at(micros))).collect()
    })
}

/// A request with this id and random parts, each from a few choices.
pub(crate) fn any_request(id: String) -> impl Strategy<Value = MutationRequest> {
    let about = (select(vec!["s1", "s2"]), select(vec!["Tenant", "Team"]), select(vec!["Grant", "Revoke"]), actor_id());
    let with = (option::of(select(CORRELATION_IDS.to_vec())), option::of(select(CONTENT_TYPES.to_vec())));
    let resubmission =
        || option::weighted(0.1, time().prop_map(|at| Resubmission { request: RequestId::new("other").unwrap(), at }));
    let links = (resubmission(), resubmission());
    let key = option::of(select(UNIQUE_KEYS.to_vec()));
    let times = (time(), time(), acting_for(), (approver_limits(), participants(), links, key));
    let parts = (intent(), state(), approvals(), decisions(), side_effects(), metadata());
    (about, with, times, parts).prop_map(
        move |(
            about,
            (correlation_id, content_type),
            (created, updated, other, (limits, named, links, key)),
            parts,
        )| {
            let (state_id, state_type, mutation, by) = about;
            let mut document = document(&id);
            document.target = Target::new(state_id, state_type, mutation).unwrap();
            let mut requester = ActorContext::user(by).unwrap().named(by.to_uppercase());
            requester.correlation_id = correlation_id.map(str::to_owned);
            document.requested_by = Arc::new(for_another(requester, other));
            (document.approver_limits, document.participants) = (limits, named);
            (document.execution.resubmits, document.execution.resubmitted_as) = links;
            document.unique_key = key.map(|key| UniqueKey::new(key).unwrap());
            document.payload = content_type.map(|content_type| Payload::new(content_type, *b"{}").unwrap());
            (document.created_at, document.updated_at) = (created, updated);
            (document.intent, document.state, document.approvals, document.decisions, ..) = parts.clone();
            (.., document.side_effects, document.metadata) = parts.clone();
            if document.state.awaits_approval() && document.approvals.is_empty() {
                document.state = RequestState::Created;
            }
            request(document)
        },
    )
}

/// Up to `most` requests with ids of their own.
pub(crate) fn any_requests(most: usize) -> impl Strategy<Value = Vec<MutationRequest>> {
    (0..=most).prop_flat_map(|count| (0..count).map(|place| any_request(format!("r{place}"))).collect::<Vec<_>>())
}
