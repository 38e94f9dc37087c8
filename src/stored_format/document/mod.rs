//! The body of a document, in all versions: repeated values are stored once.
//!
//! What a released version writes and reads never changes, because documents in it exist. Later parts have a gate, see
//! [`gates`](super::gates).
//!
//! Texts, times, digests and actors are written where they first occur and referred to afterwards. The reader builds
//! the domain types directly and the writer reads them directly, in the order of `docs/stored-format.md`. The primitive
//! values are bincode's, which only `reader`, its `cursor` and `writer` know.

mod actors;
mod approval_parts;
mod chain;
mod cursor;
mod excerpt;
mod extras;
mod interner;
pub(super) mod kinds;
mod links;
mod pass;
mod place;
mod read;
mod reader;
mod remembered;
mod retries;
mod timing;
mod write;
mod writer;

use super::excerpt::{Approvals, Decisions, Head, PendingApprovals, PlacedDecisions};
use super::gates::Version;
use super::{DocumentLimit, FormatError};
use crate::request::RequestDocument;
use reader::Reader;
use writer::Writer;

/// How many remembered times, digests or actors a writer searches.
const WINDOW: usize = 32;
/// The shortest text that a writer refers to instead of writing it again.
const SHORTEST_SHARED_TEXT: usize = 3;

/// The charge of each thing to the memory budget, in bytes.
mod charge {
    pub(super) const ACTOR: usize = 512;
    pub(super) const REQUIREMENT: usize = 128;
    pub(super) const APPROVAL: usize = 512;
    pub(super) const DECISION: usize = 128;
    pub(super) const SIDE_EFFECT: usize = 192;
    pub(super) const LINK: usize = 64;
}

pub(super) fn encode(
    document: &RequestDocument,
    version: Version,
    limit: DocumentLimit,
    into: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let mut writer = Writer::new(version, limit);
    write::document(&mut writer, document)?;
    writer.append_to(into)
}

pub(super) fn decode(body: &[u8], version: Version, limit: DocumentLimit) -> Result<RequestDocument, FormatError> {
    Reader::new(body, version, limit).read_all(read::document)
}

pub(super) fn decode_approvals(
    body: &[u8],
    version: Version,
    limit: DocumentLimit,
    wanted: PendingApprovals<'_>,
) -> Result<(Head, Approvals), FormatError> {
    Reader::new(body, version, limit).read_some(|input| excerpt::approvals(input, wanted))
}

pub(super) fn decode_decisions(
    body: &[u8],
    version: Version,
    limit: DocumentLimit,
    wanted: Decisions<'_>,
) -> Result<(Head, PlacedDecisions), FormatError> {
    Reader::new(body, version, limit).read_some(|input| excerpt::decisions(input, wanted))
}
