//! Checks of the server when a store is opened.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::error::{Outcome, StoreError, StoreErrorKind};
use crate::redis::topology::NodeAddress;

/// The findings about the server from opening a store; of a cluster those about each primary, which the warnings name. Prints as
/// lines for a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PreflightReport {
    /// The product: `Redis` or `Valkey`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// What an operator should know, the worst first. The store works in spite of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The run id of the server process; empty if the server does not report it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) run_id: String,
}

/// The risks that a store's options allow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tolerance {
    pub(crate) eviction: bool,
    pub(crate) replica: bool,
    /// Whether the servers are to be nodes of a cluster.
    pub(crate) cluster: bool,
}

/// Every command that the scripts and the store send. Opening a store checks the server's ACL for them, except for the
/// commands that read the change feed and keep its consumers, which not every user needs.
pub(crate) const COMMANDS: [&str; 26] = [
    "get",
    "getrange",
    "strlen",
    "set",
    "mget",
    "type",
    "zadd",
    "zrem",
    "zrange",
    "zscore",
    "zmscore",
    "zcard",
    "zlexcount",
    "xadd",
    "xrange",
    "xinfo|stream",
    "hmget",
    "hset",
    "hdel",
    "hlen",
    "hgetall",
    "scan",
    "eval",
    "evalsha",
    "info",
    "time",
];

impl PreflightReport {
    /// Reads the server's answer to INFO.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`] if the server is too old, is a replica, or may evict governance data.
    pub(crate) fn of(info: &str, tolerance: Tolerance) -> Result<Self, StoreError> {
        let info = Info(info);
        let (product, version) = check_version(&info)?;
        check_mode(&info, tolerance.cluster)?;
        // A primary of a cluster may have been replaced meanwhile; its answers then lead to the new one.
        if info.field("role") == Some("slave") && !tolerance.replica && !tolerance.cluster {
            let problem =
                "the server is a replica and accepts no writes; connect to its primary, or open the store read_only";
            return Err(incompatible(problem.to_owned()));
        }
        let mut warnings = Vec::new();
        let policy = info.field("maxmemory_policy").unwrap_or("noeviction");
        let is_bounded = info.field("maxmemory").is_some_and(|bytes| bytes != "0");
        if policy != "noeviction" {
            let problem = format!("maxmemory-policy is {policy}: Redis may drop governance data; set it to noeviction");
            if is_bounded && !tolerance.eviction {
                return Err(incompatible(format!("{problem}, or allow it when opening the store")));
            }
            warnings.push(problem);
        }
        if info.field("aof_enabled") == Some("0") {
            warnings.push("appendonly is off: writes since the last snapshot are lost when the server dies".to_owned());
        }
        if info.field("rdb_last_bgsave_status") == Some("err") || info.field("aof_last_write_status") == Some("err") {
            warnings.push("the server could not write to its disk the last time it tried".to_owned());
        }
        if info.field("connected_slaves") == Some("0") {
            warnings.push("no replica is connected: nothing takes over when the server dies".to_owned());
        }
        let run_id = info.field("run_id").unwrap_or_default().to_owned();
        Ok(Self { product: product.to_owned(), version: version.to_owned(), warnings, run_id })
    }
}

impl PreflightReport {
    /// The findings about the nodes of a cluster, each warning with the node that it is about.
    pub(crate) fn of_nodes(reports: BTreeMap<NodeAddress, Self>) -> Self {
        let mut whole = Self::default();
        for (node, report) in reports {
            if whole.version.is_empty() {
                (whole.product, whole.version) = (report.product, report.version);
            } else if (&whole.product, &whole.version) != (&report.product, &report.version) {
                let (product, version) = (&report.product, &report.version);
                whole.warnings.push(format!("node {node}: it is {product} {version}, unlike others of the cluster"));
            }
            whole.warnings.extend(report.warnings.into_iter().map(|warning| format!("node {node}: {warning}")));
        }
        whole
    }
}

struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    fn field(&self, name: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }
}

/// Redis from 7.0, Valkey from 7.2: older servers lack script flags and the checks that keep a script from stopping
/// half-way.
fn check_version<'a>(info: &Info<'a>) -> Result<(&'static str, &'a str), StoreError> {
    let (product, version, oldest) = match (info.field("valkey_version"), info.field("redis_version")) {
        (Some(version), _) => ("Valkey", version, (7, 2)),
        (None, Some(version)) => ("Redis", version, (7, 0)),
        (None, None) => {
            return Err(incompatible("the server does not report its version in INFO; is it Redis?".to_owned()));
        }
    };
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(incompatible(format!("the server's version {version:?} cannot be read")));
    };
    if (major, minor) < oldest {
        let (oldest_major, oldest_minor) = oldest;
        return Err(incompatible(format!(
            "{product} {version} is too old; at least {oldest_major}.{oldest_minor} is needed. Upgrade the server"
        )));
    }
    Ok((product, version))
}

/// A node of a cluster serves only its slots, which may include the first key of a new namespace. A Sentinel has no
/// keys.
fn check_mode(info: &Info<'_>, expects_cluster: bool) -> Result<(), StoreError> {
    let is_mode = |mode| [info.field("redis_mode"), info.field("server_mode")].contains(&Some(mode));
    let is_cluster = is_mode("cluster") || info.field("cluster_enabled") == Some("1");
    if is_cluster && !expects_cluster {
        return Err(incompatible(
            "the server is a node of a cluster (cluster-enabled yes) and has only a part of the keys: open the cluster with \
             RedisStore::cluster_builder"
                .to_owned(),
        ));
    }
    if is_mode("sentinel") {
        return Err(incompatible(
            "the server is a Sentinel, which keeps no data: open the store with RedisStore::sentinel_builder"
                .to_owned(),
        ));
    }
    Ok(())
}

pub(in crate::redis) fn incompatible(problem: String) -> StoreError {
    StoreError::new(StoreErrorKind::Incompatible, Outcome::NotApplied, problem)
}

impl fmt::Display for PreflightReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.version)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(fields: &str) -> Result<PreflightReport, StoreError> {
        PreflightReport::of(&format!("# Server\r\n{fields}\r\n"), Tolerance::default())
    }

    #[test]
    fn redis_from_7_0_and_valkey_from_7_2_are_accepted() {
        for good in ["redis_version:7.0.15", "redis_version:8.2.1", "redis_version:7.2.4\r\nvalkey_version:8.0.1"] {
            assert!(report(good).is_ok(), "{good}");
        }
        for bad in ["redis_version:6.2.14", "valkey_version:7.0.0", "redis_version:x", ""] {
            assert_eq!(report(bad).unwrap_err().kind, StoreErrorKind::Incompatible, "{bad}");
        }
    }

    #[test]
    fn a_server_that_may_evict_is_rejected_unless_that_is_allowed() {
        let fields = "redis_version:7.0.15\r\nmaxmemory:1000000\r\nmaxmemory_policy:allkeys-lru";
        assert!(report(fields).unwrap_err().to_string().contains("allkeys-lru"));
        let allowed = PreflightReport::of(fields, Tolerance { eviction: true, ..Tolerance::default() }).unwrap();
        assert_eq!(allowed.warnings.len(), 1);
        let unbounded = "redis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru";
        assert_eq!(report(unbounded).unwrap().warnings.len(), 1);
    }

    #[test]
    fn a_node_of_a_cluster_and_a_sentinel_are_rejected_by_what_they_are() {
        let of = |fields: &str| report(&format!("redis_version:7.0.15\r\n{fields}"));
        for (fields, name) in [
            ("redis_mode:cluster\r\nrole:master\r\ncluster_enabled:1", "node of a cluster"),
            ("role:slave\r\ncluster_enabled:1", "node of a cluster"),
            ("valkey_version:8.0.1\r\nserver_mode:cluster\r\nredis_mode:standalone", "node of a cluster"),
            ("redis_mode:sentinel", "Sentinel"),
        ] {
            let error = of(fields).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Incompatible);
            assert!(error.problem.contains(name), "{error}");
        }
        assert!(of("redis_mode:standalone\r\nrole:master\r\ncluster_enabled:0").is_ok());
    }

    #[test]
    fn what_an_operator_should_know_is_a_warning_and_prints() {
        let found = report("redis_version:7.0.15\r\nrole:master\r\naof_enabled:0\r\nconnected_slaves:0").unwrap();
        assert_eq!(found.warnings.len(), 2);
        assert!(found.to_string().starts_with("Redis 7.0.15\nwarning: appendonly is off"));
        assert!(report("redis_version:7.0.15\r\nrole:slave").is_err());
    }
}
