//! Everything that can go wrong, as one [`Error`] that says what, to which request, and what to do next.

mod accessors;
mod amendment_error;
mod approval_error;
mod archive_error;
mod code;
#[cfg(test)]
mod code_tests;
mod conflict;
mod constructors;
mod correction_error;
mod execution_error;
mod format_error;
#[cfg(feature = "http")]
mod http;
mod invalid_value;
mod kind;
mod layout_error;
mod nothing_to_decide;
mod outcome;
mod policy_error;
mod report;
pub(crate) mod sentence;
mod store_error;
mod unrecorded;

pub use amendment_error::AmendmentError;
pub use approval_error::ApprovalError;
pub use archive_error::ArchiveError;
pub use conflict::Conflict;
pub use correction_error::CorrectionError;
pub use execution_error::{ExecutionError, SupersedeError};
pub use format_error::FormatError;
pub use invalid_value::InvalidValue;
pub use kind::ErrorKind;
pub use layout_error::LayoutError;
pub use nothing_to_decide::NothingToDecide;
pub use outcome::Outcome;
pub use policy_error::PolicyError;
pub use report::ErrorReport;
pub(crate) use sentence::debug_as_sentence;
pub use store_error::{StoreError, StoreErrorKind};
pub use unrecorded::UnrecordedExecution;

use crate::request::{ActorMode, RequestId, Status, Timestamp, WriteId, WriteKind};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// [`code`](Self::code) and [`kind`](Self::kind) are for programs; the [page about errors](crate::guide::errors) lists
/// both. The text is for people: what failed, for which request, and what to do next. `Debug` prints the same text, followed by what the
/// backend reported if the text does not say that already, so that `fn main() -> Result<(), Error>` ends with a
/// sentence.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),

    /// Nobody could ever satisfy the demanded approvals.
    #[error("invalid approval configuration: {problem}")]
    InvalidApprovalConfiguration {
        /// What is wrong with it.
        problem: String,
    },

    /// Policies cannot be used.
    #[error(transparent)]
    Policy(Box<PolicyError>),

    /// There is no request with this id.
    #[error("request {id} does not exist; check the id and the namespace it was submitted in")]
    NotFound {
        /// The id that was asked for.
        id: RequestId,
    },

    /// There is a request with this id already.
    #[error("request {id} exists already; read it, or submit the new one under another id")]
    AlreadyExists {
        /// The id that is taken.
        id: RequestId,
    },

    /// The write id was already used for something else. Nothing was written for this call.
    #[error(
        "write id {write_id} was already used to {used_to}: it made revision {revision} of request {id}. Nothing was \
         written; repeat that call with the same arguments, or use a new write id for anything else"
    )]
    WriteIdReused {
        /// The request.
        id: RequestId,
        /// The write id.
        write_id: WriteId,
        /// What the id was used to do.
        used_to: WriteKind,
        /// The number of the revision that it made.
        revision: u64,
    },

    /// The request was changed by somebody else after it was read.
    #[error(transparent)]
    Conflict(Box<Conflict>),

    /// The request cannot move from its status to the requested one.
    #[error("request {id} cannot go from {from} to {to}{}", transition_hint(*from, *to))]
    InvalidTransition {
        /// The request.
        id: RequestId,
        /// The status of the request.
        from: Status,
        /// The requested status.
        to: Status,
    },

    /// The request's own deadline has come.
    #[error(
        "request {id}: its deadline {deadline} has passed; it can only be expired, canceled, superseded or rejected \
         now. Submit a new request if the change is still wanted"
    )]
    DeadlinePassed {
        /// The request.
        id: RequestId,
        /// The request is due to expire from this time on.
        deadline: Timestamp,
    },

    /// The actor's mode is not `Commit`, so nothing may be stored.
    #[error(
        "the actor's mode is {}, in which nothing is stored; use preview or preview_submit to see what would \
         happen, or set the actor's mode to Commit", .mode.as_str()
    )]
    NotCommitMode {
        /// The actor's mode.
        mode: ActorMode,
    },

    /// A decision on an approval is not allowed.
    #[error("request {id}: {error}")]
    Approval {
        /// The request.
        id: RequestId,
        /// Why the decision is not allowed.
        error: ApprovalError,
    },

    /// The approvals cannot be amended as asked.
    #[error("the approvals of request {id}: {error}")]
    Amendment {
        /// The request.
        id: RequestId,
        /// Why not.
        error: AmendmentError,
    },

    /// The request cannot be resolved, executed or compensated.
    #[error("request {id}: {error}")]
    Execution {
        /// The request.
        id: RequestId,
        /// Why not.
        error: ExecutionError,
    },

    /// The request cannot be superseded by the one that was named.
    #[error("request {id} cannot be superseded: {error}")]
    Supersede {
        /// The request.
        id: RequestId,
        /// What is wrong with the one that was to take its place.
        error: SupersedeError,
    },

    /// The request cannot be sent back, amended or resubmitted.
    #[error("request {id}: {error}")]
    Correction {
        /// The request.
        id: RequestId,
        /// Why not.
        error: CorrectionError,
    },

    /// Nothing about the request is due to expire.
    #[error("nothing about request {id} is due to expire; try again at its next deadline")]
    NothingDue {
        /// The request.
        id: RequestId,
    },

    /// An update would have changed or dropped decisions that are stored already.
    #[error(
        "request {id}: the update does not begin with the {stored} decisions that are stored; only add decisions to \
         the history"
    )]
    RewrittenHistory {
        /// The request.
        id: RequestId,
        /// How many decisions are stored.
        stored: usize,
    },

    /// An update would have changed what is fixed at submission.
    #[error(
        "request {id}: the update changes what is fixed at submission (target, category, tags, risk, blast radius, \
         requester or created time); submit a new request that supersedes it"
    )]
    SubmittedFieldsChanged {
        /// The request.
        id: RequestId,
    },

    /// The request is too large to be stored.
    #[error(
        "request {id} takes {size} bytes; the limit is {limit}{}. Shorten it, ask for fewer approvals, bring it to an \
         end, or raise the document limit of the store", kept_hint(*kept)
    )]
    TooLarge {
        /// The request.
        id: RequestId,
        /// How many bytes it takes. If these are within the limit but its parts take too much memory, the smallest
        /// limit that would do.
        size: usize,
        /// How many it may take: the [document limit](crate::DocumentLimit) minus `kept`.
        limit: usize,
        /// How many bytes are kept free for later decisions; more than the document limit for very many approvals.
        kept: usize,
    },

    /// The request takes more index entries than the store can write in one step.
    ///
    /// In Redis a request may take 10,000 index entries at a time, not counting those of its decisions: about a dozen,
    /// one for each tag and each indexed pair of metadata, two for each open approval, and up to two more for each
    /// actor, role and group that may decide it.
    #[error(
        "request {id} takes {entries} index entries; the limit is {limit}. Most come from tags, indexed metadata and \
         pending approvals: give it fewer of them"
    )]
    TooManyEntries {
        /// The request.
        id: RequestId,
        /// How many entries it takes.
        entries: usize,
        /// How many it may take.
        limit: usize,
    },

    /// The request cannot be written in the format version that this store writes.
    #[error("request {id} cannot be written: {error}")]
    Unwritable {
        /// The request.
        id: RequestId,
        /// Why not.
        error: FormatError,
    },

    /// The stored bytes of a request cannot be read.
    #[error("what is stored at {key} cannot be read: {error}")]
    Unreadable {
        /// The key of the record, or the request's id for a read by id.
        key: String,
        /// What is wrong with it.
        error: FormatError,
    },

    /// A page cannot be continued from this cursor.
    #[error("the cursor cannot be used: {problem}; ask for the first page again")]
    InvalidCursor {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The change feed cannot be continued from this position.
    #[error(
        "the feed position cannot be used: {problem}; start at the end or at the beginning, and read the requests again"
    )]
    InvalidFeedPosition {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A request was executed, but its result could not be recorded.
    #[error(transparent)]
    Unrecorded(Box<UnrecordedExecution>),

    /// An archive cannot be written, read or imported.
    #[error(transparent)]
    Archive(Box<ArchiveError>),

    /// The store itself failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn kept_hint(kept: usize) -> String {
    match kept {
        0 => String::new(),
        kept => format!(", since {kept} bytes of the document limit are kept for later decisions"),
    }
}

fn transition_hint(from: Status, to: Status) -> &'static str {
    match from {
        _ if from.is_terminal() => "; that status is final, so submit a new request",
        _ if from == to => "; it has that status already",
        _ => "",
    }
}
