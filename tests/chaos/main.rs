//! Faults on real servers, concurrent histories, and traffic that goes on for a while.
#![cfg(feature = "redis")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that is surprised has failed"
)]
mod battered_cluster;
mod faults;
mod linearizability;
mod soak;
