//! What the tests of the stored format share: the golden vectors, and envelopes around any body.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the vectors and the snapshots of their documents are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stored_format")
}

/// Name and bytes of every vector of a version.
pub fn vectors(version: u16) -> BTreeMap<String, Vec<u8>> {
    vectors_in(&format!("v{version}"))
}

/// Of the vectors of a version, those that are stored compressed as well.
#[allow(dead_code, reason = "not every test that shares this reads them")]
pub fn compressed_vectors(version: u16) -> BTreeMap<String, Vec<u8>> {
    vectors_in(&format!("v{version}_compressed"))
}

fn vectors_in(folder: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = fs::read_dir(fixtures().join(folder)).unwrap();
    let files = folder.map(|file| file.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// An envelope that is in order around a body that need not be, put together as `docs/stored-format.md` says.
#[allow(dead_code, reason = "not every test that shares this builds envelopes")]
pub fn seal(version: u16, body: &[u8]) -> Vec<u8> {
    seal_with(0, version, body)
}

/// As [`seal`], around a body that is compressed, or says so.
#[allow(dead_code, reason = "not every test that shares this builds envelopes")]
pub fn seal_compressed(version: u16, announced: u32, stream: &[u8]) -> Vec<u8> {
    seal_with(1, version, &[&announced.to_le_bytes(), stream].concat())
}

fn seal_with(flags: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89MGR\x01".to_vec();
    bytes.push(flags);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&bytes);
    checksum.update(body);
    bytes.extend_from_slice(&checksum.finalize().to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The body in an envelope.
#[allow(dead_code, reason = "not every test that shares this takes envelopes apart")]
pub fn body(bytes: &[u8]) -> &[u8] {
    &bytes[16..]
}
