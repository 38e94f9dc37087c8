//! Values that the engine works with, each without waiting for anything: clocks, deadlines, demands, leases, conflicts, what
//! became of a write, what a sweep did, pauses and reports of runners, and the table of the memory store.

pub(crate) mod backoff;
pub(crate) mod clock;
#[cfg(all(feature = "redis", any(feature = "blocking", feature = "tokio", feature = "smol")))]
pub(crate) mod deadline;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) mod demands;
pub(crate) mod executor;
pub(crate) mod lease;
pub(crate) mod many;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) mod many_queue;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) mod memory;
pub(crate) mod on_conflict;
pub(crate) mod reports;
pub(crate) mod rounds;
pub(crate) mod settle;
pub(crate) mod sweep;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "smol"))]
pub(crate) mod waiters;
pub(crate) mod waiting;
