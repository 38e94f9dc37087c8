//! Random queries of every kind, with the filters of every kind.

use std::collections::BTreeSet;

use fastrand::Rng;
use mutator_governance::*;

use super::changes::{
    CATEGORIES, CONTENT_TYPES, CONTRACTS, CORRELATION_IDS, EFFECTS, GROUPS, KEYS, MUTATION_TYPES, PEOPLE, RISKS, ROLES,
    SCOPES, SEVERITIES, STATE_TYPES, STATES, TAGS, values,
};
use super::{happens, one, second, some};

/// Any question that a store answers in pages.
#[derive(Clone, Debug)]
pub enum AnyQuery {
    Requests(RequestQuery),
    Approvals(PendingApprovalQuery),
    RecentApprovals(RecentApprovalQuery),
    Decisions(DecisionQuery),
    Inbox(InboxQuery, Timestamp),
    Pending,
    ByState(StateId),
    PendingByState(StateId),
    Due(Timestamp),
    Ready(ReadyQuery, Timestamp),
}

pub fn question(rng: &mut Rng, known: &[RequestId]) -> AnyQuery {
    match rng.u8(..22) {
        0..5 => AnyQuery::Requests(request_query(rng, known).in_order(direction(rng))),
        5..10 => AnyQuery::Approvals(approval_query(rng, known)),
        10..12 => AnyQuery::RecentApprovals(RecentApprovalQuery::of_requests(request_query(rng, known))),
        12..15 => AnyQuery::Decisions(decision_query(rng, known)),
        15..18 => AnyQuery::Inbox(inbox_query(rng), second(rng.u64(0..400))),
        18 => one(
            rng,
            &[AnyQuery::Pending, AnyQuery::ByState(state(STATES[0])), AnyQuery::PendingByState(state(STATES[1]))],
        ),
        19 => AnyQuery::Due(second(rng.u64(0..400))),
        _ => AnyQuery::Ready(ready_query(rng, known), second(rng.u64(0..400))),
    }
}

/// Every other one without filters, which indexes alone count.
pub fn ready_query(rng: &mut Rng, known: &[RequestId]) -> ReadyQuery {
    if happens(rng, 50) { ReadyQuery::new() } else { ReadyQuery::of_requests(request_query(rng, known)) }
}

fn state(id: &str) -> StateId {
    StateId::new(id).unwrap()
}

fn direction(rng: &mut Rng) -> SortDirection {
    one(rng, &[SortDirection::Ascending, SortDirection::Descending])
}

/// Few filters mostly: many together find nothing.
pub fn request_query(rng: &mut Rng, known: &[RequestId]) -> RequestQuery {
    let count = one(rng, &[0, 0, 1, 1, 1, 2, 2, 3, 4]);
    (0..count).fold(RequestQuery::new(), |query, _| with_a_filter(query, rng, known))
}

fn with_a_filter(query: RequestQuery, rng: &mut Rng, known: &[RequestId]) -> RequestQuery {
    let filtered = match rng.u8(..24) {
        0 if known.is_empty() => Ok(query),
        0 => query.with_ids(some(rng, known).iter().map(ToString::to_string).chain(["unknown".to_owned()])),
        1 | 2 => query.with_state_ids(some(rng, &STATES)),
        3 => query.with_state_types(some(rng, &STATE_TYPES)),
        4 => query.with_mutation_types(some(rng, &MUTATION_TYPES)),
        5 => query.with_actor_ids(some(rng, &PEOPLE)),
        6 => query.with_actor_names(some(rng, &PEOPLE).iter().map(|name| name.to_uppercase())),
        7 => query.with_categories(some(rng, &CATEGORIES)),
        8 => query.with_any_tag(some(rng, &TAGS)),
        9 => query.with_all_tags(some(rng, &TAGS)),
        10 => query.with_intent_metadata(one(rng, &KEYS), one(rng, &values())),
        11 => {
            let (from, to) = ends(rng, &SCOPES);
            query.with_blast_radius_between(from, to)
        }
        12 => {
            let (from, to) = ends(rng, &RISKS);
            query.with_risk_between(from, to)
        }
        13 => query.with_metadata(one(rng, &KEYS), one(rng, &values())),
        14 | 15 => query.with_statuses(some(rng, &Status::ALL)),
        16 => query.with_pending_reasons(some(rng, &PendingReason::ALL)),
        17 => query.with_decision_categories(some(rng, &DecisionCategory::ALL)),
        18 => {
            let (from, to) = times(rng);
            query.created_between(from, to)
        }
        19 => {
            let (from, to) = times(rng);
            query.updated_between(from, to)
        }
        20 => query.with_side_effect_types(some(rng, &EFFECTS)),
        21 => query.with_correlation_ids(some(rng, &CORRELATION_IDS)),
        22 => query.with_content_types(some(rng, &CONTENT_TYPES)),
        _ => match rng.u8(..3) {
            0 => query.with_contract_ids(some(rng, &CONTRACTS)),
            1 => query.with_severities(some(rng, &SEVERITIES)),
            _ => Ok(query.requiring_action(rng.bool())),
        },
    };
    filtered.unwrap()
}

fn times(rng: &mut Rng) -> (Option<Timestamp>, Option<Timestamp>) {
    let moments: Vec<Timestamp> = (0..8).map(|number| second(number * 50)).collect();
    ends(rng, &moments)
}

/// A range over these, which are in order; at least one end is given.
fn ends<T: Copy>(rng: &mut Rng, all: &[T]) -> (Option<T>, Option<T>) {
    let from = rng.usize(..all.len());
    let to = rng.usize(from..all.len());
    match rng.u8(..3) {
        0 => (Some(all[from]), None),
        1 => (None, Some(all[to])),
        _ => (Some(all[from]), Some(all[to])),
    }
}

pub fn approval_query(rng: &mut Rng, known: &[RequestId]) -> PendingApprovalQuery {
    let mut query = PendingApprovalQuery::new().of_requests(request_query(rng, known)).in_order(direction(rng));
    if happens(rng, 20) {
        query = query.with_approver_ids(some(rng, &PEOPLE)).unwrap();
    }
    if happens(rng, 25) {
        query = query.with_roles(some(rng, &ROLES)).unwrap();
    }
    if happens(rng, 20) {
        query = query.with_groups(some(rng, &GROUPS)).unwrap();
    }
    if happens(rng, 20) {
        query = query.with_categories(some(rng, &CATEGORIES)).unwrap();
    }
    if happens(rng, 30) {
        let statuses = [
            ApprovalStatus::Pending,
            ApprovalStatus::Approved,
            ApprovalStatus::Rejected,
            ApprovalStatus::Satisfied,
            ApprovalStatus::Expired,
        ];
        query = query.with_approval_statuses(some(rng, &statuses)).unwrap();
    }
    if happens(rng, 25) { query.of_any_request() } else { query }
}

pub fn decision_query(rng: &mut Rng, known: &[RequestId]) -> DecisionQuery {
    let mut query = match rng.u8(..6) {
        0 => DecisionQuery::version_resolutions(),
        1 => DecisionQuery::execution_outcomes(),
        _ => DecisionQuery::new(),
    };
    if happens(rng, 50) {
        query = query.of_requests(request_query(rng, known));
    }
    if happens(rng, 25) {
        query = query.with_categories(some(rng, &DecisionCategory::ALL)).unwrap();
    }
    if happens(rng, 25) {
        let kinds: Vec<DecisionKind> = DecisionKind::all().collect();
        query = query.with_kinds(some(rng, &kinds)).unwrap();
    }
    if happens(rng, 25) {
        query = query.with_actor_ids(some(rng, &PEOPLE)).unwrap();
    }
    if happens(rng, 20) {
        query = query.with_actor_names(some(rng, &PEOPLE).iter().map(|name| name.to_uppercase())).unwrap();
    }
    if happens(rng, 30) {
        let (from, to) = times(rng);
        query = query.decided_between(from, to).unwrap();
    }
    query
}

pub fn inbox_query(rng: &mut Rng) -> InboxQuery {
    let roles = if rng.bool() { some(rng, &ROLES) } else { Vec::new() };
    let groups = if rng.bool() { some(rng, &GROUPS) } else { Vec::new() };
    let roles: BTreeSet<Role> = roles.into_iter().map(|role| Role::new(role).unwrap()).collect();
    let groups: BTreeSet<Group> = groups.into_iter().map(|group| Group::new(group).unwrap()).collect();
    let inbox = InboxQuery::new(ActorId::new(one(rng, &PEOPLE)).unwrap(), roles, groups).unwrap();
    if happens(rng, 30) {
        return inbox.clone().acting_for(ActingFor::new(one(rng, &PEOPLE), "deputy").unwrap()).unwrap_or(inbox);
    }
    inbox
}
