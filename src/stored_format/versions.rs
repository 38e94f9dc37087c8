//! Which versions there are. A new one is a module, a line of [`KNOWN`], and a chapter of `docs/stored-format.md`.

use super::excerpt::{
    Approvals, Head, IsWantedApproval, IsWantedDecision, PlacedDecisions, approvals_of, decisions_of,
};
use super::{Compression, DocumentLimit, FormatError, document, envelope};
use crate::request::RequestDocument;

/// One version: its number, and how its bodies are written and read.
#[derive(Clone, Copy)]
pub(super) struct Version {
    pub(super) number: u16,
    /// Appends the body of a document, or says why this version cannot hold it.
    pub(super) encode: fn(&RequestDocument, DocumentLimit, &mut Vec<u8>) -> Result<(), FormatError>,
    pub(super) decode: fn(&[u8], DocumentLimit) -> Result<RequestDocument, FormatError>,
    /// How parts of a body are read by themselves; where it is not known, the whole is read for them.
    pub(super) excerpts: Option<Excerpts>,
}

/// What is read of a body without reading all of it.
#[derive(Clone, Copy)]
pub(super) struct Excerpts {
    pub(super) approvals: fn(&[u8], DocumentLimit, IsWantedApproval<'_>) -> Read<Approvals>,
    pub(super) decisions: fn(&[u8], DocumentLimit, IsWantedDecision<'_>) -> Read<PlacedDecisions>,
}

type Read<Parts> = Result<(Head, Parts), FormatError>;

/// Every version there ever was, the newest last.
pub(super) const KNOWN: &[Version] = &[Version {
    number: document::NUMBER,
    encode: document::encode,
    decode: document::decode,
    excerpts: Some(Excerpts { approvals: document::decode_approvals, decisions: document::decode_decisions }),
}];

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
    read(known, bytes, limit, |version, body| (version.decode)(body, limit))
}

/// Reads of a document what its rows about approvals show.
pub(super) fn decode_approvals(
    known: &[Version],
    bytes: &[u8],
    limit: DocumentLimit,
    is_wanted: IsWantedApproval<'_>,
) -> Read<Approvals> {
    read(known, bytes, limit, |version, body| match &version.excerpts {
        Some(excerpts) => (excerpts.approvals)(body, limit, is_wanted),
        None => (version.decode)(body, limit).map(|document| approvals_of(document, is_wanted)),
    })
}

/// Reads of a document what its rows about decisions show.
pub(super) fn decode_decisions(
    known: &[Version],
    bytes: &[u8],
    limit: DocumentLimit,
    is_wanted: IsWantedDecision<'_>,
) -> Read<PlacedDecisions> {
    read(known, bytes, limit, |version, body| match &version.excerpts {
        Some(excerpts) => (excerpts.decisions)(body, limit, is_wanted),
        None => (version.decode)(body, limit).map(|document| decisions_of(document, is_wanted)),
    })
}

/// Opens the envelope and has the body read by its version.
fn read<T>(
    known: &[Version],
    bytes: &[u8],
    limit: DocumentLimit,
    read: impl FnOnce(&Version, &[u8]) -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    let opened = envelope::open(bytes, limit)?;
    let version = find(known, opened.schema_version)?;
    read(version, &opened.body(limit)?)
}
