//! What a viewer sees: the requests that concern them, in every read, and of all others nothing.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{draft, id, second, submit};
use super::{Governance, Store, View, dual};
use crate::error::Error;
use crate::query::{
    Count, DecisionQuery, InboxQuery, PageRequest, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, Viewer,
};
use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, Group, Participants, RequestDraft, Status,
};
use crate::service::clock::ManualClock;
use crate::service::waiting::WaitUntil;
use crate::workflow;

fn person(name: &str) -> ActorContext {
    ActorContext::user(name).unwrap().because("it is right")
}

fn asking(request: &str, approver: &str) -> RequestDraft {
    draft(request, "s").requires_approval(ApprovalRule::actor(approver).unwrap())
}

/// Five requests of Alice: one that names auditors, and one each that needs bob, carl, a group, and somebody in the end.
#[dual]
async fn filled(store: &Arc<dyn Store>) -> Governance {
    let auditors = Participants::new().with_groups(["audit"]).unwrap();
    let escalating = ApprovalRule::actor("bob").unwrap();
    let to_dora = ApprovalTarget::actor("dora").unwrap();
    let escalating = escalating.escalates_after(Duration::from_secs(60), to_dora).unwrap();
    let drafts = [
        draft("named", "s").with_participants(auditors),
        asking("for-bob", "bob"),
        asking("for-carl", "carl"),
        draft("for-a-group", "s").requires_approval(ApprovalRule::group("security").unwrap()),
        draft("escalating", "t").requires_approval(escalating),
    ];
    for (number, draft) in (0..).zip(drafts) {
        store.create(submit(draft.comparing_ids(store.id_comparison()), second(number))).await.unwrap();
    }
    let clock = Arc::new(ManualClock::at(second(10)));
    Governance::builder().store(Arc::clone(store)).clock(clock).build()
}

fn in_group(group: &str) -> Viewer {
    Viewer::new(None, [].into(), [Group::new(group).unwrap()].into()).unwrap()
}

fn seen_by(governance: &Governance, name: &str) -> View {
    governance.visible_to(Viewer::of(&person(name)).unwrap())
}

#[dual]
async fn requests_of(view: &View) -> Vec<String> {
    let (mut found, mut page) = (Vec::new(), PageRequest::of(2).unwrap());
    loop {
        let read = view.requests(&RequestQuery::new(), &page).await.unwrap();
        found.extend(read.items.iter().map(|request| request.id.to_string()));
        match read.next {
            Some(next) => page = PageRequest::of(2).unwrap().after(next),
            None => return found,
        }
    }
}

/// A viewer finds the requests that they submitted, may decide, or are named in, and no other.
#[dual]
pub async fn a_viewer_sees_what_concerns_them(store: Arc<dyn Store>) {
    let governance = filled(&store).await;
    for (viewer, expected) in [
        (Viewer::of(&person("alice")).unwrap(), &["named", "for-bob", "for-carl", "for-a-group", "escalating"][..]),
        (Viewer::of(&person("bob")).unwrap(), &["for-bob", "escalating"]),
        (Viewer::of(&person("carl").with_group("security").unwrap()).unwrap(), &["for-carl", "for-a-group"]),
        (Viewer::of(&person("dora")).unwrap(), &["escalating"]),
        (in_group("audit"), &["named"]),
        (in_group("security"), &["for-a-group"]),
        (in_group("bob"), &[]),
    ] {
        let view = governance.visible_to(viewer);
        let found = requests_of(&view).await;
        assert_eq!(found, expected, "{}", view.viewer());
        let count = view.count(&RequestQuery::new()).await.unwrap();
        assert_eq!(count, Count::Exact(expected.len() as u64), "{}", view.viewer());
        let statistics = view.statistics(&[]).await.unwrap();
        assert_eq!((statistics.total(), statistics.is_lower_bound), (expected.len() as u64, false));
        for request in ["named", "for-bob", "for-carl", "for-a-group", "escalating", "unknown"] {
            let found = view.get(request).await.unwrap();
            assert_eq!(found.is_some(), expected.contains(&request), "{request} for {}", view.viewer());
        }
    }
}

/// Every read of rows, numbers and single requests leaves out what does not concern the viewer, and so do its errors.
#[dual]
pub async fn no_read_shows_a_viewer_another_request(store: Arc<dyn Store>) {
    let governance = filled(&store).await;
    governance.approve("for-carl", person("carl")).await.unwrap();
    governance.comment("for-bob", person("alice"), "For how long?").await.unwrap();
    governance.comment("for-carl", person("alice"), "A secret.").await.unwrap();
    let (view, page) = (seen_by(&governance, "bob"), PageRequest::first());

    let ids = ["for-carl", "for-bob", "unknown"].map(id);
    let found = view.get_many(&ids).await.unwrap();
    assert_eq!(found.requests.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
    let pending = view.pending(&page).await.unwrap().items.len();
    let of_state = view.by_state("t", &page).await.unwrap().items.len();
    let pending_of_state = view.pending_by_state("s", &page).await.unwrap().items.len();
    let stored = view.stored_requests(&RequestQuery::new(), &page).await.unwrap().items.len();
    assert_eq!((pending, of_state, pending_of_state, stored), (2, 1, 1, 2));
    let approved = RequestQuery::new().with_statuses([Status::Approved]).unwrap();
    let none = view.requests(&approved, &page).await.unwrap().items;
    assert_eq!(none, []);
    let count = view.count(&approved).await.unwrap();
    assert_eq!(count, Count::Exact(0));

    let approvals = view.pending_approvals(&PendingApprovalQuery::new().of_any_request(), &page).await.unwrap();
    let of: Vec<&str> = approvals.items.iter().map(|row| row.request.id.as_str()).collect();
    assert_eq!(of, ["for-bob", "escalating"]);
    let recent = view.recent_approvals(&RecentApprovalQuery::new(), &page).await.unwrap().items.len();
    let recent_of_carl =
        seen_by(&governance, "carl").recent_approvals(&RecentApprovalQuery::new(), &page).await.unwrap().items.len();
    assert_eq!((recent, recent_of_carl), (0, 1));
    let discussions = view.decisions(&DecisionQuery::discussions(), &page).await.unwrap();
    let said: Vec<_> = discussions.items.iter().filter_map(|row| row.decision.comment()).collect();
    assert_eq!(said, ["For how long?"]);
    let decisions = view.decisions(&DecisionQuery::new(), &page).await.unwrap();
    assert!(decisions.items.iter().all(|row| row.request.id != "for-carl"));

    let own = view.inbox(&person("bob"), &page).await.unwrap().items.len();
    let of_another = seen_by(&governance, "dora").inbox(&person("bob"), &page).await.unwrap();
    let in_both: Vec<&str> = of_another.items.iter().map(|row| row.request.id.as_str()).collect();
    assert_eq!((own, &in_both[..]), (2, &["escalating"][..]));
    let statistics = view.statistics(&[]).await.unwrap();
    assert_eq!(statistics.by_status, [(Status::Pending, 2)].into());
    let rest = governance.statistics_of(&approved, &[]).await.unwrap();
    assert_eq!(rest.by_status, [(Status::Approved, 1)].into());

    for request in ["for-carl", "unknown"] {
        let waited = view.wait(request, WaitUntil::Decided, Duration::ZERO).await;
        assert!(matches!(&waited, Err(Error::NotFound { id }) if *id == request), "{waited:?}");
    }
    let waited = view.wait("for-bob", WaitUntil::Decided, Duration::ZERO).await.unwrap();
    assert!(!waited.is_met() && waited.request().id == "for-bob");

    let first = PageRequest::of(1).unwrap();
    let next = view.requests(&RequestQuery::new(), &first).await.unwrap().next.unwrap();
    let of_another = seen_by(&governance, "alice").requests(&RequestQuery::new(), &first.after(next)).await;
    assert!(matches!(of_another, Err(Error::InvalidCursor { .. })), "{of_another:?}");
}

#[dual]
async fn sees(view: &View, request: &str) -> bool {
    requests_of(view).await.iter().any(|found| found == request)
}

/// A request becomes visible, and ceases to be, with the write that changes whom it concerns.
#[dual]
pub async fn what_a_viewer_sees_changes_with_the_request(store: Arc<dyn Store>) {
    let governance = filled(&store).await;
    let approval = ApprovalId::new("approval-1").unwrap();
    let to = |name: &str| ActorId::new(name).unwrap();
    let erin = seen_by(&governance, "erin");
    let before = sees(&erin, "for-bob").await;
    assert!(!before);
    governance.delegate("for-bob", approval.clone(), person("bob"), to("erin")).await.unwrap();
    let delegated = sees(&erin, "for-bob").await;
    assert!(delegated);
    let of_erin = InboxQuery::of(&person("erin")).unwrap().visible_to(Viewer::of(&person("bob")).unwrap());
    let in_inbox = store.inbox(&of_erin, second(10), &PageRequest::first()).await.unwrap().items.len();
    assert_eq!(in_inbox, 1, "bob handed it on, and still sees it");
    let target = ApprovalTarget::actor("fay").unwrap();
    governance.reassign("for-bob", approval.clone(), person("admin"), target).await.unwrap();
    let fay = seen_by(&governance, "fay");
    let (erin_sees, fay_sees) = (sees(&erin, "for-bob").await, sees(&fay, "for-bob").await);
    assert!(erin_sees && fay_sees, "it was delegated to erin, and is for fay");
    let target = ApprovalTarget::actor("gus").unwrap();
    governance.reassign("for-bob", approval, person("admin"), target).await.unwrap();
    let fay_sees = sees(&fay, "for-bob").await;
    assert!(!fay_sees, "taken from fay, who did nothing");
    governance.comment("for-bob", person("mallory"), "What is it?").await.unwrap();
    let mallory_sees = sees(&seen_by(&governance, "mallory"), "for-bob").await;
    assert!(!mallory_sees, "a comment opens nothing to its author");
    governance.cancel("for-bob", person("hal")).await.unwrap();
    let hal_sees = sees(&seen_by(&governance, "hal"), "for-bob").await;
    assert!(hal_sees, "who decides stays a participant");
    let stored = governance.get("for-bob").await.unwrap().unwrap();
    assert_eq!(workflow::participants(&stored).to_string(), "admin or alice or bob or erin or gus or hal");
}
