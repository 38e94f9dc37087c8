//! Files of JSON Lines: one request a line, in its JSON form, and beside its fields the writes that its store remembered.

use serde::{Deserialize, Deserializer};

use super::RequestRecord;
use crate::error::{Error, FormatError, Result};
use crate::json::read_beside_if_there;
use crate::request::MutationRequest;
use crate::service::settle::RememberedWrite;
use crate::stored_format::DocumentLimit;

const WRITES: &str = "writes";

/// The most bytes of a line: a document in JSON takes up to some six times as many as stored, and Base64 a third more.
pub(super) const fn longest(limit: DocumentLimit) -> usize {
    limit.bytes().saturating_mul(8).saturating_add(64 * 1024)
}

/// Adds a record to `into`.
pub(super) fn put(record: &RequestRecord, into: &mut Vec<u8>) -> Result<()> {
    let request = record.request().request()?;
    let unwritable = |error: serde_json::Error| {
        let error = FormatError::Malformed { problem: error.to_string() };
        Error::Unwritable { id: request.id.clone(), error }
    };
    serde_json::to_writer(&mut *into, &request).map_err(unwritable)?;
    if !record.writes().is_empty() {
        // The request is an object that is not empty; the field goes before its end.
        into.pop();
        into.extend_from_slice(b",\"writes\":");
        serde_json::to_writer(&mut *into, record.writes()).map_err(unwritable)?;
        into.push(b'}');
    }
    into.push(b'\n');
    Ok(())
}

/// The record in a line.
pub(super) fn read(line: &[u8]) -> Result<RequestRecord, String> {
    serde_json::from_slice(line).map(|Line(record)| record).map_err(|error| error.to_string())
}

struct Line(RequestRecord);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (writes, request): (Option<Vec<RememberedWrite>>, MutationRequest) =
            read_beside_if_there(deserializer, WRITES)?;
        Ok(Self(RequestRecord::new(request.into(), writes.unwrap_or_default())))
    }
}
