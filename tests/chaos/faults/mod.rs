//! Faults on a real redis-server, in every flavour: what was acknowledged is there, nothing is applied twice, every call
//! ends by its deadline with an honest outcome, and the store recovers by itself.
//!
//! `MUTATOR_FAULT_ROUNDS` is how often each fault is caused, 5 if it is not set; `MUTATOR_FAULT_EVERY_BYTE=1` cuts the
//! connection at each byte of request and reply instead of at a sample of them. What each test promises is listed in
//! `docs/reliability.md`.
#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::redundant_pattern_matching,
    dead_code,
    unreachable_pub,
    reason = "a test that is surprised has failed"
)]

mod cancellation;
mod closes;
mod connections;
mod cuts;
mod durability;
mod failover;
mod full_disk;
mod load;
mod modes;
mod permissions;
mod rejections;
mod removing;
mod restarts;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod runtimes;
mod scene;
mod stopped;
mod surplus;
mod truncation;
mod wrong_types;
