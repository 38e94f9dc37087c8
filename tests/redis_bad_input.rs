//! What bad input gets: a typed error that names what is wrong, nothing written, never a panic, never a secret told.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]
#![allow(clippy::type_complexity, clippy::format_push_string, reason = "read once, in one place")]

mod redis_support;
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mutator_governance::{
    ActorContext, DocumentLimit, Error, FormatError, Intent, MutationRequest, Outcome, PageRequest, RequestDraft,
    StateId, StoreError, StoreErrorKind, Tag, Target, WriteId,
};
use redis_support::fake_server::{FakeServer, refused_address};
use redis_support::requests::{draft, file, id, moved_on, pending, second};
use redis_support::{Flavour, Options, Oracle, Raw, Store};
use support::{PrivateServer, redis_url, unique_namespace};

const SECRET: &str = "hunter2-canary";

/// A namespace with one pending request, "there", and another, "good".
struct Scene {
    namespace: String,
    options: Options,
    store: Store,
    raw: Raw,
    oracle: Oracle,
    there: MutationRequest,
    good: MutationRequest,
}

impl Scene {
    fn new(flavour: Flavour) -> Self {
        let namespace = unique_namespace("bad");
        let options = Options::new(redis_url(), &namespace);
        let store = flavour.open(&options).unwrap();
        let there = store.create(pending("there", "s", second(1))).unwrap();
        let good = store.create(pending("good", "other", second(2))).unwrap();
        let (raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&namespace, 1));
        Self { namespace, options, store, raw, oracle, there, good }
    }

    fn record(&self) -> Vec<u8> {
        self.oracle.record_key("there")
    }

    fn set_record(&mut self, value: &[u8]) {
        let key = self.record();
        let _: String = self.raw.ask(&[b"SET".as_slice(), &key, value]);
    }

    fn stored_bytes(&mut self) -> Vec<u8> {
        let key = self.record();
        self.raw.ask(&[b"GET".as_slice(), &key])
    }

    /// Runs a call that must fail and write nothing.
    fn refused<T: std::fmt::Debug>(
        &mut self,
        what: &str,
        call: impl FnOnce(&Store) -> mutator_governance::Result<T>,
    ) -> Error {
        let before = self.raw.dump(&self.namespace);
        let error = match call(&self.store) {
            Err(error) => error,
            Ok(value) => panic!("{what} succeeded: {value:?}"),
        };
        assert_eq!(self.raw.dump(&self.namespace), before, "{what} wrote something: {error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied, "{what}: {error:?}");
        error
    }
}

fn store_error(error: &Error) -> &StoreError {
    match error {
        Error::Store(error) => error,
        other => panic!("not an error of the store: {other:?}"),
    }
}

fn is_of_wrong_type(error: &Error, key: &[u8]) {
    let shown = String::from_utf8_lossy(key).into_owned();
    assert_eq!(store_error(error).kind, StoreErrorKind::Refused, "{error:?}");
    assert!(error.to_string().contains(&shown), "the key {shown} is not named: {error}");
}

const TYPES: [&str; 6] = ["string", "list", "set", "hash", "zset", "stream"];

/// Puts a value of this type at a key.
fn put(raw: &mut Raw, key: &[u8], kind: &str) {
    let _: i64 = raw.ask(&[b"DEL".as_slice(), key]);
    let words: &[&[u8]] = match kind {
        "string" => &[b"SET", key, b"x"],
        "list" => &[b"RPUSH", key, b"x"],
        "set" => &[b"SADD", key, b"x"],
        "hash" => &[b"HSET", key, b"x", b"y"],
        "zset" => &[b"ZADD", key, b"0", b"x"],
        _ => &[b"XADD", key, b"*", b"x", b"y"],
    };
    let _: redis::Value = raw.ask(words);
    assert_eq!(raw.type_of(key), kind);
}

#[test]
fn a_wrong_type_at_a_record_is_refused_and_nothing_is_written() {
    for flavour in Flavour::all() {
        for kind in TYPES.iter().filter(|kind| **kind != "string") {
            let mut scene = Scene::new(flavour);
            let (there, key) = (scene.there.clone(), scene.record());
            put(&mut scene.raw, &key, kind);
            let update = moved_on(there.clone(), second(3));
            let error = scene.refused("update", |store| store.update(update, WriteId::generate()));
            is_of_wrong_type(&error, &key);
            let error = scene.refused("create", |store| store.create(pending("there", "s", second(3))));
            is_of_wrong_type(&error, &key);
            let error = scene.refused("get", |store| store.get(&there.id));
            is_of_wrong_type(&error, &key);

            let page = scene.store.pending(&PageRequest::first()).unwrap();
            assert_eq!(page.items, std::slice::from_ref(&scene.good));
            assert_eq!(page.unreadable.len(), 1);
            assert_eq!(page.unreadable[0].id, there.id);
        }
    }
}

/// MGET, which a lookup of many is, does not tell a key of another type from none, so a lookup says that there is no such
/// request. Filing it is then refused, so that nothing comes of it.
#[test]
fn a_record_of_a_wrong_type_is_none_in_a_lookup_of_many_but_cannot_be_filed() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let key = scene.record();
        put(&mut scene.raw, &key, "hash");
        let lookup = scene.store.get_many(&[scene.there.id.clone(), scene.good.id.clone(), id("none")]).unwrap();
        assert_eq!(lookup.requests, [None, Some(scene.good.clone()), None]);
        let error = scene.refused("create", |store| store.create(pending("there", "s", second(3))));
        is_of_wrong_type(&error, &key);
    }
}

#[test]
fn a_wrong_type_at_an_index_or_feed_is_refused_and_nothing_is_written() {
    for flavour in Flavour::all() {
        let keys = {
            let scene = Scene::new(flavour);
            let count = scene.oracle.index_keys(scene.there.document()).len();
            assert!(count >= 4);
            count + 1
        };
        for which in 0..keys {
            let right = if which == 0 { "stream" } else { "zset" };
            for kind in TYPES.iter().filter(|kind| **kind != right) {
                let mut scene = Scene::new(flavour);
                let mut all = vec![scene.oracle.feed_key(0)];
                all.extend(scene.oracle.index_keys(scene.there.document()));
                let key = all[which].clone();
                put(&mut scene.raw, &key, kind);

                let error = scene.refused("create", |store| store.create(pending("new", "s", second(3))));
                is_of_wrong_type(&error, &key);
                let update = moved_on(scene.there.clone(), second(3));
                let before: BTreeSet<_> = scene.oracle.entries(scene.there.document()).into_iter().collect();
                let after: BTreeSet<_> = scene.oracle.entries(update.document()).into_iter().collect();
                if which == 0 || before.symmetric_difference(&after).any(|(touched, _)| *touched == key) {
                    let error = scene.refused("update", |store| store.update(update, WriteId::generate()));
                    is_of_wrong_type(&error, &key);
                }
                let state = StateId::new("s").unwrap();
                let page = PageRequest::first();
                for (suffix, what) in [("i:s:Pending", 0), ("i:si:s", 1), ("i:ps:s", 2)] {
                    let read = |store: &Store| match what {
                        0 => store.pending(&page),
                        1 => store.by_state(&state, &page),
                        _ => store.pending_by_state(&state, &page),
                    };
                    if key == scene.oracle.key(0, suffix.as_bytes()) {
                        let error = scene.refused("page", read);
                        is_of_wrong_type(&error, &key);
                    } else if let Err(error) = read(&scene.store) {
                        is_of_wrong_type(&error, &key);
                    }
                }
            }
        }
    }
}

#[test]
fn a_namespace_key_that_describes_none_is_refused() {
    for flavour in Flavour::all() {
        for kind in TYPES {
            let namespace = unique_namespace("meta");
            let mut raw = Raw::to(&redis_url());
            let key = Oracle::new(&namespace, 1).meta_key();
            put(&mut raw, key.as_bytes(), kind);
            let before = raw.dump(&namespace);
            let error = flavour.open(&Options::new(redis_url(), &namespace)).map(drop).unwrap_err();
            let expected = if kind == "hash" { StoreErrorKind::Incompatible } else { StoreErrorKind::Refused };
            assert_eq!(store_error(&error).kind, expected, "{kind}: {error}");
            assert!(error.to_string().contains(&key), "{error}");
            assert_eq!(raw.dump(&namespace), before);
        }
    }
}

#[test]
fn a_namespace_of_another_layout_or_partition_count_is_refused() {
    for flavour in Flavour::all() {
        let namespace = unique_namespace("layout");
        let options = Options::new(redis_url(), &namespace).partitions(4);
        flavour.open(&options).unwrap();
        flavour.open(&options).unwrap();
        for partitions in [1, 3, 5] {
            let error = flavour.open(&options.clone().partitions(partitions)).map(drop).unwrap_err();
            assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible);
            let text = error.to_string();
            assert!(
                text.contains('4') && text.contains(&partitions.to_string()) && text.contains(&namespace),
                "{text}"
            );
        }
        let mut raw = Raw::to(&redis_url());
        let key = Oracle::new(&namespace, 4).meta_key();
        let _: i64 = raw.ask(&["HSET", &key, "layout", "2"]);
        let error = flavour.open(&options).map(drop).unwrap_err();
        assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible);
        for bad in [("", 1), ("a b", 1), ("a{b}", 1), ("n", 0), ("n", 1_025)] {
            let options = Options::new(redis_url(), bad.0).partitions(bad.1);
            let error = flavour.open(&options).map(drop).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{bad:?}: {error:?}");
        }
    }
}

#[test]
fn namespaces_do_not_see_each_other() {
    for flavour in Flavour::all() {
        let one = Scene::new(flavour);
        // A name that begins with the other's.
        let options = Options { namespace: format!("{}-2", one.namespace), ..one.options.clone() };
        let other = flavour.open(&options).unwrap();
        assert_eq!(other.get(&one.there.id).unwrap(), None);
        assert_eq!(other.pending(&PageRequest::first()).unwrap().items, []);
        let theirs = other.create(pending("there", "s", second(9))).unwrap();
        assert_eq!(one.store.get(&one.there.id).unwrap(), Some(one.there.clone()));
        assert_eq!(other.pending(&PageRequest::first()).unwrap().items, [theirs]);
        let first = one.store.pending(&PageRequest::of(1).unwrap()).unwrap();
        let page = PageRequest::first().after(first.next.unwrap());
        let error = other.pending(&page).unwrap_err();
        assert!(matches!(error, Error::InvalidCursor { .. }), "{error:?}");
        let (mut raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&options.namespace, 1));
        oracle.check(&mut raw, &other);
        one.oracle.check(&mut raw, &one.store);
    }
}

/// What every call says of one record whose bytes are not as written. `None` where the bytes may pass for a request.
///
/// Writes are tried too, unless the header is whole: an update is decided by the header alone.
fn check_unreadable(scene: &mut Scene, what: &str, header_is_whole: bool) -> Option<FormatError> {
    let (there, good) = (scene.there.clone(), scene.good.clone());
    let key = String::from_utf8_lossy(&scene.record()).into_owned();
    let read = scene.store.get(&there.id);
    let page = scene.store.pending(&PageRequest::first()).unwrap_or_else(|error| panic!("{what}: page {error:?}"));
    let lookup = scene.store.get_many(&[there.id.clone(), good.id.clone()]).unwrap();
    let update = moved_on(there.clone(), second(3));
    assert!(page.items.contains(&good), "{what}: the good one is not on the page");
    assert_eq!(lookup.requests[1].as_ref(), Some(&good), "{what}");
    match read {
        Err(Error::Unreadable { key: named, source, .. }) => {
            assert_eq!(named, key, "{what}");
            assert_eq!(page.items.len(), 1, "{what}");
            for unreadable in [&page.unreadable, &lookup.unreadable] {
                assert_eq!(unreadable.len(), 1, "{what}");
                assert_eq!((&unreadable[0].id, &unreadable[0].error), (&there.id, &source), "{what}");
            }
            let create = |store: &Store| store.create(pending("there", "s", second(3)));
            let error = scene.refused(&format!("{what}: create"), create);
            assert!(matches!(error, Error::Unreadable { .. } | Error::AlreadyExists { .. }), "{what}: {error:?}");
            if !header_is_whole {
                let update = |store: &Store| store.update(update, WriteId::generate());
                let error = scene.refused(&format!("{what}: update"), update);
                assert!(matches!(error, Error::Unreadable { .. }), "{what}: update {error:?}");
            }
            Some(source)
        }
        Ok(Some(_)) => None,
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn foreign_bytes_are_told_from_a_record() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let big = vec![0xFF; 300_000];
        for bytes in [b"".as_slice(), b"x", b"MX", b"{\"id\":1}", b"\x00\x00", b"RM\x01\x01", &big] {
            scene.set_record(bytes);
            let what = format!("{} foreign bytes", bytes.len());
            assert_eq!(check_unreadable(&mut scene, &what, false), Some(FormatError::Foreign), "{what}");
        }
    }
}

#[test]
fn a_record_cut_at_any_length_is_unreadable() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
        // Every length in one flavour; the others share all code but the driver.
        let step = if flavour == Flavour::all()[0] { 1 } else { 17 };
        for length in (0..whole.len()).step_by(step) {
            scene.set_record(&whole[..length]);
            let what = format!("{length} of {} bytes", whole.len());
            let source = check_unreadable(&mut scene, &what, length >= document);
            assert!(source.is_some(), "{what} pass for a request");
        }
        scene.set_record(&[whole.as_slice(), b"x"].concat());
        assert!(check_unreadable(&mut scene, "a byte too many", true).is_some());
        scene.set_record(&whole);
        assert_eq!(check_unreadable(&mut scene, "whole", true), None);

        // Whoever read it before it was damaged still knows the revision that its header names, and mends it.
        scene.set_record(&whole[..document + 9]);
        let update = moved_on(scene.there.clone(), second(3));
        let stored = scene.store.update(update, WriteId::generate()).unwrap();
        assert_eq!(scene.store.get(&stored.id).unwrap(), Some(stored));
        scene.oracle.check(&mut scene.raw, &scene.store);
    }
}

#[test]
fn header_versions_that_are_not_known_are_refused_by_their_number() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        for version in [0, 2, 3, 255] {
            let mut bytes = whole.clone();
            bytes[2] = version;
            scene.set_record(&bytes);
            let what = format!("header version {version}");
            let source = check_unreadable(&mut scene, &what, false).unwrap();
            match source {
                FormatError::UnsupportedVersion { found, newest_supported, .. } if version > 1 => {
                    assert_eq!((found, newest_supported), (u16::from(version), 1));
                }
                FormatError::Malformed { .. } if version == 0 => {}
                other => panic!("{what}: {other:?}"),
            }
            // The script, which sees the version by itself, says the same as the reader.
            let update = moved_on(scene.there.clone(), second(3));
            match scene.refused(&what, |store| store.update(update, WriteId::generate())) {
                Error::Unreadable { source: by_script, .. } => assert_eq!(by_script, source, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

/// Every byte of the header flipped: a typed error, or the document as it was stored. Never a panic, never an answer
/// that leaves open whether something was written, never another request damaged.
#[test]
fn a_flipped_header_byte_is_never_more_than_an_unreadable_request() {
    for flavour in Flavour::all() {
        let mut scene = Scene::new(flavour);
        let whole = scene.stored_bytes();
        let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
        for at in 0..document {
            for flip in if flavour == Flavour::all()[0] { vec![1, 0x80, 0xFF] } else { vec![0x81] } {
                let what = format!("byte {at} ^ {flip:#x}");
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                scene.set_record(&bytes);
                if check_unreadable(&mut scene, &what, true).is_none() {
                    let read = scene.store.get(&scene.there.id).unwrap().unwrap();
                    assert_eq!(read.document(), scene.there.document(), "{what}");
                }
                let before = scene.raw.dump(&scene.namespace);
                match scene.store.update(moved_on(scene.there.clone(), second(3)), WriteId::generate()) {
                    Err(error) => {
                        assert_eq!(error.outcome(), Outcome::NotApplied, "{what}: {error:?}");
                        let is_typed = matches!(
                            error,
                            Error::Conflict(_)
                                | Error::RewrittenHistory { .. }
                                | Error::Refiled { .. }
                                | Error::Unreadable { .. }
                        );
                        assert!(is_typed, "{what}: {error:?}");
                        assert_eq!(scene.raw.dump(&scene.namespace), before, "{what}");
                    }
                    Ok(stored) => {
                        assert_eq!(scene.store.get(&stored.id).unwrap(), Some(stored), "{what}");
                        scene = Scene::new(flavour);
                    }
                }
            }
        }
    }
}

/// A byte flipped in the document is found by its checksum.
#[test]
fn a_flipped_document_byte_is_a_checksum_mismatch_or_worse() {
    let mut scene = Scene::new(Flavour::all()[0]);
    let whole = scene.stored_bytes();
    let document = whole.windows(4).position(|part| part == b"\x89MGR").unwrap();
    for at in document..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        scene.set_record(&bytes);
        assert!(scene.store.get(&scene.there.id).is_err(), "byte {at} is not missed");
    }
}

/// An index names a request that is not there, or something that is no request: the others are still returned.
#[test]
fn a_wrong_index_entry_does_not_keep_the_others_from_being_read() {
    for flavour in Flavour::all() {
        for member in
            [b"\x00\x06\x47\x4d\xcc\x8b\x12\x34gone".as_slice(), b"short", b"12345678", b"12345678a b", b"\xFF"]
        {
            let mut scene = Scene::new(flavour);
            let index = scene.oracle.key(0, b"i:s:Pending");
            let _: i64 = scene.raw.ask(&[b"ZADD".as_slice(), &index, b"0", member]);
            let page = scene.store.pending(&PageRequest::first());
            let page = page.unwrap_or_else(|error| panic!("{flavour:?}, {member:?}: {error:?}"));
            assert_eq!(page.items, [scene.there.clone(), scene.good.clone()], "{member:?}");
        }
    }
}

#[test]
fn an_oversize_document_is_refused_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("large")).limit(DocumentLimit::of_bytes(2_000));
        let store = flavour.open(&options).unwrap();
        let small = store.create(pending("small", "s", second(0))).unwrap();
        let writes = |raw: &mut Raw| -> Vec<u64> {
            let counts = raw.command_counts();
            ["evalsha", "eval", "set", "get"].iter().map(|name| counts.get(*name).copied().unwrap_or(0)).collect()
        };
        let before = writes(&mut raw);
        let payload = mutator_governance::Payload::new("application/json", vec![b'1'; 4_000]).unwrap();
        let large = file(draft("large", "s").with_payload(payload.clone()), second(0));
        let error = store.create(large).unwrap_err();
        assert!(matches!(&error, Error::TooLarge { id, limit: 2_000, .. } if *id == "large"), "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotApplied);
        let mut document = moved_on(small.clone(), second(1)).into_document();
        document.payload = Some(payload);
        let grown = MutationRequest::from_document(document, small.revision()).unwrap();
        let error = store.update(grown, WriteId::generate()).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
        assert_eq!(writes(&mut raw), before, "{flavour:?} sent it");
    }
}

#[test]
fn a_request_with_more_index_entries_than_a_script_should_write_is_refused_before_it_is_sent() {
    let server = PrivateServer::start(&[]);
    let mut raw = Raw::to(server.url());
    for flavour in Flavour::all() {
        let options = Options::new(server.url(), unique_namespace("entries"));
        let store = flavour.open(&options).unwrap();
        let tagged = |count: usize| {
            let mut intent = Intent::new("grant-role", "Access").unwrap();
            intent.tags = (0..count).map(|tag| Tag::new(format!("tag-{tag}")).unwrap()).collect();
            let target = Target::new("s", "Tenant", "RoleGrant").unwrap();
            file(RequestDraft::new(target, intent, ActorContext::user("rita").unwrap()).with_id(id("r")), second(0))
        };
        let keys = raw.ask::<u64>(&["DBSIZE"]);
        let error = store.create(tagged(70_000)).unwrap_err();
        assert!(
            matches!(&error, Error::TooManyEntries { id, entries: 70_000.., limit, .. } if *id == "r" && *limit < 70_000),
            "{error:?}"
        );
        assert_eq!(raw.ask::<u64>(&["DBSIZE"]), keys, "{flavour:?} wrote something");
        let request = store.create(tagged(2_000)).unwrap();
        assert_eq!(store.get(&request.id).unwrap(), Some(request), "{flavour:?}");
    }
}

/// All that an error shows to whoever prints it.
fn everything_said(error: &Error) -> String {
    let mut said = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    said
}

/// Opens a store that cannot be opened, and returns the error and how long it took.
fn opening_fails(flavour: Flavour, options: &Options) -> (Error, Duration) {
    let started = Instant::now();
    let error = flavour.open(options).map(drop).unwrap_err();
    let took = started.elapsed();
    let said = everything_said(&error);
    assert!(!said.contains(SECRET), "{flavour:?} tells the password: {said}");
    (error, took)
}

#[test]
fn a_refused_connection_is_told_within_the_connect_deadline() {
    for flavour in Flavour::all() {
        let address = refused_address();
        let options = Options::new(format!("redis://user:{SECRET}@{address}/"), "n")
            .timeout(Duration::from_secs(8))
            .connect_timeout(Duration::from_secs(1));
        let (error, took) = opening_fails(flavour, &options);
        let inner = store_error(&error);
        assert_eq!(inner.kind, StoreErrorKind::Unreachable, "{flavour:?}: {error}");
        assert_eq!(inner.outcome, Outcome::NotApplied);
        let text = error.to_string().to_lowercase();
        assert!(text.contains(&address) && text.contains("refused"), "{flavour:?}: {text}");
        assert!(took < Duration::from_millis(1_900), "{flavour:?} took {took:?}: {error}");
    }
}

#[test]
fn a_silent_server_is_told_by_the_deadline() {
    for flavour in Flavour::all() {
        for login in [String::new(), format!("user:{SECRET}@")] {
            let server = FakeServer::silent();
            let options = Options::new(format!("redis://{login}{}/", server.address()), "n")
                .timeout(Duration::from_secs(1))
                .connect_timeout(Duration::from_millis(400));
            let (error, took) = opening_fails(flavour, &options);
            let inner = store_error(&error);
            let expected = matches!(inner.kind, StoreErrorKind::Unreachable | StoreErrorKind::DeadlineExceeded);
            assert!(expected, "{flavour:?}: {error:?}");
            assert_eq!(inner.outcome, Outcome::NotApplied, "{flavour:?}, login {login:?}: {error:?}");
            assert!(error.to_string().contains(&server.address()), "{flavour:?}: {error}");
            assert!(took < Duration::from_millis(1_600), "{flavour:?} took {took:?}: {error}");
        }
    }
}

#[test]
fn a_unix_socket_that_is_not_there_is_unreachable() {
    for flavour in Flavour::all() {
        let options = Options::new("redis+unix:///nowhere/at/all", "n").timeout(Duration::from_secs(3));
        let (error, _) = opening_fails(flavour, &options);
        assert_eq!(store_error(&error).kind, StoreErrorKind::Unreachable, "{flavour:?}: {error:?}");
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}

#[test]
fn a_wrong_or_missing_password_is_refused_at_once() {
    let server = PrivateServer::start_on_tcp(&["--requirepass", "right"]);
    let address = server.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    for flavour in Flavour::all() {
        flavour.open(&Options::new(format!("redis://:right@{address}/"), unique_namespace("login"))).unwrap();
        for login in [format!(":{SECRET}@"), format!("nobody:{SECRET}@"), String::new()] {
            let options = Options::new(format!("redis://{login}{address}/"), "n").timeout(Duration::from_secs(5));
            let (error, took) = opening_fails(flavour, &options);
            let inner = store_error(&error);
            assert_eq!(inner.kind, StoreErrorKind::Refused, "{flavour:?}, {login:?}: {error:?}");
            assert!(!error.is_retryable());
            assert!(error.to_string().contains(&address), "{error}");
            assert!(took < Duration::from_secs(2), "{flavour:?}, {login:?} took {took:?}");
        }
    }
}

/// A store that could not log in does not go on trying behind its caller's back.
#[test]
fn nobody_goes_on_connecting_after_a_call_has_failed() {
    for flavour in Flavour::all() {
        let server = FakeServer::answering(|_| b"-WRONGPASS invalid username-password pair\r\n".to_vec());
        let url = format!("redis://:{SECRET}@{}/", server.address());
        let options =
            Options::new(url, "n").timeout(Duration::from_millis(600)).connect_timeout(Duration::from_millis(300));
        drop(opening_fails(flavour, &options));
        std::thread::sleep(Duration::from_millis(300));
        let soon = server.connections();
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(server.connections(), soon, "{flavour:?} goes on");
    }
}

#[test]
fn an_older_server_is_incompatible() {
    for flavour in Flavour::all() {
        for version in ["6.2.14", "5.0.7", "banana"] {
            let server = FakeServer::of_version(version);
            let (error, _) = opening_fails(flavour, &Options::new(format!("redis://{}/", server.address()), "n"));
            assert_eq!(store_error(&error).kind, StoreErrorKind::Incompatible, "{flavour:?}: {error:?}");
            assert!(error.to_string().contains(version), "{error}");
        }
    }
}

/// Something that is not Redis answers.
#[test]
fn a_server_that_talks_nonsense_is_told_by_the_deadline() {
    for flavour in Flavour::all() {
        for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"+OK\r\n", b":1\r\n", b"*-7\r\n", b"$5\r\nab"] {
            let server = FakeServer::answering(move |_| answer.to_vec());
            let options = Options::new(format!("redis://{}/", server.address()), "n")
                .timeout(Duration::from_millis(1_500))
                .connect_timeout(Duration::from_millis(500));
            let (error, took) = opening_fails(flavour, &options);
            assert_eq!(store_error(&error).outcome, Outcome::NotApplied, "{flavour:?}, {answer:?}: {error:?}");
            assert!(took < Duration::from_millis(2_100), "{flavour:?}, {answer:?} took {took:?}");
            if answer.starts_with(b"HTTP") {
                assert!(error.to_string().contains("does not speak Redis's protocol"), "{flavour:?}: {error}");
            }
        }
    }
}

/// A reply that comes byte by byte does not stretch a call beyond its deadline.
#[test]
fn a_trickling_reply_does_not_outlast_the_deadline() {
    for flavour in Flavour::all() {
        let answer = [b"$3000\r\n".as_slice(), &[b'x'; 3_000], b"\r\n"].concat();
        let server = FakeServer::answering_slowly(move |_| answer.clone(), 20, Duration::from_millis(100));
        let options = Options::new(format!("redis://{}/", server.address()), "n").timeout(Duration::from_millis(800));
        let (error, took) = opening_fails(flavour, &options);
        assert_eq!(store_error(&error).kind, StoreErrorKind::DeadlineExceeded, "{flavour:?}: {error:?}");
        assert!(took < Duration::from_millis(1_600), "{flavour:?} took {took:?}");
    }
}
