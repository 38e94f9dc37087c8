//! The stored format: what was ever written stays readable, whatever the bytes are.

#[cfg(feature = "blocking")]
mod fuzz_corpus;
mod golden;
mod interop;
mod memory;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
