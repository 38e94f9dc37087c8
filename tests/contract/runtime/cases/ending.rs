//! Requests that have grown near to what a store keeps: who may claim one may also end the attempt, however it ends.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, Command, Completion, Failure};
use mutator_governance::{
    ClaimId, Decision, ExecutionDecision, ExecutionError, Metadata, MutationRequest, Payload, RequestDraft, Severity,
    SideEffect, Status, Value,
};

use super::{World, dual};
use crate::runtime::people::{approved, at, count, execution_error, order, user};

const MIB: usize = 1024 * 1024;

/// Bytes that do not compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(1).fill(&mut noise);
    noise
}

/// An approved request that leaves about so many KiB of the default limit.
fn leaving(name: &str, kibibytes: usize) -> RequestDraft {
    approved(name).with_payload(Payload::new("application/octet-stream", noise(MIB - kibibytes * 1024)).unwrap())
}

fn text(seed: usize, bytes: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    std::iter::repeat_with(|| random.alphanumeric()).take(bytes).collect()
}

fn side_effects(seed: usize, count: usize, bytes: usize) -> Vec<SideEffect> {
    let effect =
        |number| SideEffect::new("RowsWritten", text(seed * 10_000 + number, bytes), Severity::Warning, at(1)).unwrap();
    (0..count).map(effect).collect()
}

/// An attempt that fails with a message and side effects of about so many bytes.
fn failure(seed: usize, bytes: usize) -> Failure {
    let mut details = Metadata::new();
    for key in 0..4 {
        details.insert(format!("detail-{key}"), text(seed + 1_000 * key, bytes / 4)).unwrap();
    }
    let failure = Failure::new(text(seed, bytes)).with_code(text(seed + 7, bytes)).with_metadata(details);
    side_effects(seed, 8, bytes / 8).into_iter().fold(failure, Failure::with_side_effect)
}

#[dual]
async fn fail_with(failure: &Failure) -> Result<Completion, Failure> {
    Err(failure.clone())
}

#[dual]
async fn complete_with(completion: &Completion) -> Result<Completion, Failure> {
    Ok(completion.clone())
}

fn failed(request: &MutationRequest) -> &Decision {
    request.decisions.iter().rfind(|decision| decision.kind == ExecutionDecision::Failed.into()).unwrap()
}

fn number(decision: &Decision, key: &str) -> i64 {
    match decision.metadata.get(key) {
        Some(Value::Integer(number)) => *number,
        None => 0,
        other => panic!("{key}: {other:?}"),
    }
}

#[dual]
pub(crate) async fn attempts_that_fail_again_and_again_end_at_a_claim(world: World) {
    let request = world.governance.submit(leaving("request-1", 129)).await.unwrap();
    let keeping = order().when_failed(AfterFailure::KeepApproved);
    let mut attempts = 0;
    let error = loop {
        // The last ones are long enough to take all the room there is.
        let failure = failure(attempts, [20, 300, 5_000, 100_000][attempts % 4]);
        let executed = world.governance.execute(&request.id, &keeping, run!(|_request| fail_with(&failure))).await;
        match executed {
            Ok(outcome) => assert!(!outcome.is_executed()),
            Err(error) => break error,
        }
        attempts += 1;
        let stored = world.stored(&request.id).await;
        assert_eq!((stored.state.status(), &stored.execution.claim), (Status::Approved, &None));
        assert_eq!(count(&stored, ExecutionDecision::Failed), attempts);
        let recorded = failed(&stored);
        let reason = recorded.reason.as_deref().unwrap();
        assert!(reason.len() <= Failure::MAX_MESSAGE_BYTES);
        let kept = reason.strip_suffix("… (cut)").unwrap_or(reason);
        assert!(failure.message.starts_with(kept));
        assert_eq!(kept.len() < failure.message.len(), reason.ends_with("… (cut)"));
        assert!(attempts < 200, "it never ends");
    };
    assert!(attempts >= 4, "{attempts}: {error}");
    assert!(error.to_string().contains("cancel it or reject it"), "{error}");
    assert!(matches!(execution_error(error), ExecutionError::NoRoom { size, limit } if size > limit));
    let stored = world.stored(&request.id).await;
    assert_eq!((stored.execution.claim.as_ref(), count(&stored, ExecutionDecision::Failed)), (None, attempts));

    let claim = Command::claim(user("executor"), ClaimId::generate(), Duration::from_mins(1));
    let error = world.governance.apply(&request.id, &claim).await.unwrap_err();
    assert!(matches!(execution_error(error), ExecutionError::NoRoom { .. }));
    let canceled = world.governance.cancel(&request.id, user("requester")).await.unwrap();
    assert_eq!(canceled.state.status(), Status::Canceled);
}

#[dual]
pub(crate) async fn whatever_comes_of_an_attempt_is_recorded(world: World) {
    for bytes in [0, 1, 700, 5_000, 70_000, 3 * MIB] {
        let draft = leaving(&format!("completed-{bytes}"), 129);
        let request = world.governance.submit(draft).await.unwrap();
        let mut completion = Completion::new();
        completion.side_effects = side_effects(bytes, 100, bytes / 100);
        let outcome =
            world.governance.execute(&request.id, &order(), run!(|_request| complete_with(&completion))).await;
        assert!(outcome.unwrap().is_executed());
        let stored = world.stored(&request.id).await;
        assert_eq!(stored.state.status(), Status::Executed);
        let last = stored.decisions.last().unwrap();
        let (kept, left_out) = (number(last, "side_effects"), number(last, "side_effects_left_out"));
        assert_eq!((kept + left_out, kept), (100, stored.side_effects.len() as i64));
        assert_eq!(left_out > 0, bytes > 120_000, "{bytes}: {left_out} left out");
        assert_eq!(
            stored.side_effects,
            completion.side_effects[..stored.side_effects.len()],
            "the first ones are kept"
        );

        let request = world.governance.submit(leaving(&format!("failed-{bytes}"), 129)).await.unwrap();
        let failure = failure(bytes, bytes);
        let outcome = world.governance.execute(&request.id, &order(), run!(|_request| fail_with(&failure))).await;
        assert!(!outcome.unwrap().is_executed());
        let stored = world.stored(&request.id).await;
        assert_eq!(stored.state.status(), Status::Rejected);
        let recorded = failed(&stored);
        assert_eq!(number(recorded, "side_effects_left_out") + stored.side_effects.len() as i64, 8);
        assert!(bytes > 120_000 || stored.side_effects.len() == 8, "{bytes}");
    }
}
