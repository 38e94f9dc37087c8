//! Why the rules do not allow what was asked.

use std::time::Duration;

use super::nothing_to_decide::{NothingToDecide, sentence};
use crate::request::{
    ApprovalId, ApprovalStatus, ApprovalTarget, ClaimId, Digest, PendingReason, QuorumGroup, RequestId, Status, Step,
    Timestamp,
};

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
    /// The actor submitted the request.
    #[error(
        "approval {approval} cannot be decided by {actor}, who submitted the request; somebody else has to decide it"
    )]
    OwnRequest {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to decide.
        actor: String,
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

/// Why a request cannot be resolved, executed or compensated.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The request is not approved.
    #[error("it is {status}; only an approved request can be resolved or executed{}", execution_hint(*.status))]
    NotApproved {
        /// The status of the request.
        status: Status,
    },
    /// Somebody is executing the request.
    #[error("{by} is executing it; wait for that, or until the lease ends at {lease_ends_at}")]
    Claimed {
        /// Who is executing it.
        by: String,
        /// From this time on another executor may take over.
        lease_ends_at: Timestamp,
    },
    /// An attempt failed a while ago, and the request is tried again after a pause.
    #[error(
        "it failed {failed} times in a row, and the next attempt begins no earlier than {next_at}; wait until then"
    )]
    BetweenAttempts {
        /// How many attempts failed.
        failed: u32,
        /// It can be executed from this time on.
        next_at: Timestamp,
    },
    /// The request is not held by this claim.
    #[error(
        "it is {status} and no longer held by claim {claim}, which was released or taken over; read it again, and \
         find out what the interrupted execution did before you repeat it"
    )]
    ClaimLost {
        /// The presented claim.
        claim: ClaimId,
        /// The status of the request.
        status: Status,
    },
    /// The requested lease is shorter than a call to the store may take, so the answer to the claim could come after
    /// its end.
    #[error(
        "it was not claimed: a lease of {lease:?} is too short for a store whose calls may take {call_timeout:?}, \
         since the answer to the claim could come after the lease; use a lease of at least {shortest:?}, or a shorter \
         timeout of the store"
    )]
    LeaseTooShort {
        /// The requested lease.
        lease: Duration,
        /// How long a call to the store may take.
        call_timeout: Duration,
        /// The shortest lease this store allows.
        shortest: Duration,
    },
    /// The request was claimed and its lease renewed, but each time too little of the lease was left, so nothing was
    /// run.
    #[error(
        "it was claimed, but nothing was run: only {left:?} of the lease until {lease_ends_at} were left when the \
         answer came; the claim was released or ends with its lease. Execute it again, with a longer lease if the \
         store or this process is that slow"
    )]
    LeaseNearlyOver {
        /// When the renewed lease ends.
        lease_ends_at: Timestamp,
        /// How much of it was certainly left.
        left: Duration,
    },
    /// An approval was granted for another digest than the request has now.
    #[error(
        "approval {approval} was granted for digest {approved}, but the request has digest {current}; submit what it \
         has become as a new request"
    )]
    ApprovedOtherwise {
        /// The approval.
        approval: ApprovalId,
        /// The digest it was granted for.
        approved: Digest,
        /// The digest of the request.
        current: Digest,
    },
    /// The approvals were overridden for another digest than the request has now.
    #[error(
        "its approvals were overridden for digest {overridden}, but the request has digest {current}; submit what it \
         has become as a new request"
    )]
    OverriddenOtherwise {
        /// The digest they were overridden for, as the history records it.
        overridden: String,
        /// The digest of the request.
        current: Digest,
    },
    /// The request is so large that the result of another attempt might not fit.
    #[error(
        "it takes {size} bytes, but only a request of at most {limit} can be executed, so that its result fits; \
         cancel it or reject it, or raise the document limit of the store"
    )]
    NoRoom {
        /// How many bytes it would take when claimed.
        size: usize,
        /// How many it may take then.
        limit: usize,
    },
    /// The time of the request has not come.
    #[error("it is not executed before {not_before}; wait until then, or schedule it for another time")]
    NotYet {
        /// It can be executed from this time on.
        not_before: Timestamp,
    },
    /// The validity of the request's approval has ended.
    #[error(
        "its approval was valid until {valid_until} and nobody claimed it; it can only be expired, canceled, \
         superseded or rejected now. Submit a new request if the change is still wanted"
    )]
    NoLongerValid {
        /// The request is due to expire from this time on.
        valid_until: Timestamp,
    },
    /// A request was to be executed only after its own deadline.
    #[error(
        "it cannot wait until {not_before} to be executed, because it expires at {deadline}, which is earlier; give \
         an earlier time or a later deadline"
    )]
    StartAfterDeadline {
        /// The time before which it was not to be executed.
        not_before: Timestamp,
        /// The request's own deadline.
        deadline: Timestamp,
    },
    /// A new time for a request that is final.
    #[error("it is {status}, which is final, so it cannot be scheduled any more{}", final_hint(*.status))]
    TooLateToSchedule {
        /// The status of the request.
        status: Status,
    },
    /// A revalidation of a request that does not wait for one.
    #[error(
        "it is {status}{} and does not wait for revalidation; read it again, and use explain to see what it waits for",
        waiting_for(*.waits_for)
    )]
    NotRevalidating {
        /// The status of the request.
        status: Status,
        /// What it waits for, if it is pending.
        waits_for: Option<PendingReason>,
    },
    /// A renewal of approvals of a request that has none.
    #[error("it has no approvals to renew; choose another strategy for stale requests")]
    NothingToRenew,
    /// The request is not executed.
    #[error("it is {status}; only an executed request can be compensated, or compensate another")]
    NotExecuted {
        /// The status of the request.
        status: Status,
    },
    /// Another request compensates it, or was being executed to do so and its result is not recorded.
    #[error(
        "{by} compensates it or may have; another compensation can be executed only when that one is recorded as \
         failed, or has ended without being executed"
    )]
    CompensatedAlready {
        /// The other compensation.
        by: RequestId,
    },
    /// The request compensates nothing.
    #[error("it is no compensation; submit one with a draft that names the request to compensate")]
    NoCompensation,
    /// The compensation compensates another request.
    #[error("the compensation is for request {compensates}; name that one")]
    CompensatesAnother {
        /// The request the compensation is for.
        compensates: RequestId,
    },
}

/// Why a request cannot take the place of another.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SupersedeError {
    /// The superseding request does not exist.
    #[error("there is no request {superseding} to take its place; check the id, or submit that request first")]
    Missing {
        /// The id that was given.
        superseding: RequestId,
    },
    /// The superseding request was superseded itself.
    #[error(
        "request {superseding} was superseded itself, by {by}; name the request that is to be decided in its place"
    )]
    Superseded {
        /// The request that was to take the place.
        superseding: RequestId,
        /// The request that took its place.
        by: RequestId,
    },
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

fn final_hint(status: Status) -> &'static str {
    match status {
        Status::Executed => "; submit a compensation to undo what was executed",
        _ => "; submit a new request",
    }
}

fn waiting_for(reason: Option<PendingReason>) -> String {
    reason.map_or_else(String::new, |reason| format!(" for {reason}"))
}

fn of_group(group: Option<&QuorumGroup>) -> String {
    group.map_or_else(|| "the request".to_owned(), |group| format!("quorum group {group}"))
}

fn others(instead: Option<&ApprovalTarget>) -> String {
    instead.map_or_else(|| "somebody else".to_owned(), ToString::to_string)
}

fn execution_hint(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Created => "; use explain to see what it still waits for",
        _ => "; that status is final, so submit a new request",
    }
}
