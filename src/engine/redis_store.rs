//! The store in Redis: opens it, and sends, retries and gives up calls.

use std::sync::Arc;

use super::super::background::boxed;
use super::super::redis_driver::{Driver, pause, recycle};
use super::redis_nodes::Nodes;
use super::{RedisStoreBuilder, dual};
use crate::error::{Error, Result};
use crate::query::MissingPartition;
use crate::redis::check::reply::is_of_another_type;
use crate::redis::reply;
use crate::redis::{
    Attempts, Call, Cardinalities, Confirmation, Durability, Freshness, Next, NodeAddress, Place, PreflightReport,
    Round, Settings,
};
use crate::service::deadline::Deadline;

/// Keeps requests in Redis, 7.0 or newer, or in Valkey, 7.2 or newer.
///
/// Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct RedisStore {
    pub(super) servers: Servers,
    pub(super) durability: Durability,
    /// Whether reads return what there is where a part of the cluster does not answer.
    pub(super) is_partial: bool,
    pub(super) settings: Arc<Settings>,
    pub(super) cardinalities: Arc<Cardinalities>,
    pub(super) preflight: Arc<PreflightReport>,
}

/// The servers that a store keeps its requests in.
#[derive(Clone)]
pub(super) enum Servers {
    One {
        driver: Driver,
        /// The driver for writes that wait for replicas or the disk.
        waiting: Driver,
    },
    /// The nodes of a cluster, or the primary of Sentinels and its replicas.
    Routed(Arc<Nodes>),
}

impl RedisStore {
    /// A store at this URL: `redis://[user:password@]host[:port][/db]`, `redis+unix:///path`, or `rediss://…` for TLS
    /// with the feature `tls-rustls`. User and password are percent-encoded; [`credentials`](RedisStoreBuilder::credentials)
    /// keep them out of the URL.
    ///
    /// For a cluster use [`cluster_builder`](Self::cluster_builder), for a primary that Sentinels watch
    /// [`sentinel_builder`](Self::sentinel_builder).
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// A store in the Redis Cluster that these URLs lead to: any of its nodes, better three than one, because a node that is
    /// down when the store is opened leads nowhere. Each is written as for [`builder`](Self::builder), without a database and
    /// all with the same login.
    pub fn cluster_builder(urls: impl IntoIterator<Item = impl Into<String>>) -> RedisStoreBuilder {
        RedisStoreBuilder::of_cluster(urls.into_iter().map(Into::into).collect())
    }

    /// A store on the primary that Sentinels watch under this name, often `mymaster`; after a failover, on the replica that took
    /// over.
    ///
    /// A write goes only to a server that a majority of the Sentinels at these URLs confirmed as the primary within about the last
    /// second. So give the URLs of all Sentinels, as for [`builder`](Self::builder), each with its port, usually 26379, and without
    /// a database. A login in the URLs is for the Sentinels; so is
    /// [`sentinel_credentials`](RedisStoreBuilder::sentinel_credentials). [`credentials`](RedisStoreBuilder::credentials) is the
    /// login of the servers.
    pub fn sentinel_builder(
        name: impl Into<String>,
        urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> RedisStoreBuilder {
        RedisStoreBuilder::of_sentinels(name.into(), urls.into_iter().map(Into::into).collect())
    }

    /// What opening the store found out about the server.
    pub fn preflight(&self) -> &PreflightReport {
        &self.preflight
    }

    /// A store whose reads return what there is where a node of the cluster does not answer, and name what is missing. Clones and
    /// other such stores are unaffected.
    ///
    /// Whoever reads through it has to look: pages of every kind have [`Page::missing`](crate::Page::missing), lookups of several
    /// ids [`Lookup::missing`](crate::Lookup::missing), statistics [`Statistics::missing`](crate::Statistics::missing), pages of the
    /// feed [`FeedPage::missing`](crate::FeedPage::missing), and a count is [`AtLeast`](crate::Count::AtLeast). A page leads on in two
    /// ways: [`Page::next`](crate::Page::next) to what else there is, and
    /// [`MissingPart::resume`](crate::MissingPart::resume) to what was missing, once it is back.
    ///
    /// As ever, everything else fails for a partition that does not answer: writes, requests that are looked up one by one,
    /// queries for ids, `end_of_feed` and consumers. If no partition answers, every read fails. Of the time of a call,
    /// half goes to waiting for a node; one that is known not to answer is asked for a sign of life only.
    ///
    /// Redis serves a part of a cluster only with `cluster-require-full-coverage no`. A store on one server has no parts.
    #[must_use]
    pub fn with_partial_reads(&self) -> Self {
        Self { is_partial: true, ..self.clone() }
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.settings.options.timeout)
    }
}

#[dual]
impl RedisStore {
    /// A store whose writes wait for this before their calls return. Clones and other such stores are unaffected.
    ///
    /// In the asynchronous flavour, waiting writes share a separate connection, made at the first of them: keep the
    /// returned store.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) when the server has no command to wait
    /// with, and [`StoreErrorKind::Rejected`](crate::StoreErrorKind::Rejected) when this user may not use it.
    pub async fn with_durability(&self, durability: Durability) -> Result<Self> {
        if durability.waits() {
            self.call_each(&Call::probe(durability)).await.map_err(|error| match error {
                Error::Store(error) => Error::from(durability.unavailable(error)),
                other => other,
            })?;
        }
        let servers = match &self.servers {
            Servers::One { driver, .. } => Servers::One { driver: driver.clone(), waiting: driver.for_waiting() },
            Servers::Routed(nodes) => Servers::Routed(Arc::clone(nodes)),
        };
        Ok(Self { servers, durability, ..self.clone() })
    }

    pub(super) async fn call(&self, call: &Call, deadline: Deadline) -> Result<redis::Value> {
        Ok(self.attempt(call, &mut Attempts::new(deadline, call.writes)).await?.0)
    }

    /// The same for a call that names no key, at this node of the cluster.
    pub(super) async fn call_at(&self, nodes: &Nodes, node: &NodeAddress, call: &Call) -> Result<redis::Value> {
        let mut attempts = Attempts::new(self.deadline(), call.writes);
        Ok(nodes.call(call, Some(node), &mut attempts).await?.0)
    }

    /// The same for a call to the one server, or to each primary of the cluster.
    pub(super) async fn call_each(&self, call: &Call) -> Result<Vec<redis::Value>> {
        match &self.servers {
            Servers::One { .. } => {
                let reply = self.call(call, self.deadline()).await?;
                Ok(vec![reply])
            }
            Servers::Routed(nodes) => {
                let mut replies = Vec::new();
                for node in nodes.primaries() {
                    replies.push(self.call_at(nodes, &node, call).await?);
                }
                Ok(replies)
            }
        }
    }

    /// The replies to these calls, in their order. As many as may be under way at once take one round trip together.
    ///
    /// A call that failed is repeated as by [`call`](Self::call), without the others that were answered.
    pub(super) async fn call_all(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let mut replies = Vec::with_capacity(calls.len());
        for calls in calls.chunks(self.settings.calls_at_once()) {
            match calls {
                [call] => replies.push(self.call(call, deadline).await?),
                _ => replies.extend(self.round(calls, deadline).await?),
            }
        }
        Ok(replies)
    }

    /// As [`call_all`](Self::call_all), for calls of one partition each: what a partition answered, or that it is missing. Only a
    /// store with partial reads misses any.
    pub(super) async fn call_present(
        &self,
        calls: &[Call],
        deadline: Deadline,
    ) -> Result<Vec<Result<redis::Value, MissingPartition>>> {
        let nodes = match &self.servers {
            Servers::Routed(nodes) if self.is_partial => nodes,
            _ => return Ok(self.call_all(calls, deadline).await?.into_iter().map(Ok).collect()),
        };
        let mut found = Vec::with_capacity(calls.len());
        for calls in calls.chunks(self.settings.calls_at_once()) {
            let patience = deadline.remaining().unwrap_or_default() / 2;
            let results = boxed(nodes.tolerant_round(calls, deadline.within(patience))).await?;
            for (call, result) in calls.iter().zip(results) {
                match (result, call.place) {
                    (Ok(value), _) => found.push(Ok(value)),
                    (Err(error), Place::Partition(partition)) if error.kind.may_pass() => {
                        let server = nodes.node_for(call.place).map(|node| node.to_string()).unwrap_or_default();
                        found.push(Err(MissingPartition::new(partition, server, error.problem)));
                    }
                    (Err(error), _) => return Err(error.into()),
                }
            }
        }
        Ok(found)
    }

    /// As [`call_all`](Self::call_all), with `None` for a key of another type. All at once, and each by itself if there is one.
    pub(super) async fn call_all_of_any_type(&self, calls: &[Call]) -> Result<Vec<Option<redis::Value>>> {
        match self.call_all(calls, self.deadline()).await {
            Ok(values) => return Ok(values.into_iter().map(Some).collect()),
            Err(error) if !is_of_another_type(&error) => return Err(error),
            Err(_) => {}
        }
        let mut values = Vec::with_capacity(calls.len());
        for call in calls {
            match self.call(call, self.deadline()).await {
                Ok(value) => values.push(Some(value)),
                Err(error) if is_of_another_type(&error) => values.push(None),
                Err(error) => return Err(error),
            }
        }
        Ok(values)
    }

    async fn round(&self, calls: &[Call], deadline: Deadline) -> Result<Vec<redis::Value>> {
        let writes = calls.iter().any(|call| call.writes);
        if writes {
            self.settings.check_writable()?;
        }
        let driver = match &self.servers {
            Servers::One { driver, .. } => driver,
            Servers::Routed(nodes) => return boxed(nodes.round(calls, deadline)).await,
        };
        let mut attempts = Attempts::new(deadline, writes);
        let mut round = Round::new(calls);
        loop {
            let commands = round.commands();
            let (call, fault) = match driver.run_all(&commands, deadline).await {
                Ok(answers) => match round.take(answers) {
                    Some((call, fault)) => (Some(call), fault),
                    None => return Ok(round.finish()),
                },
                Err(fault) => (None, fault),
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => round.send_source(),
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => {
                    return Err(match call {
                        Some(call) => call.locate(error).into(),
                        None => error.into(),
                    });
                }
            }
        }
    }

    /// The record at a key: nil if there is none, and only its size if that is above the limit of a record.
    ///
    /// One command reads most records whole; a script reads longer ones and checks their size first.
    pub(super) async fn stored_record(
        &self,
        place: Place,
        key: &str,
        freshness: Freshness,
        deadline: Deadline,
    ) -> Result<redis::Value> {
        let start = self.call(&Call::record_start(place, key).with_freshness(freshness), deadline).await?;
        if reply::is_whole_record(&start) {
            return Ok(start);
        }
        recycle(start);
        let whole = Call::whole_record(&self.settings, place, key).with_freshness(freshness);
        let value = self.call(&whole, deadline).await?;
        reply::only_record(value)
    }

    /// The answer and, if the call waits for a confirmation, the answer to that query.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        attempts: &mut Attempts,
    ) -> Result<(redis::Value, Option<Confirmation>)> {
        if call.writes {
            self.settings.check_writable()?;
        }
        let (driver, waiting) = match &self.servers {
            Servers::One { driver, waiting } => (driver, waiting),
            Servers::Routed(nodes) => return boxed(nodes.call(call, None, attempts)).await,
        };
        let mut with_source = false;
        loop {
            let command = &call.command(with_source);
            let answered = if call.durability.waits() {
                waiting.run_and_wait(command, false, call.durability, attempts.deadline()).await
            } else {
                driver.run(command, attempts.deadline()).await.map(|answer| (answer, None))
            };
            let fault = match answered {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            match attempts.after(fault, fastrand::f64()) {
                Next::SendSource => with_source = true,
                Next::After(duration) => pause(duration).await,
                Next::Stop(error) => return Err(call.locate(error).into()),
            }
        }
    }
}
