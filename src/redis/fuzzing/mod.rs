//! Properties of private code that must hold for any bytes.
//!
//! Only for the fuzzers, which `cargo fuzz` builds with `cfg(fuzzing)`, and for the unit tests, which replay the
//! fuzzers' corpora on stable. `fuzz/checks` checks public code.

mod excerpt;
mod feed_reply;
mod input;
mod partition;
mod query_vs_scan;
mod record_header;
#[cfg(test)]
mod replay;
mod samples;
mod script_reply;
mod values;

pub use excerpt::excerpt;
pub use query_vs_scan::query_vs_scan;
pub use record_header::record_header;
pub use script_reply::script_reply;
#[cfg(test)]
pub(super) use {input::Input, partition::Partition, samples::request};

use super::options::{RedisOptions, Settings};

/// Settings of a store that never sends anything.
fn settings() -> Settings {
    RedisOptions::default().check("redis://localhost").expect("the defaults are in order")
}
