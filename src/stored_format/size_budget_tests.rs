//! The end of a request fits in every state: the end of an attempt, of the request, and of what it waits for.

use std::sync::Arc;
use std::time::Duration;

use super::samples::at;
use super::{DocumentLimit, SizeBudget};
use crate::error::{Error, Result};
use crate::request::*;
use crate::workflow::{
    AfterFailure, Command, Completion, Failure, apply, link_compensation, reservation, shortened, submit,
};

const LIMITS: [DocumentLimit; 3] =
    [DocumentLimit::of_bytes(16 * 1024), DocumentLimit::of_bytes(32 * 1024), DocumentLimit::of_bytes(100_000)];
const LEASE: Duration = Duration::from_secs(60);

fn user(id: &str) -> Arc<ActorContext> {
    Arc::new(ActorContext::user(id).unwrap())
}

fn claim_id() -> ClaimId {
    ClaimId::from_bytes([1; 16])
}

fn long_id() -> RequestId {
    RequestId::new("x".repeat(128)).unwrap()
}

fn draft(payload: usize) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let payload = Payload::new("application/octet-stream", vec![b'1'; payload]).unwrap();
    RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), user("rita")).with_payload(payload)
}

fn submitted(draft: RequestDraft, limit: DocumentLimit) -> Option<MutationRequest> {
    let id = RequestId::new("request-1").unwrap();
    let request = submit(draft, id, WriteId::from_bytes([9; 16]), at(0)).unwrap();
    SizeBudget::to_submit(limit, &request).check(&request).is_ok().then_some(request)
}

fn checked(limit: DocumentLimit, request: MutationRequest) -> Result<MutationRequest> {
    SizeBudget::to_change(limit, &request).check(&request).map(|()| request)
}

fn fits(limit: DocumentLimit, request: &MutationRequest, command: &Command) -> MutationRequest {
    let changed = apply(request.clone(), command, at(90)).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    checked(limit, changed).unwrap_or_else(|error| panic!("{} bytes, {command:?}: {error}", limit.bytes()))
}

/// The end, recorded like the engine does.
fn recorded(limit: DocumentLimit, claimed: &MutationRequest, mut command: Command) -> MutationRequest {
    for _ in 0..200 {
        match checked(limit, apply(claimed.clone(), &command, at(30)).unwrap()) {
            Ok(request) => return request,
            Err(error) => {
                command = shortened(&command, &error).unwrap_or_else(|| panic!("{} bytes: {error}", limit.bytes()));
            }
        }
    }
    panic!("it is not shortened by enough")
}

fn failure(seed: usize, bytes: usize) -> Failure {
    let text = |more: usize| format!("{seed}-{more}-{}", "ä".repeat(bytes / 2));
    let details = Metadata::new().with("detail", text(1)).unwrap().with("list", vec![Value::from(text(2))]).unwrap();
    let effect = |more| SideEffect::new("RowsWritten", text(more), Severity::Info, at(1)).unwrap();
    let failure = Failure::new(text(0)).with_code(text(3)).with_metadata(details);
    (10..14).map(effect).fold(failure, Failure::with_side_effect)
}

/// Cancelled, rejected, superseded.
fn each_end_fits(limit: DocumentLimit, request: &MutationRequest) {
    let by = || Arc::new(ActorContext::user("somebody-else").unwrap().because("there is no need for it any more"));
    for command in [Command::cancel(by()), Command::reject_request(by()), Command::supersede(by(), long_id())] {
        fits(limit, request, &command);
    }
}

/// An executed compensation of this request.
fn compensation_of(original: &MutationRequest) -> MutationRequest {
    let plan =
        CompensationPlan::new(original.id.clone(), CompensationKind::Rollback, CompensationTrigger::FailedExecution);
    let submitted =
        submit(draft(0).compensating(plan).already_approved(), long_id(), WriteId::from_bytes([8; 16]), at(0)).unwrap();
    let claimed = apply(submitted, &Command::claim(user("executor"), claim_id(), LEASE), at(1)).unwrap();
    apply(claimed, &Command::complete(user("executor"), claim_id(), Completion::new()), at(2)).unwrap()
}

fn can_be_compensated(limit: DocumentLimit, original: &MutationRequest) {
    let undo = compensation_of(original);
    let ExecutionKind::Compensation(plan) = &undo.execution.kind else { panic!("no compensation") };
    let reserved = checked(limit, reservation::reserve(original.clone(), &undo.id, plan, at(99))).unwrap();
    checked(limit, link_compensation(reserved, &undo, &user("executor"), at(100)).unwrap()).unwrap();
}

fn each_end_of_an_attempt_fits(limit: DocumentLimit, claimed: &MutationRequest, seed: usize, bytes: usize) {
    let by = || user("executor");
    let released = fits(limit, claimed, &Command::release(by(), claim_id()));
    each_end_fits(limit, &released);
    let version = StateVersion::new("v".repeat(256)).unwrap();
    let bare = Command::complete(by(), claim_id(), Completion::new().resulting_in(version));
    can_be_compensated(limit, &fits(limit, claimed, &bare));
    let completion =
        failure(seed, bytes).side_effects.into_iter().fold(Completion::new(), Completion::with_side_effect);
    can_be_compensated(limit, &recorded(limit, claimed, Command::complete(by(), claim_id(), completion)));
    let reject = Command::fail(by(), claim_id(), failure(seed, bytes), AfterFailure::Reject);
    can_be_compensated(limit, &recorded(limit, claimed, reject));
}

/// A policy that hardly pauses.
fn at_once() -> RetryPolicy {
    let pause = Duration::from_micros(1);
    RetryPolicy::new(RetryPolicy::MAX_ATTEMPTS).unwrap().pauses(pause, pause).unwrap()
}

/// Of the document; the rows of a decision in the indexes come to that.
#[test]
fn a_thousand_failed_attempts_take_at_most_200_bytes_each() {
    let size = |request: &MutationRequest| super::encode(request.document(), DocumentLimit::MAX).unwrap().len();
    let mut request = submitted(draft(10).already_approved(), DocumentLimit::MAX).unwrap();
    let mut sizes = vec![size(&request)];
    for attempt in 1..RetryPolicy::MAX_ATTEMPTS {
        let now = at(90 + u64::from(attempt));
        let by = user("executor");
        let claimed = apply(request, &Command::claim(Arc::clone(&by), claim_id(), LEASE), now).unwrap();
        let failure = Failure::new(format!("connection {attempt} is refused by 10.20.30.40:5432")).with_code("refused");
        let fail = Command::fail(by, claim_id(), failure, AfterFailure::Retry(at_once()));
        request = apply(claimed, &fail, now).unwrap();
        sizes.push(size(&request));
    }
    let (first, last) = (sizes[1] - sizes[0], sizes[999] - sizes[1]);
    assert!(first <= 400, "the first attempt takes {first} bytes: the executor, its claim, the policy");
    assert!(last <= 998 * 200, "{last} bytes for 998 attempts");
    println!("{first} bytes for the first attempt, {} for each further one", last / 998);
}

#[test]
fn who_may_claim_may_also_end_and_who_may_not_may_cancel() {
    for limit in LIMITS {
        for (seed, less) in (0..24).map(|seed| (seed, seed * 61)) {
            let Some(mut request) = submitted(draft(limit.bytes() * 7 / 8 - 500 - less).already_approved(), limit)
            else {
                continue;
            };
            let mut attempts = 0;
            loop {
                let claim = Command::claim(user("executor"), claim_id(), LEASE);
                let claimed = match checked(limit, apply(request.clone(), &claim, at(20)).unwrap()) {
                    Ok(claimed) => claimed,
                    Err(error) => break assert!(matches!(error, Error::TooLarge { .. }), "{error}"),
                };
                let bytes = [0, 3, 90, 700, 9_000, 200_000][(seed + attempts) % 6];
                each_end_of_an_attempt_fits(limit, &claimed, seed + attempts, bytes);
                let then = if attempts % 2 == 0 { AfterFailure::KeepApproved } else { AfterFailure::Retry(at_once()) };
                let keep = Command::fail(user("executor"), claim_id(), failure(attempts, bytes), then);
                request = recorded(limit, &claimed, keep);
                each_end_fits(limit, &request);
                attempts += 1;
            }
            assert!(attempts > 0, "{} bytes: not even one attempt", limit.bytes());
            each_end_fits(limit, &request);
        }
    }
}

#[test]
fn whatever_waits_can_expire() {
    for (limit, approvers) in LIMITS.into_iter().flat_map(|limit| [(limit, 1), (limit, 12), (limit, 40)]) {
        let target = |number: usize| {
            let name = |what: &str| format!("{what}-{number}-{}", "n".repeat(60));
            ApprovalTarget::actor(name("actor")).unwrap().or(ApprovalTarget::role(name("role")).unwrap())
        };
        let rule = ApprovalRule::quorum("g".repeat(100), 1, (0..approvers).map(target)).unwrap();
        let rule = rule.rejected_when_impossible().expiring_at(at(50));
        let Some(mut request) = (0..limit.bytes())
            .rev()
            .step_by(250)
            .find_map(|payload| submitted(draft(payload).requires_approval(rule.clone()), limit))
        else {
            assert!(approvers > 12 && limit.bytes() < 20_000, "{} bytes, {approvers} approvers", limit.bytes());
            continue;
        };
        let mut grown = 0;
        loop {
            fits(limit, &request, &Command::expire_approvals(user("sweeper")));
            fits(limit, &request, &Command::expire(user("sweeper")));
            each_end_fits(limit, &request);
            let by = |why: &str| Arc::new(ActorContext::user("oncall").unwrap().because(format!("{why} {grown}")));
            let overridden = apply(request.clone(), &Command::override_approvals(by("it burns")), at(1)).unwrap();
            let held = Command::hold(by("it burns no more"), PendingReason::Approval);
            let Ok(held) = checked(limit, apply(overridden, &held, at(2)).unwrap()) else { break };
            request = held;
            grown += 1;
        }
        assert!(grown > 0, "{} bytes, {approvers} approvers: it has no room to grow", limit.bytes());
    }
}
