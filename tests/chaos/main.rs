//! Faults on real servers, concurrent histories, and traffic that goes on for a while.
#![cfg(feature = "redis")]

mod faults;
mod linearizability;
mod soak;
