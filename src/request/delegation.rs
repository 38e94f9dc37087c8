//! Who handed an approval on, and to whom.

use serde::{Deserialize, Serialize};

use super::{ActorId, ApprovalTarget};

/// How an approval came to the person it is addressed to: whom it was for, and who handed it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Delegation {
    /// Whom the approval was addressed to before somebody handed it on.
    pub from: ApprovalTarget,
    /// Who handed it on, the first one first; never empty, and nobody is in it twice.
    pub by: Vec<ActorId>,
    /// The person it came to.
    pub to: ActorId,
}

impl Delegation {
    /// How many people may hand on one approval, each to the next: 5.
    pub const MAX_CHAIN: usize = 5;

    /// The delegation after `by` hands on the approval to `to`; it was addressed to `from`, by `earlier` if it was
    /// delegated before.
    pub(crate) fn continuing(earlier: Option<&Self>, from: &ApprovalTarget, by: &ActorId, to: ActorId) -> Self {
        let mut chain = earlier.map(|earlier| earlier.by.clone()).unwrap_or_default();
        chain.push(by.clone());
        Self { from: earlier.map_or(from, |earlier| &earlier.from).clone(), by: chain, to }
    }
}
