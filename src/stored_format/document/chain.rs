//! The chain of a history: a rare part of a document, as bytes that a reader of rows steps over.

use super::read::{In, Read};
use super::write::Out;
use super::writer::Written;
use crate::request::{Digest, HashMark, HistoryChain, HistorySeal, KeyId, RequestDocument, Salt};
use crate::stored_format::gates::{Field, Part};

/// Which of the two there are.
const SALT: u8 = 1;
const SEAL: u8 = 2;

/// The chain, if the version has a place for it. An older version is written without: nothing but the proof is lost, and a
/// later writer begins a new chain.
pub(super) fn of<'d>(document: &'d RequestDocument, out: Out<'_, 'd>) -> Option<&'d HistoryChain> {
    document.chain.as_deref().filter(|_| out.has(Part::Field(Field::Chain)))
}

pub(super) fn write(out: Out<'_, '_>, chain: &HistoryChain) -> Written {
    let mut bytes = Vec::with_capacity(128 + chain.marks.len() * 8);
    let of = |has: bool, part: u8| if has { part } else { 0 };
    bytes.push(of(chain.salt.is_some(), SALT) | of(chain.seal.is_some(), SEAL));
    bytes.extend_from_slice(&chain.first.to_le_bytes());
    bytes.extend_from_slice(chain.head.as_bytes());
    bytes.extend_from_slice(&chain.origin.0);
    if let Some(Salt(salt)) = chain.salt {
        bytes.extend_from_slice(&salt);
    }
    if let Some(seal) = &chain.seal {
        bytes.extend_from_slice(&seal.from.to_le_bytes());
        bytes.extend_from_slice(&seal.decisions.to_le_bytes());
        bytes.extend_from_slice(seal.tag.as_bytes());
        let key = seal.key.as_str().as_bytes();
        // A key's id has at most 64 bytes.
        bytes.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(key);
    }
    chain.marks.iter().for_each(|mark| bytes.extend_from_slice(&mark.0));
    out.bytes(&bytes)
}

pub(super) fn read(input: In<'_, '_>, bytes: &[u8]) -> Read<Box<HistoryChain>> {
    match parse(bytes) {
        Some(chain) => Ok(Box::new(chain)),
        None => Err(input.fail("the chain of the history is none")),
    }
}

fn parse(bytes: &[u8]) -> Option<HistoryChain> {
    let mut rest = bytes;
    let [parts] = take(&mut rest)?;
    if parts & !(SALT | SEAL) != 0 {
        return None;
    }
    let first = u32::from_le_bytes(take(&mut rest)?);
    let head = Digest::from_bytes(take(&mut rest)?);
    let origin = HashMark(take(&mut rest)?);
    let salt = if parts & SALT != 0 { Some(Salt(take(&mut rest)?)) } else { None };
    let seal = if parts & SEAL != 0 { Some(Box::new(seal(&mut rest)?)) } else { None };
    let (marks, []) = rest.as_chunks::<8>() else { return None };
    Some(HistoryChain { first, head, salt, seal, origin, marks: marks.iter().copied().map(HashMark).collect() })
}

fn seal(rest: &mut &[u8]) -> Option<HistorySeal> {
    let (from, decisions) = (u32::from_le_bytes(take(rest)?), u32::from_le_bytes(take(rest)?));
    let tag = Digest::from_bytes(take(rest)?);
    let [length] = take(rest)?;
    let (key, after) = rest.split_at_checked(length.into())?;
    *rest = after;
    let key = KeyId::try_from(std::str::from_utf8(key).ok()?).ok()?;
    Some(HistorySeal { key, from, decisions, tag })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
