//! One client: reads, creates and updates at random, and notes what it was told and when.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use mutator_governance::workflow::{self, Command};
use mutator_governance::{
    ActorContext, Error, Intent, MutationRequest, Outcome, PendingReason, RequestDraft, RequestId, Settled, Target,
    WriteId,
};

use super::history::{Answer, Event, Revision, Write};
use super::recorder::Names;
use common::Store;
use common::requests::{second, submit};

pub struct Client<'a> {
    number: usize,
    store: Store,
    moments: &'a AtomicU64,
    names: &'a Names,
    requests: &'a [RequestId],
    random: Rng,
    /// What it has seen of each request, the newest last; older ones make stale updates.
    known: BTreeMap<RequestId, Vec<MutationRequest>>,
    events: Vec<(RequestId, Event)>,
}

/// What became of one attempt of a write.
enum Attempt {
    Acknowledged(MutationRequest),
    /// With what is stored, where that was told.
    Rejected(Option<MutationRequest>),
    /// Nobody was there to take it.
    NotSent,
    Unknown(Box<Error>),
}

impl<'a> Client<'a> {
    pub fn new(
        number: usize,
        store: Store,
        moments: &'a AtomicU64,
        names: &'a Names,
        requests: &'a [RequestId],
        random: Rng,
    ) -> Self {
        Self { number, store, moments, names, requests, random, known: BTreeMap::new(), events: Vec::new() }
    }

    pub fn events(self) -> impl Iterator<Item = (RequestId, Event)> {
        self.events.into_iter()
    }

    pub fn work(&mut self, calls: usize) {
        for _ in 0..calls {
            let request = self.requests[self.random.usize(..self.requests.len())].clone();
            match self.random.u8(..20) {
                0 => self.create(&request),
                1..8 => self.read(&request),
                _ => match self.pick_known(&request) {
                    None if self.random.bool() => self.create(&request),
                    None => self.read(&request),
                    Some(base) => self.update(base),
                },
            }
        }
    }

    fn now(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn pick_known(&mut self, request: &RequestId) -> Option<MutationRequest> {
        let known = self.known.get(request)?;
        let back = if self.random.u8(..8) == 0 { self.random.usize(..known.len()) } else { 0 };
        known.get(known.len() - 1 - back).cloned()
    }

    fn read(&mut self, request: &RequestId) {
        let start = self.now();
        let read = self.store.get(request);
        let end = self.now();
        match read {
            Ok(found) => {
                self.note_read(request, (start, end), found.as_ref());
            }
            // A read that failed says nothing.
            Err(error) => assert_eq!(error.outcome(), Outcome::NotApplied, "{error:?}"),
        }
    }

    fn note_read(&mut self, request: &RequestId, (start, end): (u64, u64), found: Option<&MutationRequest>) {
        let seen = found.map(|found| self.names.seen(found));
        self.events.push((request.clone(), Event::read(self.number, start, end, seen)));
        if let Some(found) = found {
            self.known.entry(request.clone()).or_default().push(found.clone());
        }
    }

    fn create(&mut self, request: &RequestId) {
        let write_id = WriteId::generate();
        let target = Target::new("s", "Tenant", "RoleGrant").unwrap();
        let draft = RequestDraft::new(target, Intent::new("grant", "Access").unwrap(), self.actor(write_id));
        let submitted = submit(draft.with_id(request.clone()), second(0));
        let submitted =
            MutationRequest::from_document(submitted.into_document(), mutator_governance::Revision::first(write_id))
                .unwrap();
        self.write(request, write_id, None, |store| store.create(submitted.clone()));
    }

    fn update(&mut self, base: MutationRequest) {
        let write_id = WriteId::generate();
        let by = self.actor(write_id);
        let command = match base.state.pending() {
            Some(_) => Command::approve_request(by),
            None => Command::hold(by, PendingReason::Quota),
        };
        let (request, revision) = (base.id.clone(), base.revision());
        let changed = workflow::apply(base, &command, second(revision.number + 1)).unwrap();
        let base = Revision { number: revision.number, write: self.names.of(revision.write_id) };
        self.write(&request, write_id, Some(base), |store| store.update(changed.clone(), write_id));
    }

    fn actor(&self, write_id: WriteId) -> ActorContext {
        ActorContext::user("alice").unwrap().because(format!("w{}", self.names.of(write_id)))
    }

    /// Sends a write; where its outcome is unknown, mostly finds out, by repeating it or by asking.
    fn write(
        &mut self,
        request: &RequestId,
        write_id: WriteId,
        base: Option<Revision>,
        send: impl Fn(&Store) -> Result<MutationRequest, Error>,
    ) {
        let write = self.names.of(write_id);
        let first = self.now();
        let mut start = first;
        let mut attempt = attempt(send(&self.store));
        let mut end = self.now();
        for _ in 0..self.random.u8(..4) {
            let Attempt::Unknown(error) = &attempt else { break };
            start = self.now();
            if self.random.bool() {
                attempt = attempt_again(attempt, send(&self.store));
            } else {
                let unsettled = error.unsettled_write().expect("an unknown outcome names its write");
                match self.store.settle(unsettled) {
                    Ok(Settled::Applied) => {
                        return self.note_write(request, write, base, (first, self.now()), Answer::Acknowledged);
                    }
                    Ok(Settled::NotApplied) => attempt = Attempt::Rejected(None),
                    // Still open: it may be on its way.
                    Ok(_) | Err(_) => {}
                }
            }
            end = self.now();
        }
        match attempt {
            Attempt::Acknowledged(stored) => {
                self.note_write(request, write, base, (first, end), Answer::Acknowledged);
                // An update returns what it made, which may be history by now; one that was repeated, and a creation, what is
                // stored.
                if base.is_some() && stored.revision().write_id == write_id {
                    self.known.entry(request.clone()).or_default().push(stored);
                } else {
                    self.note_read(request, (start, end), Some(&stored));
                }
            }
            Attempt::Rejected(stored) => {
                self.note_write(request, write, base, (first, end), Answer::Rejected);
                if stored.is_some() {
                    self.note_read(request, (start, end), stored.as_ref());
                }
            }
            Attempt::NotSent => self.note_write(request, write, base, (first, end), Answer::Rejected),
            Attempt::Unknown(_) => self.note_write(request, write, base, (first, end), Answer::Unknown),
        }
    }

    fn note_write(
        &mut self,
        request: &RequestId,
        write: Write,
        base: Option<Revision>,
        times: (u64, u64),
        answer: Answer,
    ) {
        self.events.push((request.clone(), Event::write(self.number, times.0, times.1, write, base, answer)));
    }
}

fn attempt(result: Result<MutationRequest, Error>) -> Attempt {
    match result {
        Ok(stored) => Attempt::Acknowledged(stored),
        Err(error) if error.outcome() == Outcome::Unknown => Attempt::Unknown(Box::new(error)),
        Err(Error::Conflict(conflict)) => Attempt::Rejected(Some(conflict.stored)),
        Err(Error::AlreadyExists { .. }) => Attempt::Rejected(None),
        Err(error) => {
            assert!(error.is_retryable() && error.outcome() == Outcome::NotApplied, "{error:?}");
            Attempt::NotSent
        }
    }
}

/// A repetition that reached nobody says nothing of the attempt before it.
fn attempt_again(before: Attempt, result: Result<MutationRequest, Error>) -> Attempt {
    match attempt(result) {
        Attempt::NotSent => before,
        attempt => attempt,
    }
}
