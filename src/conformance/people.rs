//! When two ids are the same person: by the store's rule, in decisions, reads and counts alike.

use std::sync::Arc;

use super::requests::{draft, second};
use super::{Store, StoreExtension as _, dual};
use crate::query::{
    Count, DecisionQuery, InboxQuery, PageRequest, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, Viewer,
};
use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalRule, ApprovalTarget, MutationRequest, RequestDraft, RequestId, WriteId,
};
use crate::workflow::{self, Command};

/// A request of Émilie's that needs a lead, and then two of a board with people in several spellings.
fn of_emilie(store: &Arc<dyn Store>) -> MutationRequest {
    let requester = ActorContext::user("Émilie@Example.com").unwrap().with_role("Lead").unwrap();
    let RequestDraft { target, intent, .. } = draft("spelled", "tenant:acme");
    let board = [ApprovalTarget::actor("Bob"), ApprovalTarget::group("Straße"), ApprovalTarget::actor("ΣΟΦΟΣ")];
    let board = ApprovalRule::quorum("board", 2, board.map(Result::unwrap)).unwrap();
    let draft = RequestDraft::new(target, intent, requester)
        .with_id(RequestId::new("spelled").unwrap())
        .requires_approval(ApprovalRule::role("Lead").unwrap())
        .requires_approval(board)
        .comparing_ids(store.id_comparison());
    workflow::submit(draft, RequestId::generate(), WriteId::generate(), second(0)).unwrap()
}

/// Deciding and reading compare ids by the store's [rule](Store::id_comparison), in stored requests and in indexes;
/// stored ids keep their spelling.
#[dual]
pub async fn people_are_told_apart_by_the_rule_of_the_store(store: Arc<dyn Store>) {
    let folds = store.id_comparison().folds_case();
    let submitted = store.create(of_emilie(&store)).await.unwrap();
    assert_eq!(submitted.id_comparison, store.id_comparison());
    let stored = store.get(&submitted.id).await.unwrap().unwrap();
    assert_eq!(stored, submitted);
    assert_eq!(stored.requested_by.id.as_ref().unwrap(), "Émilie@Example.com", "the spelling is kept");

    let spelled = expected(folds, "Lead", "LEAD");
    for (spelling, rows) in spelled {
        let asked = PendingApprovalQuery::new().with_roles([spelling]).unwrap();
        let found = store.pending_approvals(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "approvals for role {spelling}");
        let lead = ActorContext::user("mona").unwrap().with_role(spelling).unwrap();
        let inbox = InboxQuery::of(&lead).unwrap();
        let found = store.inbox(&inbox, second(1), &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "the inbox of a {spelling}");
        assert_eq!(workflow::decidable_by(&stored, &lead, second(1)).len(), rows, "what a {spelling} can decide");
    }
    requests_are_found(&store, folds).await;

    // Nobody decides on their own request under another spelling, unless that is another person.
    let own = ActorContext::user("ÉMILIE@example.COM").unwrap().with_role("Lead").unwrap();
    let own_inbox = store.inbox(&InboxQuery::of(&own).unwrap(), second(1), &PageRequest::first()).await.unwrap();
    assert_eq!(own_inbox.items.is_empty(), folds);
    let lead = Command::approve_requirement(own, ApprovalId::new("approval-1").unwrap());
    assert_eq!(workflow::apply(stored.clone(), &lead, second(1)).is_err(), folds);

    let mona = ActorContext::user("Mona").unwrap().with_role(if folds { "lead" } else { "Lead" }).unwrap();
    let granted = Command::approve_requirement(mona, ApprovalId::new("approval-1").unwrap());
    let granted = workflow::apply(stored, &granted, second(2)).unwrap();
    let granted = store.update(granted, WriteId::generate()).await.unwrap();
    assert_eq!(granted.decisions.last().unwrap().by.id.as_ref().unwrap(), "Mona");
    board_votes(&store, granted, folds).await;
}

/// The number of rows for the stored spelling, and for another.
fn expected<'a>(folds: bool, used: &'a str, other: &'a str) -> [(&'a str, usize); 2] {
    [(used, 1), (other, usize::from(folds))]
}

#[dual]
async fn requests_are_found(store: &Arc<dyn Store>, folds: bool) {
    for (spelling, rows) in expected(folds, "Émilie@Example.com", "éMILIE@EXAMPLE.com") {
        let asked = RequestQuery::new().with_actor_ids([spelling]).unwrap();
        let found = store.requests(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "requests of {spelling}");
        let found = store.stored_requests(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "stored requests of {spelling}");
        let count = store.count(&asked).await.unwrap();
        assert_eq!(count, Count::Exact(rows as u64), "how many of {spelling}");
        // With other filters, one of them answered by an index and one checked on the document.
        let asked = asked.with_state_ids(["tenant:acme"]).unwrap().updated_between(second(0), None).unwrap();
        let found = store.requests(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "requests of {spelling} on a state");
        let viewer = Viewer::new(ActorId::new(spelling).unwrap(), [].into(), [].into()).unwrap();
        let visible = RequestQuery::new().visible_to(viewer);
        let found = store.requests(&visible, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "requests visible to {spelling}");
        let decisions = DecisionQuery::new().with_actor_ids([spelling]).unwrap();
        let found = store.decisions(&decisions, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found > 0, rows > 0, "decisions of {spelling}");
        let approvals =
            PendingApprovalQuery::new().of_requests(RequestQuery::new().with_actor_ids([spelling]).unwrap());
        let found = store.pending_approvals(&approvals, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found > 0, rows > 0, "approvals of requests of {spelling}");
    }
    for (spelling, rows) in expected(folds, "ΣΟΦΟΣ", "σοφος") {
        let asked = PendingApprovalQuery::new().with_approver_ids([spelling]).unwrap();
        let found = store.pending_approvals(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "approvals for {spelling}");
    }
    for (spelling, rows) in expected(folds, "Straße", "STRASSE") {
        let asked = PendingApprovalQuery::new().with_groups([spelling]).unwrap().of_any_request();
        let found = store.pending_approvals(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "approvals for group {spelling}, read from the documents");
    }
}

/// Nobody votes twice under two spellings.
#[dual]
async fn board_votes(store: &Arc<dyn Store>, granted: MutationRequest, folds: bool) {
    let vote = |spelling: &str, number: u32| {
        let by = ActorContext::user(spelling).unwrap().with_group("Straße").unwrap();
        Command::approve_requirement(by, ApprovalId::new(format!("approval-{number}")).unwrap())
    };
    let once = workflow::apply(granted, &vote("Bob", 2), second(3)).unwrap();
    let once = store.update(once, WriteId::generate()).await.unwrap();
    let again = workflow::apply(once.clone(), &vote("BOB", 3), second(4));
    assert_eq!(again.is_err(), folds, "a second vote of Bob's, as BOB");
    let other = ActorContext::user("BOB").unwrap().with_group("Straße").unwrap();
    let inbox = InboxQuery::of(&other).unwrap();
    let found = store.inbox(&inbox, second(4), &PageRequest::first()).await.unwrap().items.len();
    assert_eq!(found, usize::from(!folds), "the inbox of BOB, after a vote of Bob's");

    let carol = workflow::apply(once, &vote("Carol", 3), second(5)).unwrap();
    let approved = store.update(carol, WriteId::generate()).await.unwrap();
    for (spelling, rows) in expected(folds, "Émilie@Example.com", "émilie@example.com") {
        let asked = RecentApprovalQuery::of_requests(RequestQuery::new().with_actor_ids([spelling]).unwrap());
        let found = store.recent_approvals(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "recent approvals of {spelling}");
    }
    for (spelling, rows) in expected(folds, "Bob", "bob") {
        let asked = DecisionQuery::new().with_actor_ids([spelling]).unwrap();
        let found = store.decisions(&asked, &PageRequest::first()).await.unwrap().items.len();
        assert_eq!(found, rows, "decisions of {spelling}");
    }
    let stored = store.get(&approved.id).await.unwrap().unwrap();
    assert_eq!(stored, approved);
}
