//! Unique keys on a real server: interrupted and overtaken submissions, and what a check finds and repairs.
#![cfg(all(feature = "blocking", feature = "tokio"))]

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use mutator_governance::blocking::{RedisStore, Store, StoreExtension as _};
use mutator_governance::nonblocking::{self, Store as _};
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, Error, Finding, Intent, MutationRequest, PendingReason, RequestDraft, RequestId, RequestQuery,
    Status, Target, Timestamp, UniqueKey, WriteId,
};

use common::PrivateServer;
use common::proxy::Proxy;

const PATIENCE: Duration = Duration::from_secs(60);

fn key() -> UniqueKey {
    UniqueKey::new("restart payments").unwrap()
}

fn alice() -> ActorContext {
    ActorContext::user("alice").unwrap()
}

fn keyed(id: &str) -> MutationRequest {
    let target = Target::new("service:payments", "Service", "Restart").unwrap();
    let draft = RequestDraft::new(target, Intent::new("restart", "Operations").unwrap(), alice());
    let draft = draft.waiting_for(PendingReason::ManualReview).with_unique_key(key());
    let id = RequestId::new(id).unwrap();
    workflow::submit(draft, id, WriteId::generate(), Timestamp::now()).unwrap()
}

fn canceled(request: MutationRequest) -> MutationRequest {
    workflow::apply(request, &Command::cancel(alice()), Timestamp::now()).unwrap()
}

/// A namespace, and the server's own view of it.
struct Space {
    name: String,
    store: Arc<RedisStore>,
    redis: redis::Connection,
}

const PARTITIONS: u16 = 4;

impl Space {
    fn new(url: &str) -> Self {
        let name = common::unique_namespace("unique");
        let builder = RedisStore::builder(url).namespace(&name).partitions(PARTITIONS).timeout(PATIENCE);
        let redis = redis::Client::open(url).unwrap().get_connection().unwrap();
        Self { name, store: Arc::new(builder.open().unwrap()), redis }
    }

    fn hashes(&mut self, kind: &str) -> Vec<(String, HashMap<String, String>)> {
        let keys = (0..PARTITIONS).map(|partition| format!("{{{}:{partition}}}:{kind}", self.name));
        keys.map(|key| (key.clone(), redis::cmd("HGETALL").arg(&key).query(&mut self.redis).unwrap()))
            .filter(|(_, fields): &(String, HashMap<String, String>)| !fields.is_empty())
            .collect()
    }

    /// Makes all reservations and permits of this kind older than a minute.
    fn age(&mut self, kind: &str) {
        for (hash, fields) in self.hashes(kind) {
            for (name, value) in fields {
                let (rest, _) = value.rsplit_once(' ').unwrap();
                redis::cmd("HSET").arg(&hash).arg(name).arg(format!("{rest} 1")).exec(&mut self.redis).unwrap();
            }
        }
    }

    fn open_requests(&self) -> Vec<MutationRequest> {
        let open = Status::ALL.into_iter().filter(|status| !status.is_terminal());
        let query = RequestQuery::new().with_unique_keys([key().as_str()]).unwrap().with_statuses(open).unwrap();
        self.store.requests(&query, &mutator_governance::PageRequest::first()).unwrap().items
    }

    fn cancel(&self, id: &RequestId) {
        let request = self.store.get(id).unwrap().unwrap();
        self.store.update(canceled(request), WriteId::generate()).unwrap();
    }
}

/// Drops the future after so many steps: the server may or may not carry out the call that is under way then.
async fn for_some_steps<T>(future: impl Future<Output = T>, steps: u32) {
    let (mut future, mut left) = (std::pin::pin!(future), steps);
    std::future::poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() || left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

/// A thousand clients end at a random point of their submission. Each time the next one gets the key, or the id of the
/// request that has it; never are two open.
#[test]
fn a_client_that_ends_anywhere_keeps_nobody_from_the_key() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = nonblocking::RedisStore::builder(server.url()).namespace(&space.name).partitions(PARTITIONS);
    let ending = runtime.block_on(builder.timeout(PATIENCE).open()).unwrap();
    runtime.block_on(ending.create(keyed("warm"))).unwrap();
    space.cancel(&RequestId::new("warm").unwrap());
    let (mut nothing, mut reserved, mut created) = (0, 0, 0);
    for round in 0..1_000_u32 {
        let first = keyed(&format!("first-{round}"));
        runtime.block_on(for_some_steps(ending.create(first.clone()), fastrand::u32(0..8)));
        let is_reserved = !space.hashes("reservations").is_empty();
        let second = keyed(&format!("second-{round}"));
        let holder = loop {
            space.age("reservations");
            match space.store.create(second.clone()) {
                Ok(_) => break second.id.clone(),
                Err(Error::AlreadyOpen { id, .. }) if space.store.get(&id).unwrap().is_some() => break id,
                // The call that was under way has reserved the key since.
                Err(Error::AlreadyOpen { .. }) => {}
                Err(error) => panic!("round {round}: {error}"),
            }
        };
        let open = space.open_requests();
        assert_eq!(open.iter().map(|request| &request.id).collect::<Vec<_>>(), [&holder], "round {round}");
        match (holder == first.id, is_reserved) {
            (true, _) => created += 1,
            (false, true) => reserved += 1,
            (false, false) => nothing += 1,
        }
        space.cancel(&holder);
    }
    assert!(nothing > 0 && reserved > 0 && created > 0, "{nothing} {reserved} {created}: every case is to come up");
    space.age("permits");
    space.age("reservations");
    space.store.repair(|_| {}).unwrap();
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    assert_eq!((space.hashes("permits"), space.hashes("reservations")), (Vec::new(), Vec::new()));
}

/// A submission that takes longer than a minute between its reservation and its creation does not come to stand beside
/// the one that took the key over.
#[test]
fn a_submission_that_was_overtaken_is_not_created() {
    let server = PrivateServer::start_on_tcp(&[]);
    let mut space = Space::new(server.url());
    let proxy = Proxy::to(server.url());
    let builder = RedisStore::builder(proxy.url()).namespace(&space.name).partitions(PARTITIONS).timeout(PATIENCE);
    let slow = builder.open().unwrap();
    slow.create(keyed("warm")).unwrap();
    space.cancel(&RequestId::new("warm").unwrap());
    proxy.delay_requests(Duration::from_secs(4));
    let overtaken = std::thread::spawn(move || slow.create(keyed("slow")));
    while space.hashes("reservations").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    space.age("reservations");
    space.store.create(keyed("fast")).unwrap();
    let error = overtaken.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::AlreadyOpen { id, .. } if *id == "fast"), "{error}");
    assert_eq!(space.open_requests().len(), 1);
    assert_eq!(space.hashes("permits"), []);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
}

/// Each way in which reservations, permits and requests can disagree is found, and repaired where that is possible.
#[test]
fn a_check_finds_and_repairs_reservations_and_permits() {
    let mut space = Space::new(&common::redis_url());
    let first = space.store.create(keyed("first")).unwrap();
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    let (hash, _) = space.hashes("reservations").remove(0);

    redis::cmd("DEL").arg(&hash).exec(&mut space.redis).unwrap();
    let missing = [Finding::MissingReservation { id: first.id.clone(), key: key() }];
    assert_eq!(space.store.verify(|_| {}).unwrap().findings, missing);
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, missing);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
    let error = space.store.create(keyed("second")).unwrap_err();
    assert!(matches!(&error, Error::AlreadyOpen { id, .. } if *id == "first"), "{error}");

    let partition_of = |text: &str| crc32fast::hash(text.as_bytes()) % u32::from(PARTITIONS);
    for (value, id) in [("never-created 00000000000000000000000000000007 1", Some("never-created")), ("nonsense", None)]
    {
        let name = "abandoned";
        let hash = format!("{{{}:{}}}:reservations", space.name, partition_of(name));
        redis::cmd("HSET").arg(&hash).arg(name).arg(value).exec(&mut space.redis).unwrap();
        let id = id.map(|id| RequestId::new(id).unwrap());
        let orphan = [Finding::OrphanReservation { key: name.to_owned(), id }];
        assert_eq!(space.store.verify(|_| {}).unwrap().findings, orphan);
        assert_eq!(space.store.repair(|_| {}).unwrap().findings, orphan);
        assert!(space.store.verify(|_| {}).unwrap().is_clean());
    }

    let permits = format!("{{{}:{}}}:permits", space.name, partition_of("never-created"));
    let permit = "00000000000000000000000000000007 1";
    redis::cmd("HSET").arg(&permits).arg("never-created").arg(permit).exec(&mut space.redis).unwrap();
    let orphan = [Finding::OrphanPermit { id: "never-created".to_owned() }];
    assert_eq!(space.store.verify(|_| {}).unwrap().findings, orphan);
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, orphan);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());

    // As after a failover that lost the reservation.
    redis::cmd("DEL").arg(&hash).exec(&mut space.redis).unwrap();
    let second = space.store.create(keyed("second")).unwrap();
    let shared = [Finding::SharedUniqueKey { id: first.id.clone(), other: second.id.clone(), key: key() }];
    assert_eq!(space.store.repair(|_| {}).unwrap().findings, shared);
    space.cancel(&first.id);
    assert!(space.store.verify(|_| {}).unwrap().is_clean());
}
