//! Arbitrary documents, for property tests.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_normalization::UnicodeNormalization as _;

use crate::request::*;

pub(super) fn document() -> impl Strategy<Value = RequestDocument> {
    // A few actors for the whole document, so that they repeat, equal but not shared.
    vec(actor().boxed(), 1..4).prop_flat_map(|actors| {
        let by = || select(actors.clone()).prop_map(Arc::new);
        let outer =
            (name(), vec(name(), 3), by(), intent().boxed(), option::of(payload()), state().boxed(), any::<u32>());
        let lists = (
            vec(requirement().boxed(), 0..3),
            vec(approval(by()).boxed(), 0..4),
            vec(decision(by()).boxed(), 0..8),
            vec(side_effect().boxed(), 0..3),
            execution(by()).boxed(),
        );
        let who = (approver_limits(), participants(), option::of(name()), option::of(chain()));
        let rest = (option::of(name()), option::of(name()), time(), time(), metadata(), who);
        (outer, lists, rest).prop_map(|(outer, lists, rest)| {
            let (id, target, requested_by, intent, payload, state, approval_round) = outer;
            let (requirements, approvals, decisions, side_effects, execution) = lists;
            let (expected, reviewed, created_at, updated_at, metadata, who) = rest;
            let (approver_limits, participants, unique_key, chain) = who;
            RequestDocument {
                id: RequestId::new(ascii(&id)).unwrap(),
                target: Target::new(&*target[0], &*target[1], &*target[2]).unwrap(),
                intent,
                requested_by,
                payload,
                state,
                requirements,
                approvals,
                approval_round,
                decisions,
                side_effects,
                versioning: Versioning {
                    expected: expected.map(|version| StateVersion::new(version).unwrap()),
                    reviewed: reviewed.map(|version| StateVersion::new(version).unwrap()),
                },
                execution,
                created_at,
                updated_at,
                metadata,
                approver_limits,
                participants,
                unique_key: unique_key.map(|key| UniqueKey::new(key).unwrap()),
                chain,
                id_comparison: IdComparison::default(),
            }
        })
    })
}

fn chain() -> impl Strategy<Value = Box<HistoryChain>> {
    let hash = || any::<[u8; 32]>().prop_map(Digest::from_bytes);
    let seal = (name(), any::<u32>(), any::<u32>(), hash()).prop_map(|(key, from, decisions, tag)| {
        Box::new(HistorySeal { key: KeyId::new(ascii(&key)).unwrap(), from, decisions, tag })
    });
    let marks = vec(any::<[u8; 8]>().prop_map(HashMark), 0..5);
    let salt = option::of(any::<[u8; 16]>().prop_map(Salt));
    (any::<u32>(), hash(), salt, option::of(seal), any::<[u8; 8]>(), marks).prop_map(
        |(first, head, salt, seal, origin, marks)| {
            Box::new(HistoryChain { first, head, salt, seal, origin: HashMark(origin), marks })
        },
    )
}

/// A name that every kind of name allows; few enough that they repeat.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["a", "ab", "abc", "role", "Ärger", "文字", "a name with spaces"]).prop_map(str::to_owned),
        "[a-z]{1,20}",
        "[^\\p{C}\\s]{1,20}",
    ]
}

/// A name that people may have too.
fn person_id() -> impl Strategy<Value = String> {
    let is_allowed = |name: &String| ActorId::new(name.as_str()).is_ok();
    name().prop_map(|name| name.nfc().collect::<String>()).prop_filter("a name that hides nothing", is_allowed)
}

fn ascii(name: &str) -> String {
    name.bytes().map(|byte| char::from(b'a' + byte % 26)).collect()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![name(), any::<String>(), Just(String::new())]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![0..5_u64, 0..=Timestamp::MAX.as_micros()].prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        text().prop_map(Value::Text),
        vec(any::<u8>(), 0..8).prop_map(Value::Bytes),
        time().prop_map(Value::Time),
    ];
    plain.prop_recursive(6, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            btree_map(text(), inner, 0..3).prop_map(|values| Value::Map(values.try_into().unwrap())),
        ]
    })
}

/// Boxed, like the other large ones: strategies are values, and unboxed ones of this size overflow a test's stack.
fn metadata() -> BoxedStrategy<Metadata> {
    btree_map(text(), value(), 0..4).prop_map(|entries| Metadata::try_from(entries).unwrap()).boxed()
}

fn names<T: Ord + Debug + TryFrom<String, Error: Debug>>() -> impl Strategy<Value = BTreeSet<T>> {
    btree_set(name(), 0..3).prop_map(|names| names.into_iter().map(|name| T::try_from(name).unwrap()).collect())
}

fn people<T: Ord + Debug + TryFrom<String, Error: Debug>>() -> impl Strategy<Value = BTreeSet<T>> {
    btree_set(person_id(), 0..3).prop_map(|names| names.into_iter().map(|name| T::try_from(name).unwrap()).collect())
}

fn approver_limits() -> impl Strategy<Value = ApproverLimits> {
    (any::<bool>(), people()).prop_map(|(distinct, excluded)| ApproverLimits { distinct, excluded })
}

fn participants() -> impl Strategy<Value = Participants> {
    (people(), people(), people()).prop_map(|(actor_ids, roles, groups)| Participants { actor_ids, roles, groups })
}

fn actor() -> impl Strategy<Value = ActorContext> {
    let kinds = vec![ActorKind::Unknown, ActorKind::User, ActorKind::Scheduler, ActorKind::Administrator];
    let modes = vec![ActorMode::Simulate, ActorMode::Validate, ActorMode::Commit];
    let acting_for = option::weighted(0.2, (person_id(), name()));
    let sets = (people(), people(), metadata(), acting_for);
    (select(kinds), select(modes), option::of(person_id()), vec(option::of(text()), 9), option::of(time()), sets)
        .prop_map(|(kind, mode, id, mut texts, at, (roles, groups, metadata, acting_for))| {
            let mut next = || texts.pop().flatten();
            ActorContext {
                kind,
                id: id.map(|id| ActorId::new(id).unwrap()),
                name: next(),
                roles,
                groups,
                reason: next(),
                mode,
                correlation_id: next(),
                causation_id: next(),
                session_id: next(),
                source_address: next(),
                user_agent: next(),
                time_zone: next(),
                culture: next(),
                at,
                metadata,
                acting_for: acting_for.map(|(id, grounds)| ActingFor::new(id, grounds).unwrap()),
            }
        })
}

fn intent() -> impl Strategy<Value = Intent> {
    let risks = vec![RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
    let scopes = vec![BlastScope::Single, BlastScope::Module, BlastScope::System, BlastScope::Global];
    let radius = (select(scopes), option::of(any::<u64>()), option::of(text()))
        .prop_map(|(scope, estimated_count, description)| BlastRadius { scope, estimated_count, description });
    let parts = (option::of(radius), names(), metadata(), option::of(time()));
    (name(), name(), option::of(text()), select(risks), any::<bool>(), parts).prop_map(
        |(operation, category, description, risk, reversible, (blast_radius, tags, metadata, created_at))| Intent {
            operation: Operation::new(operation).unwrap(),
            category: Category::new(category).unwrap(),
            description,
            risk,
            reversible,
            blast_radius,
            tags,
            metadata,
            created_at,
        },
    )
}

fn payload() -> impl Strategy<Value = Payload> {
    let bytes = (name(), vec(any::<u8>(), 0..600));
    let json = r#"\{"b":[1-9]{1,20}(\.[0-9]{1,4})?,"a":(\[\]|"\PC{0,4}"|\{"b":null\}| )\}"#;
    let json = json.prop_map(|json| ("application/json".to_owned(), json.into_bytes()));
    prop_oneof![bytes, json].prop_map(|(content_type, bytes)| Payload::new(content_type, bytes).unwrap())
}

fn state() -> impl Strategy<Value = RequestState> {
    let pending = (select(PendingReason::ALL.to_vec()), option::of(time()));
    prop_oneof![
        select(vec![
            RequestState::Created,
            RequestState::Approved,
            RequestState::Rejected,
            RequestState::Canceled,
            RequestState::Expired,
        ]),
        pending.prop_map(|(reason, expires_at)| RequestState::Pending(Pending { reason, expires_at })),
        name().prop_map(|by| RequestState::Superseded { by: RequestId::new(ascii(&by)).unwrap() }),
        (time(), option::of(name())).prop_map(|(at, version)| RequestState::Executed {
            at,
            resulting_version: version.map(|version| StateVersion::new(version).unwrap()),
        }),
    ]
}

fn requirement() -> impl Strategy<Value = Requirement> {
    (name(), text(), metadata(), any::<bool>()).prop_map(|(kind, description, data, fulfilled)| Requirement {
        kind: RequirementKind::new(kind).unwrap(),
        description,
        data,
        fulfilled,
    })
}

fn approval(by: impl Strategy<Value = Arc<ActorContext>> + 'static) -> impl Strategy<Value = Approval> {
    let by = by.boxed();
    let cause = (by.clone(), time(), option::of(text())).prop_map(|(by, at, reason)| Cause { by, at, reason }).boxed();
    let verdict = (by, time(), option::of(text()), any::<[u8; 32]>()).prop_map(|(by, at, reason, digest)| Verdict {
        by,
        at,
        reason,
        digest: Digest::from_bytes(digest),
    });
    let verdict = verdict.boxed();
    let rejection = (text(), option::of(text()), text(), metadata())
        .prop_map(|(code, category, message, metadata)| Rejection { code, category, message, metadata });
    let state = prop_oneof![
        Just(ApprovalState::Pending),
        verdict.clone().prop_map(ApprovalState::Approved),
        (verdict, option::of(rejection))
            .prop_map(|(verdict, rejection)| ApprovalState::Rejected { verdict, rejection: rejection.map(Box::new) }),
        cause.clone().prop_map(ApprovalState::Satisfied),
        cause.prop_map(ApprovalState::Expired),
    ];
    let quorum = (person_id(), 1..=u32::MAX, any::<bool>()).prop_map(|(group, required, any)| Quorum {
        group: QuorumGroup::new(group).unwrap(),
        required: NonZeroU32::new(required).unwrap(),
        rejection: if any { QuorumRejection::Any } else { QuorumRejection::WhenImpossible },
    });
    let target = (people(), people(), people(), person_id()).prop_map(|(ids, roles, mut groups, group)| {
        groups.insert(Group::new(group).unwrap());
        ApprovalTarget::any_of(ids, roles, groups).unwrap()
    });
    let words = (name(), text(), option::of(text()), metadata());
    let reasons = vec![ReasonRule::Optional, ReasonRule::ForRejecting, ReasonRule::Always];
    let rare = (select(reasons), any::<bool>(), option::of(delegation()), option::of(escalation()));
    let ends = (option::of(time()), option::of(period()));
    (words, target, 1..=u32::MAX, option::of(quorum), ends, any::<bool>(), state, rare).prop_map(
        |((id, description, name, metadata), target, step, quorum, ends, anyone, state, rare)| {
            let (reasons, mandatory, delegation, escalation) = rare;
            Approval {
                id: ApprovalId::new(ascii(&id)).unwrap(),
                target,
                description,
                name,
                step: Step::new(step).unwrap(),
                quorum,
                expires_at: ends.0,
                expires_after: ends.1,
                decider: if anyone { DeciderRule::Anyone } else { DeciderRule::NotTheRequester },
                reasons,
                state,
                mandatory,
                delegation: delegation.map(Box::new),
                escalation: escalation.map(Box::new),
                metadata,
            }
        },
    )
}

fn delegation() -> impl Strategy<Value = Delegation> {
    let id = || person_id().prop_map(|id| ActorId::new(id).unwrap());
    (person_id(), vec(id(), 0..6), id()).prop_map(|(from, by, to)| Delegation {
        from: ApprovalTarget::role(from).unwrap(),
        by,
        to,
    })
}

fn escalation() -> impl Strategy<Value = Escalation> {
    let parts = (any::<u64>(), person_id(), option::of(time()), any::<bool>(), option::of(delegation()));
    parts.prop_map(|(micros, to, at, recorded, delegation)| Escalation {
        after: std::time::Duration::from_micros(micros),
        to: ApprovalTarget::group(to).unwrap(),
        at,
        recorded,
        delegation: delegation.map(Box::new),
    })
}

fn decision(by: impl Strategy<Value = Arc<ActorContext>>) -> impl Strategy<Value = Decision> {
    let kinds: Vec<_> = DecisionKind::all().collect();
    (select(kinds), by, option::of(text()), time(), metadata()).prop_map(|(kind, by, reason, at, metadata)| Decision {
        kind,
        by,
        reason,
        at,
        metadata,
    })
}

fn side_effect() -> impl Strategy<Value = SideEffect> {
    let severities = vec![Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    let extras = (option::of(metadata()), option::of(name()), any::<bool>());
    (name(), text(), select(severities), time(), extras).prop_map(|(kind, description, severity, at, extras)| {
        let (data, contract, requires_action) = extras;
        let mut effect = SideEffect::new(kind, description, severity, at).unwrap();
        if let Some(data) = data {
            effect = effect.with_data(data, None);
        }
        if let Some(contract) = contract {
            effect = effect.under_contract(ContractId::new(contract).unwrap());
        }
        if requires_action { effect.requiring_action() } else { effect }
    })
}

fn execution(by: impl Strategy<Value = Arc<ActorContext>>) -> impl Strategy<Value = Execution> {
    let claim = (any::<[u8; 16]>(), by, time(), time()).prop_map(|(id, by, at, lease_ends_at)| Claim {
        id: ClaimId::from_bytes(id),
        by,
        at,
        lease_ends_at,
    });
    let id = || name().prop_map(|id| RequestId::new(ascii(&id)).unwrap());
    let why = || {
        let kinds = vec![CompensationKind::Rollback, CompensationKind::ForwardCorrection];
        let triggers =
            vec![CompensationTrigger::Operator, CompensationTrigger::Batch, CompensationTrigger::FailedExecution];
        let batch = option::of(name().prop_map(|name| BatchId::new(name).unwrap()));
        (select(kinds), select(triggers), batch)
    };
    let plan = (id(), why(), vec(id(), 0..3), option::of(text())).prop_map(
        |(compensates, (kind, trigger, batch), related, description)| CompensationPlan {
            compensates,
            kind,
            trigger,
            batch,
            related: related.into_iter().collect(),
            description,
        },
    );
    let relations = vec![
        LinkRelation::Compensates,
        LinkRelation::CompensatedBy,
        LinkRelation::BeingCompensatedBy,
        LinkRelation::WasToBeCompensatedBy,
    ];
    let link = (select(relations), id(), why(), time()).prop_map(|(relation, request, (kind, trigger, batch), at)| {
        ExecutionLink { relation, request, kind, trigger, batch, at }
    });
    let kind = prop_oneof![Just(ExecutionKind::Standard), plan.prop_map(ExecutionKind::Compensation)];
    let superseded = (id(), time(), any::<bool>());
    let superseded = superseded.prop_map(|(request, at, withdrawn)| Supersession { request, at, withdrawn });
    let resubmission = || option::of((id(), time()).prop_map(|(request, at)| Resubmission { request, at }));
    let policy = (2..=RetryPolicy::MAX_ATTEMPTS, period(), period()).prop_map(|(attempts, one, other)| {
        RetryPolicy::new(attempts).unwrap().with_pauses(one.min(other), one.max(other)).unwrap()
    });
    let failed = (any::<u32>(), any::<u32>(), time(), text(), option::of(text()), time());
    let failed = failed.prop_map(|(failed, allowed, last_at, message, code, next_at)| {
        Box::new(FailedAttempts { failed, allowed, last_at, message, code, next_at })
    });
    let links = (vec(link, 0..3), vec(superseded, 0..3), resubmission(), resubmission());
    let rare = (option::of(time()), option::of(period()), option::of(policy), option::of(failed));
    (kind, links, option::of(claim), rare).prop_map(|(kind, links, claim, rare)| {
        let (links, supersedes, resubmits, resubmitted_as) = links;
        let (not_before, valid_for, retry, failed_attempts) = rare;
        Execution {
            kind,
            links,
            claim,
            supersedes,
            resubmits,
            resubmitted_as,
            not_before,
            valid_for,
            retry,
            failed_attempts,
        }
    })
}

fn period() -> impl Strategy<Value = Period> {
    (1..=u64::MAX).prop_map(|micros| Period::of_micros(micros).unwrap())
}
