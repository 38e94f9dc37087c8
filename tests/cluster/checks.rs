//! Checks, repairs and rebuilds on a cluster, of keys on every node and of keys that lie where they do not belong.

use std::collections::BTreeMap;

use common::requests::{draft, pending, second, submit};
use common::{Flavour, Options, Store, unique_namespace};
use mutator_governance::{CheckReport, Finding, Metadata, PageRequest, RequestQuery};

use super::{CLUSTER, PATIENCE};

const REQUESTS: usize = 60;

/// Sends a command to the node that serves a key.
fn ask<T: redis::FromRedisValue>(key: &str, words: &[&[u8]]) -> T {
    let slot = CLUSTER.nodes()[0].ask(&["CLUSTER", "KEYSLOT", key]);
    let node = CLUSTER.primary_of(slot, 0).unwrap();
    CLUSTER.nodes()[node].ask(words)
}

/// The keys of a namespace by the node that has them.
fn keys(namespace: &str) -> Vec<Vec<String>> {
    let pattern = format!("{{{namespace}:*");
    let found = |node: usize| -> (String, Vec<String>) {
        CLUSTER.nodes()[node].ask(&["SCAN", "0", "MATCH", &pattern, "COUNT", "1000000"])
    };
    (0..3).map(|node| found(node).1).collect()
}

fn filled(flavour: Flavour, options: &Options) -> Store {
    let store = flavour.opened(options);
    for number in 0..REQUESTS {
        store.create(pending(&format!("r-{number}"), "tenant:acme", second(number as u64))).unwrap();
    }
    store
}

fn options() -> Options {
    Options::in_cluster(CLUSTER.urls(), unique_namespace("checks")).partitions(16).timeout(PATIENCE)
}

fn counts(report: &CheckReport) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for finding in &report.findings {
        let name = match finding {
            Finding::MissingEntry { .. } => "missing",
            Finding::ExtraEntry { id: Some(_), .. } => "extra",
            Finding::ExtraEntry { id: None, .. } => "foreign",
            Finding::Misplaced { .. } => "misplaced",
            other => panic!("{other}"),
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn what_is_wrong_on_any_node_is_found_and_repaired() {
    for flavour in Flavour::all() {
        let options = options();
        let store = filled(flavour, &options);
        let by_node = keys(&options.namespace);
        assert!(by_node.iter().all(|keys| keys.iter().any(|key| key.contains("}:r:"))), "a node without requests");
        let clean = store.verify().unwrap();
        assert!(clean.is_clean() && clean.records == REQUESTS as u64, "{flavour:?}: {clean:?}");

        let mut expected = BTreeMap::from([("missing", 0), ("extra", 0), ("foreign", 0), ("misplaced", 0)]);
        let mut stray = Vec::new();
        for keys in &by_node {
            // An index of all requests of a partition, whose members name them.
            let index = keys.iter().find(|key| key.ends_with("}:i:a")).expect("a partition with requests");
            let members: Vec<Vec<u8>> = ask(index, &[b"ZRANGE", index.as_bytes(), b"0", b"-1"]);
            let _: () = ask(index, &[b"ZREM", index.as_bytes(), &members[0]]);
            *expected.get_mut("missing").unwrap() += 1;
            stray.extend(members);
        }
        // Members of one partition in the index of another, and in one of no partition.
        for (number, keys) in by_node.iter().enumerate() {
            let index = keys.iter().find(|key| key.ends_with("}:i:a")).unwrap();
            let own: Vec<Vec<u8>> = ask(index, &[b"ZRANGE", index.as_bytes(), b"0", b"-1"]);
            let nowhere = format!("{{{}:{}}}:i:a", options.namespace, 90 + number);
            let foreign = stray.iter().find(|member| !own.contains(member) && is_of_other(index, member, &by_node));
            for target in [index, &nowhere] {
                let _: () = ask(target, &[b"ZADD", target.as_bytes(), b"0", foreign.unwrap()]);
                *expected.get_mut("extra").unwrap() += 1;
            }
            let _: () = ask(&nowhere, &[b"ZADD", nowhere.as_bytes(), b"0", b"x"]);
            *expected.get_mut("foreign").unwrap() += 1;
        }
        // A record copied to another partition.
        let record = by_node[0].iter().find(|key| key.contains("}:r:")).unwrap();
        let bytes: Vec<u8> = ask(record, &[b"GET", record.as_bytes()]);
        let copy = format!("{{{}:77}}:{}", options.namespace, record.split_once("}:").unwrap().1);
        let _: () = ask(&copy, &[b"SET", copy.as_bytes(), &bytes]);
        *expected.get_mut("misplaced").unwrap() += 1;

        assert_eq!(counts(&store.verify().unwrap()), expected, "{flavour:?}");
        assert_eq!(counts(&store.repair().unwrap()), expected, "{flavour:?}");
        let left = store.verify().unwrap();
        assert_eq!(counts(&left), BTreeMap::from([("misplaced", 1)]), "{flavour:?}: {left:?}");
        let inspected = store.inspect(&"r-1".try_into().unwrap()).unwrap().unwrap();
        assert!(inspected.request.is_ok());
    }
}

/// Whether the request that a member names has its record in another partition than the index.
fn is_of_other(index: &str, member: &[u8], by_node: &[Vec<String>]) -> bool {
    let (tag, _) = index.split_once("}:").unwrap();
    let name = String::from_utf8_lossy(member);
    by_node
        .iter()
        .flatten()
        .any(|key| key.split_once("}:r:").is_some_and(|(its_tag, id)| its_tag != tag && name.ends_with(id)))
}

#[test]
fn indexes_are_rebuilt_for_another_choice() {
    for flavour in Flavour::all() {
        let options = options();
        let store = filled(flavour, &options);
        let metadata = Metadata::new().with("ticket", "T-1").unwrap();
        let ticketed = draft("ticketed", "tenant:acme").with_metadata(metadata);
        store.create(submit(ticketed, second(1))).unwrap();

        let chosen = options.index_metadata(&["ticket"]);
        assert!(flavour.open(&chosen).is_err());
        let report = flavour.reindex(&chosen).unwrap();
        assert_eq!(report.records, REQUESTS as u64 + 1, "{flavour:?}: {report:?}");
        let rebuilt = flavour.opened(&chosen);
        let query = RequestQuery::new().with_metadata("ticket", "T-1").unwrap();
        assert_eq!(rebuilt.requests(&query, &PageRequest::first()).unwrap().items.len(), 1, "{flavour:?}");
        assert!(rebuilt.verify().unwrap().is_clean(), "{flavour:?}");
        assert!(rebuilt.migrate().unwrap().is_clean(), "{flavour:?}");
    }
}
