//! Reads pages, counts and statistics along the indexes of a namespace.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::{ANY_TIME, RedisStore, dual};
use crate::error::{Error, Result, StoreErrorKind};
use crate::index::{Along, Dimension, KeyRange, Plan, SortKey, Term, plan};
use crate::query::{
    Count, MissingPartition, Page, PageRequest, Query, ReadyQuery, RequestQuery, Statistics, evaluate_with,
};
use crate::redis::pages::missing;
use crate::redis::pages::places::{CursorKinds, ReadPlaces};
use crate::redis::pages::scan_reply;
use crate::redis::{Call, Freshness, PageMerge, Part, RedisOptions, Scan, StatisticsParts};
use crate::request::{MutationRequest, RequestId, Timestamp};
use crate::service::deadline::Deadline;
use crate::workflow;

#[dual]
impl RedisStore {
    /// One page of a query: all partitions at once, and further rounds while the page is not full.
    pub(super) async fn read<Q: Query + Send + Sync>(
        &self,
        query: &Q,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Q::Row>>
    where
        Q::Row: Send,
    {
        let mut read = self.read_until(query, page, now, Freshness::MayLag, self.deadline()).await?;
        if query.is_for_a_viewer() {
            read.unreadable.clear();
        }
        Ok(read)
    }

    async fn read_until<Q: Query + Send + Sync>(
        &self,
        query: &Q,
        page: &PageRequest,
        now: Timestamp,
        freshness: Freshness,
        deadline: Deadline,
    ) -> Result<Page<Q::Row>>
    where
        Q::Row: Send,
    {
        let kinds = self.cursor_kinds(query);
        let partitions = self.settings.keyspace.partition_count();
        let starts = ReadPlaces::of(page.cursor(), kinds, partitions)?;
        let plan = match self.plan(query) {
            Plan::ByIds { ids, .. } => return self.read_by_ids(query, ids, page, now, freshness).await,
            Plan::Along(along) => along,
        };
        let mut assembly = PageMerge::new(starts, plan.direction, page.limit());
        'page: loop {
            let parts = assembly.next_round(self.settings.calls_at_once());
            let scans: Vec<_> = parts.iter().map(|part| (part.partition, Scan::new(&plan, part))).collect();
            if scans.is_empty() {
                break;
            }
            let call = |(at, scan): &(u16, _)| Call::scan(&self.settings, *at, scan).with_freshness(freshness);
            let calls: Vec<_> = scans.iter().map(call).collect();
            let values = match self.call_present(&calls, deadline).await {
                Ok(values) => values,
                Err(error) if assembly.is_begun() && (is_late(&error) || deadline.remaining().is_none()) => break,
                Err(error) => return Err(error),
            };
            for ((partition, scan), value) in scans.iter().zip(values) {
                let value = match value {
                    Ok(value) => value,
                    Err(missing) => {
                        if assembly.leave_out(missing) {
                            continue;
                        }
                        // What it gave before is on the page, which ends there; the next one begins without it.
                        break 'page;
                    }
                };
                let scanned = scan_reply::scanned(&self.settings, *partition, scan, value)?;
                let in_all = scanned.sizes.iter().map(|size| size.saturating_mul(u64::from(partitions)));
                self.cardinalities.learn(scan.terms().zip(in_all));
                assembly.add(*partition, &plan, query, now, scanned);
            }
        }
        missing::check_some_answered(assembly.missing(), partitions)?;
        Ok(assembly.finish(kinds))
    }

    async fn read_by_ids<Q: Query + Send + Sync>(
        &self,
        query: &Q,
        ids: BTreeSet<RequestId>,
        page: &PageRequest,
        now: Timestamp,
        freshness: Freshness,
    ) -> Result<Page<Q::Row>> {
        let ids: Vec<RequestId> = ids.into_iter().collect();
        // An evaluation needs all of them.
        let lookup = Self { is_partial: false, ..self.clone() }.look_up(&ids, freshness).await?;
        let found: Vec<MutationRequest> = lookup.requests.into_iter().flatten().collect();
        evaluate_with(query, &found, lookup.unreadable, page, &self.scope(), now)
    }

    /// How a query would be answered now, and why: which index it reads along, which it probes, and what it checks on
    /// the documents.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub async fn explain_query<Q: Query + Send + Sync>(&self, query: &Q) -> Result<Plan<Q>> {
        let deadline = self.deadline();
        let terms: Vec<_> = query
            .terms(&self.settings.options.indexed_metadata, self.settings.options.id_comparison)
            .into_iter()
            .collect();
        let mut in_all = vec![0; terms.len()];
        let every_key = || terms.iter().map(|term| (term, &KeyRange::ALL));
        for value in self.sizes(every_key, deadline).await? {
            in_all
                .iter_mut()
                .zip(scan_reply::sizes(&value)?.0)
                .for_each(|(sum, size)| *sum = size.saturating_add(*sum));
        }
        self.cardinalities.learn(terms.iter().zip(in_all));
        Ok(self.plan(query))
    }

    fn plan<Q: Query>(&self, query: &Q) -> Plan<Q> {
        let RedisOptions { indexed_metadata, id_comparison, .. } = &self.settings.options;
        plan(query, indexed_metadata, *id_comparison, |term| self.cardinalities.of(term))
    }

    fn cursor_kinds<Q: Query>(&self, query: &Q) -> CursorKinds {
        CursorKinds::of(&[self.scope().as_bytes(), &query.fingerprint()])
    }

    /// What a cursor is bound to in addition to its query.
    fn scope(&self) -> String {
        format!("redis {}", self.settings.keyspace.namespace())
    }

    /// The number of members a scan finds, without their documents; only for plans that check nothing on the documents.
    async fn count_members(&self, plan: &Along<RequestQuery>) -> Result<Count> {
        let deadline = self.deadline();
        let (mut count, mut missing) = (0, Vec::new());
        let mut left: VecDeque<(u16, Option<SortKey>)> =
            self.settings.keyspace.partitions().map(|partition| (partition, None)).collect();
        while !left.is_empty() {
            let round: Vec<_> = left.drain(..left.len().min(self.settings.calls_at_once())).collect();
            let scan = |(partition, position): &(u16, Option<SortKey>)| {
                let (after, limit) = (position.as_ref(), PageRequest::MAX_LIMIT);
                Scan::new(plan, &Part { partition: *partition, after, up_to: None, limit, bytes: 0 }).without_records()
            };
            let scans: Vec<Scan<'_>> = round.iter().map(scan).collect();
            let calls: Vec<Call> =
                round.iter().zip(&scans).map(|((at, _), scan)| Call::scan(&self.settings, *at, scan)).collect();
            let values = match self.call_present(&calls, deadline).await {
                Ok(values) => values,
                Err(error) if count > 0 && is_late(&error) => return Ok(Count::AtLeast(count)),
                Err(error) => return Err(error),
            };
            for (((partition, _), scan), value) in round.iter().zip(&scans).zip(values) {
                let value = match value {
                    Ok(value) => value,
                    Err(partition) => {
                        missing.push(partition);
                        continue;
                    }
                };
                let scanned = scan_reply::scanned(&self.settings, *partition, scan, value)?;
                count += scanned.members.len() as u64;
                if scanned.more {
                    left.push_back((*partition, Some(scanned.position)));
                }
            }
        }
        missing::check_some_answered(&missing, self.settings.keyspace.partition_count())?;
        Ok(if missing.is_empty() { Count::Exact(count) } else { Count::AtLeast(count) })
    }

    /// The number of rows on all pages of a query; a lower bound when some could not be read.
    async fn count_rows<Q: Query + Send + Sync>(&self, query: &Q, now: Timestamp) -> Result<Count>
    where
        Q::Row: Send,
    {
        let mut rows = 0;
        let are_all = self.read_all(query, now, |read| rows += read.len() as u64).await?;
        Ok(if are_all { Count::Exact(rows) } else { Count::AtLeast(rows) })
    }

    /// Passes on the rows that a query finds, page by page. Returns `false` when some could not be read, or when the time
    /// was over before the end.
    async fn read_all<Q: Query + Send + Sync>(
        &self,
        query: &Q,
        now: Timestamp,
        mut take: impl FnMut(&[Q::Row]) + Send,
    ) -> Result<bool>
    where
        Q::Row: Send,
    {
        let deadline = self.deadline();
        let (mut has_some, mut are_all) = (false, true);
        let mut page = PageRequest::longest();
        loop {
            let read = match self.read_until(query, &page, now, Freshness::Latest, deadline).await {
                Ok(read) => read,
                Err(error) if has_some && is_late(&error) => return Ok(false),
                Err(error) => return Err(error),
            };
            take(&read.items);
            has_some |= !read.items.is_empty();
            are_all &= read.unreadable.is_empty() && read.missing.is_none();
            match page.going_on(read.next)? {
                None => return Ok(are_all),
                Some(_) if deadline.remaining().is_none() => return Ok(false),
                Some(next) => page = next,
            }
        }
    }

    pub(super) async fn count_requests(&self, query: &RequestQuery) -> Result<Count> {
        let plan = match self.plan(query) {
            Plan::ByIds { .. } => return self.count_rows(query, ANY_TIME).await,
            Plan::Along(along) => along,
        };
        if let Some((term, range)) = plan.single_range() {
            let deadline = self.deadline();
            let mut count = Count::Exact(0);
            for value in self.present_sizes(|| [(term, range)], deadline).await? {
                count += match value {
                    Ok(value) => Count::Exact(scan_reply::sizes(&value)?.0.into_iter().fold(0, u64::saturating_add)),
                    Err(_) => Count::AtLeast(0),
                };
            }
            return Ok(count);
        }
        if plan.leaves_nothing_to_check() {
            return self.count_members(&plan).await;
        }
        self.count_rows(query, ANY_TIME).await
    }

    /// Without filters, counted by the indexes alone.
    pub(super) async fn count_ready_requests(&self, query: &ReadyQuery, now: Timestamp) -> Result<Count> {
        if !query.finds_all() {
            return self.count_rows(&query.at(now), now).await;
        }
        Ok(Count::Exact(self.statistics_by_indexes(now, &[]).await?.ready))
    }

    pub(super) async fn read_statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        let mut statistics = self.statistics_by_indexes(now, due_within).await?;
        if statistics.ready > 0 {
            statistics.oldest_ready = self.oldest_ready(now).await?;
        }
        Ok(statistics)
    }

    /// When the first of the ready requests became ready. No index answers that: the first entries may be of requests
    /// whose validity has ended.
    async fn oldest_ready(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let (query, mut page) = (ReadyQuery::new().at(now), PageRequest::of(1)?);
        loop {
            let read = self.read(&query, &page, now).await?;
            if let Some(first) = read.items.first() {
                return Ok(workflow::ready_at(first));
            }
            match page.going_on(read.next)? {
                Some(next) => page = next,
                None => return Ok(None),
            }
        }
    }

    async fn statistics_by_indexes(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        let deadline = self.deadline();
        let parts = StatisticsParts::new(now, due_within);
        let mut statistics = Statistics::default();
        for value in self.present_sizes(|| parts.ranges(), deadline).await? {
            match value {
                Ok(value) => statistics += &parts.read(&scan_reply::sizes(&value)?),
                Err(missing) => statistics.missing.push(missing),
            }
        }
        Ok(statistics)
    }

    /// Reads the requests: their statistics are not in the indexes.
    pub(super) async fn count_statistics(
        &self,
        query: &RequestQuery,
        now: Timestamp,
        due_within: &[Duration],
    ) -> Result<Statistics> {
        if query.is_without_filters() {
            return self.read_statistics(now, due_within).await;
        }
        let mut statistics = Statistics::of([], now, due_within);
        let add = |requests: &[MutationRequest]| statistics += &Statistics::of(requests, now, due_within);
        let are_all = self.read_all(query, ANY_TIME, add).await?;
        statistics.is_lower_bound = !are_all;
        Ok(statistics)
    }

    /// The number of requests that the index of all requests names.
    pub(super) async fn request_count(&self) -> Result<u64> {
        let all = Term::whole(Dimension::All);
        let values = self.sizes(|| [(&all, &KeyRange::ALL)], self.deadline()).await?;
        let sizes = values.iter().map(|value| Ok(scan_reply::sizes(value)?.0.into_iter().sum::<u64>()));
        sizes.sum()
    }

    /// The replies of all partitions about the numbers of keys in these ranges.
    async fn sizes<'a, Ranges>(
        &self,
        ranges: impl Fn() -> Ranges + Send,
        deadline: Deadline,
    ) -> Result<Vec<redis::Value>>
    where
        Ranges: IntoIterator<Item = (&'a Term, &'a KeyRange)>,
    {
        self.call_all(&self.sizes_calls(ranges), deadline).await
    }

    /// The same of the partitions that answer.
    async fn present_sizes<'a, Ranges>(
        &self,
        ranges: impl Fn() -> Ranges + Send,
        deadline: Deadline,
    ) -> Result<Vec<Result<redis::Value, MissingPartition>>>
    where
        Ranges: IntoIterator<Item = (&'a Term, &'a KeyRange)>,
    {
        let found = self.call_present(&self.sizes_calls(ranges), deadline).await?;
        missing::check_some_answered(found.iter().filter_map(|found| found.as_ref().err()), found.len())?;
        Ok(found)
    }

    fn sizes_calls<'a, Ranges>(&self, ranges: impl Fn() -> Ranges) -> Vec<Call>
    where
        Ranges: IntoIterator<Item = (&'a Term, &'a KeyRange)>,
    {
        let sizes = |partition| Call::sizes(&self.settings, partition, ranges());
        self.settings.keyspace.partitions().map(sizes).collect()
    }
}

/// Whether the time of the call was over before every node had answered.
pub(super) fn is_late(error: &Error) -> bool {
    let late = [StoreErrorKind::DeadlineExceeded, StoreErrorKind::Unavailable];
    matches!(error, Error::Store(error) if late.contains(&error.kind))
}
