//! What the tests against a real Redis share: the store in every flavour behind one face, a connection that bypasses
//! the store, requests to store, and an oracle of what must be stored for them.
//!
//! `mod support; mod redis_support;` in a test file. Nothing here calls the crate's own derivation of keys and entries.

#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test binary uses another part of this module")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that is surprised has failed"
)]

pub mod fake_server;
pub mod flavour;
pub mod operations;
pub mod oracle;
pub mod raw;
pub mod requests;

pub use flavour::{Flavour, Options, Store, may_be_repeated, patiently};
#[allow(unused_imports, reason = "each test binary uses another part of this module")]
pub use oracle::{FeedEntry, Oracle};
pub use raw::Raw;

/// All that an error shows to whoever prints it.
pub fn everything_said(error: &mutator_governance::Error) -> String {
    let mut said = format!("{error} {error:?} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said += &format!(" {cause} {cause:?} {cause:#?}");
        source = cause.source();
    }
    said
}
