//! Documents to test the format with.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::document::kinds::has_decision;
use super::gates::Format;
use crate::request::*;

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000 + seconds % 7 * 1_003).unwrap()
}

/// An actor as a web application sees one.
pub(super) fn person(id: &str, name: &str, role: &str, when: u64) -> Arc<ActorContext> {
    let mut actor = ActorContext::user(id).unwrap().named(name).with_role(role).unwrap().with_role("employee").unwrap();
    actor = actor.with_group("engineering").unwrap().with_group("berlin").unwrap();
    actor.correlation_id = Some("0199a4a2-7b1e-7c3a-9d55-0242ac120002".into());
    actor.session_id = Some("5f2b8f7e-3c1d-4b7a-8a43-6a1c7e2d9f10".into());
    actor.source_address = Some("10.20.30.40".into());
    actor.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".into());
    actor.time_zone = Some("Europe/Berlin".into());
    actor.culture = Some("de-DE".into());
    actor.at = Some(at(when));
    actor.reason = Some("Routine access review for the quarter".into());
    Arc::new(actor)
}

/// A document with only the mandatory parts.
pub(super) fn smallest() -> RequestDocument {
    RequestDocument {
        id: RequestId::new("r").unwrap(),
        target: Target::new("s", "t", "m").unwrap(),
        intent: Intent::new("o", "c").unwrap(),
        requested_by: Arc::new(ActorContext::system()),
        payload: None,
        state: RequestState::Created,
        requirements: Vec::new(),
        approvals: Vec::new(),
        approval_round: 1,
        decisions: Vec::new(),
        side_effects: Vec::new(),
        versioning: Versioning::default(),
        execution: Execution::default(),
        created_at: Timestamp::MIN,
        updated_at: Timestamp::MIN,
        metadata: Metadata::new(),
        approver_limits: ApproverLimits::default(),
        participants: Participants::default(),
        unique_key: None,
        chain: None,
        id_comparison: IdComparison::default(),
    }
}

/// Three approvals in two steps, two of them granted, with the five decisions that led there.
pub(super) fn realistic() -> RequestDocument {
    let requester = person("u-1042", "Ada Lovelace", "developer", 0);
    let manager = person("u-0007", "Grace Hopper", "manager", 5_400);
    let security = person("u-0311", "Barbara Liskov", "security-officer", 9_000);
    let target = Target::new("tenant:acme-production", "Tenant", "RoleGrant").unwrap();
    let version = StateVersion::new("v42").unwrap();
    let payload = Payload::new("application/json", br#"{"grant":"billing-admin","to":"u-1042"}"#.as_slice()).unwrap();
    let digest = Digest::of(Some(&payload), &target, Some(&version));
    let approval = |id: &str, role: &str, step: u32, verdict: Option<(&Arc<ActorContext>, u64, &str)>| Approval {
        id: ApprovalId::new(id).unwrap(),
        target: ApprovalTarget::role(role).unwrap(),
        description: format!("A {role} agrees that the role is needed"),
        name: None,
        step: Step::new(step).unwrap(),
        quorum: None,
        expires_at: Some(at(7 * 86_400)),
        expires_after: None,
        decider: DeciderRule::NotTheRequester,
        reasons: ReasonRule::Optional,
        state: verdict.map_or(ApprovalState::Pending, |(by, when, reason)| {
            ApprovalState::Approved(Verdict { by: Arc::clone(by), at: at(when), reason: Some(reason.into()), digest })
        }),
        mandatory: false,
        delegation: None,
        escalation: None,
        metadata: Metadata::new(),
    };
    let granted = |id: &str, role: &str, step: i64| {
        Metadata::new()
            .with("approval_id", id)
            .and_then(|metadata| metadata.with("target", format!("role {role}")))
            .and_then(|metadata| metadata.with("step", step))
            .unwrap()
    };
    let decision = |kind: DecisionKind, by: &Arc<ActorContext>, when: u64| Decision::new(kind, by, at(when));
    RequestDocument {
        id: RequestId::new("0199a4a2-7b1e-7c3a-9d55-0242ac120001").unwrap(),
        intent: Intent::new("grant-role", "Access")
            .unwrap()
            .described_as("Grant billing-admin to Ada Lovelace for the migration of the invoices")
            .with_risk(RiskLevel::High)
            .with_blast_radius(BlastRadius::new(BlastScope::Module).affecting(12))
            .with_tag("access")
            .and_then(|intent| intent.with_tag("billing"))
            .and_then(|intent| intent.with_tag("quarterly"))
            .unwrap(),
        requested_by: Arc::clone(&requester),
        payload: Some(payload),
        state: Pending { reason: PendingReason::Approval, expires_at: Some(at(14 * 86_400)) }.into_state(),
        requirements: vec![Requirement::new("Approval", "A manager, then security").unwrap()],
        approvals: vec![
            approval("a-1", "manager", 1, Some((&manager, 5_400, "Needed for the migration until March"))),
            approval("a-2", "security-officer", 2, Some((&security, 9_000, "No conflict of duties"))),
            approval("a-3", "data-owner", 2, None),
        ],
        approval_round: 1,
        decisions: vec![
            decision(LifecycleDecision::Submitted.into(), &requester, 0),
            decision(LifecycleDecision::Pending.into(), &requester, 0),
            decision(ApprovalDecision::Requested.into(), &requester, 0)
                .about(Metadata::new().with("approvals", 3_i64).unwrap()),
            decision(ApprovalDecision::Granted.into(), &manager, 5_400)
                .because(Some("Needed for the migration until March".into()))
                .about(granted("a-1", "manager", 1)),
            decision(ApprovalDecision::Granted.into(), &security, 9_000)
                .because(Some("No conflict of duties".into()))
                .about(granted("a-2", "security-officer", 2)),
        ],
        versioning: Versioning { expected: Some(version.clone()), reviewed: Some(version) },
        created_at: at(0),
        updated_at: at(9_000),
        metadata: Metadata::new()
            .with("ticket", "OPS-4711")
            .and_then(|metadata| metadata.with("cost_center", 4_200_i64))
            .and_then(|metadata| metadata.with("urgent", false))
            .unwrap(),
        target,
        ..smallest()
    }
}

/// Every field set, every kind of value, text in several scripts.
#[allow(clippy::too_many_lines, reason = "there are that many fields")]
pub(crate) fn fullest() -> RequestDocument {
    let first = Format::CURRENT.versions().next().unwrap();
    let mut actor = (*person("u-ß", "Jürgen 山田 🦀", "администратор", 1)).clone();
    actor.causation_id = Some("cause".into());
    actor.kind = ActorKind::Administrator;
    actor.mode = ActorMode::Validate;
    actor.metadata = every_value();
    let actor = Arc::new(actor);
    let ids = BTreeSet::from(["u-1", "u-2"].map(|id| ActorId::new(id).unwrap()));
    let roles = BTreeSet::from([Role::new("κριτής").unwrap()]);
    let groups = BTreeSet::from([Group::new("a b").unwrap()]);
    let verdict = Verdict {
        by: Arc::clone(&actor),
        at: at(10),
        reason: Some("because".into()),
        digest: Digest::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap())),
    };
    let approval = Approval {
        id: ApprovalId::new("a:1").unwrap(),
        target: ApprovalTarget::any_of(ids, roles, groups).unwrap(),
        description: "line one\nline two".to_owned(),
        name: Some("Zoë".into()),
        step: Step::new(u32::MAX).unwrap(),
        quorum: Some(Quorum {
            group: QuorumGroup::new("board").unwrap(),
            required: NonZeroU32::MIN,
            rejection: QuorumRejection::WhenImpossible,
        }),
        expires_at: Some(Timestamp::MAX),
        expires_after: None,
        decider: DeciderRule::Anyone,
        reasons: ReasonRule::Optional,
        state: ApprovalState::Rejected {
            verdict,
            rejection: Some(Box::new(Rejection {
                code: "E-1".to_owned(),
                category: Some("policy".into()),
                message: "no".to_owned(),
                metadata: every_value(),
            })),
        },
        mandatory: false,
        delegation: None,
        escalation: None,
        metadata: every_value(),
    };
    let system = Arc::new(ActorContext::system());
    let small = Metadata::new().with("n", 1_i64).unwrap();
    let mut intent = Intent::new("löschen", "Data").unwrap().described_as("").irreversible();
    intent.risk = RiskLevel::Critical;
    intent.blast_radius = Some(BlastRadius {
        scope: BlastScope::Global,
        estimated_count: Some(u64::MAX),
        description: Some("all of it".into()),
    });
    intent = intent.with_tag("gdpr").and_then(|intent| intent.with_tag("Ωmega")).unwrap();
    intent.metadata = every_value();
    intent.created_at = Some(Timestamp::MAX);
    RequestDocument {
        intent,
        requested_by: Arc::clone(&actor),
        payload: Some(Payload::new("text/plain; charset=utf-8", (0..=255).collect::<Vec<u8>>()).unwrap()),
        state: RequestState::Executed { at: at(100), resulting_version: Some(StateVersion::new("43").unwrap()) },
        requirements: vec![
            Requirement {
                kind: RequirementKind::new("TwoFactor").unwrap(),
                description: "with a key".to_owned(),
                data: every_value(),
                fulfilled: true,
            };
            2
        ],
        approvals: vec![approval],
        approval_round: u32::MAX,
        decisions: DecisionKind::all()
            .filter(|kind| has_decision(first, *kind))
            .map(|kind| Decision::new(kind, &system, at(3)).because(Some("why".into())).about(small.clone()))
            .collect(),
        side_effects: vec![
            SideEffect::new("CacheInvalidated", "all of it", Severity::Critical, Timestamp::MAX)
                .unwrap()
                .with_data(every_value(), Some(ContractId::new("urn:contract:1").unwrap())),
            SideEffect::new("Mail", "", Severity::Warning, at(1)).unwrap().requiring_action(),
            SideEffect::new("Log", "", Severity::Info, at(1)).unwrap().under_contract(ContractId::new("c").unwrap()),
        ],
        versioning: Versioning {
            expected: Some(StateVersion::new("42").unwrap()),
            reviewed: Some(StateVersion::new("41").unwrap()),
        },
        execution: Execution {
            kind: ExecutionKind::Compensation(
                CompensationPlan::new(
                    RequestId::new("0199a4a2-7b1e-7c3a-9d55-0242ac12ffff").unwrap(),
                    CompensationKind::ForwardCorrection,
                    CompensationTrigger::FailedExecution,
                )
                .in_batch(BatchId::new("batch 7").unwrap())
                .related_to(RequestId::new("other").unwrap())
                .described_as("put it back"),
            ),
            links: vec![
                ExecutionLink {
                    relation: LinkRelation::Compensates,
                    request: RequestId::new("one").unwrap(),
                    kind: CompensationKind::ForwardCorrection,
                    trigger: CompensationTrigger::FailedExecution,
                    batch: Some(BatchId::new("batch 7").unwrap()),
                    at: at(100),
                },
                ExecutionLink {
                    relation: LinkRelation::CompensatedBy,
                    request: RequestId::new("two").unwrap(),
                    kind: CompensationKind::Rollback,
                    trigger: CompensationTrigger::Operator,
                    batch: None,
                    at: at(110),
                },
            ],
            claim: Some(Claim { id: ClaimId::from_bytes([0xa5; 16]), by: actor, at: at(90), lease_ends_at: at(120) }),
            supersedes: [("three", false), ("four", true)]
                .map(|(id, withdrawn)| Supersession { request: RequestId::new(id).unwrap(), at: at(80), withdrawn })
                .to_vec(),
            resubmits: None,
            resubmitted_as: None,
            ..Execution::default()
        },
        created_at: at(0),
        updated_at: Timestamp::MAX,
        metadata: every_value(),
        ..smallest()
    }
}

/// The document of a request that uses everything that came with version 2.
pub(super) fn newest() -> RequestDocument {
    let mut document = realistic();
    let by = person("u-2", "Two", "reviewer", 6);
    let text = Metadata::new().with(metadata_keys::TEXT, "For how long? – naïve 文字").unwrap();
    let link = |request: &str, seconds| Resubmission { request: RequestId::new(request).unwrap(), at: at(seconds) };
    document.state = RequestState::Pending(Pending { reason: PendingReason::Correction, expires_at: Some(at(90_000)) });
    document.execution.resubmits = Some(link("req-rejected", 1));
    document.execution.resubmitted_as = Some(link("req-follower", 800));
    let pauses = [1, 900].map(Duration::from_secs);
    document.execution.retry = Some(RetryPolicy::new(5).unwrap().pauses(pauses[0], pauses[1]).unwrap());
    document.execution.failed_attempts = Some(Box::new(FailedAttempts {
        failed: 3,
        allowed: 5,
        last_at: at(700),
        message: "the database does not answer – naïve 文字".to_owned(),
        code: Some("unreachable".to_owned()),
        next_at: at(704),
    }));
    document.decisions.push(Decision::new(LifecycleDecision::Amended, &by, document.updated_at));
    document.decisions.push(Decision::new(ApprovalDecision::Withdrawn, &by, document.updated_at));
    document.decisions.push(Decision::new(DiscussionDecision::Commented, &by, document.updated_at).about(text));
    let deputy = Arc::new((*by).clone().acting_for("u-0007", "Stands in until March – naïve 文字").unwrap());
    if let [first, .., last] = document.approvals.as_mut_slice() {
        (first.reasons, last.reasons) = (ReasonRule::ForRejecting, ReasonRule::Always);
        if let ApprovalState::Approved(verdict) = &mut first.state {
            verdict.by = Arc::clone(&deputy);
        }
    }
    document.decisions.push(Decision::new(ApprovalDecision::Granted, &deputy, document.updated_at));
    amended(&mut document);
    document.requested_by = Arc::new((*document.requested_by).clone().acting_for("u-9", "Assistant").unwrap());
    let excluded = BTreeSet::from(["u-3", "u-4"].map(|id| ActorId::new(id).unwrap()));
    document.approver_limits = ApproverLimits { distinct: true, excluded };
    document.execution.not_before = Some(at(9 * 86_400));
    document.execution.valid_for = Some(Period::new(Duration::from_secs(3 * 86_400)).unwrap());
    if let Some(last) = document.approvals.last_mut() {
        last.expires_after = Some(Period::new(Duration::from_micros(1)).unwrap());
    }
    let mut scheduled = Metadata::new();
    scheduled.note(metadata_keys::NOT_BEFORE, at(9 * 86_400));
    document.decisions.push(Decision::new(ExecutionDecision::Scheduled, &by, document.updated_at).about(scheduled));
    document.participants = Participants::new()
        .with_actor_ids(["u-2", "ü-9"])
        .and_then(|named| named.with_roles(["auditor"]))
        .and_then(|named| named.with_groups(["works council"]))
        .unwrap();
    document.unique_key = Some(UniqueKey::new("restart – naïve 文字").unwrap());
    chained(&mut document);
    document
}

/// Its history is chained from its third decision on, and sealed.
fn chained(document: &mut RequestDocument) {
    let decisions = document.decisions.split_off(2);
    crate::proof::begin(document, Some("000102030405060708090a0b0c0d0e0f".parse().unwrap()), None);
    for decision in decisions {
        document.decisions.push(decision);
        crate::proof::extend(document);
    }
    if let Some(chain) = &mut document.chain {
        let tag = Digest::from_bytes([0x5e; 32]);
        chain.seal = Some(Box::new(HistorySeal { key: KeyId::new("2026").unwrap(), from: 2, decisions: 11, tag }));
    }
}

/// The last approval is mandatory, was delegated twice and escalated, and so was its escalation.
fn amended(document: &mut RequestDocument) {
    use ApprovalDecision::{Added, Delegated, Escalated, Reassigned, Removed};
    let person = |id: &str| ActorId::new(id).unwrap();
    if let Some(last) = document.approvals.last_mut() {
        let from = std::mem::replace(&mut last.target, ApprovalTarget::actor("u-6").unwrap());
        last.mandatory = true;
        last.delegation =
            Some(Box::new(Delegation { from, by: vec![person("u-5"), person("u-ß")], to: person("u-6") }));
        last.escalation = Some(Box::new(Escalation {
            after: std::time::Duration::from_millis(5_400_250),
            to: ApprovalTarget::role("director").unwrap().or(ApprovalTarget::group("board").unwrap()),
            at: Some(at(5_400)),
            recorded: true,
            delegation: Some(Box::new(Delegation {
                from: ApprovalTarget::group("directors").unwrap(),
                by: vec![person("u-7"), person("u-8")],
                to: person("u-5"),
            })),
        }));
    }
    for kind in [Delegated, Reassigned, Added, Removed, Escalated] {
        document.decisions.push(Decision::new(kind, &document.requested_by, document.updated_at));
    }
}

/// One value of each kind, with the extremes of numbers, and one nested as deep as allowed.
pub(super) fn every_value() -> Metadata {
    let deepest = (1..Metadata::MAX_DEPTH).fold(Value::Null, |inner, level| {
        if level % 2 == 0 { Value::List(vec![inner]) } else { Value::Map(Metadata::new().with("", inner).unwrap()) }
    });
    [
        ("null", Value::Null),
        ("no", Value::Bool(false)),
        ("yes", Value::Bool(true)),
        ("least", Value::Integer(i64::MIN)),
        ("most", Value::Integer(i64::MAX)),
        ("three", Value::Integer(3)),
        ("three point zero", Value::Float(3.0)),
        ("minus zero", Value::Float(-0.0)),
        ("not a number", Value::Float(f64::from_bits(0x7ff8_0000_0000_1234))),
        ("infinite", Value::Float(f64::NEG_INFINITY)),
        ("text", Value::Text("naïve 文字 🦀 \u{0}".to_owned())),
        ("empty", Value::Text(String::new())),
        ("bytes", Value::Bytes(vec![0, 255, 128])),
        ("time", Value::Time(Timestamp::MAX)),
        ("list", Value::List(vec![Value::Null, Value::Integer(-1), Value::List(Vec::new())])),
        ("map", Value::Map(Metadata::new().with("schlüssel", true).unwrap())),
        ("deepest", deepest),
    ]
    .into_iter()
    .fold(Metadata::new(), |metadata, (key, value)| metadata.with(key, value).unwrap())
}

impl Pending {
    fn into_state(self) -> RequestState {
        RequestState::Pending(self)
    }
}
