//! What becomes of a request after a failed attempt, when it is tried again.

use super::execution;
use crate::command::{AfterFailure, Failure};
use crate::error::{ExecutionError, Result};
use crate::request::{FailedAttempts, RequestDocument, RetryPolicy, Timestamp};

/// The policy under which the request is tried again after a failure, if it is.
pub(super) fn policy(document: &RequestDocument, then: AfterFailure) -> Option<RetryPolicy> {
    match then {
        AfterFailure::Retry(policy) => Some(policy),
        AfterFailure::AsSubmitted => document.execution.retry,
        AfterFailure::Reject | AfterFailure::KeepApproved => None,
    }
}

/// How many attempts in a row have failed, one more included.
pub(super) fn failed_with_this(document: &RequestDocument) -> u32 {
    document.execution.failed_attempts.as_ref().map_or(0, |attempts| attempts.failed).saturating_add(1)
}

/// The attempts that have failed after one more failure, if another attempt follows.
pub(super) fn after(
    document: &RequestDocument,
    policy: RetryPolicy,
    failure: &Failure,
    now: Timestamp,
) -> Option<FailedAttempts> {
    let failed = failed_with_this(document);
    (failed < policy.attempts()).then(|| FailedAttempts {
        failed,
        allowed: policy.attempts(),
        last_at: now,
        message: failure.recorded_message().into_owned(),
        code: failure.recorded_code().map(Into::into),
        next_at: now.saturating_add(policy.pause_after(failed)),
    })
}

/// Checks that the pause after the last failed attempt is over.
pub(super) fn check_pause(document: &RequestDocument, now: Timestamp) -> Result<()> {
    match document.execution.failed_attempts.as_deref() {
        Some(&FailedAttempts { failed, next_at, .. }) if next_at > now => {
            let error = ExecutionError::BetweenAttempts { failed, next_at };
            Err(execution::not_allowed(document, error))
        }
        _ => Ok(()),
    }
}

/// Whether an attempt shows in the history only by its end, so that a thousand of them do not fill it. What an executor
/// takes over is always recorded.
pub(super) fn is_recorded_at_its_end(document: &RequestDocument, then: AfterFailure) -> bool {
    let Some(_) = document.execution.claim else {
        return document.execution.failed_attempts.is_some() || policy(document, then).is_some();
    };
    false
}
