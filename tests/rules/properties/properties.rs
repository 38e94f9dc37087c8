//! What holds whatever is done.

use std::collections::{BTreeMap, BTreeSet};

use mutator_governance::proof::verify_history;
use mutator_governance::workflow::{
    Action, Command, apply, commutes, decidable_by, due_command, explain, is_due, valid_until,
};
use mutator_governance::{
    ActorContext, ActorId, Approval, ApprovalDecision, ApprovalId, ApprovalState, ApprovalStatus, Decision,
    DecisionCategory, DecisionKind, LifecycleDecision, MutationRequest, QuorumGroup, RequestDocument, Status,
    Timestamp, Value, Verdict, metadata_keys,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use common::play::{Move, at, command, decide, decide_all, moves, people, submitted, table};

/// One command and what it did; rejected, before and after are the same.
pub(super) struct Done {
    pub(super) before: MutationRequest,
    pub(super) command: Command,
    action: Action,
    pub(super) after: MutationRequest,
    pub(super) now: Timestamp,
    pub(super) applied: bool,
}

pub(super) fn play(request: MutationRequest, moves: &[Move]) -> Vec<Done> {
    let mut steps: Vec<Done> = Vec::new();
    let (mut before, mut seconds) = (request, 0_u64);
    for step in moves {
        // Now and then the clock is set back.
        seconds = if step.seconds == 11 { seconds.saturating_sub(15) } else { seconds + step.seconds };
        let now = at(seconds);
        let command = command(&before, step, now);
        let result = apply(before.clone(), &command, now);
        let applied = result.is_ok();
        let after = result.unwrap_or_else(|_| before.clone());
        let action = command.action.clone();
        steps.push(Done { before, command, action, after: after.clone(), now, applied });
        before = after;
    }
    steps
}

/// Which group's grants have been given by how many distinct actors, and how many it needs.
fn votes(request: &MutationRequest) -> BTreeMap<QuorumGroup, (BTreeSet<ActorId>, usize)> {
    let mut votes: BTreeMap<QuorumGroup, (BTreeSet<ActorId>, usize)> = BTreeMap::new();
    for approval in &request.approvals {
        let Some(quorum) = &approval.quorum else { continue };
        let required = usize::try_from(quorum.required.get()).unwrap();
        let entry = votes.entry(quorum.group.clone()).or_insert((BTreeSet::new(), required));
        if let ApprovalState::Approved(verdict) = &approval.state {
            entry.0.insert(verdict.by.id.clone().unwrap());
        }
    }
    votes
}

pub(super) fn all_met(request: &MutationRequest) -> bool {
    votes(request).values().all(|(actors, required)| actors.len() >= *required)
        && request
            .approvals
            .iter()
            .filter(|approval| approval.quorum.is_none())
            .all(|approval| approval.state.status() == ApprovalStatus::Approved)
}

/// The groups whose quorum was recorded as met since the last renewal, without those that a withdrawn vote opened again.
fn satisfied_groups(request: &MutationRequest) -> Vec<String> {
    let (renewed, satisfied) = (ApprovalDecision::Renewed.into(), ApprovalDecision::QuorumSatisfied.into());
    let withdrawn = DecisionKind::from(ApprovalDecision::Withdrawn);
    let text = |decision: &Decision, key: &str| match decision.metadata.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let mut groups = Vec::new();
    for decision in &request.decisions {
        let group = text(decision, metadata_keys::QUORUM_GROUP);
        if decision.kind == renewed {
            groups.clear();
        } else if decision.kind == satisfied {
            groups.push(group.unwrap());
        } else if decision.kind == withdrawn
            && text(decision, metadata_keys::WITHDRAWN).unwrap() == "Granted"
            && let Some(group) = group
        {
            groups.retain(|known| *known != group);
        }
    }
    groups
}

fn right_after(time: Timestamp) -> Timestamp {
    time.saturating_add(std::time::Duration::from_micros(1))
}

fn decides(action: &Action) -> bool {
    use Action::{Approve, ApproveRequirement, Reject, RejectRequirement};
    matches!(action, Approve { .. } | Reject { .. } | ApproveRequirement { .. } | RejectRequirement { .. })
}

fn group_of(approval: &Approval) -> Option<QuorumGroup> {
    approval.quorum.as_ref().map(|quorum| quorum.group.clone())
}

/// The approvals from which votes moved away between the two.
fn votes_moved(before: &MutationRequest, after: &MutationRequest) -> BTreeSet<ApprovalId> {
    let added = after.decisions.iter().skip(before.decisions.len());
    let moved = added.filter_map(|decision| match decision.metadata.get(metadata_keys::MOVED) {
        Some(Value::Map(moved)) => Some(moved.iter().map(|(from, _)| ApprovalId::new(from).unwrap())),
        _ => None,
    });
    moved.flatten().collect()
}

/// What the actor decided between the two.
fn decided<'a>(before: &MutationRequest, after: &'a MutationRequest, by: &ActorContext) -> Vec<&'a Approval> {
    let pairs = before.approvals.iter().zip(&after.approvals);
    let new = pairs.filter(|(before, after)| before.state != after.state).map(|(_, after)| after);
    new.filter(|after| after.state.verdict().is_some_and(|verdict| *verdict.by == *by)).collect()
}

fn lifecycle_moves(request: &MutationRequest) -> usize {
    let moves = request.decisions.iter().filter(|decision| {
        decision.kind.category() == DecisionCategory::Lifecycle
            && decision.kind != LifecycleDecision::Compensated.into()
            && decision.kind != LifecycleDecision::Amended.into()
            && decision.kind != LifecycleDecision::Submitted.into()
    });
    moves.count()
}

/// The request before, with the claim or lease it has after: renewing a claim, and claiming for the next of
/// several attempts, are all that is done without a decision.
fn renewed(before: &MutationRequest, after: &MutationRequest) -> RequestDocument {
    let mut document = RequestDocument::clone(before);
    match (&mut document.execution.claim, &after.execution.claim) {
        (Some(claim), Some(renewed)) => claim.lease_ends_at = renewed.lease_ends_at,
        (claim @ None, again @ Some(_)) if before.execution.failed_attempts.is_some() => claim.clone_from(again),
        _ => {}
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_command_sequences_never_leave_the_transition_table(request in submitted(), moves in moves()) {
        for Done { before, after, .. } in play(request, &moves) {
            let (from, to) = (before.state.status(), after.state.status());
            prop_assert!(from == to || table(from).contains(&to), "{from} to {to}");
            let transitions = lifecycle_moves(&after) - lifecycle_moves(&before);
            let asked = !before.state.awaits_approval() && from == Status::Pending && after.state.awaits_approval();
            let sent_back = before.state.awaits_approval() && after.state.awaits_correction();
            let asked = asked || sent_back;
            prop_assert_eq!(transitions, usize::from(from != to || asked), "one lifecycle decision per transition");
            prop_assert!(asked || from != to || before.state == after.state, "the two ways from pending to pending");
        }
    }

    #[test]
    fn a_comment_before_any_command_changes_nothing_about_it(request in submitted(), moves in moves()) {
        for Done { before, command, now, after, applied, .. } in play(request, &moves) {
            let comment = Command::comment(people().swap_remove(3), "a comment");
            let discussed = apply(before.clone(), &comment, before.updated_at).unwrap();
            prop_assert!(commutes(&after, &comment, now), "a comment is always possible");
            let result = apply(discussed.clone(), &command, now);
            prop_assert_eq!(result.is_ok(), applied, "{:?}: {:?}", command, result.err());
            if let Ok(result) = result {
                let mut rest = result.document().clone();
                rest.decisions.remove(before.decisions.len());
                rest.chain.clone_from(&after.chain);
                prop_assert_eq!(&rest, after.document());
            }
        }
    }

    #[test]
    fn decisions_only_grow_and_the_last_of_them_is_when_the_request_was_updated(request in submitted(), moves in moves()) {
        for Done { before, after, now, .. } in play(request, &moves) {
            prop_assert!(after.decisions.starts_with(&before.decisions));
            prop_assert!(verify_history(&after, None).is_wholly_chained());
            let grew = after.decisions.len() > before.decisions.len();
            prop_assert!(grew || renewed(&before, &after) == *after, "a change without a decision");
            let made = if now < before.updated_at { right_after(before.updated_at) } else { now };
            prop_assert_eq!(after.updated_at, if grew { made } else { before.updated_at });
            prop_assert!(after.decisions.is_sorted_by_key(|decision| decision.at), "{:?}", after.decisions);
            prop_assert_eq!(after.revision(), before.revision());
        }
    }

    #[test]
    fn a_quorum_is_met_exactly_when_n_distinct_actors_granted(request in submitted(), moves in moves()) {
        for Done { before, after, .. } in play(request, &moves) {
            let satisfied = satisfied_groups(&after);
            for (group, (actors, required)) in votes(&after) {
                prop_assert!(actors.len() <= required, "{group}: no vote after the quorum");
                let recorded = satisfied.iter().filter(|name| **name == *group.as_str()).count();
                prop_assert_eq!(recorded, usize::from(actors.len() == required), "{}", group);
            }
            if before.state.awaits_approval() && after.state.status() == Status::Approved {
                let overridden = DecisionKind::from(ApprovalDecision::Overridden);
                let glass = after.decisions[before.decisions.len()..].iter().any(|entry| entry.kind == overridden);
                prop_assert!(glass != all_met(&after));
            }
            if after.state.awaits_approval() {
                prop_assert!(!all_met(&after), "approved as soon as all is met");
            }
        }
    }

    #[test]
    fn after_an_amendment_no_earlier_verdict_counts(request in submitted(), moves in moves()) {
        for Done { before, after, command, action, applied, .. } in play(request, &moves) {
            let is_sent_back = matches!(action, Action::RequestChanges { .. }) || before.state.awaits_correction();
            prop_assert!(is_sent_back || !after.state.awaits_correction());
            if !applied || !matches!(action, Action::Amend { .. }) {
                let (were, are) = (before.document(), after.document());
                prop_assert_eq!((&were.payload, &were.metadata, &were.intent), (&are.payload, &are.metadata, &are.intent));
                continue;
            }
            prop_assert!(before.state.awaits_correction() && after.state.awaits_approval());
            prop_assert_eq!(&command.by.id, &before.requested_by.id);
            prop_assert_eq!(after.approval_round, before.approval_round + 1);
            prop_assert!(after.approvals.iter().all(|approval| approval.state == ApprovalState::Pending));
            prop_assert!(after.digest() != before.digest(), "its payload or its version changed");
            let deadline = |request: &MutationRequest| request.state.pending().and_then(|pending| pending.expires_at);
            prop_assert_eq!(deadline(&after), deadline(&before));
        }
    }

    #[test]
    fn nothing_is_approved_but_the_digest_that_was_approved_in_this_round(request in submitted(), moves in moves()) {
        let (renewed, granted) = (ApprovalDecision::Renewed.into(), ApprovalDecision::Granted.into());
        let rejected: DecisionKind = ApprovalDecision::Rejected.into();
        let overridden = DecisionKind::from(ApprovalDecision::Overridden);
        for Done { after, .. } in play(request, &moves) {
            let round = after.decisions.iter().rposition(|decision| decision.kind == renewed).unwrap_or(0);
            let this_round = &after.decisions[round..];
            let digest = Value::Text(after.digest().to_string());
            let is_of_this_digest = |decision: &&Decision| decision.metadata.get(metadata_keys::DIGEST) == Some(&digest);
            for approval in after.approvals.iter().filter(|it| it.state.status() == ApprovalStatus::Approved) {
                let of_this = Value::Text(approval.id.to_string());
                let mut grants = this_round.iter().filter(|decision| decision.kind == granted).filter(is_of_this_digest);
                let is_moved_here = |decision: &Decision| match decision.metadata.get(metadata_keys::MOVED) {
                    Some(Value::Map(moves)) => moves.iter().any(|(_, to)| *to == of_this),
                    _ => false,
                };
                let is_given = |it: &Decision| it.metadata.get(metadata_keys::APPROVAL) == Some(&of_this);
                // A rejection can take the place of a grant, which then moves.
                let mut rejections = this_round.iter().filter(|decision| decision.kind == rejected);
                let is_granted = grants.any(|it| is_given(it) || is_moved_here(it));
                prop_assert!(is_granted || rejections.any(is_moved_here), "{}", approval.id);
            }
            let is_approved = matches!(after.state.status(), Status::Approved | Status::Executed);
            if is_approved && !all_met(&after) {
                let mut overrides = this_round.iter().filter(|decision| decision.kind == overridden);
                prop_assert!(overrides.any(|decision| is_of_this_digest(&decision)));
            }
        }
    }

    #[test]
    fn a_withdrawn_vote_counts_no_longer_and_all_others_do(request in submitted(), moves in moves()) {
        for Done { before, command, after, now, applied, .. } in play(request, &moves) {
            let Action::Withdraw { approval: only } = &command.action else { continue };
            let votes = |request: &MutationRequest| -> BTreeMap<ApprovalId, Verdict> {
                let verdicts = request.approvals.iter().map(|it| (it.id.clone(), it.state.verdict().cloned()));
                verdicts.filter_map(|(id, verdict)| Some((id, verdict?))).collect()
            };
            let is_own = |id: &ApprovalId, verdict: &Verdict| {
                let gave_it = command.by.id.as_ref().is_some_and(|by| verdict.by.people().any(|person| person == by));
                gave_it && only.as_ref().is_none_or(|only| only == id)
            };
            let has_vote = command.by.id.is_some() && votes(&before).iter().any(|(id, verdict)| is_own(id, verdict));
            let claimed = before.execution.claim.as_ref().is_some_and(|claim| claim.lease_ends_at > right_after(now));
            prop_assert!(!applied || has_vote);
            if !applied {
                let over = before.state.pending().and_then(|pending| pending.expires_at).or_else(|| valid_until(&before)).is_some_and(|end| end <= right_after(now));
                let now_or_later = before.updated_at > now;
                prop_assert!(!has_vote || before.state.status().is_terminal() || claimed || over || now_or_later);
                continue;
            }
            let mut rest = votes(&before);
            rest.retain(|id, verdict| !is_own(id, verdict));
            prop_assert_eq!(votes(&after), rest);
            let mut statuses = after.approvals.iter().zip(&before.approvals);
            prop_assert!(statuses.all(|(after, before)| after.state == before.state
                || matches!(after.state, ApprovalState::Pending | ApprovalState::Satisfied(_))));
            match before.state.status() {
                Status::Approved if after.state.status() == Status::Pending => {
                    prop_assert!(after.state.awaits_approval() && !all_met(&after));
                }
                Status::Approved => prop_assert!(all_met(&after) == all_met(&before)),
                _ => prop_assert_eq!(&after.state, &before.state),
            }
            prop_assert!(explain(&after, now).impossible().count() == 0 || is_due(&after, now) || !after.state.awaits_approval());
        }
    }

    #[test]
    fn who_is_said_to_be_able_to_act_can_and_nobody_else_can(request in submitted(), moves in moves()) {
        for Done { after, now, .. } in play(request, &moves) {
            let explanation = explain(&after, now);
            for actor in people() {
                let named: BTreeSet<_> = explanation.decidable_by(&actor).into_iter().cloned().collect();
                let decidable: BTreeSet<_> =
                    decidable_by(&after, &actor, now).into_iter().map(|approval| approval.id.clone()).collect();
                prop_assert_eq!(&named, &decidable, "{:?}", actor.id);
                for approval in &after.approvals {
                    for grants in [true, false] {
                        let command = decide(actor.clone(), approval.id.clone(), grants);
                        let can = apply(after.clone(), &command, now).is_ok();
                        prop_assert_eq!(can, decidable.contains(&approval.id), "{:?} {}", actor.id, approval.id);
                    }
                }
            }
            prop_assert!(!explanation.to_string().is_empty());
        }
    }

    #[test]
    fn one_approval_decides_one_of_each_demand_that_its_actor_can_decide(request in submitted(), moves in moves()) {
        for Done { after, now, .. } in play(request, &moves) {
            for (actor, grants) in people().into_iter().flat_map(|actor| [(actor.clone(), true), (actor, false)]) {
                let decidable = decidable_by(&after, &actor, now);
                let result = apply(after.clone(), &decide_all(actor.clone(), grants), now);
                let Ok(all) = result else {
                    prop_assert!(decidable.is_empty(), "{:?}: {}", actor.id, result.unwrap_err());
                    continue;
                };
                let decided = decided(&after, &all, &actor);
                if after.approver_limits.distinct {
                    prop_assert_eq!(decided.len(), 1, "nobody decides twice");
                    continue;
                }
                let ids: BTreeSet<_> = decided.iter().map(|approval| &approval.id).collect();
                prop_assert!(decidable.iter().all(|it| it.quorum.is_some() || ids.contains(&it.id)), "each that stands alone");
                let moved = votes_moved(&after, &all);
                prop_assert!(ids.iter().all(|id| decidable.iter().any(|it| it.id == **id) || moved.contains(*id)), "nothing else");
                let (could, did): (Vec<_>, Vec<_>) = (
                    decidable.iter().filter_map(|it| group_of(it)).collect(),
                    decided.iter().filter_map(|it| group_of(it)).collect(),
                );
                let distinct: BTreeSet<_> = could.iter().collect();
                prop_assert_eq!(did.len(), distinct.len(), "one of each group: {:?} of {:?}", did, could);
                prop_assert_eq!(did.iter().collect::<BTreeSet<_>>(), distinct);

                // One after another, the same verdicts lead to the same.
                if !moved.is_empty() {
                    continue;
                }
                let step_by_step = ids.iter().try_fold(after.clone(), |request, id| {
                    apply(request, &decide(actor.clone(), (*id).clone(), grants), now)
                });
                if let Ok(step_by_step) = step_by_step {
                    prop_assert_eq!(&step_by_step.state, &all.state);
                    let statuses = |request: &MutationRequest| -> Vec<_> {
                        request.approvals.iter().map(|approval| approval.state.status()).collect()
                    };
                    prop_assert_eq!(statuses(&step_by_step), statuses(&all));
                } else {
                    prop_assert!(!grants, "only a rejection that ends the request keeps others from being decided");
                }

                let step = decided[0].step;
                let left = decidable_by(&all, &actor, now).into_iter().filter(|approval| approval.step == step).count();
                prop_assert_eq!(left, 0, "nothing is left in that step");
                prop_assert!(!grants || all.state.status() != Status::Rejected);
                prop_assert!(explain(&all, now).impossible().count() <= explain(&after, now).impossible().count() || !grants);
            }
        }
    }

    #[test]
    fn what_is_said_to_be_impossible_is(request in submitted(), moves in moves()) {
        // Everybody grants all they can; a demand that was called impossible is then still unmet.
        for Done { after, now, .. } in play(request, &moves).into_iter().take(4) {
            if explain(&after, now).impossible().next().is_none() {
                continue;
            }
            let mut granted = after;
            for _ in 0..granted.approvals.len() {
                let able = people().into_iter().find_map(|actor| {
                    let id = decidable_by(&granted, &actor, now).first().map(|approval| approval.id.clone());
                    id.map(|id| (actor, id))
                });
                let Some((actor, id)) = able else { break };
                granted = apply(granted, &decide(actor, id, true), now).unwrap();
            }
            prop_assert!(granted.state.status() != Status::Approved);
        }
    }

    #[test]
    fn no_decision_and_no_expiry_leaves_a_request_waiting_for_what_is_impossible(request in submitted(), moves in moves()) {
        prop_assert_eq!(explain(&request, at(0)).impossible().count(), 0, "as it is submitted");
        for Done { action, after, now, applied, .. } in play(request, &moves) {
            if applied && (decides(&action) || action == Action::ExpireApprovals) {
                let sweep = due_command(&after, people().swap_remove(5), now);
                let swept = sweep.map_or(after.clone(), |command| apply(after, &command, now).unwrap());
                prop_assert_eq!(explain(&swept, now).impossible().count(), 0, "{:?}", swept.state);
            }
        }
    }

    #[test]
    fn nobody_rejects_a_request_but_who_rejects_something_or_sweeps(request in submitted(), moves in moves()) {
        for Done { before, command, action, after, applied, .. } in play(request, &moves) {
            if !applied || after.state.status() != Status::Rejected || before.state.status() == Status::Rejected {
                continue;
            }
            prop_assert!(!matches!(action, Action::Approve { .. } | Action::ApproveRequirement { .. }), "{:?}", after.decisions.last());
            if matches!(action, Action::Reject { .. } | Action::RejectRequirement { .. }) {
                // By votes alone: were there time for all, it could not be met either.
                let mut timeless = before.document().clone();
                timeless.approvals.iter_mut().for_each(|approval| approval.expires_at = None);
                let timeless = MutationRequest::from_document(timeless, before.revision()).unwrap();
                let rejected = apply(timeless, &command, after.updated_at).unwrap();
                prop_assert_eq!(rejected.state.status(), Status::Rejected);
            }
        }
    }

    #[test]
    fn after_its_own_deadline_a_pending_request_only_ends(request in submitted(), moves in moves()) {
        for Done { before, action, after, now, applied, .. } in play(request, &moves) {
            let overdue = before.state.pending().and_then(|pending| pending.expires_at).is_some_and(|end| end <= now);
            if overdue && applied && !matches!(action, Action::Comment { .. }) {
                prop_assert!(after.state.status().is_terminal(), "{:?}", action);
                prop_assert!(
                    matches!(action, Action::Cancel | Action::Expire | Action::Supersede { .. } | Action::RejectRequest),
                    "{:?}", action
                );
            }
        }
    }

    #[test]
    fn two_approvers_of_different_requirements_both_succeed_in_either_order(request in submitted(), moves in moves()) {
        for Done { after, now, .. } in play(request, &moves).into_iter().take(6) {
            let able: Vec<_> = people()
                .into_iter()
                .filter_map(|actor| Some((actor.clone(), decidable_by(&after, &actor, now).first()?.id.clone())))
                .collect();
            for (one, first) in &able {
                for (two, second) in able.iter().filter(|(two, second)| two != one && second != first) {
                    // One vote can use up whom the other approval needs.
                    if after.approver_limits.distinct || [one, two].iter().any(|by| by.acting_for.is_some()) {
                        continue;
                    }
                    let (first, second) = (decide(one.clone(), first.clone(), true), decide(two.clone(), second.clone(), true));
                    let stored = apply(after.clone(), &first, now).unwrap();
                    let other = apply(after.clone(), &second, now).unwrap();
                    prop_assert_eq!(commutes(&stored, &second, now), commutes(&other, &first, now));
                    let (Ok(there), Ok(back)) = (apply(stored.clone(), &second, now), apply(other, &first, now)) else {
                        // The first has met the quorum that both were asked for.
                        let satisfied = stored.decisions.iter().rev().take(2);
                        let satisfied = satisfied.filter(|decision| decision.kind == ApprovalDecision::QuorumSatisfied.into());
                        prop_assert_eq!(satisfied.count(), 1);
                        continue;
                    };
                    prop_assert_eq!(&there.state, &back.state);
                    // Whose grant spared the others of a group is whoever came last.
                    let verdicts = |request: &MutationRequest| -> Vec<_> {
                        let states = request.approvals.iter().map(|approval| &approval.state);
                        states.map(|state| (state.status(), state.verdict().map(|verdict| verdict.by.clone()))).collect()
                    };
                    prop_assert_eq!(verdicts(&there), verdicts(&back));
                }
            }
        }
    }

    #[test]
    fn a_terminal_request_never_changes(request in submitted(), moves in moves()) {
        for Done { before, after, action, applied, .. } in play(request, &moves) {
            if !before.state.status().is_terminal() || matches!(action, Action::Comment { .. }) {
                continue;
            }
            prop_assert_eq!(&after.state, &before.state);
            let linked = after.execution.links.len() > before.execution.links.len();
            prop_assert!(!linked || before.state.status() == Status::Executed);
            prop_assert!(linked || after == before, "only the link of a compensation is added");
            prop_assert!(!applied || before.state.status() == Status::Executed);
        }
    }

    #[test]
    fn what_is_due_expires_by_one_command_after_another_until_nothing_is_due(request in submitted(), moves in moves()) {
        for Done { after, now, .. } in play(request, &moves) {
            let mut swept = after;
            let mut rounds = 0;
            while let Some(command) = due_command(&swept, people().swap_remove(5), now) {
                prop_assert!(is_due(&swept, now));
                swept = apply(swept, &command, now).unwrap();
                rounds += 1;
                prop_assert!(rounds <= 1, "one command expires all that is due");
            }
            prop_assert!(!is_due(&swept, now));
        }
    }

    #[test]
    fn every_result_is_a_document_that_can_be_read_again(request in submitted(), moves in moves()) {
        for Done { after, .. } in play(request, &moves) {
            prop_assert!(after.execution.claim.is_none() || after.state.status() == Status::Approved);
            if after.state.awaits_approval() {
                let pending = |approval: &mutator_governance::Approval| approval.state == ApprovalState::Pending;
                prop_assert!(after.approvals.iter().any(pending), "somebody is asked");
            }
            let read = MutationRequest::from_document(after.document().clone(), after.revision());
            prop_assert_eq!(read.unwrap(), after);
        }
    }
}

/// The properties above say something only if the moves come everywhere.
#[test]
fn the_random_moves_reach_every_status_and_every_kind_of_decision() {
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeSet<String> = BTreeSet::new();
    for _ in 0..1_500 {
        let request = submitted().new_tree(&mut runner).unwrap().current();
        let moves = moves().new_tree(&mut runner).unwrap().current();
        for Done { after, now, .. } in play(request, &moves) {
            reached.insert(after.state.status().to_string());
            reached.extend(after.decisions.iter().map(|decision| decision.kind.to_string()));
            reached.extend(explain(&after, now).impossible().map(|_| "impossible".to_owned()));
            reached.extend(after.approvals.iter().map(|approval| format!("approval {}", approval.state.status())));
        }
    }
    let kinds = DecisionKind::all().map(|kind| kind.to_string());
    let missed: Vec<String> = kinds
        .chain(Status::ALL.iter().map(ToString::to_string))
        .chain(["Pending", "Approved", "Rejected", "Satisfied", "Expired"].map(|status| format!("approval {status}")))
        .chain(["impossible".to_owned()])
        .filter(|what| !reached.contains(what))
        .collect();
    assert_eq!(missed, Vec::<String>::new());
}
