//! A Redis Cluster of one's own: three primaries and three replicas.

use std::thread;

use redis::Value;

use super::node::{Node, Site, wait_until};
use super::process::free_port;

/// The number of slots of every cluster.
const SLOTS: u16 = 16_384;
const PRIMARIES: usize = 3;
const NODES: usize = 2 * PRIMARIES;

/// A cluster without keys that nobody else uses: nodes 0 to 2 start as primaries, node 3 + n as the replica of node n. It ends
/// when this value is dropped or this process ends.
pub struct Cluster {
    nodes: Vec<Node>,
}

/// Who serves a range of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    pub first: u16,
    pub last: u16,
    /// Host and port.
    pub primary: String,
    pub replicas: Vec<String>,
}

impl Cluster {
    /// Starts the nodes, and returns when each of them serves, or knows who does, all slots, and each replica has its data.
    /// `arguments` follow ours for every node, so they win.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_each(|| arguments.iter().map(|&argument| argument.to_owned()).collect())
    }

    /// The same, with arguments made for each node.
    pub fn start_each(arguments: impl Fn() -> Vec<String> + Sync) -> Self {
        Self::start_at(|_| Site::default(), arguments)
    }

    /// The same, with a place for each node by its number.
    pub fn start_at(site: impl Fn(usize) -> Site, arguments: impl Fn() -> Vec<String> + Sync) -> Self {
        let start = |site: Site| Node::start_at(site, None, settings(arguments()));
        let start = &start;
        let nodes = thread::scope(|scope| {
            let starting: Vec<_> = (0..NODES).map(site).map(|site| scope.spawn(move || start(site))).collect();
            starting.into_iter().map(|node| node.join().expect("a node starts")).collect()
        });
        let cluster = Self { nodes };
        cluster.join_nodes();
        cluster
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn node_mut(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number]
    }

    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// The number of the node at this host and port.
    pub fn number_of(&self, address: &str) -> usize {
        self.nodes.iter().position(|node| node.address() == address).expect("the address is one of the cluster's")
    }

    /// The number of the node that serves this slot, as node `asked` knows it.
    pub fn primary_of(&self, slot: u16, asked: usize) -> Option<usize> {
        let shards = shards(&self.nodes[asked])?;
        let shard = shards.into_iter().find(|shard| (shard.first..=shard.last).contains(&slot))?;
        Some(self.number_of(&shard.primary))
    }

    /// Who serves which slots, as node `asked` knows it; `None` if it does not answer.
    pub fn shards(&self, asked: usize) -> Option<Vec<Shard>> {
        shards(&self.nodes[asked])
    }

    /// The numbers of the nodes that serve slots, as node `asked` knows it.
    pub fn primaries(&self, asked: usize) -> Vec<usize> {
        let shards = self.shards(asked).unwrap_or_default();
        let mut numbers: Vec<usize> = shards.iter().map(|shard| self.number_of(&shard.primary)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The slot of a key, or of a hash tag in braces.
    pub fn slot_of(&self, key: &str) -> u16 {
        let answered = self.nodes.iter().find_map(|node| node.try_ask(&["CLUSTER", "KEYSLOT", key]).ok());
        answered.expect("a node answers")
    }

    /// The number of the node that replicates this primary, as node `asked` knows it.
    pub fn replica_of(&self, primary: usize, asked: usize) -> Option<usize> {
        let address = self.nodes[primary].address();
        let shard = self.shards(asked)?.into_iter().find(|shard| shard.primary == address)?;
        shard.replicas.first().map(|replica| self.number_of(replica))
    }

    /// Whether node `number` answers, finds the cluster whole, and is a primary or has all data of its primary.
    pub fn is_well(&self, number: usize) -> bool {
        let node = &self.nodes[number];
        let cluster = |name| node.field(&["CLUSTER", "INFO"], name);
        let replication = |name| node.field(&["INFO", "replication"], name);
        let is_whole =
            cluster("cluster_state").as_deref() == Some("ok") && cluster("cluster_slots_ok") == Some(SLOTS.to_string());
        is_whole
            && (replication("role").as_deref() == Some("master")
                || replication("master_link_status").as_deref() == Some("up"))
    }

    /// Whether node `number` is a replica with all data of its primary.
    pub fn is_replica_in_step(&self, number: usize) -> bool {
        self.nodes[number].field(&["INFO", "replication"], "master_link_status").as_deref() == Some("up")
    }

    /// Waits until all nodes are well, and each shard has its replica in the view of every node.
    pub fn wait_until_whole(&self) {
        wait_until("the cluster is whole", || (0..NODES).all(|node| self.is_well(node) && self.has_replicas(node)));
    }

    fn has_replicas(&self, asked: usize) -> bool {
        self.shards(asked).is_some_and(|shards| shards.iter().all(|shard| shard.replicas.len() == 1))
    }

    fn join_nodes(&self) {
        for (number, primary) in self.nodes.iter().take(PRIMARIES).enumerate() {
            // Distinct from the beginning, as redis-cli does it: equal ones are told apart only after a while.
            primary.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            let (first, last) = slots_of(number);
            primary.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            // All pairs, because waiting for the gossip takes seconds.
            for other in &self.nodes[number + 1..] {
                let (port, bus_port) = (other.port().to_string(), bus_port(other));
                node.ask::<()>(&["CLUSTER", "MEET", other.host(), &port, &bus_port]);
            }
        }
        wait_until("the nodes know each other", || self.nodes.iter().all(knows_all));
        let ids: Vec<String> = self.nodes.iter().map(|node| node.ask(&["CLUSTER", "MYID"])).collect();
        for (replica, id) in self.nodes.iter().skip(PRIMARIES).zip(&ids) {
            replica.ask::<()>(&["CLUSTER", "REPLICATE", id]);
        }
        self.wait_until_whole();
    }
}

/// Without what makes a server slow to notice a failure, to copy its data, or to serve.
fn settings(arguments: Vec<String>) -> Vec<String> {
    let bus_port = free_port().to_string();
    let ours = [
        ["--cluster-enabled", "yes"],
        // Chosen, because the default is the port and 10,000 more, which may be taken.
        ["--cluster-port", &bus_port],
        ["--cluster-node-timeout", "1500"],
        // A replica that was kept from running for a while is promoted all the same.
        ["--cluster-replica-validity-factor", "0"],
        ["--cluster-allow-replica-migration", "no"],
        ["--repl-diskless-sync-delay", "0"],
        ["--repl-ping-replica-period", "1"],
    ];
    ours.concat().into_iter().map(str::to_owned).chain(arguments).collect()
}

fn slots_of(primary: usize) -> (u16, u16) {
    let begin = |primary: usize| usize::from(SLOTS) * primary / PRIMARIES;
    let number = |slot: usize| u16::try_from(slot).expect("a slot is less than SLOTS");
    (number(begin(primary)), number(begin(primary + 1) - 1))
}

fn bus_port(node: &Node) -> String {
    let setting: (String, String) = node.ask(&["CONFIG", "GET", "cluster-port"]);
    setting.1
}

/// Whether a node has shaken hands with all others.
fn knows_all(node: &Node) -> bool {
    let Ok(nodes) = node.try_ask::<String>(&["CLUSTER", "NODES"]) else { return false };
    let is_known = |line: &&str| !line.contains("handshake") && line.contains(" connected");
    nodes.lines().filter(is_known).count() == NODES
}

/// Read here by itself, not by the crate under test.
fn shards(node: &Node) -> Option<Vec<Shard>> {
    let ranges: Vec<Vec<Value>> = node.try_ask(&["CLUSTER", "SLOTS"]).ok()?;
    ranges
        .into_iter()
        .map(|range| {
            let mut parts = range.into_iter();
            let (first, last) = (number(&parts.next()?)?, number(&parts.next()?)?);
            let mut addresses = parts.map(|node| address(&node)).collect::<Option<Vec<_>>>()?.into_iter();
            Some(Shard { first, last, primary: addresses.next()?, replicas: addresses.collect() })
        })
        .collect()
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

fn address(node: &Value) -> Option<String> {
    let Value::Array(parts) = node else { return None };
    let [Value::BulkString(host), Value::Int(port), ..] = &parts[..] else { return None };
    Some(format!("{}:{port}", String::from_utf8_lossy(host)))
}
