//! The store of a place. Nothing else differs: all code after it works the same on each store.

use std::sync::Arc;

#[cfg(feature = "redis")]
use super::Servers;
use super::{Place, Result};

/// On a cluster the requests spread over so many places; on one server everything is in one.
#[cfg(feature = "redis")]
const CLUSTER_PARTITIONS: u16 = 16;

#[cfg(not(feature = "redis"))]
const NO_REDIS: &str = "REDIS_URL or REDIS_CLUSTER_URLS is set, but this example was built without the feature `redis`";

/// The store for a synchronous program.
///
/// # Errors
/// If the server cannot be reached or is not fit for a store.
#[cfg(feature = "blocking")]
pub fn open_blocking(place: &Place) -> Result<Arc<dyn mutator_governance::blocking::Store>> {
    match place {
        Place::Embedded => Ok(Arc::new(mutator_governance::blocking::MemoryStore::new())),
        #[cfg(feature = "redis")]
        Place::Redis { servers, namespace } => Ok(Arc::new(open_redis_blocking(servers, namespace)?)),
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
        Place::Redis { servers, namespace } => Ok(Arc::new(open_redis_nonblocking(servers, namespace).await?)),
        #[cfg(not(feature = "redis"))]
        Place::Redis { .. } => Err(NO_REDIS.into()),
    }
}

/// The store of one server or of a cluster, for a synchronous program.
///
/// # Errors
/// If no server can be reached, or one is not fit for a store.
#[cfg(all(feature = "blocking", feature = "redis"))]
pub fn open_redis_blocking(servers: &Servers, namespace: &str) -> Result<mutator_governance::blocking::RedisStore> {
    use mutator_governance::blocking::RedisStore;
    let builder = match servers {
        Servers::One(url) => RedisStore::builder(url),
        Servers::Cluster(urls) => RedisStore::cluster_builder(urls.clone()).partitions(CLUSTER_PARTITIONS),
    };
    Ok(builder.namespace(namespace).open()?)
}

/// The same for an asynchronous program.
///
/// # Errors
/// If no server can be reached, or one is not fit for a store.
#[cfg(all(any(feature = "tokio", feature = "smol"), feature = "redis"))]
pub async fn open_redis_nonblocking(
    servers: &Servers,
    namespace: &str,
) -> Result<mutator_governance::nonblocking::RedisStore> {
    use mutator_governance::nonblocking::RedisStore;
    let builder = match servers {
        Servers::One(url) => RedisStore::builder(url),
        Servers::Cluster(urls) => RedisStore::cluster_builder(urls.clone()).partitions(CLUSTER_PARTITIONS),
    };
    Ok(builder.namespace(namespace).open().await?)
}
