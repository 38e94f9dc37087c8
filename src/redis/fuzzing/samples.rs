//! Requests and queries out of few choices each, so that coincidences are frequent.

use std::sync::Arc;

use super::input::Input;
use crate::query::{DecisionQuery, InboxQuery, PendingApprovalQuery, RequestQuery, SortDirection};
use crate::request::*;

const STATES: [&str; 3] = ["s", "t", "tt"];
const CATEGORIES: [&str; 2] = ["Access", "Billing"];
const TAGS: [&str; 3] = ["urgent", "audit", "nightly"];
const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
pub(super) const KEYS: [&str; 2] = ["ticket", "team"];

pub(super) fn at(micros: usize) -> Timestamp {
    Timestamp::from_micros(micros as u64).unwrap()
}

/// A request with an id of its own; some ids begin with others.
pub(in crate::redis) fn request(input: &mut Input<'_>, number: usize) -> MutationRequest {
    let by = ActorContext::user(input.one(&PEOPLE)).unwrap().named(input.one(&["Al", "Bo"]));
    let by = Arc::new(for_another(input, by));
    let approvals: Vec<Approval> = (0..input.below(4)).map(|place| approval(input, place)).collect();
    let state = state(input);
    let state = if state.awaits_approval() && approvals.is_empty() { RequestState::Approved } else { state };
    let kinds: Vec<DecisionKind> = DecisionKind::all().collect();
    let decisions = (0..input.below(5)).map(|_| Decision::new(input.one(&kinds), &by, at(input.below(4)))).collect();
    let document = RequestDocument {
        id: RequestId::new("r".repeat(1 + number % 3) + &(number / 3).to_string()).unwrap(),
        target: Target::new(input.one(&STATES), input.one(&["Tenant", "Team"]), input.one(&["Grant", "Revoke"]))
            .unwrap(),
        intent: intent(input),
        requested_by: by,
        payload: None,
        state,
        requirements: Vec::new(),
        approvals,
        approval_round: 1,
        decisions,
        side_effects: (0..input.below(2)).map(|_| side_effect(input)).collect(),
        versioning: Versioning::default(),
        execution: execution(input),
        created_at: at(input.below(4)),
        updated_at: at(input.below(4)),
        metadata: metadata(input),
        approver_limits: approver_limits(input),
        participants: Participants::default(),
        unique_key: None,
        chain: None,
        id_comparison: IdComparison::default(),
    };
    MutationRequest::from_document(document, Revision::first(WriteId::from_bytes([7; 16]))).unwrap()
}

/// The actor, now and then for another.
fn for_another(input: &mut Input<'_>, actor: ActorContext) -> ActorContext {
    if !input.happens(20) {
        return actor;
    }
    let other = input.one(&PEOPLE);
    if actor.id.as_ref().is_some_and(|id| *id == other) { actor } else { actor.acting_for(other, "deputy").unwrap() }
}

fn approver_limits(input: &mut Input<'_>) -> ApproverLimits {
    let excluded = if input.happens(20) { input.some(&PEOPLE) } else { Vec::new() };
    ApproverLimits { distinct: input.happens(20), excluded: excluded.into_iter().map(person).collect() }
}

fn person(id: &str) -> ActorId {
    ActorId::new(id).unwrap()
}

/// An execution that links the request, now and then, with the one it follows and the one that follows it.
fn execution(input: &mut Input<'_>) -> Execution {
    let mut link = |number: &str| {
        let request = RequestId::new(format!("r{number}")).unwrap();
        input.happens(10).then_some(Resubmission { request, at: at(1) })
    };
    Execution { resubmits: link("0"), resubmitted_as: link("1"), ..Execution::default() }
}

fn intent(input: &mut Input<'_>) -> Intent {
    let risk = input.one(&[RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical]);
    let mut intent = Intent::new("change", input.one(&CATEGORIES)).unwrap().with_risk(risk);
    if input.happens(60) {
        intent.tags = input.some(&TAGS).into_iter().map(|tag| Tag::new(tag).unwrap()).collect();
        intent.blast_radius = Some(BlastRadius::new(input.one(&[BlastScope::Single, BlastScope::System])));
    }
    intent.metadata = metadata(input);
    intent
}

fn state(input: &mut Input<'_>) -> RequestState {
    let expires_at = input.happens(30).then(|| at(input.below(6)));
    match input.below(8) {
        0..3 => RequestState::Pending(Pending { reason: PendingReason::Approval, expires_at }),
        3 => RequestState::Pending(Pending { reason: input.one(&PendingReason::ALL), expires_at }),
        4 => RequestState::Executed { at: at(1), resulting_version: None },
        5 => RequestState::Rejected,
        6 => RequestState::Created,
        _ => RequestState::Approved,
    }
}

fn approval(input: &mut Input<'_>, place: usize) -> Approval {
    let target = target(input);
    let required = 1.try_into().unwrap();
    let step = if input.happens(40) { 2 } else { 1 };
    let group = QuorumGroup::new(format!("step-{step}")).unwrap();
    let by = ActorContext::user(input.one(&PEOPLE)).unwrap();
    let by = Arc::new(for_another(input, by));
    let verdict = Verdict { by, at: at(1), reason: None, digest: Digest::from_bytes([0; 32]) };
    let state = match input.below(6) {
        0 => ApprovalState::Expired(Cause::new(Arc::new(ActorContext::system()), at(1), None)),
        1 => ApprovalState::Approved(verdict),
        _ => ApprovalState::Pending,
    };
    Approval {
        id: ApprovalId::new(format!("a{place}")).unwrap(),
        target,
        description: String::new(),
        name: None,
        step: Step::new(step).unwrap(),
        quorum: input.happens(40).then_some(Quorum { group, required, rejection: QuorumRejection::Any }),
        expires_at: input.happens(30).then(|| at(input.below(6))),
        expires_after: None,
        decider: input.one(&[DeciderRule::Anyone, DeciderRule::NotTheRequester]),
        reasons: input.one(&[ReasonRule::Optional, ReasonRule::ForRejecting, ReasonRule::Always]),
        state,
        mandatory: input.happens(20),
        delegation: input.happens(20).then(|| Box::new(delegation(input))),
        escalation: input.happens(20).then(|| Box::new(escalation(input))),
        metadata: Metadata::new(),
    }
}

fn target(input: &mut Input<'_>) -> ApprovalTarget {
    match input.below(3) {
        0 => ApprovalTarget::actor(input.one(&PEOPLE)).unwrap(),
        1 => ApprovalTarget::role("manager").unwrap(),
        _ => ApprovalTarget::group("security").unwrap().or(ApprovalTarget::actor("carol").unwrap()),
    }
}

fn delegation(input: &mut Input<'_>) -> Delegation {
    let by = input.some(&PEOPLE).into_iter().map(person).collect();
    Delegation { from: target(input), by, to: person(input.one(&PEOPLE)) }
}

fn escalation(input: &mut Input<'_>) -> Escalation {
    Escalation {
        after: std::time::Duration::from_micros(1),
        to: target(input),
        at: input.happens(80).then(|| at(input.below(6))),
        recorded: input.happens(30),
        delegation: input.happens(20).then(|| Box::new(delegation(input))),
    }
}

fn side_effect(input: &mut Input<'_>) -> SideEffect {
    let severity = input.one(&[Severity::Info, Severity::Error, Severity::Critical]);
    SideEffect::new(input.one(&["MailSent", "CacheCleared"]), "", severity, at(1)).unwrap()
}

fn value(input: &mut Input<'_>) -> Value {
    input.one(&[Value::from("1"), Value::from(1_i64), Value::from(1.0), Value::Null])
}

fn metadata(input: &mut Input<'_>) -> Metadata {
    let pairs = (0..input.below(3)).map(|_| (input.one(&KEYS), value(input))).collect::<Vec<_>>();
    pairs.into_iter().fold(Metadata::new(), |metadata, (key, value)| metadata.with(key, value).unwrap())
}

fn ends(input: &mut Input<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
    let (one, other) = (input.below(5), input.below(5));
    match input.below(3) {
        0 => (Some(at(one)), None),
        1 => (None, Some(at(one))),
        _ => (Some(at(one.min(other))), Some(at(one.max(other)))),
    }
}

pub(super) fn direction(input: &mut Input<'_>) -> SortDirection {
    input.one(&[SortDirection::Ascending, SortDirection::Descending])
}

/// Up to four filters, in the order of the bytes.
pub(super) fn request_query(input: &mut Input<'_>) -> RequestQuery {
    let many_states = || (0..40).map(|number| format!("t{number}")).chain(["s".to_owned()]);
    let statuses = Status::ALL;
    (0..input.below(5)).fold(RequestQuery::new(), |query, _| {
        let asked = match input.below(28) {
            0 => query.with_ids(input.some(&["r0", "rr0", "rrr0", "r1", "rr1", "none"])),
            1 => query.with_state_ids(input.some(&STATES)),
            // More terms than a plan looks up.
            2 | 23.. => query.with_state_ids(many_states()),
            3 => query.with_state_types(input.some(&["Tenant", "Team"])),
            4 => query.with_mutation_types(input.some(&["Grant", "Revoke"])),
            5 => query.with_actor_ids(input.some(&PEOPLE)),
            6 => query.with_actor_names(input.some(&["Al", "Bo"])),
            7 => query.with_categories(input.some(&CATEGORIES)),
            8 => query.with_any_tag(input.some(&TAGS)),
            9 => query.with_all_tags(input.some(&TAGS)),
            10 => query.with_intent_metadata(input.one(&KEYS), value(input)),
            11 => query.with_metadata(input.one(&KEYS), value(input)),
            12 => query.with_blast_radius_between(input.one(&[BlastScope::Single, BlastScope::System]), None),
            13 => query.with_risk_between(None, input.one(&[RiskLevel::Low, RiskLevel::High])),
            14 => query.with_statuses(input.some(&statuses)),
            15 => query.with_statuses([Status::Pending]),
            16 => query.with_pending_reasons(input.some(&PendingReason::ALL)),
            17 => query.with_decision_categories(input.some(&DecisionCategory::ALL)),
            18 => {
                let (from, to) = ends(input);
                query.created_between(from, to)
            }
            19 => {
                let (from, to) = ends(input);
                query.updated_between(from, to)
            }
            20 => query.with_severities(input.some(&[Severity::Info, Severity::Error, Severity::Critical])),
            21 => query.with_side_effect_types(input.some(&["MailSent", "CacheCleared"])),
            22 => Ok(query.requiring_action(input.happens(50))),
        };
        asked.expect("each filter is in order")
    })
}

pub(super) fn approval_query(input: &mut Input<'_>) -> PendingApprovalQuery {
    let query = PendingApprovalQuery::new().of_requests(request_query(input)).in_order(direction(input));
    let statuses = [ApprovalStatus::Pending, ApprovalStatus::Approved, ApprovalStatus::Expired];
    (0..input.below(4)).fold(query, |query, _| {
        let asked = match input.below(6) {
            0 => query.with_approver_ids(input.some(&PEOPLE)),
            1 => query.with_roles(["manager"]),
            2 => query.with_groups(["security"]),
            3 => query.with_categories(input.some(&CATEGORIES)),
            4 => query.with_approval_statuses(input.some(&statuses)),
            _ => Ok(query.of_any_request()),
        };
        asked.expect("each filter is in order")
    })
}

pub(super) fn decision_query(input: &mut Input<'_>) -> DecisionQuery {
    let kinds: Vec<DecisionKind> = DecisionKind::all().take(8).collect();
    let query = DecisionQuery::new().of_requests(request_query(input));
    (0..input.below(4)).fold(query, |query, _| {
        let asked = match input.below(5) {
            0 => query.with_categories(input.some(&DecisionCategory::ALL)),
            1 => query.with_kinds(input.some(&kinds)),
            2 => query.with_actor_ids(input.some(&PEOPLE)),
            3 => query.with_actor_names(input.some(&["Al", "Bo"])),
            _ => {
                let (from, to) = ends(input);
                query.decided_between(from, to)
            }
        };
        asked.expect("each filter is in order")
    })
}

pub(super) fn inbox_query(input: &mut Input<'_>) -> InboxQuery {
    let mut actor = ActorContext::user(input.one(&PEOPLE)).unwrap();
    if input.happens(50) {
        actor = actor.with_role("manager").unwrap();
    }
    if input.happens(50) {
        actor = actor.with_group("security").unwrap();
    }
    InboxQuery::of(&for_another(input, actor)).unwrap()
}
