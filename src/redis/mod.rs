//! Redis without I/O: keys, records, index entries, scripts, commands and replies.
//!
//! Nothing here waits or connects; the drivers of the flavours send the commands built here and return the replies.

pub(crate) mod check;
mod command;
pub(crate) mod connection;
pub(crate) mod feed;
#[cfg(any(test, fuzzing))]
#[allow(unreachable_pub, reason = "exported when it is fuzzed")]
pub mod fuzzing;
mod keyspace;
pub(crate) mod namespace;
mod options;
pub(crate) mod pages;
mod record;
pub(crate) mod reply;
mod round;
mod routed_round;
mod script;
mod seeds;
pub(crate) mod topology;
pub(crate) mod unique;

pub(crate) use check::Progress;
pub(crate) use check::node_walk::NodeWalk;
pub use check::{CheckMode, CheckPhase, CheckPosition, CheckReport, CheckStep, Finding, Inspection};
pub(crate) use check::{Phase, UniqueWalk};
pub(crate) use command::{Call, Freshness, ImportBatch, ImportedRecord, Place, ReservationChange, UniqueHash};
pub use connection::credentials::Credentials;
pub(crate) use connection::durability::Confirmation;
pub use connection::durability::Durability;
pub(crate) use connection::fault::{Effect, Fault};
pub(crate) use connection::greeting::{Peer, ask_time, asking, greetings};
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) use connection::incoming::IncomingReply;
#[cfg(feature = "blocking")]
pub(crate) use connection::incoming::whole_string;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use connection::incoming::{unasked, whole_reply};
pub use connection::preflight::PreflightReport;
pub(crate) use connection::reply_limit::ReplyLimit;
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use connection::reply_limit::is_too_long;
pub(crate) use connection::retry::{Attempts, Next};
#[cfg(feature = "blocking")]
pub(crate) use connection::server_clock::ServerClock;
#[cfg(feature = "tls-rustls")]
pub(crate) use connection::tls::ClientCertificate;
pub(crate) use feed::{FeedEnds, FeedRead, FeedWalk};
pub(crate) use keyspace::KeyKind;
pub use namespace::recorded_layout::NamespaceLayout;
pub(crate) use options::{RedisOptions, Settings};
pub(crate) use pages::cardinalities::Cardinalities;
pub(crate) use pages::page_merge::PageMerge;
pub(crate) use pages::scan::{MAX_PAGE_BYTES, Part, Scan};
pub(crate) use pages::statistics_parts::StatisticsParts;
pub(crate) use record::moved::MovedRecord;
pub(crate) use reply::{has_written, name_node};
pub(crate) use round::Round;
pub(crate) use routed_round::{Batch, Delay, RoutedRound};
pub(crate) use seeds::{SeedKind, Seeds, check_primary_name, no_sentinels};
pub use topology::NodeAddress;
