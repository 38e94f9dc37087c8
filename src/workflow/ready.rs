//! Which requests an executor may take, as far as they show it themselves.

use super::execution::digest_error;
use super::timing::{passed_validity, valid_until};
use crate::request::{
    DecisionCategory, DecisionKind, Execution, ExecutionDecision, LifecycleDecision, MutationRequest, RequestDocument,
    Status, Timestamp,
};

/// When an approved request became ready to be executed, or becomes it if nothing changes: when it was approved, last
/// released, failed or scheduled, when its time comes, when the pause after a failed attempt is over, or when the lease of
/// its claim ends, whichever is latest. `None` if it is not approved, or if its validity ends before.
pub fn ready_at(document: &RequestDocument) -> Option<Timestamp> {
    let (approved, touched) = approval_and_last_touch(document)?;
    let Execution { not_before, claim, failed_attempts, .. } = &document.execution;
    let next_attempt = failed_attempts.as_ref().map(|attempts| attempts.next_at);
    let lease_ends_at = claim.as_ref().map(|claim| claim.lease_ends_at);
    let times = [Some(approved), touched, *not_before, next_attempt, lease_ends_at];
    let ready = times.into_iter().flatten().max()?;
    valid_until(document).is_none_or(|end| ready < end).then_some(ready)
}

/// The end of the lease, if that of its claim is what an approved request waits for to be ready.
pub(crate) fn awaited_lease(document: &RequestDocument) -> Option<Timestamp> {
    let lease_ends_at = document.execution.claim.as_ref()?.lease_ends_at;
    ready_at(document).filter(|ready| *ready == lease_ends_at)
}

/// When the request was approved, if it is.
pub(super) fn approved_at(document: &RequestDocument) -> Option<Timestamp> {
    approval_and_last_touch(document).map(|(approved, _)| approved)
}

/// When an approved request was approved, and when an executor last gave it back, or somebody scheduled it, since then.
fn approval_and_last_touch(document: &RequestDocument) -> Option<(Timestamp, Option<Timestamp>)> {
    if document.state.status() != Status::Approved {
        return None;
    }
    let approved = LifecycleDecision::Approved.into();
    let mut touched = None;
    for decision in document.decisions.iter().rev() {
        if decision.kind == approved {
            return Some((decision.at, touched));
        }
        let gives_back = matches!(
            decision.kind,
            DecisionKind::Execution(
                ExecutionDecision::Released | ExecutionDecision::Failed | ExecutionDecision::Scheduled
            )
        );
        touched = touched.max(Some(decision.at).filter(|_| gives_back));
    }
    // Only a document that no rule made is approved without such a decision.
    Some((document.created_at, touched))
}

/// Whether the request can be executed at this time, as far as it shows itself: ready, and approved as it is now.
/// `execute` checks this again, and what depends on other requests.
pub(crate) fn is_ready(request: &MutationRequest, now: Timestamp) -> bool {
    is_ready_at(request, now) && digest_error(request, request.digest()).is_none()
}

/// Whether the request is ready at this time: approved, its time come, valid, not claimed by a lease that lasts, and
/// with no pause after a failed attempt.
pub(crate) fn is_ready_at(document: &RequestDocument, now: Timestamp) -> bool {
    ready_at(document).is_some_and(|ready| ready <= now) && passed_validity(document, now).is_none()
}

/// How many attempts to execute the request have failed since it was approved or an attempt ended otherwise, and when
/// the last of them did.
pub(crate) fn failed_attempts(request: &MutationRequest) -> Option<(u32, Timestamp)> {
    let failed = ExecutionDecision::Failed.into();
    let is_of_an_attempt =
        |category| matches!(category, DecisionCategory::Execution | DecisionCategory::VersionResolution);
    let decided = request.decisions.iter().rev();
    let decided = decided.filter(|decision| decision.kind.category() != DecisionCategory::Discussion);
    let attempts = decided.take_while(|decision| is_of_an_attempt(decision.kind.category()));
    let mut failures = attempts.filter(|decision| decision.kind == failed);
    let last = failures.next()?.at;
    Some((u32::try_from(failures.count()).unwrap_or(u32::MAX).saturating_add(1), last))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::request::{
        ActorContext, ApprovalRule, ClaimId, Intent, RequestDraft, RequestId, StateVersion, Target, WriteId,
    };
    use crate::workflow::{self, AfterFailure, Command, Failure, StaleStrategy};

    const LEASE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000).unwrap().saturating_add(Duration::from_secs(seconds))
    }

    fn by() -> Arc<ActorContext> {
        Arc::new(ActorContext::service("executor").unwrap())
    }

    fn draft() -> RequestDraft {
        let target = Target::new("s", "State", "Change").unwrap();
        let intent = Intent::new("change", "Test").unwrap();
        RequestDraft::new(target, intent, by()).for_version(StateVersion::new("v1").unwrap())
    }

    fn submitted(draft: RequestDraft) -> MutationRequest {
        workflow::submit(draft, RequestId::new("r").unwrap(), WriteId::generate(), at(0)).unwrap()
    }

    fn claimed(request: MutationRequest, second: u64) -> (MutationRequest, ClaimId) {
        let claim = ClaimId::generate();
        (workflow::apply(request, &Command::claim(by(), claim, LEASE), at(second)).unwrap(), claim)
    }

    fn failed(request: MutationRequest, second: u64) -> MutationRequest {
        let (request, claim) = claimed(request, second);
        let fail = Command::fail(by(), claim, Failure::new("it failed"), AfterFailure::KeepApproved);
        workflow::apply(request, &fail, at(second + 1)).unwrap()
    }

    #[test]
    fn approved_and_not_claimed_by_a_lasting_lease_is_ready() {
        let waiting = submitted(draft().requires_approval(ApprovalRule::actor("mona").unwrap()));
        assert!(!is_ready(&waiting, at(1)));
        let approved = submitted(draft().already_approved());
        assert!(is_ready(&approved, at(1)));
        let (held, _) = claimed(approved, 10);
        assert_eq!([69, 70].map(|second| is_ready(&held, at(second))), [false, true], "the lease ends at second 70");
    }

    #[test]
    fn failures_in_a_row_are_counted_until_somebody_decides_anew() {
        let mut request = submitted(draft().already_approved());
        assert_eq!(failed_attempts(&request), None);
        for attempt in 1..=3_u32 {
            request = failed(request, u64::from(attempt) * 10);
            assert_eq!(failed_attempts(&request), Some((attempt, at(u64::from(attempt) * 10 + 1))));
        }
        let request = workflow::apply(request, &Command::comment(by(), "why?"), at(40)).unwrap();
        assert_eq!(failed_attempts(&request).map(|(count, _)| count), Some(3), "a comment ends no attempt");
        let (current, strategy) = (StateVersion::new("v2").unwrap(), StaleStrategy::RevalidateOnLatestState);
        let request = workflow::apply(request, &Command::resolve(by(), current, strategy), at(50)).unwrap();
        assert_eq!(failed_attempts(&request).map(|(count, _)| count), Some(3), "resolving is part of an attempt");
        let request =
            workflow::apply(request, &Command::hold(by(), crate::request::PendingReason::Quota), at(60)).unwrap();
        let request = workflow::apply(request, &Command::approve_request(by()), at(61)).unwrap();
        assert_eq!(failed_attempts(&request), None);
    }
}
