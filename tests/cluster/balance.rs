//! How evenly the partitions of a namespace spread what is done over three primaries. `--nocapture` prints the rows in
//! `docs/performance.md`: commands, and the processor time that the servers took for them.
#![cfg(feature = "blocking")]

use common::requests::{pending, second};
use common::server::{Cluster, Node};
use common::{Flavour, Options, unique_namespace};
use mutator_governance::RequestId;

use super::PATIENCE;

const NAMESPACES: u64 = 8;
const REQUESTS: u64 = 150;

/// What one server has done so far.
#[derive(Clone, Copy)]
struct Done {
    commands: f64,
    /// In microseconds.
    processor_time: f64,
}

impl Done {
    fn by(node: &Node) -> Self {
        let calls = |name: &str| -> f64 {
            let line = node.field(&["INFO", "commandstats"], name).unwrap_or_default();
            line.strip_prefix("calls=").and_then(|rest| rest.split(',').next()?.parse().ok()).unwrap_or(0.0)
        };
        let seconds = |name: &str| -> f64 { node.field(&["INFO", "cpu"], name).unwrap().parse().unwrap() };
        Self {
            commands: ["cmdstat_evalsha", "cmdstat_eval", "cmdstat_get"].map(calls).iter().sum(),
            processor_time: (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6,
        }
    }
}

/// The busiest node's share, as times of the mean: the mean over the namespaces, and the worst.
#[test]
fn commands_spread_over_the_nodes_the_more_evenly_the_more_partitions_there_are() {
    let cluster = Cluster::start(&[]);
    let primaries = || cluster.nodes()[..3].iter().map(Done::by).collect::<Vec<_>>();
    let mut means = Vec::new();
    for partitions in [1, 16, 64] {
        let (mut busiest, mut time) = (Vec::new(), 0.0);
        for _ in 0..NAMESPACES {
            let options = Options::in_cluster(cluster.urls(), unique_namespace("balance"));
            let store = Flavour::Blocking.opened(&options.partitions(partitions).timeout(PATIENCE));
            let before = primaries();
            for number in 0..REQUESTS {
                let id = format!("r-{number}");
                store.create(pending(&id, "tenant:acme", second(number))).unwrap();
                // Four reads to one write.
                for _ in 0..4 {
                    assert!(store.get(&RequestId::new(id.clone()).unwrap()).unwrap().is_some());
                }
            }
            let after = primaries();
            let commands: Vec<f64> =
                after.iter().zip(&before).map(|(after, before)| after.commands - before.commands).collect();
            let all: f64 = commands.iter().sum();
            busiest.push(3.0 * commands.into_iter().fold(0.0, f64::max) / all);
            time += after
                .iter()
                .zip(&before)
                .map(|(after, before)| after.processor_time - before.processor_time)
                .sum::<f64>();
        }
        let mean = busiest.iter().sum::<f64>() / busiest.len() as f64;
        let worst = busiest.into_iter().fold(0.0, f64::max);
        let each = time / (5 * NAMESPACES * REQUESTS) as f64;
        println!("| {partitions} | {mean:.2} | {worst:.2} | {each:.0} µs | {:.2} |", 3.0 / mean);
        means.push(mean);
    }
    assert!(means[0] > 2.9, "with one partition everything is on one node: {means:?}");
    assert!(means[1] < 1.6 && means[2] < 1.3 && means[2] < means[1], "{means:?}");
}
