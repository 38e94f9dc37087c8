//! An import without I/O: which lines come next, and what their results mean.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    ArchivedLine, ImportOptions, ImportProblem, ImportProgress, ImportReport, Imported, OnProblem, RequestRecord,
};
use crate::error::{ArchiveError, Error, Result};
use crate::request::IdComparison;

/// How many lines, and how many bytes of them, go to the store at once.
const MAX_LINES: usize = 256;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How many batches are read before they are imported, several at once.
const BATCHES: usize = 8;

pub(crate) struct Import<'a> {
    options: &'a ImportOptions,
    report: ImportReport,
    lines: u64,
    total: u64,
    reading: ImportBatch,
    /// Taken by several workers, one batch at a time.
    ready: Mutex<VecDeque<ImportBatch>>,
    results: Mutex<Vec<(ImportBatch, BatchResult)>>,
}

/// What a store answers to a batch.
type BatchResult = Result<Vec<Result<Imported>>>;

/// Lines that go to the store at once.
#[derive(Default)]
pub(crate) struct ImportBatch {
    pub(crate) records: Vec<RequestRecord>,
    places: Vec<(Arc<str>, u64)>,
    bytes: usize,
}

impl<'a> Import<'a> {
    /// # Errors
    /// [`ArchiveError::OtherLayout`] when archive and store compare ids of people by different rules.
    pub(crate) fn begin(
        options: &'a ImportOptions,
        total: u64,
        archived: IdComparison,
        found: IdComparison,
    ) -> Result<Self> {
        if archived != found {
            return Err(ArchiveError::OtherLayout { archived, found }.into());
        }
        Ok(Self {
            options,
            report: ImportReport::default(),
            lines: 0,
            total,
            reading: ImportBatch::default(),
            ready: Mutex::default(),
            results: Mutex::default(),
        })
    }

    /// Adds a line. Whether enough are there to import them.
    pub(crate) fn add(&mut self, line: ArchivedLine) -> Result<bool> {
        let ArchivedLine { file, line, bytes, record } = line;
        match record {
            Ok(record) => {
                self.reading.bytes += bytes;
                self.reading.places.push((file, line));
                self.reading.records.push(record);
            }
            Err(error) => self.problem(&file, line, error)?,
        }
        if self.reading.records.len() >= MAX_LINES || self.reading.bytes >= MAX_BYTES {
            self.end_batch();
        }
        Ok(self.ready.get_mut().is_ok_and(|ready| ready.len() >= BATCHES))
    }

    /// Lets those go that were added.
    pub(crate) fn end_batch(&mut self) {
        let batch = std::mem::take(&mut self.reading);
        if !batch.records.is_empty() {
            self.ready.get_mut().unwrap_or_else(PoisonError::into_inner).push_back(batch);
        }
    }

    pub(crate) fn next_batch(&self) -> Option<ImportBatch> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn end(&self, batch: ImportBatch, results: BatchResult) {
        if results.is_err() {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.results.lock().unwrap_or_else(PoisonError::into_inner).push((batch, results));
    }

    /// Adds up what came of the batches. Whether the import goes on.
    ///
    /// # Errors
    /// The failure of the store, or the first line that ends the import.
    pub(crate) fn settle(&mut self) -> Result<bool> {
        let results = std::mem::take(self.results.get_mut().unwrap_or_else(PoisonError::into_inner));
        for (batch, results) in results {
            for ((record, (file, line)), result) in batch.records.iter().zip(batch.places).zip(results?) {
                self.settle_line(record, &file, line, result)?;
            }
        }
        let ImportReport { added, skipped, .. } = self.report;
        let progress = ImportProgress { lines: self.lines, total: self.total, added, skipped };
        Ok(self.options.report(&progress).is_continue())
    }

    fn settle_line(
        &mut self,
        record: &RequestRecord,
        file: &Arc<str>,
        line: u64,
        result: Result<Imported>,
    ) -> Result<()> {
        let (id, archived) = (record.request().id(), record.request().revision());
        let in_file = || String::from(&**file);
        match result {
            Ok(Imported::Added) => self.report.added += 1,
            Ok(Imported::Unchanged) => self.report.unchanged += 1,
            Ok(Imported::Differs { stored }) => {
                let error = ArchiveError::Conflict { file: in_file(), line, id: id.clone(), archived, stored };
                return self.problem(file, line, error);
            }
            Err(error @ Error::Store(_)) => return Err(error),
            Err(Error::IdOfRemoved(tombstone)) => {
                return self.problem(file, line, ArchiveError::Removed { file: in_file(), line, tombstone });
            }
            Err(error) => {
                let error = ArchiveError::Rejected { file: in_file(), line, id: id.clone(), error: Box::new(error) };
                return self.problem(file, line, error);
            }
        }
        self.lines += 1;
        Ok(())
    }

    fn problem(&mut self, file: &Arc<str>, line: u64, error: ArchiveError) -> Result<()> {
        if self.options.on(&error) == OnProblem::Stop {
            return Err(error.into());
        }
        self.lines += 1;
        self.report.skipped += 1;
        if self.report.problems.len() < ImportReport::MAX_PROBLEMS {
            self.report.problems.push(ImportProblem { file: String::from(&**file), line, error: error.into() });
        }
        Ok(())
    }

    pub(crate) fn finish(self, is_finished: bool) -> ImportReport {
        ImportReport { is_finished, ..self.report }
    }
}
