//! Which rows each read gives, filter by filter.

use std::sync::Arc;

use proptest::prelude::*;

use super::query_samples::any_inbox_query;
use super::samples::*;
use super::*;
use crate::error::InvalidValue;
use crate::request::*;
use crate::workflow;

fn actor(id: &str) -> ApprovalTarget {
    ApprovalTarget::actor(id).unwrap()
}

/// Waits for bob (step 1), for a manager or security (step 2, id `b`), and for bob again (step 2, id `a`).
fn waiting() -> MutationRequest {
    request_with("r", |document| {
        document.state = waiting_for_approval();
        let second = ApprovalTarget::role("manager").unwrap().or(ApprovalTarget::group("security").unwrap());
        document.approvals =
            vec![approval("b", second, 2), approval("a", actor("bob"), 2), approval("c", actor("bob"), 1)];
    })
}

fn approvals_of<Q: Query<Row = PendingApprovalRow>>(query: &Q, request: &MutationRequest) -> Vec<String> {
    let rows = query.rows_of(request, at(100)).into_iter().map(|(_, part)| Q::row(part));
    rows.map(|row| row.approval.id.to_string()).collect()
}

fn found(query: Result<PendingApprovalQuery, InvalidValue>) -> Vec<String> {
    let query = query.unwrap();
    let saved = serde_json::to_string(&query).unwrap();
    assert_eq!(serde_json::from_str::<PendingApprovalQuery>(&saved).unwrap(), query, "{saved}");
    approvals_of(&query, &waiting())
}

fn pending() -> PendingApprovalQuery {
    PendingApprovalQuery::new()
}

#[test]
fn approvals_come_by_step_and_then_by_id() {
    assert_eq!(found(Ok(pending())), ["c", "a", "b"]);
}

#[test]
fn approvals_by_each_of_their_filters() {
    let none: [&str; 0] = [];
    assert_eq!(found(pending().with_approver_ids(["bob", "x"])), ["c", "a"]);
    assert_eq!(found(pending().with_approver_ids(["alice"])), none);
    assert_eq!(found(pending().with_roles(["manager"])), ["b"]);
    assert_eq!(found(pending().with_roles(["security"])), none);
    assert_eq!(found(pending().with_groups(["security"])), ["b"]);
    assert_eq!(found(pending().with_groups(["manager"])), none);
    assert_eq!(found(pending().with_roles(["manager"]).and_then(|query| query.with_approver_ids(["bob"]))), none);
    assert_eq!(found(pending().with_categories(["Access"])), ["c", "a", "b"]);
    assert_eq!(found(pending().with_categories(["Billing"])), none);
    assert_eq!(found(pending().with_approval_statuses([ApprovalStatus::Approved])), none);
    let of_state = |state: &str| pending().of_requests(RequestQuery::new().with_state_ids([state]).unwrap());
    assert_eq!(found(Ok(of_state("tenant:acme"))), ["c", "a", "b"]);
    assert_eq!(found(Ok(of_state("tenant:other"))), none);
}

#[test]
fn by_default_only_pending_approvals_of_requests_that_wait_for_approval() {
    let decided = request_with("r", |document| {
        document.approvals = vec![approval("open", actor("bob"), 1), approval("granted", actor("bob"), 1)];
        document.approvals[1].state = ApprovalState::Approved(verdict("bob"));
        document.state = waiting_for_approval();
    });
    assert_eq!(approvals_of(&pending(), &decided), ["open"]);
    let granted = pending().with_approval_statuses([ApprovalStatus::Approved]).unwrap();
    assert_eq!(approvals_of(&granted, &decided), ["granted"]);
    let canceled = request_with("r", |document| {
        document.approvals.clone_from(&decided.approvals);
        document.state = RequestState::Canceled;
    });
    assert_eq!(approvals_of(&pending(), &canceled), [""; 0]);
    assert_eq!(approvals_of(&pending().of_any_request(), &canceled), ["open"]);
}

#[test]
fn the_inbox_holds_what_the_actor_can_decide_now_and_nothing_else() {
    let inbox = |actor: ActorContext| InboxQuery::of(&actor).unwrap();
    let bob = || inbox(ActorContext::user("bob").unwrap());
    let manager = inbox(ActorContext::user("eve").unwrap().with_role("manager").unwrap());
    assert_eq!(approvals_of(&bob(), &waiting()), ["c"], "the approvals of step 2 are not due yet");
    assert_eq!(approvals_of(&manager, &waiting()), [""; 0]);

    let changed = |change: fn(&mut RequestDocument)| {
        request_with("r", |document| {
            document.state = waiting_for_approval();
            document.approvals = vec![approval("a", actor("bob"), 1), approval("b", actor("bob"), 1)];
            change(document);
        })
    };
    assert_eq!(approvals_of(&bob(), &changed(|_| {})), ["a", "b"]);
    let expiring = changed(|document| document.approvals[0].expires_at = Some(at(100)));
    assert_eq!(approvals_of(&bob(), &expiring), ["b"], "at 100 it is too late");
    let own = changed(|document| {
        document.requested_by = Arc::new(ActorContext::user("bob").unwrap());
        document.approvals[1].decider = DeciderRule::Anyone;
    });
    assert_eq!(approvals_of(&bob(), &own), ["b"]);
    let voted = changed(|document| {
        let quorum = |group: &str| {
            let group = QuorumGroup::new(group).unwrap();
            Some(Quorum { group, required: 1.try_into().unwrap(), rejection: QuorumRejection::Any })
        };
        document.approvals.push(approval("c", actor("bob"), 1));
        document.approvals[0].quorum = quorum("voted");
        document.approvals[1].quorum = quorum("other");
        document.approvals[2].quorum = quorum("voted");
        document.approvals[2].state = ApprovalState::Approved(verdict("bob"));
    });
    assert_eq!(approvals_of(&bob(), &voted), ["b"]);
    let paused = changed(|document| document.state = RequestState::Pending(PendingReason::Quota.into()));
    assert_eq!(approvals_of(&bob(), &paused), [""; 0]);
}

#[test]
fn an_inbox_asks_for_as_many_roles_and_groups_as_any_filter_lists() {
    let of = |roles: usize, groups: usize| {
        let mut actor = ActorContext::user("bob").unwrap();
        actor.roles = (0..roles).map(|number| Role::new(format!("role-{number}")).unwrap()).collect();
        actor.groups = (0..groups).map(|number| Group::new(format!("group-{number}")).unwrap()).collect();
        (InboxQuery::of(&actor), InboxQuery::new(actor.id.clone().unwrap(), actor.roles, actor.groups))
    };
    let (by_actor, inbox) = of(MAX_CHOICES, MAX_CHOICES);
    let inbox = inbox.unwrap();
    assert_eq!(by_actor.unwrap(), inbox);
    for (roles, groups, field) in [(MAX_CHOICES + 1, 0, "inbox roles"), (0, MAX_CHOICES + 1, "inbox groups")] {
        for error in [of(roles, groups).0.unwrap_err(), of(roles, groups).1.unwrap_err()] {
            assert_eq!(error.field, field);
            assert!(error.to_string().contains("are 1001; at most 1000 are allowed. Leave out"), "{error}");
        }
    }
    let mut saved = serde_json::to_value(&inbox).unwrap();
    assert_eq!(serde_json::from_value::<InboxQuery>(saved.clone()).unwrap(), inbox);
    saved["roles"].as_array_mut().unwrap().push("one-more".into());
    assert!(serde_json::from_value::<InboxQuery>(saved).is_err());
}

#[test]
fn an_inbox_belongs_to_an_id() {
    assert_eq!(InboxQuery::of(&ActorContext::system()).unwrap_err().field, "actor id");
    assert!(serde_json::from_str::<InboxQuery>(r#"{"actor_id":"  "}"#).is_err());
    let actor = ActorContext::user("bob").unwrap().with_role("manager").unwrap().with_group("legal").unwrap();
    let inbox = InboxQuery::of(&actor).unwrap();
    assert_eq!(serde_json::from_str::<InboxQuery>(&serde_json::to_string(&inbox).unwrap()).unwrap(), inbox);
    assert_eq!(inbox.to_string(), "approvals that bob can decide now, as manager, in legal, oldest first");
}

proptest! {
    /// The commands are the judges: an approval is in the inbox exactly when granting it works and, where the inbox
    /// is limited to what a viewer may read, the viewer may read the request.
    #[test]
    fn an_approval_is_in_the_inbox_exactly_when_granting_it_works(
        inbox in any_inbox_query(), request in any_request("r".to_owned()), now in 0..6_u64,
    ) {
        let mut actor = ActorContext::user(inbox.actor_id().as_str()).unwrap();
        (actor.roles, actor.groups) = (inbox.roles().clone(), inbox.groups().clone());
        actor.acting_for = inbox.person_acted_for().cloned();
        let is_visible = inbox.viewer().is_none_or(|viewer| viewer.may_read(&request));
        let actor = actor.because("checked");
        let works = |approval: &&Approval| {
            let grant = workflow::Command::approve_requirement(actor.clone(), approval.id.clone());
            is_visible && workflow::apply(request.clone(), &grant, at(now)).is_ok()
        };
        let mut expected: Vec<_> = request.approvals.iter().filter(works).map(|approval| &approval.id).collect();
        let mut found: Vec<_> = inbox.rows_of(&request, at(now)).into_iter().map(|(_, (_, approval))| &approval.id).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}

fn decided() -> MutationRequest {
    request_with("r", |document| {
        document.decisions = vec![
            decision(LifecycleDecision::Submitted, "alice", 10),
            decision(ApprovalDecision::Granted, "bob", 12),
            decision(VersionDecision::Validated, "carol", 14),
            decision(LifecycleDecision::Executed, "carol", 14),
        ];
    })
}

fn ordinals(query: Result<DecisionQuery, InvalidValue>) -> Vec<u32> {
    let query = query.unwrap();
    let saved = serde_json::to_string(&query).unwrap();
    assert_eq!(serde_json::from_str::<DecisionQuery>(&saved).unwrap(), query, "{saved}");
    let request = decided();
    let rows = query.rows_of(&request, at(100)).into_iter().map(|(_, part)| DecisionQuery::row(part));
    rows.inspect(|row| assert_eq!(row.decision, request.decisions[row.ordinal as usize]))
        .map(|row| row.ordinal)
        .collect()
}

#[test]
fn decisions_come_latest_first_and_in_their_order_at_one_time() {
    assert_eq!(ordinals(Ok(DecisionQuery::new())), [2, 3, 1, 0]);
}

#[test]
fn decisions_by_each_of_their_filters() {
    let all = DecisionQuery::new;
    assert_eq!(ordinals(all().with_categories([DecisionCategory::Lifecycle])), [3, 0]);
    assert_eq!(ordinals(all().with_kinds([LifecycleDecision::Executed])), [3]);
    assert_eq!(ordinals(all().with_actor_ids(["alice", "bob"])), [1, 0]);
    assert_eq!(ordinals(all().with_actor_names(["CAROL"])), [2, 3]);
    assert_eq!(ordinals(all().decided_between(at(10), at(12))), [1, 0]);
    assert_eq!(ordinals(all().decided_between(at(13), None)), [2, 3]);
    let of_state = |state: &str| all().of_requests(RequestQuery::new().with_state_ids([state]).unwrap());
    assert_eq!(ordinals(Ok(of_state("tenant:acme"))), [2, 3, 1, 0]);
    assert_eq!(ordinals(Ok(of_state("tenant:other"))), [0; 0]);
}

#[test]
fn the_presets_are_those_of_the_domain() {
    assert_eq!(ordinals(Ok(DecisionQuery::version_resolutions())), [2]);
    assert_eq!(ordinals(Ok(DecisionQuery::execution_outcomes())), [3]);
    let ids = IdComparison::Exact;
    let asked =
        |kind: &DecisionKind| DecisionQuery::execution_outcomes().matches_decision(&decision(*kind, "x", 1), ids);
    let outcomes: Vec<_> = DecisionKind::all().filter(asked).map(|kind| kind.to_string()).collect();
    let expected =
        ["Rejected", "Canceled", "Expired", "Superseded", "Executed"].map(|word| format!("Lifecycle/{word}"));
    assert_eq!(outcomes, expected);
    let discussed = |kind: &DecisionKind| DecisionQuery::discussions().matches_decision(&decision(*kind, "x", 1), ids);
    assert_eq!(DecisionKind::all().filter(discussed).collect::<Vec<_>>(), [DiscussionDecision::Commented.into()]);
    assert_eq!(DecisionQuery::version_resolutions().to_string(), "decisions about VersionResolution, latest first");
}

#[test]
fn what_makes_no_sense_is_rejected_by_the_name_of_its_field() {
    let none: [&str; 0] = [];
    for (error, field) in [
        (pending().with_approver_ids(none).unwrap_err(), "approver ids"),
        (pending().with_roles([" "]).unwrap_err(), "role"),
        (pending().with_approval_statuses([]).unwrap_err(), "approval statuses"),
        (DecisionQuery::new().with_categories([]).unwrap_err(), "decision categories"),
        (DecisionQuery::new().with_actor_names([""]).unwrap_err(), "actor name"),
        (DecisionQuery::new().decided_between(at(2), at(1)).unwrap_err(), "decided time"),
    ] {
        assert_eq!(error.field, field);
    }
    for saved in [r#"{"roles":[]}"#, r#"{"request":{"ids":[]}}"#, r#"{"rolls":["x"]}"#] {
        assert!(serde_json::from_str::<PendingApprovalQuery>(saved).is_err(), "{saved}");
    }
    for saved in [r#"{"kinds":[]}"#, r#"{"decided":{"from":"1970-01-02T00:00:00Z","to":"1970-01-01T00:00:00Z"}}"#] {
        assert!(serde_json::from_str::<DecisionQuery>(saved).is_err(), "{saved}");
    }
}

fn activity(change: impl FnOnce(&mut RequestDocument)) -> Option<Timestamp> {
    let request = request_with("r", change);
    let rows = RecentApprovalQuery::new().rows_of(&request, at(100));
    rows.into_iter().map(|(_, part)| RecentApprovalQuery::row(part).activity_at).next()
}

#[test]
fn recent_approvals_are_approved_or_executed_and_had_to_do_with_approvals() {
    let history = || vec![decision(ApprovalDecision::Requested, "x", 19), decision(ApprovalDecision::Granted, "x", 12)];
    let executed = || RequestState::Executed { at: at(18), resulting_version: None };
    for (state, expected) in [
        (RequestState::Approved, Some(at(12))),
        (executed(), Some(at(12))),
        (RequestState::Rejected, None),
        (RequestState::Created, None),
    ] {
        assert_eq!(activity(|document| (document.state, document.decisions) = (state, history())), expected);
    }
    let only_asked = activity(|document| {
        (document.state, document.decisions) = (RequestState::Approved, history());
        document.decisions.truncate(1);
    });
    assert_eq!(only_asked, Some(at(20)), "asking does not count, so it is the last change");
    let has_approvals = activity(|document| {
        (document.state, document.approvals) = (RequestState::Approved, vec![approval("a", actor("bob"), 1)]);
    });
    assert_eq!(has_approvals, Some(at(20)));
    assert_eq!(activity(|document| document.state = RequestState::Approved), None);
}

#[test]
fn recent_approvals_by_their_request_filter() {
    let request = request_with("r", |document| {
        (document.state, document.approvals) = (RequestState::Approved, vec![approval("a", actor("bob"), 1)]);
    });
    for (state, count) in [("tenant:acme", 1), ("tenant:other", 0)] {
        let query = RecentApprovalQuery::of_requests(RequestQuery::new().with_state_ids([state]).unwrap());
        assert_eq!(query.rows_of(&request, at(100)).len(), count);
        assert_eq!(query.matches(&request), count == 1);
        let saved = serde_json::to_string(&query).unwrap();
        assert_eq!(serde_json::from_str::<RecentApprovalQuery>(&saved).unwrap(), query);
    }
}
