//! What an actor decides by one approval or rejection of a request: one approval of each demand they count for.

use std::collections::BTreeMap;

use super::demand::{active_step, is_overdue, is_pending};
use super::eligibility::DecisionContext;
use super::explain::explain;
use super::phrase::{submitter, whoever};
use crate::error::{ApprovalError, NothingToDecide};
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalId, ApprovalSummary, DeciderRule, IdComparison, QuorumGroup,
    RequestDocument, Timestamp,
};

/// The approvals the actor decides, in the order of the request's approvals.
///
/// The set is the largest of those that leave the rest possible: each approval passes the check of its own demand, and
/// what one demand has left does not depend on another.
pub(super) fn chosen_for<'a>(
    document: &'a RequestDocument,
    actor: &ActorContext,
    now: Timestamp,
) -> Result<Vec<&'a Approval>, ApprovalError> {
    if !document.state.awaits_approval() {
        return Err(ApprovalError::NotAwaitingApproval { status: document.state.status() });
    }
    if document.approvals.is_empty() {
        return Err(ApprovalError::NoApprovals);
    }
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    let is_requester = context.is_requester(actor);
    // Whoever needs another vote to move leaves approvals to those whom they address themselves.
    let freedom = |approval: &Approval| (!context.addresses(approval, actor, is_requester, now), freedom(approval));
    let mut alone = Vec::new();
    let mut of_groups: BTreeMap<&QuorumGroup, (usize, &Approval)> = BTreeMap::new();
    let mut needed_elsewhere = None;
    for (place, approval) in document.approvals.iter().enumerate() {
        match context.check(approval, actor, now) {
            Err(error @ ApprovalError::NeededElsewhere { .. }) => needed_elsewhere = needed_elsewhere.or(Some(error)),
            Err(_) => {}
            Ok(()) => match &approval.quorum {
                None => alone.push((place, approval)),
                Some(quorum) => {
                    let chosen = of_groups.entry(&quorum.group).or_insert((place, approval));
                    if freedom(approval) < freedom(chosen.1) {
                        *chosen = (place, approval);
                    }
                }
            },
        }
    }
    let mut chosen: Vec<(usize, &Approval)> = alone.into_iter().chain(of_groups.into_values()).collect();
    if chosen.is_empty() {
        return Err(needed_elsewhere.unwrap_or_else(|| nothing_to_decide(document, actor, now)));
    }
    if document.approver_limits.distinct {
        chosen.sort_by_key(|(place, approval)| (freedom(approval), *place));
        chosen.truncate(1);
    }
    chosen.sort_by_key(|(place, _)| *place);
    Ok(chosen.into_iter().map(|(_, approval)| approval).collect())
}

/// How easily others could decide the approval: by anybody or by named people, by how many, and until when.
fn freedom(approval: &Approval) -> (bool, usize, Timestamp) {
    let target = &approval.target;
    let (roles, groups) = (target.roles().len(), target.groups().len());
    let addressed = target.actor_ids().len() + roles + groups;
    (roles + groups > 0, addressed, approval.expires_at.unwrap_or(Timestamp::MAX))
}

fn nothing_to_decide(document: &RequestDocument, actor: &ActorContext, now: Timestamp) -> ApprovalError {
    ApprovalError::NothingToDecide {
        actor: whoever(actor),
        why: why_nothing(document, actor, now),
        explanation: explain(document, now).to_string(),
    }
}

fn why_nothing(document: &RequestDocument, actor: &ActorContext, now: Timestamp) -> NothingToDecide {
    let ids = document.id_comparison;
    if actor.id.is_none() {
        return NothingToDecide::Anonymous;
    }
    let approvals = || document.approvals.iter();
    let Some(active) = active_step(&document.approvals) else {
        return NothingToDecide::Decided { approvals: ids_of(approvals()) };
    };
    let is_distinct = document.approver_limits.distinct;
    let voted = ids_of(approvals().filter(|it| (it.step == active || is_distinct) && has_voted(it, actor, ids)));
    if !voted.is_empty() {
        return NothingToDecide::Voted { approvals: voted };
    }
    let is_actor = |id: &ActorId| actor.people().any(|person| ids.is_same(person, id));
    let is_requester = document.requested_by.people().any(is_actor);
    let is_own = |it: &Approval| is_requester && it.decider == DeciderRule::NotTheRequester;
    let addressed: Vec<&Approval> = approvals().filter(|it| it.addresses(actor, ids, now)).collect();
    let is_excluded = document.approver_limits.excluded.iter().any(is_actor);
    let barred = ids_of(addressed.iter().copied().filter(|it| is_pending(it)));
    if is_excluded && !barred.is_empty() {
        return NothingToDecide::Excluded { approvals: barred };
    }
    let open = || addressed.iter().copied().filter(|it| is_pending(it));
    let later = || open().filter(|it| it.step > active && !is_own(it) && !is_overdue(it, now));
    if let Some(step) = later().map(|it| it.step).min() {
        return NothingToDecide::NotYet { approvals: ids_of(later().filter(|it| it.step == step)), step, active };
    }
    let own = ids_of(open().filter(|it| is_own(it)));
    if !own.is_empty() {
        return NothingToDecide::OwnRequest {
            approvals: own,
            requester: submitter(document.requested_by.people_by_place()),
        };
    }
    let overdue = || open().filter(|it| is_overdue(it, now));
    if let Some(expired_at) = overdue().filter_map(|it| it.expires_at).max() {
        return NothingToDecide::Expired { approvals: ids_of(overdue()), expired_at };
    }
    match ids_of(addressed.iter().copied()) {
        none if none.is_empty() => {
            let open = approvals().filter(|it| it.step == active && is_pending(it));
            NothingToDecide::NotAddressed {
                addressed: open.map(|it| (it.id.clone(), it.target_at(now).into_owned())).collect(),
            }
        }
        approvals => NothingToDecide::Decided { approvals },
    }
}

fn has_voted(approval: &Approval, actor: &ActorContext, ids: IdComparison) -> bool {
    let voters = approval.state.verdict().into_iter().flat_map(|verdict| verdict.by.people());
    voters.into_iter().any(|voter| actor.people().any(|person| ids.is_same(voter, person)))
}

fn ids_of<'a>(approvals: impl Iterator<Item = &'a Approval>) -> Vec<ApprovalId> {
    approvals.map(|approval| approval.id.clone()).collect()
}
