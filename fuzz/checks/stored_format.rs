//! What has to hold for any bytes. Run by the fuzzers, and on stable by `tests/format/fuzz_corpus.rs`.

#![allow(dead_code, reason = "each fuzz target runs one of the checks")]

use miniz_oxide::deflate::compress_to_vec_zlib;
use mutator_governance::RequestDocument;
use mutator_governance::stored_format::{
    Compression, DocumentLimit, FormatError, FormatVersion, decode, encode, encode_as, encode_compressed,
};

const LIMIT: DocumentLimit = DocumentLimit::of_bytes(64 * 1024);
const HEADER: usize = 16;
const COMPRESSED: u8 = 1;

/// Any bytes: no panic, and what is read can be written.
pub fn decode_any(data: &[u8]) {
    if let Ok(document) = decode(data, LIMIT) {
        survives(&document, FormatVersion::NEWEST);
    }
}

/// Any body of any version, as it is and as a compressed one: what it describes survives being written, with the same bytes
/// each time; and compressing a body changes nothing of what comes of it.
pub fn round_trip(data: &[u8]) {
    let body = body(data);
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let compressed = [&length, &compress_to_vec_zlib(body, 1)[..]].concat();
    for version in 1..=FormatVersion::NEWEST.number() {
        let plain = decode(&seal(0, version, body), LIMIT);
        for document in [&plain, &decode(&seal(COMPRESSED, version, body), LIMIT)].into_iter().flatten() {
            survives(document, FormatVersion::new(version).unwrap());
        }
        assert!(decode(&seal(COMPRESSED, version, &compressed), LIMIT) == plain, "compressed it is something else");
    }
}

/// A golden vector, chosen by the first byte, with some bytes replaced: a typed error; with the checksum made right
/// again a typed error or a document.
pub fn mutate_envelope(data: &[u8]) {
    const VECTORS: [&[u8]; 4] = [
        include_bytes!("../../tests/fixtures/stored_format/v1/realistic.bin"),
        include_bytes!("../../tests/fixtures/stored_format/v1/approvals.bin"),
        include_bytes!("../../tests/fixtures/stored_format/v1/fullest.bin"),
        include_bytes!("../../tests/fixtures/stored_format/v1_compressed/json_payload.bin"),
    ];
    let Some((&choice, edits)) = data.split_first() else { return };
    let original = VECTORS[usize::from(choice) % VECTORS.len()];
    let mut bytes = original.to_vec();
    for edit in edits.chunks_exact(3).take(32) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[place] = edit[2];
    }
    assert!(bytes == original || decode(&bytes, LIMIT).is_err(), "damage went unnoticed");
    let version = u16::from_le_bytes([bytes[6], bytes[7]]);
    for flags in [bytes[5], bytes[5] ^ COMPRESSED] {
        if let Ok(document) = decode(&seal(flags, version, &bytes[HEADER..]), LIMIT) {
            survives(&document, FormatVersion::NEWEST);
        }
    }
}

fn survives(document: &RequestDocument, version: FormatVersion) {
    let bytes = match encode_as(document, version, LIMIT) {
        Ok(bytes) => bytes,
        // What one version stores within the limit may be too much for another.
        Err(FormatError::OverLimit { .. }) => return,
        // An edited version number may be older than a part of the document.
        Err(FormatError::NotExpressible { version: older, .. }) if older < FormatVersion::NEWEST.number() => return,
        Err(error) => panic!("what was read cannot be written: {error}"),
    };
    let again = decode(&bytes, LIMIT).expect("what was written within the limit is read within it");
    assert!(again == *document, "a document changed by being stored");
    assert!(encode_as(&again, version, LIMIT) == Ok(bytes), "the same document has other bytes");
    let compressed = encode_compressed(document, version, Compression::of_payloads_from(0), LIMIT);
    let compressed = compressed.expect("what is written plain is written compressed");
    assert!(decode(&compressed, LIMIT).as_ref() == Ok(document), "a document changed by being compressed");
    if let Ok(newest) = encode(document, LIMIT) {
        assert!(decode(&newest, LIMIT).as_ref() == Ok(document), "a document changed by being upgraded");
    }
}

/// What is behind the header, whatever that says, so that golden vectors serve as seeds.
fn body(data: &[u8]) -> &[u8] {
    data.get(HEADER..).unwrap_or_default()
}

/// An envelope that is in order around a body that need not be.
fn seal(flags: u8, version: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89MGR\x01".to_vec();
    bytes.push(flags);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    let checksum = crc32fast::hash(&[&bytes, body].concat());
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}
