//! What every store and the service over it promise, in every flavour that is switched on.

mod conformance;
mod errors;
mod foreign_store;
#[cfg(feature = "redis")]
mod rows;
#[cfg(feature = "redis")]
mod runtime;
mod unique;

/// Of calls to Redis: two busy cores serve several test binaries, and only a real hang takes longer.
#[cfg(feature = "redis")]
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
