//! `verify` finds every way in which indexes and documents can disagree, and `repair` repairs it.
#![cfg(all(feature = "redis", feature = "blocking"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test reports by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mutator_governance::blocking::{Governance, RedisStore, Store, StoreExtension as _};
use mutator_governance::{
    ActorContext, ApprovalRule, CheckMode, CheckPosition, CheckReport, Error, Finding, Intent, Metadata, PageRequest,
    PendingReason, RequestDraft, RequestId, RequestQuery, StoreErrorKind, Target,
};

/// The answer to TIME: two numbers, of ten and of up to six digits.
const MAX_TIME_BYTES: usize = 33;

struct Namespace {
    name: String,
    store: Arc<RedisStore>,
    governance: Governance,
    redis: redis::Connection,
}

fn namespace(partitions: u16) -> Namespace {
    let name = common::unique_namespace("check");
    let url = common::redis_url();
    // With patience, since two cores serve many tests.
    let builder = RedisStore::builder(&url).namespace(&name).partitions(partitions).timeout(Duration::from_secs(20));
    let store = Arc::new(builder.open().unwrap());
    let governance = Governance::builder().store(Arc::clone(&store) as Arc<dyn Store>).build();
    let redis = redis::Client::open(url).unwrap().get_connection().unwrap();
    Namespace { name, store, governance, redis }
}

fn draft(id: &str) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let intent = Intent::new("grant-role", "Access").unwrap().with_tag("quarter-end").unwrap();
    RequestDraft::new(target, intent, ActorContext::user("alice").unwrap()).with_id(RequestId::new(id).unwrap())
}

fn bob() -> ActorContext {
    ActorContext::user("bob").unwrap()
}

impl Namespace {
    fn fill(&self, count: usize) {
        for number in 0..count {
            let id = RequestId::new(format!("r{number}")).unwrap();
            let rule = ApprovalRule::actor("bob").unwrap();
            let draft = draft(id.as_str());
            match number % 4 {
                0 => drop(self.governance.submit(draft).unwrap()),
                1 => drop(self.governance.submit(draft.waiting_for(PendingReason::Quota)).unwrap()),
                2 => drop(self.governance.submit(draft.requires_approval(rule)).unwrap()),
                _ => {
                    let request = self.governance.submit(draft.requires_approval(rule)).unwrap();
                    self.governance.approve_requirement(&id, &request.approvals[0].id, bob()).unwrap();
                }
            }
        }
    }

    fn keys(&mut self, kind: &str) -> Vec<String> {
        let pattern = format!("{{{}:*}}:{kind}*", self.name);
        let mut keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut self.redis).unwrap();
        keys.sort();
        keys
    }

    fn run(&mut self, command: &redis::Cmd) {
        command.exec(&mut self.redis).unwrap();
    }

    fn verify(&self) -> CheckReport {
        self.store.verify(|_| {}).unwrap()
    }
}

#[test]
fn what_was_written_through_the_store_is_clean() {
    for partitions in [1, 4] {
        let space = namespace(partitions);
        space.fill(40);
        let report = space.verify();
        assert!(report.is_clean(), "{:?}", report.findings);
        assert_eq!(report.records, 40);
        assert!(report.entries > 400, "{}", report.entries);
    }
}

#[test]
fn every_single_missing_entry_is_found_and_restored() {
    let mut space = namespace(1);
    space.fill(4);
    for index in space.keys("i:") {
        let before: Vec<Vec<u8>> = redis::cmd("ZRANGE").arg(&index).arg(0).arg(-1).query(&mut space.redis).unwrap();
        for member in &before {
            space.run(redis::cmd("ZREM").arg(&index).arg(member));
            let found = space.verify().findings;
            let suffix = index.split_once(":i:").unwrap().1;
            assert!(
                matches!(&found[..], [Finding::MissingEntry { index, .. }] if index == suffix),
                "{index} lacks {}: {found:?}",
                member.escape_ascii()
            );
            assert_eq!(space.store.repair(|_| {}).unwrap().findings, found);
            assert!(space.verify().is_clean());
        }
        let after: Vec<Vec<u8>> = redis::cmd("ZRANGE").arg(&index).arg(0).arg(-1).query(&mut space.redis).unwrap();
        assert_eq!(after, before);
    }
}

#[test]
fn entries_that_no_document_explains_are_found_and_removed() {
    let mut space = namespace(1);
    space.fill(4);
    let before = space.keys("");
    let prefix = format!("{{{}:0}}:i:", space.name);
    let member_of = |id: &str| [&7_u64.to_be_bytes()[..], id.as_bytes()].concat();
    let real: Vec<Vec<u8>> =
        redis::cmd("ZRANGE").arg(format!("{prefix}a")).arg(0).arg(0).query(&mut space.redis).unwrap();
    for (index, member, id) in [
        ("s:Executed", real[0].clone(), Some("r0")),
        ("a", member_of("nobody"), Some("nobody")),
        ("zz:made-up", member_of("r1"), Some("r1")),
        ("a", b"short".to_vec(), None),
    ] {
        let key = format!("{prefix}{index}");
        space.run(redis::cmd("ZADD").arg(&key).arg(0).arg(member));
        let expected = [Finding::ExtraEntry { index: key.clone(), id: id.map(|id| RequestId::new(id).unwrap()) }];
        assert_eq!(space.verify().findings, expected);
        // Neither keeps the others from being read.
        let page = space.store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap();
        assert_eq!(page.items.len(), 4);
        assert_eq!(space.store.repair(|_| {}).unwrap().findings, expected);
        assert!(space.verify().is_clean());
    }
    assert_eq!(space.keys(""), before);
}

/// Members are in the order of their bytes only where all scores are the same.
#[test]
fn a_wrong_score_is_found_and_mended_wherever_it_stands() {
    let mut space = namespace(2);
    space.fill(4);
    for index in space.keys("i:") {
        let members: Vec<Vec<u8>> = redis::cmd("ZRANGE").arg(&index).arg(0).arg(-1).query(&mut space.redis).unwrap();
        for (score, member) in [("-1", members.last()), ("5", members.first()), ("inf", members.last())] {
            space.run(redis::cmd("ZADD").arg(&index).arg(score).arg(member));
            let found = space.verify().findings;
            assert!(
                matches!(&found[..], [Finding::WrongScore { index: named, id: Some(_) }] if *named == index),
                "{index} at {score}: {found:?}"
            );
            assert_eq!(space.store.repair(|_| {}).unwrap().findings, found);
            assert!(space.verify().is_clean());
        }
        let after: Vec<Vec<u8>> = redis::cmd("ZRANGE").arg(&index).arg(0).arg(-1).query(&mut space.redis).unwrap();
        assert_eq!(after, members);
    }
}

/// More than one step finds, on both sides, of entries that are not to be there at all.
#[test]
fn very_many_wrong_scores_neither_stop_a_check_nor_hide_what_else_is_wrong() {
    let mut space = namespace(1);
    space.fill(1);
    let index = format!("{{{}:0}}:i:zz:made-up", space.name);
    let mut entries = redis::cmd("ZADD");
    entries.arg(&index);
    for number in 0..3_000_i64 {
        let member = [&7_u64.to_be_bytes()[..], format!("n{number}").as_bytes()].concat();
        entries.arg(number % 3 - 1).arg(member);
    }
    space.run(&entries);
    let is_wrong = |finding: &&Finding| matches!(finding, Finding::WrongScore { .. });
    let found = space.verify().findings;
    assert!(!found.is_empty() && found.iter().all(|finding| is_wrong(&finding)), "{} findings", found.len());
    let repaired = space.store.repair(|_| {}).unwrap().findings;
    assert_eq!((repaired.len(), repaired.iter().filter(is_wrong).count()), (5_000, 2_000));
    assert!(space.verify().is_clean());
    assert!(space.keys("i:zz").is_empty());
}

/// Each key of the namespace of another type: named, left as it is, and no reason not to check and repair the rest.
#[test]
fn a_key_of_another_type_is_reported_and_left_alone() {
    let mut space = namespace(1);
    space.fill(8);
    let missing = format!("{{{}:0}}:i:tg:quarter-end", space.name);
    for key in [space.keys("i:"), space.keys("r:")].concat() {
        if key == missing {
            continue;
        }
        let before: Vec<u8> = redis::cmd("DUMP").arg(&key).query(&mut space.redis).unwrap();
        space.run(redis::cmd("DEL").arg(&key));
        space.run(redis::cmd("RPUSH").arg(&key).arg("theirs"));
        let lost: Vec<Vec<u8>> = redis::cmd("ZRANGE").arg(&missing).arg(0).arg(0).query(&mut space.redis).unwrap();
        space.run(redis::cmd("ZREM").arg(&missing).arg(&lost));

        let expected = Finding::OtherType { key: key.clone() };
        assert!(space.verify().findings.contains(&expected), "{key}");
        space.store.repair(|_| {}).unwrap();
        let findings = space.verify().findings;
        assert_eq!(findings, [expected], "{key}: whatever else there was is repaired");
        let kind: String = redis::cmd("TYPE").arg(&key).query(&mut space.redis).unwrap();
        assert_eq!(kind, "list");

        space.run(redis::cmd("DEL").arg(&key));
        if key.contains(":r:") {
            space.run(redis::cmd("RESTORE").arg(&key).arg(0).arg(before));
        }
        space.store.repair(|_| {}).unwrap();
        assert!(space.verify().is_clean(), "{key}");
    }
    assert_eq!(space.verify().records, 8);
}

#[test]
fn what_cannot_be_read_is_reported_and_left_alone() {
    let mut space = namespace(1);
    space.fill(8);
    let record = format!("{{{}:0}}:r:r2", space.name);
    let mut bytes: Vec<u8> = redis::cmd("GET").arg(&record).query(&mut space.redis).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    space.run(redis::cmd("SET").arg(&record).arg(&bytes));
    let expected_key = record.clone();
    for mode in [CheckMode::Report, CheckMode::Repair] {
        let mut position = Some(CheckPosition::default());
        let mut found = Vec::new();
        while let Some(at) = position {
            let saved = serde_json::to_string(&at).unwrap();
            let step = space.store.check_step(serde_json::from_str(&saved).unwrap(), mode).unwrap();
            found.extend(step.findings);
            position = step.next;
        }
        assert!(matches!(&found[..], [Finding::Unreadable { key, .. }] if *key == expected_key), "{found:?}");
    }
    let kept: Vec<u8> = redis::cmd("GET").arg(&record).query(&mut space.redis).unwrap();
    assert_eq!(kept, bytes);
    let page = space.store.requests(&RequestQuery::new(), &PageRequest::first()).unwrap();
    assert_eq!((page.items.len(), page.unreadable.len()), (7, 1));
}

#[test]
fn repair_beside_live_writers_breaks_nothing() {
    let space = namespace(2);
    space.fill(40);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (governance, stop) = (&space.governance, &stop);
            scope.spawn(move || {
                let mut round = writer;
                while !stop.load(Ordering::Relaxed) {
                    round += 3;
                    let id = RequestId::new(format!("r{}", (round * 7) % 40)).unwrap();
                    // Whether the command is allowed depends on what the others did: both are fine here.
                    let _outcome = match round % 2 {
                        0 => governance.hold(&id, bob(), PendingReason::Schedule),
                        _ => governance.approve_request(&id, bob()),
                    };
                }
            });
        }
        for _ in 0..10 {
            let report = space.store.repair(|_| {}).unwrap();
            assert!(report.is_clean(), "{:?}", report.findings);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let report = space.verify();
    assert!(report.is_clean(), "{:?}", report.findings);
}

/// In front of the server somebody writes a request whenever it is about to be compared with the indexes.
#[test]
fn a_record_that_never_rests_is_reported_as_not_checked() {
    let server = common::PrivateServer::start_on_tcp(&[]);
    let direct = || RedisStore::builder(server.url()).namespace("busy");
    let governance = |store: RedisStore| Governance::builder().store(Arc::new(store)).build();
    // Who writes while the indexes are rebuilt has to know the choice that they are rebuilt for.
    let rebuilt = governance(direct().index_metadata(["ticket"]).open().unwrap());
    let governance = governance(direct().reindex(|_| {}).unwrap().0);
    for id in ["r1", "r2"] {
        governance.submit(draft(id)).unwrap();
    }
    let address = server.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let upstream = Mutex::new(TcpStream::connect(address).unwrap());
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    let between = common::fake_server::FakeServer::answering(move |sent| {
        let has = |part: &[u8]| sent.windows(part.len()).any(|window| window == part);
        let id = RequestId::new("r1").unwrap();
        if (has(b"report") || has(b"repair")) && has(b"r:r1") && is_busy.load(Ordering::Relaxed) {
            let write =
                |by: &Governance| by.hold(&id, bob(), PendingReason::Quota).or_else(|_| by.approve_request(&id, bob()));
            write(&governance).or_else(|_| write(&rebuilt)).unwrap();
        }
        let mut upstream = upstream.lock().unwrap();
        upstream.write_all(sent).unwrap();
        let mut reply = vec![0; 64 * 1024];
        let length = upstream.read(&mut reply).unwrap();
        reply.truncate(length);
        // Where a command came together with the question for the time, this may be the answer to that alone.
        if sent.len() > b"*1\r\n$4\r\nTIME\r\n".len() && has(b"TIME") && reply.len() <= MAX_TIME_BYTES {
            let mut rest = vec![0; 64 * 1024];
            let length = upstream.read(&mut rest).unwrap();
            reply.extend_from_slice(&rest[..length]);
        }
        reply
    });
    let url = format!("redis://{}/", between.address());
    let builder = || RedisStore::builder(&url).namespace("busy").pool_size(1);
    let store = builder().open().unwrap();
    let report = store.verify(|_| {}).unwrap();
    assert_eq!(report.findings, [Finding::Busy { id: RequestId::new("r1").unwrap() }]);
    assert!(!report.is_clean());

    // Nor are indexes said to be complete that lack it.
    let reindexed = || builder().index_metadata(["ticket"]);
    let rejected = reindexed().reindex(|_| {}).map(drop).unwrap_err().to_string();
    assert!(rejected.contains("request r1") && rejected.contains("call reindex again"), "{rejected}");
    assert!(reindexed().open().is_err(), "it was opened half reindexed");

    busy.store(false, Ordering::Relaxed);
    let (store, _) = reindexed().reindex(|_| {}).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_clean());
}

#[test]
fn another_choice_of_indexed_metadata_needs_reindexing() {
    let space = namespace(2);
    for number in 0..10_i64 {
        let metadata = Metadata::new().with("ticket", number % 2).unwrap();
        space.governance.submit(draft(&format!("m{number}")).with_metadata(metadata)).unwrap();
    }
    let builder =
        || RedisStore::builder(common::redis_url()).namespace(&space.name).partitions(2).index_metadata(["ticket"]);
    let rejected = builder().open().err().unwrap().to_string();
    assert!(rejected.contains("ticket") && rejected.contains("reindex"), "{rejected}");

    let (store, report) = builder().reindex(|_| {}).unwrap();
    assert!(report.findings.iter().any(|finding| matches!(finding, Finding::MissingEntry { .. })));
    assert!(store.verify(|_| {}).unwrap().is_clean());
    let query = RequestQuery::new().with_metadata("ticket", 1_i64).unwrap();
    assert!(store.explain_query(&query).unwrap().to_string().contains("metadata:ticket="));
    let found = store.requests(&query, &PageRequest::first()).unwrap();
    assert_eq!((found.items.len(), found.scanned), (5, 5));
    assert!(builder().open().is_ok());

    let undone = RedisStore::builder(common::redis_url()).namespace(&space.name).partitions(2);
    let (store, _) = undone.reindex(|_| {}).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_clean());
}

#[test]
fn indexing_correlation_ids_is_another_choice_which_needs_reindexing() {
    let space = namespace(2);
    for number in 0..10 {
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let mut requester = ActorContext::user("alice").unwrap();
        requester.correlation_id = Some(format!("import-{}", number % 2));
        let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), requester);
        space.governance.submit(draft).unwrap();
    }
    let plain = || RedisStore::builder(common::redis_url()).namespace(&space.name).partitions(2);
    let query = RequestQuery::new().with_correlation_ids(["import-1"]).unwrap();
    let found = plain().open().unwrap().requests(&query, &PageRequest::first()).unwrap();
    assert_eq!((found.items.len(), found.scanned), (5, 10), "every request is looked at");

    let indexed = || plain().index_correlation_ids();
    let rejected = indexed().open().err().unwrap().to_string();
    assert!(rejected.contains("correlation-id") && rejected.contains("reindex"), "{rejected}");
    let (store, report) = indexed().reindex(|_| {}).unwrap();
    assert!(report.findings.iter().any(|finding| matches!(finding, Finding::MissingEntry { .. })));
    assert!(store.verify(|_| {}).unwrap().is_clean());
    assert!(store.explain_query(&query).unwrap().to_string().contains("read along correlation-id:"));
    let found = store.requests(&query, &PageRequest::first()).unwrap();
    assert_eq!((found.items.len(), found.scanned), (5, 5));

    assert!(plain().open().is_err() && indexed().open().is_ok());
    let (store, _) = plain().reindex(|_| {}).unwrap();
    assert!(store.verify(|_| {}).unwrap().is_clean(), "entries of what is no longer chosen are gone");
}

/// A reindex that ended half-way has left indexes that are neither those of the old choice nor of the new one.
#[test]
fn a_namespace_whose_reindex_was_interrupted_is_opened_by_none_but_reindex() {
    let mut space = namespace(2);
    for number in 0..10_i64 {
        let metadata = Metadata::new().with("ticket", number % 2).unwrap();
        space.governance.submit(draft(&format!("m{number}")).with_metadata(metadata)).unwrap();
    }
    let builder = || RedisStore::builder(common::redis_url()).namespace(&space.name).partitions(2);
    let with = |key: &str| builder().index_metadata([key]);
    let interrupted = || {
        let killed = |_: &mutator_governance::CheckStep| panic!("killed");
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| with("ticket").reindex(killed).map(drop)))
    };
    for _ in 0..2 {
        assert!(interrupted().is_err());
        for rejected in [builder().open(), with("ticket").open(), with("ticket").read_only().open()] {
            let Err(Error::Store(error)) = rejected else { panic!("opened") };
            assert_eq!(error.kind, StoreErrorKind::Incompatible);
            assert!(error.problem.contains("reindex") && error.problem.contains("ticket"), "{error}");
        }
    }
    with("ticket").reindex(|_| {}).unwrap();
    let store = with("ticket").open().unwrap();
    let query = RequestQuery::new().with_metadata("ticket", 1_i64).unwrap();
    assert_eq!(store.requests(&query, &PageRequest::first()).unwrap().items.len(), 5);
    assert!(store.verify(|_| {}).unwrap().is_clean());

    // Nothing is rebuilt for the choice that is there, so nobody is kept out meanwhile.
    with("ticket").reindex(|_| drop(with("ticket").open().unwrap())).unwrap();
    // Nor where nothing is said about it, as earlier releases left it.
    space.run(redis::cmd("HDEL").arg(format!("{{{}}}:meta", space.name)).arg("reindexing"));
    let builder = || RedisStore::builder(common::redis_url()).namespace(&space.name).partitions(2);
    assert!(builder().index_metadata(["ticket"]).open().is_ok());
}

/// From the moment the second begins, nothing is repaired for the choice of the first, which could undo what the second did.
#[test]
fn a_reindex_that_was_overtaken_by_one_of_another_choice_is_not_complete() {
    let space = namespace(1);
    space.fill(4);
    let with = |key: &str| RedisStore::builder(common::redis_url()).namespace(&space.name).index_metadata([key]);
    let mut overtaken = false;
    let ended = with("ticket").reindex(|_| {
        if !std::mem::replace(&mut overtaken, true) {
            with("tenant").reindex(|_| {}).unwrap();
        }
    });
    let problem = ended.err().expect("it is not the one that was asked for").to_string();
    assert!(problem.contains("tenant") && problem.contains("reindex"), "{problem}");
    assert!(with("tenant").open().unwrap().verify(|_| {}).unwrap().is_clean());
}

#[test]
fn inspecting_shows_how_a_request_is_stored() {
    let space = namespace(4);
    space.fill(3);
    let id = RequestId::new("r2").unwrap();
    let inspection = space.store.inspect(&id).unwrap().unwrap();
    let request = space.store.get(&id).unwrap().unwrap();
    assert_eq!(inspection.revision, request.revision());
    assert_eq!(inspection.write_ids, [request.revision().write_id]);
    assert!(inspection.current_indexes.contains(&"s:Pending".to_owned()), "{:?}", inspection.current_indexes);
    assert!(inspection.document_bytes < inspection.record_bytes);
    assert_eq!(inspection.request.unwrap(), request);
    assert!(space.store.inspect(&RequestId::new("nobody").unwrap()).unwrap().is_none());
}
