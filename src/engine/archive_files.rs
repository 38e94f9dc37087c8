//! Where the files of an archive are: what writes and what reads them.

use std::io;

use super::dual;

/// Writes the files of an archive, one after another.
///
/// [`ArchiveDirectory`](super::ArchiveDirectory) is one; write your own for an object store or any other place. Each file is
/// begun, written in chunks of some hundred kilobytes, or of one request if that is longer, and ended. A file that was begun and
/// not ended is not to be there.
#[dual]
pub trait ArchiveSink: Send {
    /// Begins a file of this name, which replaces one that is there. It has letters, digits, `.` and `-`.
    ///
    /// # Errors
    /// Whatever failed; the export ends with [`ArchiveError::File`](crate::ArchiveError::File).
    async fn begin(&mut self, file: &str) -> io::Result<()>;

    /// Adds these bytes to the file.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()>;

    /// Ends the file. It is there, whole and durably, when this returns.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn end(&mut self) -> io::Result<()>;
}

/// Reads the files of an archive, one after another and maybe several times.
#[dual]
pub trait ArchiveSource: Send {
    /// Opens this file at its beginning.
    ///
    /// # Errors
    /// Whatever failed; what was called ends with [`ArchiveError::File`](crate::ArchiveError::File).
    async fn open(&mut self, file: &str) -> io::Result<()>;

    /// The next bytes of the file; none at its end.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    async fn read(&mut self) -> io::Result<Vec<u8>>;
}
