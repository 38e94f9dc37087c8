//! Redis Cluster without I/O: which slot a key is in, who serves it, and what to do next when a node does not.
//!
//! See `docs/adr/0029-a-router-of-our-own.md`.
#![cfg_attr(not(test), allow(dead_code, reason = "the cluster store, which is to come, is built on it"))]

mod announcement;
mod node_address;
mod redirect;
mod reply;
mod routing;
#[cfg(test)]
mod samples;
mod slot;
mod slot_map;
