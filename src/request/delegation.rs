//! Who handed an approval on, and to whom.

use serde::{Deserialize, Serialize};

use super::{ActorId, Approval, ApprovalTarget};

/// How an address of an approval came to one person: whom it named, and who handed it on.
///
/// An approval has up to two addresses, its target and that of its escalation, and each is handed on by those it names.
/// [`Approval::delegation`] replaces the first, [`Escalation::delegation`](super::Escalation::delegation) the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Delegation {
    /// Whom the address named before somebody handed it on.
    pub from: ApprovalTarget,
    /// Who handed it on, the first one first; never empty, and nobody is in it twice.
    pub by: Vec<ActorId>,
    /// The person it came to.
    pub to: ActorId,
}

impl Delegation {
    /// How many people may hand on one address, each to the next: 5.
    pub const MAX_CHAIN: usize = 5;

    /// Replaces an address that `by` hands on to `to`, and records it in the delegation; returns whom it named.
    pub(crate) fn hand_on(
        address: &mut ApprovalTarget,
        delegation: &mut Option<Box<Self>>,
        by: &ActorId,
        to: &ActorId,
    ) -> ApprovalTarget {
        let before = std::mem::replace(address, ApprovalTarget::of_actor(to.clone()));
        if let Some(delegation) = delegation {
            delegation.by.push(by.clone());
            delegation.to = to.clone();
        } else {
            let from = before.clone();
            *delegation = Some(Box::new(Self { from, by: vec![by.clone()], to: to.clone() }));
        }
        before
    }
}

impl Approval {
    /// The delegation of its target, and that of its escalation.
    pub(crate) fn delegations(&self) -> impl Iterator<Item = &Delegation> {
        let of_escalation = self.escalation.as_ref().and_then(|escalation| escalation.delegation.as_deref());
        self.delegation.as_deref().into_iter().chain(of_escalation)
    }
}
