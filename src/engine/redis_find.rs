//! Finds the keys of a namespace for a check: on the one server, on each primary of a cluster in its turn, or on the primary of
//! Sentinels.

use std::borrow::Cow;

use super::redis_nodes::Nodes;
use super::redis_store::Servers;
use super::{RedisStore, dual};
use crate::error::{Error, Result};
use crate::redis::check::reply as check_reply;
use crate::redis::topology::{Failure, Redirect};
use crate::redis::{Attempts, Call, KeyKind, NodeAddress, NodeWalk, Place, reply};

/// So many partitions are asked about at once.
const MAX_AT_ONCE: usize = 64;

/// Where SCAN goes on, and on which node of a cluster.
pub(super) struct Cursor {
    pub(super) cursor: u64,
    pub(super) nodes: Option<Box<NodeWalk>>,
}

/// The partitions that a node serves, and the nodes that take over keys of some.
#[derive(Default)]
struct Served {
    kept: Vec<u16>,
    taken_over_by: Vec<NodeAddress>,
}

#[dual]
impl RedisStore {
    /// Some keys of a kind, and where to go on; `None` at the end.
    pub(super) async fn find(&self, from: Cursor, kind: KeyKind) -> Result<(Option<Cursor>, Vec<String>)> {
        if let Servers::Routed(nodes) = &self.servers {
            return self.find_on_nodes(nodes, from, kind).await;
        }
        let value = self.call(&Call::find(&self.settings, from.cursor, kind), self.deadline()).await?;
        let (cursor, keys) = check_reply::found_keys(&value, kind)?;
        Ok(((cursor != 0).then_some(Cursor { cursor, nodes: None }), keys))
    }

    async fn find_on_nodes(&self, nodes: &Nodes, from: Cursor, kind: KeyKind) -> Result<(Option<Cursor>, Vec<String>)> {
        let mut walk = from.nodes.unwrap_or_default();
        let (node, cursor) = match walk.current() {
            Some(node) => (node, from.cursor),
            None => match self.begin_node(nodes, &mut walk).await? {
                Some(node) => (node, 0),
                None => return Ok((None, Vec::new())),
            },
        };
        let found = self.call_at(nodes, &node, &Call::find(&self.settings, cursor, kind)).await;
        let (next, keys) = match found {
            Ok(value) => check_reply::found_keys(&value, kind)?,
            // Another node has taken over, which is walked instead.
            Err(error) if may_pass(&error) && !nodes.primaries().contains(&node) => {
                walk.abandon();
                return Ok((Some(Cursor { cursor: 0, nodes: Some(walk) }), Vec::new()));
            }
            Err(error) => return Err(error),
        };
        if next == 0 {
            self.end_node(nodes, &node, &mut walk).await?;
        }
        let is_over = next == 0 && self.next_node(nodes, &walk).is_none();
        Ok(((!is_over).then_some(Cursor { cursor: next, nodes: Some(walk) }), keys))
    }

    fn next_node(&self, nodes: &Nodes, walk: &NodeWalk) -> Option<NodeAddress> {
        let partitions = self.settings.keyspace.partitions();
        walk.choose(&nodes.primaries(), partitions, |partition| nodes.node_for(Place::Partition(partition)))
    }

    /// Begins with the next node, by a map that is not old.
    async fn begin_node(&self, nodes: &Nodes, walk: &mut NodeWalk) -> Result<Option<NodeAddress>> {
        nodes.refresh(None, self.deadline()).await;
        let Some(node) = self.next_node(nodes, walk) else { return Ok(None) };
        let run_id = self.run_id_of(nodes, &node).await?;
        let served = self.settings.keyspace.partitions().filter(|at| nodes.serves(&node, Place::Partition(*at)));
        walk.begin(&node, run_id, served);
        Ok(Some(node))
    }

    /// Ends a walk over a node: what it served all the time has been seen.
    async fn end_node(&self, nodes: &Nodes, node: &NodeAddress, walk: &mut NodeWalk) -> Result<()> {
        let run_id = self.run_id_of(nodes, node).await?;
        let Some(partitions) = walk.begun_with(&run_id) else {
            walk.abandon();
            return Ok(());
        };
        let partitions: Vec<u16> = partitions.iter().copied().collect();
        let served = self.served(nodes, node, &partitions).await?;
        let moved = partitions.iter().copied().find(|partition| !served.kept.contains(partition));
        walk.end(served.kept, served.taken_over_by);
        if let Some(partition) = moved {
            // The map learns from the redirect; nodes that redirect to each other would be walked for ever.
            self.call(&Call::is_served(&self.settings, partition), self.deadline()).await?;
        }
        Ok(())
    }

    async fn run_id_of(&self, nodes: &Nodes, node: &NodeAddress) -> Result<String> {
        let info = self.call_at(nodes, node, &Call::server_info()).await?;
        Ok(reply::preflight(&self.settings, &info)?.run_id)
    }

    /// Which of these partitions a node serves. Follows no redirect.
    async fn served(&self, nodes: &Nodes, node: &NodeAddress, partitions: &[u16]) -> Result<Served> {
        let mut served = Served::default();
        if nodes.has_sentinels() {
            // Servers without slots redirect nobody.
            let deadline = self.deadline();
            match nodes.check_primary(node, deadline).await {
                Ok(()) => served.kept.extend(partitions),
                Err(_) if !nodes.primaries().contains(node) => {}
                Err(fault) => return Err(Attempts::new(deadline, false).ended(fault).into()),
            }
            return Ok(served);
        }
        for partitions in partitions.chunks(MAX_AT_ONCE) {
            let deadline = self.deadline();
            let driver = nodes.driver(node, false);
            let calls: Vec<Call> = partitions.iter().map(|at| Call::is_served(&self.settings, *at)).collect();
            let commands: Vec<Cow<'_, redis::Cmd>> = calls.iter().map(|call| call.command(false)).collect();
            let ended = |fault| Error::from(Attempts::new(deadline, false).ended(fault));
            let answers = driver.run_all(&commands, deadline).await.map_err(ended)?;
            for (partition, answer) in partitions.iter().zip(answers) {
                match answer.map_err(|fault| (nodes.failure(node, &fault, deadline), fault)) {
                    Ok(_) => served.kept.push(*partition),
                    Err((Failure::Redirected(Redirect::Ask { to, .. }), _)) => {
                        served.kept.push(*partition);
                        served.taken_over_by.push(to);
                    }
                    Err((Failure::Redirected(_), _)) => {}
                    Err((_, fault)) => return Err(ended(fault)),
                }
            }
        }
        Ok(served)
    }
}

fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind.may_pass())
}
