//! The suite that every store must pass, under the rights of an application.

use super::users::{NAMESPACE, Server};
use common::Flavour;

/// Who runs a case: removing takes an archivist.
fn user_of(case: &str) -> &'static str {
    if case.contains("remov") { "archivist" } else { "application" }
}

/// Runs each case on an empty namespace that the deployer has laid out.
fn on_each_layout(server: &Server, mut case: impl FnMut(u16)) {
    for partitions in [1, 4] {
        let _: String = server.raw("admin").ask(&["FLUSHALL"]);
        Flavour::all()[0].open(&server.options("deployer").partitions(partitions)).unwrap();
        case(partitions);
    }
}

#[cfg(feature = "blocking")]
#[test]
fn the_suite_passes_as_the_application_in_the_blocking_flavour() {
    use mutator_governance::blocking::{RedisStore, conformance};
    let server = Server::start();
    macro_rules! as_application {
        ($case:ident) => {
            on_each_layout(&server, |partitions| {
                let builder =
                    RedisStore::builder(server.url(user_of(stringify!($case)))).namespace(NAMESPACE).pool_size(40);
                let builder = builder.timeout(std::time::Duration::from_secs(30));
                conformance::$case(std::sync::Arc::new(builder.partitions(partitions).open().unwrap()));
            });
        };
    }
    mutator_governance::store_cases!(as_application);
}

#[cfg(any(feature = "tokio", feature = "smol"))]
#[test]
fn the_suite_passes_as_the_application_in_the_asynchronous_flavour() {
    use mutator_governance::nonblocking::{RedisStore, conformance};
    let server = Server::start();
    let flavour = *Flavour::all().iter().find(|flavour| **flavour != Flavour::Blocking).unwrap();
    macro_rules! as_application {
        ($case:ident) => {
            on_each_layout(&server, |partitions| {
                let builder = RedisStore::builder(server.url(user_of(stringify!($case)))).namespace(NAMESPACE);
                let builder = builder.timeout(std::time::Duration::from_secs(30)).partitions(partitions);
                flavour.block_on(async {
                    conformance::$case(std::sync::Arc::new(builder.open().await.unwrap())).await;
                });
            });
        };
    }
    mutator_governance::store_cases!(as_application);
}
