//! Amending approvals: who may, what stays, and that no amendment leaves a request that nobody can approve.

use std::time::Duration;

use crate::support::*;
use mutator_governance::workflow::{Command, decidable_by, explain};
use mutator_governance::{
    ActorContext, ActorId, AmendmentError, Approval, ApprovalError, ApprovalId, ApprovalRule, ApprovalTarget, ClaimId,
    Error, ExecutionError, MutationRequest, PendingReason, Status, Step, Value, metadata_keys,
};

fn because(id: &str) -> ActorContext {
    (*user_because(id, "on holiday")).clone()
}

fn delegate(by: &str, approval_id: &str, to: &str) -> Command {
    Command::delegate(because(by), approval(approval_id), ActorId::new(to).unwrap())
}

fn reassign(approval_id: &str, to: ApprovalTarget) -> Command {
    Command::reassign(because("admin"), approval(approval_id), to)
}

fn add(rule: ApprovalRule) -> Command {
    Command::add_approval(because("admin"), rule)
}

fn remove(approval_id: &str) -> Command {
    Command::remove_approval(because("admin"), approval(approval_id))
}

fn error(request: &MutationRequest, command: &Command) -> AmendmentError {
    match try_apply(request, command, 1).unwrap_err() {
        Error::Amendment { error, .. } => error,
        other => panic!("{other}"),
    }
}

fn is_misconfigured(request: &MutationRequest, command: &Command) -> bool {
    matches!(try_apply(request, command, 1).unwrap_err(), Error::InvalidApprovalConfiguration { .. })
}

fn find<'a>(request: &'a MutationRequest, id: &str) -> &'a Approval {
    request.approvals.iter().find(|it| it.id == approval(id)).unwrap()
}

fn told(request: &MutationRequest, key: &str) -> Option<String> {
    match request.decisions.last().unwrap().metadata.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn able(request: &MutationRequest, seconds: u64) -> Vec<&'static str> {
    let all = ["requester", "alice", "bob", "carol", "dave", "erin"];
    all.into_iter().filter(|id| !decidable_by(request, &user(id), at(seconds)).is_empty()).collect()
}

#[test]
fn a_delegated_approval_is_for_that_person_and_keeps_whom_it_was_for() {
    let request = file_with([rule("bob")]);
    let once = apply(&request, &delegate("bob", "approval-1", "carol"), 1);
    assert_eq!(able(&once, 1), ["carol"]);
    assert_eq!(history(&once, request.decisions.len()), ["Approval/Delegated"]);
    assert_eq!(once.decisions.last().unwrap().reason.as_deref(), Some("on holiday"));
    let about = [metadata_keys::APPROVAL, metadata_keys::FROM, metadata_keys::TO].map(|key| told(&once, key).unwrap());
    assert_eq!(about, ["approval-1", "bob", "carol"]);
    let why = "waits for carol (delegated by bob) to decide approval-1; step 1 of 1";
    assert_eq!(explain(&once, at(1)).to_string(), why);

    let twice = apply(&once, &delegate("carol", "approval-1", "dave"), 2);
    let delegation = find(&twice, "approval-1").delegation.as_ref().unwrap();
    assert_eq!(delegation.from, actor("bob"));
    assert_eq!(delegation.by, ["bob", "carol"].map(|id| ActorId::new(id).unwrap()));
    assert_eq!(grant(&twice, "dave", "approval-1", 3).state.status(), Status::Approved);
    for former in ["bob", "carol"] {
        let decided = try_apply(&twice, &Command::approve(user(former)), 3);
        assert!(matches!(decided, Err(Error::Approval { error: ApprovalError::NothingToDecide { .. }, .. })));
    }
}

#[test]
fn who_may_not_decide_may_not_delegate() {
    let manager = ApprovalRule::role("manager").unwrap();
    let request = file_with([manager, quorum("board", 1, &["alice", "bob"])]);
    let by = |id: &str| because(id).with_role("manager").unwrap();
    let first = |by: ActorContext| Command::delegate(by, approval("approval-1"), ActorId::new("carol").unwrap());
    let refused = |command: &Command| approval_error(try_apply(&request, command, 1).unwrap_err());
    assert!(matches!(refused(&first(because("alice"))), ApprovalError::NotAddressed { .. }));
    assert!(matches!(refused(&first(by("requester"))), ApprovalError::OwnRequest { .. }));
    // A later step can be handed on, by one holder of the role for all.
    assert!(try_apply(&request, &delegate("alice", "approval-2", "erin"), 1).is_ok());
    assert_eq!(able(&apply(&request, &first(by("dave")), 1), 1), ["carol"]);
}

#[test]
fn a_delegation_goes_to_nobody_who_may_not_decide() {
    let request = file_with([quorum("board", 2, &["alice", "bob", "erin"]), rule("carol")]);
    let voted = grant(&request, "alice", "approval-1", 1);
    let id = || approval("approval-2");
    let to = |name: &str| delegate("bob", "approval-2", name);
    assert_eq!(error(&voted, &to("bob")), AmendmentError::ToOneself { approval: id(), actor: "bob".into() });
    let own = AmendmentError::ToRequester { approval: id(), to: "requester".into(), requester: "requester".into() };
    assert_eq!(error(&voted, &to("requester")), own);
    assert!(matches!(error(&voted, &to("alice")), AmendmentError::ToVoter { to, .. } if to == "alice"));
    let handed = apply(&voted, &to("carol"), 2);
    let handed = apply(&handed, &delegate("carol", "approval-2", "dave"), 2);
    for earlier in ["bob", "carol"] {
        let circle = error(&handed, &delegate("dave", "approval-2", earlier));
        assert!(matches!(&circle, AmendmentError::Circle { chain, .. } if chain == "bob and carol"), "{circle}");
    }
    let limited = submit(draft().requires_approval(rule("bob")).excluding([ActorId::new("dave").unwrap()]));
    let excluded = error(&limited, &delegate("bob", "approval-1", "dave"));
    assert!(matches!(excluded, AmendmentError::ToExcluded { to, .. } if to == "dave"));
    // The requester may have it where the rule lets them decide.
    let own = file_with([rule("bob").requester_may_decide()]);
    assert_eq!(able(&apply(&own, &delegate("bob", "approval-1", "requester"), 1), 1), ["requester"]);
    // Nobody counts twice in a group: here both approvals would be for one person.
    assert!(is_misconfigured(
        &file_with([quorum("pair", 2, &["alice", "bob"])]),
        &delegate("bob", "approval-2", "alice")
    ));
}

#[test]
fn five_may_hand_it_on_and_not_a_sixth() {
    let mut request = file_with([rule("p0")]);
    for turn in 0..5 {
        let (by, to) = (format!("p{turn}"), format!("p{}", turn + 1));
        request = apply(&request, &delegate(&by, "approval-1", &to), 1);
    }
    let sixth = error(&request, &delegate("p5", "approval-1", "p6"));
    assert!(
        matches!(&sixth, AmendmentError::ChainTooLong { chain, .. } if chain == "p0, p1, p2, p3 and p4"),
        "{sixth}"
    );
    assert_eq!(grant(&request, "p5", "approval-1", 2).state.status(), Status::Approved);
    // A reassigned approval begins anew.
    let anew = apply(&request, &reassign("approval-1", actor("p6")), 2);
    assert!(try_apply(&anew, &delegate("p6", "approval-1", "p0"), 3).is_ok());
}

#[test]
fn a_reassigned_approval_is_for_others() {
    let request = file_with([rule("bob")]);
    let reassigned = apply(&request, &reassign("approval-1", actor("carol").or(actor("dave"))), 1);
    assert_eq!(able(&reassigned, 1), ["carol", "dave"]);
    assert_eq!(history(&reassigned, request.decisions.len()), ["Approval/Reassigned"]);
    assert_eq!(told(&reassigned, metadata_keys::TO).as_deref(), Some("carol or dave"));
    let same = error(&request, &reassign("approval-1", actor("bob")));
    assert!(matches!(same, AmendmentError::SameTarget { .. }));
    assert!(is_misconfigured(&request, &reassign("approval-1", actor("requester"))));
}

#[test]
fn an_added_approval_is_needed_too() {
    let request = file_with([rule("bob")]);
    let added = apply(&request, &add(rule("carol")), 1);
    assert_eq!(history(&added, request.decisions.len()), ["Approval/Added"]);
    assert_eq!((find(&added, "approval-2").step, added.requirements.len()), (Step::new(2).unwrap(), 2));
    let half = grant(&added, "bob", "approval-1", 2);
    assert_eq!(half.state.status(), Status::Pending);
    assert_eq!(grant(&half, "carol", "approval-2", 3).state.status(), Status::Approved);
    // A rule with an earlier step comes first.
    let first = apply(&half, &add(rule("dave").at_step(Step::FIRST)), 3);
    assert_eq!(able(&first, 3), ["dave"]);

    let bad = |rule: ApprovalRule| error(&request, &add(rule));
    assert!(matches!(bad(rule("carol").with_id(approval("approval-1"))), AmendmentError::IdTaken { .. }));
    assert!(is_misconfigured(&request, &add(rule("requester"))));
    let board = file_with([quorum("board", 1, &["alice", "bob"])]);
    assert!(matches!(error(&board, &add(quorum("board", 1, &["carol"]))), AmendmentError::GroupTaken { .. }));
    assert!(matches!(try_apply(&request, &add(rule("carol").expiring_at(at(1))), 1), Err(Error::Invalid(_))));
}

#[test]
fn the_id_of_a_removed_approval_is_not_used_again() {
    let request = file_with([rule("alice"), rule("bob"), rule("carol")]);
    let removed = apply(&request, &remove("approval-3"), 1);
    assert_eq!(history(&removed, request.decisions.len()), ["Approval/Removed"]);
    assert_eq!((removed.approvals.len(), removed.requirements.len()), (2, 2));
    let again = add(rule("carol").with_id(approval("approval-3")));
    assert!(matches!(error(&removed, &again), AmendmentError::IdTaken { .. }));
    let added = apply(&removed, &add(rule("dave")), 2);
    assert_eq!(added.approvals.last().unwrap().id, ApprovalId::new("approval-4").unwrap());
}

#[test]
fn a_removal_never_approves_and_leaves_what_is_mandatory_and_possible() {
    let request = file_with([rule("alice").mandatory(), rule("bob")]);
    let half = grant(&request, "alice", "approval-1", 1);
    assert_eq!(error(&half, &remove("approval-2")), AmendmentError::LastUnmet { approval: approval("approval-2") });
    assert_eq!(error(&request, &remove("approval-1")), AmendmentError::Mandatory { approval: approval("approval-1") });
    let left = apply(&request, &remove("approval-2"), 1);
    assert_eq!(grant(&left, "alice", "approval-1", 2).state.status(), Status::Approved);
    let board = file_with([quorum("board", 2, &["alice", "bob", "carol"])]);
    let two = apply(&board, &remove("approval-1"), 1);
    assert!(is_misconfigured(&two, &remove("approval-2")));
    let reduced = grant(&grant(&two, "bob", "approval-2", 2), "carol", "approval-3", 3);
    assert_eq!(reduced.state.status(), Status::Approved);
    assert!(reduced.requirements.iter().all(|requirement| requirement.fulfilled));
}

#[test]
fn an_amendment_needs_a_reason_an_id_an_open_approval_and_a_pending_request() {
    let request = file_with([rule("bob"), rule("carol")]);
    let amendments = |by: ActorContext| {
        [
            Command::delegate(by.clone(), approval("approval-1"), ActorId::new("dave").unwrap()),
            Command::reassign(by.clone(), approval("approval-1"), actor("dave")),
            Command::remove_approval(by.clone(), approval("approval-1")),
            Command::add_approval(by, rule("dave")),
        ]
    };
    for command in amendments((*user("bob")).clone()).into_iter().chain(amendments((*user("bob")).clone().because(" ")))
    {
        assert_eq!(error(&request, &command), AmendmentError::WithoutReason);
    }
    for command in amendments(ActorContext::system().because("late")) {
        assert_eq!(error(&request, &command), AmendmentError::Anonymous);
    }
    let half = grant(&request, "bob", "approval-1", 1);
    let done = grant(&half, "carol", "approval-2", 2);
    let claim = Command::claim(user("executor"), ClaimId::from_bytes([1; 16]), Duration::from_mins(1));
    let claimed = apply(&done, &claim, 3);
    let canceled = apply(&done, &Command::cancel(user("admin")), 3);
    for (place, command) in amendments(because("bob")).into_iter().enumerate() {
        assert_eq!(error(&done, &command), AmendmentError::NotPending { status: Status::Approved });
        assert_eq!(error(&canceled, &command), AmendmentError::NotPending { status: Status::Canceled });
        let held = execution_error(try_apply(&claimed, &command, 4).unwrap_err());
        assert!(matches!(held, ExecutionError::Claimed { .. }));
        if place < 3 {
            assert!(matches!(
                approval_error(try_apply(&half, &command, 2).unwrap_err()),
                ApprovalError::AlreadyDecided { .. }
            ));
        }
    }
    for command in [delegate("bob", "x", "dave"), reassign("x", actor("dave")), remove("x")] {
        assert!(matches!(
            approval_error(try_apply(&request, &command, 1).unwrap_err()),
            ApprovalError::UnknownApproval { .. }
        ));
    }
    let late = file_with([rule("bob").expiring_at(at(5)), rule("carol")]);
    for command in amendments(because("bob")).iter().take(3) {
        assert!(matches!(approval_error(try_apply(&late, command, 5).unwrap_err()), ApprovalError::Expired { .. }));
    }
    // Its own deadline binds too.
    let due = submit(
        draft()
            .requires_approval(rule("bob"))
            .waiting_for(mutator_governance::Pending { reason: PendingReason::Approval, expires_at: Some(at(5)) }),
    );
    assert!(matches!(try_apply(&due, &add(rule("dave")), 5), Err(Error::DeadlinePassed { .. })));
}

#[test]
fn a_request_that_waits_for_something_else_is_amended_too() {
    let request = submit(draft().requires_approval(rule("bob")).waiting_for(PendingReason::Quota));
    let amended = apply(&apply(&request, &delegate("bob", "approval-1", "carol"), 1), &add(rule("dave")), 2);
    assert_eq!(amended.state, request.state);
    let asked = apply(&amended, &Command::request_approvals(user("admin"), None), 3);
    assert_eq!(able(&asked, 3), ["carol"]);
}

#[test]
fn an_added_approval_is_never_for_the_requester() {
    let request = file_with([rule("bob")]);
    let own = add(rule("requester").requester_may_decide());
    assert!(matches!(try_apply(&request, &own, 1), Err(Error::Invalid(_))));
}

/// Bob's approval, which from second 10 on is also for Carol, for role director, or for both.
fn escalating(to: ApprovalTarget) -> MutationRequest {
    file_with([rule("bob").escalates_after(Duration::from_secs(10), to).unwrap()])
}

fn hand_on(request: &MutationRequest, by: ActorContext, to: &str, seconds: u64) -> MutationRequest {
    apply(request, &Command::delegate(by, approval("approval-1"), ActorId::new(to).unwrap()), seconds)
}

#[test]
fn whom_it_escalated_to_hands_on_only_that_share() {
    let request = escalating(actor("carol"));
    let handed = hand_on(&request, because("carol"), "dave", 10);
    assert_eq!((able(&handed, 10), able(&handed, 99)), (vec!["bob", "dave"], vec!["bob", "dave"]));
    let of = find(&handed, "approval-1");
    assert_eq!((&of.target, of.delegation.as_ref()), (&actor("bob"), None));
    let delegation = of.escalation.as_ref().unwrap().delegation.as_ref().unwrap();
    assert_eq!((&delegation.from, delegation.to.as_str()), (&actor("carol"), "dave"));
    let about = [metadata_keys::FROM, metadata_keys::TO].map(|key| told(&handed, key).unwrap());
    assert_eq!(about, ["carol", "dave"]);
    let why = explain(&handed, at(10)).to_string();
    assert_eq!(why, "waits for bob or dave (delegated by carol) to decide approval-1; step 1 of 1");

    // Bob hands on his own share; each has a chain of its own, and what was handed on once does not come back.
    let both = hand_on(&handed, because("bob"), "erin", 11);
    assert_eq!(able(&both, 11), ["dave", "erin"]);
    let of = find(&both, "approval-1");
    assert_eq!(of.delegation.as_ref().unwrap().by.len(), 1);
    for (by, to, chain) in [("dave", "bob", "bob"), ("dave", "carol", "carol"), ("erin", "carol", "carol")] {
        let command = delegate(by, "approval-1", to);
        let circle = match try_apply(&both, &command, 11).unwrap_err() {
            Error::Amendment { error, .. } => error,
            other => panic!("{other}"),
        };
        assert!(matches!(&circle, AmendmentError::Circle { chain: by, .. } if by == chain), "{circle}");
    }
    // The sweep records to whom it escalated, and a reassignment leaves that share as it is.
    let reassigned = apply(&both, &reassign("approval-1", actor("alice")), 12);
    assert_eq!(able(&reassigned, 12), ["alice", "dave"]);
}

#[test]
fn before_its_time_an_escalation_is_nobodys_to_hand_on() {
    let request = escalating(actor("carol"));
    let early = delegate("carol", "approval-1", "dave");
    assert!(matches!(approval_error(try_apply(&request, &early, 9).unwrap_err()), ApprovalError::NotAddressed { .. }));
    let handed = hand_on(&request, because("bob"), "dave", 9);
    assert_eq!((able(&handed, 9), able(&handed, 10)), (vec!["dave"], vec!["carol", "dave"]));
}

#[test]
fn whom_both_shares_address_hands_on_both() {
    let request = escalating(ApprovalTarget::role("director").unwrap());
    let bob = because("bob").with_role("director").unwrap();
    let handed = hand_on(&request, bob.clone(), "dave", 10);
    assert!(decidable_by(&handed, &bob, at(10)).is_empty(), "whoever hands it on has it no longer");
    assert_eq!(able(&handed, 10), ["dave"]);
    assert_eq!(told(&handed, metadata_keys::FROM).as_deref(), Some("bob or role director"));
    assert_eq!(find(&handed, "approval-1").delegation.as_ref().unwrap().from, actor("bob"));
}

#[test]
fn a_delegated_escalation_outlives_a_round_and_comes_at_its_time() {
    let request = escalating(actor("carol"));
    let handed = hand_on(&request, because("carol"), "dave", 10);
    let sent_back = apply(&handed, &Command::request_changes(user("bob"), "for how long?"), 11);
    let amendment = mutator_governance::workflow::Amendment::new().description("for a month");
    let renewed = apply(&sent_back, &Command::amend(user("requester"), amendment), 20);
    assert_eq!((able(&renewed, 29), able(&renewed, 30)), (vec!["bob"], vec!["bob", "dave"]));
    let sweep = mutator_governance::workflow::due_command(&renewed, ActorContext::system(), at(30)).unwrap();
    let recorded = apply(&renewed, &sweep, 30);
    assert_eq!(told(&recorded, metadata_keys::TO).as_deref(), Some("carol"), "to whom it escalated at first");
}
