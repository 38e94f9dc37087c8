//! Indexes and feeds are a function of the documents (guarantees 2 and 5): after random sequences of writes, an oracle
//! that knows only the documents explains every key and every member in the namespace, and misses none.
//!
//! `MUTATOR_TEST_SEEDS=200` runs more sequences; a failure names its seed.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use common::requests::{actor, asking_for_approvals, id, moved_on, pending, second, submit, varied_draft};
use common::{FeedEntry, Flavour, Options, Oracle, Raw, Store, oracle};
use common::{redis_url, unique_namespace};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ClaimId, Error, MutationRequest, Outcome, Pending, PendingReason, RequestId, Status, WriteId,
};

const STATES: [&str; 5] = ["a", "tenant:acme", "p:a", "Kündigung – \"Müller\" {x}", " spaced '\\ state"];

struct World {
    store: Store,
    raw: Raw,
    oracle: Oracle,
    random: fastrand::Rng,
    now: u64,
    /// Every revision of every request, in order, with the write that made it, and what that sent.
    history: BTreeMap<String, Vec<(MutationRequest, WriteId)>>,
    sent: BTreeMap<WriteId, MutationRequest>,
    writes: Vec<FeedEntry>,
    seen: BTreeSet<&'static str>,
}

impl World {
    fn new(flavour: Flavour, partitions: u16, seed: u64) -> Self {
        let namespace = unique_namespace("integrity");
        let options = Options::new(redis_url(), &namespace).partitions(partitions);
        Self {
            store: flavour.open(&options).unwrap(),
            raw: Raw::to(&redis_url()),
            oracle: Oracle::new(&namespace, partitions),
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            history: BTreeMap::new(),
            sent: BTreeMap::new(),
            writes: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    fn tick(&mut self) -> mutator_governance::Timestamp {
        // Times repeat now and then.
        self.now += self.random.u64(0..3);
        second(self.now)
    }

    fn some_id(&mut self) -> Option<String> {
        let ids: Vec<&String> = self.history.keys().collect();
        (!ids.is_empty()).then(|| ids[self.random.usize(0..ids.len())].clone())
    }

    fn new_request(&mut self, name: &str) -> MutationRequest {
        let state = STATES[self.random.usize(0..STATES.len())];
        let at = self.tick();
        let draft = varied_draft(name, state, &mut self.random);
        match self.random.u8(0..5) {
            0 => submit(draft, at),
            1 => submit(draft.waiting_for(PendingReason::Schedule), at),
            2 => submit(draft.already_approved(), at),
            3 => {
                let pending = Pending { reason: PendingReason::Quota, expires_at: Some(second(self.now + 1_000)) };
                submit(draft.waiting_for(pending), at)
            }
            _ => asking_for_approvals(draft, at),
        }
    }

    fn step(&mut self) {
        match (self.random.u8(0..20), self.some_id()) {
            (0..5, _) | (_, None) => self.create(),
            (5..13, Some(id)) => self.change(&id),
            (13, Some(id)) => self.create_again(&id),
            (14, Some(id)) => self.create_other(&id),
            (15, Some(id)) => self.stale(&id),
            (16, Some(id)) => self.repeat(&id),
            (17, Some(id)) => self.rewrite(&id),
            (18, _) => self.unknown(),
            (_, Some(id)) => self.read(&id),
        }
    }

    fn create(&mut self) {
        let name = format!("r:{}/{}", self.random.u16(..), self.history.len());
        let request = self.new_request(&name);
        let stored = self.store.create(request.clone()).unwrap();
        assert_eq!(stored, request);
        self.writes.push(FeedEntry::for_write(None, &stored));
        let write_id = stored.revision().write_id;
        self.history.insert(name, vec![(stored, write_id)]);
        self.seen.insert("created");
    }

    fn change(&mut self, id: &str) {
        let latest = self.history[id].last().unwrap().0.clone();
        let at = self.tick();
        let command = self.some_command(&latest);
        let Ok(changed) = workflow::apply(latest.clone(), &command, at) else {
            self.seen.insert("rejected by the workflow");
            return;
        };
        let write_id = WriteId::generate();
        let stored = self.store.update(changed.clone(), write_id).unwrap();
        self.sent.insert(write_id, changed);
        assert_eq!(stored.revision(), latest.revision().next(write_id));
        self.writes.push(FeedEntry::for_write(Some(&latest), &stored));
        self.history.get_mut(id).unwrap().push((stored, write_id));
        self.seen.insert("updated");
    }

    fn some_command(&mut self, request: &MutationRequest) -> Command {
        let who = ["alice", "bob", "dave", "erin"][self.random.usize(0..4)];
        let mut by = (*actor(who)).clone();
        if self.random.bool() {
            by = by.with_role("manager").unwrap().with_group("auditors").unwrap();
        }
        let approval = match request.approvals.len() {
            0 => mutator_governance::ApprovalId::new("none").unwrap(),
            count => request.approvals[self.random.usize(0..count)].id.clone(),
        };
        match self.random.u8(0..14) {
            0..5 => Command::approve_requirement(by, approval),
            5 => Command::reject_requirement(by, approval, None),
            6 | 7 => Command::approve_request(by),
            8 | 9 => {
                let reasons = PendingReason::ALL;
                Command::hold(by, reasons[self.random.usize(0..reasons.len())])
            }
            10 => match self.random.u8(0..4) {
                0 => Command::reject_request(by),
                1 => Command::cancel(by),
                2 => Command::expire(by),
                _ => Command::supersede(by, id("another")),
            },
            11 => Command::override_approvals(by),
            12 => Command::claim(by, ClaimId::generate(), Duration::from_secs(1)),
            _ => Command::request_approvals(by, None),
        }
    }

    /// The create that made a request, repeated, answers with what is stored by now.
    fn create_again(&mut self, id: &str) {
        let revisions = &self.history[id];
        let stored = self.store.create(revisions[0].0.clone()).unwrap();
        assert_eq!(stored, revisions.last().unwrap().0);
        self.seen.insert("creation repeated");
    }

    fn create_other(&mut self, id: &str) {
        let other = self.new_request(id);
        let error = self.store.create(other).unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
        self.seen.insert("already exists");
    }

    fn stale(&mut self, id: &str) {
        let revisions = &self.history[id];
        if revisions.len() < 2 {
            return;
        }
        let old = revisions[self.random.usize(0..revisions.len() - 1)].0.clone();
        let command = Command::hold(actor("alice"), PendingReason::Quota);
        let Ok(changed) = workflow::apply(old.clone(), &command, second(self.now)) else { return };
        let error = self.store.update(changed, WriteId::generate()).unwrap_err();
        let conflict = error.as_conflict().unwrap_or_else(|| panic!("{error:?}"));
        assert_eq!(conflict.expected, old.revision());
        assert_eq!(conflict.actual, revisions.last().unwrap().0.revision());
        self.seen.insert("conflict");
    }

    /// An update among the last seven writes, repeated, answers with what is stored by now; its id with something else is rejected.
    fn repeat(&mut self, id: &str) {
        let revisions = &self.history[id];
        let first = revisions.len().saturating_sub(7).max(1);
        if first >= revisions.len() {
            return;
        }
        let which = self.random.usize(first..revisions.len());
        let (stored, write_id) = revisions[which].clone();
        let latest = revisions.last().unwrap().0.clone();
        let before = revisions[which - 1].0.revision();
        let again = self.store.update(self.sent[&write_id].clone(), write_id).unwrap();
        assert_eq!(again, latest);
        let kept = serde_json::to_string(&stored.at_revision(before)).unwrap();
        let read_elsewhere = self.store.update(serde_json::from_str(&kept).unwrap(), write_id);
        assert_eq!(read_elsewhere.unwrap(), latest);
        let other = Command::hold(actor("zoe"), PendingReason::Quota);
        if let Ok(other) = workflow::apply(latest, &other, second(self.now)) {
            let error = self.store.update(other, write_id).unwrap_err();
            assert!(matches!(error, Error::WriteIdReused { .. }), "{error:?}");
        }
        self.seen.insert("update repeated");
    }

    fn rewrite(&mut self, id: &str) {
        let latest = self.history[id].last().unwrap().0.clone();
        let revision = latest.revision();
        let mut document = latest.into_document();
        let place = self.random.usize(0..document.decisions.len());
        document.decisions.remove(place);
        let rewritten = MutationRequest::from_document(document, revision).unwrap();
        let error = self.store.update(rewritten, WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::RewrittenHistory { .. }), "{error:?}");
        self.seen.insert("rewritten history");
    }

    fn unknown(&mut self) {
        let error = self.store.update(pending("unknown", "a", second(0)), WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        self.seen.insert("not found");
    }

    fn read(&mut self, id: &str) {
        let read = self.store.get(&RequestId::new(id).unwrap()).unwrap().unwrap();
        assert_eq!(read, self.history[id].last().unwrap().0);
        self.seen.insert("read");
    }

    fn check(&mut self) {
        let documents = self.oracle.check(&mut self.raw, &self.store);
        let expected: BTreeMap<String, MutationRequest> =
            self.history.iter().map(|(id, revisions)| (id.clone(), revisions.last().unwrap().0.clone())).collect();
        assert_eq!(documents, expected);
        self.oracle.check_feed(&mut self.raw, &self.writes);
        self.oracle.check_feed_is_dense(&mut self.raw, &documents);
    }
}

fn seeds() -> u64 {
    std::env::var("MUTATOR_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn every_key_and_member_is_explained_after_random_writes() {
    let mut seen = BTreeSet::new();
    let mut statuses = BTreeSet::new();
    for flavour in Flavour::all() {
        for partitions in [1, 4] {
            for seed in 0..seeds() {
                let case = format!("{flavour:?}, {partitions} partitions, seed {seed}");
                let mut world = World::new(flavour, partitions, seed * 31 + u64::from(partitions));
                let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    for number in 0..150 {
                        world.step();
                        if number % 50 == 10 {
                            world.check();
                        }
                    }
                    world.check();
                }));
                if let Err(panic) = run {
                    eprintln!("failed in: {case}");
                    std::panic::resume_unwind(panic);
                }
                seen.extend(world.seen.iter().copied());
                statuses.extend(world.history.values().flatten().map(|(request, _)| request.state.status()));
            }
        }
    }
    let expected = BTreeSet::from([
        "already exists",
        "conflict",
        "created",
        "creation repeated",
        "not found",
        "read",
        "rejected by the workflow",
        "rewritten history",
        "update repeated",
        "updated",
    ]);
    assert_eq!(seen, expected, "the sequences do not try everything");
    for status in Status::ALL {
        assert!(statuses.contains(&status) || status == Status::Executed, "no request became {status}");
    }
}

/// Eight writers of all flavours at once on four requests: what is stored is explained, and the feed is dense.
#[test]
fn writers_of_all_flavours_at_once_leave_indexes_and_feed_exact() {
    for partitions in [1, 4] {
        let namespace = unique_namespace("together");
        let options = Options::new(redis_url(), &namespace).partitions(partitions);
        let stores: Vec<Store> = Flavour::all().into_iter().map(|flavour| flavour.open(&options).unwrap()).collect();
        let ids: Vec<RequestId> = (0..4).map(|number| id(&format!("shared-{number}"))).collect();
        for (number, id) in ids.iter().enumerate() {
            stores[0].create(pending(id.as_str(), STATES[number], second(number as u64))).unwrap();
        }
        let won = Mutex::new(0_u64);
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let (store, ids, won) = (stores[writer % stores.len()].clone(), &ids, &won);
                scope.spawn(move || {
                    for round in 0..40 {
                        let read = store.get(&ids[(writer + round) % ids.len()]).unwrap().unwrap();
                        // Times of its own: an update that comes late and is just like one that won cannot be told from it.
                        let at = second((round * 8 + writer) as u64);
                        match store.update(moved_on(read, at), WriteId::generate()) {
                            Ok(_) => *won.lock().unwrap() += 1,
                            Err(error) => assert!(error.as_conflict().is_some(), "{error:?}"),
                        }
                    }
                });
            }
        });
        let mut raw = Raw::to(&redis_url());
        let oracle = Oracle::new(&namespace, partitions);
        let documents = oracle.check(&mut raw, &stores[0]);
        oracle.check_feed_is_dense(&mut raw, &documents);
        let revisions: u64 = documents.values().map(|request| request.revision().number).sum();
        assert_eq!(revisions, *won.lock().unwrap());
    }
}

/// The store's contract lets a caller hand in any document under the revision it read. Whatever it holds, the indexes
/// follow the document, or the write is rejected.
#[test]
fn indexes_follow_a_document_whose_state_or_time_was_changed() {
    type Change = fn(&mut mutator_governance::RequestDocument);
    let changes: [(&str, Change); 2] = [
        ("state id", |document| document.target.state_id = mutator_governance::StateId::new("other").unwrap()),
        ("created time", |document| document.created_at = second(77)),
    ];
    for flavour in Flavour::all() {
        for (what, change) in changes {
            let namespace = unique_namespace("changed");
            let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
            let base = store.create(pending("r", "first", second(0))).unwrap();
            let mut document = base.document().clone();
            change(&mut document);
            let update = MutationRequest::from_document(document, base.revision()).unwrap();
            if let Err(error) = store.update(update, WriteId::generate()) {
                assert_eq!(error.outcome(), Outcome::NotApplied, "{what}: {error:?}");
            }
            Oracle::new(&namespace, 1).check(&mut Raw::to(&redis_url()), &store);
        }
    }
}

/// More members of one index than Lua unpacks at once.
#[test]
fn a_write_of_very_many_decisions_is_indexed_whole() {
    let mut world = World::new(Flavour::all()[0], 1, 0);
    let with_decisions = |request: MutationRequest, count: usize| {
        let revision = request.revision();
        let mut document = request.into_document();
        let last = document.decisions.last().unwrap().clone();
        document.decisions.resize(count, last);
        MutationRequest::from_document(document, revision).unwrap().at_revision(revision)
    };
    let submitted = world.store.create(with_decisions(pending("many", "s", second(0)), 5_000)).unwrap();
    assert_eq!(world.oracle.check(&mut world.raw, &world.store)["many"], submitted);
    let read = world.store.get(&id("many")).unwrap().unwrap();
    let mut longer = read.clone().into_document();
    let last = longer.decisions.last().unwrap().clone();
    longer.decisions.resize(12_000, last);
    let longer = MutationRequest::from_document(longer, read.revision()).unwrap();
    let updated = world.store.update(longer, WriteId::generate()).unwrap();
    assert_eq!(world.oracle.check(&mut world.raw, &world.store)["many"], updated);
}

#[test]
fn the_oracle_knows_its_checksum_and_tells_its_rules_apart() {
    assert_eq!(oracle::crc32(b"123456789"), 0xCBF4_3926);
    let names = oracle::index_names();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// The oracle itself sees a missing entry, an extra entry and a key of nobody's.
#[test]
fn the_oracle_sees_what_is_wrong() {
    let tampers: [fn(&mut Raw, &Oracle); 4] = [
        |raw, oracle| raw.ask(&[b"DEL".as_slice(), &oracle.key(0, b"i:p:Schedule")]),
        |raw, oracle| raw.ask(&[b"ZADD".as_slice(), &oracle.key(0, b"i:p:Schedule"), b"0", b"12345678extra"]),
        |raw, oracle| raw.ask(&[b"ZADD".as_slice(), &oracle.key(0, b"i:zz"), b"0", b"12345678extra"]),
        |raw, oracle| raw.ask(&[b"SET".as_slice(), &oracle.key(0, b"nobody"), b"x"]),
    ];
    let flavour = Flavour::all()[0];
    for (number, tamper) in tampers.iter().enumerate() {
        let namespace = unique_namespace("tampered");
        let store = flavour.open(&Options::new(redis_url(), &namespace)).unwrap();
        store.create(pending("r", "s", second(0))).unwrap();
        let (mut raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&namespace, 1));
        oracle.check(&mut raw, &store);
        tamper(&mut raw, &oracle);
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| oracle.check(&mut raw, &store)));
        assert!(seen.is_err(), "tamper {number} was not seen");
    }
}
