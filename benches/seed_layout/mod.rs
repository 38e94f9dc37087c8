//! The layout that this crate replaces, rebuilt for comparison: one JSON document and one revision string per request,
//! and plain sets of ids. Written for the benchmark from a description of that layout; no code from elsewhere.
//!
//! A write watches, checks the revision and moves the id between sets in a transaction. A query takes one family of sets,
//! reads every document it names, and filters and sorts them in the client.

#![allow(clippy::unwrap_used, reason = "a benchmark without its server is no benchmark")]

mod json;
mod queries;

use mutator_governance::{MutationRequest, PendingReason, RequestDocument, RequestId, Status};
use redis::{Commands as _, Connection, Pipeline};

pub(crate) use json::{json, parse};
pub(crate) use queries::Filter;

/// The layout under one key prefix, over one connection.
pub(crate) struct SeedLayout {
    connection: Connection,
    prefix: &'static str,
}

impl SeedLayout {
    pub(crate) fn new(connection: Connection, prefix: &'static str) -> Self {
        Self { connection, prefix }
    }

    /// Stores a new request; panics when there is one.
    pub(crate) fn create(&mut self, request: &MutationRequest) {
        let (document, revision) = (self.key("document", &request.id), self.key("revision", &request.id));
        redis::cmd("WATCH").arg(&revision).exec(&mut self.connection).unwrap();
        let stored: Option<u64> = self.connection.get(&revision).unwrap();
        assert_eq!(stored, None, "the id is taken");
        let mut transaction = redis::pipe();
        transaction.atomic().set(document, json(request)).set(revision, 0);
        self.add_to_sets(request, &mut transaction);
        self.commit(&transaction);
    }

    /// Replaces a request that was read at its revision; panics when somebody else did.
    pub(crate) fn update(&mut self, request: &MutationRequest) {
        let (document, revision) = (self.key("document", &request.id), self.key("revision", &request.id));
        redis::cmd("WATCH").arg(&revision).exec(&mut self.connection).unwrap();
        let stored: u64 = self.connection.get(&revision).unwrap();
        assert_eq!(stored, request.revision().number, "somebody else wrote");
        let old: Vec<u8> = self.connection.get(&document).unwrap();
        let old = parse(&old);
        let mut transaction = redis::pipe();
        transaction.atomic();
        for set in self.sets_of(&old) {
            transaction.srem(set, old.id.as_str());
        }
        transaction.set(document, json(request)).set(revision, stored + 1);
        self.add_to_sets(request, &mut transaction);
        self.commit(&transaction);
    }

    /// Many new requests in one round trip, unchecked, to fill a store.
    pub(crate) fn load(&mut self, requests: &[MutationRequest]) {
        let mut pipeline = redis::pipe();
        for request in requests {
            pipeline.set(self.key("document", &request.id), json(request)).set(self.key("revision", &request.id), 0);
            self.add_to_sets(request, &mut pipeline);
        }
        let _: () = pipeline.query(&mut self.connection).unwrap();
    }

    fn commit(&mut self, transaction: &Pipeline) {
        let done: Option<Vec<redis::Value>> = transaction.query(&mut self.connection).unwrap();
        assert!(done.is_some(), "somebody else wrote meanwhile");
    }

    fn add_to_sets(&self, request: &RequestDocument, transaction: &mut Pipeline) {
        for set in self.sets_of(request) {
            transaction.sadd(set, request.id.as_str());
        }
    }

    fn sets_of(&self, request: &RequestDocument) -> Vec<String> {
        let mut sets = vec![
            self.set("all", ""),
            self.set("state", request.target.state_id.as_str()),
            self.set("status", request.state.status().as_str()),
        ];
        if let Some(pending) = request.state.pending() {
            sets.extend([self.set("pending", ""), self.set("reason", pending.reason.as_str())]);
        }
        sets
    }

    fn key(&self, kind: &str, id: &RequestId) -> String {
        format!("{}:{kind}:{id}", self.prefix)
    }

    fn set(&self, family: &str, value: &str) -> String {
        format!("{}:set:{family}:{value}", self.prefix)
    }

    fn status_set(&self, status: Status) -> String {
        self.set("status", status.as_str())
    }

    fn reason_set(&self, reason: PendingReason) -> String {
        self.set("reason", reason.as_str())
    }
}
