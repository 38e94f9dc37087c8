//! Why a request cannot be removed.

use crate::request::{RequestId, Status};

/// Why a request cannot be removed, in the order in which the rules are checked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemovalError {
    /// The actor has no id.
    #[error("whoever removes a request needs an id, which its tombstone keeps; name the actor")]
    Anonymous,
    /// The request has not ended.
    #[error("it is {status}, and only a request that has ended can be removed; cancel it first")]
    NotTerminal {
        /// The status of the request.
        status: Status,
    },
    /// The request is on legal hold.
    #[error("its metadata puts it on legal hold, so it stays; nobody can remove it")]
    OnHold,
    /// The request names one that has not ended.
    #[error("it is linked to request {linked}, which is {status}; remove it after that one has ended")]
    LinkedToOpen {
        /// The other request.
        linked: RequestId,
        /// The status of the other request.
        status: Status,
    },
    /// The request compensates another, which does not name it yet.
    #[error(
        "it was executed to compensate request {original}, which does not name it yet, because that was interrupted; \
         call execute for it again, and then remove it"
    )]
    CompensationNotLinked {
        /// The request that it compensates.
        original: RequestId,
    },
}
