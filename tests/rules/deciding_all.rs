//! One approval or rejection decides all that its actor may decide now; where that is nothing, the error says why.

use std::sync::Arc;

use mutator_governance::workflow::{Command, decidable_by, explain};
use mutator_governance::{
    ActorContext, ApprovalError, ApprovalRule, ApprovalStatus, ApprovalTarget, Error, MutationRequest, NothingToDecide,
    Payload, Rejection, RequestDraft, Status, Step, Timestamp, Value,
};

use crate::support::{
    actor, apply, approval, approval_error, at, draft, file_with, grant, history, quorum, rule, submit, try_apply,
    user, user_because,
};

fn first(rule: ApprovalRule) -> ApprovalRule {
    rule.at_step(Step::FIRST)
}

fn manager(id: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap().with_role("manager").unwrap())
}

fn approve_all(request: &MutationRequest, by: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::approve(user(by)), seconds)
}

fn statuses(request: &MutationRequest) -> Vec<ApprovalStatus> {
    request.approvals.iter().map(|approval| approval.state.status()).collect()
}

fn voted(request: &MutationRequest) -> Vec<&str> {
    let voted = request.approvals.iter().filter(|approval| approval.state.verdict().is_some());
    voted.map(|approval| approval.id.as_str()).collect()
}

/// The reason, and the sentence after the id of the request.
fn nothing_for(request: &MutationRequest, by: Arc<ActorContext>, seconds: u64) -> (NothingToDecide, String) {
    for command in [Command::approve(Arc::clone(&by)), Command::reject(Arc::clone(&by), None)] {
        assert!(try_apply(request, &command, seconds).is_err());
        assert_eq!(decidable_by(request, &by, at(seconds)), Vec::<&mutator_governance::Approval>::new());
    }
    let error = try_apply(request, &Command::approve(by), seconds).unwrap_err();
    let sentence = error.to_string();
    let sentence = sentence.strip_prefix("request request-1: ").expect("it names the request").to_owned();
    match approval_error(error) {
        ApprovalError::NothingToDecide { why, explanation, .. } => {
            let explained = explain(request, at(seconds)).to_string();
            assert_eq!(explanation, explained);
            (why, sentence.replace(&explained, "…"))
        }
        other => panic!("another error: {other}"),
    }
}

#[test]
fn each_approval_that_stands_alone_and_one_of_each_group_is_approved_in_one_write() {
    let request = file_with([
        first(rule("alice")),
        first(rule("bob")),
        first(quorum("board", 1, &["alice", "bob"])),
        first(quorum("security", 2, &["carol", "alice", "bob"])),
        first(rule("alice")),
    ]);
    let known = request.decisions.len();
    let approved = approve_all(&request, "alice", 1);
    use ApprovalStatus::{Approved, Pending, Satisfied};
    let expected = [Approved, Pending, Approved, Satisfied, Pending, Approved, Pending, Approved];
    assert_eq!(statuses(&approved), expected);
    let kinds = ["Granted", "Granted", "QuorumSatisfied", "Granted", "Granted"].map(|kind| format!("Approval/{kind}"));
    assert_eq!(history(&approved, known), kinds);
    let done = approve_all(&approved, "bob", 2);
    assert_eq!(done.state.status(), Status::Approved, "bob is the last");
    assert_eq!(history(&done, approved.decisions.len()).last().unwrap(), "Lifecycle/Approved");
}

#[test]
fn a_step_that_becomes_active_by_the_approval_takes_another_one() {
    let request = file_with([rule("alice"), rule("alice")]);
    let once = approve_all(&request, "alice", 1);
    assert_eq!((voted(&once), once.state.status()), (vec!["approval-1"], Status::Pending));
    let twice = approve_all(&once, "alice", 2);
    assert_eq!(twice.state.status(), Status::Approved);
}

#[test]
fn of_a_group_the_approval_is_taken_that_fewest_others_could_decide() {
    let either = || actor("alice").or(actor("bob"));
    let role = || ApprovalTarget::role("manager").unwrap();
    for (members, taken) in [
        (vec![role(), actor("alice").or(actor("carol")), actor("alice")], "approval-3"),
        (vec![role().or(actor("x")), either(), role()], "approval-2"),
        (vec![role().or(ApprovalTarget::group("lead").unwrap()), role()], "approval-2"),
        (vec![either(), either()], "approval-1"),
        // Alone, alice has to take the one that names only her, or the group would lose her.
        (vec![either(), actor("alice")], "approval-2"),
    ] {
        let required = u32::try_from(members.len()).unwrap();
        let request = file_with([ApprovalRule::quorum("board", required, members.clone()).unwrap()]);
        let approved = apply(&request, &Command::approve(manager("alice")), 1);
        assert_eq!(voted(&approved), [taken], "{members:?}");
    }
    // What a vote leaves to others lasts longest.
    let ends = [Some(30), Some(20), None, Some(20)];
    let mut document = file_with([quorum("board", 2, &["alice", "bob", "carol", "dave"])]).into_document();
    for (approval, end) in document.approvals.iter_mut().zip(ends) {
        approval.target = either();
        approval.expires_at = end.map(at);
    }
    let revision = submit(draft()).revision();
    let request = MutationRequest::from_document(document, revision).unwrap();
    assert_eq!(voted(&approve_all(&request, "alice", 1)), ["approval-2"]);
    assert_eq!(voted(&approve_all(&request, "alice", 20)), ["approval-1"], "what has expired is not chosen");
}

#[test]
fn an_approval_is_bound_to_the_digest_that_was_seen() {
    let draft = draft().with_payload(Payload::new("text/plain", b"viewer".to_vec()).unwrap());
    let request = submit(draft.requires_approval(rule("alice")));
    let approved = apply(&request, &Command::approve_for_digest(user("alice"), request.digest()), 1);
    assert_eq!(approved.state.status(), Status::Approved);
    let other = submit(crate::support::draft().requires_approval(rule("alice")));
    let error = try_apply(&other, &Command::approve_for_digest(user("alice"), request.digest()), 1).unwrap_err();
    assert!(matches!(approval_error(error), ApprovalError::AnotherDigest { .. }));
}

#[test]
fn a_rejection_rejects_all_at_once_and_the_request_once() {
    let lenient = quorum("board", 1, &["alice", "bob"]).rejected_when_impossible();
    let request = file_with([first(rule("alice")), first(lenient), first(rule("bob")), first(rule("alice"))]);
    let rejection = Rejection::new("E1", "not before the audit");
    let known = request.decisions.len();
    let rejected = apply(&request, &Command::reject(user("alice"), Some(rejection.clone())), 1);
    let kinds = ["Approval/Rejected", "Approval/Rejected", "Approval/Rejected", "Lifecycle/Rejected"];
    assert_eq!(history(&rejected, known), kinds);
    let end = rejected.decisions.last().unwrap();
    assert_eq!(
        end.reason.as_deref(),
        Some("approvals approval-1 and approval-5 were rejected: not before the audit"),
        "the group could go on"
    );
    let ids = Value::List(vec![Value::from("approval-1"), Value::from("approval-5")]);
    assert_eq!(end.metadata.get("rejected"), Some(&ids));
    assert_eq!(end.metadata.get("approval"), None);

    let lenient = quorum("board", 1, &["alice", "bob"]).rejected_when_impossible();
    let group = file_with([lenient]);
    let waiting = apply(&group, &Command::reject(user("alice"), None), 1);
    assert_eq!((waiting.state.status(), voted(&waiting)), (Status::Pending, vec!["approval-1"]));
    let rejected = apply(&waiting, &Command::reject(user_because("bob", "too early"), None), 2);
    let end = rejected.decisions.last().unwrap();
    assert_eq!(end.reason.as_deref(), Some("approval approval-2 was rejected: too early"));
    assert_eq!(end.metadata.get("approval"), Some(&Value::from("approval-2")));

    let blank = try_apply(&group, &Command::reject(user("alice"), Some(Rejection::new("E1", " "))), 1);
    assert!(matches!(blank, Err(Error::Invalid(_))), "{blank:?}");
}

#[test]
fn who_has_nothing_to_decide_learns_why_and_whom_the_request_waits_for() {
    let request = file_with([
        first(rule("alice")),
        first(quorum("board", 2, &["alice", "bob", "carol"])),
        rule("dave").at_step(Step::new(2).unwrap()).expiring_at(at(50)),
        rule("erin").at_step(Step::new(3).unwrap()),
        first(rule("requester").requester_may_decide()),
    ]);
    let ids = |ids: &[&str]| -> Vec<_> { ids.iter().map(|id| approval(id)).collect() };
    let alice_has_voted = approve_all(&request, "alice", 1);
    let (why, sentence) = nothing_for(&alice_has_voted, user("alice"), 2);
    assert_eq!(why, NothingToDecide::Voted { approvals: ids(&["approval-1", "approval-2"]) });
    assert_eq!(sentence, "alice has voted already, on approval-1 and approval-2; it …");

    let (why, sentence) = nothing_for(&request, user("dave"), 1);
    let (step, active) = (Step::new(2).unwrap(), Step::FIRST);
    assert_eq!(why, NothingToDecide::NotYet { approvals: ids(&["approval-5"]), step, active });
    assert_eq!(sentence, "dave can decide approval-5 only after the earlier steps; it …");

    let anonymous = Arc::new(ActorContext::system().with_role("manager").unwrap());
    let (why, _) = nothing_for(&request, anonymous.clone(), 1);
    assert_eq!(why, NothingToDecide::Anonymous);
    let error = try_apply(&request, &Command::approve(anonymous), 1).unwrap_err();
    assert_eq!(error.to_string(), "request request-1: an actor without an id can decide nothing; give the actor's id");

    let bob_done = approve_all(&alice_has_voted, "bob", 3);
    let in_step_2 = approve_all(&bob_done, "requester", 4);
    let (why, sentence) = nothing_for(&in_step_2, user("dave"), 50);
    assert_eq!(why, NothingToDecide::Expired { approvals: ids(&["approval-5"]), expired_at: at(50) });
    assert_eq!(sentence, "dave could decide approval-5 only until 2026-01-01T00:00:50Z; it …");
    let (why, sentence) = nothing_for(&in_step_2, user("carol"), 5);
    assert_eq!(why, NothingToDecide::Decided { approvals: ids(&["approval-4"]) });
    assert_eq!(sentence, "approval-4 is decided already, and no other approval is for carol; it …");
    let (why, sentence) = nothing_for(&in_step_2, user("alice"), 5);
    assert_eq!(why, NothingToDecide::Decided { approvals: ids(&["approval-1", "approval-2"]) });
    assert_eq!(sentence, "approval-1 and approval-2 are decided already, and no other approval is for alice; it …");

    let (why, sentence) = nothing_for(&in_step_2, user("mallory"), 5);
    assert_eq!(why, NothingToDecide::NotAddressed { addressed: vec![(approval("approval-5"), actor("dave"))] });
    assert_eq!(sentence, "none of its approvals is for mallory, by id, role or group; it …");
}

#[test]
fn a_requester_learns_that_somebody_else_has_to_decide() {
    let target = ApprovalTarget::role("manager").unwrap();
    let request = file_with([ApprovalRule::of(target), rule("alice")]);
    let (why, sentence) = nothing_for(&request, manager("requester"), 1);
    assert_eq!(
        why,
        NothingToDecide::OwnRequest { approvals: vec![approval("approval-1")], requester: "requester".to_owned() }
    );
    assert_eq!(sentence, "requester submitted it, so somebody else has to decide approval-1; it …");
    let error = try_apply(&request, &Command::approve(manager("requester")), 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "request request-1: requester submitted it, so somebody else has to decide approval-1; it waits for anyone \
         with role manager to decide approval-1; step 1 of 2"
    );
}

#[test]
fn a_request_that_asks_nobody_says_so_before_all_else() {
    let waiting = submit(draft().waiting_for(mutator_governance::PendingReason::Quota));
    let nobody = Arc::new(ActorContext::system());
    for by in [user("alice"), nobody] {
        let error = try_apply(&waiting, &Command::approve(by.clone()), 1).unwrap_err();
        assert!(matches!(approval_error(error), ApprovalError::NotAwaitingApproval { status: Status::Pending }));
        let done = apply(&file_with([rule("bob")]), &Command::approve(user("bob")), 1);
        let error = try_apply(&done, &Command::reject(by, None), 2).unwrap_err();
        assert!(matches!(approval_error(error), ApprovalError::NotAwaitingApproval { status: Status::Approved }));
    }
    let pending =
        mutator_governance::Pending { reason: mutator_governance::PendingReason::Approval, expires_at: Some(at(5)) };
    let limited: RequestDraft = draft().requires_approval(rule("bob")).waiting_for(pending);
    let error = try_apply(&submit(limited), &Command::approve(user("bob")), 5).unwrap_err();
    assert!(matches!(error, Error::DeadlinePassed { deadline, .. } if deadline == at(5)), "{error}");
}

#[test]
fn people_are_the_same_by_the_rule_of_the_namespace() {
    let folding = draft().comparing_ids(mutator_governance::IdComparison::FoldCase);
    let pair = ApprovalRule::quorum("pair", 2, [actor("Bob"), actor("bob").or(actor("carol"))]).unwrap();
    let request = submit(folding.requires_approval(pair));
    let once = approve_all(&request, "BOB", 1);
    assert_eq!(voted(&once), ["approval-1"], "the one that carol could not decide");
    let (why, sentence) = nothing_for(&once, user("bob"), 2);
    assert_eq!(why, NothingToDecide::Voted { approvals: vec![approval("approval-1")] });
    assert!(sentence.starts_with("bob has voted already"), "{sentence}");
    assert!(grant(&once, "carol", "approval-2", 3).updated_at > Timestamp::MIN);
}
