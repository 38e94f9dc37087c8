//! A cluster to which everything happens that loses nothing: its primaries write each command to disk before they answer, and
//! come back after a kill before anybody takes their place.

use std::thread::sleep;
use std::time::Duration;

use common::server::{Cluster, Moving, wait_until};
use fastrand::Rng;

/// Nobody is found to have failed while a killed node starts again.
const NODE_TIMEOUT: &str = "60000";

pub const KINDS: [&str; 6] =
    ["connections killed", "scripts flushed", "slot moved", "failover", "primary stopped", "primary killed"];

pub struct BatteredCluster {
    cluster: Cluster,
}

impl BatteredCluster {
    pub fn start() -> Self {
        let on_disk = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"];
        let timeout = ["--cluster-node-timeout", NODE_TIMEOUT];
        Self { cluster: Cluster::start(&[&on_disk[..], &timeout].concat()) }
    }

    pub fn urls(&self) -> Vec<String> {
        self.cluster.urls()
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Does this to one of the primaries, or to the slot of one of these partitions, and returns when it is over.
    pub fn cause(&mut self, kind: &str, namespace: &str, partitions: u16, stop: Duration, random: &mut Rng) {
        let primaries = self.cluster.primaries(0);
        let primary = primaries[random.usize(..primaries.len())];
        let node = &self.cluster.nodes()[primary];
        match kind {
            "connections killed" => drop(node.ask::<i64>(&["CLIENT", "KILL", "TYPE", "normal"])),
            "scripts flushed" => node.ask(&["SCRIPT", "FLUSH"]),
            "slot moved" => {
                let slot = self.cluster.slot_of(&format!("{{{namespace}:{}}}", random.u16(..partitions)));
                if self.cluster.primary_of(slot, 0) != Some(primary) {
                    Moving::begin_to(&self.cluster, slot, primary).end();
                    self.wait_until_all_agree();
                }
            }
            "failover" => self.fail_over(primary),
            "primary stopped" => {
                let stopped = node.stop();
                sleep(stop);
                drop(stopped);
            }
            _ => {
                self.cluster.node_mut(primary).kill();
                self.cluster.node_mut(primary).start_again();
                self.cluster.wait_until_whole();
            }
        }
    }

    /// As an operator plans it. One that does not come about in time is none.
    fn fail_over(&self, primary: usize) {
        let Some(replica) = self.cluster.replica_of(primary, primary) else { return };
        let node = &self.cluster.nodes()[replica];
        if node.try_ask::<()>(&["CLUSTER", "FAILOVER"]).is_err() {
            return;
        }
        let is_primary = || node.field(&["INFO", "replication"], "role").as_deref() == Some("master");
        for _ in 0..300 {
            if is_primary() {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        self.wait_until_all_agree();
        self.cluster.wait_until_whole();
    }

    fn wait_until_all_agree(&self) {
        let owners = |asked: usize| {
            let shards = self.cluster.shards(asked)?;
            let mut owners: Vec<_> = shards.into_iter().map(|shard| (shard.first, shard.last, shard.primary)).collect();
            owners.sort();
            Some(owners)
        };
        wait_until("all nodes agree who serves what", || {
            let first = owners(0);
            first.is_some() && (1..self.cluster.nodes().len()).all(|asked| owners(asked) == first)
        });
    }
}
