//! Why a request cannot be executed or superseded.

use std::time::Duration;

use super::approval_error::final_hint;
use crate::request::{ApprovalId, ClaimId, Digest, PendingReason, RequestId, Status, Timestamp};

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

fn execution_hint(status: Status) -> &'static str {
    match status {
        Status::Pending | Status::Created => "; use explain to see what it still waits for",
        _ => "; that status is final, so submit a new request",
    }
}

fn waiting_for(reason: Option<PendingReason>) -> String {
    reason.map_or_else(String::new, |reason| format!(" for {reason}"))
}
