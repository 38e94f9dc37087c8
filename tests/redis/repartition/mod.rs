//! Namespaces that get more partitions: no request is lost or doubled, nobody writes meanwhile, and whoever reads goes on.
#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that is surprised has failed")]

mod interrupted;
mod moving;
mod readers;
mod rejected;
mod scene;
