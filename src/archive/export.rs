//! An export as a sequence of steps, without I/O: which page to read, and what to write.

use std::collections::VecDeque;

use super::part_writer::PartWriter;
use super::{ArchiveManifest, ExportOptions, ExportProgress, RequestRecord};
use crate::error::{ArchiveError, Result};
use crate::query::{Page, PageRequest, RequestQuery};
use crate::request::{IdComparison, Timestamp};

/// What is to be done with the files next.
pub(crate) enum FileStep {
    Begin(String),
    Write(Vec<u8>),
    End,
}

pub(crate) struct Export {
    options: ExportOptions,
    manifest: ArchiveManifest,
    writer: Option<PartWriter>,
    steps: VecDeque<FileStep>,
    next: Option<PageRequest>,
}

impl Export {
    /// # Errors
    /// [`ArchiveError::NotResumable`] and [`ArchiveError::UnknownFormat`].
    pub(crate) fn begin(
        query: &RequestQuery,
        options: &ExportOptions,
        ids: IdComparison,
        now: Timestamp,
    ) -> Result<Self> {
        let ExportOptions { content, compression, .. } = *options;
        compression.check_known(ArchiveManifest::FILE)?;
        let fresh = ArchiveManifest::begin(content, compression, query, ids, now)?;
        let manifest = match &options.resumed {
            None => fresh,
            Some(resumed) => {
                check_resumable(resumed, &fresh)?;
                resumed.clone()
            }
        };
        let first = PageRequest::longest();
        let next = manifest.cursor.clone().map_or_else(|| first.clone(), |cursor| first.clone().after(cursor));
        Ok(Self { options: options.clone(), manifest, writer: None, steps: VecDeque::new(), next: Some(next) })
    }

    /// The page to read, unless the export has ended.
    pub(crate) const fn next_page(&self) -> Option<&PageRequest> {
        self.next.as_ref()
    }

    /// Adds a record. One that cannot be written is named in the manifest.
    pub(crate) fn add(&mut self, record: &RequestRecord) -> Result<()> {
        let mut writer = self.writer.take().map_or_else(|| self.begin_file(), Ok)?;
        if let Err(error) = writer.add(record) {
            self.manifest.name_unreadable(record.request().id().clone(), error.to_string());
        }
        self.steps.extend(writer.take_chunk().map(FileStep::Write));
        self.writer = Some(writer);
        Ok(())
    }

    fn begin_file(&mut self) -> Result<PartWriter> {
        let ArchiveManifest { content, compression, ref parts, .. } = self.manifest;
        let file = self.manifest.file_name(parts.len());
        self.steps.push_back(FileStep::Begin(file.clone()));
        PartWriter::begin(file, content, compression)
    }

    /// Ends a page whose records were added; and the file, if it is large enough or the last.
    pub(crate) fn end_page(&mut self, page: Page<RequestRecord>, now: Timestamp) -> Result<()> {
        for unreadable in page.unreadable {
            self.manifest.name_unreadable(unreadable.id.clone(), unreadable.error.to_string());
        }
        let Some(asked) = self.next.take() else { return Ok(()) };
        let cursor = page.next.clone();
        self.next = asked.going_on(page.next)?;
        let (bytes, requests) = self.writer.as_ref().map_or((0, 0), |writer| (writer.bytes(), writer.requests()));
        let progress = ExportProgress {
            requests: self.manifest.requests + requests,
            bytes: self.manifest.bytes() + bytes,
            manifest: &self.manifest,
        };
        let is_stopped = self.options.report(&progress).is_break();
        let is_last = self.next.is_none();
        if is_last || is_stopped || bytes >= self.options.file_bytes_or_default() {
            self.manifest.cursor = cursor;
            self.end_file()?;
            if is_last {
                self.manifest.finished_at = Some(now.max(self.manifest.started_at));
            }
            self.write_manifest()?;
        }
        if is_stopped {
            self.next = None;
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let (chunk, part) = writer.finish()?;
        self.steps.extend([FileStep::Write(chunk), FileStep::End]);
        self.manifest.requests += part.requests;
        self.manifest.parts.push(part);
        Ok(())
    }

    fn write_manifest(&mut self) -> Result<()> {
        let text = self.manifest.to_text()?;
        self.steps.extend([FileStep::Begin(ArchiveManifest::FILE.to_owned()), FileStep::Write(text), FileStep::End]);
        Ok(())
    }

    pub(crate) fn step(&mut self) -> Option<FileStep> {
        self.steps.pop_front()
    }

    pub(crate) fn finish(self) -> ArchiveManifest {
        self.manifest
    }
}

fn check_resumable(resumed: &ArchiveManifest, fresh: &ArchiveManifest) -> Result<()> {
    let differs = [
        ("it has ended", resumed.is_finished()),
        ("it exported another query", !resumed.has_query_of(fresh)),
        ("it wrote other content", resumed.content != fresh.content),
        ("it compressed otherwise", resumed.compression != fresh.compression),
        ("its store compared ids of people by another rule", resumed.id_comparison != fresh.id_comparison),
        ("its manifest does not say where it stood", resumed.cursor.is_none() && !resumed.parts.is_empty()),
    ];
    match differs.into_iter().find(|(_, differs)| *differs) {
        Some((problem, _)) => Err(ArchiveError::NotResumable { problem: problem.to_owned() }.into()),
        None => Ok(()),
    }
}
