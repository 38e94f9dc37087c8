//! Everything that can go wrong, as one [`Error`] that says what, to which request, and what to do next.

use std::fmt;

mod constructors;
mod layout_error;
mod rule_errors;
mod store_error;

pub use layout_error::LayoutError;
pub use rule_errors::{ApprovalError, ExecutionError, SupersedeError};
pub use store_error::{StoreError, StoreErrorKind};

use crate::request::{
    ActorMode, ClaimId, Decision, MutationRequest, RequestId, Revision, Status, Timestamp, WriteId, WriteKind,
};
use crate::service::settle::UnsettledWrite;
use crate::stored_format::FormatError;
use crate::stored_format::Unreadable;
use crate::workflow::Command;

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
    #[error("request {id} does not exist; check the id and the namespace it was submitted in")]
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

    /// The write id was used before, for something else. Nothing was written for this call.
    #[error(
        "write id {write_id} was used before, to {used_to}: it made revision {revision} of request {id}. Nothing was written; \
         repeat that with the same arguments, or take a new write id for anything else"
    )]
    #[non_exhaustive]
    WriteIdReused {
        /// The request.
        id: RequestId,
        /// The write id.
        write_id: WriteId,
        /// What it was used to do.
        used_to: WriteKind,
        /// The number of the revision that it made.
        revision: u64,
    },

    /// The request was changed by somebody else after it was read.
    #[error(transparent)]
    Conflict(Box<Conflict>),

    /// The request cannot move from where it stands to where it was to go.
    #[error("request {id} cannot go from {from} to {to}{}", transition_hint(*from, *to))]
    #[non_exhaustive]
    InvalidTransition {
        /// The request.
        id: RequestId,
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },

    /// The request's own deadline has come, and it was not moved on before.
    #[error(
        "request {id} could be moved on until {deadline}, which has passed; it can only be expired, canceled, superseded or \
         rejected now, so file a new request if the change is still wanted"
    )]
    #[non_exhaustive]
    DeadlinePassed {
        /// The request.
        id: RequestId,
        /// From this time on it is due to expire.
        deadline: Timestamp,
    },

    /// The actor does not mean it to take effect, and what is stored does.
    #[error(
        "the actor acts to {} only, and what is stored takes effect; use workflow::submit or workflow::apply to see what would \
         happen, or let the actor act to Commit", .mode.as_str()
    )]
    #[non_exhaustive]
    NotCommitMode {
        /// The actor's mode.
        mode: ActorMode,
    },

    /// A decision on an approval is not allowed.
    #[error("request {id}: {refusal}")]
    #[non_exhaustive]
    Approval {
        /// The request.
        id: RequestId,
        /// Why the decision is not allowed.
        refusal: Box<ApprovalError>,
    },

    /// The request cannot be resolved, executed or compensated.
    #[error("request {id}: {refusal}")]
    #[non_exhaustive]
    Execution {
        /// The request.
        id: RequestId,
        /// Why not.
        refusal: Box<ExecutionError>,
    },

    /// The request cannot be superseded by the one that was named.
    #[error("request {id} cannot be superseded: {problem}")]
    #[non_exhaustive]
    Supersede {
        /// The request.
        id: RequestId,
        /// What is wrong with the one that was to take its place.
        problem: Box<SupersedeError>,
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

    /// An update would have changed what is fixed when a request is submitted.
    #[error(
        "request {id}: the update changes what is fixed when a request is submitted (target, category, tags, risk, blast \
         radius, requester or created time); file a new request that supersedes it"
    )]
    #[non_exhaustive]
    SubmittedFieldsChanged {
        /// The request.
        id: RequestId,
    },

    /// The request is too large to be stored.
    #[error(
        "request {id} takes {size} bytes and may take {limit}{}. Shorten it, ask for fewer approvals, bring it to an end, or \
         raise the document limit of the store", kept_hint(*kept)
    )]
    #[non_exhaustive]
    TooLarge {
        /// The request.
        id: RequestId,
        /// How many bytes it takes. Where these are within the limit and its parts take more memory than that allows for, the
        /// least limit that would do.
        size: usize,
        /// How many it may take: the [document limit](crate::DocumentLimit), without what has to be left free of it.
        limit: usize,
        /// How many have to be left free for what is decided about it later; for very many approvals more than the document
        /// limit.
        kept: usize,
    },

    /// The request would be found in more ways than the store can keep in one step.
    ///
    /// In Redis a request may take 10,000 index entries at a time, beside those of its decisions: about a dozen, one
    /// for each tag and each indexed pair of metadata, and for each open approval two, and up to two more for each
    /// actor, role and group that may decide it.
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
        /// The key it is stored at, or the request's id where a store was asked by that.
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

    /// The change feed cannot be read on from this position.
    #[error(
        "the feed position cannot be used: {problem}; begin at the end or at the beginning, and read the requests again"
    )]
    #[non_exhaustive]
    InvalidFeedPosition {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A request was executed, and what came of it could not be recorded.
    #[error(transparent)]
    Unrecorded(Box<UnrecordedExecution>),

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
    /// It cannot be known yet. Simply calling again could do it twice, so go on in one of these ways:
    ///
    /// - After `Governance::submit_as` or `apply_as`: the same call again, with the same write id, until it is answered. It
    ///   is done once, however often it is called.
    /// - After any other: [`Error::unsettled_write`] names the write, and `Governance::settle` tells what became of it.
    ///   [`Applied`](crate::Settled::Applied): read the request.
    ///   [`NotApplied`](crate::Settled::NotApplied): nothing happened, and nothing will; decide anew.
    ///   [`Open`](crate::Settled::Open): do it again under its ids, `apply_as(&write.id, &command, write.write_id)`, or
    ///   `submit_as(draft.with_id(write.id), write.write_id)` where a request was to be submitted.
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

/// An execution that has run, and whose result is known here only.
#[derive(Debug, thiserror::Error)]
#[error(
    "request {id} was executed under claim {claim}, and what came of it could not be recorded: {source}. Apply the command \
     that this error holds before the lease ends; from then on somebody else may execute the request again. Rejected \
     because the claim is lost, it was recorded after all, or somebody has taken over: read the request{}",
    link_hint(.compensates.as_ref())
)]
#[non_exhaustive]
pub struct UnrecordedExecution {
    /// The request.
    pub id: RequestId,
    /// The claim it was executed under.
    pub claim: ClaimId,
    /// The command that records the result, for `Governance::apply`.
    pub record: Command,
    /// The request that it makes up for, if it does. The command does not link that: executing the request again does, which
    /// runs nothing once the result is recorded.
    pub compensates: Option<RequestId>,
    /// Why it could not be recorded.
    pub source: Error,
}

impl Error {
    /// Whether the write that ended with this error took effect.
    ///
    /// Only a failure of the store can leave that open; every other error is a refusal, made before anything is written.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Store(error) => error.outcome,
            Self::Unrecorded(execution) => execution.source.outcome(),
            _ => Outcome::NotApplied,
        }
    }

    /// The write whose outcome is unknown, if that is what the error says.
    pub fn unsettled_write(&self) -> Option<&UnsettledWrite> {
        match self {
            Self::Store(error) => error.unsettled.as_deref(),
            Self::Unrecorded(execution) => execution.source.unsettled_write(),
            _ => None,
        }
    }

    /// Whether the same call can simply be repeated: it left nothing behind, and what failed may pass.
    ///
    /// Never true of a write whose [outcome](Self::outcome) is unknown: a second `submit` would file a second request. How
    /// to go on after one is said at [`Outcome::Unknown`]. Nor of a [conflict](Self::Conflict): the request has to be read
    /// anew.
    pub fn is_retryable(&self) -> bool {
        self.outcome() == Outcome::NotApplied && self.is_passing_failure()
    }

    /// Whether the store failed in a way that may pass, whatever became of the write.
    pub(crate) fn is_passing_failure(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind.may_pass())
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
    /// The value that is not valid, and what is wrong with it, which follow each other in a sentence.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<UnrecordedExecution> for Error {
    fn from(error: UnrecordedExecution) -> Self {
        Self::Unrecorded(Box::new(error))
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable { key: unreadable.id.to_string(), source: unreadable.error }
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(Box::new(conflict))
    }
}

fn link_hint(compensates: Option<&RequestId>) -> String {
    compensates.map_or_else(String::new, |original| {
        format!(
            ". Once it is recorded, execute it again, which runs nothing: that links request {original}, which it makes up for"
        )
    })
}

fn kept_hint(kept: usize) -> String {
    match kept {
        0 => String::new(),
        kept => format!(", since {kept} bytes of the document limit are kept for what is decided about it later"),
    }
}

fn transition_hint(from: Status, to: Status) -> &'static str {
    match from {
        _ if from.is_terminal() => "; that status is final, so file a new request",
        _ if from == to => "; it stands there already",
        _ => "",
    }
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
