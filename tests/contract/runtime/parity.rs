//! The same commands give the same results on memory and on Redis, whatever is done by whomever in whichever order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mutator_governance::blocking::{MemoryStore, Store, StoreExtension as _};
use mutator_governance::workflow::{Action, Command};
use mutator_governance::{Error, MutationRequest, PageRequest, RequestId, Result, Revision, StateId, WriteId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::runtime::CALL_TIMEOUT;
use crate::runtime::blocking::{World, redis_store};
use common::play::{Move, at, command, moves, submitted};

/// Each run of the property files under ids of its own, so that all share the two stores.
fn with_id(request: MutationRequest, run: usize, number: usize) -> MutationRequest {
    let mut document = request.into_document();
    document.id = RequestId::new(format!("run-{run}-{number}")).unwrap();
    MutationRequest::from_document(document, Revision::first(WriteId::generate())).unwrap()
}

/// What can be compared of a result: everything but the revision's random half.
fn seen(result: Result<MutationRequest>) -> std::result::Result<(u64, MutationRequest), (String, String)> {
    let shown = |error: Error| (format!("{error:?}"), error.to_string());
    let forgotten = Revision::first(WriteId::from_bytes([0; 16]));
    result.map(|request| (request.revision().number, request.at_revision(forgotten))).map_err(shown)
}

/// Every page of a list, three at a time.
fn all(read: impl Fn(&PageRequest) -> Result<mutator_governance::Page<MutationRequest>>) -> Vec<RequestId> {
    let mut ids = Vec::new();
    let mut page = PageRequest::of(3).unwrap();
    loop {
        let found = read(&page).unwrap();
        ids.extend(found.items.into_iter().map(|request| request.id.clone()));
        match found.next {
            Some(cursor) => page = page.after(cursor),
            None => return ids,
        }
    }
}

fn lists(store: &dyn Store, seconds: u64) -> [Vec<RequestId>; 3] {
    let state = StateId::new("tenant:acme").unwrap();
    [
        all(|page| store.pending(page)),
        all(|page| store.pending_by_state(&state, page)),
        all(|page| store.due(at(seconds), page)),
    ]
}

/// The stores differ in how long a lease has to be, and in that alone.
fn with_longer_lease(mut command: Command) -> Command {
    if let Action::Claim { lease, .. } = &mut command.action {
        *lease += 2 * CALL_TIMEOUT;
    }
    command
}

fn play_on_both(
    memory: &World,
    redis: &World,
    requests: Vec<MutationRequest>,
    moves: &[(usize, Move)],
    applied: &AtomicUsize,
) -> std::result::Result<(), TestCaseError> {
    let mut ids = Vec::new();
    for request in requests {
        ids.push(request.id.clone());
        for world in [memory, redis] {
            world.store.create(request.clone()).unwrap();
        }
    }
    let mut seconds = 0;
    for (which, step) in moves {
        seconds += step.seconds;
        let id = &ids[which % ids.len()];
        let results = [memory, redis].map(|world| {
            world.clock.set(at(seconds));
            let command = command(&world.store.get(id).unwrap().unwrap(), step, at(seconds));
            let command = with_longer_lease(command);
            seen(world.governance.apply(id, &command))
        });
        applied.fetch_add(usize::from(results[0].is_ok()), Ordering::Relaxed);
        let [on_memory, on_redis] = results;
        prop_assert_eq!(on_memory, on_redis, "{:?}", step);
    }
    prop_assert_eq!(lists(&*memory.store, seconds), lists(&*redis.store, seconds));
    let sweeper = crate::runtime::people::user("sweeper");
    let swept = [memory, redis].map(|world| world.governance.expire_due(Arc::clone(&sweeper), 2).unwrap());
    prop_assert_eq!(&swept[0].expired, &swept[1].expired);
    prop_assert_eq!(swept[0].more, swept[1].more);
    for id in &ids {
        let [on_memory, on_redis] = [memory, redis].map(|world| seen(world.governance.get(id).map(Option::unwrap)));
        prop_assert_eq!(on_memory, on_redis);
    }
    Ok(())
}

#[test]
fn the_same_commands_give_the_same_results_on_memory_and_redis() {
    let memory = World::over(Arc::new(MemoryStore::new()));
    let redis = World::over(Arc::new(redis_store(&common::unique_namespace("parity"))));
    let (runs, applied) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for world in [&memory, &redis] {
        world.governance.submit(crate::runtime::people::draft("request-2")).unwrap();
    }
    let moves = moves().prop_flat_map(|moves| {
        let places = vec(0..3_usize, moves.len());
        places.prop_map(move |places| places.into_iter().zip(moves.clone()).collect::<Vec<_>>())
    });
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) };
    let played = TestRunner::new(config).run(&(vec(submitted(), 1..4), moves), |(requests, moves)| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let requests = requests.into_iter().enumerate().map(|(number, request)| with_id(request, run, number));
        play_on_both(&memory, &redis, requests.collect(), &moves, &applied)
    });
    if let Err(error) = played {
        panic!("{error}");
    }
    let applied = applied.load(Ordering::Relaxed);
    assert!(applied > 200, "only {applied} commands were allowed: the sequences show too little");
}
