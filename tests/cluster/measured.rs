//! What the calls of writers return while nodes die, hang and hand over: what is acknowledged, lost or stored twice, and for how long
//! nobody can write. `--nocapture` prints the rows of the table in `docs/reliability.md`.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use common::server::{Cluster, Moving, wait_until};
use common::{Options, unique_namespace};
use mutator_governance::Durability;

use super::load::{DEFAULT_TIMEOUT, under_load};

const PARTITIONS: u16 = 16;

/// A cluster that one test after another does harm to, and leaves whole.
fn battered() -> MutexGuard<'static, Cluster> {
    static CLUSTER: LazyLock<Mutex<Cluster>> = LazyLock::new(|| Mutex::new(Cluster::start(&[])));
    let cluster = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    cluster.wait_until_whole();
    cluster
}

fn options(cluster: &Cluster) -> Options {
    let options = Options::in_cluster(cluster.urls(), unique_namespace("measured"));
    options.partitions(PARTITIONS).timeout(DEFAULT_TIMEOUT)
}

/// The node that serves partition 0, as the first node that answers knows it.
fn owner(cluster: &Cluster, options: &Options) -> usize {
    let slot = cluster.slot_of(&format!("{{{}:0}}", options.namespace));
    let found = (0..cluster.nodes().len()).find_map(|asked| cluster.primary_of(slot, asked));
    found.expect("a node answers and knows who serves the slot")
}

/// Has the replicas of all shards take over at once, each by this command.
fn replace_all(cluster: &Cluster, command: &[&str]) {
    let before = cluster.primaries(0);
    for primary in &before {
        let replica = cluster.replica_of(*primary, 0).expect("a whole cluster has a replica for each shard");
        cluster.nodes()[replica].ask::<()>(command);
    }
    wait_until("every shard has another primary", || {
        (0..cluster.nodes().len()).all(|asked| cluster.primaries(asked).iter().all(|now| !before.contains(now)))
    });
    cluster.wait_until_whole();
}

fn wait_for_successor(cluster: &Cluster, of: usize, asked: usize) {
    wait_until("a replica was promoted", || {
        let primaries = cluster.primaries(asked);
        primaries.len() == 3 && !primaries.contains(&of) && primaries.iter().all(|primary| cluster.is_well(*primary))
    });
}

/// Kills the node that serves partition 0, and starts it again, without its data, when its replica has taken over.
fn kill_and_start_again(cluster: &mut Cluster, options: &Options) {
    let killed = owner(cluster, options);
    let asked = cluster.primaries(0).into_iter().find(|node| *node != killed).unwrap();
    cluster.node_mut(killed).kill();
    wait_for_successor(cluster, killed, asked);
    cluster.node_mut(killed).start_again();
    cluster.wait_until_whole();
}

#[test]
fn planned_failovers_of_all_shards_lose_nothing() {
    let cluster = battered();
    let figures = under_load("`CLUSTER FAILOVER` of all shards at once", &options(&cluster), || {
        replace_all(&cluster, &["CLUSTER", "FAILOVER"]);
    });
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}

/// A takeover asks neither the primary nor the others, so writes that are on their way to the replica are lost.
#[test]
fn takeovers_of_all_shards_apply_nothing_twice() {
    let cluster = battered();
    let figures = under_load("`CLUSTER FAILOVER TAKEOVER` of all shards at once", &options(&cluster), || {
        replace_all(&cluster, &["CLUSTER", "FAILOVER", "TAKEOVER"]);
    });
    assert_eq!(figures.twice, 0, "{figures:?}");
}

#[test]
fn a_killed_primary_takes_along_only_what_its_replica_had_not_got() {
    let mut cluster = battered();
    let options = options(&cluster);
    let figures = under_load("`kill -9` of a primary", &options, || kill_and_start_again(&mut cluster, &options));
    assert_eq!(figures.twice, 0, "{figures:?}");
}

#[test]
fn a_killed_primary_takes_along_nothing_that_was_waited_for() {
    let mut cluster = battered();
    let options = options(&cluster).durability(Durability::Replicas(1));
    let what = "`kill -9` of a primary, `Durability::Replicas(1)`";
    let figures = under_load(what, &options, || kill_and_start_again(&mut cluster, &options));
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}

#[test]
fn a_primary_that_hangs_and_goes_on_after_its_replica_took_over_writes_nothing_more() {
    let cluster = battered();
    let options = options(&cluster);
    let figures = under_load("`SIGSTOP` of a primary, `SIGCONT` when its replica has taken over", &options, || {
        let hanging = owner(&cluster, &options);
        let asked = cluster.primaries(0).into_iter().find(|node| *node != hanging).unwrap();
        let stopped = cluster.nodes()[hanging].stop();
        wait_for_successor(&cluster, hanging, asked);
        drop(stopped);
        cluster.wait_until_whole();
    });
    assert_eq!(figures.twice, 0, "{figures:?}");
}

/// Nobody is elected without a majority: writes wait, and the nodes come back with their files.
#[test]
fn two_of_three_primaries_that_are_killed_come_back_with_what_was_acknowledged() {
    let settings = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"];
    let mut cluster = Cluster::start(&settings);
    let options = options(&cluster).durability(Durability::Replicas(1));
    let what = "`kill -9` of two of three primaries, started again from their files, `Durability::Replicas(1)`";
    let figures = under_load(what, &options, || {
        [0, 1].into_iter().for_each(|node| cluster.node_mut(node).kill());
        wait_until("the rest finds the cluster down", || {
            cluster.nodes()[2].field(&["CLUSTER", "INFO"], "cluster_state").as_deref() == Some("fail")
        });
        [0, 1].into_iter().for_each(|node| cluster.node_mut(node).start_again());
        cluster.wait_until_whole();
    });
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}

#[test]
fn partitions_that_move_from_node_to_node_lose_nothing() {
    let cluster = battered();
    let options = options(&cluster);
    let figures = under_load("the slots of all 16 partitions moved to other nodes, twice", &options, || {
        let primaries = cluster.primaries(0);
        for partition in (0..PARTITIONS).chain(0..PARTITIONS) {
            let slot = cluster.slot_of(&format!("{{{}:{partition}}}", options.namespace));
            let from = cluster.primary_of(slot, 0).unwrap();
            let place = primaries.iter().position(|node| *node == from).unwrap();
            let to = primaries[(place + 1) % primaries.len()];
            Moving::begin_to(&cluster, slot, to).end();
            wait_until("a node that is asked knows of it", || cluster.primary_of(slot, 0) == Some(to));
        }
    });
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}

/// As Valkey 9 does it: a slot changes hands as a whole. Other servers do not know the command.
#[test]
fn partitions_that_move_atomically_lose_nothing() {
    let cluster = battered();
    let options = options(&cluster);
    let primaries = cluster.primaries(0);
    let slots: Vec<String> = (0..PARTITIONS)
        .map(|partition| cluster.slot_of(&format!("{{{}:{partition}}}", options.namespace)).to_string())
        .collect();
    let migrate = |slot: &str| {
        let number = slot.parse().unwrap();
        let from = cluster.primary_of(number, 0).unwrap();
        let place = primaries.iter().position(|node| *node == from).unwrap();
        let to = primaries[(place + 1) % primaries.len()];
        let id: String = cluster.nodes()[to].ask(&["CLUSTER", "MYID"]);
        let words = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", &id];
        cluster.nodes()[from].try_ask::<()>(&words).map(|()| (number, to))
    };
    if let Err(error) = migrate(&slots[0]) {
        let said = error.to_string().to_lowercase();
        assert!(said.contains("unknown"), "{said}");
        println!("skipped: this server does not move slots atomically");
        return;
    }
    let figures = under_load("the slots of all 16 partitions moved by `CLUSTER MIGRATESLOTS`", &options, || {
        for slot in &slots {
            // The first has begun to move already, and may be on its way.
            let mut moved = None;
            wait_until("the slot begins to move", || {
                moved = migrate(slot).ok();
                moved.is_some()
            });
            let (slot, to) = moved.unwrap();
            wait_until("the slot has moved", || cluster.primary_of(slot, 0) == Some(to));
        }
    });
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}

/// All 16,384 slots, by the program that operators use. It takes a minute, so only where `MUTATOR_CLUSTER_LONG` is set.
#[test]
fn all_slots_that_move_lose_nothing() {
    if std::env::var_os("MUTATOR_CLUSTER_LONG").is_none() {
        return;
    }
    let cluster = Cluster::start(&[]);
    let options = options(&cluster);
    let id = |node: usize| -> String { cluster.nodes()[node].ask(&["CLUSTER", "MYID"]) };
    let address = cluster.nodes()[0].address();
    let figures = under_load("every slot moved to another node by `redis-cli --cluster reshard`", &options, || {
        // What the first node has, and then everything back to it.
        for (from, to, count) in [(id(0), id(1), "5461"), (format!("{},{}", id(1), id(2)), id(0), "16384")] {
            let mut command = Command::new("redis-cli");
            command.args(["--cluster", "reshard", &address, "--cluster-from", &from, "--cluster-to", &to]);
            command.args(["--cluster-slots", count, "--cluster-yes"]);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            wait_until("all nodes agree", || {
                let map = |asked| {
                    cluster
                        .shards(asked)
                        .map(|shards| shards.into_iter().map(|one| (one.first, one.primary)).collect::<BTreeSet<_>>())
                };
                let first = map(0);
                (1..cluster.nodes().len()).all(|asked| map(asked) == first)
            });
        }
        cluster.wait_until_whole();
        assert_eq!(cluster.primaries(0), [0]);
    });
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}
