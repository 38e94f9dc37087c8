use std::collections::BTreeSet;

use super::deciding::Deciding;
use super::demand::active_step;
use super::expiry;
use super::open_demand::{OpenDemand, open_demands};
use crate::request::{
    ActorContext, Approval, ApprovalId, Claim, Decision, DecisionCategory, RequestDocument, RequestState, Standing,
    Step, Timestamp,
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
    let deciding = Deciding::of(document, &standings);
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

fn standing_since(document: &RequestDocument) -> Option<Decision> {
    let mut decisions = document.decisions.iter().rev();
    decisions.find(|decision| decision.kind.category() == DecisionCategory::Lifecycle).cloned()
}
