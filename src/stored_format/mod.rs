//! The bytes a request is stored as, for those who read or write them beside a store: backups, audits, migrations.
//!
//! Whatever any release wrote, every later one reads; what a newer release wrote is refused by its version and never
//! half-read. The bytes are written down in `docs/stored-format.md`. The revision is not part of them: a store keeps
//! it beside them.

// The only place that names bincode; what it gives out is bytes, documents and `FormatError`s.

mod envelope;
mod format_error;
mod limits;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod version_1;

use crate::request::RequestDocument;

pub use format_error::FormatError;
use limits::Budget;
pub use limits::DocumentLimit;

/// The bytes of this document, in the newest version. Equal documents have equal bytes.
///
/// # Errors
/// [`FormatError::OverLimit`] when they, or the memory that reading them takes, are more than the limit allows.
pub fn encode(document: &RequestDocument, limit: DocumentLimit) -> Result<Vec<u8>, FormatError> {
    let mut bytes = envelope::begin(2048);
    version_1::encode(document, limit, &mut bytes)?;
    envelope::seal(bytes, version_1::NUMBER, limit)
}

/// The document with these bytes, in whichever known version they were written.
///
/// Takes no more memory than a fixed multiple of the limit, whatever the bytes are. The parts of the document are
/// checked each by itself; [`MutationRequest::from_document`](crate::MutationRequest::from_document) checks how they go
/// together.
///
/// # Errors
/// Every other [`FormatError`], by what is wrong with the bytes.
pub fn decode(bytes: &[u8], limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
    let opened = envelope::open(bytes, limit)?;
    match opened.schema_version {
        version_1::NUMBER => version_1::decode(opened.body, limit),
        newer => Err(envelope::unknown_version("schema", newer, version_1::NUMBER)),
    }
}
