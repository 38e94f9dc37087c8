//! What is wrong with Sentinels, their URLs or what they watch is named when a store is opened.

use std::time::Duration;

use common::requests::{pending, second};
use common::server::{Node, SentinelSet};
use common::{Flavour, Options, unique_namespace};
use mutator_governance::blocking::{RedisStore, RedisStoreBuilder};
use mutator_governance::{Credentials, Error, NodeAddress, Outcome, StoreErrorKind};

use super::{CLUSTER, PATIENCE, WATCHED};

/// Opens in each flavour, and returns the problem, which is the same.
fn rejected(options: &Options, kind: StoreErrorKind) -> String {
    let mut found = String::new();
    for flavour in Flavour::all() {
        match flavour.open(options).err().expect("the store must not open") {
            Error::Store(error) => {
                assert_eq!((error.kind, error.outcome), (kind, Outcome::NotApplied), "{flavour:?}: {error}");
                found = error.problem;
            }
            other => panic!("{flavour:?}: {other:?}"),
        }
    }
    found
}

fn options(urls: Vec<String>) -> Options {
    Options::watched(urls, unique_namespace("opening")).timeout(Duration::from_secs(3))
}

fn builder(name: &str) -> RedisStoreBuilder {
    let builder = RedisStore::sentinel_builder(name, WATCHED.sentinel_urls());
    builder.namespace(unique_namespace("opening")).timeout(PATIENCE)
}

fn failure(builder: RedisStoreBuilder) -> (StoreErrorKind, String) {
    match builder.open().map(drop).unwrap_err() {
        Error::Store(error) => (error.kind, error.problem),
        other => panic!("{other:?}"),
    }
}

/// Which is asked first is not certain.
fn names_one_of(nodes: &[Node], problem: &str) -> bool {
    nodes.iter().any(|node| problem.contains(&node.address()))
}

#[test]
fn sentinel_builder_rejects_a_server_and_names_the_others() {
    for url in [WATCHED.servers()[0].url(), CLUSTER.nodes()[0].url()] {
        let problem = rejected(&options(vec![url]), StoreErrorKind::Incompatible);
        assert!(problem.contains("is no Sentinel") && problem.contains("RedisStore::builder"), "{problem}");
    }
}

#[test]
fn the_other_builders_reject_a_sentinel_and_name_sentinel_builder() {
    let url = || WATCHED.sentinels()[0].url();
    let namespace = || unique_namespace("opening");
    for options in [Options::new(url(), namespace()), Options::in_cluster(vec![url()], namespace())] {
        let problem = rejected(&options.timeout(PATIENCE), StoreErrorKind::Incompatible);
        assert!(problem.contains("RedisStore::sentinel_builder"), "{problem}");
    }
}

#[test]
fn no_sentinel_that_answers_names_them() {
    let nowhere = ["redis://127.0.0.1:1", "redis://127.0.0.1:2"].map(str::to_owned);
    let problem = rejected(&options(nowhere.to_vec()), StoreErrorKind::Unreachable);
    for part in ["0 of 2 Sentinels", "127.0.0.1:1", "127.0.0.1:2"] {
        assert!(problem.contains(part), "{problem}");
    }
    let one = [WATCHED.sentinel_urls()[..1].to_vec(), nowhere.to_vec()].concat();
    let problem = rejected(&options(one), StoreErrorKind::Unavailable);
    assert!(problem.contains("1 of 3 Sentinels") && problem.contains("takes 2"), "{problem}");
}

#[test]
fn a_name_that_is_not_watched_and_a_database_are_rejected() {
    let (kind, problem) = failure(builder("other"));
    assert_eq!(kind, StoreErrorKind::Configuration);
    assert!(problem.contains("\"other\"") && names_one_of(WATCHED.sentinels(), &problem), "{problem}");
    let (kind, problem) = failure(builder(" "));
    assert!(kind == StoreErrorKind::Configuration && problem.contains("sentinel monitor"), "{problem}");

    let urls = WATCHED.sentinel_urls().into_iter().map(|url| url + "3").collect();
    let problem = rejected(&options(urls), StoreErrorKind::Configuration);
    assert!(problem.contains("database 3"), "{problem}");
    let (kind, problem) = failure(RedisStore::sentinel_builder(SentinelSet::NAME, Vec::<String>::new()));
    assert!(kind == StoreErrorKind::Configuration && problem.contains("all Sentinels"), "{problem}");
}

/// Two sets that know nothing of each other.
#[test]
fn sentinels_of_different_opinion_are_named_with_what_they_say() {
    let other = SentinelSet::start(&[]);
    let urls = vec![WATCHED.sentinel_urls().remove(0), other.sentinel_urls().remove(0)];
    let problem = rejected(&options(urls), StoreErrorKind::Unavailable);
    let primary = WATCHED.primary(0).unwrap();
    for named in [&WATCHED.sentinels()[0], &WATCHED.servers()[primary], &other.sentinels()[0], &other.servers()[0]] {
        assert!(problem.contains(&named.address()), "{problem}");
    }
}

#[test]
fn the_report_names_the_primary_and_sentinels_that_are_missing_or_were_not_named() {
    let urls = || [WATCHED.sentinel_urls()[..2].to_vec(), vec!["redis://127.0.0.1:1".to_owned()]].concat();
    let preflight = Flavour::all()[0].opened(&options(urls()).timeout(PATIENCE)).preflight();
    let primary = &WATCHED.servers()[WATCHED.primary(0).unwrap()].address();
    assert!(!preflight.version.is_empty());
    assert!(preflight.warnings.iter().any(|warning| warning.contains(primary)), "{preflight}");
    assert!(preflight.warnings.iter().any(|warning| warning.contains("127.0.0.1:1")), "{preflight}");

    let preflight = Flavour::all()[0].opened(&options(WATCHED.sentinel_urls()[..1].to_vec())).preflight();
    assert!(preflight.to_string().contains("3 Sentinels watch"), "{preflight}");
}

#[test]
fn sentinels_and_servers_have_logins_of_their_own() {
    let set = SentinelSet::start(&[]);
    let watcher = ["ACL", "SETUSER", "watcher", "on", ">watching", "+ping", "+sentinel|get-master-addr-by-name"];
    let rules: Vec<&str> = watcher.into_iter().chain(["+sentinel|master"]).collect();
    for sentinel in set.sentinels() {
        sentinel.ask::<()>(&rules);
    }
    for server in set.servers() {
        server.ask::<()>(&["ACL", "SETUSER", "app", "on", ">serving", "~*", "&*", "+@all"]);
    }
    let builder = |urls: Vec<String>| {
        let builder = RedisStore::sentinel_builder(SentinelSet::NAME, urls);
        builder.namespace(unique_namespace("login")).timeout(Duration::from_secs(5))
    };
    let login = Credentials::new("watcher", "watching");
    let store = builder(set.sentinel_urls())
        .sentinel_credentials(login.clone())
        .credentials(Credentials::new("app", "serving"))
        .open()
        .unwrap();
    let users = |node: &Node| node.ask::<String>(&["CLIENT", "LIST"]);
    assert!(users(&set.servers()[0]).contains("user=app"));
    assert!(users(&set.sentinels()[0]).contains("user=watcher"));
    drop(store);

    let with_login = |login: &str| -> Vec<String> {
        set.sentinel_urls().iter().map(|url| url.replace("redis://", &format!("redis://{login}@"))).collect()
    };
    builder(with_login("watcher:watching")).open().unwrap();
    let (kind, problem) = failure(builder(with_login("watcher:canary")));
    assert_eq!(kind, StoreErrorKind::Rejected);
    assert!(names_one_of(set.sentinels(), &problem) && !problem.contains("canary"), "{problem}");
    let (kind, problem) = failure(builder(with_login("watcher:watching")).sentinel_credentials(login.clone()));
    assert!(kind == StoreErrorKind::Configuration && problem.contains("sentinel_credentials()"), "{problem}");
    let (kind, problem) = failure(RedisStore::builder(set.servers()[0].url()).sentinel_credentials(login));
    assert!(kind == StoreErrorKind::Configuration && problem.contains("sentinel_builder"), "{problem}");

    let login_of_servers = Credentials::new("app", "canary");
    let (kind, problem) = failure(builder(with_login("watcher:watching")).credentials(login_of_servers));
    assert_eq!(kind, StoreErrorKind::Rejected);
    assert!(problem.contains(&set.servers()[0].address()) && !problem.contains("canary"), "{problem}");
    for sentinel in set.sentinels() {
        sentinel.ask::<()>(&["ACL", "SETUSER", "watcher", "-sentinel|master"]);
    }
    let (kind, problem) = failure(builder(with_login("watcher:watching")));
    assert_eq!(kind, StoreErrorKind::Rejected);
    assert!(names_one_of(set.sentinels(), &problem) && problem.contains("sentinel|master"), "{problem}");
}

#[test]
fn announced_addresses_are_mapped() {
    let to_localhost = |announced: &NodeAddress| NodeAddress::new("localhost", announced.port()).unwrap();
    let store = builder(SentinelSet::NAME).node_address(to_localhost).open().unwrap();
    let named = &store.preflight().warnings;
    assert!(!named.is_empty() && named.iter().all(|warning| warning.contains("localhost:")), "{named:?}");
    assert!(store.verify(|_| {}).unwrap().is_clean());
}

/// A request submitted by one URL's store is there for a store of the server alone.
#[test]
fn a_namespace_of_one_server_is_opened_by_its_sentinels() {
    let namespace = unique_namespace("moved");
    let primary = WATCHED.servers()[WATCHED.primary(0).unwrap()].url();
    let flavour = Flavour::all()[0];
    let alone = flavour.opened(&Options::new(primary, &namespace).partitions(4));
    alone.create(pending("one", "tenant:acme", second(1))).unwrap();
    let options = Options::watched(WATCHED.sentinel_urls(), &namespace).partitions(4);
    let report = flavour.opened(&options).verify().unwrap();
    assert!(report.is_clean() && report.records == 1, "{report:?}");
}
