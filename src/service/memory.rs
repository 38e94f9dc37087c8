//! The table of the memory stores of both flavours: what a store does, without waiting for anything.

use std::collections::HashMap;
use std::time::Duration;

use crate::archive::{Imported, RequestRecord};
use crate::error::{Conflict, Error, Result};
use crate::feed::{Consumer, ConsumerLease, ConsumerTable, DEFAULT_LENGTH, FeedEntry, FeedLog, FeedPage, FeedPosition};
use crate::index::has_same_submission;
use crate::query::{Count, Lookup, Page, PageRequest, Query, RequestQuery, Statistics, check_id_count, evaluate};
use crate::removal::Tombstone;
use crate::request::{ConsumerName, HolderId, IdComparison, MutationRequest, RequestId, Timestamp, UniqueKey, WriteId};
use crate::service::settle::{RememberedWrite, WriteLookup};
use crate::stored_format::{DocumentLimit, SizeBudget};

const SCOPE: &str = "memory";

/// Requests by id, and the feed of their writes.
pub(crate) struct RequestTable {
    requests: HashMap<RequestId, Stored>,
    /// The open request with each unique key.
    keys: HashMap<UniqueKey, RequestId>,
    removed: HashMap<RequestId, Tombstone>,
    ids: IdComparison,
    limit: DocumentLimit,
    feed: FeedLog,
    consumers: ConsumerTable,
}

impl Default for RequestTable {
    fn default() -> Self {
        Self {
            requests: HashMap::new(),
            keys: HashMap::new(),
            removed: HashMap::new(),
            ids: IdComparison::default(),
            limit: DocumentLimit::default(),
            feed: empty_feed(DEFAULT_LENGTH),
            consumers: ConsumerTable::default(),
        }
    }
}

/// No two tables have the same feed, so that a position of one is an error in every other.
fn empty_feed(length: u32) -> FeedLog {
    FeedLog::new(format!("{SCOPE} {}", uuid::Uuid::new_v4()), usize::try_from(length).unwrap_or(usize::MAX))
}

struct Stored {
    request: MutationRequest,
    /// Its writes, in order: all of them, or those that were imported with it and all since.
    writes: Vec<RememberedWrite>,
}

impl Stored {
    /// The newest first, since most that is repeated was the last.
    fn remembered(&self) -> impl Iterator<Item = RememberedWrite> {
        self.writes.iter().rev().copied()
    }

    fn remembered_as(&self, write_id: WriteId) -> Option<RememberedWrite> {
        self.remembered().find(|write| write.id == write_id)
    }
}

impl RequestTable {
    pub(crate) fn comparing_ids(rule: IdComparison) -> Self {
        Self { ids: rule, ..Self::default() }
    }

    pub(crate) const fn id_comparison(&self) -> IdComparison {
        self.ids
    }

    /// A table of requests that take no more than this each, counted as they are stored elsewhere.
    pub(crate) fn with_limit(limit: DocumentLimit) -> Self {
        Self { limit, ..Self::default() }
    }

    /// A table whose feed keeps so many entries.
    pub(crate) fn with_feed_length(entries: u32) -> Self {
        Self { feed: empty_feed(entries), ..Self::default() }
    }

    pub(crate) fn create(&mut self, request: MutationRequest) -> Result<MutationRequest> {
        let request = request.comparing_ids(self.ids);
        request.check_new()?;
        self.check_create(&request)?;
        let revision = request.revision();
        if let Some(tombstone) = self.removed.get(&request.id) {
            return Err(Error::id_of_removed(tombstone.clone()));
        }
        if let Some(stored) = self.requests.get(&request.id) {
            let Some(known) = stored.remembered_as(revision.write_id) else {
                return Err(Error::already_exists(request.id.clone()));
            };
            known.check_creation(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        self.check_key(&request)?;
        let writes = vec![RememberedWrite { number: 0, id: revision.write_id, intent: request.creation_intent() }];
        let request = request.at_revision(revision);
        self.announce(&request, 0);
        self.insert(request.clone(), writes);
        Ok(request)
    }

    fn check_key(&self, request: &MutationRequest) -> Result<()> {
        match request.open_key().and_then(|key| Some((key, self.open_request(key)?))) {
            Some((key, open)) => Err(Error::already_open(open.id.clone(), key.clone())),
            None => Ok(()),
        }
    }

    fn insert(&mut self, request: MutationRequest, writes: Vec<RememberedWrite>) {
        if let Some(key) = request.open_key() {
            self.keys.insert(key.clone(), request.id.clone());
        }
        self.requests.insert(request.id.clone(), Stored { request, writes });
    }

    pub(crate) fn update(&mut self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let request = request.comparing_ids(self.ids);
        self.check_update(&request)?;
        self.check_not_removed(&request.id)?;
        let Some(stored) = self.requests.get_mut(&request.id) else {
            return Err(Error::not_found(request.id.clone()));
        };
        if let Some(known) = stored.remembered_as(write_id) {
            known.check_update(&request, &stored.request)?;
            return Ok(stored.request.clone());
        }
        if stored.request.revision() != request.revision() {
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
        let next = request.revision().next(write_id);
        let request = request.at_revision(next);
        stored.request = request.clone();
        stored.writes.push(RememberedWrite { number: next.number, id: write_id, intent });
        if let (Some(key), None) = (&request.unique_key, request.open_key())
            && self.keys.get(key) == Some(&request.id)
        {
            self.keys.remove(key);
        }
        self.announce(&request, stored_decisions);
        Ok(request)
    }

    pub(crate) fn open_request(&self, key: &UniqueKey) -> Option<&MutationRequest> {
        Some(&self.requests.get(self.keys.get(key)?)?.request)
    }

    pub(crate) fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        let record = |request: MutationRequest| {
            let writes: Vec<_> = self.requests.get(&request.id).into_iter().flat_map(Stored::remembered).collect();
            RequestRecord::new(request.into(), writes)
        };
        Ok(self.read(query, page, Timestamp::MIN)?.map(record))
    }

    pub(crate) fn import(&mut self, record: &RequestRecord) -> Result<Imported> {
        self.add(record, true)
    }

    /// The same for a record of an archive. That was not written at one moment, so two of its requests may be open with one
    /// unique key.
    #[cfg(feature = "archive")]
    pub(crate) fn load(&mut self, record: &RequestRecord) -> Result<Imported> {
        self.add(record, false)
    }

    fn add(&mut self, record: &RequestRecord, checks_key: bool) -> Result<Imported> {
        let request = record.request().request().map_err(Error::from)?.comparing_ids(self.ids);
        self.check_update(&request)?;
        if let Some(tombstone) = self.removed.get(&request.id) {
            return Err(Error::id_of_removed(tombstone.clone()));
        }
        if let Some(stored) = self.requests.get(&request.id) {
            return Ok(Imported::beside(&request, &stored.request));
        }
        if checks_key {
            self.check_key(&request)?;
        }
        let writes = record.writes().iter().rev().copied().collect();
        let revision = request.revision();
        let request = request.at_revision(revision);
        self.feed.add(Timestamp::now(), |partition, at| FeedEntry::for_import(&request, partition, at));
        self.insert(request, writes);
        Ok(Imported::Added)
    }

    pub(crate) fn remove(&mut self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        if let Some(earlier) = self.removed.get(&tombstone.id) {
            return Ok(earlier.clone());
        }
        let Some(stored) = self.requests.get(&tombstone.id) else {
            return Err(Error::not_found(tombstone.id.clone()));
        };
        if stored.request.revision() != tombstone.revision {
            return Err(Conflict::between(request, &stored.request).into());
        }
        self.requests.remove(&tombstone.id);
        self.feed.add(Timestamp::now(), |partition, at| FeedEntry::for_removal(tombstone, partition, at));
        self.removed.insert(tombstone.id.clone(), tombstone.clone());
        Ok(tombstone.clone())
    }

    fn check_not_removed(&self, id: &RequestId) -> Result<()> {
        self.removed.get(id).map_or(Ok(()), |tombstone| Err(Error::removed(tombstone.clone())))
    }

    pub(crate) fn check_create(&self, request: &MutationRequest) -> Result<()> {
        SizeBudget::to_submit(self.limit, request).check(request)
    }

    pub(crate) fn check_update(&self, request: &MutationRequest) -> Result<()> {
        SizeBudget::to_change(self.limit, request).check(request)
    }

    fn announce(&mut self, written: &MutationRequest, stored_decisions: usize) {
        let entry = |partition, at| FeedEntry::for_write(written, stored_decisions, partition, at);
        self.feed.add(Timestamp::now(), entry);
    }

    pub(crate) fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        self.check_not_removed(id)?;
        let lookup =
            |stored: &Stored| WriteLookup::new(write_id, stored.request.revision().number, stored.remembered());
        Ok(self.requests.get(id).map(lookup))
    }

    pub(crate) fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        check_id_count(ids)?;
        let found = ids.iter().map(|id| self.requests.get(id).map(|stored| stored.request.clone()));
        let removed = ids.iter().filter_map(|id| self.removed.get(id).cloned()).collect();
        Ok(Lookup::new(found.collect(), Vec::new()).with_removed(removed))
    }

    pub(crate) fn read<Q: Query>(&self, query: &Q, page: &PageRequest, now: Timestamp) -> Result<Page<Q::Row>> {
        evaluate(query, self.all(), page, SCOPE, now)
    }

    pub(crate) fn count(&self, query: &RequestQuery) -> Count {
        Count::Exact(self.all().filter(|request| query.matches(request)).count() as u64)
    }

    pub(crate) fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Statistics {
        Statistics::of(self.all(), now, due_within)
    }

    pub(crate) fn statistics_of(&self, query: &RequestQuery, now: Timestamp, due_within: &[Duration]) -> Statistics {
        Statistics::of(self.all().filter(|request| query.matches(request)), now, due_within)
    }

    pub(crate) fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.feed.read(from, limit)
    }

    pub(crate) fn end_of_feed(&self) -> FeedPosition {
        self.feed.end()
    }

    pub(crate) fn lease_consumer(
        &mut self,
        name: &ConsumerName,
        holder: HolderId,
        lease: Duration,
    ) -> Result<ConsumerLease> {
        self.consumers.lease(name, holder, lease, Timestamp::now())
    }

    pub(crate) fn save_consumer(
        &mut self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        self.consumers.save(name, holder, position, lease, Timestamp::now())
    }

    pub(crate) fn consumers(&self) -> Vec<Consumer> {
        self.consumers.list(Timestamp::now(), |position| self.feed.lag(position))
    }

    pub(crate) fn remove_consumer(&mut self, name: &ConsumerName) -> Result<bool> {
        self.consumers.remove(name, Timestamp::now())
    }

    fn all(&self) -> impl Iterator<Item = &MutationRequest> {
        self.requests.values().map(|stored| &stored.request)
    }
}
