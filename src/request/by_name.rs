//! Reads the values of closed sets by their names: one table, one error.

use super::{
    ActorKind, ActorMode, ApprovalDecision, ApprovalStatus, BlastScope, CompensationKind, CompensationTrigger,
    DeciderRule, DecisionCategory, DecisionKind, DiscussionDecision, ExecutionDecision, IdComparison,
    LifecycleDecision, LinkRelation, PendingReason, QuorumRejection, ReasonRule, RiskLevel, Severity, Status,
    VersionDecision,
};
use crate::error::InvalidValue;

/// The value whose name is this text, in upper or lower case.
pub(crate) fn by_name<T: Copy>(
    text: &str,
    field: &'static str,
    values: impl IntoIterator<Item = T>,
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, InvalidValue> {
    let mut names = Vec::new();
    for value in values {
        if name_of(value).eq_ignore_ascii_case(text) {
            return Ok(value);
        }
        names.push(name_of(value));
    }
    // What was given may be any text of any length.
    let given: String = text.chars().take(64).collect();
    Err(InvalidValue::new(field, format!("is {given:?}; allowed are {}, in upper or lower case", names.join(", "))))
}

/// `FromStr` for enums without data. A variant that is missing here does not compile.
macro_rules! read_by_name {
    ($($(#[$attribute:meta])* $type:ident, $field:literal: $($value:ident),+;)+) => {$(
        impl std::str::FromStr for $type {
            type Err = $crate::error::InvalidValue;

            /// Reads a value by its name, in upper or lower case. The error lists the allowed names.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let name_of = |value| match value {
                    $(Self::$value => stringify!($value),)+
                };
                $crate::request::by_name(text, $field, [$(Self::$value),+], name_of)
            }
        }
    )+};
}
pub(crate) use read_by_name;

read_by_name! {
    Status, "status": Created, Pending, Approved, Rejected, Canceled, Expired, Superseded, Executed;
    PendingReason, "pending reason": Approval, ExternalCheck, Schedule, Dependency, Quota, ManualReview,
        Correction, Revalidation;
    RiskLevel, "risk level": Low, Medium, High, Critical;
    BlastScope, "blast scope": Single, Module, System, Global;
    Severity, "severity": Info, Warning, Error, Critical;
    ActorKind, "actor kind": Unknown, User, System, Service, Policy, Scheduler, Administrator;
    ActorMode, "actor mode": Simulate, Validate, Commit;
    ApprovalStatus, "approval status": Pending, Approved, Rejected, Satisfied, Expired;
    QuorumRejection, "quorum rejection": Any, WhenImpossible;
    DeciderRule, "decider rule": NotTheRequester, Anyone;
    ReasonRule, "reason rule": Optional, ForRejecting, Always;
    DecisionCategory, "decision category": Lifecycle, Approval, VersionResolution, Execution, Discussion;
    CompensationKind, "compensation kind": Rollback, ForwardCorrection;
    CompensationTrigger, "compensation trigger": Operator, Batch, FailedExecution;
    LinkRelation, "link relation": Compensates, CompensatedBy, BeingCompensatedBy, WasToBeCompensatedBy;
    IdComparison, "id comparison": Exact, FoldCase;
}

/// `FromStr` for the kinds of one category, which have their names in the table of decisions.
macro_rules! read_decisions_by_name {
    ($($type:ident, $field:literal;)+) => {$(
        impl std::str::FromStr for $type {
            type Err = InvalidValue;

            /// Reads a kind by its name without the category, in upper or lower case.
            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                by_name(text, $field, $type::ALL.iter().copied(), |kind| DecisionKind::from(kind).as_str())
            }
        }
    )+};
}

read_decisions_by_name! {
    LifecycleDecision, "lifecycle decision";
    ApprovalDecision, "approval decision";
    VersionDecision, "version decision";
    ExecutionDecision, "execution decision";
    DiscussionDecision, "discussion decision";
}

impl std::str::FromStr for DecisionKind {
    type Err = InvalidValue;

    /// Reads what a kind prints as, such as `Approval/Granted`, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        by_name(text, "decision kind", Self::all(), Self::with_category)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use super::*;

    fn is_read<T: FromStr<Err = InvalidValue> + PartialEq + Debug>(value: &T, name: &str) {
        for text in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            assert_eq!(text.parse::<T>().as_ref(), Ok(value), "{text}");
        }
        for other in [format!("{name} "), format!("x{name}"), String::new()] {
            let error = other.parse::<T>().unwrap_err();
            assert!(error.problem.contains(name), "{error} lists {name}");
        }
    }

    fn as_printed<T: FromStr<Err = InvalidValue> + PartialEq + Debug + Display>(value: T) {
        is_read(&value, &value.to_string());
    }

    #[test]
    fn what_a_value_prints_is_read_in_any_case() {
        Status::ALL.into_iter().for_each(as_printed);
        PendingReason::ALL.into_iter().for_each(as_printed);
        DecisionCategory::ALL.into_iter().for_each(as_printed);
        DecisionKind::all().for_each(as_printed);
        [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical].into_iter().for_each(as_printed);
        [BlastScope::Single, BlastScope::Module, BlastScope::System, BlastScope::Global]
            .into_iter()
            .for_each(as_printed);
        [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical].into_iter().for_each(as_printed);
        [IdComparison::Exact, IdComparison::FoldCase].into_iter().for_each(as_printed);
        as_printed(ApprovalStatus::Satisfied);
        is_read(&ActorKind::Administrator, ActorKind::Administrator.as_str());
        is_read(&ActorMode::Simulate, ActorMode::Simulate.as_str());
        is_read(&CompensationKind::ForwardCorrection, CompensationKind::ForwardCorrection.as_str());
        is_read(&CompensationTrigger::FailedExecution, CompensationTrigger::FailedExecution.as_str());
        is_read(&ApprovalDecision::QuorumSatisfied, "QuorumSatisfied");
        is_read(&QuorumRejection::WhenImpossible, "WhenImpossible");
        is_read(&DeciderRule::Anyone, "Anyone");
        is_read(&LinkRelation::BeingCompensatedBy, "BeingCompensatedBy");
    }

    #[test]
    fn the_error_names_the_field_the_text_and_what_is_allowed() {
        let error = "urgent".parse::<RiskLevel>().unwrap_err();
        let expected = "risk level is \"urgent\"; allowed are Low, Medium, High, Critical, in upper or lower case";
        assert_eq!(error.to_string(), expected);
        let long = "x".repeat(1_000_000).parse::<Status>().unwrap_err();
        assert!(long.problem.len() < 300, "{long}");
    }
}
