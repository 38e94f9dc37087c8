//! The rules of how a request moves on, one test for each, named after it.
#![cfg(test)] // so that clippy knows the helpers for what they are

mod amending;
mod break_glass;
mod commenting;
mod compensation;
mod correcting;
mod deadlines;
mod deciding;
mod deciding_all;
mod escalating;
mod execution;
mod expiry;
mod explaining;
mod lifecycle;
mod picture;
mod properties;
mod quorum;
mod reasons;
mod resolution;
mod retrying;
mod submission;
mod support;
mod timing;
mod withdrawing;
