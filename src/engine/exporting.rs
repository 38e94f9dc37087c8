//! Exports requests to an archive.

use super::{ArchiveSink, Governance, dual};
use crate::archive::{ArchiveManifest, Export, ExportOptions, FileStep};
use crate::error::{ArchiveError, Result};
use crate::query::RequestQuery;

/// Export to archives, and import from them.
#[dual]
impl Governance {
    /// Writes the requests of a query to an archive, all requests for an empty one, in created order, and returns its manifest.
    ///
    /// Each request is as it was at one time; different requests may be of different times, those created meanwhile included. No
    /// more than one page of requests is in memory. Requests that cannot be read are named in the manifest. An export that
    /// failed is [resumed](ExportOptions::resume) after the last file that was finished; one that
    /// [was stopped](ExportOptions::on_progress) returns a manifest that is not finished.
    ///
    /// [`Archive::verify`](super::Archive::verify) reads back what was written.
    ///
    /// # Errors
    /// [`ArchiveError::File`] when a file cannot be written, [`ArchiveError::NotResumable`] when the export to resume was another
    /// one, [`ArchiveError::UnknownFormat`] for a compression that this build lacks, and
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn export(
        &self,
        query: &RequestQuery,
        sink: &mut dyn ArchiveSink,
        options: &ExportOptions,
    ) -> Result<ArchiveManifest> {
        let now = self.refreshed_now().await?;
        let mut export = Export::begin(query, options, self.store.id_comparison(), now)?;
        let mut file = String::new();
        while let Some(page) = export.next_page() {
            let mut page = self.store.records(query, page).await?;
            for record in page.items.drain(..) {
                export.add(&record)?;
                while let Some(step) = export.step() {
                    take_step(sink, &mut file, step).await?;
                }
            }
            export.end_page(page, self.refreshed_now().await?)?;
            while let Some(step) = export.step() {
                take_step(sink, &mut file, step).await?;
            }
        }
        Ok(export.finish())
    }
}

#[dual]
async fn take_step(sink: &mut dyn ArchiveSink, file: &mut String, step: FileStep) -> Result<()> {
    let written = match step {
        FileStep::Begin(name) => {
            *file = name;
            sink.begin(file).await
        }
        FileStep::Write(bytes) => sink.write(bytes).await,
        FileStep::End => sink.end().await,
    };
    let unwritable =
        |error: std::io::Error| ArchiveError::File { file: file.clone(), writing: true, problem: error.to_string() };
    written.map_err(|error| unwritable(error).into())
}
