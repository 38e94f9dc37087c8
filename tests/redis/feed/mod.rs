//! The change feed as a reader gets it from a real server: every write once and in order, and whatever is missing told.
#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test that is surprised has failed"
)]

mod consumers;
mod gaps;
mod reading;
mod rejections;
mod scene;
