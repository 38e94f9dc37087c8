use std::time::Duration;

use mutator_governance::workflow::{Command, Completion, commutes, decidable_by, explain};
use mutator_governance::{
    ActorContext, ApprovalRule, ApprovalTarget, ClaimId, MutationRequest, Pending, PendingReason, StateVersion, Status,
    Step, Timestamp,
};

use crate::support::{
    actor, apply, approval, at, draft, file, file_with, grant, in_status, quorum, refuse, rule, user, user_because,
};

fn said(request: &MutationRequest, now: Timestamp) -> String {
    explain(request, now).to_string()
}

#[test]
fn an_explanation_reads_as_a_sentence() {
    let three_hours = Pending { reason: PendingReason::Approval, expires_at: Some(at(3 * 3_600 + 59)) };
    let steps = draft()
        .requires_approval(rule("alice"))
        .requires_approval(quorum("security-quorum", 2, &["bob", "carol", "dave"]))
        .requires_approval(ApprovalRule::role("auditor").unwrap())
        .waiting_for(three_hours);
    let first = file(steps);
    let second = grant(&grant(&first, "alice", "approval-1", 1), "carol", "approval-3", 2);
    let third = grant(&second, "dave", "approval-4", 3);
    let quota = file(draft().waiting_for(Pending { reason: PendingReason::Quota, expires_at: Some(at(90)) }));
    let claim_id = ClaimId::from_bytes([1; 16]);
    let claim = Command::claim(user("worker-1"), claim_id, Duration::from_mins(5));
    let claimed = apply(&in_status(Status::Approved), &claim, 0);
    let made_v2 = Completion::new().resulting_in(StateVersion::new("v2").unwrap());
    let table = [
        (&first, 0, "waits for alice; step 1 of 3; expires in 3 h"),
        (&second, 2, "waits for 1 more of security-quorum (bob, dave); step 2 of 3; expires in 3 h"),
        (&third, 3, "waits for role auditor; step 3 of 3; expires in 3 h"),
        (&third, 99_999, "waits for role auditor; step 3 of 3; due to expire since 2026-01-01T03:00:59Z"),
        (&quota, 31, "waits for quota; expires in 59 s"),
        (&quota, 30, "waits for quota; expires in 1 min"),
        (&in_status(Status::Created), 0, "was filed; nothing is asked of anybody yet"),
        (&in_status(Status::Approved), 0, "is approved and can be executed"),
        (&claimed, 0, "is being executed by worker-1; the lease ends in 5 min"),
        (
            &claimed,
            300,
            "is approved; worker-1 did not finish executing it by 2026-01-01T00:05:00Z, and another executor can take over",
        ),
        (&in_status(Status::Executed), 0, "was executed"),
        (&in_status(Status::Superseded), 0, "was superseded by request other"),
        (
            &apply(&first, &Command::cancel(user_because("requester", "not needed")), 1),
            1,
            "was canceled by requester: not needed",
        ),
        (&refuse(&first, "alice", "approval-1", 1), 1, "was rejected by alice: approval approval-1 was refused"),
        (&apply(&quota, &Command::expire(user("sweeper")), 90), 90, "has expired (recorded by sweeper)"),
        (
            &apply(&quota, &Command::expire(user_because("ann", "closed")), 90),
            90,
            "has expired (recorded by ann): closed",
        ),
        (
            &apply(&claimed, &Command::complete(user("worker-1"), claim_id, made_v2), 1),
            1,
            "was executed, which made version v2",
        ),
    ];
    for (request, seconds, sentence) in table {
        assert_eq!(said(request, at(seconds)), sentence);
    }
}

#[test]
fn groups_of_one_step_are_named_together_and_many_names_are_cut() {
    let names: Vec<String> = (1..=10).map(|number| format!("m{number}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let request = file_with([
        quorum("board", 2, &members).at_step(Step::FIRST),
        ApprovalRule::of(ApprovalTarget::role("manager").unwrap().or(actor("alice"))).at_step(Step::FIRST),
    ]);
    let expected = "waits for 2 more of board (m1, m2, m3, m4, m5, m6, m7, m8 and 2 others) and for alice or role manager; \
                    step 1 of 1";
    assert_eq!(said(&request, at(0)), expected);
}

#[test]
fn who_has_voted_in_a_group_is_not_named_again() {
    let members = [actor("bob").or(actor("carol")), actor("bob").or(actor("dave"))];
    let request = grant(&file_with([ApprovalRule::quorum("pair", 2, members).unwrap()]), "bob", "approval-1", 1);
    assert_eq!(said(&request, at(1)), "waits for 1 more of pair (dave); step 1 of 1");
}

#[test]
fn what_is_impossible_is_said() {
    // Such a request cannot be filed any more, but an earlier release may have stored it.
    let with_last_for = |request: &MutationRequest, name: &str| {
        let mut document = request.document().clone();
        document.approvals.last_mut().unwrap().target = actor(name);
        MutationRequest::from_document(document, request.revision()).unwrap()
    };
    let table = [
        (
            with_last_for(&file_with([rule("alice")]), "requester"),
            "waits for nobody; step 1 of 1; nobody can grant an approval of step 1",
        ),
        (
            with_last_for(&file_with([rule("alice"), quorum("twice", 2, &["bob", "carol"])]), "bob"),
            "waits for alice; step 1 of 2; twice can no longer be met",
        ),
        (
            file_with([quorum("late", 1, &["bob"]).expiring_at(at(0))]),
            "waits for 1 more of late (nobody); step 1 of 1; late can no longer be met; \
             due to expire since 2026-01-01T00:00:00Z",
        ),
    ];
    for (request, sentence) in table {
        assert_eq!(said(&request, at(0)), sentence);
    }
}

#[test]
fn decidable_are_the_approvals_of_the_active_step_that_the_actor_can_decide() {
    let request = file_with([
        rule("alice").at_step(Step::FIRST),
        quorum("security", 2, &["alice", "bob", "requester"]).at_step(Step::FIRST),
        rule("alice").at_step(Step::new(2).unwrap()),
    ]);
    let ids = |request: &MutationRequest, by: &ActorContext| -> Vec<String> {
        decidable_by(request, by, at(1)).iter().map(|approval| approval.id.to_string()).collect()
    };
    assert_eq!(ids(&request, &user("alice")), ["approval-1", "approval-2"]);
    assert_eq!(ids(&request, &user("requester")), Vec::<String>::new());
    assert_eq!(ids(&request, &ActorContext::system()), Vec::<String>::new());
    let voted = grant(&request, "alice", "approval-2", 1);
    assert_eq!(ids(&voted, &user("alice")), ["approval-1"]);
    let explained = explain(&voted, at(1));
    assert_eq!(explained.decidable_by(&user("bob")), [&approval("approval-3")]);
    assert_eq!(explained.demands.len(), 3);
}

#[test]
fn two_changes_commute_when_the_second_is_still_valid_after_the_first() {
    let request = file_with([rule("alice").at_step(Step::FIRST), rule("bob").at_step(Step::FIRST)]);
    let alice = Command::grant(user("alice"), approval("approval-1"));
    let stored = grant(&request, "bob", "approval-2", 1);
    assert!(commutes(&stored, &alice, at(2)));
    assert!(!commutes(&refuse(&request, "bob", "approval-2", 1), &alice, at(2)));
    assert!(!commutes(&grant(&request, "alice", "approval-1", 1), &alice, at(2)));
}
