//! What has to hold for any bytes, of the parts that are not public.
//!
//! Here only for the fuzzers, which `cargo fuzz` builds with `cfg(fuzzing)`, and for the unit tests, which replay the
//! fuzzers' corpora on stable. What is public is checked in `fuzz/checks`.

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
#[cfg(test)]
pub(super) use partition::Partition;
pub use query_vs_scan::query_vs_scan;
pub use record_header::record_header;
pub use script_reply::script_reply;

use super::options::{RedisOptions, Settings};

/// Of a store that nothing is ever sent to.
fn settings() -> Settings {
    RedisOptions::new("redis://localhost".to_owned()).check().expect("the defaults are in order")
}
