//! Unique keys: at most one open request of a namespace has each, whatever fails and whenever.
//!
//! The reservation of a key lies in the partition of the key, the request in the partition of its id, so no script writes
//! both. Three calls submit a request: it gets a *permit* in its own partition; the key is *reserved* for it; it is
//! *created*, by a script that uses the permit up and fails without it. Whoever finds a reservation judges it by the
//! request it names. To take the key from a request that was never created, they first revoke its permit: from then on no
//! creation that began earlier succeeds. ADR 0049 has the proof, and `model.rs` tries every order of steps.

#[cfg(test)]
mod model;

use std::time::Duration;

use redis::Value;

use super::namespace::layout::reject_other_layout;
use super::options::Settings;
use super::reply::{array, bytes, reject_missing_permission, reject_wrong_type, tagged, text, unexpected};
use crate::error::{Error, Outcome, Result, StoreError, StoreErrorKind};
use crate::request::{RequestDocument, RequestId, Timestamp, UniqueKey, WriteId};

/// A reservation of a request that does not exist keeps the key for this long: its creation may be under way.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Who has a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) id: RequestId,
    /// Since when, by the clock of the server that keeps it.
    pub(crate) age: Duration,
    /// The value as it is stored.
    pub(crate) value: Vec<u8>,
}

/// What is to become of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Its request is open, or may still be created.
    Stands,
    /// Its request has ended, or is another one without this key.
    IsFree,
    /// Its request was not created in time: free once the permit is revoked.
    IsAbandoned,
}

/// The reply to a call for a reservation.
#[derive(Debug)]
pub(crate) enum Reserved {
    Done,
    /// Nobody has the key.
    Free,
    HeldBy(Reservation),
    /// The value is not one of ours, or longer than any: then it is not here.
    Damaged(Vec<u8>),
}

/// The reply to a call about a permit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// The permit has this token.
    Given(WriteId),
    Revoked,
    /// The request exists.
    Stored,
}

/// Whether the request is open and has this key.
pub(crate) fn holds(request: &RequestDocument, key: &UniqueKey) -> bool {
    request.open_key() == Some(key)
}

/// Judges the reservation of this key by the request that it names, if that exists.
pub(crate) fn judge(key: &UniqueKey, found: Option<&RequestDocument>, age: Duration) -> Judgement {
    match found {
        Some(request) if holds(request, key) => Judgement::Stands,
        Some(_) => Judgement::IsFree,
        None if age < PATIENCE => Judgement::Stands,
        None => Judgement::IsAbandoned,
    }
}

fn reject(settings: &Settings, reply: &Value) -> Result<()> {
    reject_wrong_type(reply)?;
    reject_missing_permission(reply)?;
    reject_other_layout(settings, reply)
}

pub(crate) fn reserved(settings: &Settings, reply: &Value) -> Result<Reserved> {
    reject(settings, reply)?;
    match tagged(reply, "reservation.lua")? {
        ("reserved", _) => Ok(Reserved::Done),
        ("free", _) => Ok(Reserved::Free),
        ("held", [value, Value::Int(micros)]) => {
            let Some((value, id)) = bytes(value).and_then(|value| Some((value, id_in(value)?))) else {
                return Ok(Reserved::Damaged(bytes(value).unwrap_or_default().to_vec()));
            };
            let age = Duration::from_micros(u64::try_from(*micros).unwrap_or(0));
            Ok(Reserved::HeldBy(Reservation { id, age, value: value.to_vec() }))
        }
        _ => Err(unexpected("reservation.lua").into()),
    }
}

/// Whether a reservation was released.
pub(crate) fn released(settings: &Settings, reply: &Value) -> Result<bool> {
    reject(settings, reply)?;
    match tagged(reply, "reservation.lua")? {
        ("released", [Value::Int(count)]) => Ok(*count > 0),
        _ => Err(unexpected("reservation.lua").into()),
    }
}

pub(crate) fn permit(settings: &Settings, reply: &Value) -> Result<Permit> {
    reject(settings, reply)?;
    match tagged(reply, "permit.lua")? {
        ("given", [token]) => {
            let token = text(token).and_then(|token| token.parse().ok());
            Ok(Permit::Given(token.ok_or_else(|| unexpected("permit.lua"))?))
        }
        ("revoked", _) => Ok(Permit::Revoked),
        ("stored", _) => Ok(Permit::Stored),
        _ => Err(unexpected("permit.lua").into()),
    }
}

/// The id of the request that a reservation names.
pub(crate) fn id_in(value: &[u8]) -> Option<RequestId> {
    let mut words = std::str::from_utf8(value).ok()?.split(' ');
    let (id, token, at) = (words.next()?, words.next()?, words.next()?);
    let _: (WriteId, u64) = (token.parse().ok()?, at.parse().ok()?);
    if words.next().is_some() { None } else { RequestId::new(id).ok() }
}

/// The age of a reservation or permit at this time; without a time in it, more than any.
pub(crate) fn age_at(value: &[u8], now: Timestamp) -> Duration {
    let at = std::str::from_utf8(value).ok().and_then(|text| text.rsplit(' ').next()?.parse::<u64>().ok());
    at.map_or(Duration::MAX, |at| Duration::from_micros(now.as_micros().saturating_sub(at)))
}

/// Fields of a hash, and their values.
pub(crate) type Fields = Vec<(String, Vec<u8>)>;

/// A step of HSCAN: the cursor, and fields with their values. Fields that are no text are none of ours.
pub(crate) fn fields(reply: &Value) -> Result<(u64, Fields)> {
    let broken = || Error::from(unexpected("HSCAN"));
    let [cursor, list] = array(reply).unwrap_or_default() else { return Err(broken()) };
    let cursor = text(cursor).and_then(|cursor| cursor.parse().ok()).ok_or_else(broken)?;
    let pairs = array(list).ok_or_else(broken)?.chunks(2);
    let pair = |pair: &[Value]| match pair {
        [name, value] => Some((text(name)?.to_owned(), bytes(value)?.to_vec())),
        _ => None,
    };
    Ok((cursor, pairs.filter_map(pair).collect()))
}

pub(crate) fn damaged(key: &UniqueKey) -> Error {
    let problem = format!(
        "the reservation of unique key {key} is not one of ours; find out who writes to it, and repair it with \
         RedisStore::repair"
    );
    StoreError::new(StoreErrorKind::Corrupt, Outcome::NotApplied, problem).into()
}

/// The error of a submission that others undid too often.
pub(crate) fn contended(id: &RequestId, key: &UniqueKey) -> Error {
    let problem = format!(
        "request {id}: so many others reserve and release unique key {key} that it could not be reserved; submit again"
    );
    StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, problem).into()
}

/// The same error of a step before the creation, which has written no request.
pub(crate) fn before_creation(error: Error) -> Error {
    match error {
        Error::Store(error) => StoreError { outcome: Outcome::NotApplied, ..error }.into(),
        other => other,
    }
}
