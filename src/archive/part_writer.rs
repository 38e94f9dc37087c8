//! Writes one file of an archive, chunk by chunk.

use sha2::Digest as _;

use super::compressor::Compressor;
use super::{ArchiveCompression, ArchiveContent, ArchivePart, RequestRecord, frame, json_line};
use crate::error::{ArchiveError, Result};
use crate::request::Digest;

/// How large a chunk is before it is handed on.
const CHUNK_BYTES: usize = 256 * 1024;

pub(super) struct PartWriter {
    part: ArchivePart,
    content: ArchiveContent,
    compressor: Compressor,
    sha: sha2::Sha256,
    /// One record, before it is compressed.
    record: Vec<u8>,
    chunk: Vec<u8>,
}

impl PartWriter {
    pub(super) fn begin(file: String, content: ArchiveContent, compression: ArchiveCompression) -> Result<Self> {
        let part = ArchivePart { file, requests: 0, bytes: 0, sha256: Digest::from_bytes([0; 32]) };
        let mut writer = Self {
            part,
            content,
            compressor: Compressor::new(compression),
            sha: sha2::Sha256::new(),
            record: Vec::new(),
            chunk: Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8),
        };
        if content == ArchiveContent::StoredBytes {
            writer.compress(&frame::HEAD)?;
        }
        Ok(writer)
    }

    /// Adds a record. After an error nothing of it is in the file.
    pub(super) fn add(&mut self, record: &RequestRecord) -> Result<()> {
        let mut bytes = std::mem::take(&mut self.record);
        bytes.clear();
        let added = match self.content {
            ArchiveContent::JsonLines => json_line::put(record, &mut bytes),
            ArchiveContent::StoredBytes => frame::put(record, &mut bytes),
        };
        let added = added.and_then(|()| self.compress(&bytes));
        self.record = bytes;
        added?;
        self.part.requests += 1;
        Ok(())
    }

    fn compress(&mut self, bytes: &[u8]) -> Result<()> {
        let compressed = self.compressor.write(bytes, &mut self.chunk);
        compressed.map_err(|error| unwritable(&self.part.file, &error))
    }

    /// A chunk, if one is full.
    pub(super) fn take_chunk(&mut self) -> Option<Vec<u8>> {
        (self.chunk.len() >= CHUNK_BYTES).then(|| self.take())
    }

    fn take(&mut self) -> Vec<u8> {
        self.sha.update(&self.chunk);
        self.part.bytes += self.chunk.len() as u64;
        std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8))
    }

    /// How many bytes the file has so far.
    pub(super) fn bytes(&self) -> u64 {
        self.part.bytes + self.chunk.len() as u64
    }

    pub(super) const fn requests(&self) -> u64 {
        self.part.requests
    }

    /// The last chunk, and the file as the manifest names it.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, ArchivePart)> {
        if self.content == ArchiveContent::StoredBytes {
            self.compress(&frame::end(self.part.requests))?;
        }
        let compressor = std::mem::replace(&mut self.compressor, Compressor::None);
        compressor.finish(&mut self.chunk).map_err(|error| unwritable(&self.part.file, &error))?;
        let chunk = self.take();
        self.part.sha256 = Digest::from_bytes(self.sha.finalize().into());
        Ok((chunk, self.part))
    }
}

fn unwritable(file: &str, error: &std::io::Error) -> crate::Error {
    ArchiveError::File { file: file.to_owned(), writing: true, problem: error.to_string() }.into()
}
