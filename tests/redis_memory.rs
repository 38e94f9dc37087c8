//! What a store keeps of the memory that a long reply took.
//!
//! One test, so that nothing else allocates while it measures.
#![cfg(all(feature = "blocking", feature = "redis"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that is surprised has failed"
)]

mod redis_support;
mod support;

use std::sync::Barrier;

use mutator_governance::{Compression, Payload, RequestId};
use peak_alloc::PeakAlloc;
use redis_support::requests::{draft, file, second};
use redis_support::{Flavour, Options};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Long replies on each connection of a pool: when they are dropped, their room is. A connection has room for what is not
/// parsed yet, at most the longest string of a reply.
#[test]
fn a_pool_does_not_keep_the_room_of_its_longest_replies() {
    const CONNECTIONS: usize = 3;
    let options = Options::new(support::redis_url(), support::unique_namespace("memory"));
    let store = Flavour::Blocking.open(&options.pool_size(CONNECTIONS as u32).compression(Compression::NEVER)).unwrap();
    let ids: Vec<RequestId> = (0..16).map(|number| RequestId::new(format!("r{number}")).unwrap()).collect();
    let small = [RequestId::new("small").unwrap()];
    store.create(file(draft("small", "s"), second(0))).unwrap();
    for id in &ids {
        let payload = Payload::new("application/octet-stream", vec![7; 500_000]).unwrap();
        store.create(file(draft(id.as_str(), "s").with_payload(payload), second(0))).unwrap();
    }
    let read_on_each_connection = |ids: &[RequestId]| {
        let barrier = Barrier::new(CONNECTIONS);
        std::thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    barrier.wait();
                    assert!(store.get_many(ids).unwrap().requests.iter().all(Option::is_some));
                });
            }
        });
    };
    read_on_each_connection(&small);
    let before = MEMORY.current_usage();
    read_on_each_connection(&ids);
    let kept = MEMORY.current_usage().saturating_sub(before);
    assert!(kept < 200_000, "{kept} bytes are kept of {CONNECTIONS} replies of 8 MB");
}
