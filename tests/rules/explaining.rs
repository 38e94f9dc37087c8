//! What `explain` says of every state.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Command, Completion, Failure, commutes, compensation_draft, decidable_by, explain, link_compensation,
};
use mutator_governance::{
    ActorContext, ApprovalRule, ApprovalTarget, ClaimId, CompensationKind, CompensationPlan, CompensationTrigger,
    Intent, LifecycleDecision, MutationRequest, Payload, Pending, PendingReason, RequestDraft, StateVersion, Status,
    Step, Timestamp,
};

use crate::support::{
    actor, apply, approval, at, draft, file_with, grant, id, in_status, quorum, reject, rule, submit, try_apply, user,
    user_because,
};

fn said(request: &MutationRequest, now: Timestamp) -> String {
    explain(request, now).to_string()
}

/// Each request, the second it is looked at, and what is said of it.
fn check(table: &[(&MutationRequest, u64, &str)]) {
    let wrong: Vec<_> =
        table.iter().filter(|(request, seconds, sentence)| said(request, at(*seconds)) != *sentence).collect();
    let wrong: Vec<_> =
        wrong.iter().map(|(request, seconds, sentence)| (said(request, at(*seconds)), sentence)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_waits_for_approval_names_who_decides_what_until_when() {
    let three_hours = Pending { reason: PendingReason::Approval, expires_at: Some(at(3 * 3_600 + 59)) };
    let steps = draft()
        .requires_approval(rule("alice"))
        .requires_approval(quorum("security-quorum", 2, &["bob", "carol", "dave"]))
        .requires_approval(ApprovalRule::role("auditor").unwrap().at_step(Step::new(7).unwrap()))
        .waiting_for(three_hours);
    let first = submit(steps);
    let second = grant(&grant(&first, "alice", "approval-1", 1), "carol", "approval-3", 2);
    let third = grant(&second, "dave", "approval-4", 3);
    check(&[
        (&first, 0, "waits for alice to decide approval-1; step 1 of 3; the request expires in 3 h"),
        (
            &second,
            2,
            "waits for 1 more vote in security-quorum: approval-2 by bob, approval-4 by dave; step 2 of 3; \
             the request expires in 3 h",
        ),
        (&third, 3, "waits for anyone with role auditor to decide approval-5; step 3 of 3; the request expires in 3 h"),
        (
            &third,
            99_999,
            "waited for its approvals until 2026-01-01T03:00:59Z; it can no longer be moved on, and the next sweep expires it",
        ),
    ]);
}

#[test]
fn a_deadline_says_of_what_it_is_and_what_happens_then() {
    let step = Step::FIRST;
    let member = |name: &str, seconds| quorum("board", 1, &[name]).at_step(step).expiring_at(at(seconds));
    let alone = file_with([rule("alice").expiring_at(at(90)), rule("bob")]);
    let whole = file_with([quorum("board", 1, &["bob", "carol"]).expiring_at(at(90))]);
    let some = file_with([member("bob", 90), member("carol", 90), member("dave", 9_000)]);
    let far = file_with([rule("alice").expiring_at(Timestamp::MAX)]);
    check(&[
        (
            &alone,
            31,
            "waits for alice to decide approval-1; step 1 of 2; approval-1 expires in 59 s, which rejects the request",
        ),
        (
            &whole,
            30,
            "waits for 1 more vote in board: approval-1 by bob, approval-2 by carol; step 1 of 1; board expires in 1 min, \
             which rejects the request",
        ),
        (
            &some,
            30,
            "waits for 1 more vote in board: approval-1 by bob, approval-2 by carol, approval-3 by dave; step 1 of 1; \
             approval-1 and approval-2 expire in 1 min, and enough others remain",
        ),
        (
            &some,
            90,
            "waits for 1 more vote in board: approval-3 by dave; step 1 of 1; approval-1 and approval-2 were not decided in \
             time, and the next sweep records that",
        ),
        (
            &far,
            0,
            "waits for alice to decide approval-1; step 1 of 1; approval-1 expires at 9999-12-30T21:59:59.999999Z, \
             which rejects the request",
        ),
    ]);
}

#[test]
fn what_waits_for_something_else_says_what_follows() {
    let until = |reason, seconds| Pending { reason, expires_at: Some(at(seconds)) };
    let plain = submit(draft().waiting_for(until(PendingReason::Quota, 90)));
    let needing = || draft().requires_approval(rule("alice").expiring_at(at(90))).requires_approval(rule("bob"));
    let checked = submit(needing().waiting_for(PendingReason::ExternalCheck));
    let granted = grant(&file_with([rule("alice")]), "alice", "approval-1", 1);
    let held = apply(&granted, &Command::hold(user("admin"), PendingReason::ManualReview), 2);
    let both = [actor("bob").or(actor("carol")), actor("bob")];
    let pair = || draft().requires_approval(ApprovalRule::quorum("pair", 2, both.clone()).unwrap());
    let member = |name: &str, seconds| quorum("board", 1, &[name]).at_step(Step::FIRST).expiring_at(at(seconds));
    let tolerant = draft().requires_approval(member("bob", 20)).requires_approval(member("carol", 90));
    let tolerant = submit(tolerant.waiting_for(PendingReason::Quota));
    assert!(try_apply(&tolerant, &Command::request_approvals(user("admin"), None), 20).is_err(), "and so it is");
    let no_approvals = |what: &str| format!("waits for {what}; it has no approvals, so approve it directly after that");
    check(&[
        (&plain, 30, &format!("{}; the request expires in 1 min", no_approvals("quota"))),
        (&submit(draft().waiting_for(PendingReason::Schedule)), 0, &no_approvals("its scheduled time")),
        (&submit(draft().waiting_for(PendingReason::Dependency)), 0, &no_approvals("something it depends on")),
        (
            &plain,
            90,
            "waited for quota until 2026-01-01T00:01:30Z; it can no longer be moved on, and the next sweep expires it",
        ),
        (
            &checked,
            0,
            "waits for an external check; request its approvals after that and before approval-1 expires in \
             1 min, first for alice to decide approval-1 (step 1 of 2)",
        ),
        (
            &checked,
            90,
            "waits for an external check; its approvals cannot follow: approval-1 (step 1 of 2) was not decided by \
             2026-01-01T00:01:30Z; override them with a reason, or reject or cancel it",
        ),
        (
            &submit(pair().waiting_for(PendingReason::Quota)),
            0,
            "waits for quota; request its approvals after that, first for 2 more votes in pair: approval-1 by bob or \
             carol, approval-2 by bob (step 1 of 1)",
        ),
        (
            &tolerant,
            20,
            "waits for quota; its approvals cannot follow: approval-1 (step 1 of 1) was not decided by \
             2026-01-01T00:00:20Z; override them with a reason, or reject or cancel it",
        ),
        (&held, 2, "waits for a manual review; its approvals are met, so approve it directly after that"),
    ]);
}

#[test]
fn where_a_request_stands_is_said_with_who_brought_it_there() {
    let waiting = file_with([rule("alice"), rule("bob").expiring_at(at(40))]);
    let quota = submit(draft().waiting_for(Pending { reason: PendingReason::Quota, expires_at: Some(at(90)) }));
    let named = |named: ActorContext| Arc::new(named.named("Mona"));
    let cancel = |by: Arc<ActorContext>| apply(&waiting, &Command::cancel(by), 1);
    let swept = apply(&waiting, &Command::expire_approvals(user("sweeper")), 40);
    let superseded = apply(&waiting, &Command::supersede(user("operator"), id("next")), 1);
    check(&[
        (&in_status(Status::Created), 0, "was submitted; nobody has to do anything yet"),
        (&in_status(Status::Executed), 0, "was executed"),
        (&superseded, 1, "was superseded by request next (recorded by operator)"),
        (&cancel(user_because("requester", "not needed")), 1, "was canceled by requester: not needed"),
        (&cancel(named(ActorContext::user("mona").unwrap())), 1, "was canceled by Mona (mona)"),
        (&cancel(named(ActorContext::system())), 1, "was canceled by Mona (without an id)"),
        (&cancel(Arc::new(ActorContext::system())), 1, "was canceled by System (without an id)"),
        (&reject(&waiting, "alice", "approval-1", 1), 1, "was rejected by alice: approval approval-1 was rejected"),
        (&swept, 40, "was rejected by sweeper: approval approval-2 was not decided in time"),
        (&apply(&quota, &Command::expire(user("sweeper")), 90), 90, "has expired (recorded by sweeper)"),
        (
            &apply(&quota, &Command::expire(user_because("ann", "closed")), 90),
            90,
            "has expired (recorded by ann): closed",
        ),
    ]);
}

fn claim_id() -> ClaimId {
    ClaimId::from_bytes([1; 16])
}

fn claimed(request: &MutationRequest, lease: Duration, seconds: u64) -> MutationRequest {
    apply(request, &Command::claim(user("worker-1"), claim_id(), lease), seconds)
}

#[test]
fn an_approved_request_says_whether_it_can_be_executed() {
    let lease = Duration::from_mins(5);
    let approved = in_status(Status::Approved);
    let held = claimed(&approved, lease, 0);
    let fail = |request: &MutationRequest, message: &str, seconds| {
        let failed = Command::fail(user("worker-1"), claim_id(), Failure::new(message), AfterFailure::KeepApproved);
        apply(&claimed(request, lease, seconds), &failed, seconds)
    };
    let once = fail(&approved, "no route", 10);
    let twice = fail(&once, "rejected", 20);
    let again = claimed(&twice, lease, 30);
    let made_v2 = Completion::new().resulting_in(StateVersion::new("v2").unwrap());
    let executed = apply(&held, &Command::complete(user("worker-1"), claim_id(), made_v2), 1);
    check(&[
        (&approved, 0, "is approved and can be executed"),
        (&held, 0, "is being executed by worker-1; the lease ends in 5 min, and then another executor can take over"),
        (
            &held,
            300,
            "is approved; worker-1 did not finish executing it by 2026-01-01T00:05:00Z, and another executor can take over",
        ),
        (&claimed(&approved, Duration::MAX, 0), 0, "is being executed by worker-1; the lease has no end"),
        (&once, 10, "is approved and can be executed; failed once, at 2026-01-01T00:00:10Z by worker-1: no route"),
        (
            &twice,
            20,
            "is approved and can be executed; failed 2 times, last at 2026-01-01T00:00:20Z by worker-1: rejected",
        ),
        (
            &again,
            30,
            "is being executed by worker-1; the lease ends in 5 min, and then another executor can take over; \
             failed 2 times, last at 2026-01-01T00:00:20Z by worker-1: rejected",
        ),
        (&executed, 1, "was executed by worker-1, which made version v2"),
    ]);
    // Failures before it was held and approved again belong to what was approved before.
    let held = apply(&twice, &Command::hold(user("admin"), PendingReason::Quota), 40);
    check(&[(&apply(&held, &Command::approve_request(user("admin")), 50), 50, "is approved and can be executed")]);
}

#[test]
fn what_was_approved_for_something_else_is_said_not_to_be_executable() {
    let with_payload = |request: &MutationRequest| {
        let mut document = request.document().clone();
        document.payload = Some(Payload::new("text/plain", b"owner".to_vec()).unwrap());
        MutationRequest::from_document(document, request.revision()).unwrap()
    };
    let open = file_with([rule("alice")]);
    let granted = grant(&open, "alice", "approval-1", 1);
    let overridden = apply(&open, &Command::override_approvals(user_because("oncall", "it burns")), 1);
    for (request, why) in [
        (&granted, "is approved and cannot be executed: approval approval-1 was granted for digest "),
        (&overridden, "is approved and cannot be executed: its approvals were overridden for digest "),
    ] {
        assert_eq!(said(request, at(2)), "is approved and can be executed");
        let changed = with_payload(request);
        assert!(said(&changed, at(2)).starts_with(why), "{}", said(&changed, at(2)));
        assert!(said(&changed, at(2)).ends_with("submit what it has become as a new request"));
        let claim = Command::claim(user("worker-1"), claim_id(), Duration::from_mins(1));
        assert!(try_apply(&changed, &claim, 2).is_err(), "and so it is");
        let claimed_before = with_payload(&claimed(request, Duration::from_mins(1), 1));
        let expected =
            "is approved; worker-1 did not finish executing it by 2026-01-01T00:01:01Z, and nobody can take over: ";
        assert!(said(&claimed_before, at(61)).starts_with(expected), "{}", said(&claimed_before, at(61)));
    }
}

#[test]
fn what_was_executed_and_since_compensated_says_both() {
    let original = apply(
        &claimed(&in_status(Status::Approved), Duration::from_mins(1), 0),
        &Command::complete(user("worker-1"), claim_id(), Completion::new()),
        1,
    );
    let plan = CompensationPlan::new(original.id.clone(), CompensationKind::Rollback, CompensationTrigger::Operator);
    let intent = Intent::new("revoke-role", "Access").unwrap();
    let draft = compensation_draft(&original, plan, intent, user("operator")).unwrap();
    let submitted = submit(draft.with_id(id("undo-1")).already_approved());
    let complete = Command::complete(user("worker-1"), claim_id(), Completion::new());
    let undo = apply(&claimed(&submitted, Duration::from_mins(1), 2), &complete, 3);
    let linked = link_compensation(original, &undo, &user("operator"), at(4)).unwrap();
    check(&[(&linked, 5, "was executed by worker-1; compensated since by request undo-1")]);
    let since = explain(&linked, at(5)).since.unwrap();
    assert_eq!(since.kind, LifecycleDecision::Executed.into(), "it still stands where it was executed");
}

#[test]
fn groups_of_one_step_are_named_together_and_many_names_are_cut() {
    let board = |count: usize| {
        let names: Vec<String> = (1..=count).map(|number| format!("m{number}")).collect();
        let members: Vec<&str> = names.iter().map(String::as_str).collect();
        file_with([
            quorum("board", 2, &members).at_step(Step::FIRST),
            ApprovalRule::of(ApprovalTarget::role("manager").unwrap().or(actor("alice"))).at_step(Step::FIRST),
        ])
    };
    let eight = "waits for 2 more votes in board: approval-1 by m1, approval-2 by m2, approval-3 by m3, approval-4 by m4, \
                 approval-5 by m5, approval-6 by m6, approval-7 by m7, approval-8 by m8";
    let manager =
        |number: usize| format!(" and for alice or anyone with role manager to decide approval-{number}; step 1 of 1");
    check(&[
        (&board(8), 0, &format!("{eight}{}", manager(9))),
        (&board(9), 0, &format!("{eight}, 1 other{}", manager(10))),
        (&board(10), 0, &format!("{eight}, 2 others{}", manager(11))),
    ]);
}

#[test]
fn only_who_can_act_is_named() {
    let lead = || ApprovalTarget::role("lead").unwrap();
    let with_role = |name: &str| ActorContext::user(name).unwrap().with_role("lead").unwrap();
    let by_a_lead = |rules: Vec<ApprovalRule>| {
        let target = mutator_governance::Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), with_role("rita"));
        submit(rules.into_iter().fold(draft, RequestDraft::requires_approval))
    };
    let own = by_a_lead(vec![ApprovalRule::of(lead().or(actor("bob")))]);
    let voted = by_a_lead(vec![ApprovalRule::quorum("leads", 2, [lead(), lead()]).unwrap()]);
    let voted = apply(&voted, &Command::approve_requirement(with_role("mona"), approval("approval-1")), 1);
    let allowed = by_a_lead(vec![ApprovalRule::of(lead()).requester_may_decide()]);
    let members = [actor("bob").or(actor("carol")), actor("bob").or(actor("dave"))];
    let pair = grant(&file_with([ApprovalRule::quorum("pair", 2, members).unwrap()]), "bob", "approval-1", 1);
    let needed = file_with([ApprovalRule::quorum("pair", 2, [actor("bob").or(actor("carol")), actor("bob")]).unwrap()]);
    let any_lead = file_with([ApprovalRule::quorum("pair", 2, [lead(), actor("bob")]).unwrap()]);
    check(&[
        (&own, 0, "waits for bob or anyone with role lead except rita to decide approval-1; step 1 of 1"),
        (
            &voted,
            1,
            "waits for 1 more vote in leads: approval-2 by anyone with role lead except mona and rita; step 1 of 1",
        ),
        (&allowed, 0, "waits for anyone with role lead to decide approval-1; step 1 of 1"),
        (&pair, 1, "waits for 1 more vote in pair: approval-2 by carol or dave; step 1 of 1"),
        (&needed, 0, "waits for 2 more votes in pair: approval-1 by bob or carol, approval-2 by bob; step 1 of 1"),
        (
            &any_lead,
            0,
            "waits for 2 more votes in pair: approval-1 by anyone with role lead, approval-2 by bob; step 1 of 1",
        ),
    ]);
}

#[test]
fn what_is_impossible_is_said_with_its_cause_and_its_end() {
    // Such a request cannot be submitted any more, but a program of its own may have stored it.
    let with_last_for = |request: &MutationRequest, name: &str| {
        let mut document = request.document().clone();
        document.approvals.last_mut().unwrap().target = actor(name);
        MutationRequest::from_document(document, request.revision()).unwrap()
    };
    let late = |name: &str| rule(name).expiring_at(at(10));
    let lead = ApprovalRule::role("lead").unwrap().at_step(Step::FIRST);
    check(&[
        (
            &with_last_for(&file_with([rule("alice")]), "requester"),
            0,
            "can no longer be approved: nobody may decide approval-1 (step 1 of 1); reject or cancel it",
        ),
        (
            &with_last_for(&file_with([rule("alice"), quorum("twice", 2, &["bob", "carol"])]), "bob"),
            0,
            "can no longer be approved: twice (step 2 of 2) is missing 2 votes, and too few people are left; reject or \
             cancel it",
        ),
        (
            &file_with([quorum("late", 1, &["bob"]).expiring_at(at(10))]),
            10,
            "can no longer be approved: late (step 1 of 1) is missing 1 vote, and approval-1 was not decided in time; \
             the next sweep rejects it",
        ),
        (
            &file_with([lead, late("bob").at_step(Step::new(7).unwrap())]),
            10,
            "can no longer be approved: approval-2 (step 2 of 2) was not decided by 2026-01-01T00:00:10Z; the next sweep \
             rejects it",
        ),
        (
            &file_with([late("alice").at_step(Step::FIRST), late("bob").at_step(Step::FIRST)]),
            10,
            "can no longer be approved: approval-1 (step 1 of 1) was not decided by 2026-01-01T00:00:10Z and approval-2 \
             (step 1 of 1) was not decided by 2026-01-01T00:00:10Z; the next sweep rejects it",
        ),
    ]);
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
    let alice = Command::approve_requirement(user("alice"), approval("approval-1"));
    let stored = grant(&request, "bob", "approval-2", 1);
    assert!(commutes(&stored, &alice, at(2)));
    assert!(!commutes(&reject(&request, "bob", "approval-2", 1), &alice, at(2)));
    assert!(!commutes(&grant(&request, "alice", "approval-1", 1), &alice, at(2)));
}

#[test]
fn a_name_that_does_not_say_what_it_is_of_is_called_an_approval() {
    let target = ApprovalTarget::role("manager").unwrap().or(ApprovalTarget::group("board").unwrap());
    let named = file_with([ApprovalRule::of(target).with_id(approval("manager")).expiring_at(at(60))]);
    check(&[
        (
            &named,
            0,
            "waits for anyone with role manager or anyone in group board to decide approval manager; step 1 of 1; \
             approval manager expires in 1 min, which rejects the request",
        ),
        (
            &named,
            60,
            "can no longer be approved: approval manager (step 1 of 1) was not decided by 2026-01-01T00:01:00Z; the \
             next sweep rejects it",
        ),
    ]);
}
