//! Damaged headers of records: no write goes by one, `verify` names each, and one `repair` rebuilds all of them from the documents
//! without touching another request.

use std::collections::{BTreeMap, BTreeSet};

use mutator_governance::blocking::{RedisStore, Store as _, StoreExtension as _};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ApprovalRule, Error, Finding, MutationRequest, Outcome, PageRequest, PendingReason, RequestId, RequestQuery,
    WriteId,
};

use common::requests::{actor, draft, moved_on, second, submit};
use common::{Oracle, Raw};
use common::{redis_url, unique_namespace};

const REQUESTS: usize = 50;

/// 50 requests of all kinds, submitted in a few microseconds of few different ids, so that one bit makes one of another.
struct Scene {
    store: RedisStore,
    raw: Raw,
    oracle: Oracle,
    namespace: String,
    requests: BTreeMap<String, MutationRequest>,
    /// What the indexes hold.
    indexes: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    records: BTreeMap<String, Vec<u8>>,
}

impl Scene {
    fn new(partitions: u16) -> Self {
        let namespace = unique_namespace("headers");
        let builder = RedisStore::builder(redis_url()).namespace(&namespace).partitions(partitions);
        let store = builder.timeout(std::time::Duration::from_secs(30)).open().unwrap();
        let requests = (0..REQUESTS).map(|number| filled(&store, number)).collect::<Vec<_>>();
        let requests = requests.into_iter().map(|request| (request.id.to_string(), request)).collect();
        let (raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&namespace, partitions));
        let (records, indexes) = (BTreeMap::new(), BTreeMap::new());
        let mut scene = Self { store, raw, oracle, namespace, requests, indexes, records };
        for id in scene.requests.keys() {
            let key = scene.oracle.record_key(id);
            scene.records.insert(id.clone(), scene.raw.ask(&[b"GET".as_slice(), &key]));
        }
        scene.indexes = scene.read_indexes();
        scene
    }

    fn read_indexes(&mut self) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
        let keys = self.raw.keys(&self.namespace);
        let indexes = keys.into_iter().filter(|key| key.windows(4).any(|part| part == b"}:i:"));
        indexes.map(|key| (key.clone(), self.raw.ask(&[b"ZRANGE".as_slice(), &key, b"0", b"-1"]))).collect()
    }

    fn put(&mut self, id: &str, record: &[u8]) {
        let key = self.oracle.record_key(id);
        let _: String = self.raw.ask(&[b"SET".as_slice(), &key, record]);
    }

    fn damaged_by(findings: &[Finding]) -> BTreeSet<String> {
        let damaged = findings.iter().filter_map(|finding| match finding {
            Finding::DamagedHeader { id, .. } => Some(id.to_string()),
            _ => None,
        });
        damaged.collect()
    }

    /// Puts these records in place of theirs, and has them repaired once.
    fn check(&mut self, damaged: &BTreeMap<String, Vec<u8>>, what: &str) {
        for (id, record) in damaged {
            self.put(id, record);
        }
        self.reject_writes(damaged, what);
        let ids: BTreeSet<String> = damaged.keys().cloned().collect();
        let found = self.store.verify(|_| {}).unwrap();
        assert_eq!(Self::damaged_by(&found.findings), ids, "{what}: verify names them");
        let repaired = self.store.repair(|_| {}).unwrap();
        assert_eq!(Self::damaged_by(&repaired.findings), ids, "{what}: so does repair");
        let again = self.store.verify(|_| {}).unwrap();
        assert!(again.is_clean(), "{what}: one pass is enough: {:?}", again.findings);
        assert_eq!(again.records, REQUESTS as u64);

        assert!(self.read_indexes() == self.indexes, "{what}: the indexes are as they were");
        let whole = |requests: &BTreeMap<String, MutationRequest>| -> BTreeMap<String, _> {
            requests.iter().map(|(id, request)| (id.clone(), request.document().clone())).collect()
        };
        let stored: Vec<_> = self.all();
        let stored: BTreeMap<_, _> = stored.into_iter().map(|request| (request.id.to_string(), request)).collect();
        assert_eq!(whole(&stored), whole(&self.requests), "{what}: every document as it was");
        for (id, before) in &self.requests {
            let (now, before) = (stored[id].revision(), before.revision());
            if ids.contains(id) {
                assert!(now.number > before.number && now.write_id != before.write_id, "{what}: {id} {now}");
            } else {
                assert_eq!(now, before, "{what}: {id} was left alone");
            }
        }
        self.go_on_from(&stored, &ids, what);
        for (id, record) in self.records.clone() {
            self.put(&id, &record);
        }
        self.store.repair(|_| {}).unwrap();
    }

    /// Every request as the pages list them.
    fn all(&self) -> Vec<MutationRequest> {
        let mut found = Vec::new();
        let mut page = PageRequest::first();
        loop {
            let read = self.store.requests(&RequestQuery::new(), &page).unwrap();
            assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
            found.extend(read.items);
            match read.next {
                Some(next) => page = PageRequest::first().after(next),
                None => return found,
            }
        }
    }

    /// Of whoever still holds the revision from before.
    fn reject_writes(&mut self, damaged: &BTreeMap<String, Vec<u8>>, what: &str) {
        let before = self.raw.dump(&self.namespace);
        for id in damaged.keys() {
            let held = &self.requests[id];
            let error = self.store.update(cancelled(held), WriteId::generate()).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{what}: {id}: {error:?}");
            assert_eq!(error.outcome(), Outcome::NotApplied);
            let read = self.store.get(&held.id).unwrap_err();
            assert!(matches!(read, Error::Unreadable { .. }), "{what}: {id}: {read:?}");
        }
        assert!(self.raw.dump(&self.namespace) == before, "{what}: something was written");
    }

    /// A repaired request is written from what is read now, and not from what was read before.
    fn go_on_from(&mut self, stored: &BTreeMap<String, MutationRequest>, ids: &BTreeSet<String>, what: &str) {
        let Some(id) = ids.first() else { return };
        let stale = self.store.update(cancelled(&self.requests[id]), WriteId::generate());
        assert!(matches!(stale, Err(Error::Conflict(_))), "{what}: {stale:?}");
        let write_id = WriteId::generate();
        let change = cancelled(&stored[id]);
        let next = self.store.update(change.clone(), write_id).unwrap();
        assert_eq!(next.revision(), stored[id].revision().next(write_id));
        assert_eq!(self.store.update(change, write_id).unwrap(), next, "{what}: its writes are remembered again");
        assert!(self.store.verify(|_| {}).unwrap().is_clean(), "{what}");
    }
}

fn filled(store: &RedisStore, number: usize) -> MutationRequest {
    let id = format!("z{number}");
    let at = second(10);
    let asking = draft(&id, "s");
    let submitted = match number % 4 {
        0 => submit(asking.waiting_for(PendingReason::Schedule), at),
        1 => submit(asking.requires_approval(ApprovalRule::role("manager").unwrap().expiring_at(second(99))), at),
        2 => submit(asking.already_approved(), at),
        _ => submit(asking.waiting_for(PendingReason::Quota), at),
    };
    let mut request = store.create(submitted).unwrap();
    for write in 0..number % 11 {
        let by = actor("admin");
        let command = match request.state.pending() {
            Some(pending) if pending.reason != PendingReason::Approval => Command::approve_request(by),
            Some(_) => break,
            None => Command::hold(by, PendingReason::Quota),
        };
        let changed = workflow::apply(request, &command, second(20 + write as u64)).unwrap();
        request = store.update(changed, WriteId::generate()).unwrap();
    }
    request
}

fn cancelled(request: &MutationRequest) -> MutationRequest {
    workflow::apply(request.clone(), &Command::cancel(actor("alice")), second(90)).unwrap()
}

/// Header and document.
fn split(record: &[u8]) -> (&[u8], &[u8]) {
    record.split_at(record.windows(4).position(|part| part == b"\x89MGR").unwrap())
}

#[test]
fn flipped_bits_are_named_and_repaired_in_one_pass() {
    let mut scene = Scene::new(1);
    let mut random = fastrand::Rng::with_seed(18);
    for round in 0..4 {
        let mut damaged = BTreeMap::new();
        for (id, record) in &scene.records {
            if random.u8(0..3) == 0 {
                let mut record = record.clone();
                let header = split(&record).0.len();
                for _ in 0..random.usize(1..4) {
                    // Not the first three: another magic or version is not ours to repair.
                    record[random.usize(3..header)] ^= 1 << random.u8(0..8);
                }
                if record != scene.records[id] {
                    damaged.insert(id.clone(), record);
                }
            }
        }
        scene.check(&damaged, &format!("flips, round {round}"));
    }
}

#[test]
fn spliced_and_swapped_headers_are_named_and_repaired_in_one_pass() {
    let mut scene = Scene::new(4);
    let mut random = fastrand::Rng::with_seed(19);
    let ids: Vec<String> = scene.records.keys().cloned().collect();
    for round in 0..4 {
        let mut damaged = BTreeMap::new();
        for id in &ids {
            let other = &scene.records[&ids[random.usize(..ids.len())]];
            let (own_header, document) = split(&scene.records[id]);
            let (other_header, _) = split(other);
            let header = match random.u8(0..6) {
                0 => other_header.to_vec(),
                1 => {
                    let at = random.usize(3..own_header.len().min(other_header.len()));
                    [&own_header[..at], &other_header[at..]].concat()
                }
                2 => [&own_header[..random.usize(3..own_header.len())], other_header].concat(),
                3 => own_header[..random.usize(3..own_header.len())].to_vec(),
                _ => continue,
            };
            if header != own_header {
                damaged.insert(id.clone(), [&header, document].concat());
            }
        }
        scene.check(&damaged, &format!("splices, round {round}"));
    }
}

/// The header of an earlier revision before the document of a later one: each whole, and not of each other.
#[test]
fn the_header_of_an_earlier_revision_does_not_pass() {
    let mut scene = Scene::new(1);
    let id = RequestId::new("z0").unwrap();
    let earlier = scene.records["z0"].clone();
    let later = scene.store.update(moved_on(scene.requests["z0"].clone(), second(80)), WriteId::generate()).unwrap();
    let key = scene.oracle.record_key("z0");
    let whole: Vec<u8> = scene.raw.ask(&[b"GET".as_slice(), &key]);
    scene.put("z0", &[split(&earlier).0, split(&whole).1].concat());
    assert!(matches!(scene.store.get(&id), Err(Error::Unreadable { .. })));
    assert_eq!(Scene::damaged_by(&scene.store.verify(|_| {}).unwrap().findings), BTreeSet::from(["z0".to_owned()]));
    scene.store.repair(|_| {}).unwrap();
    assert!(scene.store.verify(|_| {}).unwrap().is_clean());
    let read = scene.store.get(&id).unwrap().unwrap();
    assert_eq!(read.document(), later.document());
    assert!(read.revision().number > later.revision().number);
}
