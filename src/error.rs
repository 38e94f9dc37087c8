//! Everything that can go wrong, as one [`Error`] that says what, to which request, and what to do next.

use std::fmt;

use crate::request::{
    ApprovalId, ApprovalStatus, ApprovalTarget, Decision, Digest, MutationRequest, QuorumGroup, RequestId, Revision,
    Status, Step, Timestamp, WriteId,
};
use crate::settle::UnsettledWrite;
use crate::stored_format::FormatError;

/// The result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),

    /// Approvals were demanded that nobody could ever satisfy.
    #[error("invalid approval configuration: {problem}")]
    #[non_exhaustive]
    InvalidApprovalConfiguration {
        /// What is wrong with it.
        problem: String,
    },

    /// There is no request with this id.
    #[error("request {id} does not exist; check the id and the namespace it was filed in")]
    #[non_exhaustive]
    NotFound {
        /// The id that was asked for.
        id: RequestId,
    },

    /// There is a request with this id already.
    #[error("request {id} exists already; read it, or file the new one under another id")]
    #[non_exhaustive]
    AlreadyExists {
        /// The id that is taken.
        id: RequestId,
    },

    /// The request was changed by somebody else after it was read.
    #[error(transparent)]
    Conflict(Box<Conflict>),

    /// The request cannot move from where it stands to where it was to go.
    #[error("request {id} cannot go from {from} to {to}{}", transition_hint(*from))]
    #[non_exhaustive]
    InvalidTransition {
        /// The request.
        id: RequestId,
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },

    /// A decision on an approval is not allowed.
    #[error("request {id}: {refusal}")]
    #[non_exhaustive]
    Approval {
        /// The request.
        id: RequestId,
        /// Why the decision is not allowed.
        refusal: Box<ApprovalRefusal>,
    },

    /// The request cannot be resolved, executed or compensated.
    #[error("request {id}: {refusal}")]
    #[non_exhaustive]
    Execution {
        /// The request.
        id: RequestId,
        /// Why not.
        refusal: Box<ExecutionRefusal>,
    },

    /// Nothing about the request is due to expire.
    #[error("nothing about request {id} is due to expire; ask again at its next deadline")]
    #[non_exhaustive]
    NothingDue {
        /// The request.
        id: RequestId,
    },

    /// An update would have changed or dropped decisions that are stored already.
    #[error(
        "request {id}: the update does not begin with the {stored} decisions that are stored; history is only added to"
    )]
    #[non_exhaustive]
    RewrittenHistory {
        /// The request.
        id: RequestId,
        /// How many decisions are stored.
        stored: usize,
    },

    /// An update would have changed what is fixed when a request is filed.
    #[error(
        "request {id}: the update changes what is fixed when a request is filed (target, category, tags, risk, blast \
         radius, requester or created time); file a new request that supersedes it"
    )]
    #[non_exhaustive]
    Refiled {
        /// The request.
        id: RequestId,
    },

    /// The request is too large to be stored.
    #[error(
        "request {id} takes {size} bytes; the limit of this store is {limit}. Shorten it, or raise the document limit"
    )]
    #[non_exhaustive]
    TooLarge {
        /// The request.
        id: RequestId,
        /// How many bytes it takes.
        size: usize,
        /// How many it may take.
        limit: usize,
    },

    /// The request would be found in more ways than the store can keep in one step.
    #[error(
        "request {id} takes {entries} index entries; the limit is {limit}. Most come from tags, indexed metadata and \
         pending approvals: give it fewer of them"
    )]
    #[non_exhaustive]
    TooManyEntries {
        /// The request.
        id: RequestId,
        /// How many entries it takes.
        entries: usize,
        /// How many it may take.
        limit: usize,
    },

    /// The request cannot be written in the format version this store was told to write.
    #[error("request {id} cannot be written: {source}")]
    #[non_exhaustive]
    Unwritable {
        /// The request.
        id: RequestId,
        /// Why not.
        source: FormatError,
    },

    /// What is stored under a request's key cannot be read.
    #[error("what is stored at {key} cannot be read: {source}")]
    #[non_exhaustive]
    Unreadable {
        /// The key it is stored at.
        key: String,
        /// What is wrong with it.
        source: FormatError,
    },

    /// A page cannot be continued from this cursor.
    #[error("the cursor cannot be used: {problem}; ask for the first page again")]
    #[non_exhaustive]
    InvalidCursor {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The store itself failed.
    #[error(transparent)]
    Store(#[from] Box<StoreError>),
}

/// Whether a write took effect although, or before, an error was returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing was written.
    NotApplied,
    /// The write took effect.
    Applied,
    /// It cannot be known yet. Repeating the write with the same write id finds out, and never applies it twice.
    Unknown,
}

/// A value that does not meet the rule of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
#[non_exhaustive]
pub struct InvalidValue {
    /// Which value it is, in words.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// What became of a request while somebody was computing an update of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "request {id} was changed meanwhile: the update was made for revision {expected}, stored is revision {actual}, \
     {status}, with {} further decision(s); read it again and decide anew", .decisions_since.len()
)]
#[non_exhaustive]
pub struct Conflict {
    /// The request.
    pub id: RequestId,
    /// The revision the update was computed from.
    pub expected: Revision,
    /// The revision that is stored.
    pub actual: Revision,
    /// The status that is stored.
    pub status: Status,
    /// The stored decisions that the update did not know of.
    pub decisions_since: Vec<Decision>,
    /// The request as it is stored.
    pub stored: MutationRequest,
    /// Whether the command that led to the update is allowed on what is stored too, so that it can simply be repeated;
    /// `None` when the update came from no command.
    pub commutes: Option<bool>,
}

/// Why a decision on an approval is not allowed. In the order in which the rules are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalRefusal {
    /// The request does not wait for approval.
    #[error("it does not wait for approval ({status}); approvals are decided only while it does")]
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
    #[error("approval {approval} is {status} already")]
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
    #[error("approval {approval} is for {target}; {actor} is none of these")]
    NotAddressed {
        /// The approval.
        approval: ApprovalId,
        /// Whom it is addressed to.
        target: ApprovalTarget,
        /// Who tried to decide.
        actor: String,
    },
    /// The actor asked for the change themselves.
    #[error("approval {approval} cannot be decided by {actor}, who filed the request; somebody else has to")]
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
pub enum ExecutionRefusal {
    /// The request is not approved.
    #[error("it is {status}; only an approved request is resolved or executed")]
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
        claim: WriteId,
        /// Where the request stands.
        status: Status,
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
    /// The approval was to be renewed although the request has no approvals.
    #[error("it has no approvals that could be renewed; choose another strategy for stale requests")]
    NothingToRenew,
    /// The request is not executed.
    #[error("it is {status}; only an executed request is compensated or compensates")]
    NotExecuted {
        /// Where it stands.
        status: Status,
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

/// A failure of the store itself.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    /// Whether the write it happened in took effect; `NotApplied` for reads.
    pub outcome: Outcome,
    /// What failed and what to do, in words. Never holds a secret.
    pub problem: String,
    /// The write whose outcome is unknown, if it is, to be settled by `RequestStore::settle`.
    pub unsettled: Option<Box<UnsettledWrite>>,
    /// The failure underneath, as the backend reported it.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failures of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The server cannot be reached.
    Unreachable,
    /// The call did not end by its deadline.
    DeadlineExceeded,
    /// The connection broke, or gave an answer that makes no sense.
    Connection,
    /// The server refused, for a reason that may pass: it is loading, busy, read-only or out of memory.
    Unavailable,
    /// The server refused, for a reason that stays: permissions, a wrong command, a wrong type at a key.
    Refused,
    /// What the server is or holds does not fit this store: its version, or the namespace's format.
    Incompatible,
    /// The store was configured with something that cannot work.
    Configuration,
    /// The write took effect, but was not confirmed to be as durable as was asked for.
    Unconfirmed,
}

impl Error {
    pub(crate) fn invalid_approval_configuration(problem: impl Into<String>) -> Self {
        Self::InvalidApprovalConfiguration { problem: problem.into() }
    }

    /// Whether the write that ended with this error took effect.
    ///
    /// Only a failure of the store can leave that open; every other error is a refusal, made before anything is written.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Store(error) => error.outcome,
            _ => Outcome::NotApplied,
        }
    }

    /// The write whose outcome is unknown, if that is what the error says.
    pub fn unsettled_write(&self) -> Option<&UnsettledWrite> {
        match self {
            Self::Store(error) => error.unsettled.as_deref(),
            _ => None,
        }
    }

    /// Whether the same call may succeed when it is simply repeated.
    ///
    /// True for failures that pass by themselves. A [conflict](Self::Conflict) is not one: the request has to be read anew.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => matches!(
                error.kind,
                StoreErrorKind::Unreachable
                    | StoreErrorKind::DeadlineExceeded
                    | StoreErrorKind::Connection
                    | StoreErrorKind::Unavailable
            ),
            _ => false,
        }
    }

    /// The same error; if it leaves open whether the write took effect, it names the write.
    #[cfg(feature = "redis")]
    pub(crate) fn leaving(self, write: &UnsettledWrite) -> Self {
        match self {
            Self::Store(error) if error.outcome == Outcome::Unknown => Self::from(error.leaving(write.clone())),
            other => other,
        }
    }

    /// The conflict, if this is one.
    pub fn as_conflict(&self) -> Option<&Conflict> {
        match self {
            Self::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }
}

impl Conflict {
    /// The conflict between an update and what is stored.
    pub fn between(update: &MutationRequest, stored: &MutationRequest) -> Self {
        let same = |(ours, theirs): &(&Decision, &Decision)| ours == theirs;
        let known = update.decisions.iter().zip(&stored.decisions).take_while(same).count();
        Self {
            id: update.id.clone(),
            expected: update.revision(),
            actual: stored.revision(),
            status: stored.state.status(),
            decisions_since: stored.decisions.iter().skip(known).cloned().collect(),
            stored: stored.clone(),
            commutes: None,
        }
    }
}

impl InvalidValue {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

impl StoreError {
    /// A failure of this kind, for those who write a store of their own.
    pub fn new(kind: StoreErrorKind, outcome: Outcome, problem: impl Into<String>) -> Self {
        Self { kind, outcome, problem: problem.into(), unsettled: None, source: None }
    }

    /// The same failure, which leaves this write unsettled.
    #[must_use]
    pub fn leaving(mut self, write: UnsettledWrite) -> Self {
        self.unsettled = Some(Box::new(write));
        self
    }

    /// The same failure with what the backend reported.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(Box::new(conflict))
    }
}

fn transition_hint(from: Status) -> &'static str {
    if from.is_terminal() { "; that status is final, so file a new request" } else { "" }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotApplied => "not applied",
            Self::Applied => "applied",
            Self::Unknown => "unknown",
        })
    }
}
