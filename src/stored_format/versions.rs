//! Documents in any version of a format: reads and writes the envelope and the version it names.

use super::excerpt::{Excerpt, Head};
use super::gates::{Format, Version};
use super::{Compression, DocumentLimit, FormatError, document, envelope};
use crate::request::RequestDocument;

impl Format {
    /// Writes a document in the version with this number.
    pub(super) fn encode(
        self,
        number: u16,
        document: &RequestDocument,
        compression: Compression,
        limit: DocumentLimit,
    ) -> Result<Vec<u8>, FormatError> {
        let mut bytes = envelope::begin(2048);
        document::encode(document, self.version(number)?, limit, &mut bytes)?;
        if compression.applies_to(document) {
            return envelope::seal_compressed(bytes, number, limit);
        }
        envelope::seal(bytes, number, limit)
    }

    /// Reads a document in the version it was written in.
    pub(super) fn decode(self, bytes: &[u8], limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
        self.read(bytes, limit, |version, body| document::decode(body, version, limit))
    }

    /// Reads a part of a document that rows show.
    pub(super) fn decode_excerpt<E: Excerpt>(
        self,
        bytes: &[u8],
        limit: DocumentLimit,
        excerpt: E,
    ) -> Result<(Head, E::Parts), FormatError> {
        self.read(bytes, limit, |version, body| excerpt.decode(body, version, limit))
    }

    fn read<T>(
        self,
        bytes: &[u8],
        limit: DocumentLimit,
        read: impl FnOnce(Version, &[u8]) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let opened = envelope::open(bytes, limit)?;
        let version = self.version(opened.schema_version)?;
        read(version, &opened.body(limit)?)
    }
}
