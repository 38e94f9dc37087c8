//! Servers that are no server for one store alone.

use mutator_governance::{Error, Outcome, StoreErrorKind};

use crate::faults::scene::kind;
use common::fake_server::FakeServer;
use common::{Flavour, Options, Raw};
use common::{PrivateServer, unique_namespace};

fn opening_error(flavour: Flavour, url: &str) -> Error {
    let options = Options::new(url, unique_namespace("modes"));
    for options in [options.clone(), options.clone().partitions(4), options.clone().read_only()] {
        let error = flavour.open(&options).map(drop).unwrap_err();
        assert_eq!((kind(&error), error.outcome()), (StoreErrorKind::Incompatible, Outcome::NotApplied), "{error}");
    }
    flavour.open(&options).map(drop).unwrap_err()
}

/// Also one that has every slot: it may have to give some away at any time.
#[test]
fn a_node_of_a_cluster_is_rejected_as_what_it_is() {
    let node = PrivateServer::start_on_tcp(&["--cluster-enabled", "yes"]);
    let mut raw = Raw::to(node.url());
    for has_slots in [false, true] {
        if has_slots {
            let _: String = raw.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        }
        for flavour in Flavour::all() {
            let error = opening_error(flavour, node.url()).to_string();
            assert!(error.contains("node of a cluster") && error.contains("RedisStore::cluster_builder"), "{error}");
        }
        let keys: i64 = raw.ask(&["DBSIZE"]);
        assert_eq!(keys, 0, "something was written");
    }
}

#[test]
fn a_sentinel_is_rejected_as_what_it_is() {
    let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\n";
    let info = format!("${}\r\n{info}\r\n", info.len());
    // A Sentinel of today knows no TIME; one that does says what it is in INFO.
    for time in [b"-ERR unknown command 'TIME', with args beginning with: \r\n".as_slice(), FakeServer::TIME] {
        let info = info.clone();
        let sentinel = FakeServer::answering(move |sent| {
            if FakeServer::is_asked_for_time(sent) { time.to_vec() } else { info.clone().into_bytes() }
        });
        for flavour in Flavour::all() {
            let error = opening_error(flavour, &format!("redis://{}/", sentinel.address())).to_string();
            assert!(error.contains("Sentinel") && error.contains("RedisStore::sentinel_builder"), "{error}");
        }
    }
}
