//! Reads the replies of the scripts that read along indexes.

use std::collections::BTreeSet;

use redis::Value;

use crate::error::Result;
use crate::index::SortKey;
use crate::redis::options::{RedisOptions, Settings};
use crate::redis::pages::scan::{MAX_PAGE_BYTES, Scan, Scanned};
use crate::redis::record::Record;
use crate::redis::reply::{array, bytes, corrupt, over_limit, reject_disorder, unexpected};
use crate::request::RequestId;
use crate::stored_format::{FormatError, StoredRequest, Unreadable};

/// The result of a scan.
///
/// # Errors
/// [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt) if the members are not in order, because reading might
/// then never end.
pub(crate) fn scanned(settings: &Settings, partition: u16, scan: &Scan<'_>, reply: Value) -> Result<Scanned> {
    let broken = || unexpected("scan.lua");
    reject_disorder(&reply)?;
    let parts = into_array(reply).and_then(|parts| <[Value; 6]>::try_from(parts).ok()).ok_or_else(broken)?;
    let [Value::Int(more), position, Value::Int(looked_at), sizes, members, records] = parts else {
        return Err(broken().into());
    };
    let key = |value: Value| into_bytes(value).map(SortKey::from_bytes);
    let members: Option<Vec<SortKey>> = into_array(members).ok_or_else(broken)?.into_iter().map(key).collect();
    let mut members = members.ok_or_else(broken)?;
    let records = into_array(records).ok_or_else(broken)?;
    let (mut more, mut position) = (more != 0, key(position).ok_or_else(broken)?);
    if !is_in_order(scan, &members, more.then_some(&position)) {
        let indexes = scan.driver.iter().take(3).map(|term| settings.keyspace.index(partition, term));
        let indexes: Vec<String> = indexes.map(|index| String::from_utf8_lossy(&index).into_owned()).collect();
        return Err(corrupt(&format!("what was read along index {} is not in its order", indexes.join(" or "))));
    }

    // The script bounds the compressed bytes it sends; uncompressed, no more than a page holds are added to them.
    let sent = records.iter().filter_map(bytes).map(<[u8]>::len).fold(0, usize::saturating_add);
    let most_held = sent.saturating_add(MAX_PAGE_BYTES);
    let (mut requests, mut held, mut left) = (Vec::with_capacity(records.len()), 0_usize, None);
    let mut rows = BTreeSet::new();
    let mut first_named =
        members.iter().enumerate().filter(|(_, member)| member.id_of_row().is_none_or(|id| rows.insert(id)));
    for record in records {
        let (place, member) = first_named.next().ok_or_else(broken)?;
        if held >= most_held {
            left = Some(place);
            break;
        }
        // Members that are not valid are skipped here; a check finds them.
        let Some(id) = member.request_id() else { continue };
        let stored = stored_request(settings, id, record);
        held = held.saturating_add(stored.as_ref().map_or(0, StoredRequest::uncompressed_bytes));
        requests.push((member.clone(), stored));
    }
    // The rest waits for the next call, like records that the script finds too large to send.
    if let Some(left) = left {
        members.truncate(left);
        more = true;
        position = members.last().cloned().ok_or_else(broken)?;
    }
    Ok(Scanned {
        more,
        position,
        looked_at: u64::try_from(looked_at).unwrap_or(0),
        sizes: numbers(&sizes).ok_or_else(broken)?,
        members,
        requests,
    })
}

/// Whether the members and the next position are in order within the bounds of a scan. Only then does each following
/// scan come nearer to the end.
fn is_in_order(scan: &Scan<'_>, members: &[SortKey], position: Option<&SortKey>) -> bool {
    let follows = |one: &SortKey, other: &SortKey| if scan.descending { one > other } else { one < other };
    let is_sorted = members.is_sorted_by(follows);
    let last = members.last().into_iter();
    let (all, position) = (members.first().into_iter().chain(last), position.into_iter());
    let is_behind_members =
        |position: &SortKey| members.last().is_none_or(|last| last == position || follows(last, position));
    is_sorted && all.chain(position.clone()).all(|key| scan.holds(key)) && position.clone().all(is_behind_members)
}

/// The request in a record that was read for this id.
pub(in crate::redis) fn stored_request(
    settings: &Settings,
    id: RequestId,
    record: Value,
) -> Result<StoredRequest, Unreadable> {
    if let Value::Int(size) = record {
        return Err(Unreadable::new(id, over_limit(size, settings.options.document_limit)));
    }
    if record == Value::Nil {
        let problem = "an index names the request, but nothing is stored under its key".to_owned();
        return Err(Unreadable::new(id, FormatError::Malformed { problem }));
    }
    let Some(bytes) = into_bytes(record) else { return Err(Unreadable::new(id, FormatError::Foreign)) };
    let parsed = Record::parse(id.as_str(), &bytes).map(|record| {
        let created = record.created_key().and_then(|key| key.time());
        (record.revision(), bytes.len() - record.document().len(), created)
    });
    match parsed {
        Ok((revision, begins_at, created)) => {
            let &RedisOptions { document_limit, id_comparison, .. } = &settings.options;
            let stored = StoredRequest::encoded(id, revision, bytes, begins_at, document_limit, id_comparison)?;
            Ok(stored.recorded_as_created(created))
        }
        Err(error) => Err(Unreadable::new(id, error)),
    }
}

/// How many keys each term holds, and the first key of the first term.
pub(crate) fn sizes(reply: &Value) -> Result<(Vec<u64>, Option<SortKey>)> {
    reject_disorder(reply)?;
    let [sizes, first] = array(reply).unwrap_or_default() else {
        return Err(unexpected("sizes.lua").into());
    };
    let sizes = numbers(sizes).ok_or_else(|| unexpected("sizes.lua"))?;
    Ok((sizes, bytes(first).map(|bytes| SortKey::from_bytes(bytes.to_vec()))))
}

fn into_array(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

fn into_bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}

fn numbers(value: &Value) -> Option<Vec<u64>> {
    let number = |value: &Value| match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    };
    array(value)?.iter().map(number).collect()
}
