//! How an export works, and how far it is.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{ArchiveCompression, ArchiveContent, ArchiveManifest};

/// How an export works: `ExportOptions::new().content(ArchiveContent::StoredBytes)`.
#[derive(Clone, Default)]
pub struct ExportOptions {
    pub(super) content: ArchiveContent,
    pub(super) compression: ArchiveCompression,
    pub(super) file_bytes: Option<u64>,
    pub(super) resumed: Option<ArchiveManifest>,
    progress: Option<Arc<Progress>>,
}

type Progress = dyn Fn(&ExportProgress<'_>) -> ControlFlow<()> + Send + Sync;

impl ExportOptions {
    const DEFAULT_FILE_BYTES: u64 = 64 * 1024 * 1024;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the files hold. Defaults to [`ArchiveContent::JsonLines`].
    #[must_use]
    pub const fn content(mut self, content: ArchiveContent) -> Self {
        self.content = content;
        self
    }

    /// How the files are compressed. Defaults to [`ArchiveCompression::None`].
    #[must_use]
    pub const fn compression(mut self, compression: ArchiveCompression) -> Self {
        self.compression = compression;
        self
    }

    /// How large a file is before the next one begins; a file may have up to one page of requests more. An export can be
    /// resumed after each file. Defaults to 64 MiB.
    #[must_use]
    pub const fn file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = Some(bytes);
        self
    }

    /// Goes on with an export that was interrupted, after the last file that its manifest names. Query, content, compression and
    /// store have to be the same.
    #[must_use]
    pub fn resume(mut self, manifest: ArchiveManifest) -> Self {
        self.resumed = Some(manifest);
        self
    }

    /// Calls this after each page of requests. After [`ControlFlow::Break`] the export ends with the file it is at, and its
    /// manifest is not finished, so that it can be resumed.
    #[must_use]
    pub fn on_progress(
        mut self,
        progress: impl Fn(&ExportProgress<'_>) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    pub(super) fn file_bytes_or_default(&self) -> u64 {
        self.file_bytes.unwrap_or(Self::DEFAULT_FILE_BYTES)
    }

    pub(super) fn report(&self, progress: &ExportProgress<'_>) -> ControlFlow<()> {
        self.progress.as_ref().map_or(ControlFlow::Continue(()), |report| report(progress))
    }
}

impl fmt::Debug for ExportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("ExportOptions");
        options.field("content", &self.content).field("compression", &self.compression);
        options.field("file_bytes", &self.file_bytes_or_default()).finish_non_exhaustive()
    }
}

/// How far an export is.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExportProgress<'a> {
    /// How many requests it has written, those before it was resumed included.
    pub requests: u64,
    /// How many bytes.
    pub bytes: u64,
    /// The files that are whole.
    pub manifest: &'a ArchiveManifest,
}
