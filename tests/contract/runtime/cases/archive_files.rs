//! Files of an archive in this process's memory, which a test changes or lets fail.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::{dual, flavour};
use flavour::{ArchiveSink, ArchiveSource};

/// Clones share the files.
#[derive(Clone, Default)]
pub(crate) struct MemoryFiles {
    pub(crate) files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    written: Option<(String, Vec<u8>)>,
    read: Vec<u8>,
    /// How many bytes come at a time; everything if 0.
    pub(crate) chunk: usize,
    /// So many files are ended before one fails.
    pub(crate) files_before_failure: Option<usize>,
}

impl MemoryFiles {
    pub(crate) fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        self.files.lock().unwrap()[name].clone()
    }

    /// Other files, of which this one was changed.
    pub(crate) fn with(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut files = self.files.lock().unwrap().clone();
        change(files.get_mut(name).unwrap());
        Self { files: Arc::new(Mutex::new(files)), ..Self::default() }
    }

    /// The same, whose manifest has another text.
    pub(crate) fn with_manifest(&self, from: &str, to: &str) -> Self {
        self.with("manifest.json", |manifest| {
            let text = String::from_utf8(manifest.clone()).unwrap();
            assert!(text.contains(from), "{text}");
            *manifest = text.replacen(from, to, 1).into_bytes();
        })
    }
}

#[dual]
impl ArchiveSink for MemoryFiles {
    async fn begin(&mut self, file: &str) -> io::Result<()> {
        self.written = Some((file.to_owned(), Vec::new()));
        Ok(())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.written.as_mut().unwrap().1.extend(bytes);
        Ok(())
    }

    async fn end(&mut self) -> io::Result<()> {
        match &mut self.files_before_failure {
            Some(0) => return Err(io::Error::other("no space is left")),
            Some(left) => *left -= 1,
            None => {}
        }
        self.files.lock().unwrap().extend(self.written.take());
        Ok(())
    }
}

#[dual]
impl ArchiveSource for MemoryFiles {
    async fn open(&mut self, file: &str) -> io::Result<()> {
        let files = self.files.lock().unwrap();
        let found = files.get(file).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such file"))?;
        self.read.clone_from(found);
        Ok(())
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let count = if self.chunk == 0 { self.read.len() } else { self.chunk.min(self.read.len()) };
        Ok(self.read.drain(..count).collect())
    }
}
