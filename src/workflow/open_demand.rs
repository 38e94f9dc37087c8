//! What is still open of a demand, and whether enough people remain to meet it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::demand::{Demand, demands, is_overdue, is_pending};
use super::eligibility::needed_elsewhere;
use super::history::count;
use super::matching::{People, most_grants};
#[cfg(feature = "schemars")]
use super::report_json::Overdue;
use super::report_json::overdue;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalId, ApprovalSummary, ApprovalTarget, DeciderRule, Delegation,
    IdComparison, QuorumGroup, RequestDocument, Step, Timestamp,
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
    /// How it came to the person it is addressed to, if it was delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Box<Delegation>>,
    /// Who may not decide it although they match the target: the requester, those who voted in its group, and those
    /// whom the group needs for another of its approvals.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub barred: BTreeSet<ActorId>,
    /// From this time on it can no longer be decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The barred people who are known to have one of its roles or groups.
    #[serde(skip)]
    pub(super) exceptions: BTreeSet<ActorId>,
    /// Who may decide it when it has escalated, if it does.
    #[serde(skip)]
    pub(super) target_in_the_end: Option<Box<ApprovalTarget>>,
    /// The rule by which ids of people are equal.
    #[serde(skip_serializing_if = "IdComparison::is_default")]
    pub id_comparison: IdComparison,
}

/// Every demand that is not met, by step.
pub(super) fn open_demands(document: &RequestDocument, now: Timestamp) -> Vec<OpenDemand> {
    let demands = demands(&document.approvals);
    let unmet = demands.iter().filter(|demand| !demand.is_met());
    let mut open: Vec<OpenDemand> = unmet.map(|demand| open_demand(document, demand, now)).collect();
    open.sort_by_key(|demand| demand.step);
    open
}

/// The first demand that can no longer be met, whoever decides what.
pub(super) fn impossible(document: &RequestDocument, now: Timestamp) -> Option<OpenDemand> {
    open_demands(document, now).into_iter().find(OpenDemand::is_impossible)
}

/// As `open_demands`, with those barred whom a group needs for another of its approvals.
pub(super) fn open_demands_for_people(document: &RequestDocument, now: Timestamp) -> Vec<OpenDemand> {
    let summaries = ApprovalSummary::of_all(&document.approvals);
    let mut open = open_demands(document, now);
    let approvals: BTreeMap<&ApprovalId, &Approval> =
        document.approvals.iter().map(|approval| (&approval.id, approval)).collect();
    for demand in &mut open {
        let member = |id: &ApprovalId| approvals.get(id).copied();
        let quorum = demand.open.first().and_then(|first| member(&first.id)?.quorum.as_ref());
        let Some(needed) = quorum.map(|quorum| needed_elsewhere(document, &summaries, quorum, now)) else { continue };
        for open in &mut demand.open {
            let needed = member(&open.id).map(&needed).unwrap_or_default();
            if open.is_for_anybody() {
                open.exceptions.extend(needed.iter().cloned());
            }
            open.barred.extend(needed);
        }
    }
    open
}

pub(super) fn open_demand(document: &RequestDocument, demand: &Demand<'_>, now: Timestamp) -> OpenDemand {
    let voters: Vec<&ActorContext> =
        demand.members.iter().filter_map(|member| member.state.verdict().map(|verdict| &*verdict.by)).collect();
    let pending = || demand.members.iter().filter(|member| is_pending(member));
    let open = pending().filter(|member| !is_overdue(member, now)).map(|member| {
        let requester = Some(&*document.requested_by).filter(|_| member.decider == DeciderRule::NotTheRequester);
        open_approval(member, voters.iter().copied().chain(requester), document.id_comparison, now)
    });
    let overdue = pending().filter(|member| is_overdue(member, now));
    OpenDemand {
        group: demand.group.cloned(),
        step: demand.step,
        missing: demand.missing(),
        open: open.collect(),
        overdue: overdue.filter_map(|member| Some((member.id.clone(), member.expires_at?))).collect(),
    }
}

fn open_approval<'a>(
    approval: &Approval,
    barred: impl Iterator<Item = &'a ActorContext> + Clone,
    ids: IdComparison,
    now: Timestamp,
) -> OpenApproval {
    let target = approval.target_at(now).into_owned();
    let has_role_or_group = |actor: &&ActorContext| {
        ids.overlap(target.roles(), &actor.roles) || ids.overlap(target.groups(), &actor.groups)
    };
    let exceptions = barred.clone().filter(has_role_or_group).filter_map(|actor| actor.id.clone());
    OpenApproval {
        id: approval.id.clone(),
        exceptions: exceptions.collect(),
        target,
        delegation: approval.delegation.clone(),
        target_in_the_end: approval.escalation.as_ref().map(|_| Box::new(approval.target_in_the_end().into_owned())),
        barred: barred.filter_map(|actor| actor.id.clone()).collect(),
        expires_at: approval.expires_at,
        id_comparison: ids,
    }
}

impl OpenDemand {
    /// Whether the missing grants certainly cannot be given: too few approvals or too few people remain.
    pub fn is_impossible(&self) -> bool {
        let will_be_for_anybody = |open: &&OpenApproval| has_role_or_group(open.target_in_the_end());
        let (for_anybody, named): (Vec<_>, Vec<_>) = self.open.iter().partition(will_be_for_anybody);
        let missing = self.missing.saturating_sub(count(for_anybody.len()));
        let mut people = People::told_apart(self.open.first().map(|open| open.id_comparison).unwrap_or_default());
        let candidates: Vec<Vec<usize>> = named.iter().map(|open| people.numbers(open.ids_in_the_end())).collect();
        missing > most_grants(&candidates, missing)
    }
}

impl OpenApproval {
    /// Whether this actor may decide it, once its step is active.
    pub fn lets(&self, actor: &ActorContext) -> bool {
        self.target.matches(actor, self.id_comparison) && actor.id.as_ref().is_some_and(|id| !self.bars(id))
    }

    /// The named actors who may decide it.
    pub fn ids(&self) -> impl Iterator<Item = &ActorId> {
        self.target.actor_ids().iter().filter(|id| !self.bars(id))
    }

    fn bars(&self, id: &ActorId) -> bool {
        self.id_comparison.holds(&self.barred, id)
    }

    /// Whether it addresses anybody who may still decide it.
    pub(super) fn is_for_somebody(&self) -> bool {
        self.is_for_anybody() || self.ids().next().is_some()
    }

    /// Whether it addresses a role or a group, which any actor might have.
    fn is_for_anybody(&self) -> bool {
        has_role_or_group(&self.target)
    }

    /// Who may decide it now or later: an escalation comes by itself.
    fn target_in_the_end(&self) -> &ApprovalTarget {
        self.target_in_the_end.as_deref().unwrap_or(&self.target)
    }

    fn ids_in_the_end(&self) -> impl Iterator<Item = &ActorId> {
        self.target_in_the_end().actor_ids().iter().filter(|id| !self.bars(id))
    }
}

fn has_role_or_group(target: &ApprovalTarget) -> bool {
    !target.roles().is_empty() || !target.groups().is_empty()
}
