//! The envelope around a body: it identifies the format and the version, and shows damage.

use std::borrow::Cow;

use super::{DocumentLimit, FormatError, compression};

/// The first byte is no text and the rest is, so that neither text nor another format begins with the same bytes.
pub(crate) const MAGIC: [u8; 4] = *b"\x89MGR";
const ENVELOPE_VERSION: u8 = 1;
pub(crate) const HEADER_BYTES: usize = 16;
/// The body is compressed.
const COMPRESSED: u8 = 1;

/// The fixed part before the body; all numbers are little-endian.
struct Header {
    envelope_version: u8,
    flags: u8,
    schema_version: u16,
    body_length: u32,
    checksum: u32,
}

/// A body with a valid envelope.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) schema_version: u16,
    is_compressed: bool,
    stored: &'a [u8],
}

/// Reserves the header; append the body, then [`seal`].
pub(super) fn begin(capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES.saturating_add(capacity));
    bytes.resize(HEADER_BYTES, 0);
    bytes
}

/// Fills in the header of a buffer that [began](begin) with it.
pub(super) fn seal(bytes: Vec<u8>, schema_version: u16, limit: DocumentLimit) -> Result<Vec<u8>, FormatError> {
    seal_with(0, bytes, schema_version, limit)
}

/// As [`seal`], with the body compressed if that makes it an eighth smaller.
///
/// Check the limit first: a reader rejects what is within the limit only when compressed.
pub(super) fn seal_compressed(
    bytes: Vec<u8>,
    schema_version: u16,
    limit: DocumentLimit,
) -> Result<Vec<u8>, FormatError> {
    limit.check(bytes.len())?;
    match compression::compress(bytes.get(HEADER_BYTES..).unwrap_or_default(), begin(0)) {
        Some(smaller) => seal_with(COMPRESSED, smaller, schema_version, limit),
        None => seal(bytes, schema_version, limit),
    }
}

fn seal_with(flags: u8, mut bytes: Vec<u8>, schema_version: u16, limit: DocumentLimit) -> Result<Vec<u8>, FormatError> {
    limit.check(bytes.len())?;
    let too_large = FormatError::OverLimit { size: bytes.len(), unit: "bytes", limit: limit.bytes() };
    let Some((header, body)) = bytes.split_first_chunk_mut::<HEADER_BYTES>() else { return Err(too_large) };
    let Ok(body_length) = u32::try_from(body.len()) else { return Err(too_large) };
    let mut fields = Header { envelope_version: ENVELOPE_VERSION, flags, schema_version, body_length, checksum: 0 };
    fields.checksum = fields.checksum_with(body);
    *header = fields.to_bytes();
    Ok(bytes)
}

/// Checks the envelope and returns the body.
///
/// A newer envelope is an error before anything else is read, because its layout is unknown. A newer schema or flag is
/// an error only after the checksum, so that damage is not mistaken for either.
pub(super) fn open(bytes: &[u8], limit: DocumentLimit) -> Result<Opened<'_>, FormatError> {
    let magic = bytes.get(..MAGIC.len()).unwrap_or(bytes);
    if !MAGIC.starts_with(magic) {
        return Err(FormatError::Foreign);
    }
    if let Some(&version) = bytes.get(MAGIC.len())
        && version != ENVELOPE_VERSION
    {
        return Err(unknown_version("envelope", version.into(), ENVELOPE_VERSION.into()));
    }
    limit.check(bytes.len())?;
    let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(FormatError::Truncated { expected: HEADER_BYTES, found: bytes.len() });
    };
    let header = Header::from_bytes(header);
    let body_length = usize::try_from(header.body_length).unwrap_or(usize::MAX);
    let announced = body_length.saturating_add(HEADER_BYTES);
    if body.len() < body_length {
        return Err(FormatError::Truncated { expected: announced, found: bytes.len() });
    }
    if body.len() > body_length {
        let problem = format!("{announced} bytes were announced, {} are there", bytes.len());
        return Err(FormatError::Malformed { problem });
    }
    let computed = header.checksum_with(body);
    if computed != header.checksum {
        return Err(FormatError::ChecksumMismatch { recorded: header.checksum, computed });
    }
    let unknown_flags = header.flags & !COMPRESSED;
    if unknown_flags != 0 {
        return Err(FormatError::UnsupportedFlags { flags: unknown_flags });
    }
    let is_compressed = header.flags & COMPRESSED != 0;
    Ok(Opened { schema_version: header.schema_version, is_compressed, stored: body })
}

impl<'a> Opened<'a> {
    /// The number of bytes with an uncompressed body, as the envelope announces it, within this limit.
    pub(super) fn uncompressed_bytes(&self, limit: DocumentLimit) -> Result<usize, FormatError> {
        let body = if self.is_compressed { compression::announced(self.stored)? } else { self.stored.len() };
        let bytes = body.saturating_add(HEADER_BYTES);
        limit.check(bytes).map(|()| bytes)
    }

    /// The body as its version wrote it. The limit applies to the uncompressed body.
    pub(super) fn body(&self, limit: DocumentLimit) -> Result<Cow<'a, [u8]>, FormatError> {
        if !self.is_compressed {
            return Ok(Cow::Borrowed(self.stored));
        }
        self.uncompressed_bytes(limit)?;
        compression::decompress(self.stored).map(Cow::Owned)
    }
}

/// The error for an unknown version: newer, or 0, which is never used.
pub(super) fn unknown_version(part: &'static str, found: u16, newest_supported: u16) -> FormatError {
    if found == 0 {
        return FormatError::malformed(format!("{part} version 0, which was never written"));
    }
    FormatError::UnsupportedVersion { part, found, newest_supported }
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let (prefix, checksum) = bytes.split_at_mut(12);
        prefix.copy_from_slice(&self.prefix());
        checksum.copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Self {
        let &[_, _, _, _, envelope_version, flags, s0, s1, l0, l1, l2, l3, c0, c1, c2, c3] = bytes;
        Self {
            envelope_version,
            flags,
            schema_version: u16::from_le_bytes([s0, s1]),
            body_length: u32::from_le_bytes([l0, l1, l2, l3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    /// The header before the checksum.
    fn prefix(&self) -> [u8; 12] {
        let [m0, m1, m2, m3] = MAGIC;
        let [s0, s1] = self.schema_version.to_le_bytes();
        let [l0, l1, l2, l3] = self.body_length.to_le_bytes();
        [m0, m1, m2, m3, self.envelope_version, self.flags, s0, s1, l0, l1, l2, l3]
    }

    /// CRC-32 over the header before the checksum, then the body.
    fn checksum_with(&self, body: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.prefix());
        hasher.update(body);
        hasher.finalize()
    }
}
