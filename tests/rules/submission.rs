//! What a submission records.

use mutator_governance::{
    ApprovalRule, DeciderRule, Error, Metadata, Pending, PendingReason, RequestState, Requirement, Revision, Status,
    Step, Value, WriteId, workflow,
};

use crate::support::{approval, at, draft, file_with, history, id, quorum, rule, submit, try_file, user};

#[test]
fn filing_records_submitted_and_then_what_the_request_waits_for() {
    let table = [
        (draft(), Status::Created, vec!["Lifecycle/Submitted"]),
        (draft().already_approved(), Status::Approved, vec!["Lifecycle/Submitted", "Lifecycle/Approved"]),
        (
            draft().waiting_for(PendingReason::Schedule),
            Status::Pending,
            vec!["Lifecycle/Submitted", "Lifecycle/Pending"],
        ),
        (
            draft().requires_approval(rule("alice")),
            Status::Pending,
            vec!["Lifecycle/Submitted", "Lifecycle/Pending", "Approval/Requested"],
        ),
    ];
    for (draft, status, decisions) in table {
        let request = submit(draft);
        assert_eq!(request.state.status(), status);
        assert_eq!(history(&request, 0), decisions);
        assert!(request.decisions.iter().all(|decision| decision.at == at(0) && decision.by == user("requester")));
        assert_eq!(request.revision(), Revision::first(WriteId::from_bytes([7; 16])));
        assert_eq!((request.created_at, request.updated_at), (at(0), at(0)));
    }
}

#[test]
fn requested_says_how_many_approvals_are_asked_for() {
    let request = file_with([rule("alice"), quorum("security", 2, &["bob", "carol", "dave"])]);
    let requested = request.decisions.last().unwrap();
    assert_eq!(requested.metadata.get("approvals"), Some(&Value::Integer(4)));
    assert_eq!(requested.metadata.get("missing"), Some(&Value::Integer(3)));
}

#[test]
fn each_approval_says_what_its_rule_says() {
    let metadata = Metadata::new().with("ticket", "CHG-7").unwrap();
    let rule = quorum("security", 2, &["bob", "carol"]).described_as("that keys are rotated").named("Security");
    let request = file_with([rule.with_metadata(metadata.clone()).expiring_at(at(60)), rule_of_alice()]);
    for approval in &request.approvals[..2] {
        assert_eq!(approval.description, "that keys are rotated");
        assert_eq!((approval.name.as_deref(), &approval.metadata), (Some("Security"), &metadata));
        assert_eq!(approval.expires_at, Some(at(60)));
        assert_eq!(approval.quorum.as_ref().unwrap().required.get(), 2);
        assert_eq!(approval.decider, DeciderRule::NotTheRequester);
    }
    let plain = &request.approvals[2];
    assert_eq!((plain.description.as_str(), &plain.name, &plain.metadata), ("", &None, &Metadata::new()));
    assert_eq!((plain.expires_at, &plain.quorum, plain.decider), (None, &None, DeciderRule::Anyone));
    let descriptions: Vec<&str> = request.requirements.iter().map(|demand| demand.description.as_str()).collect();
    assert_eq!(descriptions, ["that keys are rotated", ""]);
}

fn rule_of_alice() -> ApprovalRule {
    rule("alice").requester_may_decide()
}

#[test]
fn the_drafts_own_id_wins_over_the_generated_one() {
    let request = workflow::submit(draft(), id("generated"), WriteId::from_bytes([1; 16]), at(0)).unwrap();
    assert_eq!(request.id, id("generated"));
    let request = workflow::submit(draft().with_id(id("own")), id("generated"), WriteId::from_bytes([1; 16]), at(0));
    assert_eq!(request.unwrap().id, id("own"));
}

#[test]
fn a_rule_without_a_step_gets_its_ordinal_among_the_rules() {
    let request = file_with([rule("alice"), quorum("security", 1, &["bob", "carol"]), rule("dave")]);
    let steps: Vec<u32> = request.approvals.iter().map(|approval| approval.step.number()).collect();
    assert_eq!(steps, [1, 2, 2, 3]);
    let request = file_with([rule("alice").at_step(Step::new(5).unwrap()), rule("bob")]);
    let steps: Vec<u32> = request.approvals.iter().map(|approval| approval.step.number()).collect();
    assert_eq!(steps, [5, 2]);
}

#[test]
fn approvals_are_numbered_through_the_request_or_called_by_their_rules_id() {
    let named = quorum("security", 1, &["bob", "carol"]).with_id(approval("sec"));
    let request = file_with([rule("alice"), named, rule("dave"), rule("erin").with_id(approval("last"))]);
    let ids: Vec<&str> = request.approvals.iter().map(|approval| approval.id.as_str()).collect();
    assert_eq!(ids, ["approval-1", "sec-1", "sec-2", "approval-4", "last"]);
}

#[test]
fn each_rule_becomes_one_requirement_of_kind_approval_after_the_other_requirements() {
    let two_factor = Requirement::new("TwoFactor", "confirm by token").unwrap();
    let request = submit(draft().requires_approval(quorum("security", 1, &["bob", "carol"])).requires(two_factor));
    let kinds: Vec<&str> = request.requirements.iter().map(|requirement| requirement.kind.as_str()).collect();
    assert_eq!(kinds, ["TwoFactor", "Approval"]);
    assert!(request.requirements.iter().all(|requirement| !requirement.fulfilled));
    let ids = Value::List(vec!["approval-1".into(), "approval-2".into()]);
    assert_eq!(request.requirements[1].data.get("approvals"), Some(&ids));
}

#[test]
fn a_draft_that_contradicts_itself_is_rejected() {
    let demand = Requirement::new("Approval", "somebody").unwrap();
    let other_step = |required| quorum("security", required, &["erin", "frank"]).at_step(Step::new(1).unwrap());
    let table = [
        ("approved already with rules", draft().requires_approval(rule("alice")).already_approved()),
        ("approval without rules", draft().waiting_for(PendingReason::Approval)),
        ("approval demanded of nobody", draft().requires(demand)),
        (
            "two approvals of one id",
            draft()
                .requires_approval(rule("alice").with_id(approval("approval-2")))
                .requires_approval(rule("bob").with_id(approval("approval-2"))),
        ),
        (
            "one group in two steps",
            draft().requires_approval(quorum("security", 1, &["bob", "carol"])).requires_approval(quorum(
                "security",
                1,
                &["dave", "erin"],
            )),
        ),
        (
            "one group with two quorums",
            draft().requires_approval(quorum("security", 1, &["bob", "carol"])).requires_approval(other_step(2)),
        ),
    ];
    for (case, draft) in table {
        let error = try_file(draft).unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{case}: {error}");
    }
}

#[test]
fn a_quorum_of_none_or_of_more_than_its_members_is_rejected() {
    for required in [0, 3] {
        let members = ["bob", "carol"].map(crate::support::actor);
        let error = ApprovalRule::quorum("security", required, members).unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
}

#[test]
fn an_approval_id_that_its_number_makes_too_long_is_rejected() {
    let long = approval(&"x".repeat(127));
    let error = try_file(draft().requires_approval(quorum("security", 1, &["bob", "carol"]).with_id(long)));
    assert!(matches!(error, Err(Error::Invalid(_))));
}

#[test]
fn approvals_wait_for_another_reason_first_and_keep_an_expiry_given_for_approval() {
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(PendingReason::Schedule));
    assert_eq!(request.state, RequestState::Pending(PendingReason::Schedule.into()));
    assert_eq!(history(&request, 0), ["Lifecycle/Submitted", "Lifecycle/Pending"]);
    let until = Pending { reason: PendingReason::Approval, expires_at: Some(at(60)) };
    let request = submit(draft().requires_approval(rule("alice")).waiting_for(until));
    assert_eq!(request.state, RequestState::Pending(until));
    assert_eq!(history(&request, 2), ["Approval/Requested"]);
}

#[test]
fn the_reviewed_version_is_the_expected_one() {
    let version = mutator_governance::StateVersion::new("v1").unwrap();
    let request = submit(draft().for_version(version.clone()));
    assert_eq!(request.versioning.expected, Some(version.clone()));
    assert_eq!(request.versioning.reviewed, Some(version));
}

#[test]
fn a_number_that_a_rule_names_as_an_id_is_not_given_to_another() {
    let named = |id: &str, by: &str| rule(by).with_id(approval(id));
    let request = file_with([named("approval-2", "alice"), rule("bob"), rule("carol"), named("approval-3", "dave")]);
    let ids: Vec<_> = request.approvals.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["approval-2", "approval-4", "approval-5", "approval-3"]);
}
