//! Why a decision on an approval is not allowed.

use super::nothing_to_decide::{NothingToDecide, sentence};
use crate::request::{ApprovalId, ApprovalStatus, ApprovalTarget, Digest, QuorumGroup, Status, Step, Timestamp};

/// Why a decision on an approval is not allowed, in the order in which the rules are checked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The request does not wait for approval.
    #[error("it does not wait for approval ({status}){}", approval_hint(*.status))]
    NotAwaitingApproval {
        /// The status of the request.
        status: Status,
    },
    /// The request has no approvals.
    #[error("it has no approvals to decide")]
    NoApprovals,
    /// The request has no approval with this id.
    #[error("it has no approval {approval}; its approvals are {known}")]
    UnknownApproval {
        /// The id that was asked for.
        approval: ApprovalId,
        /// The ids it has, for reading.
        known: String,
    },
    /// The approval has been decided.
    #[error("approval {approval} is {status} already; read the request again to see what it still waits for")]
    AlreadyDecided {
        /// The approval.
        approval: ApprovalId,
        /// The status of the approval.
        status: ApprovalStatus,
    },
    /// The approval has expired.
    #[error("approval {approval} expired at {expired_at}; ask for a new request or a renewed approval")]
    Expired {
        /// The approval.
        approval: ApprovalId,
        /// When it expired.
        expired_at: Timestamp,
    },
    /// The actor has no id.
    #[error("approval {approval} cannot be decided by an actor without an id; give the actor's id")]
    AnonymousDecider {
        /// The approval.
        approval: ApprovalId,
    },
    /// The approval is not addressed to the actor.
    #[error("approval {approval} is for {target}, which {actor} does not match; somebody who does has to decide it")]
    NotAddressed {
        /// The approval.
        approval: ApprovalId,
        /// Who may decide it.
        target: Box<ApprovalTarget>,
        /// Who tried to decide.
        actor: String,
    },
    /// The request excludes the actor from deciding.
    #[error("approval {approval}: the request excludes {actor} from deciding; somebody else has to decide it")]
    Excluded {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to decide.
        actor: String,
    },
    /// The request was submitted by or for the actor, or by or for the person the actor acts for.
    #[error(
        "approval {approval} cannot be decided by {actor}{}; somebody else has to decide it", submitter(.actor, .requester)
    )]
    OwnRequest {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to decide.
        actor: String,
        /// Who submitted the request.
        requester: String,
    },
    /// The actor has already voted in this quorum group.
    #[error("approval {approval}: {actor} has already voted in quorum group {group}; another member has to decide it")]
    AlreadyVoted {
        /// The approval.
        approval: ApprovalId,
        /// The group.
        group: QuorumGroup,
        /// Who tried to decide.
        actor: String,
    },
    /// The actor has already voted on the request, which lets nobody decide twice.
    #[error(
        "approval {approval}: {actor} has already voted on this request, which lets nobody decide twice; somebody else has to decide it"
    )]
    NotDistinct {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to decide.
        actor: String,
    },
    /// Approvals of a lower step are still open.
    #[error("approval {approval} is of step {step}; step {active} has to be decided first")]
    NotYet {
        /// The approval.
        approval: ApprovalId,
        /// Its step.
        step: Step,
        /// The step that has to be decided now.
        active: Step,
    },
    /// The vote would use up somebody who is needed for another approval, which too few others could grant: of the quorum
    /// group if the actor acts for another, of the request if it lets nobody decide twice.
    #[error(
        "approval {approval}: {} needs {actor} for another of its approvals, which too few others \
         could grant; {} can decide this one, and {actor} another",
        of_group(.group.as_ref()), others(.instead.as_deref())
    )]
    NeededElsewhere {
        /// The approval.
        approval: ApprovalId,
        /// The group of the approval, if it has one.
        group: Option<QuorumGroup>,
        /// Who tried to decide.
        actor: String,
        /// Who can decide it instead; for a role or a group, whoever has it and is not this actor.
        instead: Option<Box<ApprovalTarget>>,
    },
    /// The approval demands a reason.
    #[error("approval {approval} demands a reason; give it with the actor{}", if *.rejecting { " or the rejection" } else { "" })]
    ReasonDemanded {
        /// The approval.
        approval: ApprovalId,
        /// Whether it was to be rejected.
        rejecting: bool,
    },
    /// The actor can decide none of the request's approvals now.
    #[error("{}", sentence(.actor, .why, .explanation))]
    NothingToDecide {
        /// Who tried to decide.
        actor: String,
        /// Why there is nothing for this actor.
        why: NothingToDecide,
        /// What the request waits for and who can act, as [`explain`](crate::workflow::explain) says it: the rest of a
        /// sentence about the request.
        explanation: String,
    },
    /// The approver saw another version of the request than the one they would approve.
    #[error(
        "approval {approval} was given for digest {seen}, but the request has digest {current}; look at it again and \
         decide anew"
    )]
    AnotherDigest {
        /// The approval.
        approval: ApprovalId,
        /// The digest of what the approver saw.
        seen: Digest,
        /// The digest of the request.
        current: Digest,
    },
    /// Direct approval of a request with unmet approvals.
    #[error(
        "it cannot be approved directly: {unmet} of its approvals are unmet; grant them, or override them with a reason"
    )]
    Unmet {
        /// How many grants are missing.
        unmet: usize,
    },
    /// A request for approvals of a request that does not wait for anything.
    #[error(
        "its approvals can be requested only while it waits for something else, but it is {status}{}",
        asking_hint(*.status)
    )]
    NotWaiting {
        /// The status of the request.
        status: Status,
    },
    /// A withdrawal by an actor who has no vote in the current round, or none on this approval.
    #[error("{actor} has no vote {}; read it again to see who decided what", withdrawable(.approval.as_ref()))]
    NothingToWithdraw {
        /// Who tried to withdraw.
        actor: String,
        /// The approval, if the withdrawal named one.
        approval: Option<ApprovalId>,
    },
    /// A withdrawal of somebody else's vote.
    #[error("approval {approval} was decided by {voter}, so {actor} cannot withdraw that vote; only {voter} can")]
    AnothersVote {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to withdraw.
        actor: String,
        /// Who decided it.
        voter: String,
    },
    /// A withdrawal by an actor without an id.
    #[error("a vote on it cannot be withdrawn by an actor without an id; give the actor's id")]
    AnonymousWithdrawal,
    /// A withdrawal from a request that is final.
    #[error("no vote on it can be withdrawn any more: it is {status}, which is final{}", final_hint(*.status))]
    TooLateToWithdraw {
        /// The status of the request.
        status: Status,
    },
    /// An override of approvals that are all met.
    #[error("it has no unmet approvals to override; approve it directly")]
    NothingToOverride,
    /// An override of approvals by an actor without an id.
    #[error("its approvals cannot be overridden by an actor without an id; give the actor's id")]
    AnonymousOverride,
    /// An override of approvals without a reason.
    #[error("its approvals can be overridden only with a reason; give the actor's reason")]
    OverrideWithoutReason,
}

fn approval_hint(status: Status) -> &'static str {
    match status {
        Status::Created => "; it was submitted without approvals, so approve it directly",
        Status::Pending => "; when its wait is over, request its approvals, or approve it directly if it has none",
        Status::Approved => "; it is approved already, so execute it, or reject it if it must not be executed",
        _ => "; that status is final, so submit a new request",
    }
}

fn asking_hint(status: Status) -> &'static str {
    match status {
        Status::Created => "; it has no approvals, so approve it directly",
        _ => "; if it has unmet approvals, hold it for approval; otherwise execute or reject it",
    }
}

fn withdrawable(approval: Option<&ApprovalId>) -> String {
    approval.map_or_else(|| "on it to withdraw".to_owned(), |id| format!("on approval {id} to withdraw"))
}

pub(super) fn final_hint(status: Status) -> &'static str {
    match status {
        Status::Executed => "; submit a compensation to undo what was executed",
        _ => "; submit a new request",
    }
}

fn of_group(group: Option<&QuorumGroup>) -> String {
    group.map_or_else(|| "the request".to_owned(), |group| format!("quorum group {group}"))
}

fn others(instead: Option<&ApprovalTarget>) -> String {
    instead.map_or_else(|| "somebody else".to_owned(), ToString::to_string)
}

/// Who submitted the request, after the name of somebody who therefore may not decide it.
pub(super) fn submitter(actor: &str, requester: &str) -> String {
    if actor == requester {
        ", who submitted the request".to_owned()
    } else {
        format!(", because the request was submitted by {requester}")
    }
}
