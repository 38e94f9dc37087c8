//! Redis without I/O: keys, records, index entries, scripts, commands and replies.
//!
//! Nothing here waits or connects; the drivers of the flavours send the commands built here and return the replies.

mod address;
mod cardinalities;
mod check;
pub(crate) mod check_reply;
mod command;
mod credentials;
mod durability;
mod fault;
mod feed;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
mod framing;
#[cfg(any(test, fuzzing))]
#[allow(unreachable_pub, reason = "exported when it is fuzzed")]
pub mod fuzzing;
mod greeting;
mod history;
mod index_entries;
mod indexed_metadata;
mod keyspace;
pub(crate) mod layout;
pub(crate) mod namespace_reply;
mod options;
mod page_merge;
mod preflight;
pub(crate) mod rebuild;
mod record;
pub(crate) mod reply;
mod reply_limit;
mod retry;
mod salvaged;
mod scan;
pub(crate) mod scan_reply;
mod script;
mod server_clock;
mod statistics_parts;
#[cfg(feature = "tls")]
mod tls;

pub(crate) use cardinalities::Cardinalities;
pub(crate) use check::Phase;
pub use check::{CheckMode, CheckPosition, CheckReport, CheckStep, Finding, Inspection};
pub(crate) use command::Call;
pub use credentials::Credentials;
pub(crate) use durability::Confirmation;
pub use durability::Durability;
pub(crate) use fault::{Effect, Fault};
pub(crate) use feed::{FeedEnds, FeedWalk};
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) use framing::Framing;
#[cfg(feature = "blocking")]
pub(crate) use framing::whole_string;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use framing::{read_reply, unasked};
pub(crate) use greeting::{ask_time, greetings};
pub(crate) use keyspace::KeyKind;
pub(crate) use options::{RedisOptions, Settings};
pub(crate) use page_merge::PageMerge;
pub use preflight::PreflightReport;
pub(crate) use reply::has_written;
pub(crate) use reply_limit::ReplyLimit;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use reply_limit::is_too_long;
pub(crate) use retry::{Attempts, Next};
pub(crate) use scan::{MAX_PAGE_BYTES, Part, Scan};
#[cfg(feature = "blocking")]
pub(crate) use server_clock::ServerClock;
pub(crate) use statistics_parts::StatisticsParts;
#[cfg(feature = "tls")]
pub(crate) use tls::ClientCertificate;
