//! Imports requests from an archive.

use super::super::run_concurrently::run_concurrently;
use super::{Archive, Governance, dual};
use crate::archive::{Import, ImportOptions, ImportReport};
use crate::error::Result;

/// How many batches are with the store at once: while it works on one, the next is made ready.
const AT_ONCE: usize = 3;

#[dual]
impl Governance {
    /// Stores all requests of an archive as they were, with their ids, revisions, write ids and histories. Import it again after a
    /// failure: requests that are there are not written twice.
    ///
    /// A request is stored with its feed entry, whose [change](crate::FeedEntry::change) is `Imported`. No rule of the workflow
    /// is applied, and nobody is asked: give this to whoever may decide everything.
    ///
    /// # Errors
    /// Nothing was stored then, unless the import is [without verifying](ImportOptions::without_verifying):
    /// [`ArchiveError::OtherLayout`](crate::ArchiveError::OtherLayout) for a store that compares ids of people otherwise, and the
    /// errors of [`Archive::verify`]. What was imported before stays: the errors of [`Archive::next_record`];
    /// [`ArchiveError::Conflict`](crate::ArchiveError::Conflict), [`ArchiveError::Removed`](crate::ArchiveError::Removed) and
    /// [`ArchiveError::Rejected`](crate::ArchiveError::Rejected), unless they are to be skipped; and
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn import(&self, archive: &mut Archive, options: &ImportOptions) -> Result<ImportReport> {
        let (total, archived) = (archive.manifest().requests, archive.manifest().id_comparison);
        let mut import = Import::begin(options, total, archived, self.store.id_comparison())?;
        if options.verifies() {
            archive.verify().await?;
        }
        archive.rewind();
        loop {
            let line = archive.next_line().await?;
            let is_last = line.is_none();
            let is_full = if let Some(line) = line {
                import.add(line)?
            } else {
                import.end_batch();
                true
            };
            if is_full {
                run_concurrently(AT_ONCE, || self.import_batches(&import)).await;
                if !import.settle()? {
                    archive.rewind();
                    return Ok(import.finish(is_last));
                }
            }
            if is_last {
                return Ok(import.finish(true));
            }
        }
    }

    async fn import_batches(&self, import: &Import<'_>) {
        while let Some(batch) = import.next_batch() {
            let results = self.store.import(&batch.records).await;
            import.end(batch, results);
        }
    }
}
