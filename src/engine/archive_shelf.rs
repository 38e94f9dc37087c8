//! Where archives are: a place that holds any number of them, by name.

use std::io;
use std::path::{Path, PathBuf};

use super::{ArchiveDirectory, ArchiveSink, ArchiveSource, dual};
use crate::removal::ArchiveName;

/// Holds archives by name, for a retention that archives.
#[dual]
pub trait ArchiveShelf: Send + Sync {
    /// A new archive of this name, which no other has.
    ///
    /// # Errors
    /// Whatever failed; nothing is removed then.
    async fn begin(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSink>>;

    /// The archive of this name.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn open(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSource>>;
}

/// Archives in a directory, each in a directory of its own by its name.
#[derive(Clone, Debug)]
pub struct ShelfDirectory {
    directory: PathBuf,
}

impl ShelfDirectory {
    /// The shelf in this directory, which is made when it is first written to.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The directory of an archive.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a name that would lead out of the shelf.
    pub fn path_of(&self, name: &ArchiveName) -> io::Result<PathBuf> {
        let text = name.as_str();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.starts_with('.') || !text.chars().all(is_plain) {
            let problem = format!("{name} is no plain name of a directory");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(self.directory.join(Path::new(text)))
    }
}

#[dual]
impl ArchiveShelf for ShelfDirectory {
    async fn begin(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSink>> {
        let archive = ArchiveDirectory::create(self.path_of(name)?).await?;
        Ok(Box::new(archive) as Box<dyn ArchiveSink>)
    }

    async fn open(&self, name: &ArchiveName) -> io::Result<Box<dyn ArchiveSource>> {
        let archive = ArchiveDirectory::open(self.path_of(name)?).await?;
        Ok(Box::new(archive) as Box<dyn ArchiveSource>)
    }
}

#[dual]
impl ArchiveSource for Box<dyn ArchiveSource> {
    async fn open(&mut self, file: &str) -> io::Result<()> {
        (**self).open(file).await
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        (**self).read().await
    }
}
