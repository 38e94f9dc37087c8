//! One command that decides several approvals is one write.

use std::sync::Arc;

use super::requests::{draft, second, submit};
use super::{Governance, Store, StoreExtension as _, dual};
use crate::error::Error;
use crate::feed::FeedPosition;
use crate::query::{DecisionQuery, PageRequest, PendingApprovalQuery};
use crate::request::{
    ActorContext, ApprovalRule, ApprovalTarget, DiscussionDecision, MutationRequest, Status, Step, WriteId, WriteKind,
};
use crate::service::clock::ManualClock;
use crate::workflow::Command;

fn ann() -> ActorContext {
    ActorContext::user("ann").unwrap()
}

/// In its first step it waits for ann twice, and for one of a pair; then for ann again.
fn waiting(request_id: &str) -> MutationRequest {
    let pair = ["ann", "bob"].map(|name| ApprovalTarget::actor(name).unwrap());
    let of_ann = || ApprovalRule::actor("ann").unwrap();
    let draft = draft(request_id, "s")
        .requires_approval(of_ann().at_step(Step::FIRST))
        .requires_approval(of_ann().at_step(Step::FIRST))
        .requires_approval(ApprovalRule::quorum("pair", 1, pair).unwrap().at_step(Step::FIRST))
        .requires_approval(of_ann().at_step(Step::new(2).unwrap()));
    submit(draft, second(0))
}

fn over(store: &Arc<dyn Store>) -> Governance {
    at_second(1, store)
}

fn at_second(number: u64, store: &Arc<dyn Store>) -> Governance {
    Governance::builder().store(Arc::clone(store)).clock(Arc::new(ManualClock::at(second(number)))).build()
}

/// The ids of the approvals in ann's inbox.
#[dual]
async fn inbox_of_ann(governance: &Governance) -> Vec<String> {
    let page = governance.inbox(&ann(), &PageRequest::first()).await.unwrap();
    page.items.iter().map(|row| row.approval.id.to_string()).collect()
}

/// All that an actor may decide is decided by one revision, with one entry in the feed; indexes follow.
#[dual]
pub async fn all_that_one_actor_decides_is_one_write(store: Arc<dyn Store>) {
    let governance = over(&store);
    store.create(waiting("at-once")).await.unwrap();
    let open = inbox_of_ann(&governance).await;
    assert_eq!(open, ["approval-1", "approval-2", "approval-3"]);
    let approved = governance.approve("at-once", ann()).await.unwrap();
    assert_eq!((approved.revision().number, approved.state.status()), (1, Status::Pending));
    let open = inbox_of_ann(&governance).await;
    assert_eq!(open, ["approval-5"], "the next step takes another command");
    let feed = store.read_feed(&FeedPosition::beginning(), 10).await.unwrap();
    let revisions: Vec<u64> = feed.entries.iter().map(|entry| entry.revision).collect();
    assert_eq!(revisions, [0, 1]);

    let rejected = governance.reject("at-once", ann(), None).await.unwrap();
    assert_eq!((rejected.revision().number, rejected.state.status()), (2, Status::Rejected));
    let open = inbox_of_ann(&governance).await;
    assert_eq!(open, Vec::<String>::new());
    let read = store.get(&rejected.id).await.unwrap();
    assert_eq!(read, Some(rejected));
}

/// A repetition under its write id returns what is stored, although the actor could decide more by now.
#[dual]
pub async fn a_repeated_decision_of_all_decides_no_more(store: Arc<dyn Store>) {
    let governance = over(&store);
    store.create(waiting("repeated")).await.unwrap();
    let (command, write_id) = (Command::approve(ann()), WriteId::generate());
    let approved = governance.apply_as("repeated", &command, write_id).await.unwrap();
    let again = governance.apply_as("repeated", &command, write_id).await.unwrap();
    assert_eq!(again, approved);
    let other = governance.apply_as("repeated", &Command::reject(ann(), None), write_id).await;
    let used_to = match other {
        Err(Error::WriteIdReused { used_to, .. }) => used_to,
        other => panic!("{other:?}"),
    };
    assert_eq!(used_to, WriteKind::Approve);
    let done = governance.apply_as("repeated", &command, WriteId::generate()).await.unwrap();
    assert_eq!((done.revision().number, done.state.status()), (2, Status::Approved));
    let later = governance.apply_as("repeated", &command, write_id).await.unwrap();
    assert_eq!(later, done, "although nothing is left to decide");
}

/// An approval whose vote was withdrawn is open for every read, and so are those of its group that are needed again.
#[dual]
pub async fn a_withdrawn_vote_is_asked_for_again(store: Arc<dyn Store>) {
    let governance = over(&store);
    let pair = ["ann", "bob"].map(|name| ApprovalTarget::actor(name).unwrap());
    let draft = draft("withdrawn", "s").requires_approval(ApprovalRule::quorum("pair", 1, pair).unwrap());
    store.create(submit(draft, second(0))).await.unwrap();
    let approved = governance.approve("withdrawn", ActorContext::user("bob").unwrap()).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
    let open = inbox_of_ann(&governance).await;
    assert_eq!(open, Vec::<String>::new());
    let waiting = governance.withdraw("withdrawn", ActorContext::user("bob").unwrap()).await.unwrap();
    assert_eq!((waiting.revision().number, waiting.state.status()), (2, Status::Pending));
    let read = store.get(&waiting.id).await.unwrap();
    assert_eq!(read, Some(waiting));
    let open = inbox_of_ann(&governance).await;
    assert_eq!(open, ["approval-1"]);
    let page = governance.pending_approvals(&PendingApprovalQuery::new(), &PageRequest::first()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let approved = governance.approve("withdrawn", ann()).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

/// A comment is written to a request in any status, listed with the discussions, and changes nothing else.
#[dual]
pub async fn what_is_said_about_a_request_is_listed(store: Arc<dyn Store>) {
    let governance = over(&store);
    let request = store.create(waiting("discussed")).await.unwrap();
    governance.comment("discussed", ann(), "For how long?").await.unwrap();
    let canceled = governance.cancel("discussed", ActorContext::user("alice").unwrap()).await.unwrap();
    let discussed = at_second(2, &store).comment("discussed", ann(), "Thank you.").await.unwrap();
    assert_eq!((&discussed.state, discussed.digest()), (&canceled.state, request.digest()));
    let page = governance.decisions(&DecisionQuery::discussions(), &PageRequest::first()).await.unwrap();
    let said: Vec<_> = page.items.iter().filter_map(|row| row.decision.comment()).collect();
    assert_eq!(said, ["Thank you.", "For how long?"]);
    let feed = store.read_feed(&FeedPosition::beginning(), 10).await.unwrap();
    let last = feed.entries.last().map(|entry| (entry.revision, entry.decisions.clone()));
    assert_eq!(last, Some((3, vec![DiscussionDecision::Commented.into()])));
}
