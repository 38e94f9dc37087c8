//! Archives in a directory.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::super::off_thread::off_thread;
use super::{ArchiveSink, ArchiveSource, dual};
use crate::archive::ArchiveManifest;

/// An archive in a directory of its own, for writing and for reading.
///
/// A file is written under another name, brought to the disk, and then renamed; so a file that is there is whole. In the
/// asynchronous flavour the runtime's threads for blocking work do it.
#[derive(Debug)]
pub struct ArchiveDirectory {
    directory: PathBuf,
    written: Option<(PathBuf, File)>,
    read: Option<File>,
}

const CHUNK_BYTES: usize = 256 * 1024;

#[dual]
impl ArchiveDirectory {
    /// A new archive in this directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when an archive is there, and whatever else the system reports.
    pub async fn create(directory: impl Into<PathBuf> + Send) -> io::Result<Self> {
        let directory = directory.into();
        off_thread(move || {
            fs::create_dir_all(&directory)?;
            if directory.join(ArchiveManifest::FILE).try_exists()? {
                let problem = format!("{} holds an archive already", directory.display());
                return Err(io::Error::new(ErrorKind::AlreadyExists, problem));
            }
            Ok(Self { directory, written: None, read: None })
        })
        .await
    }

    /// The archive in this directory: to read it, or to resume its export.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when no archive is there, and whatever else the system reports.
    pub async fn open(directory: impl Into<PathBuf> + Send) -> io::Result<Self> {
        let directory = directory.into();
        off_thread(move || {
            if !directory.join(ArchiveManifest::FILE).try_exists()? {
                let problem = format!("{} holds no archive", directory.display());
                return Err(io::Error::new(ErrorKind::NotFound, problem));
            }
            Ok(Self { directory, written: None, read: None })
        })
        .await
    }
}

#[dual]
impl ArchiveSink for ArchiveDirectory {
    async fn begin(&mut self, file: &str) -> io::Result<()> {
        let path = self.directory.join(file);
        let opened = unfinished(&path);
        self.written = Some((path, off_thread(move || File::create(opened)).await?));
        Ok(())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let (path, mut file) = self.written.take().ok_or_else(no_file)?;
        let file = off_thread(move || file.write_all(&bytes).map(|()| file)).await?;
        self.written = Some((path, file));
        Ok(())
    }

    async fn end(&mut self) -> io::Result<()> {
        let (path, file) = self.written.take().ok_or_else(no_file)?;
        let directory = self.directory.clone();
        off_thread(move || {
            file.sync_all()?;
            fs::rename(unfinished(&path), &path)?;
            // The name is durable only with its directory, which not every system lets a program open.
            if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
        })
        .await
    }
}

#[dual]
impl ArchiveSource for ArchiveDirectory {
    async fn open(&mut self, file: &str) -> io::Result<()> {
        let path = self.directory.join(file);
        self.read = Some(off_thread(move || File::open(path)).await?);
        Ok(())
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let file = self.read.take().ok_or_else(no_file)?;
        let (file, bytes) = off_thread(move || next_bytes(file)).await?;
        self.read = Some(file);
        Ok(bytes)
    }
}

/// The name of a file until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn next_bytes(mut file: File) -> io::Result<(File, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(CHUNK_BYTES);
    (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
    Ok((file, bytes))
}

fn no_file() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "no file was begun, or an earlier call on it failed")
}
