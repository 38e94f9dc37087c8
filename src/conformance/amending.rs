//! Amended and escalated approvals are found by whom they are for now.

use std::sync::Arc;
use std::time::Duration;

use super::requests::{draft, second, submit};
use super::{Governance, Store, StoreExtension as _, dual};
use crate::error::{AmendmentError, Error};
use crate::query::{DecisionQuery, PageRequest, PendingApprovalQuery};
use crate::request::{
    ActorContext, ActorId, ApprovalDecision, ApprovalId, ApprovalRule, ApprovalTarget, DecisionKind, MutationRequest,
    Status, WriteId, WriteKind,
};
use crate::service::clock::ManualClock;
use crate::workflow::Command;

fn person(id: &str) -> ActorContext {
    ActorContext::user(id).unwrap().because("on holiday")
}

fn at_second(number: u64, store: &Arc<dyn Store>) -> Governance {
    Governance::builder().store(Arc::clone(store)).clock(Arc::new(ManualClock::at(second(number)))).build()
}

fn waiting(request_id: &str, rule: ApprovalRule) -> MutationRequest {
    submit(draft(request_id, "s").requires_approval(rule), second(0))
}

/// Who of these has approvals in the inbox, and to whom a query says that approvals are addressed.
#[dual]
async fn found(governance: &Governance, people: &[ActorContext]) -> (Vec<String>, Vec<String>) {
    let (mut inboxes, mut addressed) = (Vec::new(), Vec::new());
    for person in people {
        let label = person.label().to_owned();
        let page = governance.inbox(person, &PageRequest::first()).await.unwrap();
        inboxes.extend(page.items.iter().map(|_| label.clone()));
        let query = if person.roles.is_empty() {
            PendingApprovalQuery::new().with_approver_ids([label.as_str()]).unwrap()
        } else {
            PendingApprovalQuery::new().with_roles(person.roles.iter().map(AsRef::as_ref)).unwrap()
        };
        let page = governance.pending_approvals(&query, &PageRequest::first()).await.unwrap();
        addressed.extend(page.items.iter().map(|_| label.clone()));
    }
    (inboxes, addressed)
}

/// A delegated, a reassigned, an added and a removed approval: each write changes what every read finds.
#[dual]
pub async fn an_amended_approval_is_found_by_whom_it_is_for(store: Arc<dyn Store>) {
    use ApprovalDecision::{Added, Delegated, Reassigned, Removed};
    let governance = at_second(1, &store);
    let people = ["bob", "carol", "dave"].map(person);
    store.create(waiting("amended", ApprovalRule::actor("bob").unwrap())).await.unwrap();
    let both = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        (names.clone(), names)
    };
    governance.delegate("amended", "approval-1", person("bob"), "carol").await.unwrap();
    let now = found(&governance, &people).await;
    assert_eq!(now, both(&["carol"]));
    let to_dave = ApprovalTarget::actor("dave").unwrap();
    governance.reassign("amended", "approval-1", person("admin"), to_dave).await.unwrap();
    let now = found(&governance, &people).await;
    assert_eq!(now, both(&["dave"]));
    let first = ApprovalRule::actor("bob").unwrap().at_step(crate::request::Step::FIRST);
    governance.add_approval("amended", person("admin"), first).await.unwrap();
    let now = found(&governance, &people).await;
    assert_eq!(now, both(&["bob", "dave"]));
    let removed = governance.remove_approval("amended", "approval-1", person("admin")).await.unwrap();
    let now = found(&governance, &people).await;
    assert_eq!(now, both(&["bob"]));
    let read = store.get(&removed.id).await.unwrap();
    assert_eq!(read, Some(removed));

    let page = governance.decisions(&DecisionQuery::amendments(), &PageRequest::first()).await.unwrap();
    let mut kinds: Vec<DecisionKind> = page.items.iter().map(|row| row.decision.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [Delegated, Reassigned, Added, Removed].map(DecisionKind::Approval));
    let approved = governance.approve("amended", person("bob")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

/// From its time on, the escalation is in the inbox; a sweep records it once, and then every read knows it.
#[dual]
pub async fn an_escalated_approval_is_in_more_inboxes_at_once(store: Arc<dyn Store>) {
    let director = ActorContext::user("erin").unwrap().with_role("director").unwrap();
    let people = [person("bob"), director.clone()];
    let to = ApprovalTarget::role("director").unwrap();
    let rule = ApprovalRule::actor("bob").unwrap().escalates_after(Duration::from_secs(10), to).unwrap();
    store.create(waiting("escalated", rule)).await.unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let before = found(&at_second(9, &store), &people).await;
    assert_eq!(before, (names(&["bob"]), names(&["bob"])));
    let after = found(&at_second(10, &store), &people).await;
    assert_eq!(after, (names(&["bob", "erin"]), names(&["bob"])));

    let early = at_second(9, &store).expire_due(ActorContext::system(), 10).await.unwrap();
    assert!(early.escalated.is_empty() && early.expired.is_empty());
    let swept = at_second(11, &store).expire_due(ActorContext::system(), 10).await.unwrap();
    assert_eq!((swept.escalated.len(), swept.expired.len()), (1, 0));
    let again = at_second(12, &store).expire_due(ActorContext::system(), 10).await.unwrap();
    assert!(again.escalated.is_empty());
    let recorded = found(&at_second(12, &store), &people).await;
    assert_eq!(recorded, (names(&["bob", "erin"]), names(&["bob", "erin"])));
    let approved = at_second(12, &store).approve("escalated", director).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

/// Whom it escalated to hands on their share: it is found by that person, and by those it was for at first.
#[dual]
pub async fn a_delegated_escalation_is_found_by_both_it_is_for(store: Arc<dyn Store>) {
    let director = person("erin").with_role("director").unwrap();
    let people = [person("bob"), director.clone(), person("dave")];
    let to = ApprovalTarget::role("director").unwrap();
    let rule = ApprovalRule::actor("bob").unwrap().escalates_after(Duration::from_secs(10), to).unwrap();
    store.create(waiting("shared", rule)).await.unwrap();
    let handed = at_second(11, &store).delegate("shared", "approval-1", director, "dave").await.unwrap();
    let read = store.get(&handed.id).await.unwrap();
    assert_eq!(read, Some(handed));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let unswept = found(&at_second(12, &store), &people).await;
    assert_eq!(unswept, (names(&["bob", "dave"]), names(&["bob"])));
    at_second(12, &store).expire_due(ActorContext::system(), 10).await.unwrap();
    let swept = found(&at_second(13, &store), &people).await;
    assert_eq!(swept, (names(&["bob", "dave"]), names(&["bob", "dave"])));
    let approved = at_second(13, &store).approve("shared", person("bob")).await.unwrap();
    assert_eq!(approved.state.status(), Status::Approved);
}

/// A repetition under its write id returns what is stored; the same amendment under another id is an error.
#[dual]
pub async fn a_repeated_amendment_is_made_once(store: Arc<dyn Store>) {
    let governance = at_second(1, &store);
    store.create(waiting("again", ApprovalRule::actor("bob").unwrap())).await.unwrap();
    let approval = || ApprovalId::new("approval-1").unwrap();
    let delegate = |to: &str| Command::delegate(person("bob"), approval(), ActorId::new(to).unwrap());
    let write_id = WriteId::generate();
    let delegated = governance.apply_as("again", &delegate("carol"), write_id).await.unwrap();
    let again = governance.apply_as("again", &delegate("carol"), write_id).await.unwrap();
    assert_eq!(again, delegated);
    match governance.apply_as("again", &delegate("dave"), write_id).await {
        Err(Error::WriteIdReused { used_to, .. }) => assert_eq!(used_to, WriteKind::Delegate),
        other => panic!("{other:?}"),
    }
    let error = governance.delegate("again", "approval-1", person("carol"), "bob").await.unwrap_err();
    assert!(matches!(error, Error::Amendment { error: AmendmentError::Circle { .. }, .. }), "{error}");
    let stored = store.get(&delegated.id).await.unwrap();
    assert_eq!(stored, Some(delegated), "nothing was written for an error");
}
