//! A slot of a cluster that is moved from one node to another, step by step, as `redis-cli --cluster reshard` does it.

use super::cluster::Cluster;
use super::node::wait_until;

/// A move that has begun.
pub struct Moving<'a> {
    cluster: &'a Cluster,
    pub slot: u16,
    pub from: usize,
    pub to: usize,
}

impl<'a> Moving<'a> {
    /// To another of the first three nodes.
    pub fn begin(cluster: &'a Cluster, slot: u16) -> Self {
        let from = cluster.primary_of(slot, 0).expect("a node serves the slot");
        Self::begin_to(cluster, slot, (from + 1) % 3)
    }

    pub fn begin_to(cluster: &'a Cluster, slot: u16, to: usize) -> Self {
        let from = cluster.primary_of(slot, 0).expect("a node serves the slot");
        let moving = Self::between(cluster, slot, from, to);
        moving.announce();
        moving
    }

    /// A move of which the nodes do not know yet.
    pub fn between(cluster: &'a Cluster, slot: u16, from: usize, to: usize) -> Self {
        Self { cluster, slot, from, to }
    }

    pub fn announce(&self) {
        self.set_slot(self.to, "IMPORTING", &self.id(self.from));
        self.set_slot(self.from, "MIGRATING", &self.id(self.to));
    }

    /// At most so many keys that the source still has.
    pub fn keys(&self, at_most: usize) -> Vec<String> {
        let source = &self.cluster.nodes()[self.from];
        source.ask(&["CLUSTER", "GETKEYSINSLOT", &self.slot.to_string(), &at_most.to_string()])
    }

    pub fn migrate(&self, keys: &[String]) {
        let target = &self.cluster.nodes()[self.to];
        let port = target.port().to_string();
        let words = ["MIGRATE", target.host(), &port, "", "0", "5000", "KEYS"];
        let words: Vec<&str> = words.into_iter().chain(keys.iter().map(String::as_str)).collect();
        self.cluster.nodes()[self.from].ask::<()>(&words);
    }

    /// Moves the rest, and has both nodes know who serves the slot.
    pub fn end(self) {
        loop {
            let keys = self.keys(100);
            if keys.is_empty() {
                break;
            }
            self.migrate(&keys);
        }
        let id = self.id(self.to);
        // A target that does not know the newest epoch of the source claims the slot with an older one, and loses it again.
        let epoch = |node: usize, name: &str| {
            let found = self.cluster.nodes()[node].field(&["CLUSTER", "INFO"], name);
            found.and_then(|epoch| epoch.parse::<u64>().ok()).unwrap_or_default()
        };
        wait_until("the target knows the epoch of the source", || {
            epoch(self.to, "cluster_current_epoch") >= epoch(self.from, "cluster_my_epoch")
        });
        // The target first: a slot that nobody claims is served by nobody. All others are told by the target.
        [self.to, self.from].into_iter().for_each(|node| self.set_slot(node, "NODE", &id));
    }

    fn id(&self, node: usize) -> String {
        self.cluster.nodes()[node].ask(&["CLUSTER", "MYID"])
    }

    fn set_slot(&self, node: usize, what: &str, id: &str) {
        self.cluster.nodes()[node].ask::<()>(&["CLUSTER", "SETSLOT", &self.slot.to_string(), what, id]);
    }
}
