//! What histories are recorded on: a server behind a proxy, or a cluster, and what befalls it meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use mutator_governance::FeedPosition;

use super::{CLUSTER_TIMEOUT, TIMEOUT, faults};
use crate::battered_cluster::{self, BatteredCluster};
use common::proxy::Proxy;
use common::{Options, Oracle, PrivateServer, Raw, Store};

pub type Caused = BTreeMap<&'static str, u64>;

pub trait Ground: Send {
    fn partitions(&self) -> u16;

    /// How the clients reach it, and how whoever looks at the end does.
    fn options(&self, namespace: &str) -> [Options; 2];

    /// Causes faults until it has to end, and undoes what would last.
    fn cause(&mut self, ended: &AtomicBool, namespace: &str, random: Rng) -> Caused;

    /// Every index entry and every feed entry is explained by the documents.
    fn check(&self, namespace: &str, store: &Store);
}

pub struct OneServer {
    server: PrivateServer,
    proxy: Proxy,
}

impl OneServer {
    pub fn start() -> Box<dyn Ground> {
        let server = PrivateServer::start_on_tcp(&[]);
        let proxy = Proxy::to(server.url());
        Box::new(Self { server, proxy })
    }
}

impl Ground for OneServer {
    fn partitions(&self) -> u16 {
        1
    }

    fn options(&self, namespace: &str) -> [Options; 2] {
        let hasty = Options::new(self.proxy.url(), namespace).timeout(TIMEOUT).connect_timeout(TIMEOUT);
        [hasty, Options::new(self.server.url(), namespace)]
    }

    fn cause(&mut self, ended: &AtomicBool, _: &str, random: Rng) -> Caused {
        faults::cause(ended, &self.proxy, self.server.url(), self.server.pid(), random)
    }

    fn check(&self, namespace: &str, store: &Store) {
        let (mut raw, oracle) = (Raw::to(self.server.url()), Oracle::new(namespace, self.partitions()));
        let documents = oracle.check(&mut raw, store);
        oracle.check_feed_is_dense(&mut raw, &documents);
    }
}

/// With the requests of a history in several partitions.
pub struct WholeCluster(BatteredCluster);

impl WholeCluster {
    pub fn start() -> Box<dyn Ground> {
        Box::new(Self(BatteredCluster::start()))
    }
}

impl Ground for WholeCluster {
    fn partitions(&self) -> u16 {
        4
    }

    fn options(&self, namespace: &str) -> [Options; 2] {
        let patient = Options::in_cluster(self.0.urls(), namespace).partitions(self.partitions());
        [patient.clone().timeout(CLUSTER_TIMEOUT).connect_timeout(CLUSTER_TIMEOUT), patient]
    }

    fn cause(&mut self, ended: &AtomicBool, namespace: &str, mut random: Rng) -> Caused {
        let mut caused = Caused::new();
        // A kill and a failover take seconds, a stopped node a timeout each: in some histories only.
        let kinds = match random.u8(..24) {
            0 => 3..6,
            1..4 => 2..5,
            _ => 0..3,
        };
        while !ended.load(Ordering::Relaxed) {
            let kind = battered_cluster::KINDS[random.usize(kinds.clone())];
            let stop = CLUSTER_TIMEOUT + Duration::from_millis(random.u64(..60));
            self.0.cause(kind, namespace, self.partitions(), stop, &mut random);
            *caused.entry(kind).or_insert(0) += 1;
            std::thread::sleep(Duration::from_millis(random.u64(5..30)));
        }
        caused
    }

    fn check(&self, _: &str, store: &Store) {
        let report = store.verify().unwrap();
        assert!(report.is_clean(), "{:#?}", report.findings);
        let (mut position, mut seen) = (FeedPosition::beginning(), BTreeSet::new());
        loop {
            let page = store.read_feed(&position, 1_000).unwrap();
            assert!(page.gaps.is_empty() && page.unreadable.is_empty(), "{page:?}");
            if page.entries.is_empty() {
                break;
            }
            for entry in page.entries {
                assert!(seen.insert((entry.id.clone(), entry.revision)), "{entry:?} is in the feed twice");
            }
            position = page.next;
        }
        for (id, revision) in &seen {
            assert!(*revision == 0 || seen.contains(&(id.clone(), revision - 1)), "{id}: a gap before {revision}");
        }
    }
}
