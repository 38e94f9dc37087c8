//! A request that is corrected, one that is submitted again, and previews of both.

use std::sync::Arc;

use super::requests::{draft, second, submit};
use super::{Governance, Store, StoreExtension as _, dual};
use crate::feed::FeedPosition;
use crate::query::{PageRequest, RequestQuery};
use crate::request::{
    ActorContext, ApprovalRule, ApprovalTarget, LifecycleDecision, Metadata, MutationRequest, Payload, PendingReason,
    Status,
};
use crate::service::clock::ManualClock;
use crate::workflow::{Amendment, Command};

fn person(name: &str) -> ActorContext {
    ActorContext::user(name).unwrap()
}

fn over(store: &Arc<dyn Store>) -> Governance {
    Governance::builder().store(Arc::clone(store)).clock(Arc::new(ManualClock::at(second(1)))).build()
}

/// Waits for ann and bob; alice submitted it.
fn waiting(request_id: &str) -> MutationRequest {
    let both = ["ann", "bob"].map(|name| ApprovalTarget::actor(name).unwrap());
    let payload = Payload::new("text/plain", &b"for ever"[..]).unwrap();
    let draft = draft(request_id, "s").with_payload(payload);
    submit(draft.requires_approval(ApprovalRule::quorum("both", 2, both).unwrap()), second(0))
}

fn amendment() -> Amendment {
    let payload = Payload::new("text/plain", &b"for 30 days"[..]).unwrap();
    Amendment::new().payload(payload).metadata(Metadata::new().with("ticket", "OPS-1").unwrap())
}

#[dual]
async fn inbox_of_bob(governance: &Governance) -> usize {
    governance.inbox(&person("bob"), &PageRequest::first()).await.unwrap().items.len()
}

/// What is sent back waits in nobody's inbox and is found by its reason; amended, it is decided anew.
#[dual]
pub async fn what_is_sent_back_is_amended_and_decided_anew(store: Arc<dyn Store>) {
    let governance = over(&store);
    store.create(waiting("corrected")).await.unwrap();
    governance.approve("corrected", person("ann")).await.unwrap();
    let back = governance.request_changes("corrected", person("bob"), "For how long?").await.unwrap();
    let read = store.get(&back.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&back));
    let query = RequestQuery::pending_for(PendingReason::Correction);
    let found = governance.requests(&query, &PageRequest::first()).await.unwrap();
    assert_eq!(found.items, std::slice::from_ref(&back));
    let open = inbox_of_bob(&governance).await;
    assert_eq!(open, 0);

    let amended = governance.amend("corrected", person("alice"), amendment()).await.unwrap();
    let read = store.get(&amended.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&amended));
    assert!(amended.decisions.starts_with(&back.decisions) && amended.digest() != back.digest());
    let query = RequestQuery::new().with_metadata("ticket", "OPS-1").unwrap();
    let found = governance.requests(&query, &PageRequest::first()).await.unwrap();
    assert_eq!(found.items, [amended]);
    let open = inbox_of_bob(&governance).await;
    assert_eq!(open, 1);
    let feed = store.read_feed(&FeedPosition::beginning(), 10).await.unwrap();
    let last = feed.entries.last().unwrap();
    assert!(last.decisions.contains(&LifecycleDecision::Amended.into()), "{last:?}");
    governance.approve("corrected", person("bob")).await.unwrap();
    let approved = governance.approve("corrected", person("ann")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

/// The request that ended changes once more: it names the one that follows it.
#[dual]
pub async fn what_ended_is_linked_with_what_follows_it(store: Arc<dyn Store>) {
    let governance = over(&store);
    store.create(waiting("ended")).await.unwrap();
    let ended = governance.reject("ended", person("bob"), None).await.unwrap();
    let new = governance.resubmit("ended", person("alice"), amendment()).await.unwrap();
    let read = store.get(&new.id).await.unwrap().unwrap();
    assert_eq!((&read, &read.execution.resubmits.as_ref().unwrap().request), (&new, &ended.id));
    let linked = store.get(&ended.id).await.unwrap().unwrap();
    assert_eq!(linked.execution.resubmitted_as.as_ref().unwrap().request, new.id);
    assert_eq!((&linked.state, &linked.decisions), (&ended.state, &ended.decisions));
    let again = governance.resubmit("ended", person("alice"), amendment()).await.unwrap_err();
    assert_eq!(again.code(), "correction.resubmitted_already");
}

/// Neither a command nor a draft leaves anything behind.
#[dual]
pub async fn a_preview_writes_nothing(store: Arc<dyn Store>) {
    let governance = over(&store);
    let request = store.create(waiting("previewed")).await.unwrap();
    let end = store.end_of_feed().await.unwrap();
    let foreseen = governance.preview("previewed", &Command::approve(person("ann"))).await.unwrap();
    governance.preview("previewed", &Command::approve(person("eve"))).await.unwrap_err();
    let new = governance.preview_submit(draft("new", "s")).await.unwrap();
    governance.preview_submit(draft("previewed", "s")).await.unwrap_err();
    let read = store.get_many(&[request.id.clone(), new.id.clone()]).await.unwrap();
    assert_eq!(read.requests, [Some(request), None]);
    let feed = store.read_feed(&end, 10).await.unwrap();
    assert!(feed.entries.is_empty());
    let done = governance.approve("previewed", person("ann")).await.unwrap();
    assert_eq!(done.document(), foreseen.document());
}
