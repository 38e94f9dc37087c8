//! Random drafts, and random commands by random people.

use std::sync::Arc;
use std::time::Duration;

use mutator_governance::workflow::{
    AfterFailure, Command, Completion, Failure, StaleStrategy, apply, compensation_draft, decidable_by, file,
};
use mutator_governance::{
    ActorContext, ApprovalId, ApprovalRule, ApprovalTarget, CompensationKind, CompensationPlan, CompensationTrigger,
    Intent, MutationRequest, Pending, PendingReason, RequestDraft, RequestId, StateVersion, Step, Target, Timestamp,
    WriteId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// What happens next: seconds pass, and somebody does something.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) seconds: u64,
    pub(crate) actor: usize,
    pub(crate) act: Act,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// One of the decisions that somebody can really make; whose, the number says.
    DecideWell(usize, bool),
    /// Any approval at all, also one that does not exist.
    DecideAny(usize, bool),
    Approve,
    Reject,
    Cancel,
    Expire,
    Supersede,
    Hold(PendingReason, Option<u64>),
    RequestApprovals,
    ExpireApprovals,
    Override,
    Resolve(u8, StaleStrategy),
    Claim(u8, u64),
    Release(u8),
    Complete(u8),
    Fail(u8, AfterFailure),
    LinkCompensation,
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::MIN.saturating_add(Duration::from_secs(seconds))
}

/// The requester, four others, one of them in everything, and nobody.
pub(crate) fn people() -> Vec<Arc<ActorContext>> {
    let user = |id: &str| ActorContext::user(id).unwrap().because("a reason");
    [
        user("requester").with_role("manager").unwrap(),
        user("alice"),
        user("bob").with_role("manager").unwrap(),
        user("carol").with_group("security").unwrap(),
        user("dave").with_role("manager").unwrap().with_group("security").unwrap(),
        ActorContext::system().because("a reason").with_role("manager").unwrap(),
    ]
    .map(Arc::new)
    .to_vec()
}

fn target() -> impl Strategy<Value = ApprovalTarget> {
    let actor = |id: &str| ApprovalTarget::actor(id).unwrap();
    let (role, group) = (ApprovalTarget::role("manager").unwrap(), ApprovalTarget::group("security").unwrap());
    let both = actor("alice").or(group.clone());
    select(vec![actor("alice"), actor("bob"), actor("carol"), actor("requester"), role, group, both])
}

fn rule(number: usize) -> impl Strategy<Value = ApprovalRule> {
    let members = (vec(target(), 1..5), any::<prop::sample::Index>(), any::<bool>(), any::<bool>());
    let rest = (option::weighted(0.6, 1..4_u32), option::weighted(0.3, 1..300_u64), any::<bool>());
    (members, rest).prop_map(move |((members, required, grouped, lenient), (step, end, requester))| {
        let mut rule = if grouped {
            let required = u32::try_from(required.index(members.len()) + 1).unwrap();
            ApprovalRule::quorum(format!("group-{number}"), required, members).unwrap()
        } else {
            ApprovalRule::each(members).unwrap()
        };
        if lenient {
            rule = rule.rejected_when_impossible();
        }
        if let Some(step) = step {
            rule = rule.at_step(Step::new(step).unwrap());
        }
        if let Some(end) = end {
            rule = rule.expiring_at(at(end));
        }
        if requester { rule.requester_may_decide() } else { rule }
    })
}

/// A request as it was filed at time 0.
pub(crate) fn filed() -> impl Strategy<Value = MutationRequest> {
    let rules = prop_oneof![Just(0_usize), 1..4_usize].prop_flat_map(|count| (0..count).map(rule).collect::<Vec<_>>());
    let waiting = option::weighted(0.3, (select(PendingReason::ALL.to_vec()), option::of(1..300_u64)));
    (rules, waiting, option::of(0..3_u8), any::<bool>()).prop_map(|(rules, waiting, version, approved)| {
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let by = people().swap_remove(0);
        let mut draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), by);
        if let Some(number) = version {
            draft = draft.for_version(state_version(number));
        }
        match waiting {
            Some((PendingReason::Approval, _)) if rules.is_empty() => {}
            Some((reason, end)) => draft = draft.waiting_for(Pending { reason, expires_at: end.map(at) }),
            None if rules.is_empty() && approved => draft = draft.already_approved(),
            None => {}
        }
        let draft = rules.into_iter().fold(draft, RequestDraft::requires_approval);
        file(draft, RequestId::new("request-1").unwrap(), WriteId::from_bytes([0; 16]), at(0)).unwrap()
    })
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    let claim = || 1..4_u8;
    let strategy = select(vec![
        StaleStrategy::RejectStale,
        StaleStrategy::RequireRenewedApproval,
        StaleStrategy::RevalidateOnLatestState,
    ]);
    let act = prop_oneof![
        30 => (any::<usize>(), prop::bool::weighted(0.85)).prop_map(|(which, grants)| Act::DecideWell(which, grants)),
        10 => (0..9_usize, any::<bool>()).prop_map(|(which, grants)| Act::DecideAny(which, grants)),
        2 => Just(Act::Approve),
        1 => Just(Act::Reject),
        1 => Just(Act::Cancel),
        1 => Just(Act::Expire),
        1 => Just(Act::Supersede),
        4 => (select(PendingReason::ALL.to_vec()), option::of(1..300_u64)).prop_map(|(why, end)| Act::Hold(why, end)),
        4 => Just(Act::RequestApprovals),
        5 => Just(Act::ExpireApprovals),
        1 => Just(Act::Override),
        6 => (0..3_u8, strategy).prop_map(|(version, strategy)| Act::Resolve(version, strategy)),
        8 => (claim(), 0..30_u64).prop_map(|(claim, lease)| Act::Claim(claim, lease)),
        2 => claim().prop_map(Act::Release),
        4 => claim().prop_map(Act::Complete),
        3 => (claim(), select(vec![AfterFailure::Reject, AfterFailure::KeepApproved]))
            .prop_map(|(claim, then)| Act::Fail(claim, then)),
        3 => Just(Act::LinkCompensation),
    ];
    let one = (0..12_u64, 0..people().len(), act).prop_map(|(seconds, actor, act)| Move { seconds, actor, act });
    vec(one, 1..40)
}

/// The command a move means for this request now.
pub(crate) fn command(request: &MutationRequest, step: &Move, now: Timestamp) -> Command {
    let by = people().swap_remove(step.actor);
    match &step.act {
        Act::DecideWell(which, grants) => {
            let possible: Vec<(Arc<ActorContext>, ApprovalId)> = people()
                .into_iter()
                .flat_map(|actor| {
                    let ids = decidable_by(request, &actor, now).into_iter().map(|approval| approval.id.clone());
                    ids.map(move |id| (Arc::clone(&actor), id)).collect::<Vec<_>>()
                })
                .collect();
            let nobody = (by, ApprovalId::new("none").unwrap());
            let (by, id) = possible.get(which % possible.len().max(1)).cloned().unwrap_or(nobody);
            decide(by, id, *grants)
        }
        Act::DecideAny(which, grants) => {
            let known = request.approvals.get(*which).map(|approval| approval.id.clone());
            decide(by, known.unwrap_or_else(|| ApprovalId::new("none").unwrap()), *grants)
        }
        Act::Approve => Command::approve(by),
        Act::Reject => Command::reject(by),
        Act::Cancel => Command::cancel(by),
        Act::Expire => Command::expire(by),
        Act::Supersede => Command::supersede(by, RequestId::new("request-2").unwrap()),
        Act::Hold(reason, end) => Command::hold(by, Pending { reason: *reason, expires_at: end.map(at) }),
        Act::RequestApprovals => Command::request_approvals(by, None),
        Act::ExpireApprovals => Command::expire_approvals(by),
        Act::Override => Command::override_approvals(by),
        Act::Resolve(version, strategy) => Command::resolve(by, state_version(*version), *strategy),
        Act::Claim(claim, lease) => Command::claim(by, claim_id(*claim), Duration::from_secs(*lease)),
        Act::Release(claim) => Command::release(by, claim_id(*claim)),
        Act::Complete(claim) => Command::complete(by, claim_id(*claim), Completion::new()),
        Act::Fail(claim, then) => Command::fail(by, claim_id(*claim), Failure::new("broken"), *then),
        Act::LinkCompensation => Command::link_compensation(by, &compensation(request)).unwrap(),
    }
}

pub(crate) fn decide(by: Arc<ActorContext>, id: ApprovalId, grants: bool) -> Command {
    if grants { Command::grant(by, id) } else { Command::refuse(by, id, None) }
}

/// An executed compensation of whatever has the id of the request.
fn compensation(request: &MutationRequest) -> MutationRequest {
    let by = people().swap_remove(4);
    let plan = CompensationPlan::new(request.id.clone(), CompensationKind::Rollback, CompensationTrigger::Operator);
    let intent = Intent::new("revoke-role", "Access").unwrap();
    let draft = compensation_draft(request, plan.clone(), intent.clone(), Arc::clone(&by))
        .unwrap_or_else(|_| RequestDraft::new(request.target.clone(), intent, Arc::clone(&by)).compensating(plan));
    let id = RequestId::new("undo-1").unwrap();
    let filed = file(draft.already_approved(), id, WriteId::from_bytes([9; 16]), at(0)).unwrap();
    let claimed = apply(filed, &Command::claim(Arc::clone(&by), claim_id(1), Duration::from_secs(1)), at(0)).unwrap();
    apply(claimed, &Command::complete(by, claim_id(1), Completion::new()), at(0)).unwrap()
}

fn state_version(number: u8) -> StateVersion {
    StateVersion::new(format!("v{number}")).unwrap()
}

fn claim_id(number: u8) -> WriteId {
    WriteId::from_bytes([number; 16])
}
