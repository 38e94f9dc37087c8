//! What the test binaries share: servers that start by themselves, the store in every flavour behind one face, requests to
//! store, and an oracle of what must be stored for them. Nothing here calls the crate's own derivation of keys and entries.

pub mod alone;
#[cfg(feature = "redis")]
pub mod fake_server;
#[cfg(feature = "redis")]
pub mod flavour;
#[cfg(feature = "redis")]
pub mod operations;
#[cfg(feature = "redis")]
pub mod oracle;
pub mod people;
pub mod play;
#[cfg(feature = "redis")]
pub mod proxy;
#[cfg(feature = "redis")]
pub mod queries;
#[cfg(feature = "redis")]
pub mod raw;
#[cfg(feature = "redis")]
pub mod requests;
pub mod server;
pub mod stopwatch;
pub mod vectors;

use std::path::PathBuf;

#[cfg(feature = "redis")]
pub use flavour::{Flavour, Options, Store, may_be_repeated, patiently};
#[cfg(feature = "redis")]
pub use oracle::{FeedEntry, Oracle};
#[cfg(feature = "redis")]
pub use raw::Raw;
pub use server::{PrivateServer, redis_url, unique_namespace};
pub use stopwatch::Stopwatch;

/// Where the library's own files are: its examples, its documentation, the inputs of its fuzzers.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The SHA-256 of these bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

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
