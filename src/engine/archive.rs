//! Reads an archive: checks it, iterates over it, finds requests in it.

use super::{ArchiveSource, Governance, MemoryStore, dual};
use crate::archive::{ArchiveManifest, ArchivedLine, PartReader, RequestRecord};
use crate::error::{ArchiveError, Error, Result};
use crate::request::{IntoId, MutationRequest, RequestId};
use crate::stored_format::DocumentLimit;

/// An archive that an export wrote.
///
/// It is read from its beginning to its end, with no more than some lines of it in memory, and as often as asked. What holds one
/// line too long, changed or of a newer release can still be read but for that line.
pub struct Archive {
    source: Box<dyn ArchiveSource>,
    manifest: ArchiveManifest,
    limit: DocumentLimit,
    part: Option<PartReader>,
    chunk: Vec<u8>,
    /// How much of the chunk the part was given.
    fed: usize,
    next_part: usize,
}

/// How many records a memory store takes at once.
const AT_ONCE: usize = 500;

#[dual]
impl Archive {
    /// The archive in this source.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] and [`ArchiveError::UnknownFormat`] when its manifest cannot be used,
    /// [`ArchiveError::Unfinished`] when its export did not end, and [`ArchiveError::File`] when it cannot be read.
    pub async fn open(mut source: impl ArchiveSource + 'static) -> Result<Self> {
        let manifest = Self::manifest_in(&mut source).await?;
        if !manifest.is_finished() {
            return Err(ArchiveError::Unfinished { requests: manifest.requests }.into());
        }
        let (limit, part, chunk) = (DocumentLimit::DEFAULT, None, Vec::new());
        Ok(Self { source: Box::new(source), manifest, limit, part, chunk, fed: 0, next_part: 0 })
    }

    /// The manifest in this source, also of an export that did not end: [resume](crate::archive::ExportOptions::resume) it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn manifest_in(source: &mut (impl ArchiveSource + ?Sized)) -> Result<ArchiveManifest> {
        let unreadable = |error| unreadable(ArchiveManifest::FILE, &error);
        source.open(ArchiveManifest::FILE).await.map_err(unreadable)?;
        let mut text = Vec::new();
        loop {
            let bytes = source.read().await.map_err(unreadable)?;
            if bytes.is_empty() {
                return ArchiveManifest::parse(&text);
            }
            text.extend(bytes);
            if text.len() > ArchiveManifest::MAX_BYTES {
                let problem = format!("it is longer than {} bytes", ArchiveManifest::MAX_BYTES);
                return Err(ArchiveError::Manifest { problem }.into());
            }
        }
    }

    /// The next request, with the writes that its store remembered; `None` after the last. Begins again after that, and after
    /// an error that ends it.
    ///
    /// # Errors
    /// [`ArchiveError::Line`] and [`ArchiveError::LineTooLong`] for one line: the next call goes on with the one after it.
    /// [`ArchiveError::Truncated`], [`ArchiveError::Checksum`] and [`ArchiveError::OtherCount`] after the last line of a file that
    /// is not as it was written, and [`ArchiveError::File`] when it cannot be read.
    pub async fn next_record(&mut self) -> Result<Option<RequestRecord>> {
        match self.next_line().await? {
            Some(line) => Ok(Some(line.record?)),
            None => Ok(None),
        }
    }

    /// The same line with its place.
    pub(super) async fn next_line(&mut self) -> Result<Option<ArchivedLine>> {
        match self.read_line().await {
            Ok(Some(line)) => Ok(Some(line)),
            ended => {
                self.rewind();
                ended
            }
        }
    }

    async fn read_line(&mut self) -> Result<Option<ArchivedLine>> {
        loop {
            if self.part.is_none() && !self.open_next().await? {
                return Ok(None);
            }
            if let Some(part) = &mut self.part
                && let Some(line) = part.next_line()
            {
                return Ok(Some(line));
            }
            self.read_on().await?;
        }
    }

    async fn open_next(&mut self) -> Result<bool> {
        let Some(part) = self.manifest.parts.get(self.next_part) else { return Ok(false) };
        self.source.open(&part.file).await.map_err(|error| unreadable(&part.file, &error))?;
        self.part = Some(PartReader::begin(&self.manifest, part, self.limit));
        (self.chunk, self.fed, self.next_part) = (Vec::new(), 0, self.next_part + 1);
        Ok(true)
    }

    /// Gives the part more bytes, or ends it.
    async fn read_on(&mut self) -> Result<()> {
        let Some(part) = &mut self.part else { return Ok(()) };
        if self.fed == self.chunk.len() {
            let file = self.manifest.parts.get(self.next_part - 1).map_or("", |part| part.file.as_str());
            self.chunk = self.source.read().await.map_err(|error| unreadable(file, &error))?;
            self.fed = 0;
        }
        if self.chunk.is_empty() {
            return self.part.take().map_or(Ok(()), PartReader::finish);
        }
        self.fed += part.feed(self.chunk.get(self.fed..).unwrap_or_default());
        Ok(())
    }

    /// Checks every file against the manifest: its length, its SHA-256, and how many lines it has; not what is in the lines.
    /// Begin with this to be sure that an archive can be read back before anything is removed elsewhere.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record), but for single lines.
    pub async fn verify(&mut self) -> Result<()> {
        self.rewind();
        let verified = self.verify_files().await;
        self.rewind();
        verified
    }

    async fn verify_files(&mut self) -> Result<()> {
        while self.open_next().await? {
            while let Some(part) = &mut self.part {
                part.pass_lines();
                self.read_on().await?;
            }
        }
        Ok(())
    }

    /// The request with this id, if it is in the archive. Reads the archive up to it: to find many, [load](Self::load) it.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record), but for lines of other requests.
    pub async fn get(&mut self, id: impl IntoId<RequestId>) -> Result<Option<MutationRequest>> {
        let id = id.into_id()?;
        self.rewind();
        while let Some(line) = self.next_line().await? {
            let Ok(record) = line.record else { continue };
            if *record.request().id() == id {
                self.rewind();
                let request = record.into_request().into_request().map_err(Error::from)?;
                return Ok(Some(request.comparing_ids(self.manifest.id_comparison)));
            }
        }
        Ok(None)
    }

    /// A service over all its requests in this process's memory, which answers the same queries as the store that they came
    /// from.
    ///
    /// # Errors
    /// As [`next_record`](Self::next_record).
    pub async fn load(&mut self) -> Result<Governance> {
        self.rewind();
        let store = MemoryStore::comparing_ids(self.manifest.id_comparison);
        let mut records = Vec::with_capacity(AT_ONCE);
        loop {
            let next = self.next_record().await?;
            let is_last = next.is_none();
            records.extend(next);
            if is_last || records.len() == AT_ONCE {
                store.load(&records)?;
                records.clear();
            }
            if is_last {
                return Ok(Governance::builder().store(std::sync::Arc::new(store)).build());
            }
        }
    }
}

impl Archive {
    /// What is in it.
    pub const fn manifest(&self) -> &ArchiveManifest {
        &self.manifest
    }

    /// The greatest document that is read. Longer lines are errors. Defaults to [`DocumentLimit::DEFAULT`].
    #[must_use]
    pub const fn document_limit(mut self, limit: DocumentLimit) -> Self {
        self.limit = limit;
        self
    }

    /// Goes back to the first request.
    pub fn rewind(&mut self) {
        (self.part, self.next_part, self.fed) = (None, 0, 0);
        self.chunk.clear();
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Error {
    ArchiveError::File { file: file.to_owned(), writing: false, problem: error.to_string() }.into()
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}
