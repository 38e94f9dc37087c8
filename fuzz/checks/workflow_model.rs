//! What has to hold of a request whatever is done to it. Run by the fuzzers, and on stable by `tests/format/fuzz_corpus.rs`.

#[path = "../../tests/common/play/acts.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the property tests")]
mod acts;
#[path = "../../src/redis/fuzzing/input.rs"]
mod input;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acts::{Act, Move, at, command, decide, decide_all, people, state_version, table};
use input::Input;
use mutator_governance::blocking::{Governance, MemoryStore, Store, StoreExtension as _};
use mutator_governance::proof::verify_history;
use mutator_governance::workflow::{
    Action, AfterFailure, Command, StaleStrategy, apply, decidable_by, due_command, explain, is_due,
};
use mutator_governance::{
    ActorContext, ActorId, ApprovalDecision, ApprovalId, ApprovalRule, ApprovalState, ApprovalTarget, DecisionCategory,
    DecisionKind, Error, ExecutionError, Intent, LifecycleDecision, ManualClock, MutationRequest, OnConflict, Pending,
    PendingReason, QuorumGroup, RequestDocument, RequestDraft, RequestId, Status, Step, Target, Timestamp, WriteId,
};

fn is_too_short_a_lease(error: &Error) -> bool {
    matches!(error, Error::Execution { error: ExecutionError::LeaseTooShort { .. }, .. })
}

/// Any draft, and any commands by anybody: the service does what the rules say and stores just that.
pub fn workflow_model(data: &[u8]) {
    let mut input = Input::new(data);
    let clock = Arc::new(ManualClock::at(at(0)));
    let store = MemoryStore::new();
    let builder = Governance::builder().store(Arc::new(store.clone())).clock(Arc::clone(&clock) as _);
    let governance = builder.on_conflict(OnConflict::Fail).build();
    let Ok(mut before) = governance.submit(draft(&mut input)) else { return };
    governance.submit(another()).expect("the one that supersedes");
    let mut seconds = 0_u64;
    for _ in 0..40 {
        if input.is_over() {
            break;
        }
        let step = next_move(&mut input);
        // Now and then the clock is set back.
        seconds = if step.seconds == 11 { seconds.saturating_sub(15) } else { seconds + step.seconds };
        let now = at(seconds);
        clock.set(now);
        let command = command(&before, &step, now);
        let foreseen = apply(before.clone(), &command, now);
        let done = governance.apply(&before.id, &command);
        let after = store.get(&before.id).unwrap().expect("a request stays");
        match (foreseen, done) {
            // A rule of the store's, which the request's rules do not know of.
            (_, Err(rejected)) if is_too_short_a_lease(&rejected) => assert!(after == before, "{command:?}"),
            (Ok(foreseen), Ok(done)) => assert!(done.document() == foreseen.document() && done == after, "{command:?}"),
            (Err(foreseen), Err(rejected)) => {
                assert!(!rejected.to_string().is_empty());
                assert_eq!(rejected.to_string(), foreseen.to_string(), "{command:?}");
                assert!(after == before, "rejected and changed: {command:?}");
            }
            (foreseen, done) => panic!("{command:?} by the rules: {foreseen:?}, by the service: {done:?}"),
        }
        check_step(&before, &after, now);
        let revisions = after.revision().number - before.revision().number;
        assert_eq!(revisions, u64::from(after != before), "one revision for each change");
        check_votes(&before, &after);
        check_possible(&command, &before, &after, now);
        check_stale_writer(&store, &before, &after);
        before = after;
    }
    let now = at(seconds);
    for act in every_act() {
        let command = command(&before, &Move { seconds: 0, actor: 4, act }, now);
        if let Ok(after) = apply(before.clone(), &command, now) {
            check_step(&before, &after, now);
            check_votes(&before, &after);
            check_possible(&command, &before, &after, now);
        }
    }
    for actor in people() {
        check_who_can_act(&before, &actor, now);
    }
    check_document(&before);
    check_due(before, now);
}

fn check_step(before: &MutationRequest, after: &MutationRequest, now: Timestamp) {
    let (from, to) = (before.state.status(), after.state.status());
    assert!(from == to || table(from).contains(&to), "{from} to {to}");
    let moves = lifecycle_moves(after) - lifecycle_moves(before);
    let asked = from == Status::Pending && !before.state.awaits_approval() && after.state.awaits_approval();
    let asked = asked || before.state.awaits_approval() && after.state.awaits_correction();
    assert_eq!(moves, usize::from(from != to || asked), "one lifecycle decision for each transition");
    assert!(asked || from != to || after.state == before.state, "the two ways from pending to pending");

    assert!(after.decisions.starts_with(&before.decisions), "history is only added to");
    let history = verify_history(after, None);
    assert!(history.is_wholly_chained(), "the history does not fit its chain: {history:?}");
    let grew = after.decisions.len() > before.decisions.len();
    assert!(after.decisions.is_sorted_by_key(|decision| decision.at), "dated before what it follows");
    let right_after = before.updated_at.saturating_add(std::time::Duration::from_micros(1));
    let made = if now < before.updated_at { right_after } else { now };
    assert_eq!(after.updated_at, if grew { made } else { before.updated_at });
    assert!(grew || *after.document() == renewed(before, after), "a change without a decision");

    if from.is_terminal() && after != before && is_discussed(before, after) {
        assert_eq!((&after.state, &after.execution), (&before.state, &before.execution), "a comment changed more");
    } else if from.is_terminal() && after != before {
        assert!(from == Status::Executed && after.state == before.state, "a terminal request changed");
        assert_eq!(after.execution.links.len(), before.execution.links.len() + 1, "by more than a link");
        let (mut linked, unlinked) = (after.document().clone(), before.document());
        linked.execution.links.pop();
        (linked.updated_at, linked.decisions) = (unlinked.updated_at, unlinked.decisions.clone());
        linked.chain.clone_from(&unlinked.chain);
        assert!(linked == *unlinked, "a terminal request changed by more than the link of its compensation");
    }
}

/// The document before, with the lease it has after: renewing a claim is all that is done without a decision.
fn renewed(before: &MutationRequest, after: &MutationRequest) -> RequestDocument {
    let mut document = before.document().clone();
    if let (Some(claim), Some(renewed)) = (&mut document.execution.claim, &after.execution.claim) {
        claim.lease_ends_at = renewed.lease_ends_at;
    }
    document
}

/// Whether what was added is a comment.
fn is_discussed(before: &MutationRequest, after: &MutationRequest) -> bool {
    after.decisions[before.decisions.len()..].iter().all(|added| added.comment().is_some())
}

/// Nobody is let through before everybody who is asked for has granted, but by breaking the glass.
fn check_votes(before: &MutationRequest, after: &MutationRequest) {
    if !before.state.awaits_approval() || after.state.status() != Status::Approved {
        return;
    }
    let made = &after.decisions[before.decisions.len()..];
    let overridden = made.iter().any(|decision| decision.kind == ApprovalDecision::Overridden.into());
    let mut votes: BTreeMap<&QuorumGroup, (BTreeSet<&ActorId>, u32)> = BTreeMap::new();
    let mut is_met = true;
    for approval in &after.approvals {
        let granted = match &approval.state {
            ApprovalState::Approved(verdict) => verdict.by.id.as_ref(),
            _ => None,
        };
        match &approval.quorum {
            Some(quorum) => {
                votes.entry(&quorum.group).or_insert((BTreeSet::new(), quorum.required.get())).0.extend(granted)
            }
            None => is_met &= granted.is_some(),
        }
    }
    let is_met = is_met && votes.values().all(|(actors, required)| actors.len() >= *required as usize);
    assert!(is_met != overridden, "approved: votes are in: {is_met}, overridden: {overridden}");
}

/// No decision and no expiry leaves a request waiting for what nobody can give any more, once it is swept; no grant rejects;
/// and from its own deadline on a pending request only ends.
fn check_possible(command: &Command, before: &MutationRequest, after: &MutationRequest, now: Timestamp) {
    if after == before {
        return;
    }
    let decides = matches!(
        command.action,
        Action::Approve { .. }
            | Action::Reject { .. }
            | Action::ApproveRequirement { .. }
            | Action::RejectRequirement { .. }
            | Action::ExpireApprovals
    );
    if decides {
        let sweep = due_command(after, people().swap_remove(5), now);
        let swept = sweep.map_or_else(|| after.clone(), |sweep| apply(after.clone(), &sweep, now).unwrap());
        assert_eq!(explain(&swept, now).impossible().count(), 0, "waits for what is impossible: {command:?}");
    }
    let is_grant = matches!(command.action, Action::Approve { .. } | Action::ApproveRequirement { .. });
    assert!(!is_grant || after.state.status() != Status::Rejected, "a grant rejected: {command:?}");
    let deadline = before.state.pending().and_then(|pending| pending.expires_at);
    assert!(
        deadline.is_none_or(|end| end > now) || is_discussed(before, after) || after.state.status().is_terminal(),
        "moved on too late: {command:?}"
    );
}

fn lifecycle_moves(request: &MutationRequest) -> usize {
    use LifecycleDecision::{Amended, Compensated, Submitted};
    let is_move = |kind| ![Amended, Compensated, Submitted].map(DecisionKind::from).contains(&kind);
    let decisions = request.decisions.iter().map(|decision| decision.kind);
    decisions.filter(|kind| kind.category() == DecisionCategory::Lifecycle && is_move(*kind)).count()
}

/// Whoever still has the revision before a change does not overwrite it.
fn check_stale_writer(store: &MemoryStore, before: &MutationRequest, after: &MutationRequest) {
    if before.revision() != after.revision() {
        let stale = store.update(before.clone(), WriteId::from_bytes([1; 16]));
        assert!(matches!(stale, Err(Error::Conflict(_))), "a stale update: {stale:?}");
        assert_eq!(store.get(&after.id).unwrap().as_ref(), Some(after));
    }
}

/// Who is said to be able to decide can, and nobody else can.
fn check_who_can_act(request: &MutationRequest, actor: &Arc<ActorContext>, now: Timestamp) {
    let explanation = explain(request, now);
    assert!(!explanation.to_string().is_empty());
    let named: BTreeSet<ApprovalId> = explanation.decidable_by(actor).into_iter().cloned().collect();
    let decidable = decidable_by(request, actor, now).into_iter().map(|approval| approval.id.clone());
    assert_eq!(named, decidable.collect(), "{:?}", actor.id);
    for grants in [true, false] {
        let can = apply(request.clone(), &decide_all(Arc::clone(actor), grants), now).is_ok();
        assert_eq!(can, !named.is_empty(), "{:?}", actor.id);
    }
    for approval in &request.approvals {
        for grants in [true, false] {
            let command = decide(Arc::clone(actor), approval.id.clone(), grants);
            let can = apply(request.clone(), &command, now).is_ok();
            assert_eq!(can, named.contains(&approval.id), "{:?} about {}", actor.id, approval.id);
        }
    }
}

fn check_document(request: &MutationRequest) {
    assert!(
        request.execution.claim.is_none() || request.state.status() == Status::Approved,
        "claimed at another status"
    );
    let read = MutationRequest::from_document(request.document().clone(), request.revision());
    assert_eq!(read.as_ref().ok(), Some(request), "a result that is no document");
}

fn check_due(request: MutationRequest, now: Timestamp) {
    let sweeper = people().swap_remove(5);
    let swept = match due_command(&request, Arc::clone(&sweeper), now) {
        Some(command) => apply(request, &command, now).expect("what is due can expire"),
        None => request,
    };
    assert!(due_command(&swept, sweeper, now).is_none() && !is_due(&swept, now), "one command expires all that is due");
}

fn draft(input: &mut Input<'_>) -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let by = ActorContext::clone(&people().swap_remove(0));
    let choices = input.byte();
    let by = if choices & 7 == 1 { by.acting_for("carol", "assistant").unwrap() } else { by };
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), by);
    let mut draft = draft.with_id(RequestId::new("request-1").unwrap());
    if choices & 8 != 0 {
        draft = draft.distinct_approvers();
    }
    if choices & 48 == 16 {
        draft = draft.excluding([ActorId::new(if choices & 64 == 0 { "bob" } else { "erin" }).unwrap()]);
    }
    for number in 0..input.below(4) {
        draft = draft.requires_approval(rule(input, number));
    }
    if input.happens(50) {
        draft = draft.for_version(state_version(input.byte() % 3));
    }
    match input.below(4) {
        0 => draft.already_approved(),
        1 => draft.waiting_for(pending(input)),
        _ => draft,
    }
}

/// The request that supersedes others, which has to be there.
fn another() -> RequestDraft {
    let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
    let draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), people().swap_remove(0));
    draft.with_id(RequestId::new("request-2").unwrap())
}

fn pending(input: &mut Input<'_>) -> Pending {
    let reason = input.one(&PendingReason::ALL);
    Pending { reason, expires_at: input.happens(50).then(|| at(input.byte().into())) }
}

fn targets() -> [ApprovalTarget; 7] {
    let actor = |id: &str| ApprovalTarget::actor(id).unwrap();
    let (role, group) = (ApprovalTarget::role("manager").unwrap(), ApprovalTarget::group("security").unwrap());
    let either = actor("alice").or(group.clone());
    [actor("alice"), actor("bob"), actor("carol"), actor("requester"), role, group, either]
}

fn rule(input: &mut Input<'_>, number: usize) -> ApprovalRule {
    let targets = targets();
    let members: Vec<ApprovalTarget> = (0..1 + input.below(4)).map(|_| input.one(&targets)).collect();
    let mut rule = if input.happens(50) {
        let required = 1 + input.below(members.len());
        ApprovalRule::quorum(format!("group-{number}"), u32::try_from(required).unwrap(), members).unwrap()
    } else {
        ApprovalRule::each(members).unwrap()
    };
    let choices = input.byte();
    if choices & 1 != 0 {
        rule = rule.rejected_when_impossible();
    }
    if choices & 2 != 0 {
        rule = rule.at_step(Step::new(1 + u32::from(choices >> 6)).unwrap());
    }
    if choices & 4 != 0 {
        rule = rule.expiring_at(at(input.byte().into()));
    }
    if choices & 8 != 0 {
        rule = rule.requester_may_decide();
    }
    if choices & 48 == 16 { with_rare_parts(rule, input) } else { rule }
}

fn with_rare_parts(rule: ApprovalRule, input: &mut Input<'_>) -> ApprovalRule {
    let choices = input.byte();
    let mut rule = match choices % 3 {
        0 => rule,
        1 => rule.demanding_reason_for_rejecting(),
        _ => rule.demanding_reason(),
    };
    if choices & 64 != 0 {
        rule = rule.mandatory();
    }
    if choices & 128 != 0 {
        let after = std::time::Duration::from_secs(1 + u64::from(input.byte() % 60));
        rule = rule.escalates_after(after, input.one(&targets())).unwrap();
    }
    rule
}

/// What is tried at last, wherever the moves have led.
fn every_act() -> [Act; 29] {
    let claim = 1;
    [
        Act::DecideWell(0, true),
        Act::DecideWell(0, false),
        Act::DecideAll(0, true),
        Act::DecideAll(0, false),
        Act::Approve,
        Act::Reject,
        Act::Cancel,
        Act::Expire,
        Act::Supersede,
        Act::Hold(PendingReason::Quota, None),
        Act::RequestApprovals,
        Act::ExpireApprovals,
        Act::Override,
        Act::Resolve(2, StaleStrategy::RejectStale),
        Act::Claim(claim, 1),
        Act::Release(claim),
        Act::Complete(claim),
        Act::Fail(claim, AfterFailure::Reject),
        Act::LinkCompensation,
        Act::Comment,
        Act::Withdraw(0, false),
        Act::Withdraw(0, true),
        Act::RequestChanges(0),
        Act::Amend(1, true),
        Act::Amend(2, false),
        Act::Delegate(0, 3),
        Act::Reassign(0, ApprovalTarget::group("security").unwrap()),
        Act::Add(ApprovalRule::role("manager").unwrap()),
        Act::Remove(0),
    ]
}

fn next_move(input: &mut Input<'_>) -> Move {
    let kind = input.byte();
    let (seconds, actor) = ((input.byte() % 12).into(), input.below(people().len()));
    let act = match kind {
        232..235 => Act::Delegate(input.byte().into(), input.below(people().len())),
        235 => Act::Reassign(input.byte().into(), input.one(&targets())),
        236 | 237 => Act::Add(rule(input, 4 + usize::from(kind))),
        238 | 239 => Act::Remove(input.byte().into()),
        240..244 => Act::Comment,
        244..249 => Act::Withdraw(input.byte().into(), input.happens(50)),
        249..252 => Act::RequestChanges(input.byte().into()),
        252.. => Act::Amend(input.byte() % 3, input.happens(80)),
        _ => usual_act(kind % 24, input),
    };
    Move { seconds, actor, act }
}

fn usual_act(kind: u8, input: &mut Input<'_>) -> Act {
    let claim = |input: &mut Input<'_>| 1 + input.byte() % 3;
    let strategies =
        [StaleStrategy::RejectStale, StaleStrategy::RequireRenewedApproval, StaleStrategy::RevalidateOnLatestState];
    match kind {
        0..5 => Act::DecideWell(input.byte().into(), !input.happens(15)),
        5 => Act::DecideAll(input.byte().into(), !input.happens(15)),
        6 | 7 => Act::DecideAny(input.below(9), input.happens(50)),
        8 => Act::Approve,
        9 => Act::Reject,
        10 => Act::Cancel,
        11 => Act::Expire,
        12 => Act::Supersede,
        13 => {
            let Pending { reason, expires_at } = pending(input);
            Act::Hold(reason, expires_at.map(|_| input.byte().into()))
        }
        14 => Act::RequestApprovals,
        15 => Act::ExpireApprovals,
        16 => Act::Override,
        17 | 18 => Act::Resolve(input.byte() % 3, input.one(&strategies)),
        19 => Act::Release(claim(input)),
        20 => Act::Complete(claim(input)),
        21 => Act::Fail(
            claim(input),
            input.one(&[AfterFailure::Reject, AfterFailure::KeepApproved, AfterFailure::AsSubmitted]),
        ),
        22 => Act::LinkCompensation,
        _ => Act::Claim(claim(input), (input.byte() % 30).into()),
    }
}
