//! Each filter of a request query finds what it is named for, and nothing else.

use std::sync::Arc;

use super::samples::*;
use super::{RequestQuery, Viewer};
use crate::error::InvalidValue;
use crate::request::*;

type Built = Result<RequestQuery, InvalidValue>;

/// The query finds the request that was changed like this, and does not find it unchanged.
#[track_caller]
fn finds_only(query: Built, change: impl FnOnce(&mut RequestDocument)) {
    let query = query.unwrap();
    assert!(query.matches(&request_with("changed", change)), "must find: {query}");
    assert!(!query.matches(&request(document("plain"))), "must not find: {query}");
    let saved = serde_json::to_string(&query).unwrap();
    assert_eq!(serde_json::from_str::<RequestQuery>(&saved).unwrap(), query, "{saved}");
}

fn all() -> RequestQuery {
    RequestQuery::new()
}

#[test]
fn without_filters_everything_matches() {
    assert!(all().matches(&request(document("plain"))));
    assert_eq!(serde_json::to_string(&all()).unwrap(), "{}");
}

#[test]
fn by_request_id() {
    finds_only(all().with_ids(["x", "changed"]), |_| {});
}

#[test]
fn by_state_id() {
    finds_only(all().with_state_ids(["s1", "s2"]), |document| document.target.state_id = "s2".parse().unwrap());
}

#[test]
fn by_state_type() {
    finds_only(all().with_state_types(["Team"]), |document| document.target.state_type = "Team".parse().unwrap());
}

#[test]
fn by_mutation_type() {
    finds_only(all().with_mutation_types(["Revoke"]), |document| {
        document.target.mutation_type = "Revoke".parse().unwrap();
    });
}

#[test]
fn by_actor_id() {
    finds_only(all().with_actor_ids(["bob"]), |document| {
        document.requested_by = Arc::new(ActorContext::user("bob").unwrap());
    });
    let nameless = request_with("r", |document| document.requested_by = Arc::new(ActorContext::system()));
    assert!(!all().with_actor_ids(["bob"]).unwrap().matches(&nameless), "no id is none of the ids");
}

#[test]
fn by_actor_name() {
    finds_only(all().with_actor_names(["Bob"]), |document| {
        document.requested_by = Arc::new(ActorContext::user("alice").unwrap().named("Bob"));
    });
}

#[test]
fn by_correlation_id_of_who_filed_it() {
    finds_only(all().with_correlation_ids(["import-6", "import-7"]), |document| {
        let mut actor = ActorContext::user("alice").unwrap();
        actor.correlation_id = Some("import-7".to_owned());
        document.requested_by = Arc::new(actor);
    });
    let decided_by_it = request_with("r", |document| {
        let mut actor = ActorContext::user("alice").unwrap();
        actor.correlation_id = Some("import-7".to_owned());
        document.decisions = vec![Decision::new(LifecycleDecision::Submitted, &Arc::new(actor), at(10))];
    });
    assert!(!all().with_correlation_ids(["import-7"]).unwrap().matches(&decided_by_it), "only the requester's counts");
}

#[test]
fn by_unique_key_as_spelled() {
    let restart = |document: &mut RequestDocument| document.unique_key = Some(UniqueKey::new("restart").unwrap());
    finds_only(all().with_unique_keys(["restart", "other"]), restart);
    assert!(!all().with_unique_keys(["Restart"]).unwrap().matches(&request_with("r", restart)));
}

#[test]
fn by_content_type_of_the_payload_which_has_to_be_there() {
    let json = |document: &mut RequestDocument| {
        document.payload = Some(Payload::new("application/json", *b"{}").unwrap());
    };
    finds_only(all().with_content_types(["application/json", "text/plain"]), json);
    assert!(!all().with_content_types(["Application/JSON"]).unwrap().matches(&request_with("r", json)), "as spelled");
}

#[test]
fn by_viewer() {
    let viewer = Viewer::new(None, [].into(), [Group::new("audit").unwrap()].into()).unwrap();
    finds_only(Ok(all().visible_to(viewer)), |document| {
        document.participants = Participants::new().with_groups(["audit"]).unwrap();
    });
}

#[test]
fn by_category() {
    finds_only(all().with_categories(["Billing"]), |document| document.intent.category = "Billing".parse().unwrap());
}

#[test]
fn by_any_or_all_tags() {
    let tagged = |tags: &[&str]| {
        request_with("r", |document| document.intent.tags = tags.iter().map(|tag| tag.parse().unwrap()).collect())
    };
    let any = all().with_any_tag(["a", "b"]).unwrap();
    let both = all().with_all_tags(["a", "b"]).unwrap();
    for (tags, has_any, has_both) in
        [(&["a", "b", "c"][..], true, true), (&["a", "c"], true, false), (&["c"], false, false), (&[], false, false)]
    {
        assert_eq!(any.matches(&tagged(tags)), has_any, "{tags:?}");
        assert_eq!(both.matches(&tagged(tags)), has_both, "{tags:?}");
    }
}

#[test]
fn by_metadata_of_intent_and_of_request() {
    let pair = || Metadata::new().with("count", 3_i64).unwrap();
    finds_only(all().with_intent_metadata("count", 3_i64), |document| document.intent.metadata = pair());
    finds_only(all().with_metadata("count", 3_i64), |document| document.metadata = pair());

    let request = request_with("r", |document| document.metadata = pair());
    assert!(!all().with_metadata("count", 3.0).unwrap().matches(&request), "an integer is not the equal float");
    let two = all().with_metadata("count", 3_i64).unwrap().with_metadata("other", "x").unwrap();
    assert!(!two.matches(&request), "every pair has to be there");
}

#[test]
fn by_blast_radius_which_has_to_be_there() {
    let scope =
        |scope| move |document: &mut RequestDocument| document.intent.blast_radius = Some(BlastRadius::new(scope));
    finds_only(all().with_blast_radius_between(BlastScope::Module, None), scope(BlastScope::Module));
    finds_only(all().with_blast_radius_between(None, BlastScope::System), scope(BlastScope::System));
    let up_to_system = all().with_blast_radius_between(BlastScope::Single, BlastScope::System).unwrap();
    assert!(!up_to_system.matches(&request_with("r", scope(BlastScope::Global))));
}

#[test]
fn by_risk() {
    finds_only(all().with_risk_between(RiskLevel::Medium, RiskLevel::High), |document| {
        document.intent.risk = RiskLevel::High;
    });
    let critical = request_with("r", |document| document.intent.risk = RiskLevel::Critical);
    assert!(!all().with_risk_between(None, RiskLevel::High).unwrap().matches(&critical));
}

#[test]
fn by_status_and_by_pending_reason() {
    let quota = |document: &mut RequestDocument| document.state = RequestState::Pending(PendingReason::Quota.into());
    finds_only(all().with_statuses([Status::Pending, Status::Approved]), quota);
    finds_only(all().with_pending_reasons([PendingReason::Quota]), quota);
    finds_only(Ok(RequestQuery::pending()), quota);
    finds_only(Ok(RequestQuery::pending_for(PendingReason::Quota)), quota);
    assert!(!RequestQuery::pending_approval_queue().matches(&request_with("r", quota)));
    let state = || StateId::new("tenant:acme").unwrap();
    assert!(RequestQuery::of_state(state()).matches(&request(document("r"))));
    finds_only(Ok(RequestQuery::pending_of_state(state())), quota);
}

#[test]
fn by_decision_category() {
    finds_only(all().with_decision_categories([DecisionCategory::Execution]), |document| {
        document.decisions.push(decision(LifecycleDecision::Submitted, "alice", 10));
        document.decisions.push(decision(ExecutionDecision::Claimed, "alice", 11));
    });
}

#[test]
fn by_created_and_updated_time_both_ends_included() {
    finds_only(all().created_between(at(11), at(12)), |document| document.created_at = at(11));
    finds_only(all().created_between(None, at(9)), |document| document.created_at = at(9));
    finds_only(all().updated_between(at(21), None), |document| document.updated_at = at(21));
    finds_only(all().updated_between(at(18), at(19)), |document| document.updated_at = at(19));
}

#[test]
fn by_side_effect() {
    let effect = || SideEffect::new("MailSent", "", Severity::Warning, at(5)).unwrap();
    let contract = |id: &str| Some(ContractId::new(id).unwrap());
    let with = |effect: SideEffect| move |document: &mut RequestDocument| document.side_effects.push(effect);
    finds_only(all().with_side_effect_types(["MailSent"]), with(effect()));
    finds_only(all().with_severities([Severity::Warning]), with(effect()));
    finds_only(all().with_contract_ids(["c"]), with(effect().with_data(Metadata::new(), contract("c"))));
    finds_only(Ok(all().requiring_action(true)), with(effect().requiring_action()));
    finds_only(Ok(all().requiring_action(false)), with(effect()));
}

#[test]
fn one_side_effect_has_to_meet_all_that_is_asked_of_side_effects() {
    let query = all().with_side_effect_types(["MailSent"]).unwrap().with_severities([Severity::Error]).unwrap();
    let request = request_with("r", |document| {
        document.side_effects.push(SideEffect::new("MailSent", "", Severity::Info, at(5)).unwrap());
        document.side_effects.push(SideEffect::new("Other", "", Severity::Error, at(5)).unwrap());
    });
    assert!(!query.matches(&request));
}

#[test]
fn what_makes_no_sense_is_rejected_by_the_name_of_its_field() {
    let none: [&str; 0] = [];
    let rejected: [(Built, &str); 14] = [
        (all().with_ids(none), "request ids"),
        (all().with_ids(["a b"]), "request id"),
        (all().with_state_ids(["  "]), "state id"),
        (all().with_actor_names([" "]), "actor name"),
        (all().with_correlation_ids([" "]), "correlation id"),
        (all().with_content_types(none), "content types"),
        (all().with_any_tag(none), "tags"),
        (all().with_statuses([]), "statuses"),
        (all().created_between(at(2), at(1)), "created time"),
        (all().updated_between(None, None), "updated time"),
        (all().with_risk_between(RiskLevel::High, RiskLevel::Low), "risk"),
        (all().with_blast_radius_between(BlastScope::Global, BlastScope::Single), "blast radius"),
        (all().with_side_effect_types([""]), "side effect type"),
        (all().with_state_ids((0..=super::MAX_CHOICES).map(|n| n.to_string())), "state ids"),
    ];
    for (query, field) in rejected {
        assert_eq!(query.unwrap_err().field, field);
    }
    assert!(all().created_between(at(1), at(1)).is_ok(), "a single moment is a range");
}

#[test]
fn reading_a_saved_query_checks_it_like_building_it() {
    for (saved, says) in [
        (r#"{"ids":[]}"#, "request ids is an empty list"),
        (r#"{"state_ids":[" "]}"#, "state id is blank"),
        (r#"{"actor_names":[" "]}"#, "actor name is blank"),
        (r#"{"correlation_ids":["x"," "]}"#, "correlation id is blank"),
        (r#"{"content_types":[]}"#, "content types is an empty list"),
        (r#"{"tags":{"all":[]}}"#, "tags is an empty list"),
        (r#"{"metadata":{}}"#, "metadata has no pair"),
        (r#"{"created":{}}"#, "created time is a range without ends"),
        (r#"{"risk":{"from":"High","to":"Low"}}"#, "risk is a range from High to Low"),
        (r#"{"statusses":["Pending"]}"#, "unknown field `statusses`"),
    ] {
        let error = serde_json::from_str::<RequestQuery>(saved).unwrap_err().to_string();
        assert!(error.contains(says), "{saved}: {error}");
    }
}

#[test]
fn a_query_reads_like_its_question() {
    assert_eq!(all().to_string(), "requests, oldest first");
    let query = RequestQuery::pending_for(PendingReason::Approval)
        .with_all_tags(["a", "b"])
        .unwrap()
        .with_metadata("ticket", "7")
        .unwrap()
        .with_severities([Severity::Error])
        .unwrap()
        .requiring_action(true)
        .created_between(Timestamp::MIN, None)
        .unwrap()
        .in_order(super::SortDirection::Descending);
    assert_eq!(
        query.to_string(),
        "requests tagged a and b, with metadata ticket = \"7\", that are Pending, waiting for Approval, created from \
         1970-01-01T00:00:00Z on, with a side effect of severity Error and requiring action, newest first"
    );
}
