//! The conformance suite on a primary that Sentinels watch: in the blocking flavour with one partition, on tokio with four, on
//! smol with one.

use std::sync::Arc;

use common::server::SentinelSet;
use common::unique_namespace;

use super::{PATIENCE, WATCHED};

#[cfg(feature = "blocking")]
mod blocking {
    use mutator_governance::blocking::{RedisStore, RedisStoreBuilder, conformance};

    use super::*;

    fn builder(partitions: u16) -> RedisStoreBuilder {
        let builder = RedisStore::sentinel_builder(SentinelSet::NAME, WATCHED.sentinel_urls())
            .namespace(unique_namespace("watched"));
        builder.partitions(partitions).pool_size(40).timeout(PATIENCE)
    }

    macro_rules! on_a_primary {
        ($case:ident) => {
            #[test]
            fn $case() {
                conformance::$case(Arc::new(builder(1).open().unwrap()));
            }
        };
    }
    mutator_governance::store_cases!(on_a_primary);

    #[test]
    fn people_are_told_apart_without_regard_to_case() {
        let store = Arc::new(builder(4).fold_case(true).open().unwrap());
        conformance::people_are_told_apart_by_the_rule_of_the_store(store);
    }

    #[test]
    fn a_short_feed() {
        conformance::what_a_short_feed_removed_is_one_gap(Arc::new(builder(1).feed_length(10).open().unwrap()));
    }
}

#[cfg(any(feature = "tokio", feature = "smol"))]
mod nonblocking {
    use std::future::Future;

    use mutator_governance::nonblocking::{RedisStore, conformance};

    use super::*;

    #[cfg(feature = "tokio")]
    fn on_tokio(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(test);
    }

    #[cfg(feature = "smol")]
    fn on_smol(test: impl Future<Output = ()>) {
        smol::block_on(test);
    }

    async fn store(partitions: u16) -> Arc<RedisStore> {
        let builder = RedisStore::sentinel_builder(SentinelSet::NAME, WATCHED.sentinel_urls())
            .namespace(unique_namespace("watched"));
        Arc::new(builder.partitions(partitions).timeout(PATIENCE).open().await.unwrap())
    }

    macro_rules! on_each {
        ($runtime:ident, $name:ident, $($partitions:literal),+) => {
            mod $name {
                use super::*;
                macro_rules! on_a_primary {
                    ($case:ident) => {
                        #[test]
                        fn $case() {
                            $runtime(async { $(conformance::$case(store($partitions).await).await;)+ });
                        }
                    };
                }
                mutator_governance::store_cases!(on_a_primary);
            }
        };
    }

    #[cfg(feature = "tokio")]
    on_each!(on_tokio, tokio_runtime, 4);
    #[cfg(feature = "smol")]
    on_each!(on_smol, smol_runtime, 1);
}
