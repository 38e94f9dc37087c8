//! Bodies as zlib streams: when a writer compresses, and how a reader decompresses within bounds.

use miniz_oxide::DataFormat;
use miniz_oxide::deflate::CompressionLevel;
use miniz_oxide::deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress as deflate};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate};

use super::FormatError;
use crate::request::RequestDocument;

/// The number of bytes for the uncompressed length, before the stream.
const LENGTH_BYTES: usize = 4;

/// The payload size from which a request is stored compressed.
///
/// A document that does not become at least an eighth smaller is stored uncompressed. Readers read both forms, whatever
/// this setting. Defaults to 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compression {
    payloads_from: Option<usize>,
}

impl Compression {
    /// Payloads of 4 KiB and more.
    pub const DEFAULT: Self = Self::of_payloads_from(4 * 1024);
    /// Nothing is compressed.
    pub const NEVER: Self = Self { payloads_from: None };

    /// Payloads of this many bytes and more. A request without a payload is never compressed.
    pub const fn of_payloads_from(bytes: usize) -> Self {
        Self { payloads_from: Some(bytes) }
    }

    pub(super) fn applies_to(self, document: &RequestDocument) -> bool {
        match (self.payloads_from, &document.payload) {
            (Some(least), Some(payload)) => payload.bytes().len() >= least,
            _ => false,
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Appends the uncompressed length of a body and its stream; `None` if that would not be at least an eighth smaller.
pub(super) fn compress(body: &[u8], mut into: Vec<u8>) -> Option<Vec<u8>> {
    let start = into.len();
    into.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    // The buffer is no larger than the result may be, so that a body that hardly shrinks is given up early.
    into.resize(start + body.len() - body.len() / 8, 0);
    let room = into.get_mut(start + LENGTH_BYTES..)?;
    // A higher level takes twice as long for a few percent; see docs/adr/0004.
    let mut compressor = CompressorOxide::with_format_and_level(DataFormat::Zlib, CompressionLevel::BestSpeed);
    let (status, _, written) = deflate(&mut compressor, body, room, TDEFLFlush::Finish);
    into.truncate(start + LENGTH_BYTES + written);
    (status == TDEFLStatus::Done).then_some(into)
}

/// The uncompressed length that a compressed body announces.
pub(super) fn announced(compressed: &[u8]) -> Result<usize, FormatError> {
    split(compressed).map(|(announced, _)| announced)
}

/// The uncompressed body. Takes as much memory as the body [announces](announced): check that first.
pub(super) fn decompress(compressed: &[u8]) -> Result<Vec<u8>, FormatError> {
    const FLAGS: u32 = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (announced, stream) = split(compressed)?;
    let mut body = vec![0; announced];
    let mut decompressor = Box::<DecompressorOxide>::default();
    let problem = match inflate(&mut decompressor, stream, &mut body, 0, FLAGS) {
        (TINFLStatus::Done, read, _) if read < stream.len() => {
            format!("{} bytes after the zlib stream", stream.len() - read)
        }
        (TINFLStatus::Done, _, written) if written == announced => return Ok(body),
        (TINFLStatus::Done, _, written) => format!("{announced} bytes were announced, but {written} were compressed"),
        (TINFLStatus::HasMoreOutput, ..) => format!("more was compressed than the announced {announced} bytes"),
        (TINFLStatus::FailedCannotMakeProgress, ..) => "the zlib stream is cut off".to_owned(),
        (TINFLStatus::Adler32Mismatch, ..) => "the decompressed body has another checksum".to_owned(),
        _ => "not a zlib stream".to_owned(),
    };
    Err(FormatError::malformed(format!("compressed body: {problem}")))
}

fn split(compressed: &[u8]) -> Result<(usize, &[u8]), FormatError> {
    let Some((length, stream)) = compressed.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(FormatError::malformed("compressed body: no length"));
    };
    Ok((usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), stream))
}
