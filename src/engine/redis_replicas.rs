//! Chooses replicas to read from, where the application allows it, and leaves those that fail.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::dual;
use super::redis_nodes::Nodes;
use crate::redis::topology::{self, Failure};
use crate::redis::{Call, Fault, Freshness, NodeAddress};
use crate::service::deadline::Deadline;

/// How long a replica may take to say whether it is in sync.
const SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// So many replicas of one primary are asked before it is read from itself.
const MAX_ASKED: usize = 2;

#[dual]
impl Nodes {
    /// The server to read from instead of this primary: one of its replicas that is in sync, or itself if there is none.
    pub(super) async fn reader_of(&self, primary: NodeAddress, deadline: Deadline) -> NodeAddress {
        for replica in self.replicas_of(&primary).into_iter().take(MAX_ASKED) {
            let is_in_sync = if let Some(seen) = self.is_in_sync(&replica, Instant::now()) {
                seen
            } else {
                let info = topology::replication_info();
                let answer = self.driver(&replica, false).run(&info, deadline.within(SIGN_OF_LIFE)).await;
                let is_in_sync = answer.is_ok_and(|info| topology::is_in_sync(&info));
                self.note_replica(&replica, is_in_sync);
                is_in_sync
            };
            if is_in_sync {
                return replica;
            }
        }
        primary
    }

    /// The readers of all primaries, if one of these calls may be answered by a replica.
    pub(super) async fn readers(&self, calls: &[Call], deadline: Deadline) -> BTreeMap<NodeAddress, NodeAddress> {
        let mut readers = BTreeMap::new();
        if self.settings().options.replicas && calls.iter().any(|call| call.freshness == Freshness::MayLag) {
            for primary in self.primaries() {
                let reader = self.reader_of(primary.clone(), deadline).await;
                readers.insert(primary, reader);
            }
        }
        readers
    }
}

impl Nodes {
    /// How long a call to this node may take: what a replica leaves is for its primary.
    pub(super) fn limit_at(&self, node: &NodeAddress, deadline: Deadline) -> Deadline {
        match deadline.remaining() {
            Some(left) if self.is_read_as_replica(node) => deadline.within(left / 2),
            _ => deadline,
        }
    }

    /// As [`failure`](Self::failure). Whatever is wrong with a replica, its primary may answer.
    pub(super) fn failure_at(&self, node: &NodeAddress, fault: &Fault, deadline: Deadline) -> Failure {
        let is_replica = self.is_read_as_replica(node);
        match self.failure(node, fault, deadline) {
            Failure::UnknownScript => Failure::UnknownScript,
            _ if is_replica => {
                self.note_replica(node, false);
                Failure::NotServing
            }
            failure => failure,
        }
    }
}
