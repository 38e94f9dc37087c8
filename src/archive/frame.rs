//! Files of stored bytes: a head, one frame for each record, and an end. `docs/export.md` defines the bytes.

use std::borrow::Cow;

use super::RequestRecord;
use crate::error::Result;
use crate::request::{RequestId, Revision, WriteId, WriteIntent};
use crate::service::settle::RememberedWrite;
use crate::stored_format::{self, DocumentLimit, StoredRequest};

/// The first byte is no text and the rest is, as in the envelope of a document; then the version, little-endian.
pub(super) const HEAD: [u8; 8] = *b"\x89MGA\x01\x00\x00\x00";
/// Before a frame: its length and its CRC-32.
pub(super) const PREFIX_BYTES: usize = 8;
/// After the last frame: a length of 0, and the number of frames.
pub(super) const END_BYTES: usize = 12;
/// The most that a frame has besides its document.
pub(super) const MAX_BESIDE_DOCUMENT: usize = 1024;

const WRITE_ID_BYTES: usize = 16;

/// Adds a record to `into`.
pub(super) fn put(record: &RequestRecord, into: &mut Vec<u8>) -> Result<()> {
    let request = record.request();
    let document =
        request.document_bytes().map_or_else(|| encoded(request).map(Cow::Owned), |bytes| Ok(bytes.into()))?;
    let from = into.len();
    into.extend_from_slice(&[0; PREFIX_BYTES]);
    let (id, Revision { number, write_id }) = (request.id().as_str(), request.revision());
    into.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    into.extend_from_slice(id.as_bytes());
    into.extend_from_slice(&number.to_le_bytes());
    into.extend_from_slice(write_id.as_bytes());
    into.push(u8::try_from(record.writes().len()).unwrap_or(u8::MAX));
    for RememberedWrite { number, id, intent } in record.writes() {
        into.extend_from_slice(&number.to_le_bytes());
        into.extend_from_slice(id.as_bytes());
        into.extend_from_slice(&intent.to_bytes());
    }
    into.extend_from_slice(&document);
    let frame = into.get(from + PREFIX_BYTES..).unwrap_or_default();
    let (length, checksum) = (u32::try_from(frame.len()).unwrap_or(u32::MAX), crc32fast::hash(frame));
    if let Some(prefix) = into.get_mut(from..from + PREFIX_BYTES) {
        let (length_at, checksum_at) = prefix.split_at_mut(PREFIX_BYTES / 2);
        length_at.copy_from_slice(&length.to_le_bytes());
        checksum_at.copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(())
}

fn encoded(stored: &StoredRequest) -> Result<Vec<u8>> {
    let request = stored.request()?;
    let encoded = stored_format::encode(request.document(), DocumentLimit::MAX);
    encoded.map_err(|error| crate::Error::unwritable(request.id.clone(), error))
}

/// The end after this many frames.
pub(super) fn end(frames: u64) -> [u8; END_BYTES] {
    let mut end = [0; END_BYTES];
    if let Some(count) = end.get_mut(4..) {
        count.copy_from_slice(&frames.to_le_bytes());
    }
    end
}

/// Length and checksum of the frame that follows.
pub(super) fn prefix(bytes: &[u8]) -> Option<(usize, u32)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, _) = rest.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, u32::from_le_bytes(*checksum)))
}

/// The number of frames that an end names.
pub(super) fn count_in_end(bytes: &[u8]) -> Option<u64> {
    bytes.get(4..END_BYTES)?.try_into().ok().map(u64::from_le_bytes)
}

/// The record in a frame.
pub(super) fn read(frame: &[u8], checksum: u32, limit: DocumentLimit) -> Result<RequestRecord, String> {
    let computed = crc32fast::hash(frame);
    if computed != checksum {
        return Err(format!("the record has changed: its CRC-32 is {computed:08x} instead of {checksum:08x}"));
    }
    let mut rest = frame;
    let id = take(&mut rest, 1).and_then(|length| take(&mut rest, usize::from(*length.first()?)));
    let id = id.and_then(|id| std::str::from_utf8(id).ok()).ok_or("the record names no request")?;
    let id = RequestId::new(id).map_err(|error| error.to_string())?;
    let (revision, writes) = revision_and_writes(&mut rest).ok_or("the record ends within its revision")?;
    let ids = crate::request::IdComparison::default();
    let stored = StoredRequest::encoded(id, revision, rest.to_vec(), 0, limit, ids);
    Ok(RequestRecord::new(stored.map_err(|error| error.to_string())?, writes))
}

fn revision_and_writes(rest: &mut &[u8]) -> Option<(Revision, Vec<RememberedWrite>)> {
    let revision = Revision { number: number(rest)?, write_id: write_id(rest)? };
    let count = take(rest, 1)?.first()?;
    let write = |_| {
        let (number, id) = (number(rest)?, write_id(rest)?);
        let intent = WriteIntent::from_bytes(take(rest, WriteIntent::BYTES)?.try_into().ok()?);
        Some(RememberedWrite { number, id, intent })
    };
    let writes: Option<Vec<RememberedWrite>> = (0..*count).map(write).collect();
    Some((revision, writes?))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest, 8)?.try_into().ok().map(u64::from_le_bytes)
}

fn write_id(rest: &mut &[u8]) -> Option<WriteId> {
    take(rest, WRITE_ID_BYTES)?.try_into().ok().map(WriteId::from_bytes)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}
