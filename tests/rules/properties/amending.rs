//! What holds however approvals are amended: who carries a request through, and what stays.

use std::collections::{BTreeMap, BTreeSet};

use mutator_governance::workflow::{Action, explain};
use mutator_governance::{
    ActorId, ApprovalDecision, ApprovalId, ApprovalState, DeciderRule, MutationRequest, Status, Verdict,
};
use proptest::prelude::*;

use super::properties::{Done, all_met, play};
use common::play::{moves, submitted};

fn amends(action: &Action) -> bool {
    use Action::{AddApproval, Delegate, Reassign, RemoveApproval};
    matches!(action, Delegate { .. } | Reassign { .. } | AddApproval { .. } | RemoveApproval { .. })
}

fn verdicts(request: &MutationRequest) -> BTreeMap<ApprovalId, Verdict> {
    let verdicts = request.approvals.iter().map(|it| (it.id.clone(), it.state.verdict().cloned()));
    verdicts.filter_map(|(id, verdict)| Some((id, verdict?))).collect()
}

fn mandatory(request: &MutationRequest) -> BTreeSet<&ApprovalId> {
    request.approvals.iter().filter(|approval| approval.mandatory).map(|approval| &approval.id).collect()
}

/// Who granted each approval, with whoever they acted for.
fn granted(request: &MutationRequest) -> impl Iterator<Item = (&mutator_governance::Approval, Vec<&ActorId>)> {
    request.approvals.iter().filter_map(|approval| match &approval.state {
        ApprovalState::Approved(verdict) => Some((approval, verdict.by.people().collect())),
        _ => None,
    })
}

proptest! {
    #[test]
    fn nobody_carries_a_request_through_who_may_not(request in submitted(), moves in moves()) {
        let submitted_mandatory: BTreeSet<ApprovalId> = mandatory(&request).into_iter().cloned().collect();
        for Done { before, after, .. } in play(request, &moves) {
            let kept = mandatory(&after);
            prop_assert!(submitted_mandatory.iter().all(|id| kept.contains(id)), "a mandatory approval is gone");
            let mut voters: BTreeSet<(String, &ActorId)> = BTreeSet::new();
            for (approval, people) in granted(&after) {
                for person in people {
                    let is_own = after.requested_by.people().any(|requester| requester == person);
                    prop_assert!(!is_own || approval.decider == DeciderRule::Anyone, "{person} decided their own request");
                    prop_assert!(!after.approver_limits.excluded.contains(person), "{person} may not decide");
                    if let Some(quorum) = &approval.quorum {
                        prop_assert!(voters.insert((quorum.group.to_string(), person)), "{person} counts twice");
                    }
                }
            }
            let made = &after.decisions[before.decisions.len()..];
            let overridden = made.iter().any(|decision| decision.kind == ApprovalDecision::Overridden.into());
            if before.state.awaits_approval() && after.state.status() == Status::Approved && !overridden {
                prop_assert!(all_met(&after));
            }
        }
    }

    #[test]
    fn an_amendment_keeps_verdicts_and_state_and_leaves_what_can_be_met(request in submitted(), moves in moves()) {
        for Done { before, command, after, now, applied, .. } in play(request, &moves) {
            if !applied || !amends(&command.action) {
                continue;
            }
            prop_assert_eq!(before.state.status(), Status::Pending);
            prop_assert_eq!(&after.state, &before.state);
            prop_assert_eq!(verdicts(&after), verdicts(&before));
            prop_assert!(!all_met(&after), "an amendment met everything");
            prop_assert_eq!(after.digest(), before.digest());
            let impossible = |request: &MutationRequest| explain(request, now).impossible().count();
            prop_assert!(impossible(&after) == 0 || impossible(&before) > 0, "nobody can approve it any longer");
            prop_assert!(command.by.id.is_some() && command.by.reason.is_some());
            prop_assert!(after.decisions.len() > before.decisions.len());
            for approval in &after.approvals {
                let Some(delegation) = &approval.delegation else { continue };
                let distinct: BTreeSet<&ActorId> = delegation.by.iter().chain([&delegation.to]).collect();
                prop_assert!(delegation.by.len() <= 5 && distinct.len() == delegation.by.len() + 1);
            }
        }
    }
}
