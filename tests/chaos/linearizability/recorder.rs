//! Has clients work on a few requests at once, under faults, and gathers what each call returned.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use mutator_governance::{MutationRequest, RequestId, WriteId};

use super::client::Client;
use super::ground::{Caused, Ground};
use super::history::{Event, Revision, Seen, Write};
use common::requests::id;
use common::{Flavour, Store, unique_namespace};

const CLIENTS: usize = 8;
const REQUESTS: usize = 2;
const CALLS: usize = 14;

/// Where it happens, stores of all flavours that reach it as applications do, and one that is patient.
pub struct Recorder {
    start: fn() -> Box<dyn Ground>,
    ground: Box<dyn Ground>,
    namespace: String,
    stores: Vec<Store>,
    direct: Store,
    moments: AtomicU64,
    names: Names,
    pub faults_caused: Caused,
}

/// Short names for write ids.
#[derive(Default)]
pub struct Names(Mutex<BTreeMap<WriteId, Write>>);

impl Names {
    pub fn of(&self, write_id: WriteId) -> Write {
        let mut names = self.0.lock().unwrap();
        let next = Write::try_from(names.len() + 1).unwrap();
        *names.entry(write_id).or_insert(next)
    }

    /// What a request's bytes say of who wrote them: each decision gives the name of its write as its reason.
    pub fn seen(&self, request: &MutationRequest) -> Seen {
        let name = |reason: &str| reason.strip_prefix('w').unwrap().parse().unwrap();
        let content = request.decisions.iter().map(|decision| name(decision.reason.as_deref().unwrap())).collect();
        let revision = request.revision();
        Seen { revision: Revision { number: revision.number, write: self.of(revision.write_id) }, content }
    }
}

impl Recorder {
    pub fn new(start: fn() -> Box<dyn Ground>) -> Self {
        let (ground, namespace) = (start(), unique_namespace("linear"));
        let [options, patient] = ground.options(&namespace);
        let direct = Flavour::all()[0].opened(&patient);
        Self {
            stores: Flavour::all().into_iter().map(|flavour| flavour.opened(&options)).collect(),
            direct,
            start,
            ground,
            namespace,
            moments: AtomicU64::new(1),
            names: Names::default(),
            faults_caused: Caused::new(),
        }
    }

    /// The history of each of some new requests.
    pub fn record(&mut self, number: u64, seed: u64) -> BTreeMap<RequestId, Vec<Event>> {
        let mut random = Rng::with_seed(seed);
        let requests: Vec<RequestId> = (0..REQUESTS).map(|place| id(&format!("h{number}-{place}"))).collect();
        let mut clients: Vec<Client<'_>> = (0..CLIENTS)
            .map(|place| {
                let store = self.stores[place % self.stores.len()].clone();
                Client::new(place, store, &self.moments, &self.names, &requests, random.fork())
            })
            .collect();
        let ended = AtomicBool::new(false);
        let (ground, namespace) = (&mut self.ground, &self.namespace);
        let caused = std::thread::scope(|scope| {
            let faults = scope.spawn(|| ground.cause(&ended, namespace, random.fork()));
            let working: Vec<_> = clients.iter_mut().map(|client| scope.spawn(|| client.work(CALLS))).collect();
            let ends: Vec<_> = working.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            // Set also when a client has failed, or the faults would go on for ever.
            ended.store(true, Ordering::Relaxed);
            ends.into_iter().for_each(|end| end.unwrap());
            faults.join().unwrap()
        });
        for (kind, times) in caused {
            *self.faults_caused.entry(kind).or_insert(0) += times;
        }
        // What is still in a buffer of the server's is carried out before it answers again.
        std::thread::sleep(Duration::from_millis(5));
        let mut histories: BTreeMap<RequestId, Vec<Event>> = BTreeMap::new();
        for (request, event) in clients.into_iter().flat_map(Client::events) {
            histories.entry(request).or_default().push(event);
        }
        for request in &requests {
            let start = self.moments.fetch_add(1, Ordering::SeqCst);
            let last = self.direct.get(request).unwrap().map(|request| self.names.seen(&request));
            let end = self.moments.fetch_add(1, Ordering::SeqCst);
            histories.entry(request.clone()).or_default().push(Event::read(CLIENTS, start, end, last));
        }
        histories
    }

    /// Every index entry and every feed entry is explained by the documents; then another place.
    pub fn check_and_begin_anew(&mut self) {
        self.ground.check(&self.namespace, &self.direct);
        let faults_caused = std::mem::take(&mut self.faults_caused);
        *self = Self { faults_caused, ..Self::new(self.start) };
    }
}
