//! What a request demands: approvals alone, or quorum groups.

use std::collections::BTreeMap;

use super::history::count;
use crate::request::{Approval, ApprovalState, QuorumGroup, QuorumRejection, Step, Timestamp};

/// One demand before a request's approval: a single approval, or the approvals of one quorum group.
pub(super) struct Demand<'a> {
    pub(super) members: Vec<&'a Approval>,
    pub(super) group: Option<&'a QuorumGroup>,
    pub(super) step: Step,
    pub(super) required: u32,
}

/// The demands of a request, in the order of its approvals.
pub(super) fn demands(approvals: &[Approval]) -> Vec<Demand<'_>> {
    let mut demands: Vec<Demand<'_>> = Vec::new();
    let mut places: BTreeMap<&QuorumGroup, usize> = BTreeMap::new();
    for approval in approvals {
        let place = approval.quorum.as_ref().map(|quorum| *places.entry(&quorum.group).or_insert(demands.len()));
        match place.and_then(|place| demands.get_mut(place)) {
            Some(demand) => demand.members.push(approval),
            None => demands.push(Demand {
                members: vec![approval],
                group: approval.quorum.as_ref().map(|quorum| &quorum.group),
                step: approval.step,
                required: approval.quorum.as_ref().map_or(1, |quorum| quorum.required.get()),
            }),
        }
    }
    demands
}

/// The demand that this approval is a member of.
pub(super) fn demand_of<'a>(approvals: &'a [Approval], approval: &Approval) -> Option<Demand<'a>> {
    demands(approvals).into_iter().find(|demand| demand.members.iter().any(|member| member.id == approval.id))
}

/// How many grants are missing before the request may be approved.
pub(super) fn missing(approvals: &[Approval]) -> u32 {
    demands(approvals).iter().map(Demand::missing).fold(0, u32::saturating_add)
}

/// The lowest step that still has a pending approval: the only one that can be decided.
pub(super) fn active_step(approvals: &[Approval]) -> Option<Step> {
    approvals.iter().filter(|approval| is_pending(approval)).map(|approval| approval.step).min()
}

impl Demand<'_> {
    /// How many grants are missing.
    pub(super) fn missing(&self) -> u32 {
        self.required.saturating_sub(self.granted())
    }

    pub(super) fn is_met(&self) -> bool {
        self.missing() == 0
    }

    /// Whether one rejection is enough, however many grants are still possible.
    pub(super) fn any_rejection_rejects(&self) -> bool {
        let rule = self.members.first().and_then(|member| member.quorum.as_ref()).map(|quorum| quorum.rejection);
        rule != Some(QuorumRejection::WhenImpossible)
    }

    /// Whether the approval is a member.
    pub(super) fn has(&self, approval: &Approval) -> bool {
        self.members.iter().any(|member| member.id == approval.id)
    }

    fn granted(&self) -> u32 {
        let granted = self.members.iter().filter(|member| matches!(member.state, ApprovalState::Approved(_)));
        count(granted.count())
    }
}

pub(super) fn is_pending(approval: &Approval) -> bool {
    approval.state == ApprovalState::Pending
}

/// Whether the approval's time to be decided is over.
pub(super) fn is_overdue(approval: &Approval, now: Timestamp) -> bool {
    approval.expires_at.is_some_and(|end| end <= now)
}
