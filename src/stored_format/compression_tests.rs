//! When documents are written compressed, and how compressed ones are read.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::golden::{documents_of, json_payload};
use super::hostile_tests::{malformed, reseal};
use super::samples::{realistic, smallest};
use super::*;
use crate::request::{Payload, RequestDocument};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;
const ALWAYS: Compression = Compression::of_payloads_from(0);
const HEADER: usize = 16;

fn versions() -> impl Iterator<Item = FormatVersion> {
    FormatVersion::all()
}

fn written(document: &RequestDocument, compression: Compression) -> Vec<u8> {
    encode_compressed(document, FormatVersion::NEWEST, compression, LIMIT).unwrap()
}

fn is_compressed(bytes: &[u8]) -> bool {
    bytes[5] == 1
}

fn with_payload(bytes: Vec<u8>) -> RequestDocument {
    RequestDocument { payload: Some(Payload::new("text/plain", bytes).unwrap()), ..smallest() }
}

/// A document of the newest version, built as `docs/stored-format.md` says.
fn sealed(announced: usize, stream: &[u8]) -> Vec<u8> {
    let mut bytes = written(&smallest(), Compression::NEVER)[..HEADER].to_vec();
    bytes[5] = 1;
    bytes.extend_from_slice(&u32::try_from(announced).unwrap().to_le_bytes());
    bytes.extend_from_slice(stream);
    reseal(bytes)
}

/// The body of an uncompressed document, and its zlib stream.
fn body_and_stream() -> (Vec<u8>, Vec<u8>) {
    let body = written(&realistic(), Compression::NEVER)[HEADER..].to_vec();
    let stream = compress_to_vec_zlib(&body, 6);
    (body, stream)
}

#[test]
fn payloads_are_compressed_from_the_chosen_size_on() {
    for (compression, least) in [(Compression::of_payloads_from(300), 300), (Compression::DEFAULT, 4096)] {
        for (bytes, expected) in [(least - 1, false), (least, true), (least + 1, true)] {
            let document = with_payload(vec![b'x'; bytes]);
            let stored = written(&document, compression);
            assert_eq!(is_compressed(&stored), expected, "{bytes} bytes with {compression:?}");
            assert_eq!(decode(&stored, LIMIT).unwrap(), document);
        }
    }
    assert!(is_compressed(&written(&json_payload(), Compression::DEFAULT)));
}

#[test]
fn what_is_not_compressed_has_the_bytes_it_always_had() {
    let mut random = fastrand::Rng::with_seed(1);
    let incompressible = with_payload((0..5_000).map(|_| random.u8(..)).collect());
    let without_payload = RequestDocument { payload: None, ..json_payload() };
    let cases = [(json_payload(), Compression::NEVER), (incompressible, ALWAYS), (without_payload, ALWAYS)];
    for (document, compression) in cases {
        for version in versions() {
            let plain = encode_as(&document, version, LIMIT).unwrap();
            assert_eq!(encode_compressed(&document, version, compression, LIMIT).unwrap(), plain);
        }
    }
}

#[test]
fn what_is_compressed_is_smaller_by_an_eighth_and_the_same_body() {
    let mut compressed = 0;
    for version in versions() {
        for (name, document) in documents_of(version) {
            let plain = encode_as(&document, version, LIMIT).unwrap();
            let bytes = encode_compressed(&document, version, ALWAYS, LIMIT).unwrap();
            assert_eq!(decode(&bytes, LIMIT).unwrap(), document, "{name} in version {version}");
            assert_eq!(uncompressed_bytes(&bytes).unwrap(), plain.len(), "{name} in version {version}");
            if is_compressed(&bytes) {
                compressed += 1;
                let body = plain.len() - HEADER;
                assert!(bytes.len() - HEADER <= body - body / 8, "{name}");
                assert_eq!(*envelope::open(&bytes, LIMIT).unwrap().body(LIMIT).unwrap(), plain[HEADER..]);
            }
        }
    }
    assert!(compressed >= 4 * versions().count(), "{compressed} were compressed");
}

#[test]
fn every_truncation_and_every_flip_of_a_compressed_document_is_a_typed_error() {
    let bytes = written(&json_payload(), Compression::DEFAULT);
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length], LIMIT).unwrap_err();
        assert!(matches!(error, FormatError::Truncated { found, .. } if found == length), "{length}: {error}");
        if length >= HEADER {
            assert!(matches!(decode(&reseal(bytes[..length].to_vec()), LIMIT), Err(FormatError::Malformed { .. })));
        }
    }
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(decode(&damaged, LIMIT).is_err(), "bit {bit} of byte {place}");
            // With that checksum corrected, the stream's own remains: it may encode the same bytes in another way, and
            // nothing else.
            if let Ok(read) = decode(&reseal(damaged), LIMIT) {
                assert!(read == json_payload(), "bit {bit} of byte {place}");
            }
        }
    }
}

#[test]
fn streams_that_are_not_what_they_say_are_malformed() {
    let (body, stream) = body_and_stream();
    assert_eq!(decode(&sealed(body.len(), &stream), LIMIT).unwrap(), realistic());
    assert!(malformed(sealed(body.len() + 1, &stream)).contains("bytes were announced, but"));
    assert!(malformed(sealed(body.len() - 1, &stream)).contains("more was compressed than"));
    assert!(malformed(sealed(0, &stream)).contains("more was compressed than the announced 0 bytes"));
    let longer = [&stream[..], &[0]].concat();
    assert!(malformed(sealed(body.len(), &longer)).contains("1 bytes after the zlib stream"));
    let mut other_checksum = stream.clone();
    *other_checksum.last_mut().unwrap() ^= 1;
    assert!(malformed(sealed(body.len(), &other_checksum)).contains("another checksum"));
    assert!(malformed(sealed(body.len(), &stream[..stream.len() - 1])).contains("cut off"));
    assert!(malformed(sealed(body.len(), &body)).contains("not a zlib stream"));
    assert!(malformed(sealed(body.len(), &stream[2..])).contains("not a zlib stream"), "deflate without zlib");
    let mut no_length = sealed(0, &[]);
    no_length.truncate(HEADER + 3);
    assert!(malformed(no_length).contains("no length"));
    let twice = compress_to_vec_zlib(&stream, 6);
    assert!(decode(&sealed(stream.len(), &twice), LIMIT).is_err());
}

/// Another compressor may choose other blocks.
#[test]
fn any_zlib_stream_of_the_body_will_do() {
    let (body, _) = body_and_stream();
    for level in 0..=9 {
        let stream = compress_to_vec_zlib(&body, level);
        assert_eq!(decode(&sealed(body.len(), &stream), LIMIT).unwrap(), realistic(), "level {level}");
    }
}

#[test]
fn flags_and_versions_that_are_not_known_are_rejected_before_anything_is_decompressed() {
    let mut bytes = sealed(9, b"no stream");
    let newest_supported = FormatVersion::NEWEST.number();
    let found = newest_supported + 1;
    bytes[6..8].copy_from_slice(&found.to_le_bytes());
    let newer = FormatError::UnsupportedVersion { part: "schema", found, newest_supported };
    assert_eq!(decode(&reseal(bytes.clone()), LIMIT).unwrap_err(), newer);
    bytes[5] = 0b1000_0011;
    let unknown = FormatError::UnsupportedFlags { flags: 0b1000_0010 };
    assert_eq!(decode(&reseal(bytes), LIMIT).unwrap_err(), unknown);
}

#[test]
fn the_limit_holds_for_what_is_compressed_as_if_it_were_not() {
    let document = json_payload();
    for version in versions() {
        let plain = encode_as(&document, version, LIMIT).unwrap().len();
        let [enough, short] = [plain, plain - 1].map(DocumentLimit::of_bytes);
        let bytes = encode_compressed(&document, version, ALWAYS, enough).unwrap();
        assert!(bytes.len() < short.bytes() / 2);
        assert_eq!(decode(&bytes, enough).unwrap(), document);
        let over = FormatError::OverLimit { size: plain, unit: "bytes", limit: short.bytes() };
        assert_eq!(decode(&bytes, short).unwrap_err(), over);
        assert_eq!(encode_compressed(&document, version, ALWAYS, short).unwrap_err(), over);
    }
}
