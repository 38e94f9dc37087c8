//! A replicated server of one's own, watched by Sentinels: one primary, two replicas, three Sentinels.

use std::thread;

use super::node::{Node, wait_until};

const REPLICAS: usize = 2;
const SENTINELS: usize = 3;

/// Servers without keys that nobody else uses: server 0 starts as the primary, the others as its replicas. All end when this
/// value is dropped or this process ends.
pub struct SentinelSet {
    servers: Vec<Node>,
    sentinels: Vec<Node>,
}

impl SentinelSet {
    /// The name by which the Sentinels know the primary.
    pub const NAME: &'static str = "main";

    /// Starts everything, and returns when each replica has the primary's data and each Sentinel knows them and the other
    /// Sentinels. `arguments` follow ours for every server, so they win.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_each(|| arguments.iter().map(|&argument| argument.to_owned()).collect(), Vec::new)
    }

    /// The same, with arguments made for each server and for each Sentinel. If they have a `--tls-port`, all use that among
    /// themselves.
    pub fn start_each(
        arguments: impl Fn() -> Vec<String> + Sync,
        of_sentinels: impl Fn() -> Vec<String> + Sync,
    ) -> Self {
        let primary = Node::start(None, settings(None, arguments()));
        let file = sentinel_file(&primary);
        let (servers, sentinels) = thread::scope(|scope| {
            let replicas: Vec<_> = (0..REPLICAS)
                .map(|_| scope.spawn(|| Node::start(None, settings(Some(&primary), arguments()))))
                .collect();
            let replicas: Vec<Node> = replicas.into_iter().map(|node| node.join().expect("a replica starts")).collect();
            // A Sentinel asks a primary for its replicas as it begins, and then not for ten seconds.
            wait_until("the replicas have the data", || replicas.iter().all(is_in_step));
            let start = || Node::start(Some(&file), [vec!["--sentinel".to_owned()], of_sentinels()].concat());
            let sentinels: Vec<_> = (0..SENTINELS).map(|_| scope.spawn(start)).collect();
            let sentinels = sentinels.into_iter().map(|node| node.join().expect("a Sentinel starts")).collect();
            (replicas, sentinels)
        });
        let servers = std::iter::once(primary).chain(servers).collect();
        let set = Self { servers, sentinels };
        wait_until("the Sentinels know all", || set.sentinels.iter().all(knows_all));
        set
    }

    pub fn servers(&self) -> &[Node] {
        &self.servers
    }

    pub fn server_mut(&mut self, number: usize) -> &mut Node {
        &mut self.servers[number]
    }

    pub fn sentinels(&self) -> &[Node] {
        &self.sentinels
    }

    pub fn sentinel_mut(&mut self, number: usize) -> &mut Node {
        &mut self.sentinels[number]
    }

    pub fn sentinel_urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Node::url).collect()
    }

    /// The number of the server that this Sentinel names as the primary; `None` if it does not answer.
    pub fn primary(&self, sentinel: usize) -> Option<usize> {
        let asked = ["SENTINEL", "get-master-addr-by-name", Self::NAME];
        let (_, port): (String, u16) = self.sentinels[sentinel].try_ask(&asked).ok()?;
        self.servers.iter().position(|server| port_among_themselves(server) == port)
    }
}

impl SentinelSet {
    /// Waits until every Sentinel names another primary than this one, and returns its number.
    pub fn wait_for_another_primary(&self, before: usize) -> usize {
        wait_until("all Sentinels name another primary", || {
            let named: Vec<_> = (0..SENTINELS).map(|sentinel| self.primary(sentinel)).collect();
            named.iter().all(|primary| primary.is_some_and(|primary| primary != before) && *primary == named[0])
        });
        self.primary(0).expect("the Sentinel has just answered")
    }

    /// Waits until every replica has the data of the primary.
    pub fn wait_until_replicated(&self) {
        wait_until("the replicas have the data", || {
            let primary = self.primary(0);
            let mut others = self.servers.iter().enumerate().filter(|(number, _)| Some(*number) != primary);
            primary.is_some() && others.all(|(_, server)| is_in_step(server))
        });
    }
}

/// Without what makes a server slow to copy its data.
fn settings(primary: Option<&Node>, arguments: Vec<String>) -> Vec<String> {
    let ours = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
    let mut settings: Vec<String> = ours.map(str::to_owned).into();
    if let Some(primary) = primary {
        settings.extend(["--replicaof".to_owned(), "127.0.0.1".to_owned(), port_among_themselves(primary).to_string()]);
    }
    settings.extend(arguments);
    settings
}

fn port_among_themselves(node: &Node) -> u16 {
    node.tls_port().unwrap_or(node.port())
}

fn sentinel_file(primary: &Node) -> String {
    let (name, port, quorum) = (SentinelSet::NAME, port_among_themselves(primary), SENTINELS / 2 + 1);
    format!(
        "sentinel monitor {name} 127.0.0.1 {port} {quorum}\n\
         sentinel down-after-milliseconds {name} 1000\n\
         sentinel failover-timeout {name} 3000\n\
         sentinel parallel-syncs {name} {REPLICAS}\n"
    )
}

fn is_in_step(replica: &Node) -> bool {
    replica.field(&["INFO", "replication"], "master_link_status").as_deref() == Some("up")
}

fn knows_all(sentinel: &Node) -> bool {
    let Ok(fields) = sentinel.try_ask::<Vec<String>>(&["SENTINEL", "MASTER", SentinelSet::NAME]) else { return false };
    let is = |name: &str, value: usize| {
        fields.as_chunks::<2>().0.iter().any(|[found, number]| found == name && *number == value.to_string())
    };
    is("num-slaves", REPLICAS) && is("num-other-sentinels", SENTINELS - 1)
}
