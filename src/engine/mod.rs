//! The contract of stores, the stores and the service: everything that waits. Compiled once for each flavour.
//!
//! Only orchestration belongs here; `workflow`, `query` and `redis` make the decisions. Do not write `async` blocks
//! (made synchronous, a `?` in one leaves the outer function), nor `.await` within a macro's arguments. Types of this
//! folder become two types, one for each flavour, so data lives elsewhere.

use super::dual;
use crate::request::Timestamp;

// Apart and in the order of use: so the documentation lists the methods of `Governance`.
mod governance;

mod commands;

mod amending;
mod correcting;

mod resubmitting;

mod many;
mod previewing;

mod reading;

mod waiting;

mod proving;

mod view;

mod removing;
mod retaining;
mod sweeping;
mod timing;

mod execution;

mod compensating;

mod superseding;

#[cfg(feature = "archive")]
mod exporting;

#[cfg(feature = "archive")]
mod importing;

mod follower;

mod applying;
#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "archive")]
mod archive_directory;
#[cfg(feature = "archive")]
mod archive_files;
#[cfg(feature = "archive")]
mod archive_shelf;

mod executing;
mod executor;
mod following;
mod memory_store;
#[cfg(feature = "redis")]
mod redis_check;
#[cfg(feature = "redis")]
mod redis_check_unique;
#[cfg(feature = "redis")]
mod redis_feed;
#[cfg(feature = "redis")]
mod redis_find;
#[cfg(feature = "redis")]
mod redis_import;
#[cfg(feature = "redis")]
mod redis_layout;
#[cfg(feature = "redis")]
mod redis_move_unique;
#[cfg(feature = "redis")]
mod redis_nodes;
#[cfg(feature = "redis")]
mod redis_opening;
#[cfg(feature = "redis")]
mod redis_queries;
#[cfg(feature = "redis")]
mod redis_remove;
#[cfg(feature = "redis")]
mod redis_repartition;
#[cfg(feature = "redis")]
mod redis_replicas;
#[cfg(feature = "redis")]
mod redis_requests;
#[cfg(feature = "redis")]
mod redis_routing;
#[cfg(feature = "redis")]
mod redis_sentinels;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(feature = "redis")]
mod redis_store_builder;
#[cfg(feature = "redis")]
mod redis_unique;
mod renewing;
mod retention;
mod rows;
mod store;
mod store_extension;
mod sweeper;
mod waiting_follower;

#[cfg(feature = "archive")]
pub use archive::Archive;
#[cfg(feature = "archive")]
pub use archive_directory::ArchiveDirectory;
#[cfg(feature = "archive")]
pub use archive_files::{ArchiveSink, ArchiveSource};
#[cfg(feature = "archive")]
pub use archive_shelf::{ArchiveShelf, ShelfDirectory};
pub use executor::{ExecutionHandler, Executor, ExecutorBuilder};
pub use follower::{FeedFollower, FeedFollowerBuilder, FeedHandler};
pub use governance::{Governance, GovernanceBuilder};
pub use memory_store::MemoryStore;
#[cfg(feature = "redis")]
pub use redis_store::RedisStore;
#[cfg(feature = "redis")]
pub use redis_store_builder::RedisStoreBuilder;
pub use retention::{Retention, RetentionBuilder};
pub(super) use rows::PageBuffer;
pub use rows::RowQuery;
pub use store::Store;
pub use store_extension::StoreExtension;
pub use sweeper::{Sweeper, SweeperBuilder};
pub use view::View;

/// For reads whose rows do not depend on the time.
const ANY_TIME: Timestamp = Timestamp::MIN;
