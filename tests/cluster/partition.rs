//! A network that falls apart: one primary on one side, all other nodes on the other, and an application that reaches both.
//!
//! The networks are namespaces of their own, so they need no permission and are nobody else's. Where the kernel makes none
//! for this user, the tests say so and pass.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use common::requests::{moved_on, pending, second};
use common::server::{Cluster, Site, wait_until};
use common::{Flavour, Options, unique_namespace};
use mutator_governance::{Durability, Error, Settled, UnsettledWrite, WriteId};

use super::PATIENCE;
use super::load::{DEFAULT_TIMEOUT, under_load};

/// The program and arguments that run a command in a user and a network namespace of its own.
const ALONE: [&str; 4] = ["unshare", "--user", "--map-root-user", "--net"];
/// The node on the one side.
const MINORITY: usize = 0;

/// Runs a test of this binary in a network of its own, and shows what it printed.
fn in_own_network(test: &str) {
    let [program, arguments @ ..] = ALONE;
    let is_possible = Command::new(program).args(arguments).args(["ip", "link", "set", "lo", "up"]).output();
    if !is_possible.is_ok_and(|output| output.status.success()) {
        println!("skipped: no network namespaces here");
        return;
    }
    let mut command = Command::new(program);
    command.args(arguments).arg(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed.lines().filter(|line| line.starts_with('|')).for_each(|line| println!("{line}"));
}

#[test]
fn what_a_minority_acknowledged_and_lost_is_reported_as_lost() {
    in_own_network("partition::lost_in_a_minority");
}

#[test]
fn a_partition_applies_nothing_twice() {
    in_own_network("partition::measured_in_a_minority");
}

#[test]
fn what_waited_for_a_replica_is_not_lost_in_a_partition() {
    in_own_network("partition::waited_for_in_a_minority");
}

/// A network namespace behind a link to this one. It ends with this value, or when this process ends.
struct Side {
    host: String,
    pid: u32,
    holder: Child,
    _input: Option<ChildStdin>,
}

impl Side {
    fn new(number: u8) -> Self {
        let mut holder = Command::new("unshare");
        holder.args(["--net", "sh", "-c", "echo ready; read -r _"]);
        let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (pid, input) = (holder.id(), holder.stdin.take());
        let side = Self { host: format!("10.77.{number}.2"), pid, holder, _input: input };
        let (here, there) = (format!("side{number}"), format!("peer{number}"));
        let (gateway, own) = (format!("10.77.{number}.1"), format!("{}/24", side.host));
        run(&["ip", "link", "add", "name", &here, "type", "veth", "peer", "name", &there]);
        run(&["ip", "link", "set", &there, "netns", &pid.to_string()]);
        run(&["ip", "addr", "add", &format!("{gateway}/24"), "dev", &here]);
        run(&["ip", "link", "set", &here, "up"]);
        side.run(&["ip", "link", "set", "lo", "up"]);
        side.run(&["ip", "addr", "add", &own, "dev", &there]);
        side.run(&["ip", "link", "set", &there, "up"]);
        side.run(&["ip", "route", "add", "default", "via", &gateway]);
        side
    }

    fn run(&self, words: &[&str]) {
        let namespace = format!("--net=/proc/{}/ns/net", self.pid);
        run(&[&["nsenter", &namespace], words].concat());
    }

    /// Servers of this side are started in it.
    fn site(&self, directory: &std::path::Path) -> Site {
        use std::os::unix::fs::PermissionsExt as _;
        let program = directory.join(&self.host);
        let script = format!("#!/bin/sh\nexec nsenter --net=/proc/{}/ns/net redis-server \"$@\"\n", self.pid);
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Site { host: self.host.clone(), program: program.to_str().unwrap().to_owned() }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

fn run(words: &[&str]) {
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether what comes from one side goes on to the other.
fn connect_sides(are_connected: bool) {
    std::fs::write("/proc/sys/net/ipv4/ip_forward", if are_connected { "1" } else { "0" }).unwrap();
}

struct Network {
    cluster: Cluster,
    _sides: [Side; 2],
}

fn start() -> Network {
    run(&["ip", "link", "set", "lo", "up"]);
    let sides = [1, 2].map(Side::new);
    connect_sides(true);
    let directory = std::env::temp_dir().join(unique_namespace("mg-network"));
    std::fs::create_dir(&directory).unwrap();
    let sites = [0, 1].map(|side| sides[side].site(&directory));
    let site = |node| sites[usize::from(node != MINORITY)].clone();
    let cluster = Cluster::start_at(site, || vec!["--protected-mode".to_owned(), "no".to_owned()]);
    std::fs::remove_dir_all(&directory).unwrap();
    Network { cluster, _sides: sides }
}

fn wait_for_successor(cluster: &Cluster) {
    wait_until("the majority has promoted a replica", || {
        let primaries = cluster.primaries(1);
        primaries.len() == 3 && !primaries.contains(&MINORITY) && primaries.iter().all(|node| cluster.is_well(*node))
    });
}

fn options(cluster: &Cluster) -> Options {
    let options = Options::in_cluster(cluster.urls(), unique_namespace("partition"));
    options.partitions(16).timeout(DEFAULT_TIMEOUT)
}

fn fall_apart(cluster: &Cluster, options: &Options) {
    connect_sides(false);
    wait_for_successor(cluster);
    // The first URL is that of the node that still believes in its old map, or in none.
    let opened =
        Flavour::all()[0].opened(&Options { timeout: PATIENCE, durability: Durability::default(), ..options.clone() });
    for number in 0..32 {
        opened.create(pending(&format!("other-{number}"), "tenant:acme", second(1))).unwrap();
    }
    connect_sides(true);
    cluster.wait_until_whole();
}

/// Not tests of their own: each runs in a network that one of the tests above made for it.
#[test]
#[ignore = "run by the test that makes a network for it"]
fn lost_in_a_minority() {
    let Network { cluster, _sides } = start();
    told_what_is_lost(&cluster);
}

#[test]
#[ignore = "run by the test that makes a network for it"]
fn measured_in_a_minority() {
    let Network { cluster, _sides } = start();
    let options = options(&cluster);
    let what = "a network partition with one primary in a minority";
    let figures = under_load(what, &options, || fall_apart(&cluster, &options));
    assert_eq!(figures.twice, 0, "{figures:?}");
}

fn told_what_is_lost(cluster: &Cluster) {
    let options = options(cluster);
    let store = Flavour::all()[0].opened(&options);
    let tag = |id: &str| format!("{{{}:{}}}", options.namespace, common::oracle::crc32(id.as_bytes()) % 16);
    let id = (0..).map(|number| format!("r-{number}"));
    let id = id.into_iter().find(|id| cluster.primary_of(cluster.slot_of(&tag(id)), 1) == Some(MINORITY)).unwrap();
    let created = store.create(pending(&id, "tenant:acme", second(1))).unwrap();
    cluster.nodes()[MINORITY].ask::<u64>(&["WAIT", "1", "5000"]);
    connect_sides(false);
    let (base, lost) = (created.revision(), WriteId::generate());
    let updated = store.update(moved_on(created, second(2)), lost).unwrap();
    wait_for_successor(cluster);
    // The other side goes on from what it has.
    let patient = Options { timeout: PATIENCE, ..options.clone() };
    for flavour in Flavour::all() {
        let other = flavour.opened(&patient);
        let unsettled = UnsettledWrite { id: updated.id.clone(), base: Some(base), write_id: lost, intent: None };
        let settled = other.settle(&unsettled).unwrap();
        assert_ne!(settled, Settled::Applied, "{flavour:?}");
        let stored = other.get(&updated.id).unwrap().unwrap();
        assert_eq!(stored.revision().number, base.number, "{flavour:?}");
    }
    let other = Flavour::all()[0].opened(&patient);
    let stored = other.get(&updated.id).unwrap().unwrap();
    let won = other.update(moved_on(stored, second(3)), WriteId::generate()).unwrap();
    assert_eq!(won.revision().number, updated.revision().number, "the same number, by another write");
    // The writer that comes back with the revision it got has a conflict, and its write is not applied.
    for flavour in Flavour::all() {
        let returned = flavour.opened(&patient);
        match returned.update(moved_on(updated.clone(), second(4)), WriteId::generate()) {
            Err(Error::Conflict(conflict)) => assert_eq!(conflict.stored.revision(), won.revision(), "{flavour:?}"),
            other => panic!("{flavour:?}: {other:?}"),
        }
        let unsettled = UnsettledWrite { id: updated.id.clone(), base: Some(base), write_id: lost, intent: None };
        assert_eq!(returned.settle(&unsettled).unwrap(), Settled::NotApplied, "{flavour:?}");
    }
    connect_sides(true);
    cluster.wait_until_whole();
}

#[test]
#[ignore = "run by the test that makes a network for it"]
fn waited_for_in_a_minority() {
    let Network { cluster, _sides } = start();
    let options = options(&cluster).durability(Durability::Replicas(1));
    let what = "a network partition with one primary in a minority, `Durability::Replicas(1)`";
    let figures = under_load(what, &options, || fall_apart(&cluster, &options));
    assert_eq!((figures.lost, figures.twice), (0, 0), "{figures:?}");
}
