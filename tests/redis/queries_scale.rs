//! Reads over many requests: exact pages where all share one time, bounded work for each call, short pages instead of
//! errors.
//!
//! 6,000 requests, which is several scan budgets, because writing them is what takes the time; `MUTATOR_QUERY_SCALE=100000` makes
//! it 100,000.
#![cfg(all(feature = "blocking", feature = "redis"))]

use std::fmt::Debug;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use common::queries::server::{calls, forget_calls, late};
use common::queries::{PATIENCE, second};
use common::{PrivateServer, Stopwatch};
use mutator_governance::blocking::{RedisStore, Store};
use mutator_governance::*;

/// How many members one script call may look at.
const BUDGET: u64 = 2_000;

fn size() -> u64 {
    std::env::var("MUTATOR_QUERY_SCALE").map_or(6_000, |size| size.parse().unwrap())
}

/// Ids in another order than that of writing, all of one length.
fn id(number: u64) -> String {
    format!("same-{:06}", (number * 7_919) % 1_000_000)
}

/// One of some 100 to 1,000 requests is `rare` in some way that no index knows, or that only two indexes together tell.
fn is_rare(number: u64) -> bool {
    number % 997 == 500
}

fn request(number: u64) -> MutationRequest {
    let target = Target::new(format!("state-{}", number % 3), "Tenant", "RoleGrant").unwrap();
    let halves = [number.is_multiple_of(2) || is_rare(number), number % 2 == 1 || is_rare(number)];
    let mut intent = Intent::new("change", if halves[0] { "Even" } else { "Odd" }).unwrap();
    if halves[1] {
        intent = intent.with_tag("odd").unwrap();
    }
    let by = ActorContext::user("alice").unwrap().named(if is_rare(number) { "Rare" } else { "Alice" });
    let draft = RequestDraft::new(target, intent, by).with_id(RequestId::new(id(number)).unwrap());
    let draft = draft.requires_approval(ApprovalRule::role("manager").unwrap());
    workflow::submit(draft, RequestId::generate(), WriteId::generate(), second(100)).unwrap()
}

/// The same requests over one partition and over four, on a server that nobody else uses.
struct Filled {
    server: PrivateServer,
}

impl Filled {
    fn shared() -> &'static Self {
        static FILLED: OnceLock<Filled> = OnceLock::new();
        FILLED.get_or_init(|| {
            let filled = Self { server: PrivateServer::start_on_tcp(&[]) };
            let started = Instant::now();
            let stores: Vec<RedisStore> = [1, 4].map(|partitions| filled.store(partitions)).to_vec();
            thread::scope(|scope| {
                for part in 0..8 {
                    let stores = &stores;
                    scope.spawn(move || {
                        for number in (part..size()).step_by(8) {
                            let request = request(number);
                            for store in stores {
                                store.create(request.clone()).unwrap();
                            }
                        }
                    });
                }
            });
            println!("{} requests in {:?}", size(), started.elapsed());
            filled
        })
    }

    fn store(&self, partitions: u16) -> RedisStore {
        self.store_at(self.server.url(), partitions, PATIENCE)
    }

    #[allow(clippy::unused_self, reason = "what is asked of the server")]
    fn store_at(&self, url: &str, partitions: u16, timeout: Duration) -> RedisStore {
        let builder = RedisStore::builder(url).namespace(format!("scale-{partitions}")).partitions(partitions);
        builder.timeout(timeout).connect_timeout(PATIENCE).pool_size(16).open().unwrap()
    }
}

/// The server counts all commands together, so one test at a time.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Every page until the last, and what the server was asked for each.
fn pages<Row: Debug>(limit: usize, ask: impl Fn(&PageRequest) -> Result<Page<Row>>) -> Vec<(Page<Row>, u64)> {
    let url = Filled::shared().server.url();
    let mut pages = Vec::new();
    let mut page = PageRequest::of(limit).unwrap();
    loop {
        forget_calls(url);
        let read = ask(&page).unwrap();
        assert!(read.unreadable.is_empty());
        let next = read.next.clone();
        pages.push((read, calls(url, "evalsha") + calls(url, "eval")));
        match next {
            Some(next) => page = PageRequest::of(limit).unwrap().after(next),
            None => return pages,
        }
    }
}

fn expected(is_asked: impl Fn(u64) -> bool) -> Vec<String> {
    let mut ids: Vec<String> = (0..size()).filter(|number| is_asked(*number)).map(id).collect();
    ids.sort();
    ids
}

fn ids(pages: &[(Page<MutationRequest>, u64)]) -> Vec<String> {
    pages.iter().flat_map(|(page, _)| page.items.iter().map(|request| request.id.to_string())).collect()
}

#[test]
fn requests_of_one_time_page_exactly_in_both_directions() {
    let _alone = alone();
    for partitions in [1, 4] {
        let store = Filled::shared().store(partitions);
        let mut all = expected(|_| true);
        for direction in [SortDirection::Ascending, SortDirection::Descending] {
            let query = RequestQuery::new().in_order(direction);
            let read = pages(1_000, |page| store.requests(&query, page));
            let found = ids(&read);
            assert!(found == all, "{} of {} requests, {direction}", found.len(), all.len());
            assert!(read[..read.len() - 1].iter().all(|(page, _)| page.items.len() == 1_000), "every page is full");
            // And a few more where a partition has more of a page than it was asked for.
            let partitions = u64::from(partitions);
            let most = if partitions == 1 { 1 } else { 2 * partitions };
            assert!(read.iter().all(|(_, calls)| (partitions..=most).contains(calls)), "one call a page and partition");
            let second = read.iter().filter(|(_, calls)| *calls > partitions).count();
            assert!(second * 4 <= read.len(), "{second} of {} pages took a second round", read.len());
            all.reverse();
        }
    }
}

#[test]
fn approvals_of_requests_of_one_time_page_exactly_whichever_index_is_read_along() {
    let _alone = alone();
    let store = Filled::shared().store(4);
    let of_state = RequestQuery::of_state(StateId::new("state-1").unwrap());
    let query = PendingApprovalQuery::new().of_requests(of_state);
    let read = pages(173, |page| store.pending_approvals(&query, page));
    let found: Vec<String> =
        read.iter().flat_map(|(page, _)| page.items.iter().map(|row| row.request.id.to_string())).collect();
    assert!(found == expected(|number| number % 3 == 1), "{} rows", found.len());
}

/// Of thousands that either index holds, few are in both.
#[test]
fn a_search_for_few_among_many_looks_at_a_budget_of_entries_for_each_call_and_ends() {
    let _alone = alone();
    let query = RequestQuery::new().with_categories(["Even"]).unwrap().with_any_tag(["odd"]).unwrap();
    for partitions in [1, 4] {
        let store = Filled::shared().store(partitions);
        let read = pages(10, |page| store.requests(&query, page));
        assert_eq!(ids(&read), expected(is_rare));
        for (page, calls) in &read {
            let (looked_at, most) = (page.scanned, calls * BUDGET);
            assert!(looked_at <= most, "{looked_at} entries in {calls} calls");
            assert!(
                *calls <= u64::from(partitions) + looked_at / (BUDGET / 2),
                "{calls} calls for {looked_at} entries"
            );
        }
        let looked_at: u64 = read.iter().map(|(page, _)| page.scanned).sum();
        assert!(looked_at >= size() / 2, "the driver holds half of them: {looked_at}");
    }
}

/// Two indexes are read along together, and hardly anything that either holds is met by the look-ups.
#[test]
fn a_search_along_several_indexes_misses_nothing_that_lies_far_behind() {
    let _alone = alone();
    let few = RequestQuery::new().with_categories(["Even"]).unwrap().with_any_tag(["odd"]).unwrap();
    let query = few.with_state_ids(["state-0", "state-1"]).unwrap();
    let mut rare = expected(|number| is_rare(number) && number % 3 != 2);
    for direction in [SortDirection::Ascending, SortDirection::Descending] {
        // A store that knows no sizes yet takes the states for the smallest.
        let store = Filled::shared().store(1);
        let read = pages(10, |page| store.requests(&query.clone().in_order(direction), page));
        assert_eq!(ids(&read), rare, "{direction}");
        let looked_at: u64 = read.iter().map(|(page, _)| page.scanned).sum();
        assert!(looked_at >= size() / 2, "read along the states: {looked_at}");
        rare.reverse();
    }
}

/// What no index knows has to be read and looked at; that must not take a call for every few requests.
#[test]
fn a_search_that_no_index_helps_takes_few_calls_and_ends() {
    let _alone = alone();
    let by_name = RequestQuery::new().with_actor_names(["Rare"]).unwrap();
    let by_effect = RequestQuery::new().with_severities([Severity::Critical]).unwrap();
    for partitions in [1, 4] {
        let store = Filled::shared().store(partitions);
        let read = pages(3, |page| store.requests(&by_name, page));
        assert_eq!(ids(&read), expected(is_rare));
        let calls: u64 = read.iter().map(|(_, calls)| calls).sum();
        assert!(calls <= 60 + size() / 50, "{calls} calls for {} requests", size());
        assert_eq!(ids(&pages(50, |page| store.requests(&by_effect, page))), expected(|_| false));
    }
}

/// A thousand terms, of which two hold all: each call asks every index once or twice, not once for every few members.
#[test]
fn reading_along_a_thousand_indexes_keeps_the_server_no_longer_than_along_one() {
    let _alone = alone();
    let url = Filled::shared().server.url();
    let store = Filled::shared().store(1);
    let states = (0..998).map(|number| format!("none-{number}")).chain(["state-1", "state-2"].map(str::to_owned));
    let query = RequestQuery::new().with_state_ids(states).unwrap();
    let page = PageRequest::of(100).unwrap();
    forget_calls(url);
    let read = store.requests(&query, &page).unwrap();
    let (scripts, ranges) = (calls(url, "evalsha") + calls(url, "eval"), calls(url, "zrange"));
    let found: Vec<String> = read.items.iter().map(|request| request.id.to_string()).collect();
    assert_eq!(found, expected(|number| number % 3 != 0)[..100]);
    assert!(ranges <= scripts * (1_000 + 100), "{ranges} ranges in {scripts} calls");
    assert!(scripts <= 3, "{scripts} calls for one page");
}

#[test]
fn counts_are_exact_over_many_requests() {
    let _alone = alone();
    let store = Filled::shared().store(4);
    let count = |query: RequestQuery| store.count(&query).unwrap();
    assert_eq!(count(RequestQuery::new()), Count::Exact(size()));
    assert_eq!(count(RequestQuery::pending_approval_queue()), Count::Exact(size()));
    let rare = expected(is_rare).len() as u64;
    let both = RequestQuery::new().with_categories(["Even"]).unwrap().with_any_tag(["odd"]).unwrap();
    assert_eq!(count(both), Count::Exact(rare));
    assert_eq!(count(RequestQuery::new().with_actor_names(["Rare"]).unwrap()), Count::Exact(rare));
    // Half of what is read along is met, so that many reads follow each other in one call.
    let even = RequestQuery::new().with_state_types(["Tenant"]).unwrap().with_categories(["Even"]).unwrap();
    let number = expected(|number| number.is_multiple_of(2) || is_rare(number)).len() as u64;
    assert_eq!(Filled::shared().store(1).count(&even).unwrap(), Count::Exact(number));
    let states = ["state-0", "state-1", "state-2", "state-3"];
    assert_eq!(count(RequestQuery::new().with_state_ids(states).unwrap()), Count::Exact(size()));
}

/// Each reply comes late, so that the time is over before all has been looked at.
#[test]
fn a_call_whose_time_ends_gives_a_short_page_and_where_to_go_on() {
    let _alone = alone();
    let filled = Filled::shared();
    let (delay, timeout) = (Duration::from_millis(500), Duration::from_secs(2));
    let store = filled.store_at(&late(filled.server.url(), delay), 1, timeout);
    let query = RequestQuery::new().with_severities([Severity::Critical]).unwrap();
    let watch = Stopwatch::start();
    let page = store.requests(&query, &PageRequest::of(5).unwrap()).unwrap();
    let took = watch.elapsed();
    assert!(took < timeout + Duration::from_secs(2), "{took:?}");
    assert!(page.items.is_empty() && page.scanned > 0 && page.scanned < size(), "{} looked at", page.scanned);
    let next = page.next.expect("there is more to look at");

    let rest = filled.store(1).requests(&query, &PageRequest::of(5).unwrap().after(next)).unwrap();
    assert_eq!(rest.next, None);
    assert!(
        rest.scanned <= size() + size() / 10 && rest.scanned + page.scanned >= size(),
        "{} + {}",
        page.scanned,
        rest.scanned
    );
}

#[test]
fn a_count_whose_time_ends_says_that_it_is_a_lower_bound() {
    let _alone = alone();
    let filled = Filled::shared();
    let (delay, timeout) = (Duration::from_millis(500), Duration::from_secs(2));
    let store = filled.store_at(&late(filled.server.url(), delay), 1, timeout);
    let watch = Stopwatch::start();
    let query = RequestQuery::new().updated_between(second(100), None).unwrap();
    let count = store.count(&query).unwrap();
    let took = watch.elapsed();
    assert!(took < timeout + Duration::from_millis(1_500), "{took:?} for a count");
    assert!(matches!(count, Count::AtLeast(number) if number > 0 && number < size()), "{count:?}");
}

/// What a page holds at once is bounded in bytes as well: large documents come in short pages, none twice and none left out.
#[test]
fn a_page_of_large_documents_is_short_and_goes_on() {
    const DOCUMENTS: usize = 120;
    const BYTES: usize = 400_000;
    let server = PrivateServer::start(&[]);
    for partitions in [1, 4] {
        let builder = RedisStore::builder(server.url()).namespace(format!("large-{partitions}")).partitions(partitions);
        let store = builder.timeout(PATIENCE).open().unwrap();
        for number in 0..DOCUMENTS {
            let target = Target::new("s", "Tenant", "RoleGrant").unwrap();
            let intent = Intent::new("change", "Access").unwrap();
            let draft = RequestDraft::new(target, intent, ActorContext::user("alice").unwrap())
                .with_id(RequestId::new(format!("large-{number:03}")).unwrap())
                .with_payload(Payload::new("text/plain", vec![b'x'; BYTES]).unwrap())
                .waiting_for(PendingReason::Schedule);
            let request =
                workflow::submit(draft, RequestId::generate(), WriteId::generate(), second(number as u64)).unwrap();
            store.create(request).unwrap();
        }
        let (mut page, mut ids, mut pages) = (PageRequest::longest(), Vec::new(), 0);
        loop {
            let read = store.requests(&RequestQuery::new(), &page).unwrap();
            let most = (16 * 1024 * 1024 / BYTES + 1 + 50) * usize::from(partitions);
            assert!(read.items.len() <= most, "{partitions} partitions: {} documents at once", read.items.len());
            ids.extend(read.items.into_iter().map(|request| request.id.to_string()));
            pages += 1;
            let Some(next) = read.next else { break };
            page = PageRequest::longest().after(next);
        }
        let expected: Vec<String> = (0..DOCUMENTS).map(|number| format!("large-{number:03}")).collect();
        assert_eq!(ids, expected);
        // 30 documents a partition come at once in any case.
        assert!(pages >= 2 || partitions > 1, "{pages} pages");

        // Each has two decisions, and the latest come first: the first record that is left out ends the page.
        let query = DecisionQuery::new();
        let (mut page, mut rows) = (PageRequest::longest(), Vec::new());
        loop {
            let read = store.decisions(&query, &page).unwrap();
            rows.extend(read.items.into_iter().map(|row| (row.request.id.to_string(), row.ordinal)));
            let Some(next) = read.next else { break };
            page = PageRequest::longest().after(next);
        }
        let mut expected: Vec<(String, u32)> = Vec::new();
        for id in ids.iter().rev() {
            expected.extend([(id.clone(), 0), (id.clone(), 1)]);
        }
        assert_eq!(rows, expected);
    }
}
