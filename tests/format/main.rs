//! The stored format: what was ever written stays readable, whatever the bytes are. And the JSON form of public values.

#[cfg(feature = "blocking")]
mod fuzz_corpus;
mod golden;
mod interop;
#[cfg(feature = "redis")]
mod json;
mod memory;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
