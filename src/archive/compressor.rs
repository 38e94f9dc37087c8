//! Compressing and decompressing a file, chunk by chunk.

#[cfg(feature = "gzip")]
use std::io::Write as _;

use super::ArchiveCompression;

pub(super) enum Compressor {
    None,
    #[cfg(feature = "gzip")]
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
}

impl Compressor {
    /// Gzip at the fastest level: a higher one takes twice the time for some percent.
    pub(super) fn new(compression: ArchiveCompression) -> Self {
        match compression {
            #[cfg(feature = "gzip")]
            ArchiveCompression::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()))
            }
            _ => Self::None,
        }
    }

    /// Adds the compressed bytes, or those that are ready, to `into`.
    #[cfg_attr(not(feature = "gzip"), allow(clippy::unused_self, reason = "there is one way only"))]
    pub(super) fn write(&mut self, bytes: &[u8], into: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::None => into.extend_from_slice(bytes),
            #[cfg(feature = "gzip")]
            Self::Gzip(encoder) => {
                encoder.write_all(bytes)?;
                into.append(encoder.get_mut());
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, into: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::None => {}
            #[cfg(feature = "gzip")]
            Self::Gzip(encoder) => into.append(&mut encoder.finish()?),
        }
        #[cfg(not(feature = "gzip"))]
        let _ = into;
        Ok(())
    }
}

pub(super) enum Decompressor {
    None,
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::write::MultiGzDecoder<Vec<u8>>>),
}

impl Decompressor {
    /// No more is decompressed at a time, because a small chunk can stand for much memory: a thousand times as much.
    pub(super) const fn max_input(&self) -> usize {
        match self {
            Self::None => 256 * 1024,
            #[cfg(feature = "gzip")]
            Self::Gzip(_) => 16 * 1024,
        }
    }

    pub(super) fn new(compression: ArchiveCompression) -> Self {
        match compression {
            #[cfg(feature = "gzip")]
            ArchiveCompression::Gzip => Self::Gzip(Box::new(flate2::write::MultiGzDecoder::new(Vec::new()))),
            _ => Self::None,
        }
    }

    #[cfg_attr(not(feature = "gzip"), allow(clippy::unused_self, reason = "there is one way only"))]
    pub(super) fn write(&mut self, bytes: &[u8], into: &mut Vec<u8>) -> std::io::Result<()> {
        match self {
            Self::None => into.extend_from_slice(bytes),
            #[cfg(feature = "gzip")]
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                into.append(decoder.get_mut());
            }
        }
        Ok(())
    }

    /// Checks that the file ended where its compressed form does.
    #[cfg_attr(not(feature = "gzip"), allow(clippy::unused_self, reason = "there is one way only"))]
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        match self {
            Self::None => Ok(()),
            #[cfg(feature = "gzip")]
            Self::Gzip(decoder) => decoder.try_finish(),
        }
    }
}
