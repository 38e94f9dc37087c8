//! Archives in one stream of bytes.

use std::io::{self, Write};

use super::engine::ArchiveSink;

/// Hands the files of an archive to a writer, one after another without anything between. The manifest, which says how long
/// each is, is not among them: the export returns it.
///
/// ```
/// # use std::sync::Arc;
/// # use mutator_governance::blocking::{Governance, MemoryStore};
/// use mutator_governance::RequestQuery;
/// use mutator_governance::archive::ExportOptions;
/// use mutator_governance::blocking::ArchiveWriter;
///
/// # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
/// # let target = mutator_governance::Target::new("tenant:acme", "Tenant", "RoleGrant")?;
/// # let intent = mutator_governance::Intent::new("grant-role", "Access")?;
/// # let rita = mutator_governance::ActorContext::user("rita")?;
/// # governance.submit(mutator_governance::RequestDraft::new(target, intent, rita))?;
/// let mut lines = ArchiveWriter::new(Vec::new());
/// let manifest = governance.export(&RequestQuery::new(), &mut lines, &ExportOptions::new())?;
/// let lines = lines.into_inner();
/// assert_eq!(lines.len() as u64, manifest.bytes());
/// assert_eq!(lines.last(), Some(&b'\n'));
/// # Ok::<(), mutator_governance::Error>(())
/// ```
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    writer: W,
    is_part: bool,
}

impl<W: Write + Send> ArchiveWriter<W> {
    /// A sink that writes here.
    pub const fn new(writer: W) -> Self {
        Self { writer, is_part: false }
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

impl<W: Write + Send> ArchiveSink for ArchiveWriter<W> {
    fn begin(&mut self, file: &str) -> io::Result<()> {
        self.is_part = file != crate::archive::ArchiveManifest::FILE;
        Ok(())
    }

    fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        if self.is_part { self.writer.write_all(&bytes) } else { Ok(()) }
    }

    fn end(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
