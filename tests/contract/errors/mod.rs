//! Errors as a program outside the crate meets them.

mod programs;
mod stores;
