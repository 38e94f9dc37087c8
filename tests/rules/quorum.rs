//! Quorum groups.

use mutator_governance::workflow::{Command, decidable_by, due_command, explain};
use mutator_governance::{
    ActorContext, ApprovalRule, ApprovalStatus, ApprovalTarget, Error, MutationRequest, QuorumGroup, RequestDraft,
    RequestState, Status, Step, Value,
};

use crate::support::{
    actor, apply, approval, at, draft, file_with, grant, history, quorum, reject, rule, try_apply, try_file, user,
};

fn statuses(request: &MutationRequest) -> Vec<ApprovalStatus> {
    request.approvals.iter().map(|approval| approval.state.status()).collect()
}

#[test]
fn when_a_group_reaches_n_its_remaining_pending_ones_become_satisfied() {
    use ApprovalStatus::{Approved, Pending, Satisfied};
    let request = file_with([quorum("security", 2, &["bob", "carol", "dave"]), rule("alice")]);
    let request = grant(&request, "dave", "approval-3", 1);
    assert_eq!(statuses(&request), [Pending, Pending, Approved, Pending]);
    assert_eq!(history(&request, 3), ["Approval/Granted"]);
    let request = grant(&request, "bob", "approval-1", 2);
    assert_eq!(statuses(&request), [Approved, Satisfied, Approved, Pending]);
    assert_eq!(history(&request, 4), ["Approval/Granted", "Approval/QuorumSatisfied"]);
    let cause = request.approvals[1].state.cause().unwrap();
    assert_eq!((&cause.by, cause.at), (&user("bob"), at(2)), "whose grant made the quorum");
    assert_eq!(cause.reason.as_deref(), Some("quorum group security has its 2 grants"));
    assert_eq!(cause.reason, request.decisions[5].reason);
    let satisfied = Value::List(vec!["approval-2".into()]);
    assert_eq!(request.decisions[5].metadata.get("satisfied"), Some(&satisfied));
    assert!(request.state.awaits_approval(), "step 2 is still open");
    assert_eq!(grant(&request, "alice", "approval-4", 3).state, RequestState::Approved);
}

#[test]
fn a_group_of_all_its_members_is_satisfied_by_the_last_of_them() {
    let request = file_with([quorum("security", 2, &["bob", "carol"])]);
    let request = grant(&grant(&request, "bob", "approval-1", 1), "carol", "approval-2", 2);
    assert_eq!(history(&request, 4), ["Approval/Granted", "Approval/QuorumSatisfied", "Lifecycle/Approved"]);
}

#[test]
fn several_groups_in_one_step_all_have_to_be_met() {
    let security = quorum("security", 1, &["bob", "carol"]).at_step(Step::FIRST);
    let legal = quorum("legal", 1, &["dave", "erin"]).at_step(Step::FIRST);
    let request = file_with([security, legal, rule("alice").at_step(Step::new(2).unwrap())]);
    let request = grant(&request, "erin", "approval-4", 1);
    let early = Command::approve_requirement(user("alice"), approval("approval-5"));
    assert!(try_apply(&request, &early, 2).is_err(), "security is not met");
    let request = grant(&request, "bob", "approval-1", 2);
    assert_eq!(apply(&request, &early, 3).state, RequestState::Approved);
}

#[test]
fn one_actor_may_vote_in_two_groups() {
    let security = quorum("security", 1, &["bob", "carol"]).at_step(Step::FIRST);
    let legal = quorum("legal", 1, &["bob", "erin"]).at_step(Step::FIRST);
    let request = grant(&file_with([security, legal]), "bob", "approval-1", 1);
    assert_eq!(grant(&request, "bob", "approval-3", 2).state, RequestState::Approved);
}

#[test]
fn by_default_any_rejection_in_a_group_rejects_the_request() {
    let request = file_with([quorum("security", 1, &["bob", "carol", "dave"])]);
    let request = reject(&request, "bob", "approval-1", 1);
    assert_eq!(request.state, RequestState::Rejected);
    assert_eq!(history(&request, 3), ["Approval/Rejected", "Lifecycle/Rejected"]);
}

#[test]
fn a_group_may_be_rejected_only_when_its_quorum_has_become_impossible() {
    let open = file_with([quorum("security", 2, &["bob", "carol", "dave"]).rejected_when_impossible()]);
    let one = reject(&open, "bob", "approval-1", 1);
    assert!(one.state.awaits_approval());
    assert_eq!(history(&one, 3), ["Approval/Rejected"]);
    let two = reject(&one, "carol", "approval-2", 2);
    assert_eq!(two.state, RequestState::Rejected);
    assert_eq!(history(&two, 4), ["Approval/Rejected", "Lifecycle/Rejected"]);

    let granted = grant(&grant(&one, "carol", "approval-2", 2), "dave", "approval-3", 3);
    assert_eq!(granted.state, RequestState::Approved, "two of the remaining two granted");
    assert!(granted.requirements[0].fulfilled);
}

#[test]
fn the_requester_and_who_has_voted_no_longer_make_a_quorum_possible() {
    let open = file_with([quorum("security", 2, &["requester", "bob", "carol"]).rejected_when_impossible()]);
    let rejected = reject(&open, "bob", "approval-2", 1);
    assert_eq!(rejected.state, RequestState::Rejected, "carol alone is left");
    assert_eq!(rejected.decisions.last().unwrap().reason.as_deref(), Some("approval approval-2 was rejected"));

    let member = |name: &str| quorum("security", 2, &[name, name]).at_step(Step::FIRST);
    let open = file_with([member("bob"), member("carol").expiring_at(at(40))]);
    let voted = grant(&open, "bob", "approval-1", 1);
    assert!(voted.state.awaits_approval(), "carol can still grant");
    let swept = apply(&voted, &Command::expire_approvals(ActorContext::system()), 40);
    assert_eq!(swept.state, RequestState::Rejected, "bob has granted one, and cannot grant his other");
}

#[test]
fn a_role_or_a_group_may_always_have_somebody_more() {
    let manager = || mutator_governance::ApprovalTarget::role("manager").unwrap();
    let members = [actor("bob"), manager(), manager().or(actor("bob"))];
    let open = file_with([ApprovalRule::quorum("security", 2, members).unwrap().rejected_when_impossible()]);
    let rejected = reject(&open, "bob", "approval-1", 1);
    assert!(rejected.state.awaits_approval(), "two managers nobody has heard of");
}

/// Bob takes the place of carol, and his vote moves to his own when she comes.
#[test]
fn whoever_votes_first_takes_nobodys_place() {
    let open = file_with([ApprovalRule::quorum("pair", 2, [actor("bob").or(actor("carol")), actor("bob")]).unwrap()]);
    assert_eq!(offered(&open, "bob", 1), ["approval-1", "approval-2"]);
    assert_eq!(offered(&open, "carol", 1), ["approval-1"]);
    for (first, then) in [("approval-1", "approval-2"), ("approval-2", "approval-1")] {
        let voted = grant(&open, "bob", first, 1);
        assert_eq!(offered(&voted, "carol", 2), [then]);
        assert_eq!(grant(&voted, "carol", then, 2).state, RequestState::Approved);
        let rejected = reject(&voted, "carol", then, 2);
        assert_eq!(rejected.state, RequestState::Rejected);
        let holder = |place: usize| rejected.approvals[place].state.verdict().unwrap().by.id.clone().unwrap();
        assert_eq!((holder(0).as_str(), holder(1).as_str()), ("carol", "bob"));
    }
}

fn offered(request: &MutationRequest, by: &str, seconds: u64) -> Vec<String> {
    decidable_by(request, &user(by), at(seconds)).iter().map(|approval| approval.id.to_string()).collect()
}

#[test]
fn whoever_has_a_role_and_is_named_can_take_either_place() {
    let manager = || ApprovalTarget::role("manager").unwrap();
    let bob = ActorContext::user("bob").unwrap().with_role("manager").unwrap();
    let open = file_with([ApprovalRule::quorum("pair", 2, [manager(), actor("bob")]).unwrap()]);
    let voted = apply(&open, &Command::approve_requirement(bob, approval("approval-1")), 1);
    let dora = ActorContext::user("dora").unwrap().with_role("manager").unwrap();
    let ids: Vec<&str> = decidable_by(&voted, &dora, at(1)).iter().map(|approval| approval.id.as_str()).collect();
    assert_eq!(ids, ["approval-2"], "where the vote of bob goes");
    assert!(explain(&voted, at(1)).to_string().contains("approval-2 by anyone with role manager except bob"));
    let met = apply(&voted, &Command::approve(dora), 2);
    assert_eq!(met.state, RequestState::Approved);
    assert_eq!(met.approvals[1].state.verdict().unwrap().at, at(1), "the vote keeps its time");
}

/// The vote of bob was in time for what has expired since; one that comes now is not.
#[test]
fn a_vote_moves_only_to_what_is_open_and_only_if_it_was_in_time() {
    let member = |target: ApprovalTarget| ApprovalRule::quorum("team", 1, [target]).unwrap().at_step(Step::FIRST);
    let rules = [member(actor("bob").or(actor("carol"))), member(actor("bob")).expiring_at(at(10))];
    let mut document = file_with(rules).into_document();
    for approval in &mut document.approvals {
        approval.quorum.as_mut().unwrap().required = 2.try_into().unwrap();
    }
    let open = MutationRequest::from_document(document, file_with([rule("bob")]).revision()).unwrap();
    let voted = grant(&open, "bob", "approval-1", 9);
    assert_eq!(offered(&voted, "carol", 9), ["approval-2"]);
    assert_eq!(offered(&voted, "carol", 10), Vec::<String>::new(), "approval-2 has expired, swept or not");
    let voted = grant(&open, "bob", "approval-2", 9);
    assert_eq!(offered(&voted, "carol", 10), ["approval-1"], "bob voted in time");
    assert_eq!(grant(&voted, "carol", "approval-1", 10).state, RequestState::Approved);
}

/// Who granted rejected nothing, and neither did who rejected in a group that goes on without them.
#[test]
fn what_has_become_impossible_by_time_waits_for_the_sweep() {
    let late = rule("alice").at_step(Step::new(2).unwrap()).expiring_at(at(10));
    let security = quorum("security", 2, &["bob", "carol", "dave"]).rejected_when_impossible().at_step(Step::FIRST);
    let open = file_with([security, late]);
    assert!(explain(&open, at(10)).impossible().next().is_some());
    for (decided, kind) in [
        (grant(&open, "bob", "approval-1", 10), "Approval/Granted"),
        (reject(&open, "bob", "approval-1", 10), "Approval/Rejected"),
    ] {
        assert!(decided.state.awaits_approval());
        assert_eq!(history(&decided, 3), [kind]);
        let swept = apply(&decided, &due_command(&decided, user("sweeper"), at(10)).unwrap(), 10);
        assert_eq!(history(&swept, 4), ["Approval/Expired", "Lifecycle/Rejected"]);
        let names = swept.decisions[4..].iter().map(|decision| decision.by.id.as_ref().unwrap().as_str());
        assert!(names.eq(["sweeper", "sweeper"]));
    }
}

#[test]
fn what_those_named_cannot_grant_is_rejected_when_it_is_filed() {
    let table = [
        ("the requester alone", rule("requester")),
        ("the requester among two", quorum("security", 2, &["bob", "requester"])),
        ("one person twice", quorum("security", 2, &["bob", "bob"])),
        (
            "two people for three places",
            ApprovalRule::quorum("security", 3, [actor("bob"), actor("bob").or(actor("carol")), actor("carol")])
                .unwrap(),
        ),
    ];
    for (case, rule) in table {
        let error = try_file(draft().requires_approval(rule)).unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{case}: {error}");
        assert!(error.to_string().contains("name further actors, a role or a group"), "{case}: {error}");
    }
    let allowed = [
        rule("requester").requester_may_decide(),
        quorum("security", 2, &["bob", "requester"]).requester_may_decide(),
        quorum("security", 1, &["bob", "requester"]),
        rule("alice").expiring_at(at(1)),
    ];
    allowed.into_iter().map(|rule| RequestDraft::requires_approval(draft(), rule)).for_each(|draft| {
        assert!(try_file(draft).is_ok());
    });
}

#[test]
fn an_overdue_approval_no_longer_makes_a_quorum_possible() {
    let member = |name: &str, seconds| {
        let rule = quorum("security", 1, &[name]).rejected_when_impossible().at_step(Step::FIRST);
        rule.expiring_at(at(seconds))
    };
    let open = file_with([member("bob", 100), member("carol", 10)]);
    assert!(reject(&open, "bob", "approval-1", 9).state.awaits_approval(), "carol can still grant");
    let rejected = reject(&open, "bob", "approval-1", 10);
    assert!(rejected.state.awaits_approval(), "not by votes alone");
    let swept = apply(&rejected, &Command::expire_approvals(user("sweeper")), 10);
    assert_eq!(history(&swept, 4), ["Approval/Expired", "Lifecycle/Rejected"]);
    assert_eq!(swept.decisions.last().unwrap().by.id.as_ref().unwrap().as_str(), "sweeper");
}

#[test]
fn approvals_of_two_rules_can_share_a_group() {
    let member = |name: &str, seconds| quorum("security", 1, &[name]).at_step(Step::FIRST).expiring_at(at(seconds));
    let request = file_with([member("bob", 10), member("carol", 20)]);
    let request = grant(&request, "carol", "approval-2", 1);
    assert_eq!(request.state, RequestState::Approved);
    assert!(request.requirements.iter().all(|requirement| requirement.fulfilled));
}

#[test]
fn a_stored_group_whose_members_disagree_is_rejected() {
    let request = file_with([quorum("security", 1, &["bob", "carol"])]);
    let (mut document, revision) = (request.document().clone(), request.revision());
    document.approvals[0].quorum.as_mut().unwrap().group = QuorumGroup::new("legal").unwrap();
    assert!(MutationRequest::from_document(document.clone(), revision).is_ok());
    document.approvals[0].quorum.as_mut().unwrap().required = 2.try_into().unwrap();
    let error = MutationRequest::from_document(document, revision).unwrap_err();
    assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }));
    assert_eq!(request.state.status(), Status::Pending);
}
