//! Who may decide, and what follows.

use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ActorId, ApprovalError, ApprovalRule, ApprovalState, ApprovalStatus, ApprovalTarget, Digest, Intent,
    Metadata, PendingReason, Rejection, RequestDraft, RequestState, Step, Target, Value,
};

use crate::support::{
    actor, apply, approval, approval_error, at, draft, file_with, grant, history, quorum, reject, rule, submit,
    try_apply, user, user_because,
};

#[test]
fn an_approval_is_granted_by_whoever_matches_any_part_of_its_target() {
    let target =
        actor("alice").or(ApprovalTarget::role("manager").unwrap()).or(ApprovalTarget::group("board").unwrap());
    let plain = |id: &str| ActorContext::user(id).unwrap();
    let table = [
        (plain("alice"), true),
        (plain("bob").with_role("manager").unwrap(), true),
        (plain("bob").with_group("board").unwrap(), true),
        (plain("bob"), false),
        (plain("bob").with_role("board").unwrap().with_group("manager").unwrap(), false),
    ];
    for (by, allowed) in table {
        let request = file_with([ApprovalRule::of(target.clone())]);
        let result = try_apply(&request, &Command::approve_requirement(by.clone(), approval("approval-1")), 1);
        match result {
            Ok(granted) => assert!(allowed && granted.state == RequestState::Approved, "{by:?}"),
            Err(error) => {
                assert!(!allowed, "{by:?}: {error}");
                assert!(matches!(approval_error(error), ApprovalError::NotAddressed { .. }));
            }
        }
    }
}

#[test]
fn deciding_checks_the_rules_in_their_order() {
    let id = || approval("approval-2");
    let open = || {
        file_with([
            rule("alice"),
            quorum("security", 2, &["bob", "carol", "requester"]).expiring_at(at(60)),
            rule("dave").at_step(Step::FIRST),
        ])
    };
    let name = |text: &str| text.to_owned();
    let waiting = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let table = [
        // Nobody, too late, for an approval that does not exist: still, first of all the request does not wait.
        (
            waiting,
            ActorContext::system(),
            approval("none"),
            99,
            ApprovalError::NotAwaitingApproval { status: mutator_governance::Status::Pending },
        ),
        (
            open(),
            ActorContext::system(),
            approval("none"),
            99,
            ApprovalError::UnknownApproval {
                approval: approval("none"),
                known: name("approval-1, approval-2, approval-3, approval-4, approval-5"),
            },
        ),
        (
            grant(&open(), "alice", "approval-1", 1),
            ActorContext::system(),
            approval("approval-1"),
            99,
            ApprovalError::AlreadyDecided { approval: approval("approval-1"), status: ApprovalStatus::Approved },
        ),
        (open(), ActorContext::system(), id(), 60, ApprovalError::Expired { approval: id(), expired_at: at(60) }),
        (open(), ActorContext::system(), id(), 59, ApprovalError::AnonymousDecider { approval: id() }),
        (
            open(),
            ActorContext::user("requester").unwrap(),
            id(),
            59,
            ApprovalError::NotAddressed { approval: id(), target: Box::new(actor("bob")), actor: name("requester") },
        ),
        (
            open(),
            ActorContext::user("requester").unwrap(),
            approval("approval-4"),
            59,
            ApprovalError::OwnRequest {
                approval: approval("approval-4"),
                actor: name("requester"),
                requester: name("requester"),
            },
        ),
        (
            open(),
            ActorContext::user("bob").unwrap(),
            id(),
            59,
            ApprovalError::NotYet { approval: id(), step: Step::new(2).unwrap(), active: Step::FIRST },
        ),
    ];
    for (request, by, approval, seconds, expected) in table {
        for command in [
            Command::approve_requirement(by.clone(), approval.clone()),
            Command::reject_requirement(by.clone(), approval.clone(), None),
            Command::approve_requirement_for_digest(by.clone(), approval.clone(), Digest::from_bytes([0; 32])),
        ] {
            assert_eq!(approval_error(try_apply(&request, &command, seconds).unwrap_err()), expected);
        }
    }
}

#[test]
fn no_actor_counts_twice_in_one_quorum_group() {
    let security = ApprovalTarget::role("security").unwrap();
    let rule = ApprovalRule::quorum("security", 2, [security.clone(), security.clone(), security]).unwrap();
    let request = file_with([rule.rejected_when_impossible()]);
    let bob = ActorContext::user("bob").unwrap().with_role("security").unwrap();
    for first in [
        Command::approve_requirement(bob.clone(), approval("approval-1")),
        Command::reject_requirement(bob.clone(), approval("approval-1"), None),
    ] {
        let voted = apply(&request, &first, 1);
        let error =
            try_apply(&voted, &Command::approve_requirement(bob.clone(), approval("approval-2")), 2).unwrap_err();
        assert!(matches!(approval_error(error), ApprovalError::AlreadyVoted { .. }));
        let carol = ActorContext::user("carol").unwrap().with_role("security").unwrap();
        assert!(try_apply(&voted, &Command::approve_requirement(carol, approval("approval-2")), 2).is_ok());
    }
}

/// Who submitted the request is said as it was, and so is why this person may not decide it.
#[test]
fn who_may_not_decide_a_request_of_theirs_learns_who_submitted_it() {
    let person = |id: &str, for_whom: Option<&str>| {
        let actor = ActorContext::user(id).unwrap().with_role("manager").unwrap().because("on holiday");
        match for_whom {
            Some(other) => actor.acting_for(other, "deputy").unwrap(),
            None => actor,
        }
    };
    for (requester, decider, why) in [
        (("bob", None), ("bob", None), "bob, who submitted the request"),
        (("bob", None), ("dora", Some("bob")), "dora for bob, because the request was submitted by bob"),
        (("bob", None), ("bob", Some("carol")), "bob for carol, because the request was submitted by bob"),
        (("dora", Some("bob")), ("bob", None), "bob, because the request was submitted by dora for bob"),
        (("dora", Some("bob")), ("dora", None), "dora, because the request was submitted by dora for bob"),
        (("dora", Some("bob")), ("dora", Some("bob")), "dora for bob, who submitted the request"),
        (
            ("dora", Some("bob")),
            ("eve", Some("dora")),
            "eve for dora, because the request was submitted by dora for bob",
        ),
    ] {
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let intent = Intent::new("grant-role", "Access").unwrap();
        let draft = RequestDraft::new(target, intent, person(requester.0, requester.1));
        let request = submit(draft.requires_approval(ApprovalRule::role("manager").unwrap()));
        let by = person(decider.0, decider.1);
        let one = try_apply(&request, &Command::approve_requirement(by.clone(), approval("approval-1")), 1);
        assert_eq!(
            approval_error(one.unwrap_err()).to_string(),
            format!("approval approval-1 cannot be decided by {why}; somebody else has to decide it")
        );
        let all = approval_error(try_apply(&request, &Command::approve(by), 1).unwrap_err()).to_string();
        let said = match why.split_once(", because the request was") {
            Some((who, how)) => format!("{who} cannot decide it because it was{how}, so somebody else has to"),
            None => format!("{} submitted it, so somebody else has to", why.split_once(", ").unwrap().0),
        };
        assert!(all.starts_with(&said), "{all}");
        if decider == ("bob", None) && requester != decider {
            let hand_on =
                Command::delegate(person("carol", None), approval("approval-1"), ActorId::new("bob").unwrap());
            let error = try_apply(&request, &hand_on, 1).unwrap_err().to_string();
            assert!(error.contains("cannot go to bob, because the request was submitted by dora for bob"), "{error}");
        }
    }
    // One who acted for another elsewhere decides for themselves.
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), person("bob", None));
    let request = submit(draft.requires_approval(ApprovalRule::role("manager").unwrap()));
    assert!(try_apply(&request, &Command::approve(person("dora", None)), 1).is_ok());
}

#[test]
fn the_requester_decides_only_where_the_requirement_allows_it() {
    let command = Command::approve_requirement(user("requester"), approval("approval-1"));
    let request = file_with([ApprovalRule::of(actor("requester").or(actor("alice")))]);
    let error = try_apply(&request, &command, 1).unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::OwnRequest { .. }));
    let request = file_with([rule("requester").requester_may_decide()]);
    assert_eq!(apply(&request, &command, 1).state, RequestState::Approved);
}

#[test]
fn a_grant_records_who_and_what_and_the_last_one_approves_the_request() {
    let request = file_with([rule("alice"), quorum("security", 1, &["bob"])]);
    let granted =
        apply(&request, &Command::approve_requirement(user_because("alice", "fine"), approval("approval-1")), 1);
    assert_eq!(history(&granted, 3), ["Approval/Granted"]);
    let verdict = granted.approvals[0].state.verdict().unwrap();
    assert_eq!(
        (&verdict.by, verdict.at, verdict.reason.as_deref()),
        (&user_because("alice", "fine"), at(1), Some("fine"))
    );
    assert_eq!(verdict.digest, request.digest());

    let granted = grant(&granted, "bob", "approval-2", 2);
    assert_eq!(granted.state, RequestState::Approved);
    assert_eq!(history(&granted, 4), ["Approval/Granted", "Approval/QuorumSatisfied", "Lifecycle/Approved"]);
    let metadata = &granted.decisions[4].metadata;
    let expected: [(&str, Value); 5] = [
        ("approval", "approval-2".into()),
        ("target", "bob".into()),
        ("step", 2.into()),
        ("quorum_group", "security".into()),
        ("required", 1.into()),
    ];
    for (key, value) in expected {
        assert_eq!(metadata.get(key), Some(&value), "{key}");
    }
    assert_eq!(granted.decisions.last().unwrap().reason.as_deref(), Some("all approval requirements met"));
    assert_eq!(granted.updated_at, at(2));
}

#[test]
fn a_requirement_is_fulfilled_when_its_own_approvals_are_met() {
    let request = grant(&file_with([rule("alice"), rule("bob")]), "alice", "approval-1", 1);
    let fulfilled: Vec<bool> = request.requirements.iter().map(|requirement| requirement.fulfilled).collect();
    assert_eq!(fulfilled, [true, false]);
    let request = grant(&request, "bob", "approval-2", 2);
    assert!(request.requirements.iter().all(|requirement| requirement.fulfilled));
}

#[test]
fn a_rejected_requirement_rejects_the_approval_with_its_reason_and_then_the_request() {
    let mut rejection = Rejection::new("too-broad", "grants more than asked").in_category("scope");
    rejection.metadata = Metadata::new().with("limit", 3_i64).unwrap();
    let request = file_with([rule("alice"), rule("bob")]);
    let command = Command::reject_requirement(user("alice"), approval("approval-1"), Some(rejection.clone()));
    let request = apply(&request, &command, 1);
    assert_eq!(history(&request, 3), ["Approval/Rejected", "Lifecycle/Rejected"]);
    assert_eq!(request.state, RequestState::Rejected);
    let ApprovalState::Rejected { verdict, rejection: stored } = &request.approvals[0].state else {
        panic!("not rejected")
    };
    assert_eq!((verdict.at, stored.as_ref()), (at(1), Some(&Box::new(rejection))));
    assert_eq!(request.decisions[3].metadata.get("code"), Some(&Value::from("too-broad")));
    assert_eq!(request.decisions[3].metadata.get("category"), Some(&Value::from("scope")));
    assert_eq!(request.decisions[3].metadata.get("limit"), Some(&Value::from(3_i64)));
    let reason = request.decisions[4].reason.as_deref();
    assert_eq!(reason, Some("approval approval-1 was rejected: grants more than asked"));
}

#[test]
fn only_the_lowest_step_with_a_pending_approval_can_be_decided() {
    let steps = |step| Step::new(step).unwrap();
    let request =
        file_with([rule("alice").at_step(steps(3)), rule("bob").at_step(steps(7)), rule("carol").at_step(steps(3))]);
    let early = Command::approve_requirement(user("bob"), approval("approval-2"));
    let request = grant(&request, "carol", "approval-3", 1);
    assert!(matches!(approval_error(try_apply(&request, &early, 1).unwrap_err()), ApprovalError::NotYet { .. }));
    let request = grant(&request, "alice", "approval-1", 2);
    assert_eq!(apply(&request, &early, 3).state, RequestState::Approved);
}

#[test]
fn a_grant_for_another_digest_than_the_requests_is_rejected() {
    let request = file_with([rule("alice")]);
    let seen = Digest::from_bytes([1; 32]);
    let command = Command::approve_requirement_for_digest(user("alice"), approval("approval-1"), seen);
    let expected = ApprovalError::AnotherDigest { approval: approval("approval-1"), seen, current: request.digest() };
    assert_eq!(approval_error(try_apply(&request, &command, 1).unwrap_err()), expected);
    let command = Command::approve_requirement_for_digest(user("alice"), approval("approval-1"), request.digest());
    assert_eq!(apply(&request, &command, 1).state, RequestState::Approved);
}

#[test]
fn a_decision_on_a_final_request_is_rejected() {
    let request = reject(&file_with([rule("alice"), rule("bob")]), "alice", "approval-1", 1);
    let error = try_apply(&request, &Command::approve_requirement(user("bob"), approval("approval-2")), 2).unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::NotAwaitingApproval { .. }));
}

/// What an error says to do next is allowed.
#[test]
fn who_decides_too_early_or_too_late_gets_an_error_that_says_what_works_instead() {
    let by = || user_because("operator", "as agreed");
    let waiting = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    let table = [
        (submit(draft()), "approve it directly", Command::approve_request(by())),
        (waiting, "request its approvals", Command::request_approvals(by(), None)),
        (
            submit(draft().waiting_for(PendingReason::Quota)),
            "approve it directly if it has none",
            Command::approve_request(by()),
        ),
        (submit(draft().already_approved()), "reject it if it must not be", Command::reject_request(by())),
    ];
    for (request, advice, instead) in table {
        let error = try_apply(&request, &Command::approve_requirement(by(), approval("approval-1")), 1).unwrap_err();
        assert!(error.to_string().contains(advice), "{error}");
        assert!(try_apply(&request, &instead, 1).is_ok(), "{error}");
    }
}
