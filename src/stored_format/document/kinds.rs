//! The numbers of the enums without data. A variant without a number does not compile.

use crate::request::{
    ActorKind, ActorMode, ApprovalDecision, BlastScope, CompensationKind, CompensationTrigger, DeciderRule,
    DecisionKind, DiscussionDecision, ExecutionDecision, LifecycleDecision, PendingReason, QuorumRejection, ReasonRule,
    RiskLevel, Severity, VersionDecision,
};
#[cfg(test)]
use crate::stored_format::gates::{Part, Version};

/// An enum whose variants are each written as one byte.
pub(super) trait Numbered: Sized {
    const NAME: &'static str;
    fn number(self) -> u8;
    fn of_number(number: u8) -> Option<Self>;
    /// The name of the variant with this number.
    fn word(number: u8) -> &'static str;
}

/// What one request is to another, of every kind of link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredRelation {
    Compensates,
    CompensatedBy,
    BeingCompensatedBy,
    WasToBeCompensatedBy,
    Resubmits,
    ResubmittedAs,
}

macro_rules! numbered {
    ($($name:ident($title:literal) { $($number:literal = $variant:ident),* $(,)? })*) => {$(
        impl Numbered for $name {
            const NAME: &'static str = $title;

            fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }

            fn of_number(number: u8) -> Option<Self> {
                Some(match number {
                    $($number => Self::$variant,)*
                    _ => return None,
                })
            }

            fn word(number: u8) -> &'static str {
                match number {
                    $($number => stringify!($variant),)*
                    _ => "unknown",
                }
            }
        }
    )*

        /// Every variant: the name of its enum, its number, and its own name.
        #[cfg(test)]
        fn variants() -> Vec<(&'static str, u8, &'static str)> {
            vec![$($(($title, $number, stringify!($variant)),)*)*]
        }
    };
}

numbered! {
    RiskLevel("risk level") { 0 = Low, 1 = Medium, 2 = High, 3 = Critical }
    BlastScope("blast scope") { 0 = Single, 1 = Module, 2 = System, 3 = Global }
    ActorKind("actor kind") {
        0 = Unknown, 1 = User, 2 = System, 3 = Service, 4 = Policy, 5 = Scheduler, 6 = Administrator,
    }
    ActorMode("actor mode") { 0 = Simulate, 1 = Validate, 2 = Commit }
    PendingReason("pending reason") {
        0 = Approval, 1 = ExternalCheck, 2 = Schedule, 3 = Dependency, 4 = Quota, 5 = ManualReview,
        6 = Correction,
        7 = Revalidation,
    }
    QuorumRejection("quorum rejection") { 0 = Any, 1 = WhenImpossible }
    DeciderRule("decider rule") { 0 = NotTheRequester, 1 = Anyone }
    ReasonRule("reason rule") { 0 = Optional, 1 = ForRejecting, 2 = Always }
    Severity("severity") { 0 = Info, 1 = Warning, 2 = Error, 3 = Critical }
    CompensationKind("compensation kind") { 0 = Rollback, 1 = ForwardCorrection }
    CompensationTrigger("compensation trigger") { 0 = Operator, 1 = Batch, 2 = FailedExecution }
    StoredRelation("link relation") {
        0 = Compensates, 1 = CompensatedBy, 2 = BeingCompensatedBy, 3 = WasToBeCompensatedBy, 4 = Resubmits,
        5 = ResubmittedAs,
    }
}

macro_rules! numbered_decisions {
    ($($category:ident($name:ident) { $($number:literal = $variant:ident),* $(,)? })*) => {
        impl Numbered for DecisionKind {
            const NAME: &'static str = "decision kind";

            fn number(self) -> u8 {
                match self {
                    $($(Self::$category($name::$variant) => $number,)*)*
                }
            }

            fn of_number(number: u8) -> Option<Self> {
                Some(match number {
                    $($($number => Self::$category($name::$variant),)*)*
                    _ => return None,
                })
            }

            fn word(number: u8) -> &'static str {
                match number {
                    $($($number => concat!(stringify!($category), "/", stringify!($variant)),)*)*
                    _ => "unknown",
                }
            }
        }

        #[cfg(test)]
        fn decisions() -> Vec<(&'static str, u8, &'static str)> {
            vec![$($((DecisionKind::NAME, $number, DecisionKind::word($number)),)*)*]
        }
    };
}

numbered_decisions! {
    Lifecycle(LifecycleDecision) {
        0 = Submitted, 1 = Pending, 2 = Approved, 3 = Rejected, 4 = Canceled, 5 = Expired, 6 = Superseded,
        7 = Executed, 8 = Compensated, 9 = Amended,
    }
    Approval(ApprovalDecision) {
        32 = Requested, 33 = Granted, 34 = Rejected, 35 = QuorumSatisfied, 36 = Expired, 37 = Overridden,
        38 = Renewed, 39 = Delegated, 40 = Withdrawn, 41 = Reassigned, 42 = Added, 43 = Removed, 44 = Escalated,
    }
    VersionResolution(VersionDecision) {
        64 = Validated, 65 = RevalidationRequired, 66 = RenewedApprovalRequired, 67 = RejectedAsStale,
    }
    Execution(ExecutionDecision) { 96 = Claimed, 97 = Released, 98 = Failed, 99 = Scheduled }
    Discussion(DiscussionDecision) { 128 = Commented }
}

/// Whether this version has the kind of decision.
#[cfg(test)]
pub(in crate::stored_format) fn has_decision(version: Version, kind: DecisionKind) -> bool {
    version.has(Part::Kind(DecisionKind::NAME, kind.number()))
}

/// Every variant with a number, one per line, in this version.
#[cfg(test)]
pub(in crate::stored_format) fn kinds_of(version: Version) -> String {
    let all = variants().into_iter().chain(decisions());
    let known = all.filter(|(name, number, _)| version.has(Part::Kind(name, *number)));
    known.map(|(name, number, word)| format!("{name} {number} {word}\n")).collect()
}
