//! Why a request cannot be sent back, amended or resubmitted.

use crate::request::{PendingReason, RequestId, Status};

/// Why a request cannot be corrected or resubmitted, in the order in which the rules are checked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorrectionError {
    /// The request was not sent back, so nobody may change it.
    #[error("{}", not_sent_back(*.status, *.waits_for))]
    NotSentBack {
        /// The status of the request.
        status: Status,
        /// What it waits for, if it is pending.
        waits_for: Option<PendingReason>,
    },
    /// Somebody else submitted the request.
    #[error(
        "{actor} did not submit it, and only its requester{} can correct or resubmit it; ask them, or submit a request \
         of your own", named(.requester.as_deref())
    )]
    AnothersRequest {
        /// The actor.
        actor: String,
        /// The id of its requester; `None` if nobody can correct it, because its requester has no id.
        requester: Option<String>,
    },
    /// The amendment leaves everything as it is.
    #[error(
        "the amendment changes nothing, so no new round of approvals begins; change the payload, the description, the \
         metadata or the expected version, or request its approvals again as it is"
    )]
    NothingAmended,
    /// A new round of approvals of a request that has none.
    #[error("it has no approvals that a new round could ask for; approve it directly, or cancel it")]
    NoApprovals,
    /// The request did not end without being executed.
    #[error("it is {status}, and only a rejected, canceled or expired request can be resubmitted{}", hint(*.status))]
    NotResubmittable {
        /// The status of the request.
        status: Status,
    },
    /// The request was resubmitted before.
    #[error("it was resubmitted already, as request {resubmitted_as}; if that ended too, resubmit that one")]
    ResubmittedAlready {
        /// The request that followed it.
        resubmitted_as: RequestId,
    },
}

fn not_sent_back(status: Status, waits_for: Option<PendingReason>) -> String {
    let now = match waits_for {
        Some(reason) => format!("it waits for {reason}"),
        None => format!("it is {status}"),
    };
    let hint = match status {
        Status::Pending => "an approver has to send it back by request_changes first",
        Status::Created | Status::Approved => "cancel it, and resubmit it with the changes",
        Status::Rejected | Status::Canceled | Status::Expired => {
            "that status is final, so resubmit it with the changes"
        }
        Status::Superseded | Status::Executed => "that status is final, so submit a new request",
    };
    format!("{now}, and only a request that was sent back can be amended; {hint}")
}

fn named(requester: Option<&str>) -> String {
    requester.map_or_else(|| ", who has no id,".to_owned(), |id| format!(" {id}"))
}

fn hint(status: Status) -> &'static str {
    match status {
        Status::Executed => "; submit a compensation, or a new request",
        Status::Superseded => "; its successor took its place",
        _ => "; cancel it first, or have it sent back and amend it",
    }
}
