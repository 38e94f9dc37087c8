//! The summary of a request's approvals that decides who may decide one of them.

use std::collections::BTreeSet;

use super::{ActorId, Approval, ApprovalState, DeciderRule, IdComparison, QuorumGroup, Step, Timestamp};

/// What is needed from each approval of a request to decide whether one of them can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApprovalSummary {
    pub(crate) step: Step,
    pub(crate) is_pending: bool,
    pub(crate) is_granted: bool,
    pub(crate) group: Option<QuorumGroup>,
    /// Who decided it, and for whom they acted.
    pub(crate) voters: [Option<ActorId>; 2],
    /// For a pending member of a quorum group: whom it addresses.
    pub(crate) slot: Option<Slot>,
}

/// Whom a pending member of a quorum group addresses, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The actors it names, now or when it escalates.
    pub(crate) named: BTreeSet<ActorId>,
    /// Whether it also addresses a role or a group, which any actor might have.
    pub(crate) is_for_anybody: bool,
    pub(crate) decider: DeciderRule,
    pub(crate) expires_at: Option<Timestamp>,
}

impl ApprovalSummary {
    /// The summary of each of these.
    pub(crate) fn of_all(approvals: &[Approval]) -> Vec<Self> {
        approvals.iter().map(Self::of).collect()
    }

    pub(crate) fn of(approval: &Approval) -> Self {
        let is_pending = approval.state == ApprovalState::Pending;
        Self {
            step: approval.step,
            is_pending,
            is_granted: matches!(approval.state, ApprovalState::Approved(_)),
            group: approval.quorum.as_ref().map(|quorum| quorum.group.clone()),
            voters: approval.state.verdict().map(|verdict| verdict.by.people_ids()).unwrap_or_default(),
            slot: (is_pending && approval.quorum.is_some()).then(|| Slot::of(approval)),
        }
    }
}

impl Slot {
    pub(crate) fn of(approval: &Approval) -> Self {
        let target = approval.target_in_the_end();
        Self {
            named: target.actor_ids().clone(),
            is_for_anybody: !target.roles().is_empty() || !target.groups().is_empty(),
            decider: approval.decider,
            expires_at: approval.expires_at,
        }
    }

    /// Whether it addresses only named actors, and this actor is one of them.
    pub(crate) fn needs(&self, actor: &ActorId, ids: IdComparison) -> bool {
        !self.is_for_anybody && ids.holds(&self.named, actor)
    }

    /// Whether it can still be approved at this time.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}
