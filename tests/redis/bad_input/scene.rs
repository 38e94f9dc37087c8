//! A namespace with two requests, one of which is spoiled.

use mutator_governance::{Error, MutationRequest, Outcome, StoreError, StoreErrorKind};

use common::requests::{pending, second};
use common::{Flavour, Options, Oracle, Raw, Store};
use common::{redis_url, unique_namespace};

/// A namespace with one pending request, "there", and another, "good".
pub struct Scene {
    pub namespace: String,
    pub options: Options,
    pub store: Store,
    pub raw: Raw,
    pub oracle: Oracle,
    pub there: MutationRequest,
    pub good: MutationRequest,
}

impl Scene {
    pub fn new(flavour: Flavour) -> Self {
        let namespace = unique_namespace("bad");
        let options = Options::new(redis_url(), &namespace);
        let store = flavour.open(&options).unwrap();
        let there = store.create(pending("there", "s", second(1))).unwrap();
        let good = store.create(pending("good", "other", second(2))).unwrap();
        let (raw, oracle) = (Raw::to(&redis_url()), Oracle::new(&namespace, 1));
        Self { namespace, options, store, raw, oracle, there, good }
    }

    pub fn record(&self) -> Vec<u8> {
        self.oracle.record_key("there")
    }

    pub fn set_record(&mut self, value: &[u8]) {
        let key = self.record();
        let _: String = self.raw.ask(&[b"SET".as_slice(), &key, value]);
    }

    pub fn stored_bytes(&mut self) -> Vec<u8> {
        let key = self.record();
        self.raw.ask(&[b"GET".as_slice(), &key])
    }

    /// Runs a call that must fail and write nothing.
    pub fn rejected<T: std::fmt::Debug>(
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

pub fn store_error(error: &Error) -> &StoreError {
    match error {
        Error::Store(error) => error,
        other => panic!("not an error of the store: {other:?}"),
    }
}

pub fn is_of_wrong_type(error: &Error, key: &[u8]) {
    let shown = String::from_utf8_lossy(key).into_owned();
    assert_eq!(store_error(error).kind, StoreErrorKind::Rejected, "{error:?}");
    assert!(error.to_string().contains(&shown), "the key {shown} is not named: {error}");
}

pub const TYPES: [&str; 6] = ["string", "list", "set", "hash", "zset", "stream"];

/// Puts a value of this type at a key.
pub fn put(raw: &mut Raw, key: &[u8], kind: &str) {
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
