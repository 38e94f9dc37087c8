//! A namespace with varied requests, and what must still hold of it with more partitions.

use std::collections::BTreeMap;

use common::requests::{asking_for_approvals, moved_on, second, submit, varied_draft};
use common::{Flavour, Options, Oracle, PrivateServer, Raw, Store, unique_namespace};
use mutator_governance::{MutationRequest, Timestamp, WriteId};

/// The next revision of a request: of one that waits for approvals, with the same content.
pub(super) fn changed(request: MutationRequest, at: Timestamp) -> MutationRequest {
    if request.approvals.is_empty() { moved_on(request, at) } else { request }
}

pub(super) struct Scene {
    pub(super) flavour: Flavour,
    pub(super) raw: Raw,
    pub(super) options: Options,
    pub(super) stored: BTreeMap<String, MutationRequest>,
}

impl Scene {
    /// A namespace of so many partitions with so many requests, some of them changed several times.
    pub(super) fn new(server: &PrivateServer, flavour: Flavour, partitions: u16, requests: usize) -> Self {
        let options = Options::new(server.url(), unique_namespace("repartition")).partitions(partitions);
        let raw = Raw::to(server.url());
        let mut scene = Self { flavour, raw, options, stored: BTreeMap::new() };
        let store = scene.open();
        let mut random = fastrand::Rng::with_seed(11);
        for number in 0..requests {
            let draft = varied_draft(&format!("r{number}"), &format!("s{}", number % 7), &mut random);
            let at = second(number as u64 / 3);
            let request = if number % 4 == 0 { asking_for_approvals(draft, at) } else { submit(draft, at) };
            let mut request = store.create(request).unwrap();
            for change in 0..number % 3 {
                request = store.update(changed(request, second(1_000 + change as u64)), WriteId::generate()).unwrap();
            }
            scene.stored.insert(request.id.to_string(), request);
        }
        scene
    }

    pub(super) fn open(&self) -> Store {
        self.flavour.open(&self.options).unwrap()
    }

    /// The options of the same namespace with so many times as many partitions.
    pub(super) fn multiplied(&self, times: u16) -> Options {
        self.options.clone().partitions(self.options.partitions * times)
    }

    /// How many requests belong to another partition among so many times as many.
    pub(super) fn to_move(&self, times: u16) -> u64 {
        let oracle = |options: &Options| Oracle::new(&options.namespace, options.partitions);
        let (before, after) = (oracle(&self.options), oracle(&self.multiplied(times)));
        self.stored.keys().filter(|id| before.partition_of(id) != after.partition_of(id)).count() as u64
    }

    /// Every request is stored once and as it was, every index entry is where it belongs, and a check finds nothing.
    pub(super) fn assert_whole(&mut self, options: &Options) -> Store {
        let store = self.flavour.open(options).unwrap();
        let oracle = Oracle::new(&options.namespace, options.partitions);
        assert_eq!(oracle.check(&mut self.raw, &store), self.stored);
        let report = store.verify().unwrap();
        assert!(report.is_clean() && report.records == self.stored.len() as u64, "{report:?}");
        store
    }
}
