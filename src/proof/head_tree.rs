//! The heads of all histories of a namespace at one time, and the tree over them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical::Canonical;
use super::chain::ordinal;
use super::checkpoint::{Checkpoint, InclusionProof};
use super::hashing::Hash;
use super::merkle;
use super::verify::head_after;
use crate::request::{Digest, MutationRequest, RequestId, Timestamp};

const ENTRY: [u8; 4] = *b"mgE1";

/// How far one history was at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryHead {
    /// How many decisions it had.
    pub decisions: u32,
    /// The head over them.
    pub head: Digest,
}

/// The head of each history of a namespace: what a [`Checkpoint`] covers. It takes some 150 bytes of memory for each request.
///
/// Keep it beside the checkpoint, wherever there is room: it proves nothing by itself, and with it the checkpoint proves every
/// single request. It can be kept up to date by the change feed, so that later checkpoints cost what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct HeadTree {
    heads: BTreeMap<RequestId, HistoryHead>,
}

impl HeadTree {
    /// A tree of no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the head of a request, in place of an earlier one. The head is computed from the decisions.
    pub fn observe(&mut self, request: &MutationRequest) {
        let decisions = request.decisions.len();
        if let Some(head) = head_after(request, decisions) {
            self.heads.insert(request.id.clone(), HistoryHead { decisions: ordinal(decisions), head });
        }
    }

    /// How many requests it has.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The head of a request.
    pub fn get(&self, id: &RequestId) -> Option<HistoryHead> {
        self.heads.get(id).copied()
    }

    /// The heads after this request, in the order of ids; from the first for `None`.
    pub fn after(&self, id: Option<&RequestId>) -> impl Iterator<Item = (&RequestId, HistoryHead)> {
        let from = id.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.heads.range::<RequestId, _>((from, std::ops::Bound::Unbounded)).map(|(id, head)| (id, *head))
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        Digest::from_bytes(merkle::root(&self.leaves()))
    }

    /// The checkpoint of this tree, to be signed. `origin` says whose it is, for example `example.com/billing`: no other log may
    /// have the same.
    pub fn checkpoint(&self, origin: impl Into<String>, at: Timestamp) -> Checkpoint {
        Checkpoint::new(origin.into(), self.heads.len() as u64, self.root(), at)
    }

    /// The proof that a request was there with this head; `None` if it was not.
    pub fn prove(&self, id: &RequestId) -> Option<InclusionProof> {
        let place = self.heads.keys().position(|known| known == id)?;
        let path = merkle::path(&self.leaves(), place)?.into_iter().map(Digest::from_bytes).collect();
        let HistoryHead { decisions, head } = self.get(id)?;
        let (place, size) = (place as u64, self.heads.len() as u64);
        Some(InclusionProof { id: id.clone(), decisions, head, place, size, path })
    }

    fn leaves(&self) -> Vec<Hash> {
        self.heads.iter().map(|(id, head)| leaf(id, *head)).collect()
    }
}

pub(super) fn leaf(id: &RequestId, head: HistoryHead) -> Hash {
    let mut entry = Canonical::of(ENTRY);
    entry.field(1, id.as_str().as_bytes());
    entry.number(2, head.decisions.into());
    entry.field(3, head.head.as_bytes());
    merkle::leaf(entry.as_bytes())
}
