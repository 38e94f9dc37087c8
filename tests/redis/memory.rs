//! What a store takes and keeps of memory, whatever a server holds or says.
#![cfg(all(feature = "blocking", feature = "redis"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that is surprised has failed"
)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Barrier;
use std::time::Duration;

use crate::MEMORY;
use common::operations::{OPERATIONS, Subject};
use common::requests::{draft, id, second, submit};
use common::{Flavour, Options, Raw};
use common::{PrivateServer, unique_namespace};
use mutator_governance::stored_format::DocumentLimit;
use mutator_governance::{Compression, Error, FormatError, Payload, PendingReason, RequestId, StoreErrorKind};

const MIB: usize = 1024 * 1024;
/// Four times the default document limit of stores.
const MOST: usize = 4 * MIB;

/// The most that this takes beyond what was there before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (MEMORY.peak_usage().saturating_sub(before), done)
}

/// Long replies on each connection of a pool: when they are dropped, their room is. A connection has room for what is not
/// parsed yet, at most the longest string of a reply.
#[test]
fn a_pool_does_not_keep_the_room_of_its_longest_replies() {
    common::alone!();
    const CONNECTIONS: usize = 3;
    let options = Options::new(common::redis_url(), unique_namespace("memory"));
    let store = Flavour::Blocking.open(&options.pool_size(CONNECTIONS as u32).compression(Compression::NEVER)).unwrap();
    let ids: Vec<RequestId> = (0..16).map(|number| RequestId::new(format!("r{number}")).unwrap()).collect();
    let small = [RequestId::new("small").unwrap()];
    store.create(submit(draft("small", "s"), second(0))).unwrap();
    for id in &ids {
        let payload = Payload::new("application/octet-stream", vec![7; 500_000]).unwrap();
        store.create(submit(draft(id.as_str(), "s").with_payload(payload), second(0))).unwrap();
    }
    let read_on_each_connection = |ids: &[RequestId]| {
        let barrier = Barrier::new(CONNECTIONS);
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    barrier.wait();
                    assert!(store.get_many(ids).unwrap().requests.iter().all(Option::is_some));
                });
            }
        });
    };
    read_on_each_connection(&small);
    let before = MEMORY.current_usage();
    read_on_each_connection(&ids);
    let kept = MEMORY.current_usage().saturating_sub(before);
    assert!(kept < 200_000, "{kept} bytes are kept of {CONNECTIONS} replies of 8 MB");
}

/// Puts something very large where a store looks, without holding it here.
type Spoil = (&'static str, fn(&mut Raw, &str));

const LARGE: &str = "33554432";

const SPOILS: [Spoil; 5] = [
    ("a record", |raw, namespace| {
        for id in ["waiting", "asking"] {
            let key = format!("{{{namespace}:0}}:r:{id}");
            let _: i64 = raw.ask(&["SETRANGE", &key, LARGE, "x"]);
        }
    }),
    ("a record that is only zeros", |raw, namespace| {
        let key = format!("{{{namespace}:0}}:r:waiting");
        let _: i64 = raw.ask(&["DEL", &key]);
        let _: i64 = raw.ask(&["SETRANGE", &key, LARGE, "x"]);
    }),
    ("an index entry", |raw, namespace| {
        let script = "for _, key in ipairs(KEYS) do
            local first = redis.call('ZRANGE', key, '0', '0')[1]
            redis.call('ZADD', key, '0', first .. string.rep('x', ARGV[1]), '0', string.rep('y', ARGV[1]))
        end";
        let keys = ["a", "e"].map(|index| format!("{{{namespace}:0}}:i:{index}"));
        let _: redis::Value = raw.ask(&["EVAL", script, "2", &keys[0], &keys[1], LARGE]);
    }),
    ("an entry of the feed", |raw, namespace| {
        let script = "redis.call('XADD', KEYS[1], '*', 'id', string.rep('x', ARGV[1]))";
        let _: redis::Value = raw.ask(&["EVAL", script, "1", &format!("{{{namespace}:0}}:feed"), LARGE]);
    }),
    ("what describes the namespace", |raw, namespace| {
        let script = "redis.call('HSET', KEYS[1], 'metadata', string.rep('x', ARGV[1]))";
        let _: redis::Value = raw.ask(&["EVAL", script, "1", &format!("{{{namespace}}}:meta"), LARGE]);
    }),
];

/// Whatever a server holds, no call takes more than four times the document limit for it, and no connection keeps it.
#[test]
fn nothing_over_the_limit_is_ever_held() {
    common::alone!();
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        for (spoiled, spoil) in SPOILS {
            let namespace = unique_namespace("huge");
            let subject = Subject::new(flavour, Options::new(server.url(), &namespace));
            let mut raw = Raw::to(server.url());
            // Scripts are loaded, connections made.
            for operation in OPERATIONS {
                let _whatever = (operation.run)(&subject);
            }
            let before = MEMORY.current_usage();
            spoil(&mut raw, &namespace);
            for operation in OPERATIONS {
                let (peak, outcome) = peak_of(|| (operation.run)(&subject));
                assert!(peak <= MOST, "{flavour:?}, {spoiled}, {}: {peak} bytes: {outcome:?}", operation.name);
            }
            let kept = MEMORY.current_usage().saturating_sub(before);
            assert!(kept <= MIB, "{flavour:?}, {spoiled}: {kept} bytes are kept");
            let _: redis::Value = raw.ask(&["FLUSHALL"]);
        }
    }
}

/// Fills a namespace whose document limit is so many bytes with what is just below that.
type Fill = (&'static str, fn(&Subject, &mut Raw, usize));

const FILLS: [Fill; 3] = [
    ("records cut within their headers", |subject, raw, limit| {
        let script = "for _, key in ipairs(KEYS) do
            redis.call('SET', key, string.sub(redis.call('GET', key), 1, 70) .. string.rep('\\255', ARGV[1]))
        end";
        let keys = ["waiting", "asking", "third"].map(|id| format!("{{{}:0}}:r:{id}", subject.options.namespace));
        let _: redis::Value =
            raw.ask(&["EVAL", script, "3", &keys[0], &keys[1], &keys[2], &(limit - 1000).to_string()]);
    }),
    ("a document behind a damaged header", |subject, raw, limit| {
        file_large(subject, limit);
        let key = format!("{{{}:0}}:r:large", subject.options.namespace);
        let _: i64 = raw.ask(&["SETRANGE", &key, "24", "x"]);
    }),
    ("a document", |subject, _, limit| file_large(subject, limit)),
];

fn file_large(subject: &Subject, limit: usize) {
    // By a store that keeps room for what may follow within another limit.
    let wide = subject.flavour.open(&subject.options.clone().limit(DocumentLimit::of_bytes(2 * limit))).unwrap();
    let payload = Payload::new("application/octet-stream", vec![7; limit - 4 * 1024]).unwrap();
    let request = draft("large", "s").waiting_for(PendingReason::Quota).with_payload(payload);
    wide.create(submit(request, second(4))).unwrap();
}

/// What a call takes beside the records it reads, whatever the document limit.
const BESIDE: usize = 256 * 1024;

/// What is just below the limit is not held so often that it takes more than four times the limit.
#[test]
fn nothing_below_the_limit_is_held_too_often() {
    common::alone!();
    let server = PrivateServer::start(&[]);
    let mut over = Vec::new();
    for limit in [64 * 1024, MIB] {
        for flavour in Flavour::all() {
            for (filled, fill) in FILLS {
                let options = Options::new(server.url(), unique_namespace("below")).compression(Compression::NEVER);
                let subject = Subject::new(flavour, options.limit(DocumentLimit::of_bytes(limit)));
                for operation in OPERATIONS {
                    let _whatever = (operation.run)(&subject);
                }
                let mut raw = Raw::to(server.url());
                fill(&subject, &mut raw, limit);
                for operation in OPERATIONS {
                    let (peak, _whatever) = peak_of(|| (operation.run)(&subject));
                    let most = if limit == MIB { 4 * MIB } else { 4 * limit + BESIDE };
                    if peak > most {
                        over.push(format!("{limit}, {flavour:?}, {filled}, {}: {peak} bytes", operation.name));
                    }
                }
                let _: redis::Value = raw.ask(&["FLUSHALL"]);
            }
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

/// What is too long to be read says how long it is, wherever it is met.
#[test]
fn a_record_over_the_limit_is_named_with_its_size() {
    common::alone!();
    let server = PrivateServer::start(&[]);
    for flavour in Flavour::all() {
        let namespace = unique_namespace("over");
        let subject = Subject::new(flavour, Options::new(server.url(), &namespace));
        SPOILS[0].1(&mut Raw::to(server.url()), &namespace);
        let is_reported =
            |error: &FormatError| matches!(error, FormatError::OverLimit { size: 33_554_433, limit: 1_048_576, .. });
        let by_id = |error: Error| matches!(&error, Error::Unreadable { error, .. } if is_reported(error));
        assert!(by_id(subject.store.get(&id("waiting")).unwrap_err()));
        assert!(by_id(subject.store.inspect(&id("waiting")).unwrap_err()));
        let lookup = subject.store.get_many(&[id("waiting"), id("third")]).unwrap();
        assert!(lookup.requests[1].is_some() && is_reported(&lookup.unreadable[0].error), "{lookup:?}");
        let page = subject.store.pending(&mutator_governance::PageRequest::first()).unwrap();
        assert!(page.unreadable.iter().all(|unreadable| is_reported(&unreadable.error)) && page.unreadable.len() == 2);
        let create = common::requests::pending("waiting", "s", second(5));
        assert!(by_id(subject.store.create(create).unwrap_err()));
        let findings = subject.store.verify().unwrap().findings;
        assert_eq!(findings.len(), 2, "{findings:?}");
    }
}

/// Says what a store wants to hear until it is opened, and then this, over and over, until nobody listens.
fn hostile(begin: &'static [u8], on: &'static [u8], layout: &str) -> String {
    let version = layout.split(' ').next().unwrap();
    let namespace = format!("*5\r\n$1\r\n1\r\n${}\r\n{version}\r\n$0\r\n\r\n$-1\r\n$5\r\nExact\r\n", version.len());
    let partition = format!("${}\r\n{layout}\r\n", layout.len());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (namespace, partition) = (namespace.clone(), partition.clone());
            std::thread::spawn(move || {
                let mut asked = vec![0; 16 * 1024];
                while let Ok(count @ 1..) = stream.read(&mut asked) {
                    let asked = &asked[..count];
                    let has = |word: &[u8]| asked.windows(word.len()).any(|part| part == word);
                    let mut answer: &[u8] = b"";
                    if has(b"\r\nTIME\r\n") {
                        stream.write_all(b"*2\r\n$10\r\n1796000000\r\n$1\r\n0\r\n").unwrap();
                    }
                    if has(b"INFO") {
                        answer = b"$35\r\n# Server\r\nredis_version:7.0.15\r\na:b\r\n";
                    } else if has(b"}:meta") {
                        answer = namespace.as_bytes();
                    } else if has(b"GETRANGE") && has(b"}:layout") {
                        answer = partition.as_bytes();
                    } else if has(b"GETRANGE") || has(b"EVAL") || has(b"SCAN") {
                        if stream.write_all(begin).is_err() {
                            return;
                        }
                        for _ in 0..2_000 {
                            if stream.write_all(on).is_err() {
                                return;
                            }
                        }
                    }
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    format!("redis://{address}")
}

/// Lists and strings without end, nested ones, and such that only say how long they are.
#[test]
fn no_server_decides_how_much_memory_its_replies_take() {
    common::alone!();
    static LONG: [u8; 32 * 1024] = [b'x'; 32 * 1024];
    static SMALL: [u8; 32 * 1024] = {
        let mut values = [b'\n'; 32 * 1024];
        let mut at = 0;
        while at < values.len() {
            (values[at], values[at + 1], values[at + 2]) = (b':', b'7', b'\r');
            at += 4;
        }
        values
    };
    static NESTED: [u8; 28_000] = {
        let mut lists = [b'\n'; 28_000];
        let (mut at, list) = (0, *b"*4096\r\n");
        while at < lists.len() {
            lists[at] = list[at % 7];
            at += 1;
        }
        lists
    };
    let kinds: [(&str, &[u8], &'static [u8]); 6] = [
        ("a string", b"$1000000000\r\n", &LONG),
        ("a list", b"*1000000000\r\n", &SMALL),
        ("lists in lists", b"", &NESTED),
        ("a line", b"+", &LONG),
        ("strings in lists", b"*3\r\n$900000000\r\n", &LONG),
        ("a map", b"%1000000000\r\n", &SMALL),
    ];
    // What a store records when it lays a namespace out.
    let laid_out = unique_namespace("laid-out");
    Flavour::Blocking.open(&Options::new(common::redis_url(), &laid_out)).unwrap();
    let layout: String = Raw::to(&common::redis_url()).ask(&["GET", &format!("{{{laid_out}:0}}:layout")]);
    for flavour in Flavour::all() {
        for (kind, begin, on) in kinds {
            let url = hostile(begin, on, &layout);
            let options = Options::new(url, "n").timeout(Duration::from_secs(5));
            let store = flavour.open(&options).unwrap();
            let before = MEMORY.current_usage();
            for (what, call) in [
                ("get", (|store| store.get(&id("r")).map(drop)) as fn(&common::Store) -> Result<(), Error>),
                ("a page", |store| store.pending(&mutator_governance::PageRequest::first()).map(drop)),
                ("a write", |store| store.create(common::requests::pending("r", "s", second(1))).map(drop)),
                ("verify", |store| store.verify().map(drop)),
            ] {
                let (peak, outcome) = peak_of(|| call(&store));
                let error = outcome.expect_err(what);
                assert!(peak <= MOST, "{flavour:?}, {kind}, {what}: {peak} bytes: {error}");
                let Error::Store(error) = &error else { panic!("{flavour:?}, {kind}, {what}: {error:?}") };
                assert_eq!(error.kind, StoreErrorKind::Connection, "{flavour:?}, {kind}, {what}: {error}");
            }
            let kept = MEMORY.current_usage().saturating_sub(before);
            assert!(kept <= MIB, "{flavour:?}, {kind}: {kept} bytes are kept");
        }
    }
}
