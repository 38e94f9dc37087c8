//! Why the rules do not allow what was asked.

use std::time::Duration;

use crate::request::{
    ApprovalId, ApprovalStatus, ApprovalTarget, ClaimId, Digest, QuorumGroup, RequestId, Status, Step, Timestamp,
};

/// Why a decision on an approval is not allowed. In the order in which the rules are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The request does not wait for approval.
    #[error("it does not wait for approval ({status}){}", approval_hint(*.status))]
    NotAwaitingApproval {
        /// Where it stands.
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
    /// The approval is decided already.
    #[error("approval {approval} is {status} already; read the request again to see what it still waits for")]
    AlreadyDecided {
        /// The approval.
        approval: ApprovalId,
        /// What has become of it.
        status: ApprovalStatus,
    },
    /// The approval was not decided in time.
    #[error("approval {approval} could be decided until {expired_at}; ask for a new request or a renewed approval")]
    Expired {
        /// The approval.
        approval: ApprovalId,
        /// When it ended.
        expired_at: Timestamp,
    },
    /// The actor has no id.
    #[error("approval {approval} cannot be decided by an actor without an id; give the actor's id")]
    AnonymousDecider {
        /// The approval.
        approval: ApprovalId,
    },
    /// The approval is not addressed to the actor.
    #[error("approval {approval} is for {target}; {actor} is none of these, so one of them has to decide it")]
    NotAddressed {
        /// The approval.
        approval: ApprovalId,
        /// Whom it is addressed to.
        target: ApprovalTarget,
        /// Who tried to decide.
        actor: String,
    },
    /// The actor asked for the change themselves.
    #[error("approval {approval} cannot be decided by {actor}, who submitted the request; somebody else has to")]
    OwnRequest {
        /// The approval.
        approval: ApprovalId,
        /// Who tried to decide.
        actor: String,
    },
    /// The actor has a vote in this quorum group already.
    #[error("approval {approval}: {actor} has voted in quorum group {group} already; another member has to")]
    AlreadyVoted {
        /// The approval.
        approval: ApprovalId,
        /// The group.
        group: QuorumGroup,
        /// Who tried to decide.
        actor: String,
    },
    /// Approvals of a lower step come first.
    #[error("approval {approval} is of step {step}; step {active} has to be decided first")]
    NotYet {
        /// The approval.
        approval: ApprovalId,
        /// Its step.
        step: Step,
        /// The step that is to be decided now.
        active: Step,
    },
    /// The actor is needed for another approval of the quorum group, which nobody else could then grant.
    #[error(
        "approval {approval}: quorum group {group} needs {actor} for another of its approvals, which too few others could \
         grant; {} can decide this one, and {actor} another", others(.instead.as_deref())
    )]
    NeededElsewhere {
        /// The approval.
        approval: ApprovalId,
        /// The group.
        group: QuorumGroup,
        /// Who tried to decide.
        actor: String,
        /// Who can decide it instead; for a role or a group, whoever has it and is not this actor.
        instead: Option<Box<ApprovalTarget>>,
    },
    /// The approver saw another request than the one they would approve.
    #[error(
        "approval {approval} was given for digest {seen}, but the request has digest {current}; look at it again and decide anew"
    )]
    AnotherDigest {
        /// The approval.
        approval: ApprovalId,
        /// The digest of what the approver saw.
        seen: Digest,
        /// The digest of the request.
        current: Digest,
    },
    /// The request was to be approved directly although approvals are unmet.
    #[error(
        "it cannot be approved directly: {unmet} of its approvals are unmet; grant them, or override them with a reason"
    )]
    Unmet {
        /// How many grants are missing.
        unmet: usize,
    },
    /// The approvals were to be asked for although the request does not wait for anything.
    #[error(
        "its approvals are asked for while it waits for something else, and it is {status}{}", asking_hint(*.status)
    )]
    NotWaiting {
        /// Where it stands.
        status: Status,
    },
    /// The approvals were to be overridden although all are met.
    #[error("it has no unmet approvals to override; approve it directly")]
    NothingToOverride,
    /// The approvals were to be overridden by an actor without an id.
    #[error("its approvals cannot be overridden by an actor without an id; give the actor's id")]
    AnonymousOverride,
    /// The approvals were to be overridden without a reason.
    #[error("its approvals can be overridden only for a reason; give the actor's reason")]
    OverrideWithoutReason,
}

/// Why a request cannot be resolved, executed or compensated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The request is not approved.
    #[error("it is {status}; only an approved request is resolved or executed{}", execution_hint(*.status))]
    NotApproved {
        /// Where it stands.
        status: Status,
    },
    /// Somebody is executing the request.
    #[error("{by} is executing it; wait for that, or until the lease ends at {lease_ends_at}")]
    Claimed {
        /// Who is executing it.
        by: String,
        /// From when on another executor may take over.
        lease_ends_at: Timestamp,
    },
    /// The claim is not the one the request is held by.
    #[error(
        "it is {status} and not held by claim {claim} any more, which was given up or taken over; read it again, and \
         find out what the interrupted execution did before you repeat it"
    )]
    ClaimLost {
        /// The claim that was presented.
        claim: ClaimId,
        /// Where the request stands.
        status: Status,
    },
    /// The lease asked for is shorter than a call to the store may take: the answer to the claim could come after it.
    #[error(
        "it was not claimed: a lease of {lease:?} is too short for a store whose calls may take {call_timeout:?}, since the \
         answer to the claim could come when it is over; give a lease of at least {shortest:?}, or the store a shorter timeout"
    )]
    LeaseTooShort {
        /// The lease that was asked for.
        lease: Duration,
        /// How long a call to the store may take.
        call_timeout: Duration,
        /// The shortest lease this store allows.
        shortest: Duration,
    },
    /// The request was claimed, and renewed, and each time so little of the lease was left that nothing was run.
    #[error(
        "it was claimed, and nothing was run: the answers came when {left:?} of the lease until {lease_ends_at} were left; \
         the claim was given up or ends with its lease; execute it again, with a longer lease where the store or this process is that slow"
    )]
    LeaseNearlyOver {
        /// When the renewed lease ends.
        lease_ends_at: Timestamp,
        /// How much of it was left for certain.
        left: Duration,
    },
    /// An approval was granted for something else than the request is now.
    #[error(
        "approval {approval} was granted for digest {approved}, but the request has digest {current}; file what it has \
         become as a new request"
    )]
    ApprovedOtherwise {
        /// The approval.
        approval: ApprovalId,
        /// The digest it was granted for.
        approved: Digest,
        /// The digest of the request.
        current: Digest,
    },
    /// The approvals were overridden for something else than the request is now.
    #[error(
        "its approvals were overridden for digest {overridden}, but the request has digest {current}; file what it has \
         become as a new request"
    )]
    OverriddenOtherwise {
        /// The digest they were overridden for, as the history has it.
        overridden: String,
        /// The digest of the request.
        current: Digest,
    },
    /// The request is so large that what comes of another attempt might not fit.
    #[error(
        "it takes {size} bytes and may take {limit} to be executed, which keeps room for whatever comes of it; cancel it or \
         reject it, or raise the document limit of the store"
    )]
    NoRoom {
        /// How many bytes it takes as it would be claimed.
        size: usize,
        /// How many it may take then.
        limit: usize,
    },
    /// The approval was to be renewed although the request has no approvals.
    #[error("it has no approvals that could be renewed; choose another strategy for stale requests")]
    NothingToRenew,
    /// The request is not executed.
    #[error("it is {status}; only an executed request is compensated or compensates")]
    NotExecuted {
        /// Where it stands.
        status: Status,
    },
    /// Another request makes up for it, or was being executed to do so and nobody has recorded what came of that.
    #[error(
        "{by} makes up for it or may have; a further compensation is executed only when that one is recorded as failed, or was \
         brought to an end without having been executed"
    )]
    CompensatedAlready {
        /// The other compensation.
        by: RequestId,
    },
    /// The request makes up for nothing.
    #[error("it is no compensation; file one by a draft that names what it compensates")]
    NoCompensation,
    /// The compensation makes up for another request.
    #[error("the compensation is for request {compensates}; name that one")]
    CompensatesAnother {
        /// The request the compensation is for.
        compensates: RequestId,
    },
}

/// What is wrong with a request that was to take the place of another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SupersedeError {
    /// There is no such request.
    #[error("there is no request {superseding} to take its place; check the id, or submit that request first")]
    Missing {
        /// The id that was given.
        superseding: RequestId,
    },
    /// It was superseded itself.
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
        Status::Pending => {
            "; when it has what it waits for, ask for its approvals, or approve it directly if it has none"
        }
        Status::Approved => "; it is approved already, so execute it, or reject it if it must not be",
        _ => "; that status is final, so file a new request",
    }
}

fn asking_hint(status: Status) -> &'static str {
    match status {
        Status::Created => "; it has no approvals, so approve it directly",
        _ => "; if approvals of it are unmet, hold it for approval, and otherwise execute or reject it",
    }
}

fn others(instead: Option<&ApprovalTarget>) -> String {
    instead.map_or_else(|| "somebody else".to_owned(), ToString::to_string)
}

fn execution_hint(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Created => "; have it explained to see what it still waits for",
        _ => "; that status is final, so file a new request",
    }
}
