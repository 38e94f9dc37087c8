//! Which versions there are. A new one is a module, a line of [`KNOWN`], and a chapter of `docs/stored-format.md`.

use super::{Compression, DocumentLimit, FormatError, envelope, version_1, version_2};
use crate::request::RequestDocument;

/// One version: its number, and how its bodies are written and read.
pub(super) struct Version {
    pub(super) number: u16,
    /// Appends the body of a document, or says why this version cannot hold it.
    pub(super) encode: fn(&RequestDocument, DocumentLimit, &mut Vec<u8>) -> Result<(), FormatError>,
    pub(super) decode: fn(&[u8], DocumentLimit) -> Result<RequestDocument, FormatError>,
}

/// Every version there ever was, the newest last.
pub(super) const KNOWN: &[Version] = &[
    Version { number: version_1::NUMBER, encode: version_1::encode, decode: version_1::decode },
    Version { number: version_2::NUMBER, encode: version_2::encode, decode: version_2::decode },
];

/// The version with this number, among `known`.
pub(super) fn find(known: &[Version], number: u16) -> Result<&Version, FormatError> {
    let newest = known.last().map_or(0, |version| version.number);
    let found = known.iter().find(|version| version.number == number);
    found.ok_or_else(|| envelope::unknown_version("schema", number, newest))
}

/// Writes a document as this one of the `known` versions.
pub(super) fn encode(
    known: &[Version],
    number: u16,
    document: &RequestDocument,
    compression: Compression,
    limit: DocumentLimit,
) -> Result<Vec<u8>, FormatError> {
    let version = find(known, number)?;
    let mut bytes = envelope::begin(2048);
    (version.encode)(document, limit, &mut bytes)?;
    if compression.applies_to(document) {
        return envelope::seal_compressed(bytes, number, limit);
    }
    envelope::seal(bytes, number, limit)
}

/// Reads a document in whichever of the `known` versions it was written.
pub(super) fn decode(known: &[Version], bytes: &[u8], limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
    let opened = envelope::open(bytes, limit)?;
    let version = find(known, opened.schema_version)?;
    (version.decode)(&opened.body(limit)?, limit)
}
