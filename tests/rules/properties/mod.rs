//! What holds of every request, whatever is done to it by whomever in whichever order.
#![cfg(test)] // so that clippy knows the helpers for what they are

mod amending;
mod policies;
mod properties;
mod time;
mod voting;
