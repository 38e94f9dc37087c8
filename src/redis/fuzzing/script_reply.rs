//! Every reader of replies, given any reply.

use redis::Value;

use super::feed_reply::{feed_reply, read_by_feeds};
use super::input::Input;
use super::samples::{at, request};
use super::settings;
use super::values::{or_any, value};
use crate::error::{Error, Outcome};
use crate::index::{Along, ChosenIndexes, Plan, index_entries, plan};
use crate::query::{RequestQuery, SortDirection};
use crate::redis::PageMerge;
use crate::redis::check::reply as check_reply;
use crate::redis::check::reply::{IndexPart, Repaired};
use crate::redis::keyspace::KeyKind;
use crate::redis::namespace::reply as namespace_reply;
use crate::redis::options::Settings;
use crate::redis::pages::places::{CursorKinds, ReadFrom, ReadPlaces};
use crate::redis::pages::scan::{Part, Scan, Scanned};
use crate::redis::pages::scan_reply;
use crate::redis::record::NewRecord;
use crate::redis::reply::{self, Created, Updated};
use crate::request::UnsettledWrite;
use crate::request::{IdComparison, MutationRequest, Revision, WriteId};
use crate::stored_format::SizeBudget;
use crate::stored_format::StoredRequest;

/// Any reply, read as the reply to every command: a value, or an error that says its kind and whether the write may
/// have been applied.
pub fn script_reply(data: &[u8]) {
    let mut input = Input::new(data);
    let settings = settings();
    let shape = input.below(3);
    let write_id = WriteId::from_bytes([input.below(3) as u8; 16]);
    let revision = Revision { number: input.below(3) as u64, write_id };
    let mut of_reply = Input::new(input.bytes());
    let sent = request(&mut input, 1).at_revision(revision);
    let mut record = |number| {
        let stored = request(&mut input, number);
        let revision = Revision::first(WriteId::from_bytes([1; 16]));
        let budget = SizeBudget::whole(settings.options.document_limit);
        NewRecord::new(&settings, &stored, revision, stored.creation_intent(), budget).expect("a small request").bytes
    };
    let (stored, of_another) = (record(1), record(2));
    let entries = index_entries(&sent, &ChosenIndexes::default()).into_iter();
    let members: Vec<Vec<u8>> = entries.map(|entry| entry.key.as_bytes().to_vec()).collect();
    let mut words: Vec<&[u8]> = vec![&stored, &of_another];
    words.extend(members.iter().map(Vec::as_slice));
    let reply = match shape {
        0 => value(&mut of_reply, &words, 4),
        1 => scan_reply(&mut of_reply, &words),
        _ => write_reply(&mut of_reply, &words),
    };

    read_by_stores(&settings, &sent, &reply);
    read_by_writes(&settings, &sent, write_id, &reply);
    read_by_checks(&settings, &sent, &reply);
    read_by_feeds(&settings, [&reply, &feed_reply(&mut input, &words)], is_reported);
    let query = RequestQuery::new();
    let along = along(&query);
    let part = Part { partition: 0, after: None, up_to: None, limit: 2, bytes: 1 };
    let scan = Scan::new(&along, &part);
    match scan_reply::scanned(&settings, 0, &scan, reply.clone()) {
        Ok(scanned) => page(scanned),
        Err(error) => is_reported(&error),
    }
}

fn along(query: &RequestQuery) -> Along<RequestQuery> {
    match plan(query, &ChosenIndexes::default(), IdComparison::Exact, |_| 1) {
        Plan::Along(along) => along,
        Plan::ByIds { .. } => panic!("the query names no ids"),
    }
}

/// Values that scan.lua may reply with.
fn scan_reply(input: &mut Input<'_>, words: &[&[u8]]) -> Value {
    let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
    let records = &words[..2];
    let members: Vec<Value> = (0..input.below(6)).map(|_| bulk(input.one(&words[2..]))).collect();
    let members: Vec<Value> = members.into_iter().map(|member| or_any(input, words, member)).collect();
    let records: Vec<Value> = (0..input.below(3)).map(|_| bulk(input.one(records))).collect();
    let records: Vec<Value> = records.into_iter().map(|record| or_any(input, words, record)).collect();
    let parts = [
        Value::Int(i64::from(input.byte() & 1)),
        bulk(input.one(words)),
        Value::Int(input.byte().into()),
        Value::Array(vec![Value::Int(1), Value::Int(input.byte().into())]),
        Value::Array(members),
        Value::Array(records),
    ];
    Value::Array(parts.map(|part| or_any(input, words, part)).into())
}

/// The first word of a script's reply, and what may follow it.
fn write_reply(input: &mut Input<'_>, words: &[&[u8]]) -> Value {
    let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
    let word = input.one(&[
        "created",
        "exists",
        "updated",
        "repeated",
        "conflict",
        "history",
        "unreadable",
        "wrongtype",
        "checked",
        "layout",
    ]);
    let record = bulk(input.one(&words[..2]));
    let mut behind = match word {
        "history" => vec![Value::Int(i64::from(input.byte()) - 1), bulk(input.bytes())],
        "wrongtype" => vec![bulk(b"key"), bulk(b"string"), bulk(b"zset")],
        "layout" => vec![bulk(b"key"), bulk(b"1 1 Exact -")],
        "checked" => vec![Value::Int(3), Value::Array(vec![bulk(b"a")]), Value::Array(vec![]), Value::Int(1)],
        _ => vec![record],
    };
    behind.insert(0, bulk(word.as_bytes()));
    Value::Array(behind.into_iter().map(|part| or_any(input, words, part)).collect())
}

fn read_by_stores(settings: &Settings, sent: &MutationRequest, reply: &Value) {
    namespace_reply::check_namespace(settings, reply).err().iter().for_each(is_reported);
    namespace_reply::check_indexes(settings, reply).err().iter().for_each(is_reported);
    reply::preflight(settings, reply).err().iter().for_each(is_reported);
    scan_reply::sizes(reply).err().iter().for_each(is_reported);
    match reply::request(settings, &sent.id, reply) {
        Ok(found) => assert!(found.is_none_or(|found| found.id == sent.id), "somebody else's request"),
        Err(unreadable) => is_reported(&unreadable.into()),
    }
    match reply::requests(settings, [&sent.id, &sent.id], reply) {
        Ok(found) => {
            assert!(found.len() <= 2, "more than was asked for");
            assert!(found.iter().flatten().flatten().all(|found| found.id == sent.id), "somebody else's request");
        }
        Err(error) => is_reported(&error),
    }
}

fn read_by_writes(settings: &Settings, sent: &MutationRequest, write_id: WriteId, reply: &Value) {
    let is_word = |word: &str| matches!(reply, Value::Array(parts) if parts.first().is_some_and(|it| says(it, word)));
    match reply::created(settings, sent, reply) {
        Ok(Created::AsSent) => assert!(is_word("created")),
        Ok(Created::Before(found)) => assert!((is_word("exists") || is_word("repeated")) && found.id == sent.id),
        Ok(Created::Forgotten) => assert!(is_word("exists") || is_word("repeated")),
        Ok(Created::Unpermitted) => assert!(is_word("unpermitted")),
        Err(error) => is_senseless_or_rejected(&error),
    }
    match reply::updated(settings, sent, write_id, reply) {
        Ok(Updated::Applied) => assert!(is_word("updated")),
        Ok(Updated::Before(found)) => assert!(is_word("repeated") && found.id == sent.id),
        Ok(Updated::Forgotten) => assert!(is_word("conflict")),
        Ok(Updated::Stored(count)) => assert!(is_word("history") && count <= sent.decisions.len()),
        Err(error) => is_senseless_or_rejected(&error),
    }
    let found = reply::write_lookup(settings, &sent.id, write_id, reply).inspect_err(is_reported);
    for base in [None, Some(sent.revision())] {
        let write = UnsettledWrite { id: sent.id.clone(), base, write_id, intent: None };
        found.iter().filter_map(|found| write.settled_by(found.as_ref()).err()).for_each(|error| is_reported(&error));
    }
}

fn read_by_checks(settings: &Settings, sent: &MutationRequest, reply: &Value) {
    check_reply::found_keys(reply, KeyKind::Record).err().iter().for_each(is_reported);
    check_reply::is_extra(settings, reply).err().iter().for_each(is_reported);
    inspection_agrees(settings, sent, reply);
    let key = settings.keyspace.record(&sent.id);
    if let Ok(check_reply::StoredAt::Record(found)) =
        check_reply::record(settings, &key, reply, WriteId::from_bytes([7; 16]))
    {
        assert_eq!(found.request.id, sent.id, "somebody else's request");
    }
    match check_reply::repaired(settings, &sent.id, reply) {
        Ok(Repaired::Checked { findings, .. }) => {
            assert!(findings.iter().all(|finding| !finding.to_string().is_empty()))
        }
        Ok(Repaired::Changed) => {}
        Err(error) => is_reported(&error),
    }
    match IndexPart::of(settings, "index", b"", reply) {
        Ok(part) => {
            let ids = part.ids();
            assert!(ids.len() + part.foreign_members().len() <= part.members.len());
            let ids: Vec<_> = ids.iter().collect();
            match reply::records(reply, ids.len()) {
                Ok(records) => assert!(part.explained(settings, "index", &ids, records).len() <= part.members.len()),
                Err(error) => is_reported(&error),
            }
        }
        Err(error) => is_reported(&error),
    }
}

/// `inspect` finds a request exactly when a read of the request does.
fn inspection_agrees(settings: &Settings, sent: &MutationRequest, reply: &Value) {
    let inspected = check_reply::inspection(settings, &sent.id, reply).inspect_err(is_reported);
    match reply::request(settings, &sent.id, reply) {
        Ok(None) => assert!(matches!(inspected, Ok(None)), "{inspected:?} where nothing is"),
        Ok(Some(_)) => assert!(matches!(inspected, Ok(Some(found)) if found.request.is_ok()), "no request"),
        Err(_) => {
            assert!(inspected.is_err() || inspected.is_ok_and(|found| found.is_some_and(|it| it.request.is_err())))
        }
    }
    let found = reply::write_lookup(settings, &sent.id, sent.revision().write_id, reply);
    if found.is_ok_and(|found| found.is_none()) {
        assert_eq!(*reply, Value::Nil, "nothing is said to be stored");
    }
}

/// Any scan result makes a page within its limit.
fn page(scanned: Scanned) {
    for (member, request) in &scanned.requests {
        let id = request.as_ref().map_or_else(|unreadable| &unreadable.id, StoredRequest::id);
        assert_eq!(member.request_id().as_ref(), Some(id), "a record under another member");
    }
    let query = RequestQuery::new();
    let along = along(&query);
    let starts = ReadPlaces::new(vec![ReadFrom::Beginning]);
    let mut assembly = PageMerge::new(starts, SortDirection::Ascending, 2);
    assembly.add(0, &along, &query, at(0), scanned);
    let page = assembly.finish(CursorKinds::of(&[]));
    assert!(page.items.len() + page.unreadable.len() <= 2);
}

fn says(value: &Value, word: &str) -> bool {
    reply::text(value) == Some(word)
}

fn is_reported(error: &Error) {
    assert!(!error.to_string().is_empty());
    let _kept_from_panicking = error.outcome();
}

/// After a meaningless reply the write may have been applied; only a script's own words are certain.
fn is_senseless_or_rejected(error: &Error) {
    is_reported(error);
    if error.to_string().contains("makes no sense") {
        assert!(matches!(error, Error::Store(error) if error.outcome == Outcome::Unknown), "{error:?}");
    }
}
