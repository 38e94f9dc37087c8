//! The bytes of a stored request, for programs that read or write them without a store: backups, audits, migrations.
//!
//! Every release reads what any earlier release wrote; it recognizes a newer release's bytes by their version, and
//! never half-reads them. The [page about the format](crate::guide::stored_format) defines the bytes. The
//! revision is not part of them: a store keeps it beside them.

// The only place that names bincode; it returns bytes, documents and `FormatError`s.

#[cfg(test)]
mod arbitrary;
mod compression;
#[cfg(test)]
mod compression_tests;
mod document;
mod envelope;
mod excerpt;
#[cfg(test)]
mod excerpt_tests;
#[cfg(test)]
mod figures;
mod format_version;
mod gates;
#[cfg(test)]
pub(crate) mod gates_tests;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile_tests;
mod limits;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples;
mod size_budget;
#[cfg(test)]
mod size_budget_tests;
mod stored_request;
#[cfg(test)]
mod tests;
mod unreadable;
mod versions;

use crate::request::RequestDocument;

pub use crate::error::FormatError;
pub use compression::Compression;
#[cfg_attr(
    not(feature = "redis"),
    allow(unused_imports, reason = "only a record in Redis has something before a document")
)]
pub(crate) use envelope::{HEADER_BYTES as DOCUMENT_HEAD_BYTES, MAGIC};
pub(crate) use excerpt::{Approvals, Decisions, Excerpt, Head, PendingApprovals, head_of};
pub use format_version::FormatVersion;
use gates::Format;
use limits::Budget;
pub use limits::DocumentLimit;
pub(crate) use size_budget::SizeBudget;
pub use stored_request::StoredRequest;
#[cfg(feature = "redis")]
pub(crate) use stored_request::{check_id, decode_request};
pub use unreadable::Unreadable;

/// The bytes of this document in the newest version, not compressed. Equal documents have equal bytes.
///
/// # Errors
/// [`FormatError::OverLimit`] if they, or the memory that reading them takes, are over the limit.
pub fn encode(document: &RequestDocument, limit: DocumentLimit) -> Result<Vec<u8>, FormatError> {
    encode_as(document, FormatVersion::NEWEST, limit)
}

/// The bytes of this document in the given version, not compressed. Equal documents have equal bytes in each version.
///
/// # Errors
/// As [`encode`], and [`FormatError::NotExpressible`] if the version cannot express something in the document.
pub fn encode_as(
    document: &RequestDocument,
    version: FormatVersion,
    limit: DocumentLimit,
) -> Result<Vec<u8>, FormatError> {
    encode_compressed(document, version, Compression::NEVER, limit)
}

/// The bytes of this document in the given version, compressed if its payload is as large as `compression` says and
/// that saves an eighth; otherwise those of [`encode_as`].
///
/// Equal documents have equal bytes only if the same release of this crate and of its codec wrote them; in any case
/// they decode to the same document. To compare or digest documents, use the bytes of [`encode_as`].
///
/// # Errors
/// As [`encode_as`], whose bytes must be within the limit too.
pub fn encode_compressed(
    document: &RequestDocument,
    version: FormatVersion,
    compression: Compression,
    limit: DocumentLimit,
) -> Result<Vec<u8>, FormatError> {
    Format::current().encode(version.number(), document, compression, limit)
}

/// The document with these bytes, in any known version.
///
/// Takes no more memory than a fixed multiple of the limit, whatever the bytes. Checks each part of the document by
/// itself; [`MutationRequest::from_document`](crate::MutationRequest::from_document) checks that they fit together.
///
/// # Errors
/// Every other [`FormatError`], depending on what is wrong with the bytes.
pub fn decode(bytes: &[u8], limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
    Format::current().decode(bytes, limit)
}

/// A part of the document with these bytes that rows show.
///
/// Checks only what it reads, and the checksum over all bytes.
pub(crate) fn decode_excerpt<E: Excerpt>(
    bytes: &[u8],
    limit: DocumentLimit,
    excerpt: E,
) -> Result<(Head, E::Parts), FormatError> {
    Format::current().decode_excerpt(bytes, limit, excerpt)
}

/// Checks the envelope without decoding the document: that it is undamaged, of a known version, and uncompressed within
/// the limit. Returns the uncompressed number of bytes.
pub(crate) fn check_envelope(bytes: &[u8], limit: DocumentLimit) -> Result<usize, FormatError> {
    let opened = envelope::open(bytes, limit)?;
    Format::current().version(opened.schema_version)?;
    opened.uncompressed_bytes(limit)
}

/// The version that an envelope names, without a look at the rest.
#[cfg(feature = "redis")]
pub(crate) fn version_of(bytes: &[u8]) -> Option<u16> {
    bytes.get(6..8).and_then(|version| version.try_into().ok()).map(u16::from_le_bytes)
}

/// A valid envelope around any body.
#[cfg(all(any(test, fuzzing), feature = "redis"))]
pub(crate) fn envelope_around(version: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = envelope::begin(body.len());
    bytes.extend_from_slice(body);
    envelope::seal(bytes, version, DocumentLimit::MAX).expect("a body that is no larger than a document")
}

/// The version number of these bytes, which need not be a known one.
///
/// # Errors
/// [`FormatError`] if the envelope is damaged.
pub fn version_number(bytes: &[u8]) -> Result<u16, FormatError> {
    envelope::open(bytes, DocumentLimit::MAX).map(|opened| opened.schema_version)
}

/// The uncompressed number of bytes that these bytes announce. This number counts against a [`DocumentLimit`].
///
/// # Errors
/// As [`version_number`].
pub fn uncompressed_bytes(bytes: &[u8]) -> Result<usize, FormatError> {
    envelope::open(bytes, DocumentLimit::MAX).and_then(|opened| opened.uncompressed_bytes(DocumentLimit::MAX))
}
