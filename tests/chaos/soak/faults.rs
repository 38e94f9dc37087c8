//! A server that keeps its data on disk and a proxy before it, or a cluster, and what befalls them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::battered_cluster::{self, BatteredCluster};
use crate::soak::process::Level;
use crate::soak::{PARTITIONS, Servers};
use common::Raw;
use common::proxy::Proxy;
use common::server::{free_port, repair_append_only_file};
use common::{Options, Oracle, PrivateServer, Store, unique_namespace};
use mutator_governance::{MutationRequest, PageRequest, RequestQuery};

const BETWEEN_KILLS: Duration = Duration::from_secs(6);

/// What the traffic goes to.
pub trait Machine {
    fn servers(&self) -> Servers;

    /// How whoever looks at the end reaches it.
    fn options(&self, namespace: &str) -> Options;

    fn cause_a_fault(&mut self, namespace: &str, random: &mut Rng);

    fn caused(&self) -> &BTreeMap<&'static str, u64>;

    /// How many kinds of faults there are.
    fn kinds(&self) -> usize;

    /// How much is held while traffic goes on undisturbed, without what earlier cuts left behind.
    fn level(&mut self) -> Level;

    /// The oracle for the keys, where there is one; the documents in any case.
    fn check(&self, namespace: &str, store: &Store) -> BTreeMap<String, MutationRequest>;

    /// How many writes are interrupted so that nobody knows their outcome, at least.
    fn fewest_unknown(&self, seconds: u64) -> u64;

    fn check_enough_faults(&self, seconds: u64) {
        assert_eq!(self.caused().len(), self.kinds(), "{:?}", self.caused());
        assert!(self.caused().values().sum::<u64>() > seconds / 3, "{:?}", self.caused());
    }
}

/// A server behind a proxy.
pub struct OneServer {
    directory: PathBuf,
    port: u16,
    server: PrivateServer,
    raw: Raw,
    proxy: Proxy,
    last_kill: Instant,
    caused: BTreeMap<&'static str, u64>,
}

impl OneServer {
    pub fn new() -> Self {
        let directory = std::env::temp_dir().join(unique_namespace("mg-soak"));
        std::fs::create_dir(&directory).unwrap();
        let port = free_port();
        let server = start(&directory, port);
        let proxy = Proxy::to(server.url());
        let raw = Raw::to(server.url());
        Self { directory, port, server, raw, proxy, last_kill: Instant::now(), caused: BTreeMap::new() }
    }

    fn kill_and_restart(&mut self) {
        // By KILL.
        self.server.stop();
        repair_append_only_file(&self.directory);
        self.server = start(&self.directory, self.port);
        self.raw = Raw::to(self.server.url());
        self.last_kill = Instant::now();
        *self.caused.entry("server killed").or_insert(0) += 1;
    }

    fn stop_for(&self, duration: Duration) {
        let signal = |name: &str| {
            let pid = self.server.pid().to_string();
            assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
        };
        signal("-STOP");
        sleep(duration);
        signal("-CONT");
    }
}

impl Machine for OneServer {
    fn servers(&self) -> Servers {
        Servers::One(self.proxy.url())
    }

    fn options(&self, namespace: &str) -> Options {
        Options::new(self.server.url(), namespace)
    }

    fn cause_a_fault(&mut self, _: &str, random: &mut Rng) {
        if self.last_kill.elapsed() > BETWEEN_KILLS {
            return self.kill_and_restart();
        }
        let kind = match random.u8(..6) {
            0 => {
                let _: i64 = self.raw.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
                "connections killed"
            }
            1 => {
                let _: String = self.raw.ask(&["SCRIPT", "FLUSH"]);
                "scripts flushed"
            }
            2 => {
                self.proxy.cut();
                "connections cut"
            }
            3 => {
                self.proxy.cut_reply_after(random.usize(..500));
                "reply cut"
            }
            4 => {
                self.proxy.cut_request_after(random.usize(..5_000));
                "request cut"
            }
            _ => {
                self.stop_for(Duration::from_millis(random.u64(50..1_200)));
                "server stopped"
            }
        };
        *self.caused.entry(kind).or_insert(0) += 1;
    }

    fn caused(&self) -> &BTreeMap<&'static str, u64> {
        &self.caused
    }

    fn kinds(&self) -> usize {
        7
    }

    fn fewest_unknown(&self, seconds: u64) -> u64 {
        seconds / 30 + 1
    }

    fn level(&mut self) -> Level {
        self.proxy.cut();
        sleep(Duration::from_millis(700));
        Level::now(&mut self.raw)
    }

    fn check(&self, namespace: &str, store: &Store) -> BTreeMap<String, MutationRequest> {
        let (mut raw, oracle) = (Raw::to(self.server.url()), Oracle::new(namespace, PARTITIONS));
        let documents = oracle.check(&mut raw, store);
        oracle.check_feed_is_dense(&mut raw, &documents);
        documents
    }
}

/// A cluster, to which nothing happens that loses what was acknowledged.
pub struct WholeCluster {
    cluster: BatteredCluster,
    last_kill: Instant,
    caused: BTreeMap<&'static str, u64>,
}

impl WholeCluster {
    pub fn new() -> Self {
        Self { cluster: BatteredCluster::start(), last_kill: Instant::now(), caused: BTreeMap::new() }
    }
}

impl Machine for WholeCluster {
    fn servers(&self) -> Servers {
        Servers::Cluster(self.cluster.urls())
    }

    fn options(&self, namespace: &str) -> Options {
        Options::in_cluster(self.cluster.urls(), namespace)
    }

    fn cause_a_fault(&mut self, namespace: &str, random: &mut Rng) {
        let [cheap @ .., kill] = battered_cluster::KINDS;
        let kind = if self.last_kill.elapsed() > BETWEEN_KILLS { kill } else { cheap[random.usize(..cheap.len())] };
        let stop = Duration::from_millis(random.u64(50..1_200));
        self.cluster.cause(kind, namespace, PARTITIONS, stop, random);
        if kind == kill {
            self.last_kill = Instant::now();
        }
        *self.caused.entry(kind).or_insert(0) += 1;
    }

    fn caused(&self) -> &BTreeMap<&'static str, u64> {
        &self.caused
    }

    fn kinds(&self) -> usize {
        battered_cluster::KINDS.len()
    }

    /// None: a store looks at the new primary for what it sent to the old one, and so knows most outcomes.
    fn fewest_unknown(&self, _seconds: u64) -> u64 {
        0
    }

    /// Of the node with the most connections.
    fn level(&mut self) -> Level {
        let cluster = self.cluster.cluster();
        for node in cluster.nodes() {
            let _: i64 = node.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        sleep(Duration::from_millis(700));
        let levels = cluster.nodes().iter().map(|node| Level::now(&mut Raw::to(&node.url())));
        levels.max_by_key(|level| level.server_connections).expect("a cluster has nodes")
    }

    fn check(&self, _: &str, store: &Store) -> BTreeMap<String, MutationRequest> {
        let (mut documents, mut page) = (BTreeMap::new(), PageRequest::of(200).unwrap());
        loop {
            let found = store.requests(&RequestQuery::new(), &page).unwrap();
            assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
            documents.extend(found.items.into_iter().map(|request| (request.id.to_string(), request)));
            let Some(next) = found.next else { return documents };
            page = page.after(next);
        }
    }
}

impl Drop for OneServer {
    fn drop(&mut self) {
        self.server.stop();
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

fn start(directory: &std::path::Path, port: u16) -> PrivateServer {
    let directory = directory.to_str().unwrap();
    PrivateServer::start_on_port(port, &["--dir", directory, "--appendonly", "yes", "--appendfsync", "always"])
}
