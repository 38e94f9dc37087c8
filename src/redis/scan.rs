use std::collections::{BTreeMap, BTreeSet};

use crate::query::Cursor;
use crate::query::{
    Driver, Fingerprint, KeyLayout, KeyRange, Page, Plan, Query, SortDirection, SortKey, StoredRequest, Term,
    Unreadable,
};
use crate::request::Timestamp;

/// How much one script call does, so that none keeps the server long: a member of an index read counts, and an index asked
/// once more.
const BUDGET: usize = 2_000;

/// The most records one call returns because earlier ones of the same page found too few rows, if the page is no longer.
const MOST_RECORDS: usize = 200;

/// After so many bytes of records, not compressed, a page is given as it is, short: so many large documents are held at
/// once, and no more.
pub(crate) const MOST_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// One call's part of reading along a plan, in one partition.
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
}

/// What a scan found.
pub(crate) struct Scanned {
    pub(crate) more: bool,
    pub(crate) position: SortKey,
    pub(crate) looked_at: u64,
    /// How many bytes the records have that were read, not compressed.
    pub(crate) bytes: usize,
    /// How many keys each term holds: those read along, then those looked up.
    pub(crate) sizes: Vec<u64>,
    pub(crate) members: Vec<SortKey>,
    /// Each request that a member names, with the first member that does.
    pub(crate) requests: Vec<(SortKey, Result<StoredRequest, Unreadable>)>,
}

impl<'a> Scan<'a> {
    /// Reads on behind `position`, a row's key; from the beginning if there is none. `None` when the plan reads along no
    /// index.
    pub(crate) fn new<Q: Query>(plan: &'a Plan<Q>, position: Option<&SortKey>, limit: usize) -> Option<Self> {
        let Driver::Terms { terms, .. } = &plan.driver else {
            return None;
        };
        let layout = driver_layout(terms);
        let descending = plan.direction == SortDirection::Descending;
        let (from, to) = bounds(&plan.range, position.map(|position| behind(position, layout, Q::LAYOUT)), descending);
        let by_row = |terms: &BTreeSet<Term>| driver_layout(terms) == layout;
        Some(Self {
            driver: terms,
            probes: plan.probes.iter().map(|probe| (&probe.terms, by_row(&probe.terms))).collect(),
            descending,
            from,
            to,
            limit,
            budget: BUDGET,
            created_first: matches!(layout, KeyLayout::Created | KeyLayout::Approval),
            wants_records: true,
        })
    }

    /// The same scan, of members only.
    pub(crate) fn without_records(mut self) -> Self {
        self.wants_records = false;
        self
    }

    /// How the members of the indexes that are read along are laid out.
    #[cfg(any(test, fuzzing))]
    pub(super) fn layout(&self) -> KeyLayout {
        driver_layout(self.driver)
    }

    /// Every term of the scan: those read along, then those looked up.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &'a Term> {
        let probed = self.probes.iter().flat_map(|(terms, _)| terms.iter());
        self.driver.iter().chain(probed.collect::<Vec<_>>())
    }
}

fn driver_layout(terms: &BTreeSet<Term>) -> KeyLayout {
    terms.first().map_or(KeyLayout::Created, |term| term.dimension.layout())
}

/// Where an index of `layout` is to be read on for rows behind `position`, as a bound of ZRANGE BYLEX.
///
/// Read along requests, an approval's position lies within its request, which may have more rows behind it.
fn behind(position: &SortKey, layout: KeyLayout, rows: KeyLayout) -> Vec<u8> {
    let bytes = position.as_bytes();
    let within = if layout == rows { None } else { bytes.iter().skip(8).position(|byte| *byte == 0) };
    match within.and_then(|length| bytes.get(..8 + length)) {
        Some(request) => [b"[", request].concat(),
        None => [b"(", bytes].concat(),
    }
}

/// The position of the rows behind which a scan along `layout` goes on, given the member it stopped at.
fn row_position(member: SortKey, layout: KeyLayout, rows: KeyLayout, descending: bool) -> SortKey {
    if layout == rows || descending {
        return member;
    }
    // Behind every row of the request, whose keys go on with a zero byte, and before every longer id.
    SortKey::from_bytes([member.as_bytes(), &[1]].concat())
}

/// The least and the greatest bound of a range, as ZLEXCOUNT takes them.
pub(super) fn lex_bounds(range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    let least = range.from.as_ref().map_or_else(|| b"-".to_vec(), |from| [b"[", from.as_slice()].concat());
    let greatest = range.before.as_ref().map_or_else(|| b"+".to_vec(), |before| [b"(", before.as_slice()].concat());
    (least, greatest)
}

fn bounds(range: &KeyRange, behind: Option<Vec<u8>>, descending: bool) -> (Vec<u8>, Vec<u8>) {
    let (least, greatest) = lex_bounds(range);
    let (from, to) = if descending { (greatest, least) } else { (least, greatest) };
    (behind.unwrap_or(from), to)
}

/// A page in the making: what the partitions have given so far, and how far each has been read.
pub(crate) struct Assembly<Row> {
    limit: usize,
    direction: SortDirection,
    partitions: Vec<Progress>,
    rows: BTreeMap<SortKey, Result<Row, Unreadable>>,
    scanned: u64,
    bytes: usize,
}

struct Progress {
    /// The key behind which to read on; none before the first read of a first page.
    position: Option<SortKey>,
    scans: u32,
    is_done: bool,
}

impl<Row> Assembly<Row> {
    pub(crate) fn new(partitions: u16, direction: SortDirection, start: Option<&SortKey>, limit: usize) -> Self {
        let progress = || Progress { position: start.cloned(), scans: 0, is_done: false };
        let partitions = (0..partitions).map(|_| progress()).collect();
        Self { limit, direction, partitions, rows: BTreeMap::new(), scanned: 0, bytes: 0 }
    }

    /// The partition to read next, behind which key, and how many members of it; none when the page is full, or holds enough
    /// bytes, or nothing is left.
    ///
    /// A partition that is read on for the same page gave too few rows: what was read of it did not match. It is read on in
    /// longer and longer parts, so that a page of one row does not take a call for every request that could have been it.
    pub(crate) fn next(&self) -> Option<(u16, Option<&SortKey>, usize)> {
        let unread = self.partitions.iter().position(|partition| partition.scans == 0);
        if unread.is_none() && self.bytes >= MOST_PAGE_BYTES {
            return None;
        }
        let place = unread
            .or_else(|| self.settled().nth(self.limit.saturating_sub(1)).is_none().then(|| self.hindmost())?)?;
        let partition = self.partitions.get(place)?;
        let longer = self.limit.saturating_mul(1 << partition.scans.min(10));
        let limit = longer.min(MOST_RECORDS.max(self.limit));
        Some((u16::try_from(place).ok()?, partition.position.as_ref(), limit))
    }

    /// Whether every partition has been read at least once, so that a page can be given.
    pub(crate) fn is_begun(&self) -> bool {
        self.partitions.iter().all(|partition| partition.scans > 0)
    }

    /// Adds what a scan of a partition found.
    pub(crate) fn add<Q: Query<Row = Row>>(
        &mut self,
        partition: u16,
        plan: &Plan<Q>,
        query: &Q,
        now: Timestamp,
        scanned: Scanned,
    ) {
        let Driver::Terms { terms, .. } = &plan.driver else { return };
        let layout = driver_layout(terms);
        let Some(progress) = self.partitions.get_mut(usize::from(partition)) else { return };
        let start = progress.position.take();
        let descending = self.direction == SortDirection::Descending;
        let is_behind = |key: &SortKey| start.as_ref().is_none_or(|start| (key > start) != descending && key != start);
        let members = &scanned.members;
        let is_member = |key: &SortKey| {
            let place = members.binary_search_by(|member| if descending { key.cmp(member) } else { member.cmp(key) });
            place.is_ok()
        };
        let is_found = |key: &SortKey| if layout == Q::LAYOUT { is_member(key) } else { is_behind(key) };
        let is_certain = plan.leaves_nothing_to_check();
        let (read, mut kept) = (scanned.requests.len().max(1), 0_usize);
        for (member, stored) in scanned.requests {
            let rows = stored.and_then(|stored| query.rows_from_stored(&member, stored, is_certain, now, is_found));
            match rows {
                Ok(rows) => {
                    kept += usize::from(!rows.is_empty());
                    self.rows.extend(rows.into_iter().map(|(key, row)| (key, Ok(row))));
                }
                Err(unreadable) => {
                    let is_named =
                        |row: &Result<Row, Unreadable>| row.as_ref().is_err_and(|row| row.id == unreadable.id);
                    if !self.rows.values().any(is_named) {
                        self.rows.insert(member, Err(unreadable));
                    }
                }
            }
        }
        progress.scans = progress.scans.saturating_add(1);
        progress.is_done = !scanned.more;
        progress.position = if scanned.more && !scanned.position.as_bytes().is_empty() {
            Some(row_position(scanned.position, layout, Q::LAYOUT, descending))
        } else {
            start
        };
        self.scanned = self.scanned.saturating_add(scanned.looked_at);
        // What was turned away is not held: a search for few among many goes on.
        self.bytes = self.bytes.saturating_add((scanned.bytes / read).saturating_mul(kept));
    }

    /// The page. It is short when reading was ended early, and then says where to go on.
    pub(crate) fn finish(self, fingerprint: Fingerprint) -> Page<Row> {
        let settled = self.settled().count();
        let hindmost = self.hindmost().and_then(|place| self.partitions.get(place)?.position.clone());
        let goes_on = hindmost.is_some() || self.rows.len() > self.limit;
        let mut page = Page::new(Vec::with_capacity(settled.min(self.limit)), None, self.scanned);
        let mut last = None;
        let in_order: Box<dyn Iterator<Item = _>> = match self.direction {
            SortDirection::Ascending => Box::new(self.rows.into_iter()),
            SortDirection::Descending => Box::new(self.rows.into_iter().rev()),
        };
        for (key, row) in in_order.take(settled.min(self.limit)) {
            match row {
                Ok(row) => page.items.push(row),
                Err(unreadable) => page.unreadable.push(unreadable),
            }
            last = Some(key);
        }
        let end = if settled < self.limit { hindmost.or(last) } else { last };
        page.next = end.filter(|_| goes_on).map(|end| Cursor::new(fingerprint, end.as_bytes()));
        page
    }

    /// The partition that was read least far, of those that are not done.
    fn hindmost(&self) -> Option<usize> {
        let unfinished = self.partitions.iter().enumerate().filter(|(_, partition)| !partition.is_done);
        let place = match self.direction {
            SortDirection::Ascending => unfinished.min_by_key(|(_, partition)| partition.position.clone()),
            SortDirection::Descending => unfinished.max_by_key(|(_, partition)| partition.position.clone()),
        };
        place.map(|(place, _)| place)
    }

    /// The rows that no partition can come before any more.
    fn settled(&self) -> impl Iterator<Item = &SortKey> {
        let bound = self.hindmost().and_then(|place| self.partitions.get(place)?.position.as_ref());
        let direction = self.direction;
        self.rows.keys().filter(move |key| match (bound, direction) {
            (None, _) => true,
            (Some(bound), SortDirection::Ascending) => *key <= bound,
            (Some(bound), SortDirection::Descending) => *key >= bound,
        })
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
