use super::{ActorId, Approval, ApprovalState, QuorumGroup, Step};

/// What has to be known of each approval of a request to tell whether one of them can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) step: Step,
    pub(crate) is_pending: bool,
    pub(crate) group: Option<QuorumGroup>,
    /// Who decided it.
    pub(crate) voter: Option<ActorId>,
}

impl Standing {
    /// How each of these stands.
    pub(crate) fn of_all(approvals: &[Approval]) -> Vec<Self> {
        approvals.iter().map(Self::of).collect()
    }

    fn of(approval: &Approval) -> Self {
        Self {
            step: approval.step,
            is_pending: approval.state == ApprovalState::Pending,
            group: approval.quorum.as_ref().map(|quorum| quorum.group.clone()),
            voter: approval.state.verdict().and_then(|verdict| verdict.by.id.clone()),
        }
    }
}
