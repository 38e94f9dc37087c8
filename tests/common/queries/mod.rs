//! What the tests of queries share: `mod query_support;` in a test file.
//!
//! Nothing here knows how a query is answered; it only makes requests, changes them, and asks.

pub mod changes;
pub mod questions;
pub mod server;

use std::time::Duration;

use fastrand::Rng;
use mutator_governance::Timestamp;

/// Two busy cores serve several test binaries: long enough that only a real hang fails.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// So many seconds after the beginning of time.
pub fn second(number: u64) -> Timestamp {
    crate::play::at(number)
}

/// One of these.
pub fn one<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

/// At least one of these.
pub fn some<T: Clone>(rng: &mut Rng, from: &[T]) -> Vec<T> {
    let mut chosen: Vec<T> = from.iter().filter(|_| rng.u8(..3) == 0).cloned().collect();
    if chosen.is_empty() {
        chosen.push(one(rng, from));
    }
    chosen
}

/// Whether something happens that happens so often in a hundred.
pub fn happens(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(..100) < percent
}
