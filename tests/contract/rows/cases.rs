//! The rows, asked for in one flavour. Compiled twice, like the engine and by its rules: no `async` blocks, and no
//! `.await` within a macro's arguments.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::*;

use super::{Governance, RowQuery, Store, StoreExtension as _, dual};
use crate::rows::company::{Write, person, second, story};
use crate::rows::filters;

/// The service over a store, at second 100.
pub(crate) fn over(store: &Arc<dyn Store>) -> Governance {
    Governance::builder().store(Arc::clone(store)).clock(Arc::new(ManualClock::at(second(100)))).build()
}

#[dual]
pub(crate) async fn seed(store: &Arc<dyn Store>) {
    for write in story().0 {
        match write {
            Write::Create(request) => drop(store.create(request).await.unwrap()),
            Write::Update(request, write_id) => drop(store.update(request, write_id).await.unwrap()),
        }
    }
}

/// All rows in pages of `limit`, as one word each.
#[dual]
async fn words<Asked: RowQuery>(
    store: &Arc<dyn Store>,
    asked: &Asked,
    limit: usize,
    word: fn(&Asked::Row) -> String,
) -> Vec<String> {
    let mut words = Vec::new();
    let mut page = PageRequest::of(limit).unwrap();
    loop {
        let read = asked.read(&over(store), &page).await.unwrap();
        assert!(read.items.len() <= limit && read.unreadable.is_empty());
        words.extend(read.items.iter().map(word));
        match read.next {
            Some(next) => page = PageRequest::of(limit).unwrap().after(next),
            None => return words,
        }
    }
}

#[dual]
async fn check<Asked: RowQuery>(store: &Arc<dyn Store>, asked: Asked, word: fn(&Asked::Row) -> String, rows: &[&str]) {
    for limit in [1, 2, 3, 50] {
        let found = words(store, &asked, limit, word).await;
        assert_eq!(found, rows, "in pages of {limit}");
    }
}

fn request(row: &MutationRequest) -> String {
    row.id.to_string()
}

fn approval(row: &PendingApprovalRow) -> String {
    format!("{} {} at step {}", row.request.id, row.approval.id, row.approval.step)
}

fn approval_status(row: &PendingApprovalRow) -> String {
    format!("{} {} {}", row.request.id, row.approval.id, row.approval.state.status())
}

fn recent(row: &RecentApprovalRow) -> String {
    format!("{} at {}", row.request.id, row.activity_at.as_micros() / 1_000_000)
}

fn decision(row: &DecisionRow) -> String {
    let at = row.decision.at.as_micros() / 1_000_000;
    format!("{at} {} {} {}", row.request.id, row.ordinal, row.decision.kind)
}

/// The same requests, whichever read gives a page and whichever goes on behind it.
#[dual]
pub(crate) async fn stored_requests(store: Arc<dyn Store>) {
    seed(&store).await;
    let questions = [
        RequestQuery::new(),
        RequestQuery::new().in_order(SortDirection::Descending),
        RequestQuery::pending_approval_queue(),
        RequestQuery::new().with_ids(["grant-1", "limit-1", "absent"]).unwrap(),
        RequestQuery::new().with_actor_names(["Rita"]).unwrap(),
        RequestQuery::new().with_metadata("ticket", "OPS-1").unwrap(),
    ];
    for query in questions {
        for limit in [1, 2, 50] {
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let mut page = PageRequest::of(limit).unwrap();
            loop {
                let decoded = store.requests(&query, &page).await.unwrap();
                let stored = store.stored_requests(&query, &page).await.unwrap();
                expected.extend(decoded.items);
                for stored in stored.items {
                    let request = stored.request().unwrap();
                    assert_eq!((stored.id(), stored.revision()), (&request.id, request.revision()));
                    assert_eq!(stored.into_request().unwrap(), request);
                    found.push(request);
                }
                assert_eq!(stored.next, decoded.next, "{query} in pages of {limit}");
                match stored.next {
                    Some(next) => page = PageRequest::of(limit).unwrap().after(next),
                    None => break,
                }
            }
            assert_eq!(found, expected, "{query} in pages of {limit}");
        }
    }
}

#[dual]
pub(crate) async fn requests(store: Arc<dyn Store>) {
    seed(&store).await;
    let mut all =
        ["grant-1", "grant-2", "limit-1", "access-3", "limit-2", "flag-1", "flag-2", "grant-4", "stale-1"].to_vec();
    check(&store, RequestQuery::new(), request, &all).await;
    all.reverse();
    check(&store, RequestQuery::new().in_order(SortDirection::Descending), request, &all).await;
    let state = || StateId::new("tenant:acme").unwrap();
    check(&store, RequestQuery::of_state(state()), request, &["grant-1", "grant-2", "grant-4", "stale-1"]).await;
    check(&store, RequestQuery::pending(), request, &["grant-1", "grant-2", "limit-1", "grant-4"]).await;
    check(&store, RequestQuery::pending_of_state(state()), request, &["grant-1", "grant-2", "grant-4"]).await;
    check(&store, RequestQuery::pending_for(PendingReason::Schedule), request, &["limit-1"]).await;
    check(&store, RequestQuery::pending_approval_queue(), request, &["grant-1", "grant-2"]).await;

    let page = PageRequest::first();
    let short = |page: Page<MutationRequest>| page.items.iter().map(request).collect::<Vec<_>>();
    let pending = store.pending(&page).await.unwrap();
    assert_eq!(short(pending), ["grant-1", "grant-2", "limit-1", "grant-4"]);
    let by_state = store.by_state(&state(), &page).await.unwrap();
    assert_eq!(short(by_state), ["grant-1", "grant-2", "grant-4", "stale-1"]);
    let pending_by_state = store.pending_by_state(&state(), &page).await.unwrap();
    assert_eq!(short(pending_by_state), ["grant-1", "grant-2", "grant-4"]);
    for (by, expected) in [(299, &[][..]), (300, &["grant-2"]), (500, &["grant-2", "limit-1"])] {
        let due = store.due(second(by), &page).await.unwrap();
        assert_eq!(short(due), expected, "due by {by}");
    }
}

#[dual]
pub(crate) async fn approvals(store: Arc<dyn Store>) {
    seed(&store).await;
    let open = ["grant-1 security at step 2", "grant-2 board-2 at step 1", "grant-2 board-3 at step 1"];
    check(&store, PendingApprovalQuery::new(), approval, &open).await;
    let newest_first = ["grant-2 board-3 at step 1", "grant-2 board-2 at step 1", "grant-1 security at step 2"];
    check(&store, PendingApprovalQuery::new().in_order(SortDirection::Descending), approval, &newest_first).await;

    let every_status = [
        ApprovalStatus::Pending,
        ApprovalStatus::Approved,
        ApprovalStatus::Rejected,
        ApprovalStatus::Satisfied,
        ApprovalStatus::Expired,
    ];
    let all = PendingApprovalQuery::new().of_any_request().with_approval_statuses(every_status).unwrap();
    let rows = [
        "grant-1 manager Approved",
        "grant-1 security Pending",
        "grant-2 board-1 Approved",
        "grant-2 board-2 Pending",
        "grant-2 board-3 Pending",
        "access-3 manager Rejected",
        "limit-2 mona Approved",
        "grant-4 manager Pending",
        "stale-1 mona Approved",
    ];
    check(&store, all, approval_status, &rows).await;
}

#[dual]
pub(crate) async fn recent_approvals(store: Arc<dyn Store>) {
    seed(&store).await;
    check(&store, RecentApprovalQuery::new(), recent, &["stale-1 at 75", "limit-2 at 60"]).await;
    let of_beta = RequestQuery::of_state(StateId::new("tenant:beta").unwrap());
    check(&store, RecentApprovalQuery::of_requests(of_beta), recent, &["limit-2 at 60"]).await;
}

#[dual]
pub(crate) async fn decisions(store: Arc<dyn Store>) {
    seed(&store).await;
    let outcomes =
        ["90 flag-2 1 Lifecycle/Canceled", "80 limit-2 6 Lifecycle/Executed", "65 access-3 4 Lifecycle/Rejected"];
    check(&store, DecisionQuery::execution_outcomes(), decision, &outcomes).await;
    let resolutions = ["85 stale-1 5 VersionResolution/RevalidationRequired"];
    check(&store, DecisionQuery::version_resolutions(), decision, &resolutions).await;
    let by_mona = DecisionQuery::new().with_actor_ids(["mona"]).unwrap();
    let rows = [
        "75 stale-1 3 Approval/Granted",
        "75 stale-1 4 Lifecycle/Approved",
        "65 access-3 3 Approval/Rejected",
        "65 access-3 4 Lifecycle/Rejected",
        "60 limit-2 3 Approval/Granted",
        "60 limit-2 4 Lifecycle/Approved",
        "50 grant-2 3 Approval/Granted",
        "40 grant-1 3 Approval/Granted",
    ];
    check(&store, by_mona.clone(), decision, &rows).await;
    let then = by_mona.decided_between(second(50), second(60)).unwrap();
    check(&store, then, decision, &rows[4..7]).await;
    let last = words(&store, &DecisionQuery::new(), 50, decision).await;
    assert_eq!(last[0], "90 flag-2 1 Lifecycle/Canceled");
    assert_eq!(last.len(), 34);
    let first =
        ["10 grant-1 0 Lifecycle/Submitted", "10 grant-1 1 Lifecycle/Pending", "10 grant-1 2 Approval/Requested"];
    assert_eq!(last[28..31], first);
}

#[dual]
pub(crate) async fn inboxes(store: Arc<dyn Store>) {
    seed(&store).await;
    let cases: [(&str, u64, &[&str]); 6] = [
        ("sam", 100, &["grant-1 security at step 2", "grant-2 board-3 at step 1"]),
        // The board's approvals are not to be decided any more.
        ("sam", 300, &["grant-1 security at step 2"]),
        ("omar", 100, &["grant-2 board-2 at step 1"]),
        // She has voted; what a manager could grant in grant-4 is not asked for yet.
        ("mona", 100, &[]),
        ("rita", 100, &[]),
        ("nobody", 100, &[]),
    ];
    for (who, now, rows) in cases {
        let query = InboxQuery::of(&person(who)).unwrap();
        for limit in [1, 50] {
            let mut found = Vec::new();
            let mut page = PageRequest::of(limit).unwrap();
            loop {
                let read = store.inbox(&query, second(now), &page).await.unwrap();
                found.extend(read.items.iter().map(approval));
                let Some(next) = read.next else { break };
                page = PageRequest::of(limit).unwrap().after(next);
            }
            assert_eq!(found, rows, "of {who} at {now}");
        }
    }
}

#[dual]
pub(crate) async fn numbers(store: Arc<dyn Store>) {
    seed(&store).await;
    let (near, far) = (Duration::from_secs(200), Duration::from_secs(400));
    // Asking twice for the same time is asking once.
    let statistics = store.statistics(second(100), &[near, far, near]).await.unwrap();
    let statuses = [
        (Status::Pending, 4),
        (Status::Approved, 2),
        (Status::Rejected, 1),
        (Status::Canceled, 1),
        (Status::Executed, 1),
    ];
    assert_eq!(statistics.by_status, statuses.into());
    let reasons = [(PendingReason::Approval, 2), (PendingReason::Schedule, 1), (PendingReason::ExternalCheck, 1)];
    assert_eq!(statistics.by_pending_reason, reasons.into());
    assert_eq!(statistics.oldest_pending, Some(second(10)));
    assert_eq!(statistics.due_within, [(near, 1), (far, 2)].into());
    assert_eq!(statistics.total(), 9);

    let none = store.statistics(second(100), &[]).await.unwrap();
    assert!(none.due_within.is_empty());
}

/// Every filter, which finds some and not all.
#[dual]
pub(crate) async fn filters(store: Arc<dyn Store>) {
    seed(&store).await;
    for (query, expected) in filters::of_requests() {
        let found = words(&store, &query, 2, request).await;
        assert_eq!(found, expected, "{query}");
        let count = store.count(&query).await.unwrap();
        assert_eq!(count, Count::Exact(expected.len() as u64), "{query}");
        let as_one_of_many = DecisionQuery::new().of_requests(query.clone());
        let mut of_decisions = words(&store, &as_one_of_many, 7, |row: &DecisionRow| row.request.id.to_string()).await;
        of_decisions.sort();
        of_decisions.dedup();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(of_decisions, expected, "{as_one_of_many}");
    }
    for (query, expected) in filters::of_approvals() {
        let found = words(&store, &query, 2, approval_status).await;
        assert_eq!(found, expected, "{query}");
    }
    for (query, expected) in filters::of_decisions() {
        let found = words(&store, &query, 2, decision).await;
        assert_eq!(found, expected, "{query}");
    }
}
