//! Everything that waits: the store contract, the stores, the service. Compiled once for each flavour.
//!
//! Only orchestration belongs here; decisions are made in `workflow`, `query` and `redis`. Do not write `async` blocks
//! (made synchronous, `?` in one leaves the function around it), nor `.await` within a macro's arguments. Types of this
//! folder become two types, one for each flavour, so data lives elsewhere.

use super::dual;

mod applying;
mod commands;
mod compensating;
mod execution;
mod governance;
mod memory_store;
#[cfg(feature = "redis")]
mod redis_check;
#[cfg(feature = "redis")]
mod redis_feed;
#[cfg(feature = "redis")]
mod redis_layout;
#[cfg(feature = "redis")]
mod redis_queries;
#[cfg(feature = "redis")]
mod redis_store;
mod request_queries;
mod request_store;
mod rows;
mod superseding;
mod sweeper;
mod sweeping;

pub use governance::{Governance, GovernanceBuilder};
pub use memory_store::MemoryStore;
#[cfg(feature = "redis")]
pub use redis_store::{RedisStore, RedisStoreBuilder};
pub use request_queries::RequestQueries;
pub use request_store::RequestStore;
pub use rows::{Question, Rows};
pub use sweeper::{Sweeper, SweeperBuilder};
