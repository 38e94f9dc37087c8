//! Checkpoints of a namespace, and proofs that a request was in one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::head_tree::{HistoryHead, leaf};
use super::merkle::root_by;
use super::verify::head_after;
use crate::request::{Digest, MutationRequest, RequestId, Timestamp};

/// The root over the heads of all histories of a namespace at one time: a small value to sign and to keep elsewhere. What was
/// changed, removed or set back since then does not fit it.
///
/// ```
/// use mutator_governance::proof::HeadTree;
/// use mutator_governance::Timestamp;
///
/// let checkpoint = HeadTree::new().checkpoint("example.com/billing", Timestamp::now());
/// let note = checkpoint.note();
/// assert_eq!(note, "example.com/billing\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Checkpoint {
    /// Whose it is.
    pub origin: String,
    /// How many requests it covers.
    pub size: u64,
    /// The root of the Merkle tree over their heads.
    pub root: Digest,
    /// When it was made, as its maker says.
    pub at: Timestamp,
}

/// The proof that a history had a head when a checkpoint was made. Who has the checkpoint verifies it without the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct InclusionProof {
    /// The request.
    pub id: RequestId,
    /// How many decisions it had.
    pub decisions: u32,
    /// The head over them.
    pub head: Digest,
    /// The place of its leaf, from 0.
    pub place: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The hashes that lead to the root, the nearest first.
    pub path: Vec<Digest>,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ProofProblem {
    /// It does not lead to the root of the checkpoint.
    OtherRoot,
    /// It is the proof of another request.
    OtherRequest,
    /// The request has fewer decisions than it had then: it was set back to an older state, or cut off.
    Shorter,
    /// Its first decisions are not those that it had then.
    Differs,
    /// The request is gone.
    Missing,
    /// The request cannot be read.
    Unreadable,
    /// The part of the store that has it does not answer.
    Unanswered,
}

impl Checkpoint {
    pub(super) const fn new(origin: String, size: u64, root: Digest, at: Timestamp) -> Self {
        Self { origin, size, root, at }
    }

    /// The text to sign, in the form of a [C2SP checkpoint](https://c2sp.org/tlog-checkpoint): origin, size and root in Base64, a
    /// line each. With a signature it is a signed note.
    pub fn note(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

impl InclusionProof {
    /// Verifies that the request was in the checkpoint with the head that the proof names.
    ///
    /// # Errors
    /// [`ProofProblem::OtherRoot`] when it was not.
    pub fn verify(&self, checkpoint: &Checkpoint) -> Result<(), ProofProblem> {
        let leaf = leaf(&self.id, HistoryHead { decisions: self.decisions, head: self.head });
        let path: Vec<_> = self.path.iter().map(|hash| *hash.as_bytes()).collect();
        let reached = root_by(&path, leaf, self.place, self.size);
        let fits = self.size == checkpoint.size && reached.as_ref() == Some(checkpoint.root.as_bytes());
        if fits { Ok(()) } else { Err(ProofProblem::OtherRoot) }
    }

    /// Verifies the same, and that the history of this request begins with the decisions that it had then. It may have gone on since.
    ///
    /// # Errors
    /// Each [`ProofProblem`].
    pub fn verify_request(&self, request: &MutationRequest, checkpoint: &Checkpoint) -> Result<(), ProofProblem> {
        self.verify(checkpoint)?;
        if request.id != self.id {
            return Err(ProofProblem::OtherRequest);
        }
        HistoryHead { decisions: self.decisions, head: self.head }.verify(request)
    }
}

impl HistoryHead {
    /// Verifies that a history begins with the decisions that lead to this head.
    ///
    /// # Errors
    /// [`ProofProblem::Shorter`] and [`ProofProblem::Differs`].
    pub fn verify(&self, request: &MutationRequest) -> Result<(), ProofProblem> {
        let decisions = usize::try_from(self.decisions).unwrap_or(usize::MAX);
        match head_after(request, decisions) {
            None => Err(ProofProblem::Shorter),
            Some(head) if head == self.head => Ok(()),
            Some(_) => Err(ProofProblem::Differs),
        }
    }
}

impl fmt::Display for ProofProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherRoot => "the proof does not lead to the root of the checkpoint",
            Self::OtherRequest => "it is the proof of another request",
            Self::Shorter => "the request has fewer decisions than the checkpoint has: it was set back or cut off",
            Self::Differs => "the first decisions of the request are not those of the checkpoint",
            Self::Missing => "the request is gone",
            Self::Unreadable => "the request cannot be read",
            Self::Unanswered => "the part of the store that has the request does not answer",
        })
    }
}

impl std::error::Error for ProofProblem {}
