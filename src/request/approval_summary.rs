//! The summary of a request's approvals that decides who may decide one of them.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::{
    ActorContext, ActorId, Approval, ApprovalState, ApprovalTarget, ApproverLimits, DeciderRule, IdComparison,
    QuorumGroup, Step, Timestamp,
};

/// What is needed from each approval of a request to decide whether one of them can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApprovalSummary {
    pub(crate) step: Step,
    pub(crate) is_pending: bool,
    pub(crate) group: Option<(QuorumGroup, NonZeroU32)>,
    /// Who decided it, and for whom they acted.
    pub(crate) voters: [Option<ActorId>; 2],
    /// Whom it addresses, if it is pending or approved and others count who votes on it: those of its quorum group or, if
    /// nobody decides twice, all.
    pub(crate) slot: Option<Slot>,
}

/// Whom an approval addresses, until when, and the vote it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) target: ApprovalTarget,
    /// From when it addresses more, if it escalates in time, and whom it addresses then.
    pub(crate) escalation: Option<(Timestamp, ApprovalTarget)>,
    pub(crate) decider: DeciderRule,
    pub(crate) expires_at: Option<Timestamp>,
    /// Who approved it, and when.
    pub(crate) vote: Option<(Arc<ActorContext>, Timestamp)>,
}

impl ApprovalSummary {
    /// The summary of each of these.
    pub(crate) fn of_all(approvals: &[Approval], limits: &ApproverLimits) -> Vec<Self> {
        approvals.iter().map(|approval| Self::of(approval, limits)).collect()
    }

    pub(crate) fn of(approval: &Approval, limits: &ApproverLimits) -> Self {
        Self {
            step: approval.step,
            is_pending: approval.state == ApprovalState::Pending,
            group: approval.quorum.as_ref().map(|quorum| (quorum.group.clone(), quorum.required)),
            voters: approval.state.verdict().map(|verdict| verdict.by.people_ids()).unwrap_or_default(),
            slot: if limits.distinct || approval.quorum.is_some() { Slot::of(approval) } else { None },
        }
    }

    /// Everybody whose vote it has.
    pub(crate) fn voters(&self) -> impl Iterator<Item = &ActorId> {
        self.voters.iter().flatten()
    }

    pub(crate) fn is_of(&self, group: &QuorumGroup) -> bool {
        self.group.as_ref().is_some_and(|(own, _)| own == group)
    }
}

impl Slot {
    /// The slot of an approval that is pending or approved.
    pub(crate) fn of(approval: &Approval) -> Option<Self> {
        let vote = match &approval.state {
            ApprovalState::Pending => None,
            ApprovalState::Approved(verdict) => Some((Arc::clone(&verdict.by), verdict.at)),
            _ => return None,
        };
        let escalation = approval
            .escalation
            .as_ref()
            .map(|escalation| (escalation.at.unwrap_or(Timestamp::MAX), approval.target_in_the_end().into_owned()));
        let (target, decider) = (approval.target.clone(), approval.decider);
        Some(Self { target, escalation, decider, expires_at: approval.expires_at, vote })
    }

    /// Whom it addresses at this time; without a time, at any time.
    pub(crate) fn target_at(&self, at: Option<Timestamp>) -> &ApprovalTarget {
        match &self.escalation {
            Some((from, target)) if at.is_none_or(|at| *from <= at) => target,
            _ => &self.target,
        }
    }

    /// Whether it addresses a role or a group at any time, which any actor might have.
    pub(crate) fn is_for_anybody(&self) -> bool {
        let target = self.target_at(None);
        !target.roles().is_empty() || !target.groups().is_empty()
    }

    /// Whether a vote at this time is in time for it.
    pub(crate) fn is_open(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > at)
    }

    /// Whether it lets the actor vote at this time, unless they are the requester and it excludes the requester.
    pub(crate) fn lets(
        &self,
        actor: &ActorContext,
        is_requester: bool,
        ids: IdComparison,
        at: Option<Timestamp>,
    ) -> bool {
        self.target_at(at).matches(actor, ids) && !(is_requester && self.decider == DeciderRule::NotTheRequester)
    }
}
