//! What holds of a request's times, read from its history alone.

use mutator_governance::workflow::{Action, apply, next_deadline, ready_at, valid_until};
use mutator_governance::{DecisionKind, ExecutionDecision, LifecycleDecision, MutationRequest, Status, Timestamp};
use proptest::prelude::*;

use common::play::{Move, at, command, moves, submitted};

/// Each command that was applied, with the request before and after, and its time.
fn applied(request: MutationRequest, moves: &[Move]) -> Vec<(MutationRequest, Action, MutationRequest, Timestamp)> {
    let (mut before, mut seconds, mut steps) = (request, 0_u64, Vec::new());
    for step in moves {
        seconds += step.seconds;
        let command = command(&before, step, at(seconds));
        if let Ok(after) = apply(before.clone(), &command, at(seconds)) {
            steps.push((before, command.action, after.clone(), at(seconds)));
            before = after;
        }
    }
    steps
}

/// When the request was last approved, as its history says.
fn approval_of(request: &MutationRequest) -> Option<Timestamp> {
    let approved = DecisionKind::from(LifecycleDecision::Approved);
    let last = request.decisions.iter().rev().find(|decision| decision.kind == approved)?;
    (request.state.status() == Status::Approved).then_some(last.at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_is_claimed_before_its_time_or_after_its_validity(request in submitted(), moves in moves()) {
        for (before, action, after, now) in applied(request, &moves) {
            let Action::Claim { .. } = action else { continue };
            prop_assert!(after.execution.not_before.is_none_or(|start| start <= now));
            if let (None, Some(period)) = (&before.execution.claim, before.execution.valid_for) {
                let approved = approval_of(&before).unwrap();
                prop_assert!(now < approved.saturating_add(period.duration()));
            }
            prop_assert!(before.execution.claim.is_some() || ready_at(&before).is_some_and(|ready| ready <= now));
        }
    }

    #[test]
    fn an_approved_request_expires_only_after_its_validity(request in submitted(), moves in moves()) {
        for (before, _, after, now) in applied(request, &moves) {
            if (before.state.status(), after.state.status()) != (Status::Approved, Status::Expired) {
                continue;
            }
            let period = before.execution.valid_for.unwrap();
            prop_assert!(approval_of(&before).unwrap().saturating_add(period.duration()) <= now);
            prop_assert!(before.execution.claim.is_none());
        }
    }

    #[test]
    fn what_is_ready_lies_between_its_approval_and_its_end(request in submitted(), moves in moves()) {
        for (_, _, after, _) in applied(request, &moves) {
            prop_assert_eq!(approval_of(&after).is_none(), after.state.status() != Status::Approved);
            let end = valid_until(&after);
            if let Some(end) = end {
                prop_assert_eq!(next_deadline(&after), Some(end));
            }
            let next_attempt = after.execution.failed_attempts.as_ref().map(|attempts| attempts.next_at);
            let Some(ready) = ready_at(&after) else {
                let is_never = after.execution.not_before.max(next_attempt).max(Some(after.updated_at)) >= end;
                prop_assert!(after.state.status() != Status::Approved || (end.is_some() && is_never));
                continue;
            };
            prop_assert!(approval_of(&after).unwrap() <= ready && end.is_none_or(|end| ready < end));
            let touched = after.decisions.iter().rev().find(|decision| {
                matches!(
                    decision.kind,
                    DecisionKind::Lifecycle(LifecycleDecision::Approved)
                        | DecisionKind::Execution(ExecutionDecision::Released | ExecutionDecision::Failed | ExecutionDecision::Scheduled)
                )
            });
            let claim = after.execution.claim.as_ref().map(|claim| claim.lease_ends_at);
            let waits = [touched.map(|decision| decision.at), after.execution.not_before, next_attempt, claim];
            prop_assert_eq!(waits.into_iter().max().flatten(), Some(ready));
        }
    }

    #[test]
    fn who_schedules_changes_the_time_and_nothing_else(request in submitted(), moves in moves()) {
        for (before, action, after, _) in applied(request, &moves) {
            let is_scheduled = matches!(action, Action::Schedule { .. });
            prop_assert!(is_scheduled || before.execution.not_before == after.execution.not_before);
            if is_scheduled {
                prop_assert_eq!(&before.state, &after.state);
                prop_assert_eq!((before.digest(), &before.approvals), (after.digest(), &after.approvals));
            }
        }
    }
}
