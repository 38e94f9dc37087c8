//! `export` and `import`: archives in directories.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use mutator_governance::archive::{ArchiveCompression, ArchiveContent, ExportOptions, ImportOptions, OnProblem};
use mutator_governance::blocking::{Archive, ArchiveDirectory};

use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::filters::Filters;
use crate::progress::{LongWork, command_to_go_on};
use crate::session::{Session, note};
use crate::text;

/// All requests, or those that options choose. An interrupted export goes on with --resume and the same options.
#[derive(Args)]
pub(crate) struct Export {
    /// The directory, which is made if it is not there
    directory: PathBuf,

    /// Compresses the files by gzip
    #[arg(long)]
    gzip: bool,

    /// Writes the bytes as they are stored, for speed and exactness, instead of JSON
    #[arg(long)]
    stored_bytes: bool,

    /// Begins a new file after so many MiB; an export can be resumed after each
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65536))]
    file_size: u64,

    /// Goes on with an export that was interrupted
    #[arg(long)]
    resume: bool,

    #[command(flatten)]
    filters: Filters,
}

/// Requests keep their ids, revisions, write ids and histories; those that are there already are not written twice. No rule is
/// applied.
#[derive(Args)]
pub(crate) struct Import {
    /// The directory of the archive
    directory: PathBuf,

    /// Skips requests whose id is stored with other content, instead of stopping
    #[arg(long)]
    skip_conflicts: bool,

    /// Skips lines that cannot be read or stored, instead of stopping
    #[arg(long)]
    skip_bad_lines: bool,

    /// Creates the namespace if it does not exist
    #[arg(long)]
    create: bool,

    #[command(flatten)]
    confirmation: Confirmation,
}

impl Export {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = self.filters.query(session)?;
        let governance = session.reading()?;
        let total = governance.count(&query)?.number();
        let work = LongWork::begin()?;
        let mut options = ExportOptions::new().file_bytes(self.file_size * 1024 * 1024);
        if self.gzip {
            options = options.compression(ArchiveCompression::Gzip);
        }
        if self.stored_bytes {
            options = options.content(ArchiveContent::StoredBytes);
        }
        let on_disk = |error: std::io::Error| Failure::file(&self.directory, &error);
        let mut sink = if self.resume {
            let mut sink = ArchiveDirectory::open(&self.directory).map_err(on_disk)?;
            options = options.resume(Archive::manifest_in(&mut sink)?);
            sink
        } else {
            ArchiveDirectory::create(&self.directory).map_err(on_disk)?
        };
        let bar = work.clone();
        let options = options.on_progress(move |progress| {
            bar.show("export", progress.requests, Some(total.max(progress.requests)));
            stop_if(bar.is_interrupted())
        });
        let manifest = governance.export(&query, &mut sink, &options)?;
        work.end();
        if !manifest.is_finished() {
            let how = command_to_go_on("--resume");
            return Err(Failure::Interrupted(format!(
                "interrupted after {} requests; to go on: {how}",
                manifest.requests
            )));
        }
        for one in &manifest.unreadable {
            note(format_args!("request {} cannot be read: {}", one.id, one.problem));
        }
        if session.is_json() {
            session.json(&manifest)?;
        } else {
            let (requests, files) = (text::count(manifest.requests, "request"), manifest.parts.len() as u64);
            let size = text::bytes(manifest.parts.iter().map(|part| part.bytes).sum());
            let files = text::count(files, "file");
            session.line(format_args!("{requests} in {files} of {size} in {}", self.directory.display()))?;
        }
        match manifest.unreadable.len() {
            0 => Ok(()),
            number => Err(Failure::Incomplete(format!("{number} requests could not be read, and are not in it"))),
        }
    }
}

impl Import {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let mut archive = open(&self.directory)?;
        let governance = if self.create { session.writing_anew()? } else { session.writing()? };
        let (requests, namespace) = (text::count(archive.manifest().requests, "request"), session.namespace());
        self.confirmation.ask(&format!("import {requests} into namespace {namespace}?"))?;
        let work = LongWork::begin()?;
        let bar = work.clone();
        let options = ImportOptions::new()
            .on_conflict(on_problem(self.skip_conflicts))
            .on_bad_line(on_problem(self.skip_bad_lines))
            .on_progress(move |progress| {
                bar.show("import", progress.lines, Some(progress.total));
                stop_if(bar.is_interrupted())
            });
        let report = governance.import(&mut archive, &options)?;
        work.end();
        for problem in &report.problems {
            note(format_args!("skipped: {}", problem.error));
        }
        if session.is_json() {
            session.json(&report)?;
        } else {
            let (added, unchanged) = (text::count(report.added, "request"), report.unchanged);
            session.line(format_args!("{added} added, {unchanged} unchanged, {} skipped", report.skipped))?;
        }
        if !report.is_finished {
            let how = command_to_go_on("");
            return Err(Failure::Interrupted(format!(
                "interrupted; what is there is not written twice. To go on: {how}"
            )));
        }
        match report.skipped {
            0 => Ok(()),
            skipped => Err(Failure::Incomplete(format!("{skipped} lines were skipped"))),
        }
    }
}

fn open(directory: &Path) -> Result<Archive, Failure> {
    let source = ArchiveDirectory::open(directory).map_err(|error| Failure::file(directory, &error))?;
    Ok(Archive::open(source)?)
}

const fn on_problem(skips: bool) -> OnProblem {
    if skips { OnProblem::Skip } else { OnProblem::Stop }
}

const fn stop_if(interrupted: bool) -> ControlFlow<()> {
    if interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}
