//! Random drafts, and random commands by random people.

use std::time::Duration;

use mutator_governance::workflow::{AfterFailure, StaleStrategy, submit};
use mutator_governance::{
    ActorContext, ActorId, ApprovalRule, ApprovalTarget, Intent, MutationRequest, Pending, PendingReason, RequestDraft,
    RequestId, RetryPolicy, Step, Target, WriteId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

mod acts;
pub use acts::{Act, Move, at, command, decide, decide_all, people, state_version, table};

/// Two attempts in all, so that a story can reach the last.
fn retry() -> AfterFailure {
    let policy = RetryPolicy::new(2).unwrap().pauses(Duration::from_secs(3), Duration::from_secs(9)).unwrap();
    AfterFailure::Retry(policy)
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
            let after = Duration::from_secs(end);
            rule = if end % 2 == 0 { rule.expiring_at(at(end)) } else { rule.expiring_after(after).unwrap() };
        }
        if requester { rule.requester_may_decide() } else { rule }
    })
}

/// A rule that is now and then mandatory, demands reasons, and now and then escalates before it expires, if it does.
fn rule_amended(number: usize) -> impl Strategy<Value = ApprovalRule> {
    let escalation = option::weighted(0.25, (1..60_u64, target()));
    (rule(number), prop::bool::weighted(0.2), 0..3_u8, escalation).prop_map(|(rule, mandatory, reasons, escalation)| {
        let rule = if mandatory { rule.mandatory() } else { rule };
        let rule = match reasons {
            0 => rule,
            1 => rule.demanding_reason_for_rejecting(),
            _ => rule.demanding_reason(),
        };
        match escalation {
            Some((after, to)) => rule.escalates_after(Duration::from_secs(after), to).unwrap(),
            None => rule,
        }
    })
}

/// Who submits, now and then for another; whether nobody decides twice; and who may not decide.
fn limits() -> impl Strategy<Value = (ActorContext, bool, Vec<ActorId>)> {
    let acting_for = option::weighted(0.2, select(vec!["carol", "erin"]));
    let excluded = option::weighted(0.2, select(vec!["alice", "bob", "erin"]));
    (acting_for, prop::bool::weighted(0.2), excluded).prop_map(|(acting_for, distinct, excluded)| {
        let requester = ActorContext::clone(&people().swap_remove(0));
        let by = match acting_for {
            Some(other) => requester.acting_for(other, "assistant").unwrap(),
            None => requester,
        };
        (by, distinct, excluded.into_iter().map(|id| ActorId::new(id).unwrap()).collect())
    })
}

/// A request as it was submitted at time 0; drafts that ask people for more grants than they can give are left out.
pub fn submitted() -> impl Strategy<Value = MutationRequest> {
    let rules =
        prop_oneof![Just(0_usize), 1..4_usize].prop_flat_map(|count| (0..count).map(rule_amended).collect::<Vec<_>>());
    let waiting = option::weighted(0.3, (select(PendingReason::ALL.to_vec()), option::of(1..300_u64)));
    let times = (option::weighted(0.2, 0..60_u64), option::weighted(0.3, 1..40_u64));
    (rules, waiting, option::of(0..3_u8), any::<bool>(), times, limits()).prop_filter_map(
        "nobody could approve it",
        |(rules, waiting, version, approved, (start, validity), (by, distinct, excluded))| {
            let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
            let mut draft = RequestDraft::new(target, Intent::new("grant-role", "Access").unwrap(), by);
            draft = draft.excluding(excluded);
            if distinct {
                draft = draft.distinct_approvers();
            }
            if let Some(number) = version {
                draft = draft.for_version(state_version(number));
            }
            if let Some(start) = start {
                draft = draft.not_before(at(start));
            }
            if let Some(validity) = validity {
                draft = draft.valid_for(Duration::from_secs(validity)).unwrap();
            }
            match waiting {
                Some((PendingReason::Approval, _)) if rules.is_empty() => {}
                Some((reason, end)) => draft = draft.waiting_for(Pending { reason, expires_at: end.map(at) }),
                None if rules.is_empty() && approved => draft = draft.already_approved(),
                None => {}
            }
            let draft = rules.into_iter().fold(draft, RequestDraft::requires_approval);
            submit(draft, RequestId::new("request-1").unwrap(), WriteId::from_bytes([0; 16]), at(0)).ok()
        },
    )
}

pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    let claim = || 1..4_u8;
    let strategy = select(vec![
        StaleStrategy::RejectStale,
        StaleStrategy::RequireRenewedApproval,
        StaleStrategy::RevalidateOnLatestState,
        StaleStrategy::RequireRevalidation,
    ]);
    let act = prop_oneof![
        30 => (any::<usize>(), prop::bool::weighted(0.85)).prop_map(|(which, grants)| Act::DecideWell(which, grants)),
        10 => (any::<usize>(), prop::bool::weighted(0.85)).prop_map(|(which, grants)| Act::DecideAll(which, grants)),
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
        3 => (claim(), select(vec![AfterFailure::Reject, AfterFailure::KeepApproved, retry()]))
            .prop_map(|(claim, then)| Act::Fail(claim, then)),
        3 => prop_oneof![Just(0), 1..20_u64].prop_map(Act::Schedule),
        4 => Just(Act::Revalidate),
        3 => Just(Act::LinkCompensation),
        2 => Just(Act::Comment),
        4 => (any::<usize>(), 0..people().len()).prop_map(|(which, to)| Act::Delegate(which, to)),
        3 => (any::<usize>(), target()).prop_map(|(which, target)| Act::Reassign(which, target)),
        2 => (4..7_usize).prop_flat_map(rule_amended).prop_map(Act::Add),
        3 => any::<usize>().prop_map(Act::Remove),
        5 => (any::<usize>(), any::<bool>()).prop_map(|(which, one)| Act::Withdraw(which, one)),
        4 => any::<usize>().prop_map(Act::RequestChanges),
        8 => (0..3_u8, prop::bool::weighted(0.8)).prop_map(|(content, rightly)| Act::Amend(content, rightly)),
    ];
    let one = (0..12_u64, 0..people().len(), act).prop_map(|(seconds, actor, act)| Move { seconds, actor, act });
    vec(one, 1..40)
}
