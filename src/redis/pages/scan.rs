//! Scans: what one call asks of one partition.

use std::collections::BTreeSet;

use crate::index::{Along, KeyLayout, KeyRange, SortKey, Term};
use crate::query::{Query, SortDirection};
use crate::stored_format::{StoredRequest, Unreadable};

/// The work of one script call, so that it does not block the server for long: each index member it reads counts, and
/// each repeated read of an index counts once more.
const BUDGET: usize = 2_000;

/// After this many bytes of uncompressed records a page ends early, so no more large documents are in memory at once.
pub(crate) const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What to read next in one partition: the rows after one key and up to another, if there are such bounds.
pub(crate) struct Part<'a> {
    pub(crate) partition: u16,
    pub(crate) after: Option<&'a SortKey>,
    pub(crate) up_to: Option<&'a SortKey>,
    /// The greatest number of members to read.
    pub(crate) limit: usize,
    /// The records end when they have this many bytes.
    pub(crate) bytes: usize,
}

/// The part of reading along a plan that one call does, in one partition.
pub(crate) struct Scan<'a> {
    pub(crate) driver: &'a BTreeSet<Term>,
    pub(crate) probes: Vec<(&'a BTreeSet<Term>, bool)>,
    pub(crate) descending: bool,
    /// Bounds in the order of reading, as ZRANGE BYLEX takes them.
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
    pub(crate) limit: usize,
    pub(crate) budget: usize,
    pub(crate) created_first: bool,
    pub(crate) wants_records: bool,
    /// The records end when they have this many bytes.
    pub(crate) bytes: usize,
    /// The key layout of the indexes to read along.
    #[cfg(any(test, fuzzing))]
    pub(in crate::redis) layout: KeyLayout,
}

/// The result of a scan.
pub(crate) struct Scanned {
    pub(crate) more: bool,
    pub(crate) position: SortKey,
    pub(crate) looked_at: u64,
    /// How many keys each term holds: first the terms read along, then those looked up.
    pub(crate) sizes: Vec<u64>,
    pub(crate) members: Vec<SortKey>,
    /// Each request that a member names, with the first such member.
    pub(crate) requests: Vec<(SortKey, Result<StoredRequest, Unreadable>)>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new<Q: Query>(plan: &'a Along<Q>, part: &Part<'_>) -> Self {
        let layout = plan.layout();
        let descending = plan.direction == SortDirection::Descending;
        let (least, greatest) = lex_bounds(&plan.range);
        let (from, to) = if descending { (greatest, least) } else { (least, greatest) };
        Self {
            driver: &plan.terms,
            probes: plan.probes.iter().map(|probe| (&probe.terms, probe.layout() == layout)).collect(),
            descending,
            from: part.after.map_or(from, |key| after(key, layout, Q::LAYOUT)),
            to: part.up_to.map_or(to, |key| up_to(key, layout, Q::LAYOUT)),
            limit: part.limit,
            budget: BUDGET,
            created_first: matches!(layout, KeyLayout::Created | KeyLayout::Approval),
            wants_records: true,
            bytes: part.bytes,
            #[cfg(any(test, fuzzing))]
            layout,
        }
    }

    /// The same scan, of members only.
    pub(crate) fn without_records(mut self) -> Self {
        self.wants_records = false;
        self
    }

    /// Whether a key lies within the bounds.
    pub(crate) fn holds(&self, key: &SortKey) -> bool {
        let (least, greatest) = if self.descending { (&self.to, &self.from) } else { (&self.from, &self.to) };
        let is_from_least = match least.split_first() {
            Some((b'[', least)) => key.as_bytes() >= least,
            Some((b'(', least)) => key.as_bytes() > least,
            _ => true,
        };
        let is_to_greatest = match greatest.split_first() {
            Some((b'[', greatest)) => key.as_bytes() <= greatest,
            Some((b'(', greatest)) => key.as_bytes() < greatest,
            _ => true,
        };
        is_from_least && is_to_greatest
    }

    /// Every term of the scan: first the terms read along, then those looked up.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &'a Term> {
        let probed = self.probes.iter().flat_map(|(terms, _)| terms.iter());
        self.driver.iter().chain(probed.collect::<Vec<_>>())
    }
}

/// The bound of ZRANGE BYLEX where reading of an index of `layout` continues, for rows after this key.
///
/// In an index of requests, an approval's key lies within its request, which may have more rows after it.
fn after(key: &SortKey, layout: KeyLayout, rows: KeyLayout) -> Vec<u8> {
    match request_around(key, layout, rows) {
        Some(request) => [b"[", request].concat(),
        None => [b"(", key.as_bytes()].concat(),
    }
}

/// The bound of ZRANGE BYLEX where reading for rows up to this key ends.
fn up_to(key: &SortKey, layout: KeyLayout, rows: KeyLayout) -> Vec<u8> {
    [b"[", request_around(key, layout, rows).unwrap_or(key.as_bytes())].concat()
}

/// The member of the request that a row's key lies within, in an index of requests.
fn request_around(key: &SortKey, layout: KeyLayout, rows: KeyLayout) -> Option<&[u8]> {
    let bytes = key.as_bytes();
    let length = if layout == rows { None } else { bytes.iter().skip(8).position(|byte| *byte == 0) };
    bytes.get(..8 + length?)
}

/// Where the rows of a member in an index of `layout` end: a scan that stopped at the member continues there, and an
/// unreadable request has its place there.
///
/// In an index of requests that is the end of the whole request, also for a foreign member with more bytes after the
/// id: a position within the request would lead back to its beginning. A member too short to name a request has no rows
/// to skip.
pub(in crate::redis) fn row_position(member: SortKey, layout: KeyLayout, rows: KeyLayout, descending: bool) -> SortKey {
    if layout == rows || member.as_bytes().len() < 8 {
        return member;
    }
    let request = request_around(&member, layout, rows).unwrap_or(member.as_bytes());
    // After every row of the request, whose keys continue with a zero byte, and before every longer id.
    let end: &[u8] = if descending { b"" } else { &[1] };
    SortKey::from_bytes([request, end].concat())
}

/// The bounds of a range, as ZLEXCOUNT takes them.
pub(in crate::redis) fn lex_bounds(range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    let least = range.from.as_ref().map_or_else(|| b"-".to_vec(), |from| [b"[", from.as_slice()].concat());
    let greatest = range.before.as_ref().map_or_else(|| b"+".to_vec(), |before| [b"(", before.as_slice()].concat());
    (least, greatest)
}
