//! What becomes of a request whose execution failed.

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;
use crate::request::{Period, RetryPolicy};

/// What becomes of a request whose execution failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields", into = "Fields")]
#[non_exhaustive]
pub enum AfterFailure {
    /// It is tried again by the policy that it was [submitted with](crate::RequestDraft::retrying); without one, it is
    /// rejected. The default.
    #[default]
    AsSubmitted,
    /// It is rejected, with the details of the failure.
    Reject,
    /// It stays approved, for another attempt at any time. Attempts under a policy are counted anew afterwards.
    KeepApproved,
    /// It stays approved until so many attempts in a row have failed, and is not executed again before the pause is
    /// over. After the last attempt it is rejected. The history has one decision for each attempt.
    Retry(RetryPolicy),
}

/// It as it serialises.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    then: Then,
    /// How many attempts, the first included: with `Retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 2, max = 1_000)))]
    attempts: Option<u32>,
    /// The pause after the first failure: with `Retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_pause: Option<Period>,
    /// The longest pause: with `Retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_pause: Option<Period>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schemars", schemars(inline))]
enum Then {
    AsSubmitted,
    Reject,
    KeepApproved,
    Retry,
}

impl From<AfterFailure> for Fields {
    fn from(then: AfterFailure) -> Self {
        let without = |then| Self { then, attempts: None, first_pause: None, longest_pause: None };
        match then {
            AfterFailure::AsSubmitted => without(Then::AsSubmitted),
            AfterFailure::Reject => without(Then::Reject),
            AfterFailure::KeepApproved => without(Then::KeepApproved),
            AfterFailure::Retry(policy) => Self {
                then: Then::Retry,
                attempts: Some(policy.attempts()),
                first_pause: Some(policy.first_pause()),
                longest_pause: Some(policy.longest_pause()),
            },
        }
    }
}

impl TryFrom<Fields> for AfterFailure {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        match (fields.then, fields.attempts, fields.first_pause, fields.longest_pause) {
            (Then::AsSubmitted, None, None, None) => Ok(Self::AsSubmitted),
            (Then::Reject, None, None, None) => Ok(Self::Reject),
            (Then::KeepApproved, None, None, None) => Ok(Self::KeepApproved),
            (Then::Retry, Some(attempts), first, longest) => {
                RetryPolicy::with_some_pauses(attempts, first, longest).map(Self::Retry)
            }
            _ => Err(InvalidValue::new("after failure", "has attempts with Retry, and with pauses only there")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_retry_has_attempts() {
        let read = serde_json::from_str::<AfterFailure>;
        assert_eq!(
            read(r#"{"type":"Retry","attempts":5}"#).unwrap(),
            AfterFailure::Retry(RetryPolicy::new(5).unwrap())
        );
        for bad in [
            r#"{"type":"Retry"}"#,
            r#"{"type":"Retry","attempts":1}"#,
            r#"{"type":"Retry","attempts":2,"pause":"PT1S"}"#,
            r#"{"type":"Reject","attempts":2}"#,
            r#"{"type":"KeepApproved","first_pause":"PT1S"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
