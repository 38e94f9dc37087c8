//! Reads one file of an archive, from whatever chunks it comes in.

use std::ops::Range;
use std::sync::Arc;

use sha2::Digest as _;

use super::compressor::Decompressor;
use super::{ArchiveContent, ArchiveManifest, ArchivePart, RequestRecord, frame, json_line};
use crate::error::{ArchiveError, Result};
use crate::request::Digest;
use crate::stored_format::DocumentLimit;

/// A line of an archive, from its file: what it holds, or why it cannot be read.
pub(crate) struct ArchivedLine {
    pub(crate) file: Arc<str>,
    /// Counted from 1.
    pub(crate) line: u64,
    /// How long it is.
    pub(crate) bytes: usize,
    pub(crate) record: Result<RequestRecord, ArchiveError>,
}

pub(crate) struct PartReader {
    part: ArchivePart,
    file: Arc<str>,
    content: ArchiveContent,
    limit: DocumentLimit,
    decompressor: Decompressor,
    sha: sha2::Sha256,
    bytes: u64,
    /// Decompressed bytes; those before `at` are done with.
    buffer: Vec<u8>,
    at: usize,
    /// How far the buffer was searched for the end of a line.
    searched: usize,
    lines: u64,
    state: State,
    /// What keeps the rest from being read. The file is still read to its end, because that it was changed says more.
    broken: Option<ArchiveError>,
}

enum State {
    /// Before the head of a file of stored bytes.
    Head,
    Lines,
    /// In a line that is too long: so many bytes of it are still to come, or all up to the next line feed.
    Skipping(Option<usize>),
    /// After the end of a file of stored bytes.
    Ended,
}

/// A line as it stands in the buffer.
struct Raw {
    bytes: Range<usize>,
    /// That of a frame.
    checksum: u32,
}

impl PartReader {
    pub(crate) fn begin(manifest: &ArchiveManifest, part: &ArchivePart, limit: DocumentLimit) -> Self {
        let state = match manifest.content {
            ArchiveContent::JsonLines => State::Lines,
            ArchiveContent::StoredBytes => State::Head,
        };
        Self {
            part: part.clone(),
            file: part.file.as_str().into(),
            content: manifest.content,
            limit,
            decompressor: Decompressor::new(manifest.compression),
            sha: sha2::Sha256::new(),
            bytes: 0,
            buffer: Vec::new(),
            at: 0,
            searched: 0,
            lines: 0,
            state,
            broken: None,
        }
    }

    /// Takes the next part of `chunk`, and returns how many bytes that were: fewer than all while many lines are to be read.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> usize {
        let taken = chunk.get(..chunk.len().min(self.decompressor.max_input())).unwrap_or_default();
        self.sha.update(taken);
        self.bytes += taken.len() as u64;
        if self.broken.is_some() {
            return taken.len();
        }
        self.buffer.drain(..self.at);
        self.searched = self.searched.saturating_sub(self.at);
        self.at = 0;
        if let Err(error) = self.decompressor.write(taken, &mut self.buffer) {
            self.broken = Some(self.line_error(format!("the file cannot be decompressed: {error}")));
        }
        taken.len()
    }

    /// The next line, if it is there.
    pub(crate) fn next_line(&mut self) -> Option<ArchivedLine> {
        let raw = self.next_raw()?;
        let bytes = raw.as_ref().map_or(0, |raw| raw.bytes.len());
        let record = raw.and_then(|raw| self.decode(&raw));
        Some(ArchivedLine { file: Arc::clone(&self.file), line: self.lines, bytes, record })
    }

    /// Goes past the lines that are there.
    pub(crate) fn pass_lines(&mut self) {
        while self.next_raw().is_some() {}
    }

    fn decode(&self, raw: &Raw) -> Result<RequestRecord, ArchiveError> {
        let bytes = self.buffer.get(raw.bytes.clone()).unwrap_or_default();
        let read = match self.content {
            ArchiveContent::JsonLines => json_line::read(bytes),
            ArchiveContent::StoredBytes => frame::read(bytes, raw.checksum, self.limit),
        };
        read.map_err(|problem| self.line_error(problem))
    }

    fn next_raw(&mut self) -> Option<Result<Raw, ArchiveError>> {
        if self.broken.is_some() {
            return None;
        }
        match self.content {
            ArchiveContent::JsonLines => self.next_json(),
            ArchiveContent::StoredBytes => match self.next_frame() {
                Ok(raw) => raw,
                Err(error) => {
                    self.broken = Some(error);
                    None
                }
            },
        }
    }

    fn next_json(&mut self) -> Option<Result<Raw, ArchiveError>> {
        loop {
            let found = self.buffer.get(self.searched..).unwrap_or_default().iter().position(|byte| *byte == b'\n');
            let Some(length) = found else {
                self.searched = self.buffer.len();
                if matches!(self.state, State::Skipping(_)) {
                    self.at = self.searched;
                } else if self.searched - self.at > json_line::longest(self.limit) {
                    self.at = self.searched;
                    self.state = State::Skipping(None);
                    self.lines += 1;
                    return Some(Err(self.too_long(json_line::longest(self.limit))));
                }
                return None;
            };
            let (from, end) = (self.at, self.searched + length);
            (self.at, self.searched) = (end + 1, end + 1);
            if matches!(self.state, State::Skipping(_)) {
                self.state = State::Lines;
                continue;
            }
            self.lines += 1;
            if end - from > json_line::longest(self.limit) {
                return Some(Err(self.too_long(json_line::longest(self.limit))));
            }
            return Some(Ok(Raw { bytes: from..end, checksum: 0 }));
        }
    }

    fn next_frame(&mut self) -> Result<Option<Result<Raw, ArchiveError>>, ArchiveError> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            match self.state {
                State::Head => {
                    let Some(head) = rest.get(..frame::HEAD.len()) else { return Ok(None) };
                    if head != frame::HEAD {
                        let problem = "it does not begin like stored bytes of version 1; use the release that wrote it";
                        let (file, problem) = (self.part.file.clone(), problem.to_owned());
                        return Err(ArchiveError::UnknownFormat { file, problem });
                    }
                    self.at += frame::HEAD.len();
                    self.state = State::Lines;
                }
                State::Skipping(left) => {
                    let skipped = rest.len().min(left.unwrap_or_default());
                    self.at += skipped;
                    let left = left.unwrap_or_default() - skipped;
                    if left > 0 {
                        self.state = State::Skipping(Some(left));
                        return Ok(None);
                    }
                    self.state = State::Lines;
                }
                State::Lines => {
                    let Some((length, checksum)) = frame::prefix(rest) else { return Ok(None) };
                    if length == 0 {
                        return self.end_of_frames();
                    }
                    let longest = self.limit.bytes() + frame::MAX_BESIDE_DOCUMENT;
                    let from = self.at + frame::PREFIX_BYTES;
                    if length > longest {
                        self.at = from;
                        self.lines += 1;
                        self.state = State::Skipping(Some(length));
                        return Ok(Some(Err(self.too_long(longest))));
                    }
                    if self.buffer.len() < from + length {
                        return Ok(None);
                    }
                    self.at = from + length;
                    self.lines += 1;
                    return Ok(Some(Ok(Raw { bytes: from..from + length, checksum })));
                }
                State::Ended if rest.is_empty() => return Ok(None),
                State::Ended => return Err(self.line_error("bytes follow the end of the records".to_owned())),
            }
        }
    }

    fn end_of_frames(&mut self) -> Result<Option<Result<Raw, ArchiveError>>, ArchiveError> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let Some(count) = frame::count_in_end(rest) else { return Ok(None) };
        if count != self.lines {
            return Err(self.other_count(count));
        }
        self.at += frame::END_BYTES;
        self.state = State::Ended;
        self.next_frame()
    }

    /// Checks the file after its last byte: its length, its checksum, that its last line is whole, and how many it had.
    pub(crate) fn finish(mut self) -> Result<()> {
        let ArchivePart { file, requests, bytes, sha256 } = self.part.clone();
        let computed = Digest::from_bytes(std::mem::take(&mut self.sha).finalize().into());
        if self.bytes < bytes {
            return Err(ArchiveError::Truncated { file, expected: bytes, found: self.bytes }.into());
        }
        if computed != sha256 {
            return Err(ArchiveError::Checksum { file, recorded: sha256, computed }.into());
        }
        if let Some(broken) = self.broken {
            return Err(broken.into());
        }
        if let Err(error) = self.decompressor.finish() {
            return Err(self.line_error(format!("the file cannot be decompressed: {error}")).into());
        }
        let is_whole = match self.content {
            ArchiveContent::JsonLines => self.at == self.buffer.len() && matches!(self.state, State::Lines),
            ArchiveContent::StoredBytes => matches!(self.state, State::Ended),
        };
        if !is_whole {
            return Err(ArchiveError::Line { file, line: self.lines + 1, problem: "it has no end".to_owned() }.into());
        }
        if self.lines != requests {
            return Err(self.other_count(requests).into());
        }
        Ok(())
    }

    fn other_count(&self, recorded: u64) -> ArchiveError {
        ArchiveError::OtherCount { file: self.part.file.clone(), recorded, found: self.lines }
    }

    fn line_error(&self, problem: String) -> ArchiveError {
        ArchiveError::Line { file: self.part.file.clone(), line: self.lines.max(1), problem }
    }

    fn too_long(&self, limit: usize) -> ArchiveError {
        ArchiveError::LineTooLong { file: self.part.file.clone(), line: self.lines, limit: limit as u64 }
    }
}
