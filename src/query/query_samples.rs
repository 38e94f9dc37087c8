//! Random queries over the values of the random requests in `samples`, made in their saved form.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use super::samples::{CONTENT_TYPES, CORRELATION_IDS, UNIQUE_KEYS, at};
use super::{DecisionQuery, InboxQuery, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, Viewer};
use crate::request::*;

type Filter = (&'static str, Json);

fn some_of<T: Serialize, L: AsRef<[T]>>(field: &'static str, values: L) -> impl Strategy<Value = Filter> + use<T, L> {
    let values: Vec<Json> = values.as_ref().iter().map(|value| serde_json::to_value(value).unwrap()).collect();
    subsequence(values.clone(), 1..=values.len()).prop_map(move |some| (field, json!(some)))
}

fn times(field: &'static str) -> impl Strategy<Value = Filter> {
    (option::of(0..6_u64), option::of(0..6_u64)).prop_filter_map("a range with an end", move |ends| match ends {
        (None, None) => None,
        (Some(one), Some(other)) => Some((field, json!({"from": at(one.min(other)), "to": at(one.max(other))}))),
        (from, to) => Some((field, json!({"from": from.map(at), "to": to.map(at)}))),
    })
}

/// Some with more names than a plan probes.
fn viewer() -> impl Strategy<Value = Viewer> {
    let id = option::weighted(0.8, select(vec!["alice", "bob", "carol"]));
    let roles = subsequence(vec!["manager", "owner", "auditor"], 0..=3);
    let groups = (subsequence(vec!["security", "legal"], 0..=2), option::weighted(0.2, Just(20)));
    (id, roles, groups).prop_filter_map("a viewer who is somebody", |(id, roles, (groups, more))| {
        let roles = roles.into_iter().map(|role| Role::new(role).unwrap());
        let more = (0..more.unwrap_or(0)).map(|number| format!("group-{number}"));
        let groups = groups.into_iter().map(str::to_owned).chain(more).map(|group| Group::new(group).unwrap());
        Viewer::new(id.map(|id| ActorId::new(id).unwrap()), roles.collect(), groups.collect()).ok()
    })
}

fn request_filter() -> impl Strategy<Value = Filter> {
    let value = || select(vec![Value::Null, Value::from(1_i64), Value::from(1.0), Value::from("one")]);
    let pair = move || (select(vec!["ticket", "team"]), value()).prop_map(|(key, value)| json!({ key: value }));
    let tags = ["urgent", "audit", "nightly"];
    // More terms than a plan probes.
    let many_states: Vec<_> = (1..40).map(|number| format!("s{number}")).collect();
    let names = prop_oneof![
        some_of("ids", ["r0", "r1", "r2", "r3", "r4", "r5"]),
        some_of("state_ids", ["s1", "s2", "s3"]),
        Just(("state_ids", json!(many_states))),
        some_of("state_types", ["Tenant", "Team"]),
        some_of("mutation_types", ["Grant", "Revoke"]),
        some_of("actor_ids", ["alice", "bob", "carol"]),
        some_of("actor_names", ["ALICE", "BOB"]),
        some_of("correlation_ids", CORRELATION_IDS),
        some_of("content_types", CONTENT_TYPES),
        some_of("unique_keys", UNIQUE_KEYS),
        some_of("categories", ["Access", "Billing"]),
        viewer().prop_map(|viewer| ("visible_to", json!(viewer))),
        some_of("any", tags).prop_map(|(any, tags)| ("tags", json!({ any: tags }))),
        some_of("all", tags).prop_map(|(all, tags)| ("tags", json!({ all: tags }))),
    ];
    let state = prop_oneof![
        some_of("statuses", Status::ALL),
        Just(("statuses", json!(["Pending"]))),
        some_of("pending_reasons", PendingReason::ALL),
        some_of("decision_categories", DecisionCategory::ALL),
    ];
    let values = prop_oneof![
        times("created"),
        times("updated"),
        select(vec!["Low", "Medium", "High"]).prop_map(|risk| ("risk", json!({"from": risk, "to": "High"}))),
        select(vec!["Single", "System"]).prop_map(|scope| ("blast_radius", json!({"from": scope}))),
        pair().prop_map(|pair| ("metadata", pair)),
        pair().prop_map(|pair| ("intent_metadata", pair)),
    ];
    let side_effects = prop_oneof![
        some_of("side_effect_types", ["MailSent", "CacheInvalidated"]),
        some_of("severities", [Severity::Info, Severity::Error, Severity::Critical]),
        some_of("contract_ids", ["contract-1"]),
        any::<bool>().prop_map(|asked| ("requires_action", json!(asked))),
    ];
    prop_oneof![6 => names, 3 => state, 3 => values, 1 => side_effects, 1 => direction()]
}

fn direction() -> impl Strategy<Value = Filter> {
    select(vec!["Ascending", "Descending"]).prop_map(|direction| ("direction", json!(direction)))
}

fn saved(filter: impl Strategy<Value = Filter>) -> impl Strategy<Value = Json> {
    vec(filter, 0..5).prop_map(|filters| {
        let named = filters.into_iter().map(|(field, filter)| (field.to_owned(), filter));
        Json::Object(named.collect::<Map<_, _>>())
    })
}

fn read<Q: DeserializeOwned>(saved: Json) -> Q {
    serde_json::from_value(saved).unwrap()
}

pub(crate) fn any_request_query() -> impl Strategy<Value = RequestQuery> {
    saved(request_filter()).prop_map(read)
}

pub(crate) fn any_recent_query() -> impl Strategy<Value = RecentApprovalQuery> {
    any_request_query().prop_map(RecentApprovalQuery::of_requests)
}

pub(crate) fn any_approval_query() -> impl Strategy<Value = PendingApprovalQuery> {
    let filter = prop_oneof![
        some_of("approver_ids", ["alice", "bob"]),
        some_of("roles", ["manager", "owner"]),
        some_of("groups", ["security", "legal"]),
        some_of("categories", ["Access", "Billing"]),
        some_of("approval_statuses", ["Pending", "Approved", "Satisfied"]),
        Just(("of_any_request", json!(true))),
        direction(),
        saved(request_filter()).prop_map(|request| ("request", request)),
        saved(request_filter()).prop_map(|request| ("request", request)),
    ];
    saved(filter).prop_map(read)
}

pub(crate) fn any_decision_query() -> impl Strategy<Value = DecisionQuery> {
    let filter = prop_oneof![
        some_of("categories", DecisionCategory::ALL),
        some_of("kinds", DecisionKind::all().collect::<Vec<_>>()),
        some_of("actor_ids", ["alice", "bob"]),
        some_of("actor_names", ["ALICE", "CAROL"]),
        times("decided"),
        saved(request_filter()).prop_map(|request| ("request", request)),
    ];
    saved(filter).prop_map(read)
}

pub(crate) fn any_inbox_query() -> impl Strategy<Value = InboxQuery> {
    let roles = btree_set(select(vec!["manager", "owner"]).prop_map(|role| Role::new(role).unwrap()), 0..3);
    let groups = btree_set(select(vec!["security", "legal"]).prop_map(|group| Group::new(group).unwrap()), 0..3);
    let acting_for = option::weighted(0.3, select(vec!["alice", "bob", "carol"]));
    let who = (select(vec!["alice", "bob", "carol", "dave"]), option::weighted(0.3, viewer()));
    (who, roles, groups, acting_for).prop_map(|((id, viewer), roles, groups, acting_for)| {
        let inbox = InboxQuery::new(ActorId::new(id).unwrap(), roles, groups).unwrap();
        let inbox = viewer.into_iter().fold(inbox, InboxQuery::visible_to);
        match acting_for.filter(|other| *other != id) {
            Some(other) => inbox.acting_for(ActingFor::new(other, "deputy").unwrap()).unwrap(),
            None => inbox,
        }
    })
}
