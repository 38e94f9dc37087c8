//! Redis Cluster and Sentinel without I/O: which slot a key is in, who serves it, and what to do next when a node does not.
//!
//! See `docs/adr/0029-a-router-of-our-own.md` and `docs/adr/0051-sentinel.md`.

mod announcement;
mod map_query;
mod node_address;
mod redirect;
mod replicas;
mod reply;
mod routing;
#[cfg(test)]
mod samples;
mod sentinel;
mod sentinel_verdict;
mod sentinel_view;
mod slot;
mod slot_map;
mod view;

pub(crate) use announcement::{AddressMapping, Announcements};
pub(crate) use map_query::{check_same_cluster, check_whole, cluster_map, map_queries, no_map};
pub use node_address::NodeAddress;
pub(crate) use redirect::Redirect;
pub(crate) use replicas::{Replicas, is_in_sync, replication_info};
pub(crate) use routing::{Failure, RoutedAttempts, Step};
pub(crate) use sentinel::{Opinion, opinion, sentinel_queries};
pub(crate) use sentinel_verdict::Opinions;
pub(crate) use sentinel_view::{Inquiry, Purpose, SentinelView};
pub(crate) use slot::Slot;
pub(crate) use slot_map::SlotMap;
pub(crate) use view::ClusterView;
