//! Redis Cluster and Sentinel on real servers.
#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is surprised has failed"
)]

mod balance;
mod checks;
mod conformance;
mod examples;
mod faults;
mod load;
mod lost_shards;
mod measured;
mod moves;
mod opening;
mod partial;
mod partition;
mod repartition;
mod replicas;
mod routes;
mod sentinel_conformance;
mod sentinel_faults;
mod sentinel_load;
mod sentinel_opening;
mod servers;
mod tls;
mod unique;

use std::sync::LazyLock;
use std::time::Duration;

use common::server::{Cluster, SentinelSet};

/// How long a call may take on a machine that other tests keep busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cluster that all tests share that neither harm it nor are harmed by others.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(&[]));

/// The same, watched by Sentinels.
static WATCHED: LazyLock<SentinelSet> = LazyLock::new(|| SentinelSet::start(&[]));
