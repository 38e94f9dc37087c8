//! One page each of three other queries.

use mutator_governance::blocking::{RedisStore, Store as _};
use mutator_governance::{
    ActorContext, DecisionQuery, InboxQuery, PageRequest, PendingReason, RequestDocument, RequestQuery, Status,
    Timestamp,
};

use crate::floor::Floor;
use crate::loading::{load_ours, load_seed};
use crate::measure::Rounds;
use crate::monitor::Monitor;
use crate::report::{Goal, Row};
use crate::requests::{BUSY_ACTOR, COMMON_TAG};
use crate::seed_layout::{Filter, SeedLayout};
use crate::server::{Server, send};
use crate::{Extent, requests};

/// Reading every document of a larger store at once takes more memory than a bench should.
const LARGEST_FULL_READ: u64 = 10_000;

struct Stores {
    server: Server,
    ours: RedisStore,
    seed: SeedLayout,
    size: u64,
}

pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let (server, seed_server) = (Server::start(), Server::start());
    let size = extent.queried;
    let (ours, seed) = (load_ours(&server, "queries", size), load_seed(&seed_server, "s", size));
    let mut stores = Stores { server, ours, seed, size };
    vec![
        status_actor_tag(extent, &mut stores, ""),
        status_actor_tag(extent, &mut stores, ", decoded"),
        inbox(extent, &mut stores),
        decisions(extent, &mut stores),
    ]
}

fn status_actor_tag(extent: &Extent, stores: &mut Stores, form: &str) -> Row {
    let query = RequestQuery::new().with_statuses([Status::Executed]).unwrap();
    let query = query.with_actor_ids([BUSY_ACTOR]).unwrap().with_any_tag([COMMON_TAG]).unwrap();
    let is_asked = |document: &RequestDocument| {
        document.requested_by.id.as_ref().is_some_and(|id| id.as_str() == BUSY_ACTOR)
            && document.intent.tags.iter().any(|tag| tag.as_str() == COMMON_TAG)
    };
    let filter = Filter { statuses: vec![Status::Executed], ..Filter::default() };
    let store = stores.ours.clone();
    let first = PageRequest::first();
    let as_stored = || store.stored_requests(&query, &first).unwrap().items.len();
    let decoded = || store.requests(&query, &first).unwrap().items.len();
    let read: &dyn Fn() -> usize = if form.is_empty() { &as_stored } else { &decoded };
    row(extent, stores, "status + actor + tag", form, read, Some((filter, &is_asked)))
}

fn inbox(extent: &Extent, stores: &mut Stores) -> Row {
    let officer = ActorContext::user("officer-1").unwrap().with_role("security-officer").unwrap();
    let query = InboxQuery::of(&officer.with_group("owners-3").unwrap()).unwrap();
    let now: Timestamp = requests::request(stores.size).created_at;
    let is_asked = |document: &RequestDocument| {
        document.approvals.iter().any(|approval| approval.target.matches(&officer_of(&query), document.id_comparison))
    };
    let filter = Filter { reasons: vec![PendingReason::Approval], ..Filter::default() };
    let store = stores.ours.clone();
    let read = || store.inbox(&query, now, &PageRequest::first()).unwrap().items.len();
    row(extent, stores, "inbox", "", &read, Some((filter, &is_asked)))
}

fn officer_of(query: &InboxQuery) -> ActorContext {
    let mut actor = ActorContext::system();
    (actor.roles, actor.groups) = (query.roles().clone(), query.groups().clone());
    actor
}

fn decisions(extent: &Extent, stores: &mut Stores) -> Row {
    let query = DecisionQuery::new();
    let store = stores.ours.clone();
    let read = || store.decisions(&query, &PageRequest::first()).unwrap().items.len();
    let all = |_: &RequestDocument| true;
    let seed =
        (stores.size <= LARGEST_FULL_READ).then(|| (Filter::default(), &all as &dyn Fn(&RequestDocument) -> bool));
    row(extent, stores, "recent decisions", "", &read, seed)
}

type Asked<'a> = (Filter, &'a dyn Fn(&RequestDocument) -> bool);

/// `form` says in what form the page is given, if it has another than usual.
fn row(
    extent: &Extent,
    stores: &mut Stores,
    name: &str,
    form: &str,
    read: &dyn Fn() -> usize,
    seed: Option<Asked<'_>>,
) -> Row {
    // Twice, so that the plan knows how much the indexes hold.
    let rows = (0..2).map(|_| read()).last().unwrap();
    assert_eq!(rows, PageRequest::DEFAULT_LIMIT, "{name}: not a whole page");
    let server = &stores.server;
    let floor = Floor::load(&mut server.connection());
    let heard = Monitor::start(server.port(), server.connection()).hear(|| {
        read();
    });
    let (packed, mut raw) = (floor.read(&heard, rows), server.connection());
    let mut columns = extent.rounds(20).times(
        &mut || {
            read();
        },
        None,
        Some(&mut || drop(send(&mut raw, &packed))),
    );
    if let Some((filter, is_asked)) = seed {
        let few = Rounds { rounds: extent.rounds.min(5), ..extent.rounds(1) };
        let mut query_seed = || drop(stores.seed.query(&filter, is_asked));
        columns.seed = few.times(&mut || (), Some(&mut query_seed), None).seed;
    }
    let name = format!("{name}, page of 50{form}, at {} k stored", stores.size / 1_000);
    Row::time(name, columns, vec![Goal::TimesOfFloor(2.0)])
}
