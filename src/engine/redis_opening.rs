//! Finds the nodes of a cluster or the primary of Sentinels, and checks their servers before a store uses them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::redis_driver::{pause, run_at_once};
use super::redis_nodes::Nodes;
use super::redis_store::Servers;
use super::{RedisStore, dual};
use crate::error::{Error, Result, StoreError};
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::topology::{self, SlotMap};
use crate::redis::{Call, NodeAddress, Place, PreflightReport, reply};
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
        let primaries = nodes.primaries();
        let answers = self.answers_at_once(&nodes, &primaries).await;
        let mut reports = BTreeMap::new();
        for (node, answers) in primaries.into_iter().zip(answers) {
            let report = match answers {
                Some(answers) => self.server_report(&answers),
                None => self.check_server(&nodes, &node).await,
            };
            let report = report.map_err(|error| at_node(&node, error))?;
            reports.insert(node, report);
        }
        let mut report = PreflightReport::of_nodes(reports);
        report.warnings.extend(warnings);
        Ok(report)
    }

    /// What each of these nodes answered to its checks; nothing of one that did not answer all of them.
    async fn answers_at_once(&self, nodes: &Nodes, asked: &[NodeAddress]) -> Vec<Option<Vec<redis::Value>>> {
        let checks: Vec<Vec<Call>> = asked.iter().map(|node| self.server_checks(nodes, node)).collect();
        let commands: Vec<Vec<_>> =
            checks.iter().map(|calls| calls.iter().map(|call| call.command(true)).collect()).collect();
        let sent: Vec<_> =
            asked.iter().zip(&commands).map(|(node, commands)| (nodes.driver(node, false), &**commands)).collect();
        // The other half is for those that are asked again, by themselves.
        let deadline = self.deadline().within(self.settings.options.timeout / 2);
        let answers = run_at_once(&sent, deadline).await;
        answers.into_iter().map(|answers| answers.ok()?.into_iter().collect::<Result<_, _>>().ok()).collect()
    }

    async fn check_server(&self, nodes: &Nodes, node: &NodeAddress) -> Result<PreflightReport> {
        let mut answers = Vec::new();
        for check in self.server_checks(nodes, node) {
            answers.push(self.call_at(nodes, node, &check).await?);
        }
        self.server_report(&answers)
    }
}

impl RedisStore {
    fn server_checks(&self, nodes: &Nodes, node: &NodeAddress) -> Vec<Call> {
        let mut checks = vec![Call::server_info()];
        if !self.settings.options.read_only {
            let mut partitions = self.settings.keyspace.partitions();
            let served = partitions.find(|partition| nodes.serves(node, Place::Partition(*partition)));
            checks.push(Call::check_permissions(&self.settings, served.unwrap_or(0)));
        }
        checks
    }

    /// What the answers to these checks say.
    fn server_report(&self, answers: &[redis::Value]) -> Result<PreflightReport> {
        let Some((info, allowed)) = answers.split_first() else { return Ok(PreflightReport::default()) };
        let report = reply::preflight(&self.settings, info)?;
        allowed.iter().try_for_each(|allowed| namespace_reply::check_allowed(&self.settings, allowed))?;
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
