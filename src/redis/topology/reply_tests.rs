//! Replies as clusters give them, and as none does.

use proptest::prelude::*;

use super::*;
use crate::redis::topology::samples::{address, string};

fn node(host: Value, port: i64) -> Value {
    Value::Array(vec![host, Value::Int(port), string("id"), Value::Array(Vec::new())])
}

fn range(first: i64, last: i64, nodes: impl IntoIterator<Item = Value>) -> Value {
    Value::Array([Value::Int(first), Value::Int(last)].into_iter().chain(nodes).collect())
}

fn named(host: &str) -> Value {
    node(string(host), 1)
}

fn read_slots(ranges: Vec<Value>) -> Result<Vec<Shard>, TopologyError> {
    slots(&Value::Array(ranges), Announcements::of(&address("asked", 9)))
}

fn shard(slots: &[i64], nodes: Vec<Value>) -> Value {
    let slots = slots.iter().copied().map(Value::Int).collect();
    Value::Array(vec![string("slots"), Value::Array(slots), string("nodes"), Value::Array(nodes)])
}

fn member(endpoint: &str, role: &str, health: &str) -> Value {
    let words = [("endpoint", endpoint), ("role", role), ("health", health)];
    let words = words.into_iter().flat_map(|(name, value)| [string(name), string(value)]);
    Value::Array(words.chain([string("port"), Value::Int(1), string("tls-port"), Value::Int(2)]).collect())
}

#[test]
fn a_node_without_a_host_is_the_one_that_was_asked_and_an_unknown_one_is_left_out() {
    let found = read_slots(vec![
        range(0, 1, [node(Value::Nil, 1), named("?"), named("r")]),
        range(2, 2, [named(""), named("r")]),
        range(5, 9, [named("?"), named("r")]),
    ]);
    let found = found.unwrap();
    let primaries: Vec<_> = found.iter().map(|shard| shard.primary.clone()).collect();
    assert_eq!(primaries, [Some(address("asked", 1)), Some(address("asked", 1)), None]);
    assert!(found.iter().all(|shard| shard.replicas == [address("r", 1)]), "{found:?}");
}

#[test]
fn a_failed_node_of_a_shard_gives_way_to_the_one_that_was_promoted() {
    let nodes = vec![
        member("old", "master", "fail"),
        member("new", "master", "online"),
        member("r", "replica", "online"),
        member("down", "replica", "fail"),
        member("copies", "replica", "loading"),
    ];
    let reply = Value::Array(vec![shard(&[0, 1, 5, 9], nodes), shard(&[], vec![member("idle", "master", "online")])]);
    let asked = address("asked", 9);
    let found = shards(&reply, Announcements::of(&asked)).unwrap();
    assert_eq!((found[0].primary.clone(), found[0].ranges.len()), (Some(address("new", 1)), 2));
    assert_eq!(found[0].replicas, [address("r", 1)]);
    let secure = shards(&reply, Announcements::of(&asked).encrypted(true)).unwrap();
    assert_eq!(secure[0].primary, Some(address("new", 2)));
    let only_failed = Value::Array(vec![shard(&[0, 1], vec![member("old", "master", "fail")])]);
    assert_eq!(shards(&only_failed, Announcements::of(&asked)).unwrap()[0].primary, Some(address("old", 1)));
}

#[test]
fn what_cannot_be_is_an_error_that_says_what() {
    for (bad, said) in [
        (vec![], "no node serves any slot"),
        (vec![Value::Int(1)], "no first and last slot"),
        (vec![range(0, 1, [])], "no node"),
        (vec![range(1, 0, [named("h")])], "bounds"),
        (vec![range(0, 16_384, [named("h")])], "bounds"),
        (vec![range(-1, 3, [named("h")])], "bounds"),
        (vec![range(0, 3, [Value::Nil])], "no host and port"),
        (vec![range(0, 3, [node(Value::Int(3), 1)])], "no host and port"),
        (vec![range(0, 9, [named("a")]), range(4, 5, [named("b")])], "two nodes serve slot 4"),
        (vec![range(0, 9, (0..5_000).map(|number| named(&number.to_string())))], "5000 nodes"),
    ] {
        let error = read_slots(bad).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("asked:9"), "{error}");
    }
    let asked = address("asked", 9);
    for bad in [
        shard(&[0], vec![member("h", "master", "online")]),
        shard(&[0, 1], vec![member("h", "king", "online")]),
        shard(&[0, 1], vec![Value::Nil]),
        Value::Array(vec![string("slots")]),
        Value::Nil,
    ] {
        let error = shards(&Value::Array(vec![bad.clone()]), Announcements::of(&asked)).unwrap_err();
        assert!(matches!(error, TopologyError::Malformed { .. }), "{bad:?}: {error}");
    }
    for bad in ["", "cluster_current_epoch:\r\n", "cluster_current_epoch:-1\r\n", "cluster_state:ok\r\n"] {
        assert!(epoch(&string(bad), Announcements::of(&asked)).is_err(), "{bad:?}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("slots"),
        Just("nodes"),
        Just("role"),
        Just("master"),
        Just("replica"),
        Just("endpoint"),
        Just("port"),
        Just("tls-port"),
        Just("health"),
        Just("online"),
        Just(""),
        Just("?"),
        Just("127.0.0.1"),
    ];
    let leaf = prop_oneof![
        3 => word.prop_map(string),
        3 => (-2..16_390_i64).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        1 => any::<Vec<u8>>().prop_map(Value::BulkString),
        1 => Just(Value::Nil),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::vec((inner.clone(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

/// Mostly as a cluster replies.
fn nearly_slots() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![9 => 0..16_384_i64, 1 => any::<i64>()];
    let nodes = proptest::collection::vec(
        prop_oneof![9 => "[a-c?]{0,2}".prop_map(|host| named(&host)), 1 => any_value()],
        0..4,
    );
    let entry =
        (number(), number(), nodes).prop_map(|(first, last, nodes)| range(first.min(last), last.max(first), nodes));
    proptest::collection::vec(entry, 0..5).prop_map(Value::Array)
}

proptest! {
    /// A value or a typed error, and in a value each slot at most once.
    #[test]
    fn any_reply_is_read_or_is_an_error(reply in prop_oneof![any_value(), nearly_slots()]) {
        let asked = address("asked", 9);
        let announcements = Announcements::of(&asked);
        for read in [slots(&reply, announcements), shards(&reply, announcements)].into_iter().flatten() {
            let mut served = vec![0; usize::from(Slot::COUNT)];
            for (first, last) in read.iter().flat_map(|shard| &shard.ranges) {
                (first.number()..=last.number()).for_each(|slot| served[usize::from(slot)] += 1);
            }
            prop_assert!(served.iter().all(|count| *count <= 1) && served.contains(&1));
        }
        let _read_or_error = epoch(&reply, announcements);
    }
}
