//! Nodes that send a call elsewhere, to no end or by an old map, that lack a permission, are announced by other names, or have
//! other clocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "blocking")]
use common::Store;
use common::proxy::Proxy;
use common::requests::{id, pending, second};
use common::server::{Cluster, Moving};
use common::{Flavour, Options, unique_namespace};
use mutator_governance::{ConsumerName, Error, HolderId, NodeAddress, Outcome, StoreError, StoreErrorKind, Timestamp};

use super::PATIENCE;

const PARTITIONS: u16 = 16;

fn options(cluster: &Cluster) -> Options {
    Options::in_cluster(cluster.urls(), unique_namespace("routes")).partitions(PARTITIONS).timeout(PATIENCE)
}

fn store_error(result: Result<impl std::fmt::Debug, Error>) -> StoreError {
    match result {
        Err(Error::Store(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The slot of a partition, and an id of a request in it.
fn slot_and_id(cluster: &Cluster, options: &Options, partition: u16) -> (u16, String) {
    let mut ids = (0..).map(|number| format!("r-{number}"));
    let is_there = |id: &String| common::oracle::crc32(id.as_bytes()) % u32::from(PARTITIONS) == u32::from(partition);
    (cluster.slot_of(&format!("{{{}:{partition}}}", options.namespace)), ids.find(is_there).unwrap())
}

/// Each of two nodes says that the other one serves the slot.
#[test]
fn two_nodes_that_send_a_call_to_each_other_keep_it_no_longer_than_its_time() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let options = options(&cluster).timeout(Duration::from_secs(2));
        let store = flavour.opened(&options);
        let (slot, name) = slot_and_id(&cluster, &options, 3);
        let from = cluster.primary_of(slot, 0).unwrap();
        let to = (from + 1) % 3;
        let ids = [from, to].map(|node| cluster.nodes()[node].ask::<String>(&["CLUSTER", "MYID"]));
        let set = |node: usize, id: &str| {
            cluster.nodes()[node].ask::<()>(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", id]);
        };
        // A node gives no slot away that it has keys of.
        let keys = Moving::begin_to(&cluster, slot, to).keys(100);
        for key in keys {
            cluster.nodes()[from].ask::<()>(&["DEL", &key]);
        }
        set(from, &ids[1]);
        cluster.nodes()[to].ask::<()>(&["CLUSTER", "SETSLOT", &slot.to_string(), "STABLE"]);
        assert_eq!((cluster.primary_of(slot, from), cluster.primary_of(slot, to)), (Some(to), Some(from)));

        let calls = || -> u64 {
            let count = |node: usize| {
                let called = cluster.nodes()[node].field(&["INFO", "commandstats"], "cmdstat_get").unwrap_or_default();
                let rejected = called.split("rejected_calls=").nth(1).unwrap_or("0").split(',').next().unwrap_or("0");
                rejected.parse::<u64>().unwrap()
            };
            count(from) + count(to)
        };
        let (before, began) = (calls(), Instant::now());
        let error = store_error(store.get(&id(&name)));
        assert_eq!(
            (error.kind, error.outcome),
            (StoreErrorKind::Unavailable, Outcome::NotApplied),
            "{flavour:?}: {error}"
        );
        assert!(error.problem.contains("MOVED") || error.problem.contains("did not settle"), "{flavour:?}: {error}");
        assert!(began.elapsed() < PATIENCE, "{flavour:?}: {:?}", began.elapsed());
        assert!(calls() - before < 100, "{flavour:?}: {} questions", calls() - before);
        let began = Instant::now();
        let error = store_error(store.verify());
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{flavour:?}: {error}");
        assert!(began.elapsed() < PATIENCE, "{flavour:?}: a check took {:?}", began.elapsed());

        set(to, &ids[1]);
        let patient = flavour.opened(&Options { timeout: PATIENCE, ..options });
        assert!(patient.get(&id(&name)).unwrap().is_none(), "{flavour:?}");
        assert!(store.get(&id(&name)).unwrap().is_none(), "{flavour:?}");
    }
}

/// All keys of a script are at the node that takes a slot over, which does not know the script.
#[test]
fn a_script_that_the_node_asked_does_not_know_is_sent_there_with_its_source() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let options = options(&cluster);
        let store = flavour.opened(&options);
        let (name, holder) = (ConsumerName::new("mailer").unwrap(), HolderId::from_bytes([7; 16]));
        store.lease_consumer(&name, holder, Duration::from_secs(60)).unwrap();
        let moving = Moving::begin(&cluster, slot_and_id(&cluster, &options, 0).0);
        moving.migrate(&moving.keys(1_000));
        let target = &cluster.nodes()[moving.to];
        target.ask::<()>(&["SCRIPT", "FLUSH"]);
        let before = evaluated(&cluster, moving.to);
        store.lease_consumer(&name, holder, Duration::from_secs(60)).unwrap();
        assert_eq!(store.consumers().unwrap().len(), 1, "{flavour:?}");
        assert!(evaluated(&cluster, moving.to) >= before + 2, "{flavour:?}: the target was given no source");
        moving.end();
        assert_eq!(store.consumers().unwrap().len(), 1, "{flavour:?}");
    }
}

/// How many scripts a node was sent with their source.
fn evaluated(cluster: &Cluster, node: usize) -> u64 {
    let called = cluster.nodes()[node].field(&["INFO", "commandstats"], "cmdstat_eval").unwrap_or_default();
    called.split(',').next().and_then(|calls| calls.strip_prefix("calls=")?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_permission_that_one_node_takes_away_is_named_with_the_node_and_others_go_on() {
    let cluster = Cluster::start(&[]);
    for flavour in Flavour::all() {
        let user = ["ACL", "SETUSER", "app", "reset", "on", ">secret", "~*", "+@all"];
        cluster.nodes().iter().for_each(|node| node.ask(&user));
        let urls = cluster.urls().iter().map(|url| url.replace("redis://", "redis://app:secret@")).collect();
        let options = Options { cluster: urls, ..options(&cluster) };
        let store = flavour.opened(&options);
        let node = &cluster.nodes()[1];
        node.ask::<()>(&["ACL", "SETUSER", "app", "-zadd"]);
        for partition in 0..PARTITIONS {
            let (slot, name) = slot_and_id(&cluster, &options, partition);
            let created = store.create(pending(&name, "tenant:acme", second(1)));
            if cluster.primary_of(slot, 0) != Some(1) {
                created.unwrap();
                continue;
            }
            let error = store_error(created);
            assert_eq!((error.kind, error.outcome), (StoreErrorKind::Rejected, Outcome::NotApplied), "{error}");
            let problem = error.problem.to_lowercase();
            assert!(problem.contains("zadd") && problem.contains(&node.address()), "{flavour:?}: {problem}");
            assert!(store.get(&id(&name)).unwrap().is_none(), "{flavour:?}: nothing was written");
        }
        node.ask::<()>(&["ACL", "SETUSER", "app", "+zadd"]);
        assert!(store.verify().unwrap().is_clean(), "{flavour:?}");
    }
}

/// As in containers: nodes are announced by a name that leads nowhere from here, in maps and in redirects alike.
#[cfg(feature = "blocking")]
#[test]
fn names_that_lead_nowhere_are_mapped_in_maps_and_redirects() {
    use mutator_governance::blocking::RedisStore;

    const NAME: &str = "node.invalid";
    let announced = ["--cluster-announce-hostname", NAME, "--cluster-preferred-endpoint-type", "hostname"];
    let cluster = Cluster::start_each(|| announced.map(str::to_owned).to_vec());
    let namespace = unique_namespace("routes");
    let builder = || RedisStore::cluster_builder(cluster.urls()).namespace(&namespace).partitions(PARTITIONS);
    let error = builder().timeout(Duration::from_secs(3)).open().map(drop).unwrap_err().to_string();
    assert!(error.contains(NAME), "{error}");

    let to_here = |announced: &NodeAddress| {
        if announced.host() == NAME {
            NodeAddress::new("127.0.0.1", announced.port()).unwrap()
        } else {
            announced.clone()
        }
    };
    let store = Store::from(builder().timeout(PATIENCE).node_address(to_here).open().unwrap());
    let options = Options::in_cluster(Vec::new(), &namespace);
    for partition in 0..PARTITIONS {
        let (slot, name) = slot_and_id(&cluster, &options, partition);
        let has_keys = |node: &usize| !Moving::between(&cluster, slot, *node, 0).keys(1).is_empty();
        let from = (0..3).find(has_keys).unwrap();
        let moving = Moving::between(&cluster, slot, from, (from + 1) % 3);
        moving.announce();
        moving.end();
        // The map is old: the node that has given the slot away names the other one.
        store.create(pending(&name, "tenant:acme", second(1))).unwrap();
    }
    assert!(store.verify().unwrap().is_clean());
}

/// The clock of the store is that of the node that serves partition 0, and that of its successor when another takes over.
#[cfg(feature = "blocking")]
#[test]
fn clocks_that_differ_are_no_matter_but_for_the_node_that_keeps_the_time() {
    use mutator_governance::blocking::{Governance, RedisStore};
    use mutator_governance::{ActorContext, Intent, PendingReason, RequestDraft, RequestId, Target};

    const SHIFTS: [i64; 6] = [5, -5, 30, 5, -5, 30];
    let cluster = Cluster::start(&[]);
    let proxies: Vec<Proxy> = cluster.nodes().iter().map(|node| Proxy::to(&node.url())).collect();
    for (proxy, shift) in proxies.iter().zip(SHIFTS) {
        proxy.shift_time(shift);
    }
    let ports: Vec<(u16, u16)> =
        cluster.nodes().iter().zip(&proxies).map(|(node, proxy)| (node.port(), port(proxy))).collect();
    let through = move |announced: &NodeAddress| {
        let found = ports.iter().find(|(node, _)| *node == announced.port());
        found.map_or_else(|| announced.clone(), |(_, proxy)| NodeAddress::new("127.0.0.1", *proxy).unwrap())
    };
    let options = options(&cluster);
    let builder = RedisStore::cluster_builder(proxies.iter().map(Proxy::url)).namespace(&options.namespace);
    let store = Arc::new(builder.partitions(PARTITIONS).timeout(PATIENCE).node_address(through).open().unwrap());
    let governance = Governance::builder().store(store).build();
    let slot = slot_and_id(&cluster, &options, 0).0;
    let keeper = cluster.primary_of(slot, 0).unwrap();
    let submit = |number: u32| {
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let draft =
            RequestDraft::new(target, Intent::new("grant", "Access").unwrap(), ActorContext::user("alice").unwrap());
        let draft = draft.waiting_for(PendingReason::Schedule).with_id(RequestId::new(format!("r-{number}")).unwrap());
        governance.submit(draft).unwrap().created_at
    };
    let mut earlier = Timestamp::MIN;
    for number in 0..40 {
        let at = submit(number);
        assert!(is_near(at, SHIFTS[keeper]), "{number}: {at} with a clock {} s ahead", SHIFTS[keeper]);
        assert!(at >= earlier, "the time never goes back");
        earlier = at;
    }
    // Another node takes over, whose clock is a minute ahead.
    let successor = cluster.replica_of(keeper, 0).unwrap();
    proxies[successor].shift_time(SHIFTS[keeper] + 60);
    cluster.nodes()[successor].ask::<()>(&["CLUSTER", "FAILOVER"]);
    common::server::wait_until("the successor's clock counts", || is_near(submit_next(&submit), SHIFTS[keeper] + 60));
}

#[cfg(feature = "blocking")]
fn submit_next(submit: &impl Fn(u32) -> Timestamp) -> Timestamp {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1_000);
    submit(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

/// Whether a time is this host's, so many seconds ahead, but for what a busy machine takes.
#[cfg(feature = "blocking")]
fn is_near(time: Timestamp, ahead: i64) -> bool {
    let shift = Duration::from_secs(ahead.unsigned_abs());
    let now = Timestamp::now();
    let expected = if ahead < 0 { now.saturating_sub(shift) } else { now.saturating_add(shift) };
    let slack = Duration::from_secs(2);
    time.duration_since(expected) < slack && expected.duration_since(time) < slack
}

#[cfg(feature = "blocking")]
fn port(proxy: &Proxy) -> u16 {
    let url = proxy.url();
    url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}
