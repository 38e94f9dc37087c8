//! The enums without data, to and from the domain's. A variant that one side lacks does not compile.

use super::wire;
use crate::request;

macro_rules! same_variants {
    ($($name:ident { $($variant:ident),* $(,)? })*) => {$(
        impl From<request::$name> for wire::$name {
            fn from(kind: request::$name) -> Self {
                match kind {
                    $(request::$name::$variant => Self::$variant,)*
                }
            }
        }

        impl From<wire::$name> for request::$name {
            fn from(kind: wire::$name) -> Self {
                match kind {
                    $(wire::$name::$variant => Self::$variant,)*
                }
            }
        }
    )*};
}

same_variants! {
    RiskLevel { Low, Medium, High, Critical }
    BlastScope { Single, Module, System, Global }
    ActorKind { Unknown, User, System, Service, Policy, Scheduler, Administrator }
    ActorMode { Simulate, Validate, Commit }
    PendingReason { Approval, ExternalCheck, Schedule, Dependency, Quota, ManualReview }
    QuorumRejection { Any, WhenImpossible }
    DeciderRule { NotTheRequester, Anyone }
    LifecycleDecision {
        Submitted, Pending, Approved, Rejected, Canceled, Expired, Superseded, Executed, Compensated,
    }
    ApprovalDecision {
        Requested, Granted, Rejected, QuorumSatisfied, Expired, Overridden, Renewed, Delegated,
    }
    VersionDecision { Validated, RevalidationRequired, RenewedApprovalRequired, RejectedAsStale }
    ExecutionDecision { Claimed, Released, Failed }
    Severity { Info, Warning, Error, Critical }
    CompensationKind { Rollback, ForwardCorrection }
    CompensationTrigger { Operator, Batch, FailedExecution }
    LinkRelation {
        Compensates, CompensatedBy, BeingCompensatedBy, WasToBeCompensatedBy, Supersedes, WasToSupersede,
    }
}
