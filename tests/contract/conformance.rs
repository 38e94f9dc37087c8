//! The conformance suite over every store in every flavour that is switched on.

#[cfg(feature = "blocking")]
mod blocking {
    use mutator_governance::IdComparison;
    use mutator_governance::blocking::{MemoryStore, conformance};
    use std::sync::Arc;

    mod memory {
        use super::*;
        macro_rules! on_memory {
            ($case:ident) => {
                #[test]
                fn $case() {
                    conformance::$case(Arc::new(MemoryStore::new()));
                }
            };
        }
        mutator_governance::store_cases!(on_memory);

        #[test]
        fn people_are_told_apart_without_regard_to_case() {
            let store = Arc::new(MemoryStore::comparing_ids(IdComparison::FoldCase));
            conformance::people_are_told_apart_by_the_rule_of_the_store(store);
        }

        #[test]
        fn a_short_feed() {
            conformance::what_a_short_feed_removed_is_one_gap(Arc::new(MemoryStore::with_feed_length(10)));
        }
    }

    #[cfg(feature = "redis")]
    mod redis {
        use super::*;
        use common::{redis_url, unique_namespace};
        use mutator_governance::blocking::RedisStore;

        fn redis_store(partitions: u16) -> Arc<RedisStore> {
            let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("blocking"));
            Arc::new(builder.partitions(partitions).pool_size(40).timeout(crate::PATIENCE).open().unwrap())
        }

        macro_rules! on_one_and_on_four_partitions {
            ($case:ident) => {
                #[test]
                fn $case() {
                    conformance::$case(redis_store(1));
                    conformance::$case(redis_store(4));
                }
            };
        }
        mutator_governance::store_cases!(on_one_and_on_four_partitions);

        #[test]
        fn people_are_told_apart_without_regard_to_case() {
            for partitions in [1, 4] {
                let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("folding")).fold_case(true);
                let store = Arc::new(builder.partitions(partitions).timeout(crate::PATIENCE).open().unwrap());
                conformance::people_are_told_apart_by_the_rule_of_the_store(store);
            }
        }

        /// What a viewer sees, and with folded ids who is the same, is the same with an index.
        #[test]
        fn participants_that_are_indexed() {
            for (partitions, fold_case) in [(1, false), (4, false), (4, true)] {
                let open = || {
                    let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("viewing"));
                    let builder = builder.partitions(partitions).index_participants().fold_case(fold_case);
                    Arc::new(builder.timeout(crate::PATIENCE).open().unwrap())
                };
                conformance::a_viewer_sees_what_concerns_them(open());
                conformance::no_read_shows_a_viewer_another_request(open());
                conformance::what_a_viewer_sees_changes_with_the_request(open());
                conformance::people_are_told_apart_by_the_rule_of_the_store(open());
            }
        }

        #[test]
        fn a_short_feed() {
            let builder = RedisStore::builder(redis_url()).namespace(unique_namespace("short-feed")).feed_length(10);
            let store = builder.timeout(crate::PATIENCE).open().unwrap();
            conformance::what_a_short_feed_removed_is_one_gap(Arc::new(store));
        }
    }
}

#[cfg(any(feature = "tokio", feature = "smol"))]
mod nonblocking {
    use mutator_governance::IdComparison;
    use mutator_governance::nonblocking::{MemoryStore, conformance};
    use std::future::Future;
    use std::sync::Arc;

    #[cfg(feature = "tokio")]
    fn on_tokio(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(test);
    }

    #[cfg(feature = "smol")]
    fn on_smol(test: impl Future<Output = ()>) {
        smol::block_on(test);
    }

    #[cfg(feature = "redis")]
    async fn redis_store(partitions: u16) -> Arc<mutator_governance::nonblocking::RedisStore> {
        let namespace = common::unique_namespace("nonblocking");
        let builder = mutator_governance::nonblocking::RedisStore::builder(common::redis_url());
        let builder = builder.namespace(namespace).partitions(partitions).timeout(crate::PATIENCE);
        Arc::new(builder.open().await.unwrap())
    }

    #[cfg(feature = "redis")]
    async fn folding_store() -> Arc<mutator_governance::nonblocking::RedisStore> {
        let namespace = common::unique_namespace("folding");
        let builder = mutator_governance::nonblocking::RedisStore::builder(common::redis_url());
        Arc::new(builder.namespace(namespace).fold_case(true).timeout(crate::PATIENCE).open().await.unwrap())
    }

    #[cfg(feature = "redis")]
    async fn short_feed_store() -> Arc<mutator_governance::nonblocking::RedisStore> {
        let namespace = common::unique_namespace("short-feed");
        let builder = mutator_governance::nonblocking::RedisStore::builder(common::redis_url());
        Arc::new(builder.namespace(namespace).feed_length(10).timeout(crate::PATIENCE).open().await.unwrap())
    }

    macro_rules! on_each {
        ($runtime:ident, $name:ident) => {
            mod $name {
                use super::*;
                mod memory {
                    use super::*;
                    macro_rules! on_memory {
                        ($case:ident) => {
                            #[test]
                            fn $case() {
                                $runtime(conformance::$case(Arc::new(MemoryStore::new())));
                            }
                        };
                    }
                    mutator_governance::store_cases!(on_memory);

                    #[test]
                    fn people_are_told_apart_without_regard_to_case() {
                        let store = Arc::new(MemoryStore::comparing_ids(IdComparison::FoldCase));
                        $runtime(conformance::people_are_told_apart_by_the_rule_of_the_store(store));
                    }

                    #[test]
                    fn a_short_feed() {
                        let store = Arc::new(MemoryStore::with_feed_length(10));
                        $runtime(conformance::what_a_short_feed_removed_is_one_gap(store));
                    }
                }

                #[cfg(feature = "redis")]
                mod redis {
                    use super::*;
                    macro_rules! on_redis {
                        ($case:ident) => {
                            #[test]
                            fn $case() {
                                $runtime(async {
                                    conformance::$case(redis_store(1).await).await;
                                    conformance::$case(redis_store(4).await).await;
                                });
                            }
                        };
                    }
                    mutator_governance::store_cases!(on_redis);

                    #[test]
                    fn people_are_told_apart_without_regard_to_case() {
                        $runtime(async {
                            let store = folding_store().await;
                            conformance::people_are_told_apart_by_the_rule_of_the_store(store).await;
                        });
                    }

                    #[test]
                    fn a_short_feed() {
                        $runtime(async {
                            let store = short_feed_store().await;
                            conformance::what_a_short_feed_removed_is_one_gap(store).await;
                        });
                    }
                }
            }
        };
    }

    #[cfg(feature = "tokio")]
    on_each!(on_tokio, tokio_runtime);
    #[cfg(feature = "smol")]
    on_each!(on_smol, smol_runtime);
}
