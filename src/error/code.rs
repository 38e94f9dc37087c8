//! The code of every error: text that stays as it is, for programs.

use super::{
    AmendmentError, ApprovalError, ArchiveError, CorrectionError, Error, ErrorKind, ExecutionError, FormatError,
    LayoutError, NothingToDecide, Outcome, PolicyError, RemovalError, StoreError, StoreErrorKind, SupersedeError,
};

/// One row per code: its text, and the kind of an error that has it.
macro_rules! codes {
    ($($Code:ident = $text:literal, $Kind:ident;)+) => {
        /// What distinguishes one error from another, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Code {
            $($Code,)+
        }

        impl Code {
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$(Self::$Code,)+];

            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Code => $text,)+
                }
            }

            pub(super) const fn kind(self) -> ErrorKind {
                match self {
                    $(Self::$Code => ErrorKind::$Kind,)+
                }
            }
        }
    };
}

codes! {
    ValueInvalid = "value.invalid", Invalid;
    ValueApprovalConfiguration = "value.approval_configuration", Invalid;
    ValueCursor = "value.cursor", Invalid;
    ValueFeedPosition = "value.feed_position", Invalid;
    ValueNotCommitMode = "value.not_commit_mode", Invalid;

    PolicyUnreadable = "policy.unreadable", Misconfigured;
    PolicyInvalid = "policy.invalid", Misconfigured;
    PolicyUnsatisfiable = "policy.unsatisfiable", Invalid;

    RequestNotFound = "request.not_found", NotFound;
    RequestRemoved = "request.removed", NotFound;
    RequestIdOfRemoved = "request.id_of_removed", Conflict;
    RequestAlreadyExists = "request.already_exists", Conflict;
    RequestAlreadyOpen = "request.already_open", Conflict;
    RequestWriteIdReused = "request.write_id_reused", Conflict;
    RequestConflict = "request.conflict", Conflict;
    RequestInvalidTransition = "request.invalid_transition", Conflict;
    RequestDeadlinePassed = "request.deadline_passed", Conflict;
    RequestNothingDue = "request.nothing_due", Conflict;
    RequestRewrittenHistory = "request.rewritten_history", Invalid;
    RequestSubmittedFieldsChanged = "request.submitted_fields_changed", Invalid;
    RequestTooLarge = "request.too_large", Invalid;
    RequestTooManyEntries = "request.too_many_entries", Invalid;
    RequestSupersedingMissing = "request.superseding_missing", NotFound;
    RequestSupersedingSuperseded = "request.superseding_superseded", Conflict;

    ApprovalNotAwaited = "approval.not_awaited", Conflict;
    ApprovalNone = "approval.none", Conflict;
    ApprovalUnknown = "approval.unknown", NotFound;
    ApprovalAlreadyDecided = "approval.already_decided", Conflict;
    ApprovalExpired = "approval.expired", Conflict;
    ApprovalAnonymousDecider = "approval.anonymous_decider", NotAllowed;
    ApprovalNotAddressed = "approval.not_addressed", NotAllowed;
    ApprovalExcluded = "approval.excluded", NotAllowed;
    ApprovalOwnRequest = "approval.own_request", NotAllowed;
    ApprovalAlreadyVoted = "approval.already_voted", NotAllowed;
    ApprovalNotDistinct = "approval.not_distinct", NotAllowed;
    ApprovalNotYet = "approval.not_yet", Conflict;
    ApprovalNeededElsewhere = "approval.needed_elsewhere", NotAllowed;
    ApprovalReasonDemanded = "approval.reason_demanded", Invalid;
    ApprovalAnotherDigest = "approval.another_digest", Conflict;
    ApprovalUnmet = "approval.unmet", Conflict;
    ApprovalNotWaiting = "approval.not_waiting", Conflict;
    ApprovalNothingToWithdraw = "approval.nothing_to_withdraw", Conflict;
    ApprovalAnothersVote = "approval.anothers_vote", NotAllowed;
    ApprovalAnonymousWithdrawal = "approval.anonymous_withdrawal", NotAllowed;
    ApprovalTooLateToWithdraw = "approval.too_late_to_withdraw", Conflict;
    ApprovalNothingToOverride = "approval.nothing_to_override", Conflict;
    ApprovalAnonymousOverride = "approval.anonymous_override", NotAllowed;
    ApprovalOverrideWithoutReason = "approval.override_without_reason", Invalid;

    AmendmentNotPending = "amendment.not_pending", Conflict;
    AmendmentAnonymous = "amendment.anonymous", NotAllowed;
    AmendmentWithoutReason = "amendment.without_reason", Invalid;
    AmendmentToOneself = "amendment.to_oneself", Invalid;
    AmendmentCircle = "amendment.circle", NotAllowed;
    AmendmentChainTooLong = "amendment.chain_too_long", NotAllowed;
    AmendmentToRequester = "amendment.to_requester", NotAllowed;
    AmendmentToExcluded = "amendment.to_excluded", NotAllowed;
    AmendmentToVoter = "amendment.to_voter", NotAllowed;
    AmendmentSameTarget = "amendment.same_target", Conflict;
    AmendmentIdTaken = "amendment.id_taken", Conflict;
    AmendmentGroupTaken = "amendment.group_taken", Conflict;
    AmendmentMandatory = "amendment.mandatory", NotAllowed;
    AmendmentLastUnmet = "amendment.last_unmet", Conflict;
    CorrectionNotSentBack = "correction.not_sent_back", Conflict;
    CorrectionAnothersRequest = "correction.anothers_request", NotAllowed;
    CorrectionNothingAmended = "correction.nothing_amended", Invalid;
    CorrectionNoApprovals = "correction.no_approvals", Conflict;
    CorrectionNotResubmittable = "correction.not_resubmittable", Conflict;
    CorrectionResubmittedAlready = "correction.resubmitted_already", Conflict;

    RemovalAnonymous = "removal.anonymous", NotAllowed;
    RemovalNotTerminal = "removal.not_terminal", Conflict;
    RemovalOnHold = "removal.on_hold", NotAllowed;
    RemovalLinkedToOpen = "removal.linked_to_open", Conflict;
    RemovalCompensationNotLinked = "removal.compensation_not_linked", Conflict;

    ExecutionNotApproved = "execution.not_approved", Conflict;
    ExecutionClaimed = "execution.claimed", Busy;
    ExecutionBetweenAttempts = "execution.between_attempts", Busy;
    ExecutionClaimLost = "execution.claim_lost", Conflict;
    ExecutionLeaseTooShort = "execution.lease_too_short", Invalid;
    ExecutionLeaseNearlyOver = "execution.lease_nearly_over", Unavailable;
    ExecutionApprovedOtherwise = "execution.approved_otherwise", Conflict;
    ExecutionOverriddenOtherwise = "execution.overridden_otherwise", Conflict;
    ExecutionNoRoom = "execution.no_room", Conflict;
    ExecutionNotYet = "execution.not_yet", Busy;
    ExecutionNoLongerValid = "execution.no_longer_valid", Conflict;
    ExecutionStartAfterDeadline = "execution.start_after_deadline", Invalid;
    ExecutionTooLateToSchedule = "execution.too_late_to_schedule", Conflict;
    ExecutionNotRevalidating = "execution.not_revalidating", Conflict;
    ExecutionNothingToRenew = "execution.nothing_to_renew", Conflict;
    ExecutionNotExecuted = "execution.not_executed", Conflict;
    ExecutionCompensatedAlready = "execution.compensated_already", Conflict;
    ExecutionNoCompensation = "execution.no_compensation", Invalid;
    ExecutionCompensatesAnother = "execution.compensates_another", Invalid;
    ExecutionUnrecorded = "execution.unrecorded", UnknownOutcome;

    FormatForeign = "format.foreign", Corrupt;
    FormatTruncated = "format.truncated", Corrupt;
    FormatChecksumMismatch = "format.checksum_mismatch", Corrupt;
    FormatDamagedHeader = "format.damaged_header", Corrupt;
    FormatMalformed = "format.malformed", Corrupt;
    FormatUnsupportedVersion = "format.unsupported_version", Misconfigured;
    FormatUnsupportedFlags = "format.unsupported_flags", Misconfigured;
    FormatOverLimit = "format.over_limit", Misconfigured;
    FormatNotExpressible = "format.not_expressible", Misconfigured;

    ArchiveFile = "archive.file", Unavailable;
    ArchiveManifest = "archive.manifest", Corrupt;
    ArchiveUnfinished = "archive.unfinished", Conflict;
    ArchiveNotResumable = "archive.not_resumable", Invalid;
    ArchiveUnknownFormat = "archive.unknown_format", Misconfigured;
    ArchiveOtherLayout = "archive.other_layout", Misconfigured;
    ArchiveTruncated = "archive.truncated", Corrupt;
    ArchiveChecksum = "archive.checksum", Corrupt;
    ArchiveOtherCount = "archive.other_count", Corrupt;
    ArchiveLine = "archive.line", Corrupt;
    ArchiveLineTooLong = "archive.line_too_long", Misconfigured;
    ArchiveConflict = "archive.conflict", Conflict;
    ArchiveRemoved = "archive.removed", Conflict;

    StoreUnreachable = "store.unreachable", Unavailable;
    StoreDeadlineExceeded = "store.deadline_exceeded", Unavailable;
    StoreConnection = "store.connection", Unavailable;
    StoreUnavailable = "store.unavailable", Unavailable;
    StoreRejected = "store.rejected", Misconfigured;
    StoreIncompatible = "store.incompatible", Misconfigured;
    StoreCorrupt = "store.corrupt", Corrupt;
    StoreConfiguration = "store.configuration", Misconfigured;
    StorePanicked = "store.panicked", Internal;
    StoreUnconfirmed = "store.unconfirmed", UnknownOutcome;

    LayoutOlder = "layout.older", Misconfigured;
    LayoutNewer = "layout.newer", Misconfigured;
    LayoutForeign = "layout.foreign", Misconfigured;
    LayoutOtherChoice = "layout.other_choice", Misconfigured;
    LayoutRebuilding = "layout.rebuilding", Unavailable;
    LayoutRepartitioning = "layout.repartitioning", Unavailable;
    LayoutMissing = "layout.missing", Corrupt;
}

impl Error {
    /// The code: text such as `approval.already_voted` that says which error it is. A later release may add codes, and
    /// never changes one.
    ///
    /// The [page about errors](crate::guide::errors) lists them all, with what to do. An error that
    /// holds another has the code of that one:
    ///
    /// ```
    /// use mutator_governance::{ActorId, Error, ErrorKind};
    ///
    /// let error = Error::from(ActorId::new("").unwrap_err());
    /// assert_eq!((error.code(), error.kind()), ("value.invalid", ErrorKind::Invalid));
    /// ```
    pub fn code(&self) -> &'static str {
        self.full_code().as_str()
    }

    /// The kind: what a program does about it. It follows from the [code](Self::code), except that an error whose write
    /// may have taken effect is always [`UnknownOutcome`](ErrorKind::UnknownOutcome).
    pub fn kind(&self) -> ErrorKind {
        match self.outcome() {
            Outcome::NotApplied => self.full_code().kind(),
            Outcome::Applied | Outcome::Unknown => ErrorKind::UnknownOutcome,
        }
    }

    pub(super) fn full_code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::ValueInvalid,
            Self::InvalidApprovalConfiguration { .. } => Code::ValueApprovalConfiguration,
            Self::Policy(error) => error.code(),
            Self::InvalidCursor { .. } => Code::ValueCursor,
            Self::InvalidFeedPosition { .. } => Code::ValueFeedPosition,
            Self::NotCommitMode { .. } => Code::ValueNotCommitMode,
            Self::NotFound { .. } => Code::RequestNotFound,
            Self::Removed(_) => Code::RequestRemoved,
            Self::IdOfRemoved(_) => Code::RequestIdOfRemoved,
            Self::Removal { error, .. } => error.code(),
            Self::AlreadyExists { .. } => Code::RequestAlreadyExists,
            Self::AlreadyOpen { .. } => Code::RequestAlreadyOpen,
            Self::WriteIdReused { .. } => Code::RequestWriteIdReused,
            Self::Conflict(_) => Code::RequestConflict,
            Self::InvalidTransition { .. } => Code::RequestInvalidTransition,
            Self::DeadlinePassed { .. } => Code::RequestDeadlinePassed,
            Self::NothingDue { .. } => Code::RequestNothingDue,
            Self::RewrittenHistory { .. } => Code::RequestRewrittenHistory,
            Self::SubmittedFieldsChanged { .. } => Code::RequestSubmittedFieldsChanged,
            Self::TooLarge { .. } => Code::RequestTooLarge,
            Self::TooManyEntries { .. } => Code::RequestTooManyEntries,
            Self::Approval { error, .. } => error.code(),
            Self::Amendment { error, .. } => error.code(),
            Self::Execution { error, .. } => error.code(),
            Self::Supersede { error, .. } => error.code(),
            Self::Correction { error, .. } => error.code(),
            Self::Unwritable { error, .. } | Self::Unreadable { error, .. } => error.code(),
            Self::Unrecorded(_) => Code::ExecutionUnrecorded,
            Self::Archive(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl ApprovalError {
    const fn code(&self) -> Code {
        match self {
            Self::NotAwaitingApproval { .. } => Code::ApprovalNotAwaited,
            Self::NoApprovals => Code::ApprovalNone,
            Self::UnknownApproval { .. } => Code::ApprovalUnknown,
            Self::AlreadyDecided { .. } => Code::ApprovalAlreadyDecided,
            Self::Expired { .. } => Code::ApprovalExpired,
            Self::AnonymousDecider { .. } => Code::ApprovalAnonymousDecider,
            Self::NotAddressed { .. } => Code::ApprovalNotAddressed,
            Self::Excluded { .. } => Code::ApprovalExcluded,
            Self::OwnRequest { .. } => Code::ApprovalOwnRequest,
            Self::AlreadyVoted { .. } => Code::ApprovalAlreadyVoted,
            Self::NotDistinct { .. } => Code::ApprovalNotDistinct,
            Self::NotYet { .. } => Code::ApprovalNotYet,
            Self::NeededElsewhere { .. } => Code::ApprovalNeededElsewhere,
            Self::NothingToDecide { why, .. } => why.code(),
            Self::ReasonDemanded { .. } => Code::ApprovalReasonDemanded,
            Self::AnotherDigest { .. } => Code::ApprovalAnotherDigest,
            Self::Unmet { .. } => Code::ApprovalUnmet,
            Self::NotWaiting { .. } => Code::ApprovalNotWaiting,
            Self::NothingToWithdraw { .. } => Code::ApprovalNothingToWithdraw,
            Self::AnothersVote { .. } => Code::ApprovalAnothersVote,
            Self::AnonymousWithdrawal => Code::ApprovalAnonymousWithdrawal,
            Self::TooLateToWithdraw { .. } => Code::ApprovalTooLateToWithdraw,
            Self::NothingToOverride => Code::ApprovalNothingToOverride,
            Self::AnonymousOverride => Code::ApprovalAnonymousOverride,
            Self::OverrideWithoutReason => Code::ApprovalOverrideWithoutReason,
        }
    }
}

impl PolicyError {
    const fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::PolicyUnreadable,
            Self::Invalid { .. } => Code::PolicyInvalid,
            Self::Unsatisfiable { .. } => Code::PolicyUnsatisfiable,
        }
    }
}

impl ArchiveError {
    fn code(&self) -> Code {
        match self {
            Self::File { .. } => Code::ArchiveFile,
            Self::Manifest { .. } => Code::ArchiveManifest,
            Self::Unfinished { .. } => Code::ArchiveUnfinished,
            Self::NotResumable { .. } => Code::ArchiveNotResumable,
            Self::UnknownFormat { .. } => Code::ArchiveUnknownFormat,
            Self::OtherLayout { .. } => Code::ArchiveOtherLayout,
            Self::Truncated { .. } => Code::ArchiveTruncated,
            Self::Checksum { .. } => Code::ArchiveChecksum,
            Self::OtherCount { .. } => Code::ArchiveOtherCount,
            Self::Line { .. } => Code::ArchiveLine,
            Self::LineTooLong { .. } => Code::ArchiveLineTooLong,
            Self::Rejected { error, .. } => error.full_code(),
            Self::Conflict { .. } => Code::ArchiveConflict,
            Self::Removed { .. } => Code::ArchiveRemoved,
        }
    }
}

impl AmendmentError {
    const fn code(&self) -> Code {
        match self {
            Self::NotPending { .. } => Code::AmendmentNotPending,
            Self::Anonymous => Code::AmendmentAnonymous,
            Self::WithoutReason => Code::AmendmentWithoutReason,
            Self::ToOneself { .. } => Code::AmendmentToOneself,
            Self::Circle { .. } => Code::AmendmentCircle,
            Self::ChainTooLong { .. } => Code::AmendmentChainTooLong,
            Self::ToRequester { .. } => Code::AmendmentToRequester,
            Self::ToExcluded { .. } => Code::AmendmentToExcluded,
            Self::ToVoter { .. } => Code::AmendmentToVoter,
            Self::SameTarget { .. } => Code::AmendmentSameTarget,
            Self::IdTaken { .. } => Code::AmendmentIdTaken,
            Self::GroupTaken { .. } => Code::AmendmentGroupTaken,
            Self::Mandatory { .. } => Code::AmendmentMandatory,
            Self::LastUnmet { .. } => Code::AmendmentLastUnmet,
        }
    }
}

/// The reason has one code, whether one approval was named or all were meant.
impl NothingToDecide {
    const fn code(&self) -> Code {
        match self {
            Self::Anonymous => Code::ApprovalAnonymousDecider,
            Self::Voted { .. } => Code::ApprovalAlreadyVoted,
            Self::NotYet { .. } => Code::ApprovalNotYet,
            Self::Excluded { .. } => Code::ApprovalExcluded,
            Self::OwnRequest { .. } => Code::ApprovalOwnRequest,
            Self::Expired { .. } => Code::ApprovalExpired,
            Self::Decided { .. } => Code::ApprovalAlreadyDecided,
            Self::NotAddressed { .. } => Code::ApprovalNotAddressed,
        }
    }
}

impl ExecutionError {
    const fn code(&self) -> Code {
        match self {
            Self::NotApproved { .. } => Code::ExecutionNotApproved,
            Self::Claimed { .. } => Code::ExecutionClaimed,
            Self::BetweenAttempts { .. } => Code::ExecutionBetweenAttempts,
            Self::ClaimLost { .. } => Code::ExecutionClaimLost,
            Self::LeaseTooShort { .. } => Code::ExecutionLeaseTooShort,
            Self::LeaseNearlyOver { .. } => Code::ExecutionLeaseNearlyOver,
            Self::ApprovedOtherwise { .. } => Code::ExecutionApprovedOtherwise,
            Self::OverriddenOtherwise { .. } => Code::ExecutionOverriddenOtherwise,
            Self::NoRoom { .. } => Code::ExecutionNoRoom,
            Self::NotYet { .. } => Code::ExecutionNotYet,
            Self::NoLongerValid { .. } => Code::ExecutionNoLongerValid,
            Self::StartAfterDeadline { .. } => Code::ExecutionStartAfterDeadline,
            Self::TooLateToSchedule { .. } => Code::ExecutionTooLateToSchedule,
            Self::NotRevalidating { .. } => Code::ExecutionNotRevalidating,
            Self::NothingToRenew => Code::ExecutionNothingToRenew,
            Self::NotExecuted { .. } => Code::ExecutionNotExecuted,
            Self::CompensatedAlready { .. } => Code::ExecutionCompensatedAlready,
            Self::NoCompensation => Code::ExecutionNoCompensation,
            Self::CompensatesAnother { .. } => Code::ExecutionCompensatesAnother,
        }
    }
}

impl SupersedeError {
    const fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::RequestSupersedingMissing,
            Self::Superseded { .. } => Code::RequestSupersedingSuperseded,
        }
    }
}

impl CorrectionError {
    const fn code(&self) -> Code {
        match self {
            Self::NotSentBack { .. } => Code::CorrectionNotSentBack,
            Self::AnothersRequest { .. } => Code::CorrectionAnothersRequest,
            Self::NothingAmended => Code::CorrectionNothingAmended,
            Self::NoApprovals => Code::CorrectionNoApprovals,
            Self::NotResubmittable { .. } => Code::CorrectionNotResubmittable,
            Self::ResubmittedAlready { .. } => Code::CorrectionResubmittedAlready,
        }
    }
}

impl RemovalError {
    const fn code(&self) -> Code {
        match self {
            Self::Anonymous => Code::RemovalAnonymous,
            Self::NotTerminal { .. } => Code::RemovalNotTerminal,
            Self::OnHold => Code::RemovalOnHold,
            Self::LinkedToOpen { .. } => Code::RemovalLinkedToOpen,
            Self::CompensationNotLinked { .. } => Code::RemovalCompensationNotLinked,
        }
    }
}

impl FormatError {
    const fn code(&self) -> Code {
        match self {
            Self::Foreign => Code::FormatForeign,
            Self::Truncated { .. } => Code::FormatTruncated,
            Self::ChecksumMismatch { .. } => Code::FormatChecksumMismatch,
            Self::DamagedHeader => Code::FormatDamagedHeader,
            Self::Malformed { .. } => Code::FormatMalformed,
            Self::UnsupportedVersion { .. } => Code::FormatUnsupportedVersion,
            Self::UnsupportedFlags { .. } => Code::FormatUnsupportedFlags,
            Self::OverLimit { .. } => Code::FormatOverLimit,
            Self::NotExpressible { .. } => Code::FormatNotExpressible,
        }
    }
}

impl StoreError {
    fn code(&self) -> Code {
        if let Some(layout) = &self.layout {
            return layout.code();
        }
        match self.kind {
            StoreErrorKind::Unreachable => Code::StoreUnreachable,
            StoreErrorKind::DeadlineExceeded => Code::StoreDeadlineExceeded,
            StoreErrorKind::Connection => Code::StoreConnection,
            StoreErrorKind::Unavailable => Code::StoreUnavailable,
            StoreErrorKind::Rejected => Code::StoreRejected,
            StoreErrorKind::Incompatible => Code::StoreIncompatible,
            StoreErrorKind::Corrupt => Code::StoreCorrupt,
            StoreErrorKind::Configuration => Code::StoreConfiguration,
            StoreErrorKind::Panicked => Code::StorePanicked,
            StoreErrorKind::Unconfirmed => Code::StoreUnconfirmed,
        }
    }
}

impl LayoutError {
    const fn code(&self) -> Code {
        match self {
            Self::Older { .. } => Code::LayoutOlder,
            Self::Newer { .. } => Code::LayoutNewer,
            Self::Foreign { .. } => Code::LayoutForeign,
            Self::OtherChoice { .. } => Code::LayoutOtherChoice,
            Self::Rebuilding { .. } => Code::LayoutRebuilding,
            Self::Repartitioning { .. } => Code::LayoutRepartitioning,
            Self::Missing { .. } => Code::LayoutMissing,
        }
    }
}
