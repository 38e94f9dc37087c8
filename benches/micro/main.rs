//! What the parts of a call cost without a server: `cargo bench -p mutator-governance-benches --bench micro`.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails has failed")]

#[path = "../seed_layout/json.rs"]
mod json;
#[path = "../requests/mod.rs"]
mod requests;

use divan::{Bencher, black_box};
use mutator_governance::for_stores::{ChosenIndexes, decision_entries, evaluate, index_entries, plan};
use mutator_governance::{
    DocumentLimit, IdComparison, MutationRequest, PageRequest, RequestQuery, Status, stored_format,
};

const LIMIT: DocumentLimit = DocumentLimit::DEFAULT;
/// Work is done on so many different requests in turn.
const REQUESTS: u64 = 64;

fn main() {
    divan::main();
}

fn samples() -> Vec<MutationRequest> {
    (0..REQUESTS).map(requests::almost_approved).collect()
}

fn each<T>(bencher: Bencher<'_, '_>, things: &[T], work: impl Fn(&T)) {
    bencher.counter(divan::counter::ItemsCount::new(things.len())).bench_local(|| things.iter().for_each(&work));
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    each(bencher, &samples(), |request| drop(black_box(stored_format::encode(request, LIMIT))));
}

#[divan::bench]
fn encode_json(bencher: Bencher<'_, '_>) {
    each(bencher, &samples(), |request| drop(black_box(json::json(request))));
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let stored: Vec<_> = samples().iter().map(|request| stored_format::encode(request, LIMIT).unwrap()).collect();
    each(bencher, &stored, |bytes| drop(black_box(stored_format::decode(bytes, LIMIT))));
}

#[divan::bench]
fn decode_json(bencher: Bencher<'_, '_>) {
    let stored: Vec<_> = samples().iter().map(|request| json::json(request)).collect();
    each(bencher, &stored, |bytes| drop(black_box(json::parse(bytes))));
}

#[divan::bench]
fn copy(bencher: Bencher<'_, '_>) {
    each(bencher, &samples(), |request| drop(black_box(request.clone())));
}

#[divan::bench]
fn derive_index_entries(bencher: Bencher<'_, '_>) {
    let indexed = ChosenIndexes::default();
    each(bencher, &samples(), |request| drop(black_box(index_entries(request, &indexed))));
}

#[divan::bench]
fn derive_entries_of_the_last_decision(bencher: Bencher<'_, '_>) {
    each(bencher, &samples(), |request| drop(black_box(decision_entries(request, 4))));
}

fn busy() -> RequestQuery {
    let query = RequestQuery::new().with_statuses([Status::Pending, Status::Executed]).unwrap();
    query.with_actor_ids([requests::BUSY_ACTOR]).unwrap().with_any_tag([requests::COMMON_TAG]).unwrap()
}

#[divan::bench]
fn matches(bencher: Bencher<'_, '_>) {
    let query = busy();
    each(bencher, &samples(), |request| {
        black_box(query.matches(request));
    });
}

#[divan::bench]
fn plan_three_conditions(bencher: Bencher<'_, '_>) {
    let (query, indexed) = (busy(), ChosenIndexes::default());
    bencher.bench_local(|| black_box(plan(&query, &indexed, IdComparison::Exact, |term| term.text.len() as u64)));
}

#[divan::bench]
fn evaluate_a_page(bencher: Bencher<'_, '_>) {
    let (query, requests) = (RequestQuery::new(), samples());
    let now = requests.first().unwrap().created_at;
    bencher.bench_local(|| black_box(evaluate(&query, &requests, &PageRequest::first(), "micro", now)));
}
