//! Everything that can be asked of a store, by name: for tests that try a fault on all of it.

use std::collections::BTreeSet;
use std::time::Duration;

use mutator_governance::{
    ActorContext, ActorId, ConsumerName, DecisionQuery, Error, FeedPosition, HolderId, InboxQuery, MutationRequest,
    PageRequest, PendingApprovalQuery, ReadyQuery, RecentApprovalQuery, Removal, RequestQuery, Role, StateId, Status,
    UnsettledWrite, WriteId,
    workflow::{self, Command},
};

use super::requests::{asking_for_approvals, draft, id, moved_on, pending, second};
use super::{Flavour, Options, Store};

/// A namespace with four requests, one of which has ended, and a consumer of the feed, and a store that was opened for it.
#[derive(Clone)]
pub struct Subject {
    pub flavour: Flavour,
    pub options: Options,
    pub store: Store,
    /// Waits for a time; updates are made of it.
    pub waiting: MutationRequest,
}

type Run = fn(&Subject) -> Result<(), Error>;

pub struct Operation {
    pub name: &'static str,
    pub kind: Kind,
    pub run: Run,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Reads,
    /// Writes a request: all of it or nothing.
    Writes,
    /// Goes through the namespace, each step by itself; opening records how it is laid out.
    InSteps,
}

impl Subject {
    pub fn new(flavour: Flavour, options: Options) -> Self {
        let store = flavour.open(&options).unwrap();
        let waiting = store.create(pending("waiting", "s", second(1))).unwrap();
        store.create(asking_for_approvals(draft("asking", "s"), second(2))).unwrap();
        let ended = store.create(pending("ended", "s", second(1))).unwrap();
        let cancel = Command::cancel(ActorContext::user("alice").unwrap());
        store.update(workflow::apply(ended, &cancel, second(2)).unwrap(), WriteId::generate()).unwrap();
        let third = store.create(pending("third", "other", second(3))).unwrap();
        store.update(moved_on(third, second(4)), WriteId::generate()).unwrap();
        store.lease_consumer(&consumer(), HolderId::from_bytes([7; 16]), Duration::ZERO).unwrap();
        Self { flavour, options, store, waiting }
    }
}

const fn reads(name: &'static str, run: Run) -> Operation {
    Operation { name, kind: Kind::Reads, run }
}

fn page() -> PageRequest {
    PageRequest::of(2).unwrap()
}

fn state() -> StateId {
    StateId::new("s").unwrap()
}

fn unfiltered() -> RequestQuery {
    RequestQuery::new()
}

/// Read along one index, looked up in another, and filtered by what no index has.
fn filtered() -> RequestQuery {
    let query = unfiltered().with_state_ids(["s"]).unwrap().with_statuses([Status::Pending]).unwrap();
    query.with_metadata("ticket", 7_i64).unwrap()
}

fn consumer() -> ConsumerName {
    ConsumerName::new("mailer").unwrap()
}

const LEASE: Duration = Duration::from_secs(60);

fn inbox() -> InboxQuery {
    InboxQuery::new(ActorId::new("mona").unwrap(), BTreeSet::from([Role::new("manager").unwrap()]), BTreeSet::new())
        .unwrap()
}

pub const OPERATIONS: &[Operation] = &[
    Operation { name: "open", kind: Kind::InSteps, run: |on| on.flavour.open(&on.options).map(drop) },
    Operation {
        name: "create",
        kind: Kind::Writes,
        run: |on| on.store.create(pending("new", "s", second(5))).map(drop),
    },
    Operation {
        name: "update",
        kind: Kind::Writes,
        run: |on| on.store.update(moved_on(on.waiting.clone(), second(6)), WriteId::generate()).map(drop),
    },
    reads("settle", |on| {
        let write_id = on.waiting.revision().write_id;
        on.store.settle(&UnsettledWrite { id: id("waiting"), base: None, write_id, intent: None }).map(drop)
    }),
    reads("get", |on| on.store.get(&id("waiting")).map(drop)),
    reads("get_many", |on| on.store.get_many(&[id("waiting"), id("asking"), id("none")]).map(drop)),
    reads("pending", |on| on.store.pending(&page()).map(drop)),
    reads("by_state", |on| on.store.by_state(&state(), &page()).map(drop)),
    reads("pending_by_state", |on| on.store.pending_by_state(&state(), &page()).map(drop)),
    reads("due", |on| on.store.due(second(9_999_999), &page()).map(drop)),
    reads("ready", |on| on.store.ready(&ReadyQuery::new(), second(9_999_999), &page()).map(drop)),
    reads("count_ready", |on| on.store.count_ready(&ReadyQuery::new(), second(9_999_999)).map(drop)),
    reads("requests", |on| on.store.requests(&unfiltered(), &page()).map(drop)),
    reads("filtered requests", |on| on.store.requests(&filtered(), &page()).map(drop)),
    reads("pending_approvals", |on| on.store.pending_approvals(&PendingApprovalQuery::new(), &page()).map(drop)),
    reads("recent_approvals", |on| on.store.recent_approvals(&RecentApprovalQuery::new(), &page()).map(drop)),
    reads("decisions", |on| on.store.decisions(&DecisionQuery::new(), &page()).map(drop)),
    reads("inbox", |on| on.store.inbox(&inbox(), second(10), &page()).map(drop)),
    reads("count", |on| on.store.count(&unfiltered()).map(drop)),
    reads("filtered count", |on| on.store.count(&filtered()).map(drop)),
    reads("statistics", |on| on.store.statistics(second(10), &[Duration::from_secs(60)]).map(drop)),
    reads("explain_query", |on| on.store.explain_query(&filtered()).map(drop)),
    reads("inspect", |on| on.store.inspect(&id("waiting")).map(drop)),
    reads("read_feed", |on| on.store.read_feed(&FeedPosition::beginning(), 2).map(drop)),
    reads("end_of_feed", |on| on.store.end_of_feed().map(drop)),
    reads("consumers", |on| on.store.consumers().map(drop)),
    Operation {
        name: "lease_consumer",
        kind: Kind::Writes,
        run: |on| on.store.lease_consumer(&consumer(), HolderId::from_bytes([7; 16]), LEASE).map(drop),
    },
    Operation {
        name: "save_consumer",
        kind: Kind::Writes,
        run: |on| {
            let beginning = FeedPosition::beginning();
            on.store.save_consumer(&consumer(), HolderId::from_bytes([7; 16]), &beginning, Duration::ZERO).map(drop)
        },
    },
    Operation {
        name: "remove_consumer",
        kind: Kind::Writes,
        run: |on| on.store.remove_consumer(&consumer()).map(drop),
    },
    Operation {
        name: "remove",
        kind: Kind::Writes,
        run: |on| on.store.remove(&id("ended"), &Removal::new(ActorContext::user("alice").unwrap())).map(drop),
    },
    reads("verify", |on| on.store.verify().map(drop)),
    Operation { name: "repair", kind: Kind::InSteps, run: |on| on.store.repair().map(drop) },
    Operation { name: "migrate", kind: Kind::InSteps, run: |on| on.store.migrate().map(drop) },
    Operation { name: "reindex", kind: Kind::InSteps, run: |on| on.flavour.reindex(&on.options).map(drop) },
];
