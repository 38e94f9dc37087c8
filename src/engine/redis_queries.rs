//! Reads pages, counts and statistics along the indexes of a namespace.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::{ANY_TIME, RedisStore, dual};
use crate::error::{Error, Result, StoreErrorKind};
use crate::index::{Along, KeyRange, Plan, SortKey, Term, plan};
use crate::query::{Count, Fingerprint, Page, PageRequest, Query, RequestQuery, Statistics, evaluate_with};
use crate::redis::pages::scan_reply;
use crate::redis::{Call, Freshness, PageMerge, Part, RedisOptions, Scan, StatisticsParts};
use crate::request::{MutationRequest, RequestId, Timestamp};
use crate::service::deadline::Deadline;

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
        self.read_until(query, page, now, Freshness::MayLag, self.deadline()).await
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
        let fingerprint = self.fingerprint(query);
        let start = page.cursor().map(|cursor| cursor.position(fingerprint)).transpose()?.map(SortKey::from_bytes);
        let plan = match self.plan(query) {
            Plan::ByIds { ids, .. } => return self.read_by_ids(query, ids, page, now, freshness).await,
            Plan::Along(along) => along,
        };
        let partitions = self.settings.keyspace.partition_count();
        let mut assembly = PageMerge::new(partitions, plan.direction, start.as_ref(), page.limit());
        loop {
            let parts = assembly.next_round(self.settings.calls_at_once());
            let scans: Vec<_> = parts.iter().map(|part| (part.partition, Scan::new(&plan, part))).collect();
            if scans.is_empty() {
                break;
            }
            let call = |(at, scan): &(u16, _)| Call::scan(&self.settings, *at, scan).with_freshness(freshness);
            let calls: Vec<_> = scans.iter().map(call).collect();
            let values = match self.call_all(&calls, deadline).await {
                Ok(values) => values,
                Err(error) if assembly.is_begun() && (is_late(&error) || deadline.remaining().is_none()) => break,
                Err(error) => return Err(error),
            };
            for ((partition, scan), value) in scans.iter().zip(values) {
                let scanned = scan_reply::scanned(&self.settings, *partition, scan, value)?;
                let in_all = scanned.sizes.iter().map(|size| size.saturating_mul(u64::from(partitions)));
                self.cardinalities.learn(scan.terms().zip(in_all));
                assembly.add(*partition, &plan, query, now, scanned);
            }
        }
        Ok(assembly.finish(fingerprint))
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
        let lookup = self.look_up(&ids, freshness).await?;
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

    fn fingerprint<Q: Query>(&self, query: &Q) -> Fingerprint {
        Fingerprint::of(&[self.scope().as_bytes(), &query.fingerprint()])
    }

    /// What a cursor is bound to in addition to its query.
    fn scope(&self) -> String {
        format!("redis {}", self.settings.keyspace.namespace())
    }

    /// The number of members a scan finds, without their documents; only for plans that check nothing on the documents.
    async fn count_members(&self, plan: &Along<RequestQuery>) -> Result<Count> {
        let deadline = self.deadline();
        let mut count = 0;
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
            let values = match self.call_all(&calls, deadline).await {
                Ok(values) => values,
                Err(error) if count > 0 && is_late(&error) => return Ok(Count::AtLeast(count)),
                Err(error) => return Err(error),
            };
            for (((partition, _), scan), value) in round.iter().zip(&scans).zip(values) {
                let scanned = scan_reply::scanned(&self.settings, *partition, scan, value)?;
                count += scanned.members.len() as u64;
                if scanned.more {
                    left.push_back((*partition, Some(scanned.position)));
                }
            }
        }
        Ok(Count::Exact(count))
    }

    /// The number of rows on all pages of a query; a lower bound when some could not be read.
    async fn count_rows(&self, query: &RequestQuery) -> Result<Count> {
        let deadline = self.deadline();
        let mut count = Count::Exact(0);
        let mut page = PageRequest::longest();
        loop {
            let read = match self.read_until(query, &page, ANY_TIME, Freshness::Latest, deadline).await {
                Ok(read) => read,
                Err(error) if count.number() > 0 && is_late(&error) => return Ok(Count::AtLeast(count.number())),
                Err(error) => return Err(error),
            };
            let rows = read.items.len() as u64;
            count += if read.unreadable.is_empty() { Count::Exact(rows) } else { Count::AtLeast(rows) };
            match page.going_on(read.next)? {
                None => return Ok(count),
                Some(_) if deadline.remaining().is_none() => return Ok(Count::AtLeast(count.number())),
                Some(next) => page = next,
            }
        }
    }

    pub(super) async fn count_requests(&self, query: &RequestQuery) -> Result<Count> {
        let plan = match self.plan(query) {
            Plan::ByIds { .. } => return self.count_rows(query).await,
            Plan::Along(along) => along,
        };
        if let Some((term, range)) = plan.single_range() {
            let deadline = self.deadline();
            let mut count = 0;
            for value in self.sizes(|| [(term, range)], deadline).await? {
                count = scan_reply::sizes(&value)?.0.into_iter().fold(count, u64::saturating_add);
            }
            return Ok(Count::Exact(count));
        }
        if plan.leaves_nothing_to_check() {
            return self.count_members(&plan).await;
        }
        self.count_rows(query).await
    }

    pub(super) async fn read_statistics(&self, now: Timestamp, due_within: &[Duration]) -> Result<Statistics> {
        let deadline = self.deadline();
        let parts = StatisticsParts::new(now, due_within);
        let mut statistics = Statistics::default();
        for value in self.sizes(|| parts.ranges(), deadline).await? {
            statistics += &parts.read(&scan_reply::sizes(&value)?);
        }
        Ok(statistics)
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
        let sizes = |partition| Call::sizes(&self.settings, partition, ranges());
        let calls: Vec<Call> = self.settings.keyspace.partitions().map(sizes).collect();
        self.call_all(&calls, deadline).await
    }
}

pub(super) fn is_late(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind == StoreErrorKind::DeadlineExceeded)
}
