//! The format as a whole: what is rejected, and by which error.

use std::sync::Arc;

use super::golden::documents_of;
use super::samples::{fullest, realistic, smallest};
use super::*;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

/// Runs `check` with each version.
fn in_every_version(check: impl Fn(FormatVersion)) {
    assert_eq!(FormatVersion::all().last(), Some(FormatVersion::NEWEST));
    FormatVersion::all().for_each(check);
}

#[test]
fn what_is_encoded_decodes_to_the_same() {
    in_every_version(|version| {
        for (name, document) in documents_of(version) {
            let bytes = encode_as(&document, version, LIMIT).unwrap();
            assert_eq!(decode(&bytes, LIMIT).unwrap(), document, "{name} in version {version}");
        }
    });
}

#[test]
fn equal_documents_have_equal_bytes_whether_they_share_their_actors_or_not() {
    let shared = realistic();
    let mut separate = shared.clone();
    for decision in &mut separate.decisions {
        decision.by = Arc::new((*decision.by).clone());
    }
    in_every_version(|version| {
        let bytes = encode_as(&shared, version, LIMIT).unwrap();
        assert_eq!(encode_as(&separate, version, LIMIT).unwrap(), bytes);
        assert_eq!(encode_as(&decode(&bytes, LIMIT).unwrap(), version, LIMIT).unwrap(), bytes);
    });
}

#[test]
fn equal_actors_are_one_value_after_decoding() {
    in_every_version(|version| {
        let document = decode(&encode_as(&realistic(), version, LIMIT).unwrap(), LIMIT).unwrap();
        assert!(Arc::ptr_eq(&document.requested_by, &document.decisions[0].by));
        assert!(Arc::ptr_eq(&document.approvals[0].state.verdict().unwrap().by, &document.decisions[3].by));
    });
}

#[test]
fn every_truncation_is_a_typed_error() {
    in_every_version(|version| {
        let bytes = encode_as(&fullest(), version, LIMIT).unwrap();
        for length in 0..bytes.len() {
            let error = decode(&bytes[..length], LIMIT).unwrap_err();
            assert!(matches!(error, FormatError::Truncated { found, .. } if found == length), "{length}: {error}");
        }
    });
}

#[test]
fn every_flip_of_one_bit_is_a_typed_error() {
    in_every_version(|version| {
        let bytes = encode_as(&realistic(), version, LIMIT).unwrap();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                assert!(decode(&damaged, LIMIT).is_err(), "bit {bit} of byte {place}");
            }
        }
    });
}

#[test]
fn bytes_behind_the_document_are_malformed() {
    in_every_version(|version| {
        let mut bytes = encode_as(&smallest(), version, LIMIT).unwrap();
        let mut longer_body = bytes.clone();
        bytes.push(0);
        assert!(matches!(decode(&bytes, LIMIT), Err(FormatError::Malformed { .. })));
        longer_body.push(0);
        let longer_body = envelope::seal(longer_body, version.number(), LIMIT).unwrap();
        assert!(matches!(decode(&longer_body, LIMIT), Err(FormatError::Malformed { .. })));
    });
}

#[test]
fn more_than_the_limit_is_neither_written_nor_read() {
    in_every_version(|version| {
        let bytes = encode_as(&realistic(), version, LIMIT).unwrap();
        let exact = DocumentLimit::of_bytes(bytes.len());
        assert_eq!(encode_as(&realistic(), version, exact).unwrap(), bytes);
        assert!(decode(&bytes, exact).is_ok());
        let short = DocumentLimit::of_bytes(bytes.len() - 1);
        assert!(matches!(encode_as(&realistic(), version, short), Err(FormatError::OverLimit { .. })));
        assert!(matches!(decode(&bytes, short), Err(FormatError::OverLimit { .. })));
    });
}

#[test]
fn a_newer_version_is_rejected_by_its_number_and_never_called_damaged() {
    let of_version = |number| envelope::seal(envelope::begin(0), number, LIMIT).unwrap();
    let newest_supported = FormatVersion::NEWEST.number();
    for number in [newest_supported + 1, u16::MAX] {
        let expected = FormatError::UnsupportedVersion { part: "schema", found: number, newest_supported };
        assert_eq!(decode(&of_version(number), LIMIT).unwrap_err(), expected);
        assert_eq!(FormatVersion::new(number).unwrap_err(), expected);
    }
    assert!(matches!(decode(&of_version(0), LIMIT), Err(FormatError::Malformed { .. })));

    let mut newer_envelope = encode(&realistic(), LIMIT).unwrap();
    newer_envelope[4] = 9;
    let expected = FormatError::UnsupportedVersion { part: "envelope", found: 9, newest_supported: 1 };
    assert_eq!(decode(&newer_envelope, LIMIT).unwrap_err(), expected);
}

#[test]
fn foreign_bytes_are_called_foreign() {
    for bytes in [b"{\"id\":1}".as_slice(), b"x", &[0; 64], "\u{89}MGR".as_bytes()] {
        assert_eq!(decode(bytes, LIMIT).unwrap_err(), FormatError::Foreign);
    }
}
