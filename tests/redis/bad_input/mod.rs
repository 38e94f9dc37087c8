//! What bad input gets: a typed error that names what is wrong, nothing written, never a panic, never a secret told.
#![cfg(feature = "redis")]

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
