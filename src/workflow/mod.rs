//! How a request moves on: pure functions from (request, command, time) to the changed request, or to an error.
//!
//! Nothing here reads a clock, a store or a random number.
