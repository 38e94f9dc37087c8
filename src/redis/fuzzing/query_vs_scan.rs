//! Queries against scans: the same rows along any plan.

use std::cmp::Reverse;
use std::fmt::{Debug, Display};

use super::input::Input;
use super::partition::Partition;
use super::samples::{KEYS, approval_query, at, decision_query, direction, inbox_query, request, request_query};
use crate::index::{ChosenIndexes, Plan, Term, plan};
use crate::query::{
    DecisionQuery, Page, PageRequest, PendingApprovalQuery, PendingApprovalRow, Query, RecentApprovalQuery,
    RequestQuery, SortDirection, evaluate,
};
use crate::redis::PageMerge;
use crate::redis::pages::places::{CursorKinds, ReadPlaces};
use crate::redis::pages::scan::{Part, Scan};
use crate::request::{
    ActorContext, Approval, ApprovalDecision, ApprovalId, DecisionCategory, DecisionKind, IdComparison,
    MutationRequest, RequestId, Step, Timestamp,
};
use crate::workflow::decidable_by;

const NOW: usize = 3;

/// For any requests and query: pages of any length, each read by its own plan from the indexes of several partitions,
/// have all rows that the filter accepts, once, in order.
pub fn query_vs_scan(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.below(5);
    let indexed = ChosenIndexes::metadata(KEYS.into_iter().take(input.below(3)));
    let partition_count = 1 + input.below(3);
    // Separate, so that their bytes stay in place while requests come and go.
    let (mut asked, plans) = (Input::new(input.bytes()), Input::new(input.bytes()));
    let requests: Vec<MutationRequest> = (0..1 + input.below(12)).map(|number| request(&mut input, number)).collect();
    let requests = requests.as_slice();

    let mut partitions: Vec<Partition> = (0..partition_count).map(|_| Partition::default()).collect();
    for (number, request) in requests.iter().enumerate() {
        partitions[number * 7 % partition_count].submit(request, &indexed, Ok(request.clone()));
    }
    let mut world = World { requests, partitions, indexed, plans };
    match kind {
        0 => {
            let query = request_query(&mut asked).in_order(direction(&mut asked));
            let asked = requests.iter().filter(|request| query.matches(request));
            let expected: Vec<_> = asked.map(|request| (created(request), request.clone())).collect();
            world.check_count(&query, expected.len());
            world.check(&query, expected);
        }
        1 => {
            let query = approval_query(&mut asked);
            let is_asked = |request, approval: &&Approval| query.matches(request, approval);
            let of = |request| MutationRequest::document(request).approvals.iter();
            world
                .check(&query, approvals(requests, |request| of(request).filter(|it| is_asked(request, it)).collect()));
        }
        2 => {
            let query = decision_query(&mut asked);
            let all = requests.iter().flat_map(|request| (0..).zip(&request.decisions).map(move |it| (request, it)));
            let asked = all.filter(|(request, (_, decision))| query.matches(request, decision));
            let row = |(request, (ordinal, decision)): (&MutationRequest, (u32, _))| {
                let row = DecisionQuery::row((request, ordinal, decision));
                ((Reverse(row.decision.at), request.id.clone(), ordinal), row)
            };
            world.check(&query, asked.map(row).collect());
        }
        3 => {
            let query = RecentApprovalQuery::of_requests(request_query(&mut asked));
            let asked = requests.iter().filter(|request| query.matches(request));
            let row = |request| {
                let row = RecentApprovalQuery::row((request, activity(request)));
                ((Reverse(row.activity_at), row.request.id.clone()), row)
            };
            world.check(&query, asked.map(row).collect());
        }
        _ => {
            let query = inbox_query(&mut asked);
            let mut actor = ActorContext::user(query.actor_id().as_str()).unwrap();
            (actor.roles, actor.groups) = (query.roles().clone(), query.groups().clone());
            actor.acting_for = query.person_acted_for().cloned();
            world.check(&query, approvals(requests, |request| decidable_by(request, &actor, at(NOW))));
        }
    }
}

fn created(request: &MutationRequest) -> (Timestamp, RequestId) {
    (request.created_at, request.id.clone())
}

type ApprovalOrder = ((Timestamp, RequestId), Step, ApprovalId);

fn approvals<'a>(
    requests: &'a [MutationRequest],
    asked: impl Fn(&'a MutationRequest) -> Vec<&'a Approval>,
) -> Vec<(ApprovalOrder, PendingApprovalRow)> {
    let all = requests.iter().flat_map(|request| asked(request).into_iter().map(move |approval| (request, approval)));
    let order =
        |(request, approval): (&MutationRequest, &Approval)| (created(request), approval.step, approval.id.clone());
    all.map(|part| (order(part), PendingApprovalQuery::row(part))).collect()
}

/// The time of the last decision about approvals, except `Requested`.
fn activity(request: &MutationRequest) -> Timestamp {
    let asking = DecisionKind::from(ApprovalDecision::Requested);
    let about = request.decisions.iter().filter(|decision| decision.kind.category() == DecisionCategory::Approval);
    about.filter(|decision| decision.kind != asking).map(|decision| decision.at).max().unwrap_or(request.updated_at)
}

/// The data of a store, and the random choices while it is read.
struct World<'a> {
    requests: &'a [MutationRequest],
    partitions: Vec<Partition>,
    indexed: ChosenIndexes,
    plans: Input<'a>,
}

impl World<'_> {
    fn check<Q: Query + Display, Order: Ord>(&mut self, query: &Q, mut expected: Vec<(Order, Q::Row)>)
    where
        Q::Row: PartialEq + Debug,
    {
        expected.sort_by(|(one, _), (other, _)| one.cmp(other));
        if query.direction() == SortDirection::Descending {
            expected.reverse();
        }
        let expected: Vec<Q::Row> = expected.into_iter().map(|(_, row)| row).collect();
        assert_eq!(self.all_pages(query, Self::scanned_page), expected, "scanned: {query}");
        assert_eq!(self.all_pages(query, Self::evaluated_page), expected, "evaluated: {query}");
    }

    fn all_pages<Q: Query>(
        &mut self,
        query: &Q,
        page_of: impl Fn(&mut Self, &Q, &PageRequest) -> Page<Q::Row>,
    ) -> Vec<Q::Row> {
        let mut rows = Vec::new();
        let mut next = None;
        for _page in 0..1_000 {
            let first = PageRequest::of(1 + self.plans.below(5)).unwrap();
            let request = next.into_iter().fold(first, PageRequest::after);
            let page = page_of(self, query, &request);
            assert!(page.items.len() <= request.limit() && page.unreadable.is_empty());
            rows.extend(page.items);
            match page.next {
                None => return rows,
                found => next = found,
            }
        }
        panic!("a thousand pages, and no end");
    }

    fn evaluated_page<Q: Query>(&mut self, query: &Q, page: &PageRequest) -> Page<Q::Row> {
        evaluate(query, self.requests, page, "", at(NOW)).unwrap()
    }

    /// Reads like a Redis store, from partitions that end their calls early.
    fn scanned_page<Q: Query>(&mut self, query: &Q, page: &PageRequest) -> Page<Q::Row> {
        let plan = match self.plan(query) {
            Plan::ByIds { ids, .. } => {
                let found = self.requests.iter().filter(|request| ids.contains(&request.id));
                return evaluate(query, found, page, "", at(NOW)).unwrap();
            }
            Plan::Along(along) => along,
        };
        let kinds = CursorKinds::of(&[b"", &query.fingerprint()]);
        let count = u16::try_from(self.partitions.len()).unwrap();
        let starts = ReadPlaces::of(page.cursor(), kinds, count).unwrap();
        let mut assembly = PageMerge::new(starts, plan.direction, page.limit());
        let patience = self.plans.below(4);
        let mut calls = 0;
        let most = 1 + self.plans.below(3);
        loop {
            let parts = assembly.next_round(most);
            let scans: Vec<_> = parts.iter().map(|part| (part.partition, Scan::new(&plan, part))).collect();
            if scans.is_empty() || assembly.is_begun() && calls >= patience {
                break;
            }
            calls += usize::from(assembly.is_begun());
            for (partition, scan) in scans {
                let scanned = self.partitions[usize::from(partition)].serve(&scan, 1 + self.plans.below(8));
                assembly.add(partition, &plan, query, at(NOW), scanned);
            }
        }
        assembly.finish(kinds)
    }

    /// If a plan needs no document, counting its keys gives the number of rows.
    fn check_count(&mut self, query: &RequestQuery, expected: usize) {
        let Plan::Along(plan) = self.plan(query) else { return };
        if let Some((term, range)) = plan.single_range() {
            let keys: usize = self.partitions.iter().map(|partition| partition.count(term, range)).sum();
            assert_eq!(keys, expected, "keys of one term: {query}");
        }
        if plan.leaves_nothing_to_check() {
            let mut count = 0;
            for partition in &self.partitions {
                let all = Part { partition: 0, after: None, up_to: None, limit: usize::MAX, bytes: usize::MAX };
                let scan = Scan::new(&plan, &all).without_records();
                count += partition.serve(&scan, usize::MAX).members.len();
            }
            assert_eq!(count, expected, "members: {query}");
        }
    }

    /// Another plan for each page: the number of keys of each term is random, so each condition is the cheapest at
    /// times.
    fn plan<Q: Query>(&mut self, query: &Q) -> Plan<Q> {
        let salt = self.plans.byte();
        let draw = |term: &Term| match salt {
            // All are free, also those with many terms.
            240.. => 0,
            _ => u64::from(crc32fast::hash(&[&[salt], term.to_string().as_bytes()].concat())) % 16,
        };
        plan(query, &self.indexed, IdComparison::Exact, draw)
    }
}
