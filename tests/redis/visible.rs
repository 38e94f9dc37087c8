//! What a viewer sees, against a filter over everything that this file spells out for itself: on memory, and on Redis with
//! and without the index of participants.
#![cfg(all(feature = "blocking", feature = "redis"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use common::queries::changes::Changes;
use common::queries::server::connection;
use common::queries::{PATIENCE, happens, one, questions, second};
use mutator_governance::blocking::{Governance, MemoryStore, RedisStore, RedisStoreBuilder, Store};
use mutator_governance::*;

use crate::cost_guard::requests;

const REQUESTS: usize = 60;
/// For each of four Redis stores, each asked together with a store in memory.
const QUESTIONS: usize = 2_500;
const QUESTIONS_OF_ONE_WORLD: usize = 500;

/// Whether the viewer may read the request, by each reason that there is.
fn may_read(viewer: &Viewer, request: &MutationRequest) -> bool {
    let is_viewer = |id: &ActorId| viewer.actor_ids().contains(id);
    let addresses = |target: &ApprovalTarget| {
        target.actor_ids().iter().any(is_viewer)
            || target.roles().iter().any(|role| viewer.roles().contains(role))
            || target.groups().iter().any(|group| viewer.groups().contains(group))
    };
    let acts = |actor: &ActorContext| {
        actor.id.as_ref().is_some_and(is_viewer)
            || actor.acting_for.as_ref().is_some_and(|acting| is_viewer(&acting.id))
    };
    let is_asked = request.approvals.iter().any(|approval| {
        let escalates = approval.escalation.as_ref().filter(|escalation| {
            let ends_before = approval.expires_at.zip(escalation.at).is_some_and(|(end, at)| end <= at);
            !ends_before
        });
        addresses(&approval.target) || escalates.is_some_and(|escalation| addresses(&escalation.to))
    });
    let is_in_history = request.decisions.iter().any(|decision| {
        let was_delegated_to = decision.kind == ApprovalDecision::Delegated.into()
            && matches!(decision.metadata.get(metadata_keys::TO), Some(Value::Text(to)) if is_viewer(&to.parse().unwrap()));
        let has_decided = decision.kind.category() != DecisionCategory::Discussion && acts(&decision.by);
        has_decided || was_delegated_to
    });
    let named = &request.participants;
    let is_named = named.actor_ids.iter().any(is_viewer)
        || named.roles.iter().any(|role| viewer.roles().contains(role))
        || named.groups.iter().any(|group| viewer.groups().contains(group));
    acts(&request.requested_by) || is_asked || is_in_history || is_named
}

/// The same requests in both stores.
struct World {
    changes: Changes,
    memory: MemoryStore,
    redis: RedisStore,
    requests: BTreeMap<RequestId, MutationRequest>,
    questions: usize,
    rows: usize,
    hidden: usize,
}

impl World {
    fn new(seed: u64, redis: RedisStore) -> Self {
        let (changes, memory) = (Changes::new(seed), MemoryStore::new());
        let mut world = Self { changes, memory, redis, requests: BTreeMap::new(), questions: 0, rows: 0, hidden: 0 };
        (0..REQUESTS).for_each(|_| world.write_new());
        (0..REQUESTS).for_each(|_| world.change_one());
        world
    }

    fn write_new(&mut self) {
        let request = self.changes.new_request();
        self.redis.create(request.clone()).unwrap();
        let stored = self.memory.create(request).unwrap();
        self.requests.insert(stored.id.clone(), stored);
    }

    fn change_one(&mut self) {
        let ids: Vec<RequestId> = self.requests.keys().cloned().collect();
        let id = one(&mut self.changes.rng, &ids);
        let (changed, write_id) = self.changes.change(self.requests[&id].clone());
        self.redis.update(changed.clone(), write_id).unwrap();
        let stored = self.memory.update(changed, write_id).unwrap();
        self.requests.insert(id, stored);
    }

    fn visible(&self, viewer: &Viewer) -> BTreeSet<RequestId> {
        let visible = self.requests.values().filter(|request| may_read(viewer, request));
        visible.map(|request| request.id.clone()).collect()
    }

    fn ask(&mut self) {
        self.questions += 1;
        let viewer = questions::viewer(&mut self.changes.rng);
        let visible = self.visible(&viewer);
        let known: Vec<RequestId> = self.requests.keys().cloned().collect();
        let rng = &mut self.changes.rng;
        match rng.u8(..9) {
            0 | 1 => {
                let query = without_viewer(|| questions::request_query(rng, &known));
                let asked = query.clone().visible_to(viewer.clone());
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &MutationRequest| &row.id,
                    |store, query, page| store.requests(query, page),
                );
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &MutationRequest| &row.id,
                    |store, query, page| {
                        Ok(store.stored_requests(query, page)?.map(|stored| stored.into_request().unwrap()))
                    },
                );
            }
            2 => {
                let query = without_viewer(|| questions::approval_query(rng, &known));
                let asked = query.clone().visible_to(viewer.clone());
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &PendingApprovalRow| &row.request.id,
                    |store, query, page| store.pending_approvals(query, page),
                );
            }
            3 => {
                let query = without_viewer(|| questions::decision_query(rng, &known));
                let asked = query.clone().visible_to(viewer.clone());
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &DecisionRow| &row.request.id,
                    |store, query, page| store.decisions(query, page),
                );
            }
            4 => {
                let query = without_viewer(|| RecentApprovalQuery::of_requests(questions::request_query(rng, &known)));
                let asked = query.clone().visible_to(viewer.clone());
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &RecentApprovalRow| &row.request.id,
                    |store, query, page| store.recent_approvals(query, page),
                );
            }
            5 => {
                let (query, now) = (questions::inbox_query(rng), second(rng.u64(0..400)));
                let asked = query.clone().visible_to(viewer.clone());
                self.rows_of(
                    (&query, &asked),
                    &visible,
                    |row: &PendingApprovalRow| &row.request.id,
                    |store, query, page| store.inbox(query, now, page),
                );
            }
            6 | 7 => self.numbers(&viewer, &visible, &known),
            _ => self.lookups(&viewer, &visible, &known),
        }
    }

    /// All pages of the narrowed query have the rows of the whole one that the viewer may read.
    fn rows_of<Q: Debug, Row: PartialEq + Debug + Clone>(
        &mut self,
        (whole, narrowed): (&Q, &Q),
        visible: &BTreeSet<RequestId>,
        id: impl Fn(&Row) -> &RequestId,
        ask: impl Fn(&dyn Store, &Q, &PageRequest) -> Result<Page<Row>>,
    ) {
        let all = all_pages(1_000, |page| ask(&self.memory, whole, page));
        let expected: Vec<Row> = all.iter().filter(|row| visible.contains(id(row))).cloned().collect();
        (self.rows, self.hidden) = (self.rows + expected.len(), self.hidden + all.len() - expected.len());
        let limit = one(&mut self.changes.rng, &[20, 100, 1_000]);
        for store in [&self.memory as &dyn Store, &self.redis] {
            assert_eq!(all_pages(limit, |page| ask(store, narrowed, page)), expected, "{narrowed:?}");
        }
    }

    fn numbers(&mut self, viewer: &Viewer, visible: &BTreeSet<RequestId>, known: &[RequestId]) {
        let query = without_viewer(|| questions::request_query(&mut self.changes.rng, known));
        let now = second(self.changes.rng.u64(0..400));
        let all = self.requests.values().filter(|request| query.matches(request));
        let expected: Vec<&MutationRequest> = all.filter(|request| visible.contains(&request.id)).collect();
        let asked = query.clone().visible_to(viewer.clone());
        let minute = [Duration::from_secs(60)];
        let statistics = Statistics::of(expected.iter().copied(), now, &minute);
        for store in [&self.memory as &dyn Store, &self.redis] {
            assert_eq!(store.count(&asked).unwrap(), Count::Exact(expected.len() as u64), "{asked:?}");
            assert_eq!(store.statistics_of(&asked, now, &minute).unwrap(), statistics, "{asked:?}");
        }
    }

    fn lookups(&mut self, viewer: &Viewer, visible: &BTreeSet<RequestId>, known: &[RequestId]) {
        let ids = questions_about(&mut self.changes, known);
        for store in [
            std::sync::Arc::new(self.memory.clone()) as std::sync::Arc<dyn Store>,
            std::sync::Arc::new(self.redis.clone()),
        ] {
            let view = Governance::builder().store(store).build().visible_to(viewer.clone());
            let found = view.get_many(&ids).unwrap().requests;
            for (id, found) in ids.iter().zip(found) {
                let expected = self.requests.get(id).filter(|_| visible.contains(id));
                assert_eq!(found.as_ref(), expected, "{viewer} {id}");
                assert_eq!(view.get(id).unwrap().as_ref(), expected, "{viewer} {id}");
            }
        }
    }
}

fn questions_about(changes: &mut Changes, known: &[RequestId]) -> Vec<RequestId> {
    let mut ids: Vec<RequestId> = (0..3).map(|_| one(&mut changes.rng, known)).collect();
    if happens(&mut changes.rng, 30) {
        ids.push(RequestId::new("unknown").unwrap());
    }
    ids
}

/// A query whose own filters include no viewer.
fn without_viewer<Q: serde::Serialize>(mut make: impl FnMut() -> Q) -> Q {
    loop {
        let query = make();
        if !serde_json::to_string(&query).unwrap().contains("visible_to") {
            return query;
        }
    }
}

fn all_pages<Row>(limit: usize, ask: impl Fn(&PageRequest) -> Result<Page<Row>>) -> Vec<Row> {
    let (mut rows, mut page) = (Vec::new(), PageRequest::of(limit).unwrap());
    loop {
        let read = ask(&page).unwrap();
        assert!(read.unreadable.is_empty());
        rows.extend(read.items);
        match read.next {
            Some(next) => page = PageRequest::of(limit).unwrap().after(next),
            None => return rows,
        }
    }
}

fn builder(partitions: u16) -> RedisStoreBuilder {
    let builder = RedisStore::builder(common::redis_url()).namespace(common::unique_namespace("visible"));
    builder.partitions(partitions).pool_size(2).timeout(PATIENCE)
}

fn play(builder: impl Fn() -> RedisStoreBuilder) {
    let (mut asked, mut rows, mut hidden) = (0, 0, 0);
    for seed in 0..(QUESTIONS / QUESTIONS_OF_ONE_WORLD) as u64 {
        let mut world = World::new(seed, builder().open().unwrap());
        for question in 0..QUESTIONS_OF_ONE_WORLD {
            world.ask();
            if question % 25 == 0 {
                world.change_one();
            }
        }
        assert!(world.redis.verify(|_| {}).unwrap().is_clean());
        (asked, rows, hidden) = (asked + world.questions, rows + world.rows, hidden + world.hidden);
    }
    println!("{asked} questions: {rows} rows seen, {hidden} not seen");
    assert!(asked == QUESTIONS && rows > asked && hidden > asked, "{rows} rows seen, {hidden} not");
}

#[test]
fn a_viewer_sees_what_concerns_them_by_the_index() {
    play(|| builder(1).index_participants());
}

#[test]
fn a_viewer_sees_what_concerns_them_by_the_index_of_each_partition() {
    play(|| builder(4).index_participants().index_metadata(["ticket"]));
}

#[test]
fn a_viewer_sees_what_concerns_them_without_the_index() {
    play(|| builder(1));
}

#[test]
fn a_viewer_sees_what_concerns_them_without_the_index_in_each_partition() {
    play(|| builder(4).index_correlation_ids());
}

fn draft(id: &str, by: &str, approver: &str) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft =
        RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), ActorContext::user(by).unwrap());
    draft.with_id(RequestId::new(id).unwrap()).requires_approval(ApprovalRule::actor(approver).unwrap())
}

fn over(store: &RedisStore) -> Governance {
    Governance::builder().store(std::sync::Arc::new(store.clone())).build()
}

fn viewer(id: &str) -> Viewer {
    Viewer::of(&ActorContext::user(id).unwrap()).unwrap()
}

#[test]
fn indexing_participants_is_another_choice_which_needs_reindexing() {
    let name = common::unique_namespace("visible");
    let plain = || RedisStore::builder(common::redis_url()).namespace(&name).partitions(2).timeout(PATIENCE);
    let store = plain().open().unwrap();
    for number in 0..100 {
        let by = if number % 20 == 0 { "rita" } else { "erin" };
        over(&store).submit(draft(&format!("r{number}"), by, "bob")).unwrap();
    }
    let query = RequestQuery::new().visible_to(viewer("rita"));
    let found = store.requests(&query, &PageRequest::first()).unwrap();
    assert!(found.items.len() == 5 && found.scanned >= 100, "every request is looked at: {}", found.scanned);

    let indexed = || plain().index_participants();
    let rejected = indexed().open().err().unwrap().to_string();
    assert!(rejected.contains("participant") && rejected.contains("reindex"), "{rejected}");
    let (store, report) = indexed().reindex(|_| {}).unwrap();
    let missing = report.findings.iter().filter(|finding| matches!(finding, Finding::MissingEntry { .. })).count();
    assert_eq!(missing, 200, "the requester and the approver of each");
    assert!(store.verify(|_| {}).unwrap().is_clean());
    let plan = store.explain_query(&query).unwrap().to_string();
    assert!(plan.starts_with("read along participant:u:rita (5 keys)"), "{plan}");
    assert!(plan.ends_with("check on each document: requests, oldest first"), "{plan}");
    let found = store.requests(&query, &PageRequest::first()).unwrap();
    assert_eq!((found.items.len(), found.scanned), (5, 5), "only what concerns the viewer");

    assert!(plain().open().is_err() && indexed().open().is_ok());
    let (store, _) = plain().reindex(|_| {}).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_clean(), "entries of what is no longer chosen are gone");
}

/// Changes the last stored byte of a request behind the store's back.
fn damage(namespace: &str, id: &str) {
    let mut connection = connection(&common::redis_url());
    let key = format!("{{{namespace}:0}}:r:{id}");
    let mut bytes: Vec<u8> = redis::cmd("GET").arg(&key).query(&mut connection).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    redis::cmd("SET").arg(&key).arg(bytes).query::<()>(&mut connection).unwrap();
}

#[test]
fn what_cannot_be_read_is_named_to_no_viewer() {
    for with_index in [false, true] {
        let name = common::unique_namespace("visible");
        let builder = RedisStore::builder(common::redis_url()).namespace(&name).timeout(PATIENCE);
        let builder = if with_index { builder.index_participants() } else { builder };
        let store = builder.open().unwrap();
        for (id, by) in [("secret", "mallory"), ("mine", "alice"), ("damaged", "alice")] {
            over(&store).submit(draft(id, by, "bob")).unwrap();
        }
        for id in ["secret", "damaged"] {
            damage(&name, id);
        }
        let all = store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap();
        assert_eq!((all.items.len(), all.unreadable.len()), (1, 2), "whoever reads everything sees them named");
        let view = over(&store).visible_to(viewer("alice"));
        let ids = ["secret", "mine", "damaged"].map(|id| RequestId::new(id).unwrap());
        let found = view.get_many(&ids).unwrap();
        assert_eq!(found.requests.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
        assert!(found.unreadable.is_empty() && view.get("secret").unwrap().is_none());
        let page = PageRequest::first();
        let seen = view.requests(&RequestQuery::new(), &page).unwrap();
        assert!(seen.items.len() == 1 && seen.unreadable.is_empty());
        assert!(
            view.requests(&RequestQuery::new().with_ids(["secret"]).unwrap(), &page).unwrap().unreadable.is_empty()
        );
        assert!(view.pending_approvals(&PendingApprovalQuery::new(), &page).unwrap().unreadable.is_empty());
        assert!(view.decisions(&DecisionQuery::new(), &page).unwrap().unreadable.is_empty());
        assert!(view.inbox(&ActorContext::user("bob").unwrap(), &page).unwrap().unreadable.is_empty());
        assert!(view.stored_requests(&RequestQuery::new(), &page).unwrap().unreadable.is_empty());
        let statistics = view.statistics(&[]).unwrap();
        assert!(statistics.is_lower_bound && statistics.total() == 1, "{statistics:?}");
        for row in view.rows(RequestQuery::new()) {
            assert_eq!(row.unwrap().id, "mine");
        }
    }
}

/// The requests of the benchmarks: three approvals for roles in two steps, at most five decisions.
#[test]
fn the_index_costs_an_entry_for_each_participant() {
    const STORED: u64 = 2_000;
    let load = |with_index: bool| {
        let server = common::PrivateServer::start(&[]);
        let builder = RedisStore::builder(server.url()).timeout(PATIENCE);
        let builder = if with_index { builder.index_participants() } else { builder };
        let store = builder.open().unwrap();
        let used = || -> u64 {
            let info: String = redis::cmd("INFO").arg("memory").query(&mut connection(&server.url())).unwrap();
            let used = info.lines().find_map(|line| line.strip_prefix("used_memory_dataset:")).unwrap();
            used.trim().parse().unwrap()
        };
        let before = used();
        for number in 0..STORED {
            store.create(requests::request(number)).unwrap();
        }
        (used() - before) / STORED
    };
    let (mut entries, mut participants) = (0, 0);
    for number in 0..STORED {
        let request = requests::request(number);
        let count = |chosen| for_stores::index_entries(&request, &chosen).len();
        let with = for_stores::ChosenIndexes::default().and(for_stores::Dimension::Participant);
        entries += count(with) - count(for_stores::ChosenIndexes::default());
        let who = workflow::participants(&request);
        participants += who.actor_ids.len() + who.roles.len() + who.groups.len();
    }
    assert_eq!(entries, participants, "an entry for each, and no other");
    let (without, with) = (load(false), load(true));
    let average = entries as f64 / STORED as f64;
    println!("{average:.1} entries and {} bytes more for each request, of {without} bytes", with - without);
    assert!((2.0..8.0).contains(&average) && with - without < 2_000, "{average} entries, {} bytes", with - without);
}
