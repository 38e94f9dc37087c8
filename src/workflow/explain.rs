use std::collections::BTreeSet;

use super::deciding::Deciding;
use super::demand::{Demand, active_step, demands, is_overdue, is_pending};
use super::expiry;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalId, ApprovalTarget, Claim, DeciderRule, Decision, DecisionCategory,
    QuorumGroup, RequestDocument, RequestState, Standing, Step, Timestamp,
};

/// Why a request stands where it stands at one time, and who can move it on.
///
/// Displays as the rest of a sentence that begins with the request: "waits for 1 more of security (bob, dave); step 2 of
/// 3; expires in 3 h".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Where it stands.
    pub state: RequestState,
    /// Every approval or quorum group that is not met, if it waits for approval; by step.
    pub demands: Vec<OpenDemand>,
    /// The step that can be decided now.
    pub active_step: Option<Step>,
    /// Which of the request's steps the active one is, from 1.
    pub step_ordinal: u32,
    /// How many steps it has.
    pub steps: u32,
    /// The next time at which something about it is due to expire.
    pub deadline: Option<Timestamp>,
    /// Who is executing it, or was when the lease ended.
    pub claim: Option<Claim>,
    /// The decision that brought it where it stands.
    pub since: Option<Decision>,
    /// The time this explanation is for.
    pub now: Timestamp,
}

/// An approval, or a quorum group, that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenDemand {
    /// The group, if it is one.
    pub group: Option<QuorumGroup>,
    /// When its turn is.
    pub step: Step,
    /// How many grants are missing.
    pub missing: u32,
    /// The approvals that can still be granted.
    pub open: Vec<OpenApproval>,
}

/// An approval that can still be granted once its step is active.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenApproval {
    /// The approval.
    pub id: ApprovalId,
    /// Whom it is addressed to.
    pub target: ApprovalTarget,
    /// Who may not decide it although they match the target: the requester, and who has voted in its group.
    pub barred: BTreeSet<ActorId>,
    /// From this time on it can no longer be decided.
    pub expires_at: Option<Timestamp>,
}

/// Why the request stands where it stands, who can move it on, and until when.
pub fn explain(document: &RequestDocument, now: Timestamp) -> Explanation {
    let awaited = document.state.awaits_approval();
    let active = active_step(&document.approvals).filter(|_| awaited);
    let steps: BTreeSet<Step> = document.approvals.iter().map(|approval| approval.step).collect();
    let ordinal = steps.iter().filter(|step| active.is_some_and(|active| **step <= active)).count();
    Explanation {
        state: document.state.clone(),
        demands: if awaited { open_demands(document, now) } else { Vec::new() },
        active_step: active,
        step_ordinal: super::history::count(ordinal),
        steps: super::history::count(steps.len()),
        deadline: expiry::next_deadline(document),
        claim: document.execution.claim.clone(),
        since: standing_since(document),
        now,
    }
}

/// The approvals this actor can decide now: each would be granted, and no other would.
pub fn decidable_by<'a>(document: &'a RequestDocument, actor: &ActorContext, now: Timestamp) -> Vec<&'a Approval> {
    if !document.state.awaits_approval() {
        return Vec::new();
    }
    let standings = Standing::of_all(&document.approvals);
    let deciding = Deciding { requester: document.requested_by.id.as_ref(), standings: &standings };
    document.approvals.iter().filter(|approval| deciding.check(approval, actor, now).is_ok()).collect()
}

impl Explanation {
    /// The demands that can be met now.
    pub fn active(&self) -> impl Iterator<Item = &OpenDemand> {
        self.demands.iter().filter(|demand| Some(demand.step) == self.active_step)
    }

    /// The demands that cannot be met any more, of whichever step.
    pub fn impossible(&self) -> impl Iterator<Item = &OpenDemand> {
        self.demands.iter().filter(|demand| demand.is_impossible())
    }

    /// The approvals this actor can decide now; the same ones as [`decidable_by`] gives.
    pub fn decidable_by(&self, actor: &ActorContext) -> Vec<&ApprovalId> {
        self.active().flat_map(|demand| &demand.open).filter(|open| open.lets(actor)).map(|open| &open.id).collect()
    }
}

impl OpenDemand {
    /// Whether it is certain that the missing grants cannot be given: too few approvals are left, or too few people.
    pub fn is_impossible(&self) -> bool {
        let decidable: Vec<&OpenApproval> = self.open.iter().filter(|open| open.has_decider()).collect();
        let only_ids = decidable.iter().all(|open| open.target.roles().is_empty() && open.target.groups().is_empty());
        let people: BTreeSet<&ActorId> = decidable.iter().flat_map(|open| open.ids()).collect();
        let possible = if only_ids { decidable.len().min(people.len()) } else { decidable.len() };
        self.missing > super::history::count(possible)
    }
}

impl OpenApproval {
    /// Whether this actor may decide it, once its step is active.
    pub fn lets(&self, actor: &ActorContext) -> bool {
        self.target.matches(actor) && actor.id.as_ref().is_some_and(|id| !self.barred.contains(id))
    }

    /// The actors it names who may decide it.
    pub fn ids(&self) -> impl Iterator<Item = &ActorId> {
        self.target.actor_ids().iter().filter(|id| !self.barred.contains(*id))
    }

    fn has_decider(&self) -> bool {
        self.ids().next().is_some() || !self.target.roles().is_empty() || !self.target.groups().is_empty()
    }
}

fn open_demands(document: &RequestDocument, now: Timestamp) -> Vec<OpenDemand> {
    let mut demands: Vec<OpenDemand> = demands(&document.approvals)
        .iter()
        .filter(|demand| !demand.is_met())
        .map(|demand| open_demand(document, demand, now))
        .collect();
    demands.sort_by_key(|demand| demand.step);
    demands
}

fn open_demand(document: &RequestDocument, demand: &Demand<'_>, now: Timestamp) -> OpenDemand {
    let voted: BTreeSet<ActorId> = demand
        .members
        .iter()
        .filter_map(|member| member.state.verdict().and_then(|verdict| verdict.by.id.clone()))
        .collect();
    let open = demand.members.iter().filter(|member| is_pending(member) && !is_overdue(member, now)).map(|member| {
        let requester = document.requested_by.id.iter().filter(|_| member.decider == DeciderRule::NotTheRequester);
        OpenApproval {
            id: member.id.clone(),
            target: member.target.clone(),
            barred: voted.iter().chain(requester).cloned().collect(),
            expires_at: member.expires_at,
        }
    });
    OpenDemand { group: demand.group.cloned(), step: demand.step, missing: demand.missing(), open: open.collect() }
}

fn standing_since(document: &RequestDocument) -> Option<Decision> {
    let mut decisions = document.decisions.iter().rev();
    decisions.find(|decision| decision.kind.category() == DecisionCategory::Lifecycle).cloned()
}
