use std::sync::Arc;

use super::samples::{fullest, realistic, smallest};
use super::*;

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;

#[test]
fn what_is_encoded_decodes_to_the_same() {
    for document in [smallest(), realistic(), fullest()] {
        let bytes = encode(&document, LIMIT).unwrap();
        assert_eq!(decode(&bytes, LIMIT).unwrap(), document);
    }
}

#[test]
fn equal_actors_are_one_value_after_decoding() {
    let document = decode(&encode(&realistic(), LIMIT).unwrap(), LIMIT).unwrap();
    assert!(Arc::ptr_eq(&document.requested_by, &document.decisions[0].by));
    assert!(Arc::ptr_eq(&document.approvals[0].state.verdict().unwrap().by, &document.decisions[3].by));
}

#[test]
fn every_truncation_is_a_typed_error() {
    let bytes = encode(&fullest(), LIMIT).unwrap();
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length], LIMIT).unwrap_err();
        assert!(matches!(error, FormatError::Truncated { found, .. } if found == length), "{length}: {error}");
    }
}

#[test]
fn every_flip_of_one_bit_is_a_typed_error() {
    let bytes = encode(&realistic(), LIMIT).unwrap();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(decode(&damaged, LIMIT).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn bytes_behind_the_body_are_malformed() {
    let mut bytes = encode(&smallest(), LIMIT).unwrap();
    bytes.push(0);
    assert!(matches!(decode(&bytes, LIMIT), Err(FormatError::Malformed { .. })));
}

#[test]
fn more_than_the_limit_is_neither_written_nor_read() {
    let bytes = encode(&realistic(), LIMIT).unwrap();
    let exact = DocumentLimit::of_bytes(bytes.len());
    assert_eq!(encode(&realistic(), exact).unwrap(), bytes);
    assert!(decode(&bytes, exact).is_ok());
    let short = DocumentLimit::of_bytes(bytes.len() - 1);
    assert!(matches!(encode(&realistic(), short), Err(FormatError::OverLimit { .. })));
    assert!(matches!(decode(&bytes, short), Err(FormatError::OverLimit { .. })));
}
