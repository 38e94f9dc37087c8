//! What is wrong with a cluster, its nodes or the URLs is named when a store is opened.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::requests::{pending, second};
use common::server::{Cluster, PrivateServer};
use common::{Flavour, Options, Raw, unique_namespace};
use mutator_governance::{Error, FeedPosition, NodeAddress, Outcome, StoreErrorKind, WriteId};

use super::CLUSTER;

/// Opens in each flavour, and returns the problem, which is the same.
fn rejected(options: &Options, kind: StoreErrorKind) -> String {
    let mut problems = BTreeSet::new();
    for flavour in Flavour::all() {
        match flavour.open(options).err().expect("the store must not open") {
            Error::Store(error) => {
                assert_eq!((error.kind, error.outcome), (kind, Outcome::NotApplied), "{flavour:?}: {error}");
                problems.insert(error.problem);
            }
            other => panic!("{flavour:?}: {other:?}"),
        }
    }
    problems.pop_first().expect("a flavour")
}

fn options(urls: Vec<String>) -> Options {
    Options::in_cluster(urls, unique_namespace("opening")).timeout(Duration::from_secs(3))
}

#[test]
fn builder_rejects_a_node_and_names_cluster_builder() {
    for url in CLUSTER.urls() {
        let problem = rejected(&Options::new(&url, unique_namespace("opening")), StoreErrorKind::Incompatible);
        assert!(problem.contains("RedisStore::cluster_builder"), "{problem}");
    }
}

#[test]
fn cluster_builder_rejects_a_single_server_and_names_builder() {
    let server = PrivateServer::start_on_tcp(&[]);
    let problem = rejected(&options(vec![server.url().to_owned()]), StoreErrorKind::Incompatible);
    assert!(problem.contains("RedisStore::builder"), "{problem}");
}

#[test]
fn one_seed_that_answers_is_enough_and_a_replica_is_one() {
    let nowhere = "redis://127.0.0.1:1".to_owned();
    for url in CLUSTER.urls() {
        let store = Flavour::all()[0].opened(&options(vec![nowhere.clone(), url]));
        let preflight = store.preflight();
        assert!(!preflight.version.is_empty(), "{preflight}");
        for primary in 0..3 {
            let named = CLUSTER.nodes()[primary].address();
            assert!(preflight.warnings.iter().any(|warning| warning.contains(&named)), "{preflight}");
        }
    }
}

#[test]
fn no_seed_that_answers_names_them() {
    let began = Instant::now();
    let problem = rejected(
        &options(["redis://127.0.0.1:1", "redis://127.0.0.1:2"].map(str::to_owned).into()),
        StoreErrorKind::Unreachable,
    );
    assert!(problem.contains("none of the 2") && problem.contains("127.0.0.1:1") && problem.contains("127.0.0.1:2"));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_database_is_rejected_before_anything_is_sent() {
    let url = CLUSTER.urls().remove(0) + "3";
    let problem = rejected(&options(vec![url]), StoreErrorKind::Configuration);
    assert!(problem.contains("only database 0"), "{problem}");
}

#[test]
fn announced_addresses_are_mapped() {
    use mutator_governance::blocking::RedisStore;
    static REACHED: LazyLock<Vec<NodeAddress>> = LazyLock::new(|| {
        CLUSTER.nodes().iter().map(|node| NodeAddress::new("localhost", node.port()).unwrap()).collect()
    });
    let to_localhost = |announced: &NodeAddress| {
        REACHED.iter().find(|node| node.port() == announced.port()).unwrap_or(announced).clone()
    };
    let builder = RedisStore::cluster_builder(CLUSTER.urls()).namespace(unique_namespace("opening"));
    let store = builder.timeout(super::PATIENCE).partitions(16).node_address(to_localhost).open().unwrap();
    let named = &store.preflight().warnings;
    assert!(!named.is_empty() && named.iter().all(|warning| warning.contains("localhost:")), "{named:?}");
    assert!(store.verify(|_| {}).unwrap().is_clean());
}

#[test]
fn another_number_of_partitions_and_a_lost_meta_key_are_named() {
    let namespace = unique_namespace("opening");
    let options = |partitions| Options::in_cluster(CLUSTER.urls(), namespace.clone()).partitions(partitions);
    Flavour::all()[0].opened(&options(4));
    let problem = rejected(&options(16), StoreErrorKind::Incompatible);
    assert!(problem.contains("has 4 partition(s)"), "{problem}");
    let meta = format!("{{{namespace}}}:meta");
    let removed: usize =
        (0..3).filter_map(|node| CLUSTER.nodes()[node].try_ask::<usize>(&["UNLINK", &meta]).ok()).sum();
    assert_eq!(removed, 1);
    let problem = rejected(&options(8), StoreErrorKind::Incompatible);
    assert!(problem.contains(&meta) && problem.contains("Restore"), "{problem}");
}

#[test]
fn a_namespace_of_one_server_is_moved_with_all_its_keys() {
    let server = PrivateServer::start_on_tcp(&[]);
    let namespace = unique_namespace("moved");
    let alone = Flavour::all()[0].opened(&Options::new(server.url(), &namespace).partitions(4));
    for number in 0..20 {
        alone.create(pending(&format!("r-{number}"), "tenant:acme", second(1))).unwrap();
    }
    let in_cluster = || Options::in_cluster(CLUSTER.urls(), namespace.clone()).partitions(4);
    let mut raw = Raw::to(server.url());
    for (key, value) in raw.dump(&namespace).into_iter().filter(|(key, _)| !key.ends_with("}:meta")) {
        restore(&key, &value);
    }
    let problem = rejected(&in_cluster(), StoreErrorKind::Incompatible);
    assert!(problem.contains(":meta") && problem.contains("Restore"), "{problem}");

    let meta = format!("{{{namespace}}}:meta");
    restore(&meta, &raw.ask::<Vec<u8>>(&["DUMP", &meta]));
    let problem = rejected(&in_cluster().partitions(16), StoreErrorKind::Incompatible);
    assert!(problem.contains("has 4 partition(s)"), "{problem}");
    let report = Flavour::all()[0].opened(&in_cluster()).verify().unwrap();
    assert!(report.is_clean() && report.records == 20, "{report:?}");
}

fn restore(key: &str, value: &[u8]) {
    let slot = CLUSTER.nodes()[0].ask(&["CLUSTER", "KEYSLOT", key]);
    let node = CLUSTER.primary_of(slot, 0).unwrap();
    CLUSTER.nodes()[node].ask::<()>(&[b"RESTORE", key.as_bytes(), b"0", value]);
}

/// With what docs/security.md adds for a cluster.
fn the_users_of_the_security_guide_do(cluster: &Cluster) {
    let rules = std::fs::read_to_string(common::repository().join("docs/acl/billing.acl")).unwrap();
    for line in rules.lines().filter(|line| !line.starts_with("user default")) {
        let (name, rules) = line.strip_prefix("user ").unwrap().split_once(' ').unwrap();
        let (rules, selector) = rules.split_once(" (").unwrap();
        let selector = format!("({selector}");
        let more = ["+cluster|info", "+cluster|slots", "+asking", &selector];
        let words = ["ACL", "SETUSER", name].into_iter().chain(rules.split(' ')).chain(more);
        let words: Vec<&str> = words.collect();
        cluster.nodes().iter().for_each(|node| node.ask(&words));
    }
    let open = |user: &str| {
        let login = format!("redis://{user}:{user}-password@");
        let urls = cluster.urls().iter().map(|url| url.replace("redis://", &login)).collect();
        let options = Options::in_cluster(urls, "billing").partitions(16);
        Flavour::all()[0].opened(&if user == "reader" { options.read_only() } else { options })
    };
    open("deployer");
    let application = open("application");
    let created = application.create(pending("r-1", "tenant:acme", second(1))).unwrap();
    application.update(created, WriteId::generate()).unwrap();
    let reader = open("reader");
    assert_eq!(reader.read_feed(&FeedPosition::beginning(), 100).unwrap().entries.len(), 2);
    let report = open("deployer").verify().unwrap();
    assert!(report.is_clean() && report.records == 1, "{report:?}");
}

/// On one cluster, which gets what each part needs.
#[test]
fn what_is_wrong_with_one_node_is_named_with_the_node() {
    let cluster = Cluster::start(&[]);
    let node = &cluster.nodes()[1];
    let own = |urls: Vec<String>| options(urls).partitions(16);

    let mixed = [cluster.urls(), CLUSTER.urls()].concat();
    let problem = rejected(&own(mixed), StoreErrorKind::Configuration);
    assert!(problem.contains("different clusters"), "{problem}");

    node.ask::<()>(&["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"]);
    let problem = rejected(&own(cluster.urls()), StoreErrorKind::Incompatible);
    assert!(problem.contains(&node.address()) && problem.contains("allkeys-lru"), "{problem}");
    node.ask::<()>(&["CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction"]);

    let user = ["ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all"];
    let with_login = || cluster.urls().iter().map(|url| url.replace("redis://", "redis://app:secret@")).collect();
    cluster.nodes().iter().filter(|other| other.port() != node.port()).for_each(|node| node.ask(&user));
    let problem = rejected(&own(with_login()), StoreErrorKind::Rejected);
    assert!(problem.contains(&node.address()) && !problem.contains("secret"), "{problem}");
    node.ask::<()>(&user);
    Flavour::all()[0].opened(&own(with_login()));

    the_users_of_the_security_guide_do(&cluster);

    node.ask::<()>(&["ACL", "SETUSER", "app", "-zadd"]);
    let problem = rejected(&own(with_login()), StoreErrorKind::Rejected);
    assert!(problem.contains(&node.address()) && problem.contains("may not run zadd"), "{problem}");
    node.ask::<()>(&["ACL", "SETUSER", "app", "+zadd", "-cluster"]);
    let problem = rejected(&own(vec![with_login().remove(1)]), StoreErrorKind::Rejected);
    assert!(problem.contains(&node.address()) && problem.contains("cluster"), "{problem}");

    cluster.nodes().iter().for_each(|node| drop(node.try_ask::<()>(&["CLUSTER", "DELSLOTS", "100"])));
    let problem = rejected(&own(cluster.urls()), StoreErrorKind::Unavailable);
    assert!(problem.contains("not whole") && problem.contains("1 slot(s)") && problem.contains("100"), "{problem}");
}
