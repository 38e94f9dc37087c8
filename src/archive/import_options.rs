//! How an import works, how far it is, and what came of it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{ArchiveError, Error};

/// What an import does about one line that it cannot import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnProblem {
    /// It ends with an error. What was imported stays.
    #[default]
    Stop,
    /// It goes on, and reports the line.
    Skip,
}

/// How an import works: `ImportOptions::new().on_conflict(OnProblem::Skip)`.
#[derive(Clone, Default)]
pub struct ImportOptions {
    conflict: OnProblem,
    bad_line: OnProblem,
    is_unverified: bool,
    progress: Option<Arc<Progress>>,
}

type Progress = dyn Fn(&ImportProgress) -> ControlFlow<()> + Send + Sync;

impl ImportOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do about a request whose id is stored with other content, or was removed. Defaults to
    /// [`OnProblem::Stop`].
    #[must_use]
    pub const fn on_conflict(mut self, conflict: OnProblem) -> Self {
        self.conflict = conflict;
        self
    }

    /// What to do about a line that is no request, is too long, or that the store cannot keep. Defaults to
    /// [`OnProblem::Stop`].
    #[must_use]
    pub const fn on_bad_line(mut self, bad_line: OnProblem) -> Self {
        self.bad_line = bad_line;
        self
    }

    /// Does not read all files once to check them against the manifest before anything is stored. Each file is then checked when
    /// all its lines were imported.
    #[must_use]
    pub const fn without_verifying(mut self) -> Self {
        self.is_unverified = true;
        self
    }

    /// Calls this after each batch of lines. After [`ControlFlow::Break`] the import ends, and its report is not finished.
    #[must_use]
    pub fn on_progress(
        mut self,
        progress: impl Fn(&ImportProgress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    pub(crate) const fn verifies(&self) -> bool {
        !self.is_unverified
    }

    pub(super) const fn on(&self, error: &ArchiveError) -> OnProblem {
        match error {
            ArchiveError::Conflict { .. } | ArchiveError::Removed { .. } => self.conflict,
            _ => self.bad_line,
        }
    }

    pub(super) fn report(&self, progress: &ImportProgress) -> ControlFlow<()> {
        self.progress.as_ref().map_or(ControlFlow::Continue(()), |report| report(progress))
    }
}

impl fmt::Debug for ImportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("ImportOptions");
        options.field("on_conflict", &self.conflict).field("on_bad_line", &self.bad_line).finish_non_exhaustive()
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportProgress {
    /// How many lines it has handled.
    pub lines: u64,
    /// How many the archive has.
    pub total: u64,
    /// How many requests it has added.
    pub added: u64,
    /// How many lines it has skipped.
    pub skipped: u64,
}

/// What came of an import.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ImportReport {
    /// How many requests were added.
    pub added: u64,
    /// How many were there already, with the same content. A request whose first answer was lost counts here.
    pub unchanged: u64,
    /// How many lines were skipped.
    pub skipped: u64,
    /// The lines that were skipped, and why; the first [`MAX_PROBLEMS`](Self::MAX_PROBLEMS).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ImportProblem>,
    /// Whether every line was handled: `false` if it was stopped.
    pub is_finished: bool,
}

impl ImportReport {
    /// How many problems a report names.
    pub const MAX_PROBLEMS: usize = 1_000;
}

/// A line that was not imported.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ImportProblem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Why; the text names file, line and, if it is known, the request.
    pub error: Error,
}
