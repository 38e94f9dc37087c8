//! Reads the replies of commands and of writing scripts.

use redis::Value;

use super::command::{ImportedRecord, RECORD_START, SHORT_RECORD};
use super::options::Settings;
use super::pages::scan_reply::stored_request;
use super::record::{Record, tombstone};
use crate::archive::{Imported, RequestRecord};
use crate::error::{Conflict, Error, InvalidValue, Outcome, Result, StoreError, StoreErrorKind};
use crate::redis::connection::preflight::PreflightReport;
use crate::redis::namespace::layout::reject_other_layout;
use crate::redis::record::history::history_marks;
use crate::redis::topology::NodeAddress;
use crate::removal::Tombstone;
use crate::request::UnsettledWrite;
use crate::request::{MutationRequest, RequestId, Timestamp, WriteId};
use crate::service::settle::{Settled, WriteLookup};
use crate::stored_format::{DocumentLimit, FormatError, StoredRequest, Unreadable, check_id};

/// The result of a creation.
#[derive(Debug)]
pub(crate) enum Created {
    /// It is stored as sent.
    AsSent,
    /// The same write stored it before, and the request is now this.
    Before(Box<MutationRequest>),
    /// It is unknown whether this write stored it.
    Forgotten,
    /// The permit was revoked or used up.
    Unpermitted,
}

impl Created {
    /// The request as it is stored now, if it is.
    pub(crate) fn into_stored(self, sent: MutationRequest) -> Option<MutationRequest> {
        match self {
            // Its decisions are stored now, so the next update sends only new ones.
            Self::AsSent => {
                let revision = sent.revision();
                Some(sent.at_revision(revision))
            }
            Self::Before(stored) => Some(*stored),
            Self::Forgotten | Self::Unpermitted => None,
        }
    }
}

/// The result of an update.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Updated {
    /// It was applied now.
    Applied,
    /// It was applied before, and the request is now this.
    Before(Box<MutationRequest>),
    /// It is unknown whether this write was applied before.
    Forgotten,
    /// Another number of decisions is stored than assumed; the update must be sent again with this number.
    Stored(usize),
}

/// The end of the error of a script that wrote nothing.
pub(super) const NOTHING_WRITTEN: &str = ". Nothing was written";

/// Whether a script that writes a request has written, so that there is something to confirm: the request, or, if it
/// had to wait, once more what an earlier attempt had written.
pub(crate) fn has_written(reply: &Value) -> bool {
    let tag = array(reply).and_then(|parts| text(parts.first()?));
    let written = ["created", "updated", "repeated", "imported", "reserved", "revoked", "removed", "removed before"];
    tag.is_some_and(|tag| written.contains(&tag))
}

/// # Errors
/// [`StoreErrorKind::Incompatible`] if the server is not fit for the store.
pub(crate) fn preflight(settings: &Settings, reply: &Value) -> Result<PreflightReport> {
    let info = match reply {
        Value::VerbatimString { text, .. } => Some(text.as_str()),
        other => text(other),
    };
    Ok(PreflightReport::of(info.ok_or_else(|| unexpected("INFO"))?, settings.options.tolerance)?)
}

/// Whether the first bytes of a record are all of it. No bytes may also be an empty record.
pub(crate) fn is_whole_record(start: &Value) -> bool {
    bytes(start).is_some_and(|bytes| (1..RECORD_START).contains(&bytes.len()))
}

/// The same for a reply to [`Call::short_record`](super::Call::short_record).
pub(crate) fn is_whole_short_record(start: &Value) -> bool {
    bytes(start).is_some_and(|bytes| (1..SHORT_RECORD).contains(&bytes.len()))
}

/// The tombstone in what is stored of a request, if it was removed. A damaged one is none, and then cannot be read.
pub(crate) fn tombstone(id: &RequestId, value: &Value) -> Option<Tombstone> {
    let bytes = bytes(value).filter(|bytes| tombstone::is_tombstone(bytes))?;
    tombstone::decode(id, bytes).ok()
}

/// The one record in a reply to [`Call::whole_record`](super::Call::whole_record).
pub(crate) fn only_record(reply: Value) -> Result<Value> {
    match reply {
        Value::Array(mut values) if values.len() == 1 => Ok(values.pop().unwrap_or(Value::Nil)),
        _ => Err(unexpected("records.lua").into()),
    }
}

/// The request in a record.
pub(crate) fn request(
    settings: &Settings,
    id: &RequestId,
    reply: &Value,
) -> Result<Option<MutationRequest>, Unreadable> {
    read_record(settings, id, reply).map_err(|error| Unreadable::new(id.clone(), error))
}

/// The values in a reply to [`Call::records`](super::Call::records): of the first ids in the call, at least one.
pub(crate) fn records(reply: &Value, asked: usize) -> Result<&[Value]> {
    let is_possible = |values: &&[Value]| (1..=asked).contains(&values.len());
    Ok(array(reply).filter(is_possible).ok_or_else(|| unexpected("records.lua"))?)
}

/// The requests in such a reply, in the order of the ids, of which there may be more.
pub(crate) fn requests<'a>(
    settings: &Settings,
    ids: impl IntoIterator<Item = &'a RequestId>,
    reply: &Value,
) -> Result<Vec<Result<Option<MutationRequest>, Unreadable>>> {
    let ids: Vec<&RequestId> = ids.into_iter().collect();
    let values = records(reply, ids.len())?;
    Ok(ids.into_iter().zip(values).map(|(id, value)| request(settings, id, value)).collect())
}

/// The tombstones in such a reply.
pub(crate) fn tombstones<'a>(
    ids: impl IntoIterator<Item = &'a RequestId>,
    reply: &Value,
) -> impl Iterator<Item = Tombstone> {
    let values = array(reply).unwrap_or_default();
    ids.into_iter().zip(values).filter_map(|(id, value)| tombstone(id, value))
}

/// What the stored record knows about a write id; `None` without a record.
pub(crate) fn write_lookup(
    settings: &Settings,
    id: &RequestId,
    write_id: WriteId,
    reply: &Value,
) -> Result<Option<WriteLookup>> {
    if let Some(tombstone) = tombstone(id, reply) {
        return Err(Error::removed(tombstone));
    }
    let record = stored_record(id, reply, settings.options.document_limit);
    let record = record.map_err(|error| Error::Unreadable { key: settings.keyspace.record(id), error })?;
    Ok(record.map(|record| WriteLookup::new(write_id, record.revision().number, record.writes())))
}

/// # Errors
/// [`Error::AlreadyExists`] if another write made a request with this id, and [`Error::WriteIdReused`] if this write id
/// was used for something else.
pub(crate) fn created(settings: &Settings, sent: &MutationRequest, reply: &Value) -> Result<Created> {
    let (word, rest) = tagged(reply, "create.lua")?;
    if let Some(tombstone) = tombstone_instead(&sent.id, word, rest) {
        return Err(Error::id_of_removed(tombstone));
    }
    match (word, rest) {
        ("created", _) => Ok(Created::AsSent),
        ("unpermitted", _) => Ok(Created::Unpermitted),
        ("exists" | "repeated", [record, ..]) => {
            let (header, stored) = stored_in(settings, &sent.id, record, "create.lua")?;
            let revision = sent.revision();
            if let Some(known) = header.writes().find(|write| write.id == revision.write_id) {
                known.check_creation(sent, &stored)?;
                return Ok(Created::Before(Box::new(stored)));
            }
            // A repair has forgotten the write that submitted it.
            let is_known = header.writes().any(|write| write.number == revision.number);
            if !is_known && may_hold(&stored, sent) {
                return Ok(Created::Forgotten);
            }
            Err(Error::AlreadyExists { id: sent.id.clone() })
        }
        _ => Err(rejection(settings, &sent.id, reply, "create.lua")),
    }
}

/// Reads the result of an update.
///
/// # Errors
/// [`Error::Conflict`], [`Error::WriteIdReused`], [`Error::RewrittenHistory`], [`Error::NotFound`], or why the record
/// cannot be used.
pub(crate) fn updated(
    settings: &Settings,
    sent: &MutationRequest,
    write_id: WriteId,
    reply: &Value,
) -> Result<Updated> {
    let (word, rest) = tagged(reply, "update.lua")?;
    if let Some(tombstone) = tombstone_instead(&sent.id, word, rest) {
        return Err(Error::removed(tombstone));
    }
    match (word, rest) {
        ("updated", _) => Ok(Updated::Applied),
        ("repeated", [record, ..]) => {
            let (header, stored) = stored_in(settings, &sent.id, record, "update.lua")?;
            let known = header.writes().find(|write| write.id == write_id);
            known.ok_or_else(|| unexpected_write("update.lua"))?.check_update(sent, &stored)?;
            Ok(Updated::Before(Box::new(stored)))
        }
        ("conflict", [record, ..]) => {
            let (header, stored) = stored_in(settings, &sent.id, record, "update.lua")?;
            let (id, base, intent) = (sent.id.clone(), Some(sent.revision()), None);
            let write = UnsettledWrite { id, base, write_id, intent };
            let found = WriteLookup::new(write_id, header.revision().number, header.writes());
            let settled = write.settled_by(Some(&found));
            if matches!(settled, Ok(Settled::Forgotten)) && may_hold(&stored, sent) {
                return Ok(Updated::Forgotten);
            }
            Err(Conflict::between(sent, &stored).into())
        }
        ("history", [Value::Int(count), mark, ..]) => {
            let stored = usize::try_from(*count).unwrap_or(usize::MAX);
            let own_mark = history_marks(&sent.decisions).get(stored).map(|mark| mark.to_be_bytes());
            if own_mark.is_some_and(|own| bytes(mark) == Some(&own[..])) {
                return Ok(Updated::Stored(stored));
            }
            Err(Error::RewrittenHistory { id: sent.id.clone(), stored })
        }
        ("submitted fields changed", _) => Err(Error::SubmittedFieldsChanged { id: sent.id.clone() }),
        ("missing", _) => Err(Error::NotFound { id: sent.id.clone() }),
        _ => Err(rejection(settings, &sent.id, reply, "update.lua")),
    }
}

/// The tombstone that a script found instead of a record, which it cannot read.
fn tombstone_instead(id: &RequestId, word: &str, rest: &[Value]) -> Option<Tombstone> {
    tombstone(id, rest.first().filter(|_| word == "unreadable")?)
}

/// The tombstone that is stored after a removal.
///
/// # Errors
/// [`Error::Conflict`], [`Error::NotFound`], or why the record cannot be used.
pub(crate) fn removed(
    settings: &Settings,
    request: &MutationRequest,
    sent: &Tombstone,
    reply: &Value,
) -> Result<Tombstone> {
    let (word, rest) = tagged(reply, "remove.lua")?;
    match (word, rest) {
        ("removed", _) => Ok(sent.clone()),
        ("removed before", [stored, ..]) => {
            let unreadable = |error| Error::Unreadable { key: settings.keyspace.record(&sent.id), error };
            tombstone::decode(&sent.id, bytes(stored).unwrap_or_default()).map_err(unreadable)
        }
        ("conflict", [record, ..]) => {
            let (_, stored) = stored_in(settings, &sent.id, record, "remove.lua")?;
            Err(Conflict::between(request, &stored).into())
        }
        ("missing", _) => Err(Error::NotFound { id: sent.id.clone() }),
        _ => Err(rejection(settings, &sent.id, reply, "remove.lua")),
    }
}

/// The results of an import, in the order of its records.
pub(crate) fn imported(settings: &Settings, sent: &[ImportedRecord], reply: &Value) -> Result<Vec<Result<Imported>>> {
    let ("imported", [results]) = tagged(reply, "import.lua")? else {
        reject_wrong_type(reply)?;
        reject_missing_permission(reply)?;
        reject_other_layout(settings, reply)?;
        return Err(unexpected_write("import.lua").into());
    };
    let results = array(results).filter(|results| results.len() == sent.len());
    let results = results.ok_or_else(|| unexpected_write("import.lua"))?;
    let imported = |(sent, result): (&ImportedRecord, &Value)| match result {
        Value::Int(1) => Ok(Imported::Added),
        stored => match (tombstone(&sent.request.id, stored), request(settings, &sent.request.id, stored)?) {
            (Some(tombstone), _) => Err(Error::id_of_removed(tombstone)),
            (None, Some(stored)) => Ok(Imported::beside(&sent.request, &stored)),
            (None, None) => Err(unexpected_write("import.lua").into()),
        },
    };
    Ok(sent.iter().zip(results).map(imported).collect())
}

/// Whether an import wrote nothing because its permit was revoked or used up.
pub(crate) fn is_unpermitted(reply: &Value) -> bool {
    matches!(tagged(reply, "import.lua"), Ok(("unpermitted", _)))
}

/// A request that was read with its record, and the writes that the record remembers.
pub(crate) fn record_with_writes(stored: StoredRequest) -> RequestRecord {
    let writes = Record::writes_of_parsed(stored.before_document());
    RequestRecord::new(stored, writes)
}

/// The same of the reply to a read of one record; `None` if nothing is stored.
pub(crate) fn record_of(
    settings: &Settings,
    id: &RequestId,
    value: Value,
) -> Result<Option<RequestRecord>, Unreadable> {
    if value == Value::Nil || tombstone(id, &value).is_some() {
        return Ok(None);
    }
    stored_request(settings, id.clone(), value).map(record_with_writes).map(Some)
}

/// Whether the sent history may be part of the stored one. History only grows, so an applied write is found at its
/// head, whatever followed; another write with the same decisions would be found there too.
fn may_hold(stored: &MutationRequest, sent: &MutationRequest) -> bool {
    stored.decisions.starts_with(&sent.decisions)
}

fn read_record(settings: &Settings, id: &RequestId, value: &Value) -> Result<Option<MutationRequest>, FormatError> {
    let Some(record) = stored_record(id, value, settings.options.document_limit)? else { return Ok(None) };
    let request = record.decode(settings)?;
    check_id(&request.id, id)?;
    Ok(Some(request))
}

/// The record in the reply of a script or command: `None` if nothing or only a tombstone is stored, and only its size if
/// that is over the limit of a record.
pub(super) fn stored_record<'a>(
    id: &RequestId,
    value: &'a Value,
    limit: DocumentLimit,
) -> Result<Option<Record<'a>>, FormatError> {
    match value {
        Value::Nil => Ok(None),
        Value::Int(size) => Err(over_limit(*size, limit)),
        other => match bytes(other).ok_or(FormatError::Foreign)? {
            bytes if tombstone::is_tombstone(bytes) => tombstone::decode(id, bytes).map(|_| None),
            bytes => Record::parse(id.as_str(), bytes).map(Some),
        },
    }
}

/// The error about a record of which a script returned only the size.
pub(super) fn over_limit(size: i64, limit: DocumentLimit) -> FormatError {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    FormatError::OverLimit { size, unit: "bytes", limit: limit.bytes() }
}

fn parse<'a>(settings: &Settings, id: &RequestId, bytes: &'a [u8]) -> Result<Record<'a>> {
    let unreadable = |error| Error::Unreadable { key: settings.keyspace.record(id), error };
    Record::parse(id.as_str(), bytes).map_err(unreadable)
}

/// The header and the request of a record in a script's reply.
fn stored_in<'a>(
    settings: &Settings,
    id: &RequestId,
    value: &'a Value,
    script: &'static str,
) -> Result<(Record<'a>, MutationRequest)> {
    let header = parse(settings, id, bytes(value).ok_or_else(|| unexpected_write(script))?)?;
    let stored = request(settings, id, value)?.ok_or_else(|| unexpected_write(script))?;
    Ok((header, stored))
}

/// The replies of both writing scripts if a key is not as it should be.
fn rejection(settings: &Settings, id: &RequestId, reply: &Value, script: &'static str) -> Error {
    let rejected = reject_wrong_type(reply)
        .and_then(|()| reject_missing_permission(reply))
        .and_then(|()| reject_other_layout(settings, reply));
    if let Err(error) = rejected {
        return error;
    }
    let error = match tagged(reply, script) {
        Ok(("unreadable", [Value::Int(size), ..])) => over_limit(*size, settings.options.document_limit),
        Ok(("unreadable", [value, ..])) => match bytes(value).map(|bytes| Record::parse(id.as_str(), bytes)) {
            Some(Err(error)) => error,
            _ => FormatError::Malformed { problem: "record header that a script cannot read".to_owned() },
        },
        _ => return unexpected_write(script).into(),
    };
    Error::Unreadable { key: settings.keyspace.record(id), error }
}

pub(super) fn reject_wrong_type(reply: &Value) -> Result<()> {
    let words: Vec<&str> = array(reply).unwrap_or_default().iter().filter_map(text).collect();
    if let ["wrongtype", key, wanted, found] = words[..] {
        return Err(StoreError::new(
            StoreErrorKind::Rejected,
            Outcome::NotApplied,
            format!("{key} holds a {found} instead of a {wanted}; something else uses the key{NOTHING_WRITTEN}"),
        )
        .into());
    }
    Ok(())
}

pub(super) fn reject_missing_permission(reply: &Value) -> Result<()> {
    let words: Vec<&str> = array(reply).unwrap_or_default().iter().filter_map(text).collect();
    let (command, key, node) = match words[..] {
        ["noperm", command, key] => (command, key, String::new()),
        ["noperm", command, key, node] => (command, key, format!(" at {node}")),
        _ => return Ok(()),
    };
    Err(StoreError::new(
        StoreErrorKind::Rejected,
        Outcome::NotApplied,
        format!("the user may not run {command} on {key}{node}; give the user this permission{NOTHING_WRITTEN}"),
    )
    .into())
}

/// Adds the node of a cluster to its reply about a missing permission: each node has users of its own.
pub(crate) fn name_node(reply: &mut Value, node: &NodeAddress) {
    if let Value::Array(words) = reply
        && let [word, _, _] = &words[..]
        && text(word) == Some("noperm")
    {
        words.push(Value::BulkString(node.to_string().into_bytes()));
    }
}

/// Reads the server's reply to TIME.
///
/// # Errors
/// [`InvalidValue`] if it is no time.
pub(super) fn time(reply: &Value) -> Result<Timestamp, InvalidValue> {
    let number = |value| text(value).and_then(|text| text.parse::<u64>().ok());
    let micros = match array(reply) {
        Some([seconds, micros]) => number(seconds).zip(number(micros)),
        _ => None,
    };
    let micros = micros.and_then(|(seconds, micros)| seconds.checked_mul(1_000_000)?.checked_add(micros));
    Timestamp::from_micros(micros.ok_or_else(|| InvalidValue::new("the server's reply to TIME", "is no time"))?)
}

pub(super) fn tagged<'a>(reply: &'a Value, script: &'static str) -> Result<(&'a str, &'a [Value])> {
    let Some([word, rest @ ..]) = array(reply) else {
        return Err(unexpected_write(script).into());
    };
    Ok((text(word).ok_or_else(|| unexpected_write(script))?, rest))
}

/// A script's reply about an index whose members are not in order.
pub(super) fn reject_disorder(reply: &Value) -> Result<()> {
    if let [Value::BulkString(word), index] = array(reply).unwrap_or_default()
        && word == b"disordered"
    {
        let index = String::from_utf8_lossy(bytes(index).unwrap_or_default());
        return Err(corrupt(&format!(
            "index {index} holds an entry whose score is not 0, so its entries have no order"
        )));
    }
    Ok(())
}

/// An index that cannot be read along.
pub(super) fn corrupt(what: &str) -> Error {
    let problem = format!("{what}; find out who writes to it, and repair it with RedisStore::repair");
    StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into()
}

pub(super) fn unexpected(command: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Connection,
        Outcome::NotApplied,
        format!("the server's reply to {command} makes no sense; is a proxy in between changing it?"),
    )
}

/// A meaningless reply does not show what the script did.
pub(crate) fn unexpected_write(script: &str) -> StoreError {
    StoreError { outcome: Outcome::Unknown, ..unexpected(script) }
}

pub(super) fn array(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<&str> {
    std::str::from_utf8(bytes(value)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_permission_gets_the_node_named() {
        let words = |words: &[&str]| {
            Value::Array(words.iter().map(|word| Value::BulkString(word.as_bytes().to_vec())).collect())
        };
        let node = NodeAddress::new("node-1", 6_379).unwrap();
        let mut reply = words(&["noperm", "ZADD", "key"]);
        let alone = reject_missing_permission(&reply).unwrap_err().to_string();
        name_node(&mut reply, &node);
        let named = reject_missing_permission(&reply).unwrap_err().to_string();
        assert!(!alone.contains("node-1") && named.contains("ZADD on key at node-1:6379"), "{alone}, {named}");
        for others in [words(&["wrongtype", "key", "string"]), words(&["noperm", "ZADD"]), Value::Nil] {
            let mut changed = others.clone();
            name_node(&mut changed, &node);
            assert_eq!(changed, others);
        }
    }
}
