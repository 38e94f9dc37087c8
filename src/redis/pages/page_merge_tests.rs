//! Pages merged from scans of a simulated server: tiny budgets, pages ended early, another plan for each page, and
//! unreadable records, far more often than on a real server.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;

use fastrand::Rng;

use super::*;
use crate::index::{ChosenIndexes, KeyLayout, Plan, Term, plan};
use crate::query::{
    Cursor, DecisionQuery, InboxQuery, PageRequest, PendingApprovalQuery, RecentApprovalQuery, RequestQuery, evaluate,
};
use crate::redis::fuzzing::{Input, Partition, request};
use crate::redis::pages::scan::Scan;
use crate::request::*;
use crate::stored_format::FormatError;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn one<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

struct Played {
    rng: Rng,
    partitions: Vec<Partition>,
    readable: Vec<MutationRequest>,
    unreadable: Vec<MutationRequest>,
    /// How often a page continued after a key without a row, and inside a request.
    between_rows: usize,
    inside_requests: usize,
}

impl Played {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut partitions: Vec<Partition> = (0..rng.usize(1..4)).map(|_| Partition::default()).collect();
        let damaged = one(&mut rng, &[0, 0, 20]);
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for number in 0..rng.usize(1..20) {
            let bytes: Vec<u8> = (0..200).map(|_| rng.u8(..)).collect();
            let request = request(&mut Input::new(&bytes), number);
            let place = rng.usize(..partitions.len());
            let partition = &mut partitions[place];
            let id = request.id.clone();
            if rng.u8(..100) < damaged {
                let damage = Err(Unreadable::new(id, FormatError::Foreign));
                partition.submit(&request, &ChosenIndexes::default(), damage);
                unreadable.push(request);
            } else {
                partition.submit(&request, &ChosenIndexes::default(), Ok(request.clone()));
                readable.push(request);
            }
        }
        Self { rng, partitions, readable, unreadable, between_rows: 0, inside_requests: 0 }
    }

    /// Another plan each time: the term with the fewest keys is random.
    fn plan<Q: Query>(&mut self, query: &Q) -> Along<Q> {
        let mut sizes = HashMap::new();
        let rng = std::cell::RefCell::new(&mut self.rng);
        let draw = |term: &Term| rng.borrow_mut().u64(0..if term.text.is_empty() { 12 } else { 10 });
        let terms: Vec<Term> = query.terms(&ChosenIndexes::default(), IdComparison::Exact).into_iter().collect();
        sizes.extend(terms.into_iter().map(|term| (term.clone(), draw(&term))));
        match plan(query, &ChosenIndexes::default(), IdComparison::Exact, |term| sizes[term]) {
            Plan::Along(along) => along,
            Plan::ByIds { .. } => panic!("no query here names ids"),
        }
    }

    fn check<Q: Query>(&mut self, query: &Q)
    where
        Q::Row: PartialEq + Debug,
    {
        let expected = evaluate(query, &self.readable, &PageRequest::longest(), "", at(0)).unwrap().items;
        let (mut found, mut named) = (Vec::new(), BTreeSet::new());
        let mut start: Option<Cursor> = None;
        for _page in 0..1_000 {
            let (plan, limit) = (self.plan(query), self.rng.usize(1..6));
            let page = self.page(query, &plan, start.as_ref(), limit, &[]);
            assert!(page.items.len() + page.unreadable.len() <= limit);
            let ids: BTreeSet<RequestId> = page.unreadable.into_iter().map(|unreadable| unreadable.id).collect();
            found.extend(page.items);
            named.extend(ids);
            let Some(next) = page.next else {
                assert_eq!(found, expected, "{:?}", query.terms(&ChosenIndexes::default(), IdComparison::Exact));
                let has_rows = |request: &&MutationRequest| !query.rows_of(request, at(0)).is_empty();
                let must_be_named: BTreeSet<_> =
                    self.unreadable.iter().filter(has_rows).map(|request| request.id.clone()).collect();
                assert!(named.is_superset(&must_be_named), "{named:?} of {must_be_named:?}");
                return;
            };
            assert_ne!(start.as_ref(), Some(&next), "a page that leads nowhere");
            let position = SortKey::from_bytes(next.position(kinds().one_place).unwrap());
            if Q::LAYOUT == KeyLayout::Approval {
                self.between_rows += usize::from(position.as_bytes().last() == Some(&1));
                self.inside_requests += usize::from(position.as_bytes().contains(&b'a'));
            }
            start = Some(next);
        }
        panic!("a thousand pages, and no end");
    }

    /// Reads on and on while partitions do not answer by chance, and come back: every row comes once, each page is in its order,
    /// and whoever ignores what is missing comes to an end.
    fn check_with_missing<Q: Query>(&mut self, query: &Q) -> (usize, usize)
    where
        Q::Row: PartialEq + Debug,
    {
        let expected = evaluate(query, &self.readable, &PageRequest::longest(), "", at(0)).unwrap().items;
        let place_of = |row: &Q::Row| expected.iter().position(|known| known == row).expect("a row of the query");
        let (mut found, mut start, mut partial, mut ends) = (Vec::new(), None, 0, 0);
        for turn in 0..1_000 {
            // At last all are there.
            let chance = if turn < 60 { 3 } else { 0 };
            let missing: Vec<u16> =
                (0..).zip(&self.partitions).filter(|_| self.rng.u8(..8) < chance).map(|(at, _)| at).collect();
            let (plan, limit) = (self.plan(query), self.rng.usize(1..6));
            let page = self.page(query, &plan, start.as_ref(), limit, &missing);
            let places: Vec<usize> = page.items.iter().map(place_of).collect();
            assert!(places.is_sorted(), "within a page");
            found.extend(places);
            if let Some(part) = &page.missing {
                partial += 1;
                assert!(part.partitions.iter().all(|part| missing.contains(&part.partition)));
                assert!(page.next.as_ref().is_none_or(|next| *next == part.resume));
            }
            if page.next.is_some() {
                // What is there goes on: of the same partitions it never comes back to where it was.
                assert_ne!(page.next, start, "a page that leads nowhere");
            } else {
                ends += 1;
            }
            let Some(next) = page.next.or(page.missing.map(|part| part.resume)) else {
                found.sort_unstable();
                assert_eq!(found, (0..expected.len()).collect::<Vec<_>>(), "each row once");
                return (partial, ends);
            };
            start = Some(next.to_string().parse().unwrap());
        }
        panic!("a thousand pages, and no end");
    }

    fn page<Q: Query>(
        &mut self,
        query: &Q,
        plan: &Along<Q>,
        start: Option<&Cursor>,
        limit: usize,
        missing: &[u16],
    ) -> Page<Q::Row> {
        let count = u16::try_from(self.partitions.len()).unwrap();
        let starts = ReadPlaces::of(start, kinds(), count).unwrap();
        let mut assembly = PageMerge::new(starts, plan.direction, limit);
        if self.rng.bool() {
            assembly.most_bytes = self.rng.usize(1..3_000);
        }
        let patience = self.rng.usize(0..4);
        let mut calls = 0;
        let most = self.rng.usize(1..5);
        loop {
            let parts = assembly.next_round(most);
            assert!(parts.len() <= most);
            let scans: Vec<_> = parts.iter().map(|part| (part.partition, Scan::new(plan, part))).collect();
            if scans.is_empty() || assembly.is_begun() && calls >= patience {
                break;
            }
            calls += usize::from(assembly.is_begun());
            for (partition, scan) in scans {
                if missing.contains(&partition) {
                    assert!(assembly.leave_out(MissingPartition::new(partition, "h:1", "refused")));
                    continue;
                }
                let scanned = self.partitions[usize::from(partition)].serve(&scan, self.rng.usize(1..8));
                assembly.add(partition, plan, query, at(0), scanned);
                assert!(assembly.rows.len() <= limit, "more is held than makes a page");
            }
        }
        assembly.finish(kinds())
    }
}

fn kinds() -> CursorKinds {
    CursorKinds::of(&[])
}

fn some_requests(rng: &mut Rng) -> RequestQuery {
    let all = RequestQuery::new();
    match rng.u8(..6) {
        0 => all,
        1 => all.with_state_ids(["s"]).unwrap(),
        2 => all.with_categories(["Access"]).unwrap().with_statuses([Status::Pending]).unwrap(),
        3 => all.with_any_tag(["urgent"]).unwrap().with_actor_ids(["alice"]).unwrap(),
        4 => all.with_categories(["Access", "Billing"]).unwrap().with_state_ids(["s", "t"]).unwrap(),
        _ => all.created_between(at(1), None).unwrap().updated_between(None, at(1)).unwrap(),
    }
}

#[test]
fn pages_ended_anywhere_and_read_on_by_any_plan_have_every_row_once() {
    let (mut between_rows, mut inside_requests) = (0, 0);
    for seed in 0..700 {
        let mut played = Played::new(seed);
        let requests = some_requests(&mut played.rng);
        let direction = one(&mut played.rng, &[SortDirection::Ascending, SortDirection::Descending]);
        let approvals = PendingApprovalQuery::new().of_requests(requests.clone()).in_order(direction);
        let approvals = match played.rng.u8(..4) {
            0 => approvals.with_roles(["manager"]).unwrap(),
            1 => approvals.with_categories(["Access"]).unwrap(),
            2 => approvals.of_any_request().with_approval_statuses([ApprovalStatus::Expired]).unwrap(),
            _ => approvals,
        };
        played.check(&approvals);
        played.check(&requests.clone().in_order(direction));
        played.check(&RecentApprovalQuery::of_requests(requests.clone()));
        played.check(&DecisionQuery::new().of_requests(requests));
        played.check(&DecisionQuery::new().with_actor_ids(["alice", "bob"]).unwrap());
        let carol = ActorContext::user("carol").unwrap().with_role("manager").unwrap();
        played.check(&InboxQuery::of(&carol).unwrap());
        (between_rows, inside_requests) =
            (between_rows + played.between_rows, inside_requests + played.inside_requests);
    }
    assert!(between_rows > 30 && inside_requests > 300, "{between_rows} and {inside_requests}");
}

#[test]
fn partitions_that_go_and_come_back_cost_no_row_and_repeat_none() {
    let (mut partial, mut ends) = (0, 0);
    for seed in 0..400 {
        let mut played = Played::new(seed);
        let requests = some_requests(&mut played.rng);
        let direction = one(&mut played.rng, &[SortDirection::Ascending, SortDirection::Descending]);
        let approvals = PendingApprovalQuery::new().of_requests(requests.clone()).in_order(direction);
        for counts in [
            played.check_with_missing(&approvals),
            played.check_with_missing(&requests.clone().in_order(direction)),
            played.check_with_missing(&DecisionQuery::new().of_requests(requests)),
        ] {
            (partial, ends) = (partial + counts.0, ends + counts.1);
        }
    }
    assert!(partial > 1_000 && ends > 1_500, "{partial} partial pages, {ends} ends");
}

/// With ids spread at random: the rounds that a page takes, and the rows that are read for it and not used.
#[test]
fn a_page_over_many_partitions_takes_little_more_than_one_round_and_few_rows_in_vain() {
    const PARTITIONS: usize = 16;
    const LIMIT: usize = 50;
    let (mut rounds, mut read, mut pages) = (0, 0, 0);
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let mut partitions: Vec<Partition> = (0..PARTITIONS).map(|_| Partition::default()).collect();
        for number in 0..120 {
            let bytes: Vec<u8> = (0..200).map(|_| rng.u8(..)).collect();
            let request = request(&mut Input::new(&bytes), number);
            let place = rng.usize(..PARTITIONS);
            partitions[place].submit(&request, &ChosenIndexes::default(), Ok(request.clone()));
        }
        let query = RequestQuery::new();
        let Plan::Along(plan) = plan(&query, &ChosenIndexes::default(), IdComparison::Exact, |_| 1) else { panic!() };
        let starts = ReadPlaces::new(vec![ReadFrom::Beginning; PARTITIONS]);
        let mut assembly = PageMerge::new(starts, plan.direction, LIMIT);
        pages += 1;
        loop {
            let parts = assembly.next_round(PARTITIONS);
            let scans: Vec<_> = parts.iter().map(|part| (part.partition, Scan::new(&plan, part))).collect();
            if scans.is_empty() {
                break;
            }
            rounds += 1;
            for (partition, scan) in scans {
                let scanned = partitions[usize::from(partition)].serve(&scan, 2_000);
                read += scanned.members.len();
                assembly.add(partition, &plan, &query, at(0), scanned);
            }
        }
        assert_eq!(assembly.finish(kinds()).items.len(), LIMIT);
    }
    assert!(rounds > pages && rounds < pages * 6 / 5, "{rounds} rounds for {pages} pages");
    assert!(read < pages * LIMIT * 5 / 2, "{read} rows read for {pages} pages");
}
