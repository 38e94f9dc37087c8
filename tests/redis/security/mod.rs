//! The least that users need is enough, and more is rejected; and no secret is ever told.
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

mod conformance;
mod credentials;
mod roles;
mod secrets;
mod users;
