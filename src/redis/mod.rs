//! Redis without I/O: keys, records, index entries, scripts, commands and replies.
//!
//! Nothing here waits or connects; the drivers of the flavours send what is built here and hand back what came.

mod command;
mod fault;
mod history;
mod index_entries;
mod keyspace;
mod options;
mod page_merge;
mod record;
pub(crate) mod reply;
mod retry;
mod script;
mod server;

pub(crate) use command::Call;
pub(crate) use fault::{Effect, Fault};
pub(crate) use options::{RedisOptions, Settings};
pub(crate) use page_merge::merge_pages;
pub(crate) use retry::{Attempts, Next};
