//! Every kind of query: its rows and their order.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{alice, company, draft, pending, second, submit};
use super::{Governance, RowQuery, Store, dual};
use crate::error::Error;
use crate::query::{
    DecisionQuery, DecisionRow, InboxQuery, PageRequest, PendingApprovalQuery, PendingApprovalRow, RecentApprovalQuery,
    RecentApprovalRow, RequestQuery, SortDirection,
};
use crate::request::{
    ActorContext, ActorId, ApprovalDecision, ApprovalRule, ApprovalStatus, ApprovalTarget, MutationRequest, Pending,
    PendingReason, Status, Timestamp, WriteId,
};
use crate::service::clock::ManualClock;
use crate::workflow::{self, Command};

/// Stores the [`company`] in another order than that of submission.
#[dual]
pub(super) async fn fill(store: &Arc<dyn Store>) -> Vec<MutationRequest> {
    let requests = company();
    for request in requests.iter().rev() {
        store.create(request.clone()).await.unwrap();
    }
    requests
}

/// A `Governance` over the store, at a time.
fn at(store: &Arc<dyn Store>, now: Timestamp) -> Governance {
    Governance::builder().store(Arc::clone(store)).clock(Arc::new(ManualClock::at(now))).build()
}

fn over(store: &Arc<dyn Store>) -> Governance {
    at(store, second(0))
}

/// Compares the rows of a query, read in pages of several lengths, with each row as one word.
#[dual]
async fn expect<Asked: RowQuery>(
    governance: &Governance,
    asked: Asked,
    word: fn(&Asked::Row) -> String,
    expected: &[&str],
) {
    for limit in [1, 2, 3, 50] {
        let mut found = Vec::new();
        let mut page = PageRequest::of(limit).unwrap();
        loop {
            let read = asked.read(governance, &page).await.unwrap();
            assert!(read.items.len() <= limit, "a page of {limit} has {} rows", read.items.len());
            assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
            found.extend(read.items.iter().map(word));
            match read.next {
                Some(cursor) => page = PageRequest::of(limit).unwrap().after(cursor),
                None => break,
            }
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
}

#[dual]
async fn expect_inbox(store: &Arc<dyn Store>, (query, now): (InboxQuery, Timestamp), expected: &[&str]) {
    expect(&at(store, now), query, approval, expected).await;
}

fn id(request: &MutationRequest) -> String {
    request.id.to_string()
}

fn approval(row: &PendingApprovalRow) -> String {
    format!("{} {}", row.request.id, row.approval.id)
}

fn decision(row: &DecisionRow) -> String {
    format!("{} {} {}", row.request.id, row.ordinal, row.decision.kind)
}

fn manager() -> ActorContext {
    ActorContext::user("mona").unwrap().with_role("manager").unwrap()
}

/// Approves the first approval of the request that waits for two.
#[dual]
async fn grant_first_step(store: &Arc<dyn Store>, requests: &[MutationRequest]) {
    let waiting = requests[0].clone();
    let command = Command::approve_requirement(manager(), waiting.approvals[0].id.clone());
    store.update(workflow::apply(waiting, &command, second(90)).unwrap(), WriteId::generate()).await.unwrap();
}

/// A query for requests finds exactly those that match its filters, in created order from either end.
#[dual]
pub async fn requests_are_filtered_and_come_either_way(store: Arc<dyn Store>) {
    fill(&store).await;
    let newest_first = RequestQuery::new().in_order(SortDirection::Descending);
    let approved = RequestQuery::new().with_statuses([Status::Approved]).unwrap();
    let of_acme = RequestQuery::new().with_state_ids(["tenant:acme"]).unwrap();
    let both = of_acme.clone().with_statuses([Status::Approved, Status::Pending]).unwrap();
    let asked_for = RequestQuery::new().with_ids(["late", "nobody", "scheduled"]).unwrap();
    let later = RequestQuery::new().created_between(second(30), None).unwrap();
    expect(&over(&store), RequestQuery::new(), id, &["two-steps", "scheduled", "submitted", "late", "early"]).await;
    expect(&over(&store), newest_first, id, &["early", "late", "submitted", "scheduled", "two-steps"]).await;
    expect(&over(&store), approved, id, &["late", "early"]).await;
    expect(&over(&store), of_acme, id, &["two-steps", "submitted", "early"]).await;
    expect(&over(&store), both, id, &["two-steps", "early"]).await;
    expect(&over(&store), asked_for, id, &["scheduled", "late"]).await;
    expect(&over(&store), later, id, &["submitted", "late", "early"]).await;
}

/// The two reads of requests give the same pages, and each continues after a page of the other.
#[dual]
pub async fn stored_requests_are_those_of_requests(store: Arc<dyn Store>) {
    let requests = fill(&store).await;
    let (query, mut page) = (RequestQuery::new(), PageRequest::of(2).unwrap());
    for expected in requests.chunks(2) {
        let whole = store.requests(&query, &page).await.unwrap();
        let stored = store.stored_requests(&query, &page).await.unwrap();
        assert_eq!((&stored.next, whole.items.as_slice()), (&whole.next, expected));
        for (stored, expected) in stored.items.into_iter().zip(expected) {
            assert_eq!((stored.id(), stored.revision()), (&expected.id, expected.revision()));
            assert_eq!(stored.into_request().as_ref(), Ok(expected));
        }
        page = whole.next.map_or(page, |cursor| PageRequest::of(2).unwrap().after(cursor));
    }
}

/// Each open approval is one row, until it is decided.
#[dual]
pub async fn pending_approvals_come_a_row_each(store: Arc<dyn Store>) {
    let requests = fill(&store).await;
    store
        .create(submit(draft("last", "s").requires_approval(ApprovalRule::actor("bob").unwrap()), second(80)))
        .await
        .unwrap();
    let all = ["two-steps approval-1", "two-steps approval-2", "last approval-1"];
    let of_bob = || PendingApprovalQuery::new().with_approver_ids(["bob"]).unwrap();
    let decided = PendingApprovalQuery::new().of_any_request().with_approval_statuses([ApprovalStatus::Approved]);
    expect(&over(&store), PendingApprovalQuery::new(), approval, &all).await;
    expect(&over(&store), of_bob(), approval, &["two-steps approval-2", "last approval-1"]).await;
    expect(&over(&store), decided.unwrap(), approval, &["late approval-1", "early approval-1"]).await;
    grant_first_step(&store, &requests).await;
    expect(&over(&store), PendingApprovalQuery::new(), approval, &all[1..]).await;
}

/// Approved requests come in the order of their latest approval activity, not of submission.
#[dual]
pub async fn recent_approvals_come_latest_first(store: Arc<dyn Store>) {
    fill(&store).await;
    let of_beta = RecentApprovalQuery::of_requests(RequestQuery::new().with_state_ids(["tenant:beta"]).unwrap());
    expect(
        &over(&store),
        RecentApprovalQuery::new(),
        |row| format!("{} {}", row.request.id, row.activity_at),
        &[&format!("late {}", second(70)), &format!("early {}", second(60))],
    )
    .await;
    expect(&over(&store), of_beta, |row| id(&row.request), &["late"]).await;
}

/// Decisions come by their time, the latest first; those with the same time by request and ordinal.
#[dual]
pub async fn decisions_come_latest_first(store: Arc<dyn Store>) {
    fill(&store).await;
    let all = [
        "late 3 Approval/Granted",
        "late 4 Lifecycle/Approved",
        "early 3 Approval/Granted",
        "early 4 Lifecycle/Approved",
        "early 0 Lifecycle/Submitted",
        "early 1 Lifecycle/Pending",
        "early 2 Approval/Requested",
        "late 0 Lifecycle/Submitted",
        "late 1 Lifecycle/Pending",
        "late 2 Approval/Requested",
        "submitted 0 Lifecycle/Submitted",
        "scheduled 0 Lifecycle/Submitted",
        "scheduled 1 Lifecycle/Pending",
        "two-steps 0 Lifecycle/Submitted",
        "two-steps 1 Lifecycle/Pending",
        "two-steps 2 Approval/Requested",
    ];
    let requested = DecisionQuery::new().with_kinds([ApprovalDecision::Requested]).unwrap();
    let by_bob = DecisionQuery::new().with_actor_ids(["bob"]).unwrap();
    let between = DecisionQuery::new().decided_between(second(30), second(50)).unwrap();
    expect(&over(&store), DecisionQuery::new(), decision, &all).await;
    expect(&over(&store), requested, decision, &[all[6], all[9], all[15]]).await;
    expect(&over(&store), by_bob, decision, &all[..4]).await;
    expect(&over(&store), between, decision, &all[4..11]).await;
}

/// An inbox follows the steps, the clock and the rules for deciding.
#[dual]
pub async fn an_inbox_holds_what_its_actor_can_decide_now(store: Arc<dyn Store>) {
    let requests = fill(&store).await;
    let rule = ApprovalRule::actor("bob").unwrap().expiring_at(second(200));
    store.create(submit(draft("until-200", "s").requires_approval(rule), second(80))).await.unwrap();
    let inbox = |actor: ActorContext, now| (InboxQuery::of(&actor).unwrap(), second(now));
    let bob = || ActorContext::user("bob").unwrap();
    let own = alice().with_role("manager").unwrap();
    expect_inbox(&store, inbox(manager(), 90), &["two-steps approval-1"]).await;
    expect_inbox(&store, inbox(bob(), 90), &["until-200 approval-1"]).await;
    expect_inbox(&store, inbox(own, 90), &[]).await;
    grant_first_step(&store, &requests).await;
    expect_inbox(&store, inbox(manager(), 90), &[]).await;
    expect_inbox(&store, inbox(bob(), 90), &["two-steps approval-2", "until-200 approval-1"]).await;
    expect_inbox(&store, inbox(bob(), 200), &["two-steps approval-2"]).await;
}

/// An inbox leaves out a request after its own deadline, one that excludes the actor, and what an actor cannot decide for
/// another; it holds an approval to which the vote of another can move.
#[dual]
pub async fn an_inbox_holds_nothing_that_would_be_rejected(store: Arc<dyn Store>) {
    let until_200 = Pending { reason: PendingReason::Approval, expires_at: Some(second(200)) };
    let rule = ApprovalRule::actor("bob").unwrap();
    let overdue = draft("until-200", "s").requires_approval(rule).waiting_for(until_200);
    let stored = store.create(submit(overdue, second(80))).await.unwrap();
    let named = |id: &str| ApprovalTarget::actor(id).unwrap();
    let lead = || ApprovalTarget::role("lead").unwrap();
    let pair = ApprovalRule::quorum("pair", 2, [named("bob").or(named("carol")), named("bob")]).unwrap();
    let pair = store.create(submit(draft("pair", "s").requires_approval(pair), second(90))).await.unwrap();
    let others = draft("others", "s").requires_approval(ApprovalRule::of(lead().or(named("bob"))));
    let excluded = ["bob", "carol"].map(|id| ActorId::new(id).unwrap());
    store.create(submit(others.excluding(excluded), second(91))).await.unwrap();
    let bob = ActorContext::user("bob").unwrap().with_role("lead").unwrap();
    let carol = ActorContext::user("carol").unwrap().with_role("lead").unwrap();
    let inbox = |actor: &ActorContext, now| (InboxQuery::of(actor).unwrap(), now);
    let just_before = second(200).saturating_sub(Duration::from_micros(1));
    let needed = ["pair approval-1", "pair approval-2"];
    let all = ["until-200 approval-1", needed[0], needed[1]];
    expect_inbox(&store, inbox(&bob, just_before), &all).await;
    expect_inbox(&store, inbox(&bob, second(200)), &needed).await;
    expect_inbox(&store, inbox(&carol, second(200)), &["pair approval-1"]).await;
    let deputy = ActorContext::user("dora").unwrap().acting_for("bob", "on leave").unwrap();
    expect_inbox(&store, inbox(&deputy, second(200)), &needed).await;
    let deputy = ActorContext::user("carol").unwrap().acting_for("bob", "on leave").unwrap();
    expect_inbox(&store, inbox(&deputy, second(200)), &[]).await;
    let command = Command::expire(ActorContext::system());
    let expired = workflow::apply(stored, &command, second(200)).unwrap();
    store.update(expired, WriteId::generate()).await.unwrap();
    expect_inbox(&store, inbox(&bob, just_before), &needed).await;
    let vote = Command::approve_requirement(bob.clone(), pair.approvals[0].id.clone());
    store.update(workflow::apply(pair, &vote, second(95)).unwrap(), WriteId::generate()).await.unwrap();
    expect_inbox(&store, inbox(&bob, just_before), &[]).await;
    expect_inbox(&store, inbox(&carol, just_before), &["pair approval-2"]).await;
}

/// Decisions made after a clock was set back come before earlier ones in a list of the latest.
#[dual]
pub async fn decisions_agree_with_history_when_a_clock_was_set_back(store: Arc<dyn Store>) {
    let submitted = submit(draft("back", "s").requires_approval(ApprovalRule::actor("bob").unwrap()), second(50));
    let submitted = store.create(submitted).await.unwrap();
    let grant = Command::approve_requirement(ActorContext::user("bob").unwrap(), submitted.approvals[0].id.clone());
    let granted = workflow::apply(submitted, &grant, second(40)).unwrap();
    let granted = store.update(granted, WriteId::generate()).await.unwrap();
    assert!(granted.updated_at > granted.created_at && granted.decisions.is_sorted_by_key(|decision| decision.at));
    let latest_first = [
        "back 3 Approval/Granted",
        "back 4 Lifecycle/Approved",
        "back 0 Lifecycle/Submitted",
        "back 1 Lifecycle/Pending",
        "back 2 Approval/Requested",
    ];
    expect(&over(&store), DecisionQuery::new(), decision, &latest_first).await;
    let activity = format!("back {}", granted.updated_at);
    let row = |row: &RecentApprovalRow| format!("{} {}", row.request.id, row.activity_at);
    expect(&over(&store), RecentApprovalQuery::new(), row, &[&activity]).await;
}

/// A cursor is valid only in its own query.
#[dual]
pub async fn a_query_rejects_the_cursor_of_another(store: Arc<dyn Store>) {
    fill(&store).await;
    store.create(pending("more", "s", second(90))).await.unwrap();
    let one = PageRequest::of(1).unwrap();
    let of_all = store.requests(&RequestQuery::new(), &one).await.unwrap().next.unwrap();
    let of_decisions = store.decisions(&DecisionQuery::new(), &one).await.unwrap().next.unwrap();
    let (after_request, after_decision) =
        (PageRequest::first().after(of_all), PageRequest::first().after(of_decisions));
    let filtered = store.requests(&RequestQuery::pending(), &after_request).await.map(|page| page.items.len());
    let reversed = RequestQuery::new().in_order(SortDirection::Descending);
    let reversed = store.requests(&reversed, &after_request).await.map(|page| page.items.len());
    let approvals = store.pending_approvals(&PendingApprovalQuery::new(), &after_request).await;
    let recent = store.recent_approvals(&RecentApprovalQuery::new(), &after_decision).await;
    let decisions = store.decisions(&DecisionQuery::new(), &after_request).await.map(|page| page.items.len());
    let inbox = store.inbox(&InboxQuery::of(&manager()).unwrap(), second(90), &after_decision).await;
    let rejected = [
        filtered,
        reversed,
        approvals.map(|page| page.items.len()),
        recent.map(|page| page.items.len()),
        decisions,
        inbox.map(|page| page.items.len()),
    ];
    for (place, answer) in rejected.into_iter().enumerate() {
        assert!(matches!(answer, Err(Error::InvalidCursor { .. })), "query {place}: {answer:?}");
    }
}
