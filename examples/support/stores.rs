//! The store of a place. Nothing else differs: all code after it works the same on each store.

use std::sync::Arc;

use super::{Place, Result};

#[cfg(not(feature = "redis"))]
const NO_REDIS: &str = "REDIS_URL is set, but this example was built without the feature `redis`";

/// The store for a synchronous program.
///
/// # Errors
/// If the server cannot be reached or is not fit for a store.
#[cfg(feature = "blocking")]
pub fn open_blocking(place: &Place) -> Result<Arc<dyn mutator_governance::blocking::Store>> {
    match place {
        Place::Embedded => Ok(Arc::new(mutator_governance::blocking::MemoryStore::new())),
        #[cfg(feature = "redis")]
        Place::Redis { url, namespace } => {
            Ok(Arc::new(mutator_governance::blocking::RedisStore::builder(url).namespace(namespace).open()?))
        }
        #[cfg(not(feature = "redis"))]
        Place::Redis { .. } => Err(NO_REDIS.into()),
    }
}

/// The store for an asynchronous program.
///
/// # Errors
/// If the server cannot be reached or is not fit for a store.
#[cfg(any(feature = "tokio", feature = "smol"))]
pub async fn open_nonblocking(place: &Place) -> Result<Arc<dyn mutator_governance::nonblocking::Store>> {
    match place {
        Place::Embedded => Ok(Arc::new(mutator_governance::nonblocking::MemoryStore::new())),
        #[cfg(feature = "redis")]
        Place::Redis { url, namespace } => {
            Ok(Arc::new(mutator_governance::nonblocking::RedisStore::builder(url).namespace(namespace).open().await?))
        }
        #[cfg(not(feature = "redis"))]
        Place::Redis { .. } => Err(NO_REDIS.into()),
    }
}
