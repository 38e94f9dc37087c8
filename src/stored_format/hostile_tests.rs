//! Undamaged bytes that no writer of this crate wrote.

use super::golden::documents_of;
use super::samples::{realistic, smallest};
use super::*;
use crate::request::*;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;
const HEADER: usize = 16;

fn versions() -> impl Iterator<Item = FormatVersion> {
    FormatVersion::all()
}

/// The same envelope, with the checksum corrected.
pub(super) fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(bytes.len() - HEADER).unwrap();
    bytes[8..12].copy_from_slice(&length.to_le_bytes());
    let checksum = crc32fast::hash(&[&bytes[..12], &bytes[HEADER..]].concat());
    bytes[12..HEADER].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

pub(super) fn malformed(bytes: Vec<u8>) -> String {
    match decode(&reseal(bytes), LIMIT) {
        Err(FormatError::Malformed { problem }) => problem,
        other => panic!("not malformed, but {other:?}"),
    }
}

/// The smallest document, with this encoded entry as its metadata.
fn with_entry(version: FormatVersion, entry: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut bytes = encode_as(&smallest(), version, LIMIT).unwrap();
    assert_eq!(bytes.pop(), Some(0), "the number of entries comes last");
    bytes.push(1);
    bytes.extend(entry);
    bytes
}

#[test]
fn damage_is_never_taken_for_a_newer_release() {
    for version in versions() {
        let bytes = encode_as(&realistic(), version, LIMIT).unwrap();
        for place in (5..8).chain(12..bytes.len()) {
            for byte in [0, 1, 2, 3, 255] {
                let mut damaged = bytes.clone();
                damaged[place] = byte;
                let error = if damaged == bytes { continue } else { decode(&damaged, LIMIT).unwrap_err() };
                assert!(matches!(error, FormatError::ChecksumMismatch { .. }), "{byte} at {place}: {error}");
            }
        }
    }
}

/// A reader rejects an id that cannot be built.
#[test]
fn an_id_that_hides_a_character_is_not_read() {
    for (written, stored, said) in [
        ("rita-xxx", "rita-\u{200b}", "U+200B"),
        ("rita-xx", "rita-\u{a0}", "U+00A0"),
        ("rene-xxx", "rene\u{301}-x", "U+0301"),
        ("rita-xxx", "\u{202e}rita-", "U+202E"),
    ] {
        for version in versions() {
            let requested_by = std::sync::Arc::new(ActorContext::user(written).unwrap());
            let document = RequestDocument { requested_by, ..smallest() };
            let mut bytes = encode_as(&document, version, LIMIT).unwrap();
            let place = bytes.windows(written.len()).position(|part| part == written.as_bytes()).unwrap();
            assert_eq!(stored.len(), written.len());
            bytes[place..place + written.len()].copy_from_slice(stored.as_bytes());
            let problem = malformed(bytes);
            assert!(problem.contains("actor id") && problem.contains(said), "{problem}");
        }
    }
}

#[test]
fn flags_that_are_not_known_are_rejected() {
    let mut bytes = encode(&smallest(), LIMIT).unwrap();
    bytes[5] = 0b100;
    assert_eq!(decode(&reseal(bytes), LIMIT).unwrap_err(), FormatError::UnsupportedFlags { flags: 0b100 });
}

#[test]
fn keys_and_members_out_of_order_or_twice_are_malformed() {
    let mut with_tags = smallest();
    with_tags.intent.tags = ["Y", "Z"].map(|tag| Tag::new(tag).unwrap()).into();
    let keys = Metadata::new().with("Y", 1_i64).and_then(|metadata| metadata.with("Z", 1_i64)).unwrap();
    let with_keys = RequestDocument { metadata: keys, ..smallest() };
    for (document, what) in [(with_tags, "in its set"), (with_keys, "metadata key")] {
        for version in versions() {
            let bytes = encode_as(&document, version, LIMIT).unwrap();
            let [first, second] = [b'Y', b'Z'].map(|name| bytes.iter().rposition(|byte| *byte == name).unwrap());
            let mut swapped = bytes.clone();
            swapped.swap(first, second);
            assert!(malformed(swapped).contains(what));
            let mut twice = bytes;
            twice[second] = b'Y';
            assert!(malformed(twice).contains(what));
        }
    }
}

#[test]
fn metadata_is_read_down_to_level_16_and_no_further() {
    for version in versions() {
        let nested = |lists: usize| {
            // An entry with an empty key; each list holds one value, the last holds null.
            let lists = std::iter::repeat_n([8, 1], lists).flatten();
            with_entry(version, std::iter::once(0).chain(lists).chain([0]))
        };
        assert!(decode(&reseal(nested(15)), LIMIT).is_ok());
        for lists in [16, 17, 100_000] {
            assert!(malformed(nested(lists)).contains("deeper than 16"), "{lists} lists in version {version}");
        }
    }
}

#[test]
fn values_that_break_a_rule_are_malformed_and_name_the_field() {
    for version in versions() {
        let mut blank_id = encode_as(&smallest(), version, LIMIT).unwrap();
        let place = blank_id.iter().position(|byte| *byte == b'r').unwrap();
        blank_id[place] = b' ';
        assert!(malformed(blank_id).contains("request id is blank"));
        let mut no_text = encode_as(&smallest(), version, LIMIT).unwrap();
        let place = no_text.iter().position(|byte| *byte == b'r').unwrap();
        no_text[place] = 0xff;
        assert!(malformed(no_text).contains("UTF-8"));
    }
}

/// The least limit for writing a document is also the least for reading it.
#[test]
fn reading_and_writing_count_alike() {
    for version in versions() {
        for (name, document) in documents_of(version) {
            let fits = |bytes: usize| encode_as(&document, version, DocumentLimit::of_bytes(bytes));
            let (mut too_small, mut enough) = (0, LIMIT.bytes());
            while too_small + 1 < enough {
                let middle = usize::midpoint(too_small, enough);
                if fits(middle).is_ok() { enough = middle } else { too_small = middle }
            }
            let bytes = fits(enough).unwrap();
            assert_eq!(decode(&bytes, DocumentLimit::of_bytes(enough)).unwrap(), document);
            let rejected = decode(&bytes, DocumentLimit::of_bytes(too_small));
            assert!(
                matches!(rejected, Err(FormatError::OverLimit { .. })),
                "{name} in version {version}: {rejected:?}"
            );
        }
    }
}
