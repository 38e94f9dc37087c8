//! Attempts that fail and are tried again.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Command, Completion, Failure, explain};
use mutator_governance::{
    ClaimId, Error, ExecutionDecision, ExecutionError, FailedAttempts, MutationRequest, RequestDraft, RetryPolicy,
    Status, Value,
};

use crate::support::{apply, at, draft, execution_error, history, submit, try_apply, user};

const LEASE: Duration = Duration::from_mins(1);

fn claim_id(second: u64) -> ClaimId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&second.to_be_bytes());
    ClaimId::from_bytes(bytes)
}

fn claim(second: u64) -> Command {
    Command::claim(user("executor"), claim_id(second), LEASE)
}

/// Pauses of 10, 20, 40, 40, … seconds.
fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy::new(attempts).unwrap().pauses(Duration::from_secs(10), Duration::from_secs(40)).unwrap()
}

fn fail(second: u64, then: AfterFailure) -> Command {
    let failure = Failure::new(format!("no route at {second}")).with_code("E42");
    Command::fail(user("executor"), claim_id(second), failure, then)
}

fn approved(draft: RequestDraft) -> MutationRequest {
    submit(draft.already_approved())
}

/// The request after an attempt that was claimed at this second, and failed at once.
fn attempt(request: &MutationRequest, second: u64, then: AfterFailure) -> MutationRequest {
    apply(&apply(request, &claim(second), second), &fail(second, then), second)
}

fn failed_attempts(request: &MutationRequest) -> &FailedAttempts {
    request.execution.failed_attempts.as_deref().unwrap()
}

#[test]
fn a_failed_attempt_is_followed_by_a_pause_that_grows_and_binds() {
    let retry = AfterFailure::Retry(policy(9));
    let mut request = approved(draft());
    for (number, second, next) in [(1, 100, 110), (2, 110, 130), (3, 130, 170), (4, 300, 340)] {
        request = attempt(&request, second, retry);
        let failed = failed_attempts(&request);
        assert_eq!((failed.failed, failed.allowed), (number, 9));
        assert_eq!((failed.last_at, failed.next_at), (at(second), at(next)));
        assert_eq!(failed.message, format!("no route at {second}"));
        assert_eq!(failed.code.as_deref(), Some("E42"));
        assert_eq!((request.state.status(), &request.execution.claim), (Status::Approved, &None));
        let error = try_apply(&request, &claim(next), next - 1).unwrap_err();
        assert_eq!(error.code(), "execution.between_attempts");
        assert_eq!(error.retry_after(), Some(at(next)));
        assert_eq!(execution_error(error), ExecutionError::BetweenAttempts { failed: number, next_at: at(next) });
    }
    assert!(try_apply(&request, &claim(340), 340).is_ok());
}

#[test]
fn the_history_has_one_decision_for_each_further_attempt_and_nothing_else() {
    let retry = AfterFailure::Retry(policy(9));
    let mut request = attempt(&approved(draft()), 100, retry);
    let before = request.decisions.len();
    for second in [200, 300, 400] {
        request = attempt(&request, second, retry);
    }
    assert_eq!(history(&request, before), ["Execution/Failed"; 3]);
    let last = request.decisions.last().unwrap();
    assert_eq!((last.at, &last.by, last.reason.as_deref()), (at(400), &user("executor"), Some("no route at 400")));
    assert_eq!(last.metadata.len(), 1, "{:?}", last.metadata);
    assert_eq!(last.metadata.get("code"), Some(&Value::from("E42")));
}

#[test]
fn what_an_executor_takes_over_from_is_recorded() {
    let request = attempt(&approved(draft()), 100, AfterFailure::Retry(policy(9)));
    let abandoned = apply(&request, &claim(200), 200);
    let before = abandoned.decisions.len();
    let taken = apply(&abandoned, &claim(260), 260);
    assert_eq!(history(&taken, before), ["Execution/Claimed"]);
    let previous = Value::from(claim_id(200).to_string());
    assert_eq!(taken.decisions.last().unwrap().metadata.get("previous_claim"), Some(&previous));
    assert_eq!(failed_attempts(&taken).failed, 1, "what became of the abandoned attempt is not known");
}

#[test]
fn the_last_attempt_rejects() {
    let retry = AfterFailure::Retry(policy(3));
    let request = [100, 200].into_iter().fold(approved(draft()), |request, second| attempt(&request, second, retry));
    let before = request.decisions.len();
    let rejected = attempt(&request, 300, retry);
    assert_eq!(history(&rejected, before), ["Execution/Failed", "Lifecycle/Rejected"]);
    assert_eq!((rejected.state.status(), &rejected.execution.failed_attempts), (Status::Rejected, &None));
    let last = rejected.decisions.last().unwrap();
    assert_eq!(last.reason.as_deref(), Some("no route at 300"));
    assert_eq!(last.metadata.get("attempts"), Some(&Value::from(3)));
}

#[test]
fn success_ends_the_retries() {
    let failed = attempt(&approved(draft()), 100, AfterFailure::Retry(policy(3)));
    let complete = Command::complete(user("executor"), claim_id(200), Completion::new());
    let executed = apply(&apply(&failed, &claim(200), 200), &complete, 201);
    assert_eq!((executed.state.status(), &executed.execution.failed_attempts), (Status::Executed, &None));
}

#[test]
fn a_request_is_tried_again_as_it_was_submitted() {
    let own = approved(draft().retrying(policy(2)));
    let failed = attempt(&own, 100, AfterFailure::AsSubmitted);
    assert_eq!((failed_attempts(&failed).allowed, failed.state.status()), (2, Status::Approved));
    assert_eq!(attempt(&failed, 200, AfterFailure::AsSubmitted).state.status(), Status::Rejected);
    let without = attempt(&approved(draft()), 100, AfterFailure::AsSubmitted);
    assert_eq!(without.state.status(), Status::Rejected);
    assert_eq!(attempt(&own, 100, AfterFailure::Reject).state.status(), Status::Rejected, "the executor knows better");
}

#[test]
fn an_executor_that_keeps_it_approved_ends_the_counting() {
    let retry = AfterFailure::Retry(policy(9));
    let failed = attempt(&approved(draft()), 100, retry);
    let kept = attempt(&failed, 200, AfterFailure::KeepApproved);
    assert_eq!(kept.execution.failed_attempts, None);
    assert_eq!(failed_attempts(&attempt(&kept, 201, retry)).failed, 1);
}

#[test]
fn what_waits_again_forgets_its_failed_attempts() {
    let failed = attempt(&approved(draft()), 100, AfterFailure::Retry(policy(9)));
    let held = apply(&failed, &Command::hold(user("mona"), mutator_governance::PendingReason::Schedule), 101);
    assert_eq!(held.execution.failed_attempts, None);
    let again = apply(&held, &Command::approve_request(user("mona")), 102);
    assert!(try_apply(&again, &claim(103), 103).is_ok(), "it was approved anew, so nothing has failed");
}

#[test]
fn an_explanation_says_when_the_next_attempt_begins() {
    let retry = AfterFailure::Retry(policy(9));
    let request =
        [100, 200, 300].into_iter().fold(approved(draft()), |request, second| attempt(&request, second, retry));
    let explained = explain(&request, at(310));
    assert_eq!(explained.next_attempt_at, Some(at(340)));
    let expected =
        format!("is approved; failed 3 times, last at {} by executor: no route at 300; next attempt in 30 s", at(300));
    assert_eq!(explained.to_string(), expected);
    let due = explain(&request, at(340)).to_string();
    assert!(due.starts_with("is approved and can be executed; failed 3 times"), "{due}");
    assert!(!due.contains("next attempt"), "{due}");
}

#[test]
fn nobody_adds_retries_to_a_submitted_request() {
    let request = approved(draft());
    let with = approved(draft().retrying(policy(2)));
    assert!(mutator_governance::for_stores::has_same_submission(&request, &approved(draft())));
    assert!(!mutator_governance::for_stores::has_same_submission(&request, &with));
}

#[test]
fn a_lost_claim_counts_no_attempt() {
    let failed = attempt(&approved(draft()), 100, AfterFailure::Retry(policy(9)));
    let error = try_apply(&failed, &fail(100, AfterFailure::Retry(policy(9))), 101).unwrap_err();
    assert!(matches!(error, Error::Execution { error: ExecutionError::ClaimLost { .. }, .. }), "{error}");
    let count = |request: &MutationRequest| {
        request.decisions.iter().filter(|decision| decision.kind == ExecutionDecision::Failed.into()).count()
    };
    assert_eq!(count(&failed), 1);
}
