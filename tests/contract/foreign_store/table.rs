//! What the store does in either flavour: requests and the ids of their writes, in a map.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use mutator_governance::feed::{ConsumerTable, check_limit};
use mutator_governance::for_stores::{
    Imported, Query, RequestRecord, check_id_count, check_import_count, evaluate, has_same_submission,
};
use mutator_governance::{
    Conflict, Error, FeedEntry, FeedGap, FeedPage, FeedPosition, Lookup, MutationRequest, Page, PageRequest,
    RememberedWrite, RequestId, RequestQuery, Result, Timestamp, Tombstone, WriteId, WriteLookup,
};

pub(crate) struct Table {
    rows: Mutex<BTreeMap<RequestId, Stored>>,
    removed: Mutex<BTreeMap<RequestId, Tombstone>>,
    feed: Mutex<Vec<FeedEntry>>,
    feed_length: usize,
    consumers: Mutex<ConsumerTable>,
}

struct Stored {
    request: MutationRequest,
    writes: Vec<RememberedWrite>,
}

impl Stored {
    fn remembered(&self, id: WriteId) -> Option<&RememberedWrite> {
        self.writes.iter().find(|write| write.id == id)
    }
}

/// Whether another open request has its unique key.
fn check_key(rows: &BTreeMap<RequestId, Stored>, request: &MutationRequest) -> Result<()> {
    let is_open = |request: &MutationRequest| !request.state.status().is_terminal();
    let Some(key) = request.unique_key.as_ref().filter(|_| is_open(request)) else { return Ok(()) };
    let has_key = |other: &&Stored| other.request.unique_key.as_ref() == Some(key) && is_open(&other.request);
    match rows.values().find(has_key) {
        Some(open) => Err(Error::already_open(open.request.id.clone(), key.clone())),
        None => Ok(()),
    }
}

const NAME: &str = "toy";
const PARTITION: u16 = 0;

impl Table {
    pub(crate) fn with_feed_length(feed_length: usize) -> Self {
        Self {
            rows: Mutex::default(),
            removed: Mutex::default(),
            feed: Mutex::default(),
            feed_length,
            consumers: Mutex::default(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<RequestId, Stored>> {
        self.rows.lock().unwrap()
    }

    fn tombstone(&self, id: &RequestId) -> Option<Tombstone> {
        self.removed.lock().unwrap().get(id).cloned()
    }

    /// Rows are locked first, so nothing comes between.
    pub(crate) fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        let mut rows = self.rows();
        if let Some(earlier) = self.tombstone(&tombstone.id) {
            return Ok(earlier);
        }
        let stored = rows.get(&tombstone.id).ok_or_else(|| Error::not_found(tombstone.id.clone()))?;
        if stored.request.revision() != tombstone.revision {
            return Err(Conflict::between(request, &stored.request).into());
        }
        rows.remove(&tombstone.id);
        let now = Timestamp::from_micros(1_767_225_600_000_000).unwrap();
        self.feed.lock().unwrap().push(FeedEntry::for_removal(tombstone, PARTITION, now));
        self.removed.lock().unwrap().insert(tombstone.id.clone(), tombstone.clone());
        Ok(tombstone.clone())
    }

    fn announce(&self, request: &MutationRequest, stored_decisions: usize) {
        let now = Timestamp::from_micros(1_767_225_600_000_000).unwrap();
        self.feed.lock().unwrap().push(FeedEntry::for_write(request, stored_decisions, PARTITION, now));
    }

    /// A place is how many entries come before it. Entries are kept for ever, and those over the length not shown.
    pub(crate) fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        let (limit, feed) = (check_limit(limit)?, self.feed.lock().unwrap());
        let removed = feed.len().saturating_sub(self.feed_length);
        let position = |count: usize| FeedPosition::new(NAME, count.to_string());
        let read = match from.place(NAME)? {
            None => removed,
            Some(place) => std::str::from_utf8(place).unwrap().parse().unwrap(),
        };
        if read < removed {
            let gap = FeedGap::Trimmed { partition: PARTITION, missed: (removed - read) as u64 };
            return Ok(FeedPage::at_gap(gap, position(removed)));
        }
        let entries: Vec<FeedEntry> = feed.iter().skip(read).take(limit).cloned().collect();
        let next = read + entries.len();
        Ok(FeedPage::new(entries, position(next), next == feed.len()))
    }

    pub(crate) fn end_of_feed(&self) -> FeedPosition {
        FeedPosition::new(NAME, self.feed.lock().unwrap().len().to_string())
    }

    pub(crate) fn consumers(&self) -> MutexGuard<'_, ConsumerTable> {
        self.consumers.lock().unwrap()
    }

    /// How many entries were added after a position.
    pub(crate) fn lag(&self, from: &FeedPosition) -> Option<u64> {
        let place = from.place(NAME).ok()?.map_or(Some(0), |place| std::str::from_utf8(place).ok()?.parse().ok())?;
        self.feed.lock().unwrap().len().checked_sub(place).map(|lag| lag as u64)
    }

    pub(crate) fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        request.check_new()?;
        let mut rows = self.rows();
        let write_id = request.revision().write_id;
        if let Some(tombstone) = self.tombstone(&request.id) {
            return Err(Error::id_of_removed(tombstone));
        }
        if let Some(stored) = rows.get(&request.id) {
            let known = stored.remembered(write_id).ok_or_else(|| Error::already_exists(request.id.clone()))?;
            known.check_creation(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        check_key(&rows, &request)?;
        let writes = vec![RememberedWrite { number: 0, id: write_id, intent: request.creation_intent() }];
        let revision = request.revision();
        let request = request.at_revision(revision);
        self.announce(&request, 0);
        rows.insert(request.id.clone(), Stored { request: request.clone(), writes });
        Ok(request)
    }

    pub(crate) fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let mut rows = self.rows();
        if let Some(tombstone) = self.tombstone(&request.id) {
            return Err(Error::removed(tombstone));
        }
        let stored = rows.get_mut(&request.id).ok_or_else(|| Error::not_found(request.id.clone()))?;
        let updated = request.revision().next(write_id);
        if let Some(known) = stored.remembered(write_id) {
            known.check_update(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        if request.revision() != stored.request.revision() {
            return Err(Conflict::between(&request, &stored.request).into());
        }
        if !request.decisions.starts_with(&stored.request.decisions) {
            return Err(Error::rewritten_history(request.id.clone(), stored.request.decisions.len()));
        }
        if !has_same_submission(&request, &stored.request) {
            return Err(Error::submitted_fields_changed(request.id.clone()));
        }
        let stored_decisions = stored.request.decisions.len();
        let intent = request.update_intent(stored_decisions);
        stored.writes.push(RememberedWrite { number: updated.number, id: write_id, intent });
        stored.request = request.at_revision(updated);
        self.announce(&stored.request, stored_decisions);
        Ok(stored.request.clone())
    }

    pub(crate) fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        let read = self.page(query, page, Timestamp::MIN)?;
        let rows = self.rows();
        let record = |request: MutationRequest| {
            let writes = rows.get(&request.id).map(|stored| stored.writes.clone());
            RequestRecord::new(request.into(), writes.unwrap_or_default())
        };
        Ok(read.map(record))
    }

    pub(crate) fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        check_import_count(records.len())?;
        Ok(records.iter().map(|record| self.import_one(record)).collect())
    }

    fn import_one(&self, record: &RequestRecord) -> Result<Imported> {
        let mut rows = self.rows();
        let request = record.request().request()?;
        if let Some(tombstone) = self.tombstone(&request.id) {
            return Err(Error::id_of_removed(tombstone));
        }
        if let Some(stored) = rows.get(&request.id) {
            return Ok(Imported::beside(&request, &stored.request));
        }
        check_key(&rows, &request)?;
        let now = Timestamp::from_micros(1_767_225_600_000_000).unwrap();
        self.feed.lock().unwrap().push(FeedEntry::for_import(&request, PARTITION, now));
        rows.insert(request.id.clone(), Stored { request, writes: record.writes().to_vec() });
        Ok(Imported::Added)
    }

    pub(crate) fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        let rows = self.rows();
        if let Some(tombstone) = self.tombstone(id) {
            return Err(Error::removed(tombstone));
        }
        let lookup = |stored: &Stored| {
            WriteLookup::new(write_id, stored.request.revision().number, stored.writes.iter().copied())
        };
        Ok(rows.get(id).map(lookup))
    }

    pub(crate) fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        let rows = self.rows();
        let found = ids.iter().map(|id| rows.get(id).map(|stored| stored.request.clone()));
        let removed = ids.iter().filter_map(|id| self.tombstone(id)).collect();
        Ok(Lookup::new(found.collect(), Vec::new()).with_removed(removed))
    }

    /// Only an inbox depends on the time.
    pub(crate) fn page<Q: Query>(&self, query: &Q, page: &PageRequest, now: Timestamp) -> Result<Page<Q::Row>> {
        evaluate(query, self.rows().values().map(|stored| &stored.request), page, NAME, now)
    }

    pub(crate) fn all(&self) -> Vec<MutationRequest> {
        self.rows().values().map(|stored| stored.request.clone()).collect()
    }
}
