//! Escalation: from a time on, an approval is also for others, swept or not.

use std::time::Duration;

use mutator_governance::workflow::StaleStrategy;
use mutator_governance::workflow::{Command, decidable_by, due_command, explain, is_due, next_deadline};
use mutator_governance::{
    ActorContext, ApprovalRule, ApprovalStatus, ApprovalTarget, Error, MutationRequest, PendingReason, StateVersion,
    Status, Value, metadata_keys,
};

use crate::support::*;

fn escalating(after: u64) -> ApprovalRule {
    rule("bob").escalates_after(Duration::from_secs(after), actor("carol")).unwrap()
}

fn able(request: &MutationRequest, seconds: u64) -> Vec<&'static str> {
    let all = ["requester", "bob", "carol", "dave"];
    all.into_iter().filter(|id| !decidable_by(request, &user(id), at(seconds)).is_empty()).collect()
}

fn swept(request: &MutationRequest, seconds: u64) -> MutationRequest {
    apply(request, &due_command(request, ActorContext::system(), at(seconds)).unwrap(), seconds)
}

#[test]
fn from_its_time_on_it_is_for_both_whether_swept_or_not() {
    let request = file_with([escalating(10)]);
    assert_eq!(next_deadline(&request), Some(at(10)));
    assert_eq!((able(&request, 9), able(&request, 10)), (vec!["bob"], vec!["bob", "carol"]));
    assert_eq!(
        explain(&request, at(4)).to_string(),
        "waits for bob to decide approval-1; step 1 of 1; approval-1 is also for carol in 6 s"
    );
    assert_eq!(explain(&request, at(10)).to_string(), "waits for bob or carol to decide approval-1; step 1 of 1");
    assert!(try_apply(&request, &Command::approve(user("carol")), 9).is_err());
    for by in ["bob", "carol"] {
        assert_eq!(apply(&request, &Command::approve(user(by)), 10).state.status(), Status::Approved, "{by}");
    }

    let recorded = swept(&request, 12);
    assert_eq!(history(&recorded, request.decisions.len()), ["Approval/Escalated"]);
    let decision = recorded.decisions.last().unwrap();
    assert_eq!(decision.by, ActorContext::system().into());
    let texts = [metadata_keys::APPROVAL, metadata_keys::FROM, metadata_keys::TO]
        .map(|key| decision.metadata.get(key).cloned().unwrap());
    assert_eq!(texts, ["approval-1", "bob", "carol"].map(|text| Value::Text(text.to_owned())));
    assert!(!is_due(&recorded, at(100)), "it is recorded once");
    assert_eq!(able(&recorded, 12), ["bob", "carol"]);
}

#[test]
fn one_sweep_records_escalations_and_expiries() {
    let both = file_with([escalating(10).expiring_at(at(20)), rule("dave").expiring_at(at(20))]);
    let ended = swept(&both, 20);
    assert_eq!(ended.state.status(), Status::Rejected);
    let kinds = ["Approval/Escalated", "Approval/Expired", "Approval/Expired", "Lifecycle/Rejected"];
    assert_eq!(history(&ended, both.decisions.len()), kinds);
    assert!(!is_due(&ended, at(30)));
}

#[test]
fn it_counts_from_when_the_approvals_are_requested() {
    let waiting = submit(draft().requires_approval(escalating(10)).waiting_for(PendingReason::Quota));
    assert_eq!(next_deadline(&waiting), None);
    let asked = apply(&waiting, &Command::request_approvals(user("admin"), None), 50);
    assert_eq!(
        (next_deadline(&asked), able(&asked, 59), able(&asked, 60)),
        (Some(at(60)), vec!["bob"], vec!["bob", "carol"])
    );
    // Also in a new round, and for an approval that is added.
    let stale = submit(draft().requires_approval(escalating(10)).for_version(StateVersion::new("1").unwrap()));
    let approved = apply(&swept(&stale, 10), &Command::approve(user("carol")), 11);
    let resolve =
        Command::resolve(user("executor"), StateVersion::new("2").unwrap(), StaleStrategy::RequireRenewedApproval);
    let renewed = apply(&approved, &resolve, 100);
    assert_eq!((able(&renewed, 109), able(&renewed, 110)), (vec!["bob"], vec!["bob", "carol"]));
    assert_eq!(history(&swept(&renewed, 110), renewed.decisions.len()), ["Approval/Escalated"]);
    let added = Command::add_approval(user_because("admin", "audit"), escalating(10));
    let added = apply(&file_with([rule("dave")]), &added, 7);
    assert_eq!(next_deadline(&added), Some(at(17)));
}

#[test]
fn an_escalation_that_can_come_keeps_a_request_possible() {
    let from_nobody = rule("requester").escalates_after(Duration::from_secs(10), actor("carol")).unwrap();
    let request = file_with([from_nobody]);
    assert_eq!((able(&request, 9), able(&request, 10)), (vec![], vec!["carol"]));
    let pair = quorum("pair", 2, &["bob", "dave"]).rejected_when_impossible();
    let pair = pair.escalates_after(Duration::from_secs(10), ApprovalTarget::role("director").unwrap()).unwrap();
    let request = file_with([pair]);
    let half = grant(&request, "bob", "approval-1", 1);
    assert_eq!(half.approvals[1].state.status(), ApprovalStatus::Pending);
    let director = ActorContext::user("erin").unwrap().with_role("director").unwrap();
    assert_eq!(apply(&half, &Command::approve(director), 10).state.status(), Status::Approved);
    // The same person does not count twice after it either.
    let same = quorum("pair", 2, &["bob", "dave"]).escalates_after(Duration::from_secs(10), actor("bob")).unwrap();
    let half = grant(&file_with([same]), "bob", "approval-1", 1);
    assert_eq!(able(&half, 10), ["dave"]);
}

#[test]
fn an_escalation_at_once_or_after_the_expiry_is_an_error() {
    assert!(rule("bob").escalates_after(Duration::ZERO, actor("carol")).is_err());
    assert!(rule("bob").escalates_after(Duration::from_nanos(999), actor("carol")).is_err());
    for expiry in [9, 10] {
        let error = try_file(draft().requires_approval(escalating(10).expiring_at(at(expiry)))).unwrap_err();
        assert!(matches!(error, Error::InvalidApprovalConfiguration { .. }), "{error}");
    }
    assert!(try_file(draft().requires_approval(escalating(10).expiring_at(at(11)))).is_ok());
    let add = Command::add_approval(user_because("admin", "audit"), escalating(10).expiring_at(at(15)));
    assert!(matches!(try_apply(&file_with([rule("dave")]), &add, 5), Err(Error::InvalidApprovalConfiguration { .. })));
}
