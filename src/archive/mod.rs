//! Archives: requests as files that outlive their store, and the way back into any store.
//!
//! A store hands on [`RequestRecord`]s and takes them in again. With the feature `archive`, `Governance::export` writes them to
//! files, as JSON Lines or as stored bytes, and `Governance::import` reads them back; the page about exports in the guide defines
//! the files.

#[cfg(feature = "archive")]
mod compressor;
#[cfg(feature = "archive")]
mod export;
#[cfg(feature = "archive")]
mod export_options;
#[cfg(feature = "archive")]
mod frame;
#[cfg(feature = "archive")]
mod import;
#[cfg(feature = "archive")]
mod import_options;
#[cfg(feature = "archive")]
mod json_line;
#[cfg(feature = "archive")]
mod manifest;
#[cfg(feature = "archive")]
mod part_reader;
#[cfg(feature = "archive")]
mod part_writer;
mod record;

#[cfg(feature = "archive")]
pub(crate) use export::{Export, FileStep};
#[cfg(feature = "archive")]
pub use export_options::{ExportOptions, ExportProgress};
#[cfg(feature = "archive")]
pub(crate) use import::Import;
#[cfg(feature = "archive")]
pub use import_options::{ImportOptions, ImportProblem, ImportProgress, ImportReport, OnProblem};
#[cfg(feature = "archive")]
pub use manifest::{ArchiveCompression, ArchiveContent, ArchiveManifest, ArchivePart, UnreadableRequest};
#[cfg(feature = "archive")]
pub(crate) use part_reader::{ArchivedLine, PartReader};
pub use record::{Imported, RequestRecord};
