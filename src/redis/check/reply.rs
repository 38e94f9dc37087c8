//! What the commands of a check answered.

use std::collections::{BTreeMap, BTreeSet};

use redis::Value;
use sha1::Digest as _;

use crate::error::{Error, Result};
use crate::index::SortKey;
use crate::redis::check::salvaged::Salvaged;
use crate::redis::check::{Finding, Inspection};
use crate::redis::keyspace::KeyKind;
use crate::redis::namespace::layout::reject_other_layout;
use crate::redis::options::Settings;
use crate::redis::record::Record;
use crate::redis::record::index_entries::{current_suffixes, members_of};
use crate::redis::record::tombstone::{decode as decode_tombstone, is_tombstone};
use crate::redis::reply::{
    array, bytes, corrupt, over_limit, reject_missing_permission, reject_wrong_type, stored_record, tagged, text,
    tombstone, unexpected,
};
use crate::request::{MutationRequest, RequestId, Revision, WriteId};
use crate::stored_format::{self, FormatError, check_id};

/// A record as a check read it.
pub(crate) struct StoredRecord {
    pub(crate) request: MutationRequest,
    /// The version of the stored format its document is in.
    pub(crate) format: u16,
    pub(crate) header: StoredHeader,
}

/// How the header of a record was found.
pub(crate) enum StoredHeader {
    Whole,
    /// It cannot be relied on; the document can.
    Damaged {
        error: FormatError,
        /// The SHA-1 of the whole record, in hexadecimal.
        sha1: String,
        /// Where the document begins.
        document_from: usize,
    },
}

/// What is stored under the key of a record.
pub(crate) enum StoredAt {
    Nothing,
    Tombstone,
    Record(Box<StoredRecord>),
}

/// What comparing one record with the indexes found.
pub(crate) enum Repaired {
    Checked {
        entries: u64,
        findings: Vec<Finding>,
    },
    /// The record was written meanwhile.
    Changed,
}

/// A part of one index, and what the documents it names ask that index to hold.
pub(crate) struct IndexPart {
    /// Those that another score keeps from their places. While there are any, no others are read.
    pub(crate) misplaced: Vec<SortKey>,
    pub(crate) members: Vec<SortKey>,
    /// How many are longer than any of ours.
    long: usize,
    /// Behind what to read on, from the beginning if that is nothing; none when the index has been read.
    pub(crate) next: Option<Vec<u8>>,
}

/// Whether an index entry is explained by the document it names.
pub(crate) enum Explained {
    /// It is, or the document cannot be read and so cannot tell.
    Yes,
    /// It is not, as of this revision; of none when there is no document.
    No(Option<Revision>),
}

/// The cursor of a reply to SCAN, and the keys of a kind in it. Keys that are no text are none of ours.
///
/// A pattern cannot say that the hash tag ends at its first brace, and names may hold others.
pub(crate) fn found_keys(reply: &Value, kind: KeyKind) -> Result<(u64, Vec<String>)> {
    let [cursor, keys] = array(reply).unwrap_or_default() else {
        return Err(unexpected("SCAN").into());
    };
    let cursor = text(cursor).and_then(|cursor| cursor.parse().ok()).ok_or_else(|| unexpected("SCAN"))?;
    let keys = array(keys).ok_or_else(|| unexpected("SCAN"))?;
    let is_of_kind = |key: &&str| key.split_once("}:").is_some_and(|(_, name)| name.starts_with(kind.prefix()));
    Ok((cursor, keys.iter().filter_map(text).filter(is_of_kind).map(str::to_owned).collect()))
}

/// What a partition said to taking a record over, or to giving one up.
pub(crate) enum Moved {
    Yes,
    /// Another record is stored there.
    Differs,
}

pub(crate) fn moved(settings: &Settings, reply: &Value, script: &'static str) -> Result<Moved> {
    reject_wrong_type(reply)?;
    reject_missing_permission(reply)?;
    reject_other_layout(settings, reply)?;
    match tagged(reply, script)? {
        ("taken" | "given", _) => Ok(Moved::Yes),
        ("exists" | "changed", _) => Ok(Moved::Differs),
        _ => Err(unexpected(script).into()),
    }
}

/// Whether there is a record of this request that cannot be read, so that only its index entries say where it is found.
pub(crate) fn is_unreadable(settings: &Settings, id: &RequestId, value: &Value) -> bool {
    match bytes(value) {
        Some(_) if tombstone(id, value).is_some() => false,
        Some(bytes) => Record::parse(id.as_str(), bytes).and_then(|record| record.decode(settings)).is_err(),
        None => *value != Value::Nil,
    }
}

/// Whether a call failed because a key is of another type.
pub(crate) fn is_of_another_type(error: &Error) -> bool {
    let Error::Store(error) = error else { return false };
    let cause = error.source.as_ref().and_then(|source| source.downcast_ref::<redis::RedisError>());
    cause.and_then(redis::RedisError::code) == Some("WRONGTYPE")
}

/// What is under the key of a record; a finding when it cannot be read or belongs elsewhere.
///
/// A document behind a damaged header is read nevertheless, and then has a revision of this new id.
pub(crate) fn record(settings: &Settings, key: &str, reply: &Value, new_id: WriteId) -> Result<StoredAt, Finding> {
    let unreadable = |error| Finding::Unreadable { key: key.to_owned(), error };
    match reply {
        Value::Nil => return Ok(StoredAt::Nothing),
        Value::Int(size) => return Err(unreadable(over_limit(*size, settings.options.document_limit))),
        _ => {}
    }
    let bytes = bytes(reply).ok_or_else(|| unreadable(FormatError::Foreign))?;
    if is_tombstone(bytes) {
        let id = RequestId::new(id_in(key)).map_err(|_| Finding::Misplaced { key: key.to_owned() })?;
        let decoded = decode_tombstone(&id, bytes).map_err(unreadable)?;
        let is_its_key = settings.keyspace.record(&decoded.id) == key;
        return is_its_key.then_some(StoredAt::Tombstone).ok_or_else(|| Finding::Misplaced { key: key.to_owned() });
    }
    let stored = match Record::parse(id_in(key), bytes) {
        Ok(record) => {
            let format = stored_format::version_number(record.document()).map_err(unreadable)?;
            let request = record.decode(settings).map_err(unreadable)?;
            StoredRecord { request, format, header: StoredHeader::Whole }
        }
        Err(error @ FormatError::UnsupportedVersion { .. }) if !Record::is_whole_but_for_version(id_in(key), bytes) => {
            return Err(unreadable(error));
        }
        Err(error) => {
            let salvaged = Salvaged::of(bytes, new_id, settings);
            let Salvaged { request, format, document_from } = salvaged.ok_or_else(|| unreadable(error.clone()))?;
            let sha1 = format!("{:x}", sha1::Sha1::digest(bytes));
            StoredRecord { request, format, header: StoredHeader::Damaged { error, sha1, document_from } }
        }
    };
    if settings.keyspace.record(&stored.request.id) != key {
        return Err(Finding::Misplaced { key: key.to_owned() });
    }
    Ok(StoredAt::Record(Box::new(stored)))
}

/// The id of the request whose record is under this key.
fn id_in(key: &str) -> &str {
    let name = key.split_once("}:").map_or(key, |(_, name)| name);
    name.strip_prefix(KeyKind::Record.prefix()).unwrap_or(name)
}

pub(crate) fn repaired(settings: &Settings, id: &RequestId, reply: &Value) -> Result<Repaired> {
    reject_wrong_type(reply)?;
    reject_missing_permission(reply)?;
    reject_other_layout(settings, reply)?;
    let broken = || unexpected("repair.lua");
    let parts = array(reply).ok_or_else(broken)?;
    if parts.first().and_then(text) == Some("changed") {
        return Ok(Repaired::Changed);
    }
    let [_, Value::Int(entries), missing, extra, Value::Int(stale)] = parts else {
        return Err(broken().into());
    };
    let names = |list: &Value| -> Option<Vec<String>> {
        array(list)?.iter().map(|name| bytes(name).map(|name| String::from_utf8_lossy(name).into_owned())).collect()
    };
    let missing = names(missing).ok_or_else(broken)?.into_iter();
    let extra = names(extra).ok_or_else(broken)?.into_iter();
    let mut findings: Vec<Finding> = missing.map(|index| Finding::MissingEntry { id: id.clone(), index }).collect();
    findings.extend(extra.map(|index| Finding::ExtraEntry { id: Some(id.clone()), index }));
    if *stale != 0 {
        findings.push(Finding::StaleHeader { id: id.clone() });
    }
    Ok(Repaired::Checked { entries: u64::try_from(*entries).unwrap_or(0), findings })
}

impl IndexPart {
    /// How many members of an index are read at once.
    pub(crate) const MAX_MEMBERS: usize = 500;
    /// After so many bytes of the documents they name the next are asked for by another call, with a deadline of its own: over a
    /// link on which one document arrives in time, a check ends.
    pub(crate) const MAX_BYTES: usize = 1024 * 1024;

    pub(crate) const fn nothing() -> Self {
        Self { misplaced: Vec::new(), members: Vec::new(), long: 0, next: None }
    }

    /// The part of `index` that was read behind `after`.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt) when reading on might never end.
    pub(crate) fn of(settings: &Settings, index: &str, after: &[u8], reply: &Value) -> Result<Self> {
        reject_other_layout(settings, reply)?;
        let [misplaced, members, Value::Int(long), next] = array(reply).unwrap_or_default() else {
            return Err(unexpected("index_part.lua").into());
        };
        let keys = |list: &Value| -> Result<Vec<SortKey>> {
            let members = array(list).ok_or_else(|| unexpected("index_part.lua"))?;
            let keys: Option<_> = members.iter().map(|member| bytes(member).map(SortKey::from_bytes)).collect();
            Ok(keys.ok_or_else(|| unexpected("index_part.lua"))?)
        };
        let (misplaced, members) = (keys(misplaced)?, keys(members)?);
        let long = usize::try_from(*long).map_err(|_| unexpected("index_part.lua"))?;
        let next = match next {
            Value::Nil => None,
            next => Some(bytes(next).ok_or_else(|| unexpected("index_part.lua"))?.to_vec()),
        };
        // It begins again only where something was found that a repair takes out of the way.
        let begins_again = next.as_ref().is_some_and(Vec::is_empty) && (long > 0 || !misplaced.is_empty());
        let is_sorted = members.is_sorted_by(|one, other| one < other);
        let is_behind = |bytes: &[u8]| after.is_empty() || bytes > after;
        let goes_on = members.iter().all(|member| is_behind(member.as_bytes()))
            && next.as_ref().is_none_or(|next| begins_again || !next.is_empty() && is_behind(next));
        if !is_sorted || !goes_on {
            return Err(corrupt(&format!("what was read along index {index} is not in its order")));
        }
        Ok(Self { misplaced, members, long, next })
    }

    /// Whether this is all of the index, in its order and without members that are longer than any of ours.
    pub(crate) const fn is_whole(&self) -> bool {
        self.next.is_none() && self.misplaced.is_empty() && self.long == 0
    }

    /// What is to be said of members with another score.
    pub(crate) fn wrong_scores(&self, index: &str) -> impl Iterator<Item = Finding> {
        self.misplaced.iter().map(|member| Finding::WrongScore { index: index.to_owned(), id: member.request_id() })
    }

    /// What is to be said of members that are longer than any of ours.
    pub(crate) fn long_members(&self, index: &str) -> impl Iterator<Item = Finding> {
        std::iter::repeat_n(Finding::ExtraEntry { index: index.to_owned(), id: None }, self.long)
    }

    /// The members that name no request.
    pub(crate) fn foreign_members(&self) -> Vec<SortKey> {
        self.members.iter().filter(|member| member.request_id().is_none()).cloned().collect()
    }

    /// The members that name such a request.
    pub(crate) fn members_of(&self, is_such: impl Fn(&RequestId) -> bool) -> Vec<SortKey> {
        self.members.iter().filter(|member| member.request_id().is_some_and(|id| is_such(&id))).cloned().collect()
    }

    /// The requests that the members name.
    pub(crate) fn ids(&self) -> Vec<RequestId> {
        let ids: BTreeSet<RequestId> = self.members.iter().filter_map(SortKey::request_id).collect();
        ids.into_iter().collect()
    }

    /// For each member that names one of these ids whether its document asks this index to hold it.
    pub(crate) fn explained(
        &self,
        settings: &Settings,
        index: &str,
        ids: &[&RequestId],
        records: &[Value],
    ) -> Vec<(SortKey, RequestId, Explained)> {
        let documents: BTreeMap<&RequestId, Held> =
            ids.iter().zip(records).map(|(&id, record)| (id, Held::of(settings, index, id, record))).collect();
        let explain = |member: &SortKey| {
            let id = member.request_id()?;
            let explained = documents.get(&id)?.explains(member);
            Some((member.clone(), id, explained))
        };
        self.members.iter().filter_map(explain).collect()
    }
}

/// What one document asks an index to hold.
enum Held {
    Members(Revision, BTreeSet<Vec<u8>>),
    NoDocument,
    Unreadable,
}

impl Held {
    fn of(settings: &Settings, index: &str, id: &RequestId, value: &Value) -> Self {
        if let Some(tombstone) = tombstone(id, value) {
            return Self::Members(tombstone.revision, BTreeSet::new());
        }
        match bytes(value).map(|bytes| Record::parse(id.as_str(), bytes).and_then(|it| it.decode(settings))) {
            Some(Ok(request)) if request.id == *id => {
                let prefix = settings.keyspace.index_prefix(settings.keyspace.partition_of(id));
                let suffix = index.strip_prefix(&prefix).unwrap_or_default().as_bytes();
                Self::Members(request.revision(), members_of(&request, &settings.options.indexed_metadata, suffix))
            }
            None if *value == Value::Nil => Self::NoDocument,
            _ => Self::Unreadable,
        }
    }

    fn explains(&self, member: &SortKey) -> Explained {
        match self {
            Self::Members(_, members) if members.contains(member.as_bytes()) => Explained::Yes,
            Self::Members(revision, _) => Explained::No(Some(*revision)),
            Self::NoDocument => Explained::No(None),
            Self::Unreadable => Explained::Yes,
        }
    }
}

/// Whether a reply to `drop_entry.lua` says that the entry was there and unexplained.
pub(crate) fn is_extra(settings: &Settings, reply: &Value) -> Result<bool> {
    reject_other_layout(settings, reply)?;
    let word = array(reply).and_then(|parts| text(parts.first()?)).ok_or_else(|| unexpected("drop_entry.lua"))?;
    Ok(word == "extra")
}

/// The stored form of the request in a reply to GET.
pub(crate) fn inspection(settings: &Settings, id: &RequestId, reply: &Value) -> Result<Option<Inspection>> {
    if let Some(tombstone) = tombstone(id, reply) {
        return Err(Error::removed(tombstone));
    }
    let key = settings.keyspace.record(id);
    let record = stored_record(id, reply, settings.options.document_limit);
    let Some(record) = record.map_err(|error| Error::Unreadable { key: key.clone(), error })? else {
        return Ok(None);
    };
    let request = record.decode(settings);
    Ok(Some(Inspection {
        revision: record.revision(),
        write_ids: record.write_ids().collect(),
        current_indexes: current_suffixes(&record.suffixes()),
        record_bytes: bytes(reply).map_or(0, <[u8]>::len),
        document_bytes: record.document().len(),
        request: request.and_then(|request| check_id(&request.id, id).map(|()| request)),
        key,
    }))
}
