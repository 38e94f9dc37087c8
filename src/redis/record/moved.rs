//! Records that a repartition moves to another partition, with their index entries.

use redis::Value;
use sha1::Digest as _;

use crate::redis::options::Settings;
use crate::redis::record::Record;
use crate::redis::record::index_entries::all_entries;
use crate::redis::reply::bytes;
use crate::request::{RequestId, Revision, WriteId};
use crate::stored_format::FormatError;

/// A record that lies where it belonged before, as it is to be stored where it belongs.
pub(crate) struct MovedRecord {
    pub(crate) id: RequestId,
    /// The partition where it was found.
    pub(crate) from: u16,
    /// What is stored, unchanged.
    pub(crate) bytes: Vec<u8>,
    /// The groups of all its index entries; none of a document that cannot be read.
    pub(crate) entries: Vec<u8>,
    revision: Option<Revision>,
}

impl MovedRecord {
    /// The record in a reply to reading it; `None` if nothing is stored.
    ///
    /// A document that cannot be read moves as it is: where it belongs, reading it tells what is wrong with it.
    ///
    /// # Errors
    /// The size of a record that is over the limit and so was not read.
    pub(crate) fn of(settings: &Settings, id: RequestId, from: u16, reply: &Value) -> Result<Option<Self>, i64> {
        if let Value::Int(size) = reply {
            return Err(*size);
        }
        let Some(bytes) = bytes(reply).filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let read = |record: Record<'_>| -> Result<_, FormatError> {
            let request = record.decode(settings)?;
            Ok((all_entries(&request, &settings.options.indexed_metadata), record.revision()))
        };
        let (entries, revision) = match Record::parse(id.as_str(), bytes).and_then(read) {
            Ok((entries, revision)) => (entries, Some(revision)),
            Err(_) => (Vec::new(), None),
        };
        Ok(Some(Self { id, from, bytes: bytes.to_vec(), entries, revision }))
    }

    /// That of the record, in hexadecimal.
    pub(crate) fn sha1(&self) -> String {
        format!("{:x}", sha1::Sha1::digest(&self.bytes))
    }

    /// Its revision, if it can be read.
    pub(crate) fn revision(&self) -> Revision {
        self.revision.unwrap_or_else(|| Revision::first(WriteId::from_bytes([0; 16])))
    }
}
