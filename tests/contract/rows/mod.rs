//! The rows of every read over one company's requests, on both stores in two flavours, written down by hand.
#![cfg(all(feature = "blocking", feature = "tokio", feature = "redis"))]

mod blocking;
mod company;
mod filters;
mod nonblocking;
mod trouble;

/// Two busy cores serve several test binaries: long enough that only a real hang fails.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
