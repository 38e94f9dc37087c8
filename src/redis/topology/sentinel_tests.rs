//! Replies of Sentinels, read as opinions about the primary.

use std::time::Duration;

use super::*;
use crate::redis::RedisOptions;
use crate::redis::topology::samples::{address, reply, server_error};
use crate::service::deadline::Deadline;

fn list(words: &[&str]) -> Value {
    Value::Array(words.iter().map(|word| Value::BulkString(word.as_bytes().to_vec())).collect())
}

fn fields(epoch: &str) -> Value {
    list(&["name", "main", "ip", "10.0.0.9", "port", "6379", "config-epoch", epoch, "num-other-sentinels", "2"])
}

fn read_all(answers: Vec<Value>) -> Result<Opinion, StoreError> {
    let settings = RedisOptions::default().check("redis://s:26379").unwrap();
    opinion(&settings, &address("s", 26379), "main", Ok(answers.into_iter().map(Ok).collect()))
}

#[test]
fn an_opinion_is_the_address_and_the_epoch_that_belong_together() {
    let promoted = list(&["10.0.0.2", "6380"]);
    let found = read_all(vec![promoted.clone(), fields("7"), promoted.clone()]).unwrap();
    // Not the address in the fields, which is the old one while a failover is under way.
    let expected = Opinion {
        epoch: 7,
        primary: address("10.0.0.2", 6380),
        is_failing_over: false,
        replicas: Vec::new(),
        sentinels: 3,
    };
    assert_eq!(found, expected);

    let error = read_all(vec![list(&["10.0.0.9", "6379"]), fields("7"), promoted]).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
}

#[test]
fn a_primary_is_being_replaced_until_the_promoted_replica_is_the_address() {
    let words = ["ip", "10.0.0.9", "port", "6379", "flags", "master,failover_in_progress", "config-epoch", "7"];
    let fields = list(&[&words[..], &["num-other-sentinels", "2"]].concat());
    for (address, expected) in [(["10.0.0.9", "6379"], true), (["10.0.0.9", "6380"], false)] {
        let address = list(&address);
        let found = read_all(vec![address.clone(), fields.clone(), address]).unwrap();
        assert_eq!(found.is_failing_over, expected);
    }
}

#[test]
fn replicas_that_the_sentinel_does_not_reach_are_left_out() {
    let at = list(&["h", "1"]);
    let replica = |port: &str, flags: &str| list(&["ip", "h", "port", port, "flags", flags]);
    let replicas = Value::Array(vec![
        replica("2", "slave"),
        replica("3", "s_down,slave"),
        replica("4", "slave,disconnected"),
        replica("0", "slave"),
        list(&["ip", "h"]),
    ]);
    let found = read_all(vec![at.clone(), fields("0"), at, replicas]).unwrap();
    assert_eq!(found.replicas, [address("h", 2)]);
}

#[test]
fn a_name_that_is_not_watched_and_a_server_that_is_no_sentinel_are_named() {
    let error = read_all(vec![Value::Nil, Value::Nil, Value::Nil]).unwrap_err();
    assert!(error.kind == StoreErrorKind::Configuration && error.problem.contains("\"main\""), "{error}");

    let settings = RedisOptions::default().check("redis://s:26379").unwrap();
    let failing = |line: &str| {
        let fault = Fault::command("s:26379", server_error(line));
        opinion(&settings, &address("s", 26379), "main", Ok(vec![Ok(list(&["h", "1"])), Err(fault)])).unwrap_err()
    };
    let unknown = failing("ERR No such master with that name");
    assert!(unknown.kind == StoreErrorKind::Configuration && unknown.problem.contains("SENTINEL MASTERS"), "{unknown}");
    let foreign = failing("ERR unknown command 'SENTINEL', with args beginning with: 'MASTER' 'main' ");
    assert_eq!(foreign.kind, StoreErrorKind::Incompatible);
    assert!(foreign.problem.contains("s:26379") && foreign.problem.contains("RedisStore::builder"), "{foreign}");

    let late = Fault::deadline("s:26379", Deadline::after(Duration::ZERO), Effect::None);
    let late = opinion(&settings, &address("s", 26379), "main", Err(late)).unwrap_err();
    assert_eq!(late.kind, StoreErrorKind::DeadlineExceeded);
}

#[test]
fn answers_that_make_no_sense_are_errors_that_name_the_sentinel() {
    let at = || list(&["h", "1"]);
    for answers in [
        vec![],
        vec![at(), fields("7")],
        vec![at(), fields("x"), at()],
        vec![at(), list(&["config-epoch", "7"]), at()],
        vec![list(&["h"]), fields("7"), list(&["h"])],
        vec![list(&["h", "0"]), fields("7"), list(&["h", "0"])],
        vec![list(&["h", "70000"]), fields("7"), list(&["h", "70000"])],
        vec![Value::Int(1), fields("7"), Value::Int(1)],
        vec![at(), Value::Int(1), at()],
        vec![at(), fields("7"), at(), Value::Int(1)],
        vec![at(), reply(b"*1\r\n$12\r\nconfig-epoch\r\n"), at()],
    ] {
        let shown = format!("{answers:?}");
        let error = read_all(answers).unwrap_err();
        assert!(error.kind == StoreErrorKind::Connection && error.problem.contains("s:26379"), "{shown}: {error}");
    }
}

#[test]
fn replicas_are_asked_for_only_where_they_are_wanted() {
    assert_eq!((sentinel_queries("main", false).len(), sentinel_queries("main", true).len()), (3, 4));
}
