//! Indexes that hold what no write puts there: every walk along them ends, with an error that names the index where its
//! rows would be wrong.

use fastrand::Rng;
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ApprovalId, Error, PageRequest, RequestQuery, SortDirection, Status, StoreErrorKind, WriteId,
};

use crate::bad_input::scene::{Scene, store_error};
use crate::bad_input::walks::{WALKS, Walk, shown, walked};
use common::requests::{actor, moved_on, pending, second, with_approvals};
use common::{Flavour, Options, PrivateServer, Raw, Store};
use common::{redis_url, unique_namespace};

struct Spoiled {
    namespace: String,
    store: Store,
    raw: Raw,
    random: Rng,
}

impl Spoiled {
    fn new(flavour: Flavour, partitions: u16, seed: u64) -> Self {
        let namespace = unique_namespace("spoiled");
        let store = flavour.open(&Options::new(redis_url(), &namespace).partitions(partitions)).unwrap();
        for number in 0..9_u64 {
            let (id, at) = (format!("r{number}"), second(number / 3));
            match number % 3 {
                0 => drop(store.create(pending(&id, "s", at)).unwrap()),
                1 => {
                    let stored = store.create(pending(&id, "s", at)).unwrap();
                    store.update(moved_on(stored, second(20)), WriteId::generate()).unwrap();
                }
                _ => {
                    let stored = store.create(with_approvals(&id, "s", at)).unwrap();
                    if number > 3 {
                        let auditor = (*actor("grace")).clone().with_group("auditors").unwrap();
                        let grant = Command::approve_requirement(auditor, ApprovalId::new("approval-1").unwrap());
                        let granted = workflow::apply(stored, &grant, second(30)).unwrap();
                        store.update(granted, WriteId::generate()).unwrap();
                    }
                }
            }
        }
        Self { namespace, store, raw: Raw::to(&redis_url()), random: Rng::with_seed(seed) }
    }

    fn indexes(&mut self) -> Vec<Vec<u8>> {
        let keys = self.raw.keys(&self.namespace);
        keys.into_iter().filter(|key| String::from_utf8_lossy(key).contains("}:i:")).collect()
    }

    fn members(&mut self, index: &[u8]) -> Vec<Vec<u8>> {
        self.raw.ask(&[b"ZRANGE".as_slice(), index, b"0", b"-1"])
    }

    fn entries(&mut self) -> usize {
        self.indexes().iter().map(|index| self.raw.ask::<usize>(&[b"ZCARD".as_slice(), index])).sum()
    }

    fn one(&mut self, from: &[Vec<u8>]) -> Vec<u8> {
        from[self.random.usize(..from.len())].clone()
    }

    /// Puts something into some index that no write puts there. Whether it has another score than all have.
    fn spoil(&mut self) -> bool {
        let indexes = self.indexes();
        let index = self.one(&indexes);
        let members = self.members(&index);
        let member = self.one(&members);
        let other_index = self.one(&indexes);
        let others = self.members(&other_index);
        let of_another = self.one(&others);
        let cut = self.random.usize(..=member.len());
        let strange: Vec<u8> = match self.random.u8(..9) {
            0 => member.clone(),
            1 => of_another,
            2 => member[..cut].to_vec(),
            3 => [&member[..], b"\0\xff"].concat(),
            4 => [&self.random.u64(..).to_be_bytes()[..], &member[8..]].concat(),
            5 => vec![self.random.u8(..); self.random.usize(..700)],
            6 => [&member[..], &vec![0xff; 600][..]].concat(),
            7 => std::iter::repeat_with(|| self.random.u8(..)).take(40).collect(),
            _ => vec![0xff; 513],
        };
        let score = ["0", "0", "0", "-1", "5", "inf", "-inf", "1e-300"][self.random.usize(..8)];
        let _: i64 = self.raw.ask(&[b"ZADD".as_slice(), &index, score.as_bytes(), &strange]);
        score != "0"
    }

    /// Walks everything; whether something was rejected as corrupt.
    fn walk_all(&mut self, what: &str) -> bool {
        // Each page brings a walk on by an entry at least.
        let most_pages = 2 * self.entries() + 20;
        let mut is_corrupt = false;
        for walk in &WALKS {
            let limit = 1 + self.random.usize(..3);
            match walked(&self.store, walk, limit, most_pages) {
                Ok(read) => assert!(read.rows.len() + read.unreadable.len() <= most_pages, "{what}: {}", walk.0),
                Err(error) => {
                    is_corrupt = true;
                    let error = store_error(&error);
                    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{what}: {}: {error}", walk.0);
                    let names_index = error.problem.contains(&format!("{{{}:", self.namespace));
                    assert!(names_index && error.problem.contains("}:i:"), "{what}: {error}");
                }
            }
        }
        is_corrupt
    }
}

fn rows(store: &Store) -> Vec<Vec<String>> {
    WALKS.iter().map(|walk| walked(store, walk, 2, 1_000).unwrap().rows).collect()
}

/// The case that was reported: one member below all others, a page of two.
#[test]
fn a_wrong_score_ends_a_walk_with_an_error_that_names_the_index() {
    for flavour in Flavour::all() {
        let mut spoiled = Spoiled::new(flavour, 1, 1);
        // One after the other in one flavour; the others share all code but the driver.
        let every = if flavour == Flavour::all()[0] { 1 } else { 8 };
        for (place, index) in spoiled.indexes().into_iter().enumerate().step_by(every) {
            let members = spoiled.members(&index);
            let (first, last) = (members.first().unwrap(), members.last().unwrap());
            let (score, member) = [("-1", last), ("7", first), ("inf", first), ("-inf", last)][place % 4];
            let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), &index, score.as_bytes(), member]);
            spoiled.walk_all(&format!("{flavour:?} {score}"));
            let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), &index, b"0", member]);
        }
        let all = format!("{{{}:0}}:i:a", spoiled.namespace).into_bytes();
        let last = spoiled.members(&all).pop().unwrap();
        let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), &all, b"-1", &last]);
        let page = PageRequest::of(2).unwrap();
        for error in [
            spoiled.store.requests(&RequestQuery::new(), &page).map(drop).unwrap_err(),
            spoiled.store.count(&RequestQuery::new().created_between(second(1), None).unwrap()).map(drop).unwrap_err(),
        ] {
            assert_eq!(store_error(&error).kind, StoreErrorKind::Corrupt, "{flavour:?}: {error}");
            assert!(error.to_string().contains(&String::from_utf8_lossy(&all).into_owned()), "{error}");
            assert!(!error.is_retryable());
        }
        let before = rows(&{
            spoiled.store.repair().unwrap();
            spoiled.store.clone()
        });
        assert_eq!(before[0].len(), 9);
        assert!(spoiled.store.verify().unwrap().is_clean());
    }
}

/// Approvals are read along requests here: a member that goes on behind the id of its request must not lead back to that, and
/// one that names none must not lead past others.
#[test]
fn a_row_among_requests_does_not_lead_a_walk_back() {
    for flavour in Flavour::all() {
        let mut spoiled = Spoiled::new(flavour, 1, 1);
        let approvals = WALKS.iter().find(|walk| walk.0 == "pending approvals").unwrap();
        let whole = walked(&spoiled.store, approvals, 50, 100).unwrap().rows;
        let [requests, rows] = ["p:Approval", "o"].map(|name| format!("{{{}:0}}:i:{name}", spoiled.namespace));
        for member in spoiled.members(rows.as_bytes()) {
            let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), requests.as_bytes(), b"0", &member]);
        }
        for short in [b"".as_slice(), b"\0\x06"] {
            let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), requests.as_bytes(), b"0", short]);
        }
        for is_readable in [true, false] {
            if !is_readable {
                let record = format!("{{{}:0}}:r:r2", spoiled.namespace);
                let _: String = spoiled.raw.ask(&["SET", &record, "nothing"]);
            }
            let expected: Vec<&String> = whole.iter().filter(|row| is_readable || !row.contains("\"r2\"")).collect();
            for limit in [1, 2, 3, 4, 5, 50] {
                let read = walked(&spoiled.store, approvals, limit, 100).unwrap();
                assert_eq!(read.rows.iter().collect::<Vec<_>>(), expected, "{flavour:?} {limit}");
                let is_named = read.unreadable.iter().any(|id| *id == "r2");
                assert!(is_named || is_readable, "{flavour:?} {limit}: {:?}", read.unreadable);
            }
        }
    }
}

/// The same question, asked for requests and for requests as they are stored.
const ALIKE: [[Walk; 2]; 3] = [
    [
        ("requests", |store, page| {
            Ok(shown(
                store.requests(&RequestQuery::new(), page)?.map(|request| (request.id.clone(), request.revision())),
            ))
        }),
        ("stored requests", |store, page| {
            let page = store.stored_requests(&RequestQuery::new(), page)?;
            Ok(shown(page.map(|stored| (stored.id().clone(), stored.revision()))))
        }),
    ],
    [
        ("requests, the latest first", |store, page| {
            let page = store.requests(&RequestQuery::new().in_order(SortDirection::Descending), page)?;
            Ok(shown(page.map(|request| (request.id.clone(), request.revision()))))
        }),
        ("stored requests, the latest first", |store, page| {
            let page = store.stored_requests(&RequestQuery::new().in_order(SortDirection::Descending), page)?;
            Ok(shown(page.map(|stored| (stored.id().clone(), stored.revision()))))
        }),
    ],
    [
        ("pending requests", |store, page| {
            let query = RequestQuery::new().with_statuses([Status::Pending]).unwrap();
            Ok(shown(store.requests(&query, page)?.map(|request| (request.id.clone(), request.revision()))))
        }),
        ("pending stored requests", |store, page| {
            let query = RequestQuery::new().with_statuses([Status::Pending]).unwrap();
            let page = store.stored_requests(&query, page)?;
            Ok(shown(page.map(|stored| (stored.id().clone(), stored.revision()))))
        }),
    ],
];

/// A second member that names a request, under another time, is named as unreadable and is no second row.
#[test]
fn a_request_that_an_index_names_twice_is_one_row_in_each_form() {
    for flavour in Flavour::all() {
        for time in [1, 1_900_000_000_000_000, u64::MAX] {
            let mut scene = Scene::new(flavour);
            let member = [&time.to_be_bytes()[..], b"there"].concat();
            for index in ["a", "s:Pending"] {
                let key = format!("{{{}:0}}:i:{index}", scene.namespace);
                let added: i64 = scene.raw.ask(&[b"ZADD".as_slice(), key.as_bytes(), b"0", &member]);
                assert_eq!(added, 1);
            }
            for [requests, stored] in &ALIKE {
                for limit in [1, 2, 3, 50] {
                    let what = format!("{flavour:?}, {time}, {}, pages of {limit}", requests.0);
                    let requests = walked(&scene.store, requests, limit, 100).unwrap();
                    let stored = walked(&scene.store, stored, limit, 100).unwrap();
                    assert_eq!(requests.rows, stored.rows, "{what}");
                    assert_eq!(stored.rows.len(), 2, "{what}: {:?}", stored.rows);
                    assert_eq!(requests.unreadable, stored.unreadable, "{what}");
                    assert!(stored.unreadable.iter().any(|id| *id == "there"), "{what}: {:?}", stored.unreadable);
                }
            }
            scene.store.repair().unwrap();
            assert!(scene.store.verify().unwrap().is_clean());
        }
    }
}

/// Members that name no request are removed as they are read, many with one call.
#[test]
fn many_foreign_members_are_removed_by_few_calls() {
    const FOREIGN: usize = 5_000;
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    let mut calls = || {
        let stats: String = raw.ask(&["INFO", "commandstats"]);
        let of_scripts = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap();
        of_scripts.split(',').next().unwrap().parse::<usize>().unwrap()
    };
    for flavour in Flavour::all() {
        let namespace = unique_namespace("foreign");
        let store = flavour.open(&Options::new(server.url(), &namespace)).unwrap();
        store.create(pending("there", "s", second(1))).unwrap();
        let script = "for n = 1, tonumber(ARGV[1]) do
            redis.call('ZADD', KEYS[1], '0', '\\0\\6' .. string.rep('x', 300) .. n)
        end";
        let key = format!("{{{namespace}:0}}:i:a");
        let _: redis::Value = Raw::to(server.url()).ask(&["EVAL", script, "1", &key, &FOREIGN.to_string()]);
        let before = calls();
        let repaired = store.repair().unwrap();
        let took = calls() - before;
        assert_eq!(repaired.findings.len(), FOREIGN, "{flavour:?}");
        assert!(took < 200, "{flavour:?}: {took} calls");
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
    }
}

/// Whatever is in the indexes, every walk ends, so do verify and repair, and what a repair leaves is as it was.
#[test]
fn no_walk_is_endless_whatever_is_in_the_indexes() {
    let (mut corrupt, mut whole) = (0, 0);
    for (flavour, rounds) in Flavour::all().into_iter().zip([14, 4, 4]) {
        for round in 0..rounds {
            let partitions = if round % 3 == 2 { 3 } else { 1 };
            let mut spoiled = Spoiled::new(flavour, partitions, 7_000 + round);
            let before = rows(&spoiled.store);
            let what = format!("{flavour:?}, round {round}");
            let spoils = 1 + spoiled.random.usize(..6);
            let has_scores = (0..spoils).fold(false, |has, _| spoiled.spoil() | has);
            let is_corrupt = spoiled.walk_all(&what);
            assert!(has_scores || !is_corrupt, "{what}: entries are in order");
            if is_corrupt {
                corrupt += 1
            } else {
                whole += 1
            }

            spoiled.store.verify().unwrap();
            spoiled.store.repair().unwrap();
            spoiled.store.repair().unwrap();
            let left = spoiled.store.verify().unwrap();
            assert!(left.is_clean(), "{what}: {:?}", left.findings);
            assert_eq!(rows(&spoiled.store), before, "{what}");
        }
    }
    assert!(corrupt > 3 && whole > 3, "{corrupt} and {whole}: too few of one kind show nothing");
}

/// Rows read one after the other, as an application takes them.
#[cfg(feature = "blocking")]
#[test]
fn rows_end_at_a_wrong_score() {
    use std::sync::Arc;

    use mutator_governance::blocking::{Governance, RedisStore};

    let mut spoiled = Spoiled::new(Flavour::Blocking, 1, 1);
    let all = format!("{{{}:0}}:i:a", spoiled.namespace).into_bytes();
    let last = spoiled.members(&all).pop().unwrap();
    let _: i64 = spoiled.raw.ask(&[b"ZADD".as_slice(), &all, b"-1", &last]);
    let store = RedisStore::builder(redis_url()).namespace(&spoiled.namespace).open().unwrap();
    let governance = Governance::builder().store(Arc::new(store)).build();
    let mut rows = governance.rows(RequestQuery::new()).from_page(PageRequest::of(2).unwrap());
    let mut taken = Vec::new();
    while let Some(row) = rows.next_row() {
        taken.push(row);
        assert!(taken.len() < 20, "no end");
    }
    assert!(matches!(taken.pop(), Some(Err(Error::Store(error))) if error.kind == StoreErrorKind::Corrupt));
    assert!(taken.iter().all(Result::is_ok));
}
