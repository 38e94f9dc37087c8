//! Merges what the partitions return into one page.

use std::collections::BTreeMap;

use crate::index::{Along, Named, Placed, SortKey};
use crate::query::{MissingPart, MissingPartition, Page, Query, SortDirection};
use crate::redis::pages::places::{CursorKinds, ReadFrom, ReadPlaces};
use crate::redis::pages::scan::{MAX_PAGE_BYTES, Part, Scanned, row_position};
use crate::request::Timestamp;
use crate::stored_format::{StoredRequest, Unreadable};

/// The most records that one call returns when earlier calls for the same page found too few rows, unless the page is
/// longer.
const MAX_RECORDS: usize = 200;

/// A page in the making: the rows from the partitions so far, and how far each partition has been read.
///
/// It never holds more than a page: once it has enough rows, or bytes, the farthest row makes room for each nearer one,
/// and no partition is read beyond it.
pub(crate) struct PageMerge<Row> {
    limit: usize,
    most_bytes: usize,
    direction: SortDirection,
    partitions: Vec<Progress>,
    missing: Vec<MissingPartition>,
    rows: BTreeMap<SortKey, Held<Row>>,
    /// The uncompressed bytes of the requests of these rows.
    bytes: usize,
    /// Whether rows were found that do not fit; all of them come after those held.
    is_cut: bool,
    /// How far the parts of the last round reach, if they were asked for no more than that.
    asked_up_to: Option<SortKey>,
    scanned: u64,
}

struct Held<Row> {
    row: Result<Row, Unreadable>,
    bytes: usize,
}

struct Progress {
    /// Where the page begins here.
    start: ReadFrom,
    is_missing: bool,
    /// The key after which to read; `None` before the first read of a first page.
    position: Option<SortKey>,
    scans: u32,
    is_done: bool,
}

impl<Row> PageMerge<Row> {
    pub(crate) fn new(starts: ReadPlaces, direction: SortDirection, limit: usize) -> Self {
        let progress = |start: ReadFrom| {
            let (position, is_done) = match &start {
                ReadFrom::Beginning => (None, false),
                ReadFrom::After(key) => (Some(key.clone()), false),
                ReadFrom::Nowhere => (None, true),
            };
            Progress { start, is_missing: false, position, scans: u32::from(is_done), is_done }
        };
        let partitions = starts.into_vec().into_iter().map(progress).collect();
        let (missing, rows, most_bytes) = (Vec::new(), BTreeMap::new(), MAX_PAGE_BYTES);
        let asked_up_to = None;
        Self {
            limit,
            most_bytes,
            direction,
            partitions,
            missing,
            rows,
            bytes: 0,
            is_cut: false,
            asked_up_to,
            scanned: 0,
        }
    }

    /// Leaves a partition out of the page because it does not answer. `false` if the page has rows of it: it can only end there.
    pub(crate) fn leave_out(&mut self, missing: MissingPartition) -> bool {
        let Some(progress) = self.partitions.get_mut(usize::from(missing.partition)) else { return false };
        if progress.scans > 0 {
            return false;
        }
        (progress.is_missing, progress.is_done, progress.scans) = (true, true, 1);
        self.missing.push(missing);
        true
    }

    /// The partitions that were left out.
    pub(crate) fn missing(&self) -> &[MissingPartition] {
        &self.missing
    }

    /// What to read next, in as many partitions at once as may be; nothing if the page is full, holds enough bytes, or nothing
    /// is left.
    ///
    /// The partitions that have not been read come first. Afterwards these are all that may hold a row of the page: those that
    /// were read less far than its last row. Each is asked for little more than its share of the rows, and a partition that is
    /// read again for the same page, because it gave too few, for twice as many each time: a page of one row does not take one
    /// call for each request that fails to match. Nothing after the last row of a full page is asked for.
    pub(crate) fn next_round(&mut self, most: usize) -> Vec<Part<'_>> {
        self.asked_up_to = self.far_end().cloned();
        let places = self.places_to_read();
        let unread = self.partitions.iter().filter(|partition| partition.scans == 0).count();
        let share = share_of(self.limit, if unread > 0 { self.partitions.len() } else { places.len() }).min(self.limit);
        let places = places.get(..places.len().min(most.max(1))).unwrap_or_default();
        let bytes = MAX_PAGE_BYTES / places.len().max(1);
        let part = |&place: &usize| {
            let progress = self.partitions.get(place)?;
            let longer = share.saturating_mul(1 << progress.scans.min(10));
            Some(Part {
                partition: u16::try_from(place).ok()?,
                after: progress.position.as_ref(),
                up_to: self.asked_up_to.as_ref(),
                limit: longer.min(MAX_RECORDS.max(self.limit)),
                bytes,
            })
        };
        places.iter().filter_map(part).collect()
    }

    /// The partitions to read next, those read least far first.
    fn places_to_read(&self) -> Vec<usize> {
        let unread = |(place, partition): (usize, &Progress)| (partition.scans == 0).then_some(place);
        let unread: Vec<usize> = self.partitions.iter().enumerate().filter_map(unread).collect();
        if !unread.is_empty() {
            return unread;
        }
        let is_full = self.settled().nth(self.limit.saturating_sub(1)).is_some();
        if is_full || self.bytes >= self.most_bytes {
            return Vec::new();
        }
        let is_near = |position: &SortKey| self.asked_up_to.as_ref().is_none_or(|end| self.comes_first(position, end));
        let mut unfinished: Vec<(&SortKey, usize)> = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, partition)| !partition.is_done)
            .filter_map(|(place, partition)| Some((partition.position.as_ref().filter(|key| is_near(key))?, place)))
            .collect();
        unfinished.sort();
        if self.direction == SortDirection::Descending {
            unfinished.reverse();
        }
        unfinished.into_iter().map(|(_, place)| place).collect()
    }

    fn comes_first(&self, one: &SortKey, other: &SortKey) -> bool {
        one != other && (one < other) == (self.direction == SortDirection::Ascending)
    }

    /// Whether every partition has been read at least once, so that there can be a page.
    pub(crate) fn is_begun(&self) -> bool {
        self.partitions.iter().all(|partition| partition.scans > 0)
    }

    /// Adds the result of a scan that the last [`next_round`](Self::next_round) asked for.
    pub(crate) fn add<Q: Query<Row = Row>>(
        &mut self,
        partition: u16,
        plan: &Along<Q>,
        query: &Q,
        now: Timestamp,
        scanned: Scanned,
    ) {
        let layout = plan.layout();
        let asked_up_to = self.asked_up_to.clone();
        let Some(progress) = self.partitions.get_mut(usize::from(partition)) else { return };
        let start = progress.position.take();
        let descending = self.direction == SortDirection::Descending;
        progress.scans = progress.scans.saturating_add(1);
        progress.is_done = !scanned.more && asked_up_to.is_none();
        progress.position = if let Some(end) = asked_up_to.filter(|_| !scanned.more) {
            // Of partitions that are read from different places, one may be past the end of the page already.
            Some(start.clone().filter(|start| *start != end && (*start > end) != descending).unwrap_or(end))
        } else if scanned.more {
            Some(row_position(scanned.position, layout, Q::LAYOUT, descending))
        } else {
            start.clone()
        };
        self.scanned = self.scanned.saturating_add(scanned.looked_at);

        let is_behind = |key: &SortKey| start.as_ref().is_none_or(|start| (key > start) != descending && key != start);
        let members = &scanned.members;
        let is_member = |key: &SortKey| {
            let place = members.binary_search_by(|member| if descending { key.cmp(member) } else { member.cmp(key) });
            place.is_ok()
        };
        let is_found = |key: &SortKey| if layout == Q::LAYOUT { is_member(key) } else { is_behind(key) };
        let end_of = |member: SortKey| row_position(member, layout, Q::LAYOUT, descending);
        let is_certain = plan.leaves_nothing_to_check();
        let named = named_together(members);
        for (member, stored) in scanned.requests {
            let mut bytes = stored.as_ref().map_or(0, StoredRequest::uncompressed_bytes);
            let together = member.id_of_row().and_then(|id| named.get(id));
            let named = match together {
                Some(members) => Named::new(layout, members),
                None => Named::new(layout, vec![&member]),
            };
            match stored.and_then(|stored| query.rows_from_stored(&named, stored, is_certain, now, is_found)) {
                Ok(Placed { rows, strays }) => {
                    // If the index does not hold the rows themselves, they could lie where the index does not lead.
                    let has_places = layout == Q::LAYOUT || strays.is_empty();
                    let rows = if has_places { rows } else { Vec::new() };
                    // Rows that do not fit are not held, and what several rows share is held once.
                    for (key, row) in rows {
                        self.hold(key, Ok(row), std::mem::take(&mut bytes));
                    }
                    for (stray_member, id) in strays.into_iter().zip(member.request_id()) {
                        self.hold_unreadable(end_of(stray_member), Unreadable::stray(id));
                    }
                }
                Err(unreadable) => self.hold_unreadable(end_of(member), unreadable),
            }
        }
    }

    /// Holds an unreadable request, once.
    fn hold_unreadable(&mut self, member: SortKey, unreadable: Unreadable) {
        let is_named = |held: &Held<Row>| held.row.as_ref().is_err_and(|named| named.id == unreadable.id);
        if !self.rows.values().any(is_named) {
            self.hold(member, Err(unreadable), 0);
        }
    }

    /// Holds a row if it is among the nearest that make a page.
    fn hold(&mut self, key: SortKey, row: Result<Row, Unreadable>, bytes: usize) {
        let replaced = self.rows.insert(key, Held { row, bytes });
        self.bytes = self.bytes.saturating_add(bytes).saturating_sub(replaced.map_or(0, |held| held.bytes));
        loop {
            let is_too_long = self.rows.len() > self.limit;
            let farthest = match self.direction {
                SortDirection::Ascending => self.rows.last_entry(),
                SortDirection::Descending => self.rows.first_entry(),
            };
            let Some(farthest) = farthest else { return };
            let rest = self.bytes.saturating_sub(farthest.get().bytes);
            if !is_too_long && rest < self.most_bytes {
                return;
            }
            farthest.remove();
            self.bytes = rest;
            self.is_cut = true;
        }
    }

    /// The key of the last row that can be on the page, once others are known to follow it. Until then, a partition
    /// that is read to its end shows that there is no next page.
    fn far_end(&self) -> Option<&SortKey> {
        let is_full = self.rows.len() >= self.limit || self.bytes >= self.most_bytes;
        let goes_on = self.is_cut || self.partitions.iter().any(|partition| partition.scans > 0 && !partition.is_done);
        let last = match self.direction {
            SortDirection::Ascending => self.rows.keys().next_back(),
            SortDirection::Descending => self.rows.keys().next(),
        };
        last.filter(|_| is_full && goes_on)
    }

    /// The page. If reading ended early it is short, and says where to continue.
    pub(crate) fn finish(mut self, kinds: CursorKinds) -> Page<Row> {
        let missing = std::mem::take(&mut self.missing);
        let settled = self.settled().count();
        let is_whole = settled == self.rows.len() && (self.is_cut || settled >= self.limit);
        let hindmost = self.hindmost().and_then(|place| self.partitions.get(place)?.position.clone());
        let goes_on = hindmost.is_some() || self.is_cut;
        let mut page = Page::new(Vec::with_capacity(settled), None, self.scanned);
        let mut last = None;
        let in_order: Box<dyn Iterator<Item = _>> = match self.direction {
            SortDirection::Ascending => Box::new(self.rows.into_iter()),
            SortDirection::Descending => Box::new(self.rows.into_iter().rev()),
        };
        for (key, held) in in_order.take(settled) {
            match held.row {
                Ok(row) => page.items.push(row),
                Err(unreadable) => page.unreadable.push(unreadable),
            }
            last = Some(key);
        }
        // Rows that a full page has no room for come after its last row, however far the partitions were read.
        let end = if is_whole { last } else { hindmost.or(last) };
        let end = end.filter(|_| goes_on);
        let places = places_after(self.partitions, end.as_ref(), self.direction);
        page.next = end.map(|_| places.cursor(kinds));
        if !missing.is_empty() {
            page.missing = Some(MissingPart { partitions: missing, resume: places.cursor(kinds) });
        }
        page
    }

    /// The partition that was read least far, among those not finished.
    fn hindmost(&self) -> Option<usize> {
        let unfinished = self.partitions.iter().enumerate().filter(|(_, partition)| !partition.is_done);
        let place = match self.direction {
            SortDirection::Ascending => unfinished.min_by_key(|(_, partition)| partition.position.clone()),
            SortDirection::Descending => unfinished.max_by_key(|(_, partition)| partition.position.clone()),
        };
        place.map(|(place, _)| place)
    }

    /// The rows that no partition can precede any more.
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

/// Where each partition is read on after a page that ends there; one that was missing, where it was.
fn places_after(partitions: Vec<Progress>, end: Option<&SortKey>, direction: SortDirection) -> ReadPlaces {
    let place = |partition: Progress| match (partition.start, end) {
        (start, _) if partition.is_missing => start,
        (ReadFrom::Nowhere, _) | (_, None) => ReadFrom::Nowhere,
        (ReadFrom::After(start), Some(end)) if (start > *end) == (direction == SortDirection::Ascending) => {
            ReadFrom::After(start)
        }
        (_, Some(end)) => ReadFrom::After(end.clone()),
    };
    ReadPlaces::new(partitions.into_iter().map(place).collect())
}

/// How many of `rows` one of so many partitions is asked for: the mean, one and a half times its root, and two. Ids spread at
/// random, so that then about one page in fourteen needs a second round.
fn share_of(rows: usize, partitions: usize) -> usize {
    let partitions = partitions.max(1);
    let spread = (rows.saturating_mul(9) / partitions.saturating_mul(4)).isqrt();
    rows.div_ceil(partitions).saturating_add(spread).saturating_add(2)
}

/// The members that name each request, if one may have several.
fn named_together(members: &[SortKey]) -> BTreeMap<&[u8], Vec<&SortKey>> {
    let mut named: BTreeMap<&[u8], Vec<&SortKey>> = BTreeMap::new();
    for member in members {
        if let Some(id) = member.id_of_row() {
            named.entry(id).or_default().push(member);
        }
    }
    named
}

#[cfg(test)]
#[path = "page_merge_tests.rs"]
mod tests;
