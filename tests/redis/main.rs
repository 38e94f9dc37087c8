//! The Redis store on real servers: what it keeps and sends, what it costs, and what bad input gets.
#![cfg(feature = "redis")]

mod archives;
mod bad_input;
mod check;
mod commands;
mod compression;
mod cost_guard;
mod examples;
mod feed;
mod integrity;
mod large_documents;
mod layout;
mod memory;
mod names;
mod queries_oracle;
mod queries_scale;
mod removing;
mod repartition;
mod rounds;
mod security;
mod servers;
mod tls;
mod together;
mod unique;
mod updates;
mod visible;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
