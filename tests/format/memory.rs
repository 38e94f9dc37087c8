//! Whatever the bytes are, decoding takes no more memory than a fixed multiple of the limit.
//!
//! One test, so that nothing else allocates while it measures.

use crate::MEMORY;
use common::vectors::{body, compressed_vectors, seal, seal_compressed, vectors};
use miniz_oxide::deflate::compress_to_vec_zlib;
use mutator_governance::stored_format::{DocumentLimit, FormatError, FormatVersion, decode, encode_as};

/// What `docs/stored-format.md` promises.
const MULTIPLE: usize = 48;
/// The kinds of metadata values that take the most memory for a byte.
const NULL: u8 = 0;
const LIST: u8 = 8;
const MAP: u8 = 9;

/// The most that decoding takes beyond what was there before, and what came of it.
fn peak(bytes: &[u8], limit: DocumentLimit) -> (usize, Result<(), FormatError>) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let outcome = decode(bytes, limit).map(drop);
    (MEMORY.peak_usage() - before, outcome)
}

#[test]
fn decoding_takes_a_bounded_multiple_of_the_limit() {
    common::alone!();
    hostile_bodies_at_the_limit();
    documents_made_of_the_smallest_parts();
    small_bodies_with_false_claims();
    compressed_bodies_with_false_claims();
}

/// Bodies as long as allowed, filled with whatever takes the most memory for a byte.
fn hostile_bodies_at_the_limit() {
    const LIMIT: usize = 256 * 1024;
    let mut worst = 0;
    for version in 1..=FormatVersion::NEWEST.number() {
        let smallest = vectors(version).remove("smallest").unwrap();
        // The last byte is the number of entries of the metadata: one, with an empty key and this value.
        let start = &body(&smallest)[..body(&smallest).len() - 1];
        let fillings: [(&str, Vec<u8>); 5] = [
            ("nothing", vec![NULL]),
            ("empty lists", vec![LIST, 0]),
            ("lists of nothing", vec![LIST, 1, NULL]),
            ("maps of one entry", vec![MAP, 1, 0, NULL]),
            ("maps of maps", vec![MAP, 1, 0, MAP, 1, 0, NULL]),
        ];
        for (name, filling) in fillings {
            let room = LIMIT - start.len() - 32;
            let count = room / filling.len();
            let mut hostile = start.to_vec();
            hostile.extend_from_slice(&[1, 0, LIST, 252]);
            hostile.extend_from_slice(&u32::try_from(count).unwrap().to_le_bytes());
            hostile.extend(filling.iter().cycle().take(count * filling.len()));
            let (peak, outcome) = peak(&seal(version, &hostile), DocumentLimit::of_bytes(LIMIT));
            assert!(peak <= LIMIT * MULTIPLE, "a list of {name} in version {version} takes {peak} bytes: {outcome:?}");
            assert!(matches!(outcome, Ok(()) | Err(FormatError::OverLimit { .. })), "{name}: {outcome:?}");
            worst = worst.max(peak);
            bomb(version, &hostile, &outcome, LIMIT);
        }
    }
    // Otherwise the bound would be wide enough to prove nothing.
    assert!(worst > LIMIT * 8, "the worst took {worst} bytes only");
}

/// The same body compressed, to a fiftieth of what it is or less: the same comes of it, within the same bound.
fn bomb(version: u16, hostile: &[u8], expected: &Result<(), FormatError>, limit: usize) {
    let stream = compress_to_vec_zlib(hostile, 1);
    assert!(stream.len() < hostile.len() / 50, "{} bytes", stream.len());
    let bytes = seal_compressed(version, u32::try_from(hostile.len()).unwrap(), &stream);
    let (peak, outcome) = peak(&bytes, DocumentLimit::of_bytes(limit));
    assert_eq!(&outcome, expected);
    assert!(peak <= limit * MULTIPLE, "{peak} bytes for {} in version {version}", bytes.len());
}

/// Documents that are valid, made of as many as possible of one part of theirs.
fn documents_made_of_the_smallest_parts() {
    let newest = vectors(FormatVersion::NEWEST.number());
    let source = decode(&newest["fullest"], DocumentLimit::DEFAULT).unwrap();
    let smallest = decode(&newest["smallest"], DocumentLimit::DEFAULT).unwrap();
    let mut documents = Vec::new();
    for (number, decision) in source.decisions.iter().take(2).enumerate() {
        let mut document = smallest.clone();
        document.decisions = vec![decision.clone(); 2_000 >> number];
        documents.push(document);
    }
    let mut document = smallest.clone();
    document.approvals = vec![source.approvals[0].clone(); 50];
    documents.push(document);
    let mut document = smallest.clone();
    document.side_effects = vec![source.side_effects[2].clone(); 2_000];
    documents.push(document);
    let mut document = smallest.clone();
    document.requirements = vec![source.requirements[0].clone(); 50];
    documents.push(document);
    let mut document = smallest;
    document.execution.links = vec![source.execution.links[0].clone(); 5_000];
    documents.push(document);

    for version in (1..=FormatVersion::NEWEST.number()).map(|number| FormatVersion::new(number).unwrap()) {
        for (place, document) in documents.iter().enumerate() {
            let bytes = encode_as(document, version, DocumentLimit::MAX).unwrap();
            let (peak, outcome) = peak(&bytes, DocumentLimit::of_bytes(bytes.len()));
            assert!(peak <= bytes.len() * MULTIPLE, "document {place} in version {version}: {peak}, {outcome:?}");
        }
    }
}

/// Every byte of the smaller vectors replaced by those that announce the most, with the checksum made right again.
fn small_bodies_with_false_claims() {
    const LIMIT: DocumentLimit = DocumentLimit::of_bytes(64 * 1024);
    for version in 1..=FormatVersion::NEWEST.number() {
        for (name, bytes) in vectors(version).into_iter().filter(|(_, bytes)| bytes.len() < 4_000) {
            for place in 0..body(&bytes).len() {
                for claim in [[250; 9], [251, 255, 255, 0, 0, 0, 0, 0, 0], [253; 9], [255; 9]] {
                    let mut hostile = body(&bytes).to_vec();
                    hostile.splice(place..=place, claim);
                    let (peak, outcome) = peak(&seal(version, &hostile), LIMIT);
                    assert!(peak <= LIMIT.bytes() * MULTIPLE, "{name} at {place}: {peak} bytes, {outcome:?}");
                }
            }
        }
    }
}

/// What says how long it was may say anything, and may be a stream of much more: nothing but what is within the limit is
/// ever allocated for it.
fn compressed_bodies_with_false_claims() {
    const LIMIT: DocumentLimit = DocumentLimit::of_bytes(64 * 1024);
    const MOST: usize = 64 * 1024 - 16;
    // What the decompressor needs for itself.
    const STATE: usize = 16 * 1024;
    let bomb = compress_to_vec_zlib(&vec![0; 8 * 1024 * 1024], 1);
    assert!(bomb.len() < LIMIT.bytes());
    for announced in [0, 1, 1000, MOST - 1, MOST, MOST + 1, 8 * 1024 * 1024, u32::MAX as usize] {
        let bytes = seal_compressed(FormatVersion::NEWEST.number(), u32::try_from(announced).unwrap(), &bomb);
        let (peak, outcome) = peak(&bytes, LIMIT);
        let allowed = if announced <= MOST { announced + STATE } else { 0 };
        assert!(peak <= allowed, "{announced} announced: {peak} bytes, {outcome:?}");
        match outcome {
            Err(FormatError::Malformed { problem }) => assert!(announced <= MOST, "{problem}"),
            Err(FormatError::OverLimit { size, .. }) => assert!(announced > MOST && size == announced + 16),
            other => panic!("{announced} announced: {other:?}"),
        }
    }
    for version in 1..=FormatVersion::NEWEST.number() {
        for (name, bytes) in compressed_vectors(version) {
            for announced in [0, 1, 65_000, u32::MAX] {
                let bytes = seal_compressed(version, announced, &body(&bytes)[4..]);
                let (peak, outcome) = peak(&bytes, LIMIT);
                assert!(outcome.is_err() && peak <= LIMIT.bytes() + STATE, "{name}: {peak} bytes, {outcome:?}");
            }
        }
    }
}
