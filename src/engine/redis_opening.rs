//! Finds the nodes of a cluster or the primary of Sentinels, and checks their servers before a store uses them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::redis_driver::pause;
use super::redis_nodes::Nodes;
use super::redis_store::Servers;
use super::{RedisStore, dual};
use crate::error::{Error, Result, StoreError};
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::topology::{self, SlotMap};
use crate::redis::{Call, NodeAddress, PreflightReport, reply};
use crate::service::deadline::Deadline;

/// The pause before the nodes are looked for again.
const PAUSE: Duration = Duration::from_millis(100);

#[dual]
impl Nodes {
    /// Finds the nodes by those that the application named, again and again until the deadline while what is wrong may pass.
    /// Returns what an operator should know.
    pub(super) async fn discover(&self, deadline: Deadline) -> Result<Vec<String>> {
        let mut before: Option<StoreError> = None;
        loop {
            let error = match self.discover_once(deadline).await {
                Ok(warnings) => return Ok(warnings),
                Err(error) => error,
            };
            if !error.kind.may_pass() {
                return Err(error.into());
            }
            match deadline.remaining() {
                Some(left) if left > PAUSE => before = Some(error),
                Some(_) => return Err(error.into()),
                // The last attempt had too little time to find out anything.
                None => return Err(before.unwrap_or(error).into()),
            }
            pause(PAUSE).await;
        }
    }

    async fn discover_once(&self, deadline: Deadline) -> Result<Vec<String>, StoreError> {
        if self.has_sentinels() {
            return self.ask_sentinels(self.sentinels(), Vec::new(), deadline).await;
        }
        let seeds = self.seeds();
        let mut found: Option<(NodeAddress, SlotMap)> = None;
        let mut errors = Vec::new();
        for (place, seed) in seeds.iter().enumerate() {
            // One that the map names is of the same cluster.
            if found.as_ref().is_some_and(|(_, map)| map.nodes().contains(seed)) {
                continue;
            }
            let others = u32::try_from(seeds.len() - place).unwrap_or(u32::MAX);
            let share = deadline.remaining().unwrap_or_default() / others;
            match (self.map_of(seed, deadline.within(share)).await, &found) {
                (Ok(map), None) => found = Some((seed.clone(), map)),
                (Ok(map), Some((first, first_map))) => {
                    topology::check_same_cluster((first, first_map), (seed, &map))?;
                }
                (Err(error), _) => errors.push(error),
            }
        }
        let Some((node, map)) = found else { return Err(topology::no_map(errors)) };
        topology::check_whole(&map, &node)?;
        self.take(map);
        Ok(Vec::new())
    }
}

#[dual]
impl RedisStore {
    /// Checks each server: its version, mode, memory policy and persistence and, if the store may write, the permissions of the
    /// user.
    pub(super) async fn check_servers(&self) -> Result<PreflightReport> {
        let nodes = match &self.servers {
            Servers::One { .. } => {
                let info = self.call(&Call::server_info(), self.deadline()).await?;
                return reply::preflight(&self.settings, &info);
            }
            Servers::Routed(nodes) => Arc::clone(nodes),
        };
        let warnings = nodes.discover(self.deadline()).await?;
        let mut reports = BTreeMap::new();
        for node in nodes.primaries() {
            let report = self.check_server(&nodes, &node).await.map_err(|error| at_node(&node, error))?;
            reports.insert(node, report);
        }
        let mut report = PreflightReport::of_nodes(reports);
        report.warnings.extend(warnings);
        Ok(report)
    }

    async fn check_server(&self, nodes: &Nodes, node: &NodeAddress) -> Result<PreflightReport> {
        let info = self.call_at(nodes, node, &Call::server_info()).await?;
        let report = reply::preflight(&self.settings, &info)?;
        if !self.settings.options.read_only {
            let keyspace = &self.settings.keyspace;
            let served =
                keyspace.partitions().find(|partition| nodes.serves(node, crate::redis::Place::Partition(*partition)));
            let call = Call::check_permissions(&self.settings, served.unwrap_or(0));
            namespace_reply::check_allowed(&self.settings, &self.call_at(nodes, node, &call).await?)?;
        }
        Ok(report)
    }
}

/// The same error, which names the node, unless it does already.
fn at_node(node: &NodeAddress, error: Error) -> Error {
    match error {
        Error::Store(mut error) if !error.problem.contains(&node.to_string()) => {
            error.problem = format!("node {node}: {}", error.problem);
            Error::Store(error)
        }
        other => other,
    }
}
