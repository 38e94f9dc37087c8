//! What bad input gets: a typed error that names what is wrong, nothing written, never a panic, never a secret told.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]
#![allow(clippy::type_complexity, clippy::format_push_string, unreachable_pub, reason = "read once, in one place")]

mod altered;
#[cfg(feature = "blocking")]
mod headers;
mod indexes;
mod limits;
mod namespaces;
mod scene;
mod server;
mod unreadable;
mod walks;
mod wrong_types;
