//! What the people and programs do who use the library; compiled once for each flavour by the rules of the engine.

#![allow(clippy::unused_async, clippy::needless_pass_by_value, reason = "a role owns what it works with")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Completion, ExecutionOrder, Failure};
use mutator_governance::{
    ActorContext, ApprovalRule, DecisionQuery, Group, InboxQuery, Intent, MutationRequest, Outcome, PageRequest,
    Pending, PendingReason, RecentApprovalQuery, RequestDraft, RequestId, RequestQuery, Result, Role, Settled,
    StateVersion, Status, Target, Timestamp, UnsettledWrite, WriteId,
};

use super::dual;
use super::flavour::{Governance, RedisStore, Store, StoreExtension as _, Sweeper};
use crate::soak::ledger::Ledger;
use crate::soak::{FEED_LENGTH, PARTITIONS, POOL_SIZE, Servers, TIMEOUT};

#[derive(Clone)]
pub(crate) struct Traffic {
    governance: Governance,
    store: RedisStore,
    ledger: Arc<Ledger>,
}

fn user(name: &str) -> ActorContext {
    ActorContext::user(name).unwrap()
}

/// Roles wait on threads of their own, so a pause may hold the thread up.
fn rest(longest: u64) {
    std::thread::sleep(Duration::from_millis(fastrand::u64(..longest)));
}

#[dual]
impl Traffic {
    pub(crate) async fn open(servers: &Servers, namespace: &str, ledger: &Arc<Ledger>) -> Self {
        let builder = match servers {
            Servers::One(url) => RedisStore::builder(url),
            Servers::Cluster(urls) => RedisStore::cluster_builder(urls.clone()),
        };
        let builder = builder.namespace(namespace).pool_size(POOL_SIZE).feed_length(FEED_LENGTH).partitions(PARTITIONS);
        let store = builder.timeout(TIMEOUT).connect_timeout(TIMEOUT).open().await.unwrap();
        let governance = Governance::builder().store(Arc::new(store.clone())).build();
        Self { governance, store, ledger: Arc::clone(ledger) }
    }

    /// Notes what became of a command. One whose outcome is unknown is asked after until that is known.
    async fn note(&self, what: &'static str, result: Result<MutationRequest>) {
        match result {
            Ok(request) => self.ledger.acknowledged(what, &request),
            Err(error) if error.outcome() == Outcome::Unknown => {
                self.ledger.count(what, "unknown");
                self.settle(error.unsettled_write().expect("an unknown outcome names its write")).await;
            }
            Err(error) => self.ledger.note_error(what, &error),
        }
    }

    async fn settle(&self, write: &UnsettledWrite) {
        loop {
            match self.governance.settle(write).await {
                Ok(settled) => {
                    self.ledger.count("settle", "done");
                    if settled == Settled::Applied {
                        let number = write.base.map_or(0, |base| base.number + 1);
                        self.ledger.revision_is_there(&write.id, number, write.write_id);
                    }
                    return;
                }
                Err(error) => self.ledger.note_error("settle", &error),
            }
            rest(20);
        }
    }
}

fn draft(place: usize) -> RequestDraft {
    let target = Target::new(format!("tenant:{}", place % 50), "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("rita"));
    let draft = draft.with_id(Ledger::id(place)).for_version(StateVersion::new("v1").unwrap());
    match place % 4 {
        0 => draft
            .requires_approval(ApprovalRule::role("manager").unwrap())
            .requires_approval(ApprovalRule::group("security").unwrap()),
        1 => draft.already_approved(),
        2 => {
            let expires_at = Some(Timestamp::now().saturating_add(Duration::from_secs(1)));
            draft.waiting_for(Pending { reason: PendingReason::Schedule, expires_at })
        }
        _ => draft.waiting_for(PendingReason::Quota),
    }
}

/// Submits requests. One whose outcome is unknown is submitted again under its write id until it is known to be there.
#[dual]
pub(crate) async fn submit(traffic: Traffic) {
    while let Some(place) = traffic.ledger.next_place() {
        let (draft, write_id) = (draft(place), WriteId::generate());
        loop {
            match traffic.governance.submit_as(draft.clone(), write_id).await {
                Ok(request) => {
                    traffic.ledger.submitted(place, write_id);
                    traffic.ledger.acknowledged("file", &request);
                    break;
                }
                Err(error) => traffic.ledger.note_failure("file", &error),
            }
            rest(20);
        }
        rest(60);
    }
}

/// Works off the inbox of a manager or of security, and approves or cancels what waits for a quota.
#[dual]
pub(crate) async fn approve(traffic: Traffic) {
    let actor = user("mona").with_role("manager").unwrap().with_group("security").unwrap();
    let roles = BTreeSet::from([Role::new("manager").unwrap()]);
    let groups = BTreeSet::from([Group::new("security").unwrap()]);
    let inbox = InboxQuery::new(actor.id.clone().unwrap(), roles, groups).unwrap();
    let waiting = RequestQuery::new().with_pending_reasons([PendingReason::Quota]).unwrap();
    let page = PageRequest::of(10).unwrap();
    while !traffic.ledger.has_ended() {
        match traffic.store.inbox(&inbox, Timestamp::now(), &page).await {
            Ok(found) => {
                for row in found.items {
                    let granted =
                        traffic.governance.approve_requirement(&row.request.id, &row.approval.id, actor.clone()).await;
                    traffic.note("grant", granted).await;
                }
            }
            Err(error) => traffic.ledger.note_error("inbox", &error),
        }
        match traffic.store.requests(&waiting, &page).await {
            Ok(found) => {
                for request in found.items {
                    let decided = match fastrand::u8(..4) {
                        0 => traffic.governance.cancel(&request.id, actor.clone()).await,
                        _ => traffic.governance.approve_request(&request.id, actor.clone()).await,
                    };
                    traffic.note("decide", decided).await;
                }
            }
            Err(error) => traffic.ledger.note_error("requests", &error),
        }
        rest(30);
    }
}

#[dual]
async fn carry_out(ledger: &Ledger, request: &MutationRequest) -> Result<Completion, Failure> {
    ledger.carried_out(&request.id);
    Ok(Completion::new())
}

/// Executes what is approved.
#[dual]
pub(crate) async fn execute(traffic: Traffic) {
    let order = ExecutionOrder::new(user("executor"), StateVersion::new("v1").unwrap())
        .with_lease(Duration::from_secs(3))
        .when_failed(AfterFailure::Reject);
    let approved = RequestQuery::new().with_statuses([Status::Approved]).unwrap();
    let first = PageRequest::of(20).unwrap();
    let mut page = first.clone();
    while !traffic.ledger.has_ended() {
        let mut next = None;
        match traffic.store.requests(&approved, &page).await {
            Ok(found) => {
                for request in found.items {
                    let ledger = &*traffic.ledger;
                    let outcome = traffic
                        .governance
                        .execute(&request.id, &order, run!(|request| carry_out(ledger, request)))
                        .await;
                    traffic.note("execute", outcome.map(|outcome| outcome.request().clone())).await;
                }
                next = found.next;
            }
            Err(error) => traffic.ledger.note_error("requests", &error),
        }
        // Those that somebody else holds stay at the front for a while.
        page = next.map_or_else(|| first.clone(), |next| first.clone().after(next));
        rest(30);
    }
}

/// Has a sweeper run, and stops it in the end.
#[dual]
pub(crate) async fn expire_due(traffic: Traffic) {
    let ledger = Arc::clone(&traffic.ledger);
    let sweeper = Sweeper::builder(traffic.governance.clone(), user("sweeper"))
        .interval(Duration::from_millis(200))
        .report_to(move |swept| match swept {
            Ok(swept) => {
                ledger.count("sweep", "done");
                swept.expired.iter().for_each(|_| ledger.count("expire", "acknowledged"));
                swept.failed.iter().for_each(|(_, error)| ledger.note_failure("expire", error));
            }
            Err(error) => ledger.note_error("sweep", &error),
        })
        .start();
    while !traffic.ledger.has_ended() {
        rest(100);
    }
    sweeper.stop().await.unwrap();
}

/// Asks questions of every kind.
#[dual]
pub(crate) async fn ask(traffic: Traffic) {
    let page = PageRequest::of(50).unwrap();
    let of_tenant = RequestQuery::new().with_state_ids(["tenant:7"]).unwrap();
    let filtered = of_tenant.clone().with_statuses([Status::Executed, Status::Expired]).unwrap();
    while !traffic.ledger.has_ended() {
        let store = &traffic.store;
        let ids: Vec<RequestId> = (0..20).map(|_| traffic.ledger.some_id()).collect();
        let (what, unreadable) = match fastrand::u8(..8) {
            0 => ("pending", store.pending(&page).await.map(|page| page.unreadable.len())),
            1 => ("requests", store.requests(&filtered, &page).await.map(|page| page.unreadable.len())),
            2 => ("count", store.count(&of_tenant).await.map(|_| 0)),
            3 => ("statistics", store.statistics(Timestamp::now(), &[Duration::from_secs(60)]).await.map(|_| 0)),
            4 => ("decisions", store.decisions(&DecisionQuery::new(), &page).await.map(|page| page.unreadable.len())),
            5 => {
                let recent = store.recent_approvals(&RecentApprovalQuery::new(), &page).await;
                ("recent approvals", recent.map(|page| page.unreadable.len()))
            }
            6 => ("get", store.get(&ids[0]).await.map(|_| 0)),
            _ => ("get many", store.get_many(&ids).await.map(|lookup| lookup.unreadable.len())),
        };
        match unreadable {
            Ok(unreadable) => {
                assert_eq!(unreadable, 0, "{what}: records that cannot be read");
                traffic.ledger.count(what, "done");
            }
            Err(error) => traffic.ledger.note_error(what, &error),
        }
        rest(10);
    }
}
