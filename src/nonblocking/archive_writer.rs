//! Archives in one stream of bytes.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use super::async_trait;
use super::engine::ArchiveSink;

/// One type for each trait of asynchronous writers.
macro_rules! writers {
    ($($(#[$about:meta])* $Writer:ident: $Trait:path;)*) => {$(
        $(#[$about])*
        #[derive(Debug)]
        pub struct $Writer<W> {
            writer: W,
            is_part: bool,
        }

        impl<W: $Trait + Send + Unpin> $Writer<W> {
            /// A sink that writes here.
            pub const fn new(writer: W) -> Self {
                Self { writer, is_part: false }
            }

            /// The writer.
            pub fn into_inner(self) -> W {
                self.writer
            }
        }

        #[async_trait]
        impl<W: $Trait + Send + Unpin> ArchiveSink for $Writer<W> {
            async fn begin(&mut self, file: &str) -> io::Result<()> {
                self.is_part = file != crate::archive::ArchiveManifest::FILE;
                Ok(())
            }

            async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
                let mut rest = bytes.as_slice();
                while self.is_part && !rest.is_empty() {
                    let written = poll_fn(|context| Pin::new(&mut self.writer).poll_write(context, rest)).await?;
                    if written == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                    rest = rest.get(written..).unwrap_or_default();
                }
                Ok(())
            }

            async fn end(&mut self) -> io::Result<()> {
                poll_fn(|context| Pin::new(&mut self.writer).poll_flush(context)).await
            }
        }
    )*};
}

#[cfg(feature = "tokio")]
writers! {
    /// Hands the files of an archive to a writer of tokio, one after another without anything between. The manifest, which says
    /// how long each is, is not among them: the export returns it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use mutator_governance::nonblocking::{Governance, MemoryStore};
    /// use mutator_governance::RequestQuery;
    /// use mutator_governance::archive::ExportOptions;
    /// use mutator_governance::nonblocking::TokioArchiveWriter;
    ///
    /// # async fn run() -> mutator_governance::Result<()> {
    /// # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
    /// # let target = mutator_governance::Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// # let intent = mutator_governance::Intent::new("grant-role", "Access")?;
    /// # let rita = mutator_governance::ActorContext::user("rita")?;
    /// # governance.submit(mutator_governance::RequestDraft::new(target, intent, rita)).await?;
    /// let mut lines = TokioArchiveWriter::new(Vec::new());
    /// let manifest = governance.export(&RequestQuery::new(), &mut lines, &ExportOptions::new()).await?;
    /// assert_eq!(lines.into_inner().len() as u64, manifest.bytes());
    /// # assert!(manifest.bytes() > 0);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    TokioArchiveWriter: tokio::io::AsyncWrite;
}

#[cfg(feature = "smol")]
writers! {
    /// Hands the files of an archive to a writer of the `futures` crates, which smol's are, one after another without anything
    /// between. The manifest, which says how long each is, is not among them: the export returns it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use mutator_governance::nonblocking::{Governance, MemoryStore};
    /// use mutator_governance::RequestQuery;
    /// use mutator_governance::archive::ExportOptions;
    /// use mutator_governance::nonblocking::FuturesArchiveWriter;
    ///
    /// # async fn run() -> mutator_governance::Result<()> {
    /// # let governance = Governance::builder().store(Arc::new(MemoryStore::new())).build();
    /// # let target = mutator_governance::Target::new("tenant:acme", "Tenant", "RoleGrant")?;
    /// # let intent = mutator_governance::Intent::new("grant-role", "Access")?;
    /// # let rita = mutator_governance::ActorContext::user("rita")?;
    /// # governance.submit(mutator_governance::RequestDraft::new(target, intent, rita)).await?;
    /// let mut lines = FuturesArchiveWriter::new(Vec::new());
    /// let manifest = governance.export(&RequestQuery::new(), &mut lines, &ExportOptions::new()).await?;
    /// assert_eq!(lines.into_inner().len() as u64, manifest.bytes());
    /// # assert!(manifest.bytes() > 0);
    /// # Ok(())
    /// # }
    /// # smol::block_on(run()).unwrap();
    /// ```
    FuturesArchiveWriter: smol::io::AsyncWrite;
}
