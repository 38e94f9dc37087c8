//! The contract of stores on Redis: writes and reads by id; other files have the pages and the feed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::super::background::boxed;
use super::super::redis_driver::recycle;
use super::{ANY_TIME, RedisStore, Store, dual};
use crate::archive::{Imported, RequestRecord};
use crate::error::{Outcome, Result, StoreError, StoreErrorKind};
use crate::feed::{Consumer, ConsumerLease, FeedPage, FeedPosition};
use crate::query::{
    AsStored, Count, DecisionQuery, DecisionRow, DueQuery, InboxQuery, Lookup, Page, PageRequest, PendingApprovalQuery,
    PendingApprovalRow, ReadyQuery, RecentApprovalQuery, RecentApprovalRow, RequestQuery, Statistics, check_id_count,
};
use crate::redis::namespace::layout::PartitionLayout;
use crate::redis::pages::missing;
use crate::redis::reply::{self, Created, Updated};
use crate::redis::{Attempts, Call, Freshness, MAX_PAGE_BYTES, Place, feed};
use crate::removal::Tombstone;
use crate::request::{
    ConsumerName, HolderId, IdComparison, MutationRequest, RequestId, Timestamp, UniqueKey, UnsettledWrite, WriteId,
};
use crate::service::clock::Clock;
use crate::service::deadline::Deadline;
use crate::service::settle::WriteLookup;
use crate::stored_format::StoredRequest;

#[dual]
impl Store for RedisStore {
    async fn create(&self, request: MutationRequest) -> Result<MutationRequest> {
        let request = request.comparing_ids(self.settings.options.id_comparison);
        if let Some(key) = request.unique_key.clone() {
            return boxed(self.create_unique(request, &key)).await;
        }
        let call = Call::create(&self.settings, &request)?.confirmed_by(self.durability);
        let mut attempts = Attempts::new(self.deadline(), true);
        let created = self.send_creation(&request, &call, &mut attempts).await?;
        created.into_stored(request).ok_or_else(|| reply::unexpected_write("create.lua").into())
    }

    async fn update(&self, request: MutationRequest, write_id: WriteId) -> Result<MutationRequest> {
        let request = request.comparing_ids(self.settings.options.id_comparison);
        let next = request.revision().next(write_id);
        let mut stored_decisions = request.stored_decisions();
        let unsettled = |stored_decisions| UnsettledWrite {
            id: request.id.clone(),
            base: Some(request.revision()),
            write_id,
            intent: Some(request.update_intent(stored_decisions)),
        };
        let mut attempts = Attempts::new(self.deadline(), true);
        loop {
            let call = Call::update(&self.settings, &request, next, stored_decisions)?.confirmed_by(self.durability);
            let answers = self.attempt(&call, &mut attempts).await;
            let (value, confirmation) = answers.map_err(|error| error.leaving(&unsettled(stored_decisions)))?;
            let updated = reply::updated(&self.settings, &request, write_id, &value);
            match updated.map_err(|error| attempts.rejected(error).leaving(&unsettled(stored_decisions)))? {
                Updated::Applied => {
                    self.release_key_of(&request, attempts.deadline()).await;
                    self.durability.confirm(confirmation, &request.id, next)?;
                    return Ok(request.at_revision(next));
                }
                Updated::Before(stored) => {
                    self.release_key_of(&stored, attempts.deadline()).await;
                    self.durability.confirm(confirmation, &stored.id, stored.revision())?;
                    return Ok(*stored);
                }
                Updated::Forgotten => return Err(forgotten(unsettled(stored_decisions)).into()),
                Updated::Stored(decisions) => stored_decisions = decisions,
            }
        }
    }

    async fn open_request(&self, key: &UniqueKey) -> Result<Option<MutationRequest>> {
        self.find_open_request(key).await
    }

    async fn settle(&self, id: &RequestId, write_id: WriteId) -> Result<Option<WriteLookup>> {
        let value = self.record_bytes(id, Freshness::Latest).await?;
        reply::write_lookup(&self.settings, id, write_id, &value)
    }

    /// One request takes one read of its record; a script reads several and returns as many as one reply may hold.
    async fn get_many(&self, ids: &[RequestId]) -> Result<Lookup> {
        self.look_up(ids, Freshness::MayLag).await
    }

    async fn requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(query, page, ANY_TIME).await
    }

    async fn stored_requests(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<StoredRequest>> {
        self.read(&AsStored::decoded_where_needed(query), page, ANY_TIME).await
    }

    async fn records(&self, query: &RequestQuery, page: &PageRequest) -> Result<Page<RequestRecord>> {
        let page = self.read(&AsStored::keeping_bytes(query), page, ANY_TIME).await?;
        self.with_records(page).await
    }

    async fn import(&self, records: &[RequestRecord]) -> Result<Vec<Result<Imported>>> {
        self.import_records(records).await
    }

    async fn remove(&self, request: &MutationRequest, tombstone: &Tombstone) -> Result<Tombstone> {
        self.remove_request(request, tombstone).await
    }

    async fn pending_approvals(
        &self,
        query: &PendingApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<PendingApprovalRow>> {
        self.read(query, page, ANY_TIME).await
    }

    async fn recent_approvals(
        &self,
        query: &RecentApprovalQuery,
        page: &PageRequest,
    ) -> Result<Page<RecentApprovalRow>> {
        self.read(query, page, ANY_TIME).await
    }

    async fn decisions(&self, query: &DecisionQuery, page: &PageRequest) -> Result<Page<DecisionRow>> {
        self.read(query, page, ANY_TIME).await
    }

    async fn inbox(&self, query: &InboxQuery, now: Timestamp, page: &PageRequest) -> Result<Page<PendingApprovalRow>> {
        self.read(query, page, now).await
    }

    async fn due(&self, by: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&DueQuery::by(by), page, by).await
    }

    async fn ready(&self, query: &ReadyQuery, now: Timestamp, page: &PageRequest) -> Result<Page<MutationRequest>> {
        self.read(&query.at(now), page, now).await
    }

    async fn count_ready(&self, query: &ReadyQuery, now: Timestamp) -> Result<Count> {
        self.count_ready_requests(query, now).await
    }

    async fn count(&self, query: &RequestQuery) -> Result<Count> {
        self.count_requests(query).await
    }

    async fn statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        self.read_statistics(now, due_within).await
    }

    async fn statistics_of(&self, query: &RequestQuery, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        self.count_statistics(query, now, due_within).await
    }

    async fn read_feed(&self, from: &FeedPosition, limit: usize) -> Result<FeedPage> {
        self.feed_page(from, limit).await
    }

    async fn end_of_feed(&self) -> Result<FeedPosition> {
        self.feed_end().await
    }

    async fn lease_consumer(&self, name: &ConsumerName, holder: HolderId, lease: Duration) -> Result<ConsumerLease> {
        let call = Call::lease_consumer(&self.settings, name, holder, lease)?;
        feed::leased(name, &self.call(&call, self.deadline()).await?)
    }

    async fn save_consumer(
        &self,
        name: &ConsumerName,
        holder: HolderId,
        position: &FeedPosition,
        lease: Duration,
    ) -> Result<bool> {
        let call = Call::save_consumer(&self.settings, name, holder, position, lease)?;
        feed::saved(name, &self.call(&call, self.deadline()).await?)
    }

    async fn consumers(&self) -> Result<Vec<Consumer>> {
        self.feed_consumers().await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool> {
        let call = Call::remove_consumer(&self.settings, name);
        feed::removed(name, &self.call(&call, self.deadline()).await?)
    }

    fn id_comparison(&self) -> IdComparison {
        self.settings.options.id_comparison
    }

    /// The server's clock as this process knows it.
    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.settings.clock) as Arc<dyn Clock>
    }

    async fn refresh_clock(&self) -> Result<()> {
        if self.settings.clock.is_stale() {
            // Any call refreshes an old time; this one asks for nothing else.
            self.call(&Call::time(), self.deadline()).await?;
        }
        Ok(())
    }

    fn call_timeout(&self) -> Duration {
        self.settings.options.timeout
    }

    fn check_create(&self, request: &MutationRequest) -> Result<()> {
        Call::create(&self.settings, request).map(drop)
    }

    fn check_update(&self, request: &MutationRequest) -> Result<()> {
        let next = request.revision().next(WriteId::generate());
        Call::update(&self.settings, request, next, request.stored_decisions()).map(drop)
    }
}

#[dual]
impl RedisStore {
    /// Sends the creation of a request, which may also have been created before.
    pub(super) async fn send_creation(
        &self,
        request: &MutationRequest,
        call: &Call,
        attempts: &mut Attempts,
    ) -> Result<Created> {
        let write = UnsettledWrite {
            id: request.id.clone(),
            base: None,
            write_id: request.revision().write_id,
            intent: Some(request.creation_intent()),
        };
        let (value, confirmation) = self.attempt(call, attempts).await.map_err(|error| error.leaving(&write))?;
        let created = reply::created(&self.settings, request, &value);
        let created = created.map_err(|error| attempts.rejected(error).leaving(&write))?;
        match &created {
            Created::AsSent => self.durability.confirm(confirmation, &request.id, request.revision())?,
            Created::Before(stored) => self.durability.confirm(confirmation, &stored.id, stored.revision())?,
            Created::Forgotten => return Err(forgotten(write).into()),
            Created::Unpermitted => {}
        }
        Ok(created)
    }

    /// What is stored of a request; see [`stored_record`](Self::stored_record).
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`] if nothing is stored where a repartition since has moved requests from.
    pub(super) async fn record_bytes(&self, id: &RequestId, freshness: Freshness) -> Result<redis::Value> {
        let keyspace = &self.settings.keyspace;
        let (partition, key) = (keyspace.partition_of(id), keyspace.record(id));
        let value = self.stored_record(Place::Partition(partition), &key, freshness, self.deadline()).await?;
        if value == redis::Value::Nil {
            self.partition_layout(partition).await?.check_partitions(&self.settings)?;
        }
        Ok(value)
    }

    pub(super) async fn look_up(&self, ids: &[RequestId], freshness: Freshness) -> Result<Lookup> {
        check_id_count(ids)?;
        match ids {
            [id] => self.record_of(id, freshness).await,
            _ => self.records_of(ids, freshness).await,
        }
    }

    async fn record_of(&self, id: &RequestId, freshness: Freshness) -> Result<Lookup> {
        let value = self.record_bytes(id, freshness).await?;
        let read = reply::request(&self.settings, id, &value);
        let removed: Vec<Tombstone> = reply::tombstone(id, &value).into_iter().collect();
        recycle(value);
        if !removed.is_empty() {
            return Ok(Lookup::new(vec![None], Vec::new()).with_removed(removed));
        }
        Ok(match read {
            Ok(request) => Lookup::new(vec![request], Vec::new()),
            Err(unreadable) => Lookup::new(vec![None], vec![unreadable]),
        })
    }

    async fn records_of(&self, ids: &[RequestId], freshness: Freshness) -> Result<Lookup> {
        let deadline = self.deadline();
        let (mut requests, mut unreadable, mut without) = (vec![None; ids.len()], Vec::new(), BTreeSet::new());
        let (mut unknown, mut missing, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        let mut left = self.settings.keyspace.places_by_partition(ids);
        let asked = left.len();
        while !left.is_empty() {
            let round: Vec<Vec<usize>> = left.drain(..left.len().min(self.settings.calls_at_once())).collect();
            let ids_at = |places: &Vec<usize>| places.iter().filter_map(|&place| ids.get(place)).collect::<Vec<_>>();
            let enough_bytes = MAX_PAGE_BYTES / round.len();
            let call = |places| Call::records(&self.settings, &ids_at(places), enough_bytes).with_freshness(freshness);
            let calls: Vec<Call> = round.iter().map(call).collect();
            let values = self.call_present(&calls, deadline).await?;
            for (mut places, value) in round.into_iter().zip(values) {
                let value = match value {
                    Ok(value) => value,
                    Err(partition) => {
                        unknown.extend(ids_at(&places).into_iter().cloned());
                        missing.push(partition);
                        continue;
                    }
                };
                let read = reply::requests(&self.settings, ids_at(&places), &value)?;
                removed.extend(reply::tombstones(ids_at(&places), &value));
                for (place, read) in places.drain(..read.len()).zip(read) {
                    if let (Ok(None), Some(id)) = (&read, ids.get(place)) {
                        without.insert(self.settings.keyspace.partition_of(id));
                    }
                    match (read, requests.get_mut(place)) {
                        (Ok(request), Some(slot)) => *slot = request,
                        (Err(error), _) => unreadable.push(error),
                        (Ok(_), None) => {}
                    }
                }
                left.extend(Some(places).filter(|places| !places.is_empty()));
            }
        }
        self.check_not_moved(&without, deadline).await?;
        missing::check_some_answered(&missing, asked)?;
        let mut lookup = Lookup::new(requests, unreadable).with_removed(removed);
        (lookup.unknown, lookup.missing) = (unknown, missing);
        Ok(lookup)
    }

    /// As [`record_bytes`](Self::record_bytes), for partitions in which some request was not found.
    async fn check_not_moved(&self, partitions: &BTreeSet<u16>, deadline: Deadline) -> Result<()> {
        let calls: Vec<Call> = partitions.iter().map(|at| Call::partition_layout(&self.settings, *at)).collect();
        for (at, found) in partitions.iter().zip(self.call_all(&calls, deadline).await?) {
            PartitionLayout::read(&self.settings, *at, &found)?.check_partitions(&self.settings)?;
        }
        Ok(())
    }
}

fn forgotten(write: UnsettledWrite) -> StoreError {
    let problem = format!(
        "request {}: its history holds the decisions of this write, but so many writes followed that the record no \
         longer tells whether they came from this one or from another just like it; read the request and decide \
         anew",
        write.id
    );
    // Repeating the write would not help, hence this kind.
    StoreError::new(StoreErrorKind::Rejected, Outcome::Unknown, problem).leaving(write)
}
