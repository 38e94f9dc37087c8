//! What is still open of a demand, and whether enough people remain to meet it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::demand::{Demand, demands, is_overdue, is_pending};
use super::eligibility::DecisionContext;
use super::remaining::Remaining;
#[cfg(feature = "schemars")]
use super::report_json::Overdue;
use super::report_json::overdue;
use super::seats::Seats;
use crate::request::{
    ActorContext, ActorId, ActorKind, Approval, ApprovalId, ApprovalSummary, ApprovalTarget, DeciderRule, Delegation,
    IdComparison, QuorumGroup, RequestDocument, Step, Timestamp, Value, metadata_keys,
};

/// An unmet approval or quorum group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OpenDemand {
    /// The group, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<QuorumGroup>,
    /// Its step.
    pub step: Step,
    /// How many grants are missing.
    pub missing: u32,
    /// The approvals that can still be granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenApproval>,
    /// The overdue approvals that no sweep has recorded yet, each with the time when it became overdue.
    #[serde(serialize_with = "overdue", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schemars", schemars(with = "Vec<Overdue<'static>>"))]
    pub overdue: Vec<(ApprovalId, Timestamp)>,
    /// Whether too few people remain.
    #[serde(skip)]
    pub(super) is_impossible: bool,
}

/// An approval that can still be granted once its step is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OpenApproval {
    /// The approval.
    pub id: ApprovalId,
    /// Who may decide it; from the time of its escalation on, also whom that names.
    pub target: ApprovalTarget,
    /// How its target came to be one person, if it was delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Box<Delegation>>,
    /// How its escalation came to be for one person, if it was delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation_delegation: Option<Box<Delegation>>,
    /// The policies that demanded it, with their versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub demanded_by: Vec<String>,
    /// Who may not decide it although they match the target: the requester, the excluded, those who voted in its group,
    /// and, if nobody decides twice, those who voted on the request or are needed for another of its approvals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub barred: BTreeSet<ActorId>,
    /// Approvals of its group whose vote can move to this one: whoever they address may decide this one too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<MovableApproval>,
    /// From this time on it can no longer be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The barred people who are known to have one of its roles or groups.
    #[serde(skip)]
    pub(super) exceptions: BTreeSet<ActorId>,
    /// What decides whether others can do without the people whom a vote uses up, if that is a question.
    #[serde(skip)]
    pub(super) rest: Option<Arc<Rest>>,
    /// The rule by which ids of people are equal.
    #[serde(skip_serializing_if = "IdComparison::is_default")]
    pub id_comparison: IdComparison,
}

/// An approval that is approved, by a vote that can move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MovableApproval {
    /// The approval.
    pub id: ApprovalId,
    /// Whom it addresses.
    pub target: ApprovalTarget,
    /// Who may not decide it although they match the target.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub barred: BTreeSet<ActorId>,
}

/// What remains beside an approval, in time and at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    approval: Approval,
    is_distinct: bool,
    remaining: [Remaining; 2],
}

/// Every demand that is not met, by step.
pub(super) fn open_demands(document: &RequestDocument, now: Timestamp) -> Vec<OpenDemand> {
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    let demands = demands(&document.approvals);
    let unmet = demands.iter().filter(|demand| !demand.is_met());
    let mut open: Vec<OpenDemand> = unmet.map(|demand| open_demand(document, context, demand, now)).collect();
    open.sort_by_key(|demand| demand.step);
    if context.limits.distinct {
        mark_impossible(&mut open, &Remaining::of(context, now, |_| true));
    }
    open
}

/// If nobody decides twice, marks the first demand for which too few people are left by those before it.
fn mark_impossible(open: &mut [OpenDemand], remaining: &Remaining) {
    let Some((step, group)) = remaining.impossible() else { return };
    let is_it = |demand: &&mut OpenDemand| demand.step == step && demand.group.as_ref() == group;
    if let Some(demand) = open.iter_mut().find(is_it) {
        demand.is_impossible = true;
    }
}

/// The first demand that can no longer be met, whoever decides what.
pub(super) fn impossible(document: &RequestDocument, now: Timestamp) -> Option<OpenDemand> {
    open_demands(document, now).into_iter().find(OpenDemand::is_impossible)
}

/// Whether the demand that this approval is of can no longer be met. An approval of no group that is rejected or expired
/// is a demand of its own.
pub(super) fn is_impossible(document: &RequestDocument, approval: &Approval, now: Timestamp) -> bool {
    let group = approval.quorum.as_ref().map(|quorum| &quorum.group);
    let impossible = |demand: &OpenDemand| demand.is_impossible() && demand.group.as_ref() == group;
    group.is_none() || open_demands(document, now).iter().any(impossible)
}

/// As `open_demands`, with those barred who are needed for another approval.
pub(super) fn open_demands_for_people(document: &RequestDocument, now: Timestamp) -> Vec<OpenDemand> {
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    let mut open = open_demands(document, now);
    let approvals: BTreeMap<&ApprovalId, &Approval> =
        document.approvals.iter().map(|approval| (&approval.id, approval)).collect();
    let pending = document.approvals.iter().filter(|it| is_pending(it));
    let named: BTreeSet<ActorId> = pending.flat_map(|it| it.target_at(now).actor_ids().clone()).collect();
    for open in open.iter_mut().flat_map(|demand| &mut demand.open) {
        let Some(approval) = approvals.get(&open.id).copied() else { continue };
        if approval.quorum.is_none() && !context.limits.distinct {
            continue;
        }
        let remaining = context.rests(approval, now);
        let rest = Rest { approval: approval.clone(), is_distinct: context.limits.distinct, remaining };
        if rest.is_distinct {
            let needed: Vec<&ActorId> = named.iter().filter(|id| !rest.spares(&person(id))).collect();
            if open.is_for_anybody() {
                open.exceptions.extend(needed.iter().copied().cloned());
            }
            open.barred.extend(needed.iter().copied().cloned());
            for through in &mut open.through {
                through.barred.extend(needed.iter().copied().cloned());
            }
        }
        open.rest = Some(Arc::new(rest));
    }
    open
}

fn person(id: &ActorId) -> ActorContext {
    let mut actor = ActorContext::new(ActorKind::Unknown);
    actor.id = Some(id.clone());
    actor
}

fn open_demand(
    document: &RequestDocument,
    context: DecisionContext<'_>,
    demand: &Demand<'_>,
    now: Timestamp,
) -> OpenDemand {
    let counted = document.approvals.iter().filter(|it| context.limits.distinct || demand.has(it));
    let voters: Vec<&ActorContext> = counted.filter_map(|it| it.state.verdict().map(|verdict| &*verdict.by)).collect();
    let pending = || demand.members.iter().filter(|member| is_pending(member));
    let seats = demand.group.and_then(|group| Seats::of(context, group, Some(now)));
    let open = pending().filter(|member| !is_overdue(member, now)).map(|member| {
        let mut open = open_approval(document, member, member.target_at(now).into_owned(), &voters);
        let place = document.approvals.iter().position(|other| other.id == member.id);
        let through = seats.as_ref().zip(place).map(|(seats, place)| seats.making_way(place)).unwrap_or_default();
        let through = through.into_iter().filter_map(|place| document.approvals.get(place));
        for approval in through {
            let target = approval.target_at(now).into_owned();
            let [barred, exceptions] = barred(document, approval, &target, &voters);
            open.exceptions.extend(exceptions);
            open.through.push(MovableApproval { id: approval.id.clone(), target, barred });
        }
        let is_barred = |id: &ActorId| {
            let mut barred = open.through.iter().map(|through| &through.barred).chain([&open.barred]);
            barred.all(|barred| context.ids.holds(barred, id))
        };
        open.exceptions = open.exceptions.iter().filter(|id| is_barred(id)).cloned().collect();
        open
    });
    let open: Vec<OpenApproval> = open.collect();
    let overdue = pending().filter(|member| is_overdue(member, now));
    let is_impossible = match demand.group {
        _ if context.limits.distinct => false,
        Some(group) => Remaining::of(context, now, |summary| summary.is_of(group)).impossible().is_some(),
        // An escalation comes by itself.
        None => !pending().filter(|member| !is_overdue(member, now)).any(|member| {
            open_approval(document, member, member.target_in_the_end().into_owned(), &voters).is_for_somebody()
        }),
    };
    OpenDemand {
        group: demand.group.cloned(),
        step: demand.step,
        missing: demand.missing(),
        open,
        overdue: overdue.filter_map(|member| Some((member.id.clone(), member.expires_at?))).collect(),
        is_impossible,
    }
}

/// The people who may not decide the approval, and those of them who are known to have one of its roles or groups.
fn barred(
    document: &RequestDocument,
    approval: &Approval,
    target: &ApprovalTarget,
    voters: &[&ActorContext],
) -> [BTreeSet<ActorId>; 2] {
    let ids = document.id_comparison;
    let requester = Some(&*document.requested_by).filter(|_| approval.decider == DeciderRule::NotTheRequester);
    let actors = || voters.iter().copied().chain(requester);
    let has_role_or_group = |actor: &&ActorContext| {
        ids.overlap(target.roles(), &actor.roles) || ids.overlap(target.groups(), &actor.groups)
    };
    let excluded = || document.approver_limits.excluded.iter().cloned();
    let mut exceptions: BTreeSet<ActorId> =
        actors().filter(has_role_or_group).filter_map(|actor| actor.rights_of().cloned()).collect();
    if !target.roles().is_empty() || !target.groups().is_empty() {
        exceptions.extend(excluded());
    }
    [actors().flat_map(ActorContext::people).cloned().chain(excluded()).collect(), exceptions]
}

fn demanded_by(approval: &Approval) -> Vec<String> {
    let Some(Value::List(policies)) = approval.metadata.get(metadata_keys::DEMANDED_BY) else { return Vec::new() };
    let texts = policies.iter().filter_map(|policy| match policy {
        Value::Text(policy) => Some(policy.clone()),
        _ => None,
    });
    texts.collect()
}

fn open_approval(
    document: &RequestDocument,
    approval: &Approval,
    target: ApprovalTarget,
    voters: &[&ActorContext],
) -> OpenApproval {
    let [barred, exceptions] = barred(document, approval, &target, voters);
    OpenApproval {
        id: approval.id.clone(),
        target,
        delegation: approval.delegation.clone(),
        escalation_delegation: approval.escalation.as_ref().and_then(|escalation| escalation.delegation.clone()),
        demanded_by: demanded_by(approval),
        barred,
        through: Vec::new(),
        expires_at: approval.expires_at,
        exceptions,
        rest: None,
        id_comparison: document.id_comparison,
    }
}

impl Rest {
    /// Whether the actor's vote could use up somebody who is needed for another approval.
    const fn matters_to(&self, actor: &ActorContext) -> bool {
        self.is_distinct || actor.acting_for.is_some()
    }

    fn spares(&self, actor: &ActorContext) -> bool {
        self.remaining.iter().all(|rest| rest.spares(actor, &self.approval))
    }
}

impl OpenDemand {
    /// Whether the missing grants certainly cannot be given: too few approvals or too few people remain.
    pub const fn is_impossible(&self) -> bool {
        self.is_impossible
    }
}

impl OpenApproval {
    /// Whether this actor may decide it, once its step is active.
    pub fn lets(&self, actor: &ActorContext) -> bool {
        let lets = |target: &ApprovalTarget, barred: &BTreeSet<ActorId>| {
            target.matches(actor, self.id_comparison) && !actor.people().any(|id| self.id_comparison.holds(barred, id))
        };
        actor.id.is_some()
            && (lets(&self.target, &self.barred) || self.through.iter().any(|it| lets(&it.target, &it.barred)))
            && self.rest.as_ref().is_none_or(|rest| !rest.matters_to(actor) || rest.spares(actor))
    }

    /// The named actors who may decide it.
    pub fn ids(&self) -> impl Iterator<Item = &ActorId> {
        let own = self.target.actor_ids().iter().filter(|id| !self.id_comparison.holds(&self.barred, id));
        own.chain(self.through.iter().flat_map(|through| {
            through.target.actor_ids().iter().filter(|id| !self.id_comparison.holds(&through.barred, id))
        }))
    }

    /// Whom it addresses, and whom those address whose vote can move to it.
    pub(super) fn targets(&self) -> impl Iterator<Item = &ApprovalTarget> {
        std::iter::once(&self.target).chain(self.through.iter().map(|through| &through.target))
    }

    /// Whether it addresses anybody who may still decide it.
    pub(super) fn is_for_somebody(&self) -> bool {
        self.is_for_anybody() || self.ids().next().is_some()
    }

    /// Whether it addresses a role or a group, which any actor might have.
    fn is_for_anybody(&self) -> bool {
        self.targets().any(|target| !target.roles().is_empty() || !target.groups().is_empty())
    }
}
