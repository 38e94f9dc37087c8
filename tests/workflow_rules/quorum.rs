use mutator_governance::workflow::Command;
use mutator_governance::{ApprovalStatus, Error, MutationRequest, QuorumGroup, RequestState, Status, Step, Value};

use crate::support::{apply, approval, at, file_with, grant, history, quorum, refuse, rule, try_apply, user};

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
    let early = Command::grant(user("alice"), approval("approval-5"));
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
    let request = refuse(&request, "bob", "approval-1", 1);
    assert_eq!(request.state, RequestState::Rejected);
    assert_eq!(history(&request, 3), ["Approval/Rejected", "Lifecycle/Rejected"]);
}

#[test]
fn a_group_may_be_rejected_only_when_its_quorum_has_become_impossible() {
    let open = file_with([quorum("security", 2, &["bob", "carol", "dave"]).rejected_when_impossible()]);
    let one = refuse(&open, "bob", "approval-1", 1);
    assert!(one.state.awaits_approval());
    assert_eq!(history(&one, 3), ["Approval/Rejected"]);
    let two = refuse(&one, "carol", "approval-2", 2);
    assert_eq!(two.state, RequestState::Rejected);
    assert_eq!(history(&two, 4), ["Approval/Rejected", "Lifecycle/Rejected"]);

    let granted = grant(&grant(&one, "carol", "approval-2", 2), "dave", "approval-3", 3);
    assert_eq!(granted.state, RequestState::Approved, "two of the remaining two granted");
    assert!(granted.requirements[0].fulfilled);
}

#[test]
fn an_overdue_approval_no_longer_makes_a_quorum_possible() {
    let member = |name: &str, seconds| {
        let rule = quorum("security", 1, &[name]).rejected_when_impossible().at_step(Step::FIRST);
        rule.expiring_at(at(seconds))
    };
    let open = file_with([member("bob", 100), member("carol", 10)]);
    assert!(refuse(&open, "bob", "approval-1", 9).state.awaits_approval(), "carol can still grant");
    assert_eq!(refuse(&open, "bob", "approval-1", 10).state, RequestState::Rejected, "carol cannot any more");
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
fn a_stored_group_whose_members_disagree_is_refused() {
    let request = file_with([quorum("security", 1, &["bob", "carol"])]);
    let (mut document, revision) = (request.document().clone(), request.revision());
    document.approvals[0].quorum.as_mut().unwrap().group = QuorumGroup::new("legal").unwrap();
    assert!(MutationRequest::from_document(document.clone(), revision).is_ok());
    document.approvals[0].quorum.as_mut().unwrap().required = 2.try_into().unwrap();
    let error = MutationRequest::from_document(document, revision).unwrap_err();
    assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }));
    assert_eq!(request.state.status(), Status::Pending);
}
