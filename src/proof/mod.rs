//! Proof that a history is the one that was recorded: chains, seals and checkpoints.
//!
//! Pure: nothing here reads a clock, a store or a random number. The guide's page on proof says what is hashed, byte by byte,
//! and what an attacker can and cannot hide.

mod canonical;
mod chain;
mod checkpoint;
mod comparing;
mod hashing;
mod head_tree;
mod keys;
mod merkle;
mod seal;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use chain::{begin, begin_if_absent, extend};
pub use checkpoint::{Checkpoint, InclusionProof, ProofProblem};
pub use comparing::{HeadFinding, HeadsReport, HistoryRow};
pub(crate) use hashing::content_hash;
pub use head_tree::{HeadTree, HistoryHead};
pub use keys::SealKeys;
#[cfg_attr(
    not(any(feature = "blocking", feature = "tokio", feature = "smol")),
    allow(unused_imports, reason = "a service seals")
)]
pub(crate) use seal::{seal, seal_new};
pub use verify::{HistoryProblem, HistoryVerification, verify_history};
