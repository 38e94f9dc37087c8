//! Namespaces that another release laid out, and processes of one that still run.
#![cfg(feature = "redis")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is surprised has failed"
)]

mod fixture;
mod older_process;
mod recorded;
mod upgrade;
