//! What is read and written besides requests: drafts, commands, queries, rows, positions.

use std::time::Duration;

use mutator_governance::for_stores::evaluate;
use mutator_governance::workflow::{
    Action, AfterFailure, Amendment, Command, Completion, ExecutionOrder, Failure, StaleStrategy,
};
use mutator_governance::*;

use super::documents::{document, sample};
use super::golden::{ByPeople, ByPrograms, returns, returns_as, written};

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000).unwrap()
}

pub fn ada() -> ActorContext {
    let ada = ActorContext::user("u-1042").unwrap().named("Ada Lovelace").with_role("developer").unwrap();
    ada.because("Needed for the migration")
}

fn plan() -> CompensationPlan {
    let id = |text| RequestId::new(text).unwrap();
    CompensationPlan::new(id("r-1"), CompensationKind::Rollback, CompensationTrigger::Batch)
        .in_batch(BatchId::new("batch-7").unwrap())
        .related_to(id("r-2"))
        .described_as("Undo the batch")
}

fn quorum() -> ApprovalRule {
    let member = |group| ApprovalTarget::group(group).unwrap().or(ApprovalTarget::actor("u-7").unwrap());
    ApprovalRule::quorum("security", 2, ["red", "blue", "green"].map(member))
        .unwrap()
        .with_id(ApprovalId::new("security").unwrap())
        .described_as("Two of three teams agree")
        .named("Security")
        .at_step(Step::new(2).unwrap())
        .expiring_at(at(86_400))
        .requester_may_decide()
        .demanding_reason_for_rejecting()
        .rejected_when_impossible()
        .with_metadata(Metadata::new().with("policy", "P-7").unwrap())
}

/// What the sample request is made of.
pub fn small_draft() -> RequestDraft {
    let rule = |role, step, words| {
        ApprovalRule::role(role).unwrap().at_step(Step::new(step).unwrap()).described_as(words).expiring_at(at(86_400))
    };
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap().described_as("Billing for the migration");
    let ada = ActorContext::user("u-1042").unwrap().named("Ada Lovelace").with_role("developer").unwrap();
    RequestDraft::new(target, intent.with_risk(RiskLevel::High).with_tag("quarter-1").unwrap(), ada)
        .with_payload(
            Payload::new("application/json", br#"{"grant":"billing-admin","to":"u-1042"}"#.as_slice()).unwrap(),
        )
        .for_version(StateVersion::new("v42").unwrap())
        .requires_approval(rule("manager", 1, "The manager agrees"))
        .requires_approval(rule("security-officer", 2, "Security has no objection"))
        .with_metadata(Metadata::new().with("ticket", "OPS-7").unwrap().with("cost_center", 4_200).unwrap())
}

fn draft() -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap().described_as("Billing for the migration");
    let intent = intent.with_risk(RiskLevel::High).with_tag("quarter-1").unwrap().irreversible();
    RequestDraft::new(target, intent.with_blast_radius(BlastRadius::new(BlastScope::Module).affecting(12)), ada())
        .with_payload(
            Payload::new("application/json", br#"{"grant":"billing-admin","to":"u-1042"}"#.as_slice()).unwrap(),
        )
        .for_version(StateVersion::new("v42").unwrap())
        .requires(Requirement::new("TwoFactor", "A second factor").unwrap())
        .requires_approval(ApprovalRule::role("manager").unwrap())
        .distinct_approvers()
        .excluding([ActorId::new("u-9").unwrap()])
        .with_unique_key(UniqueKey::new("grant billing-admin to u-1042").unwrap())
        .requires_approval(quorum())
        .with_metadata(Metadata::new().with("ticket", "OPS-7").unwrap().with("since", at(0)).unwrap())
}

fn retry_policy() -> RetryPolicy {
    RetryPolicy::new(5).unwrap().pauses(Duration::from_secs(60), Duration::from_secs(900)).unwrap()
}

#[test]
fn drafts() {
    let same = |read: &RequestDraft, value: &RequestDraft| assert_eq!(read.write_intent(), value.write_intent());
    returns_as("draft", &draft(), ByPeople, same);
    let smallest = RequestDraft::new(
        Target::new("s", "t", "m").unwrap(),
        Intent::new("o", "c").unwrap(),
        ActorContext::new(ActorKind::Unknown),
    );
    returns_as("draft_smallest", &smallest, ByPeople, same);
    let typed = r#"{"target":{"state_id":"s","state_type":"t","mutation_type":"m"},
        "intent":{"operation":"o","category":"c"},"requested_by":{}}"#;
    same(&serde_json::from_str(typed).unwrap(), &smallest);
    let waiting = Pending { reason: PendingReason::Schedule, expires_at: Some(at(60)) };
    returns_as(
        "draft_waiting",
        &smallest.clone().with_id(RequestId::new("r-9").unwrap()).waiting_for(waiting),
        ByPeople,
        same,
    );
    let ended = RequestId::new("r-1").unwrap();
    returns_as("draft_resubmission", &smallest.clone().resubmitting(ended), ByPeople, same);
    let timed =
        smallest.clone().not_before(at(3_600)).valid_for(Duration::from_secs(5_400)).unwrap().already_approved();
    returns_as("draft_timed", &timed, ByPeople, same);
    let named = Participants::new().with_actor_ids(["u-3"]).unwrap().with_roles(["auditor"]).unwrap();
    let named = smallest.clone().with_participants(named.with_groups(["works-council"]).unwrap());
    returns_as("draft_participants", &named, ByPeople, same);
    let retried = smallest.clone().retrying(retry_policy());
    returns_as("draft_retried", &retried, ByPeople, same);
    let folded = smallest.compensating(plan()).already_approved().comparing_ids(IdComparison::FoldCase);
    returns_as("draft_compensation", &folded, ByPeople, same);
}

#[test]
fn states() {
    for (name, state) in [
        ("created", InitialState::Created),
        ("pending", InitialState::Pending(PendingReason::Quota.into())),
        ("approved", InitialState::Approved),
    ] {
        let json = written(&format!("initial_state/{name}"), &state);
        assert_eq!(serde_json::from_value::<InitialState>(json).unwrap(), state);
    }
    for bad in [
        r#"{"status":"Pending"}"#,
        r#"{"status":"Approved","reason":"Quota"}"#,
        r#"{"status":"Created","expires_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"status":"Rejected"}"#,
    ] {
        assert!(serde_json::from_str::<InitialState>(bad).is_err(), "{bad}");
    }
}

fn escalating() -> ApprovalRule {
    let rule = ApprovalRule::actor("u-7").unwrap().mandatory();
    rule.escalates_after(Duration::from_secs(14_400), ApprovalTarget::role("director").unwrap()).unwrap()
}

#[test]
fn approval_rules() {
    returns("approval_rule", &quorum(), ByPeople);
    returns("approval_rule_escalating", &escalating(), ByPeople);
    let period = ApprovalRule::role("manager").unwrap().expiring_after(Duration::from_secs(5_400)).unwrap();
    returns("approval_rule_period", &period, ByPeople);
    returns("approval_rule_smallest", &ApprovalRule::actor("u-7").unwrap(), ByPeople);
}

#[test]
fn commands() {
    let id = |text| RequestId::new(text).unwrap();
    let (approval, claim) = (ApprovalId::new("approval-1").unwrap(), ClaimId::from_bytes([0xab; 16]));
    let effect = SideEffect::new("CacheInvalidated", "The cache was emptied", Severity::Warning, at(5)).unwrap();
    let data = Metadata::new().with("keys", 7).unwrap();
    let effect = effect.with_data(data.clone(), Some(ContractId::new("cache/1").unwrap()));
    let completion = Completion::new().resulting_in(StateVersion::new("v43").unwrap()).with_side_effect(effect.clone());
    let failure = Failure::new("disk full").with_code("28").with_metadata(data.clone()).with_side_effect(effect);
    let mut rejection = Rejection::new("policy", "Not before the audit").in_category("timing");
    rejection.metadata = data;
    let version = StateVersion::new("v42").unwrap();
    let of = |action| {
        let mut command = Command::cancel(ada());
        command.action = action;
        command
    };
    let lease = Duration::from_secs(5_400);
    for command in [
        Command::approve_request(ada()),
        Command::reject_request(ada()),
        Command::approve_for_digest(ada(), Digest::from_bytes([0xcd; 32])),
        Command::reject(ada(), Some(rejection.clone())),
        Command::cancel(ada()),
        Command::expire(ada()),
        Command::supersede(ada(), id("r-2")),
        Command::hold(ada(), Pending { reason: PendingReason::ExternalCheck, expires_at: Some(at(60)) }),
        Command::request_approvals(ada(), Some(at(60))),
        Command::approve_requirement_for_digest(ada(), approval.clone(), Digest::from_bytes([0xcd; 32])),
        Command::reject_requirement(ada(), approval, Some(rejection)),
        Command::withdraw_requirement(ada(), ApprovalId::new("approval-1").unwrap()),
        Command::delegate(ada(), ApprovalId::new("approval-1").unwrap(), ActorId::new("u-7").unwrap()),
        Command::reassign(ada(), ApprovalId::new("approval-1").unwrap(), ApprovalTarget::role("director").unwrap()),
        Command::add_approval(ada(), escalating()),
        Command::remove_approval(ada(), ApprovalId::new("approval-1").unwrap()),
        Command::request_changes(ada(), "For how long?"),
        Command::amend(
            ada(),
            Amendment::new()
                .payload(Payload::new("text/plain", &b"for 30 days"[..]).unwrap())
                .description("for 30 days")
                .metadata(Metadata::new().with("ticket", 7).unwrap())
                .without_expected_version(),
        ),
        Command::comment(ada(), "For how long?"),
        Command::expire_approvals(ada()),
        Command::override_approvals(ada()),
        Command::schedule(ada(), at(3_600)),
        Command::revalidate(ada()),
        Command::resolve(ada(), version, StaleStrategy::RequireRenewedApproval),
        Command::claim(ada(), claim, lease),
        Command::release(ada(), claim),
        Command::complete(ada(), claim, completion),
        Command::fail(ada(), claim, failure, AfterFailure::KeepApproved),
        of(Action::LinkCompensation { plan: plan(), compensating: id("r-3") }),
    ] {
        let json = serde_json::to_value(&command).unwrap();
        returns(&format!("commands/{}", json["action"].as_str().unwrap()), &command, ByPeople);
        assert_eq!(serde_json::from_value::<Action>(without_actor(json)).unwrap(), command.action);
    }
    for command in [
        Command::amend(ada(), Amendment::new()),
        Command::request_approvals(ada(), None),
        Command::withdraw(ada()),
        Command::reject_requirement(ada(), ApprovalId::new("a").unwrap(), None),
    ] {
        assert_eq!(serde_json::from_value::<Command>(serde_json::to_value(&command).unwrap()).unwrap(), command);
    }
}

fn without_actor(mut command: serde_json::Value) -> serde_json::Value {
    command.as_object_mut().unwrap().remove("by");
    command
}

#[test]
fn orders_and_policies() {
    let order = ExecutionOrder::new(ada(), StateVersion::new("v42").unwrap());
    returns("execution_order", &order, ByPeople);
    let short = serde_json::json!({ "by": serde_json::to_value(ada()).unwrap(), "current": "v42" });
    assert_eq!(serde_json::from_value::<ExecutionOrder>(short).unwrap(), order);
    for (name, then) in [
        ("as_submitted", AfterFailure::AsSubmitted),
        ("reject", AfterFailure::Reject),
        ("keep_approved", AfterFailure::KeepApproved),
        ("retry", AfterFailure::Retry(retry_policy())),
    ] {
        returns(&format!("after_failure/{name}"), &then, ByPeople);
    }
    returns("retry_policy", &retry_policy(), ByPrograms);
    for (name, policy) in [
        ("fail", OnConflict::Fail),
        ("rebase", OnConflict::Rebase(3)),
        ("until_deadline", OnConflict::RebaseUntilDeadline),
    ] {
        returns(&format!("on_conflict/{name}"), &policy, ByPeople);
    }
    for bad in [r#"{"type":"Fail","times":1}"#, r#"{"type":"Rebase"}"#] {
        assert!(serde_json::from_str::<OnConflict>(bad).is_err(), "{bad}");
    }
    returns("durability/acknowledged", &Durability::Acknowledged, ByPeople);
    returns("durability/replicas", &Durability::Replicas(2), ByPeople);
    returns("durability/fsynced", &Durability::Fsynced, ByPeople);
}

#[test]
fn queries_and_pages() {
    let query = RequestQuery::new()
        .with_state_ids(["tenant:acme"])
        .and_then(|query| query.with_statuses([Status::Pending, Status::Approved]))
        .and_then(|query| query.with_risk_between(RiskLevel::High, None))
        .and_then(|query| query.with_metadata("cost_center", 7))
        .and_then(|query| query.created_between(at(0), at(60)))
        .unwrap()
        .in_order(SortDirection::Descending);
    returns("request_query", &query, ByPeople);
    let requests = query.in_order(SortDirection::Ascending);
    returns(
        "pending_approval_query",
        &PendingApprovalQuery::new().with_roles(["manager"]).unwrap().of_requests(requests.clone()),
        ByPeople,
    );
    returns("decision_query", &DecisionQuery::execution_outcomes().of_requests(requests.clone()), ByPeople);
    returns("recent_approval_query", &RecentApprovalQuery::of_requests(requests.clone()), ByPeople);
    returns("ready_query", &ReadyQuery::of_requests(requests), ByPeople);
    returns("inbox_query", &InboxQuery::of(&ada()).unwrap(), ByPeople);
    let deputy = ada().acting_for("u-7", "On leave until March").unwrap();
    returns("inbox_query_for_another", &InboxQuery::of(&deputy).unwrap(), ByPeople);
    returns("request_query_smallest", &RequestQuery::new(), ByPeople);
    let viewer = Viewer::of(&deputy.with_group("works-council").unwrap()).unwrap();
    returns("viewer", &viewer, ByPeople);
    returns("request_query_for_a_viewer", &RequestQuery::pending().visible_to(viewer.clone()), ByPeople);
    returns("inbox_query_for_a_viewer", &InboxQuery::of(&ada()).unwrap().visible_to(viewer), ByPeople);

    let request = sample();
    let now = at(10_000);
    let all = evaluate(&DecisionQuery::new(), [&request], &PageRequest::of(1).unwrap(), "json", now).unwrap();
    written("page_of_decisions", &all);
    returns("decision_row", &all.items[0], ByPrograms);
    returns("request_summary", &RequestSummary::from(&request), ByPrograms);
    let cursor = all.next.unwrap();
    returns("page_request", &PageRequest::of(7).unwrap().after(cursor), ByPeople);
    assert_eq!(serde_json::from_str::<PageRequest>("{}").unwrap(), PageRequest::first());
    let rows = evaluate(&PendingApprovalQuery::new(), [&request], &PageRequest::first(), "json", now).unwrap();
    returns("pending_approval_row", &rows.items[0], ByPrograms);
    written("page_of_approvals", &rows);
    let approved = MutationRequest::from_document(document("executed"), request.revision()).unwrap();
    let rows = evaluate(&RecentApprovalQuery::new(), [&approved], &PageRequest::first(), "json", now).unwrap();
    written("page_of_recent_approvals", &rows);
    let unreadable = Unreadable::new(RequestId::new("r-8").unwrap(), stored_format::FormatError::DamagedHeader);
    written("lookup", &Lookup::new(vec![Some(request), None], vec![unreadable]));
}

#[test]
fn numbers() {
    let durations = [Duration::from_millis(1_500), Duration::from_secs(5_400), Duration::from_secs(7 * 86_400)];
    returns("statistics", &Statistics::of([&sample()], at(10_000), &durations), ByPrograms);
    let mut counted = Statistics::of([&sample()], at(10_000), &[]);
    counted.is_lower_bound = true;
    returns("statistics_lower_bound", &counted, ByPrograms);
    returns("statistics_empty", &Statistics::default(), ByPrograms);
    returns("count/exact", &Count::Exact(7), ByPrograms);
    returns("count/at_least", &Count::AtLeast(7), ByPrograms);
}

#[test]
fn writes() {
    let (revision, write_id) = (sample().revision(), WriteId::from_bytes([1; 16]));
    let intent = Some(Command::cancel(ada()).write_intent());
    let write = UnsettledWrite { id: RequestId::new("r-1").unwrap(), base: Some(revision), write_id, intent };
    returns("unsettled_write", &write, ByPrograms);
    returns("unsettled_write_smallest", &UnsettledWrite { base: None, intent: None, ..write }, ByPrograms);
    for settled in [Settled::Applied, Settled::NotApplied, Settled::Open, Settled::Forgotten] {
        let json = serde_json::to_value(settled).unwrap();
        assert_eq!(
            (json.as_str().unwrap(), serde_json::from_value::<Settled>(json.clone()).unwrap()),
            (&*format!("{settled:?}"), settled)
        );
    }
    let newer = r#"{"kind":"Teleport","fingerprint":"0123456789abcd"}"#;
    assert_eq!(serde_json::from_str::<WriteIntent>(newer).unwrap().kind(), WriteKind::Other);
}

#[test]
fn ids_print_parse_and_serialise_the_same_text() {
    fn same<T>(value: T)
    where
        T: std::fmt::Display
            + std::str::FromStr
            + serde::Serialize
            + serde::de::DeserializeOwned
            + PartialEq
            + std::fmt::Debug,
    {
        let text = value.to_string();
        assert_eq!(serde_json::to_value(&value).unwrap(), *text);
        assert!(text.parse::<T>().is_ok_and(|parsed| parsed == value), "{text}");
        assert_eq!(serde_json::from_value::<T>(text.into()).unwrap(), value);
    }
    same(sample().digest());
    same(sample().revision().write_id);
    same(ClaimId::from_bytes([0xfe; 16]));
    same(RequestId::generate());
    same(ActorId::new("Zoë").unwrap());
    same(FeedPosition::beginning());
    same(FeedPosition::new("redis billing 4", [1, 2, 3]));
}
