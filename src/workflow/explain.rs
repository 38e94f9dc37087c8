//! Explains why a request has its current status, and who can move it on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::demand::{active_step, is_pending};
use super::eligibility::DecisionContext;
use super::expiry::{next_expiry, passed_deadline};
use super::history::{count, time_after};
use super::open_demand::{OpenDemand, impossible, open_demands_for_people};
use super::ready::ready_at;
use super::timing::valid_until;
use super::{escalating, execution};
use crate::error::ExecutionError;
use crate::request::{
    ActorContext, Approval, ApprovalId, ApprovalSummary, ApprovalTarget, Claim, Decision, DecisionCategory,
    DecisionKind, Digest, ExecutionDecision, LifecycleDecision, LinkRelation, QuorumGroup, RequestDocument, RequestId,
    RequestState, Status, Step, Timestamp, UniqueKey,
};

/// Why a request has its status at one time, and who can move it on.
///
/// Displays as the rest of a sentence that begins with the request: "waits for 1 more vote in security: approval-2 by
/// bob, approval-4 by dave; step 2 of 3; the request expires in 3 h". Everybody it names can act.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The state of the request.
    pub state: RequestState,
    /// Every unmet approval or quorum group, by step, if the request waits for approval. From the request's own
    /// deadline on, none of their approvals is open.
    pub demands: Vec<OpenDemand>,
    /// The step that can be decided now.
    pub active_step: Option<Step>,
    /// The ordinal of the active step among the request's steps, from 1.
    pub step_ordinal: u32,
    /// The number of its steps.
    pub steps: u32,
    /// The next time at which something about it is due to expire, or an open approval is addressed to others too.
    pub deadline: Option<Timestamp>,
    /// It is not executed before this time.
    pub not_before: Option<Timestamp>,
    /// When it became ready to be executed, or becomes it if nothing changes; `None` unless it is approved.
    pub ready_at: Option<Timestamp>,
    /// When the validity of its approval ends.
    pub valid_until: Option<Timestamp>,
    /// Who is executing it, or was when the lease ended.
    pub claim: Option<Claim>,
    /// The decision that led to its status.
    pub since: Option<Decision>,
    /// The executions that failed since it was approved, if it still is; the latest last.
    pub failures: Vec<Decision>,
    /// When the next attempt can begin, if an executor tries it again by a policy.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it cannot be executed, although it is approved.
    pub obstacle: Option<ExecutionError>,
    /// Who is to correct it, if it was sent back and its own deadline has not come.
    pub corrected_by: Option<Arc<ActorContext>>,
    /// The executed requests that compensate it.
    pub compensated_by: Vec<RequestId>,
    /// The request that follows it, if it was resubmitted.
    pub resubmitted_as: Option<RequestId>,
    /// Its unique key while it is open: no other request with this key can be submitted until it ends.
    pub unique_key: Option<UniqueKey>,
    /// The time of this explanation: the requested one, or just after the last change if that is later.
    pub now: Timestamp,
    /// What is due to expire at the deadline.
    pub(super) expiring: Expiring,
    /// What has to be met after it has waited for something else.
    pub(super) following: Following,
    /// The steps it has, in order.
    pub(super) order: Vec<Step>,
}

/// What expires next about a request, and the consequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expiring {
    Nothing,
    Request,
    /// An approval is addressed to others too.
    Escalation {
        id: ApprovalId,
        to: ApprovalTarget,
    },
    /// The group, if these are all of its open approvals.
    Approvals {
        ids: Vec<ApprovalId>,
        group: Option<QuorumGroup>,
        rejects: bool,
    },
}

/// What follows after a request has waited for something other than approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// It has no approvals.
    Nothing,
    /// Its approvals are all met.
    AllMet,
    /// It requests these approvals, possible only before the first of the open ones expires.
    Demands { unmet: Vec<OpenDemand>, before: Option<(ApprovalId, Timestamp)> },
}

/// Explains why the request has its status, who can move it on, and until when.
pub fn explain(document: &RequestDocument, now: Timestamp) -> Explanation {
    let now = time_after(document.updated_at, now);
    let is_overdue = passed_deadline(&document.state, now).is_some();
    let active = active_step(&document.approvals).filter(|_| document.state.awaits_approval() && !is_overdue);
    let steps: BTreeSet<Step> = document.approvals.iter().map(|approval| approval.step).collect();
    let ordinal = steps.iter().filter(|step| active.is_some_and(|active| **step <= active)).count();
    let escalation = escalating::next_after(document, now);
    Explanation {
        state: document.state.clone(),
        demands: awaited_demands(document, is_overdue, now),
        active_step: active,
        step_ordinal: count(ordinal),
        steps: count(steps.len()),
        deadline: next_expiry(document).into_iter().chain(escalation.map(|(at, _)| at)).min(),
        not_before: document.execution.not_before,
        ready_at: ready_at(document),
        valid_until: valid_until(document),
        claim: document.execution.claim.clone(),
        since: standing_since(document).map(|(_, decision)| decision.clone()),
        failures: failures(document),
        next_attempt_at: document.execution.failed_attempts.as_ref().map(|attempts| attempts.next_at),
        obstacle: obstacle(document),
        corrected_by: (document.state.awaits_correction() && !is_overdue).then(|| Arc::clone(&document.requested_by)),
        compensated_by: compensated_by(document),
        resubmitted_as: document.execution.resubmitted_as.as_ref().map(|link| link.request.clone()),
        unique_key: document.open_key().cloned(),
        now,
        expiring: expiring(document, escalation, now),
        following: following(document, now),
        order: steps.into_iter().collect(),
    }
}

/// The approvals that this actor can decide now: exactly those for which a decision would be accepted.
pub fn decidable_by<'a>(document: &'a RequestDocument, actor: &ActorContext, now: Timestamp) -> Vec<&'a Approval> {
    if !document.state.awaits_approval() {
        return Vec::new();
    }
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let deciding = DecisionContext::about(document, &summaries);
    document.approvals.iter().filter(|approval| deciding.lets(approval, actor, now)).collect()
}

impl Explanation {
    /// The demands that can be met now.
    pub fn active(&self) -> impl Iterator<Item = &OpenDemand> {
        self.demands.iter().filter(|demand| Some(demand.step) == self.active_step)
    }

    /// The demands that can no longer be met, of any step. If time made them so, the next sweep rejects the request.
    pub fn impossible(&self) -> impl Iterator<Item = &OpenDemand> {
        self.demands.iter().filter(|demand| demand.is_impossible())
    }

    /// The approvals this actor can decide now; the same as [`decidable_by`] returns.
    pub fn decidable_by(&self, actor: &ActorContext) -> Vec<&ApprovalId> {
        self.active().flat_map(|demand| &demand.open).filter(|open| open.lets(actor)).map(|open| &open.id).collect()
    }
}

fn awaited_demands(document: &RequestDocument, is_overdue: bool, now: Timestamp) -> Vec<OpenDemand> {
    if !document.state.awaits_approval() {
        return Vec::new();
    }
    let mut demands = open_demands_for_people(document, now);
    if is_overdue {
        for demand in &mut demands {
            demand.open.clear();
            demand.is_impossible = true;
        }
    }
    demands
}

/// The decision that led to the current status, and its position. Being compensated or amended is no such decision.
fn standing_since(document: &RequestDocument) -> Option<(usize, &Decision)> {
    let beside = [LifecycleDecision::Compensated, LifecycleDecision::Amended].map(DecisionKind::from);
    let leads = |kind: DecisionKind| kind.category() == DecisionCategory::Lifecycle && !beside.contains(&kind);
    document.decisions.iter().enumerate().rev().find(|(_, decision)| leads(decision.kind))
}

fn failures(document: &RequestDocument) -> Vec<Decision> {
    if document.state.status() != Status::Approved {
        return Vec::new();
    }
    let since = standing_since(document).map_or(0, |(place, _)| place);
    let failed = ExecutionDecision::Failed.into();
    document.decisions.iter().skip(since).filter(|decision| decision.kind == failed).cloned().collect()
}

fn obstacle(document: &RequestDocument) -> Option<ExecutionError> {
    if document.state.status() != Status::Approved {
        return None;
    }
    let current = Digest::of(document.payload.as_ref(), &document.target, document.versioning.reviewed.as_ref());
    execution::digest_error(document, current)
}

fn compensated_by(document: &RequestDocument) -> Vec<RequestId> {
    let links = document.execution.links.iter().filter(|link| link.relation == LinkRelation::CompensatedBy);
    links.map(|link| link.request.clone()).collect()
}

/// What happens next; an escalation that has come needs nobody to record it.
fn expiring(document: &RequestDocument, escalation: Option<(Timestamp, &Approval)>, now: Timestamp) -> Expiring {
    let expiry = next_expiry(document);
    if let Some((at, approval)) = escalation
        && let Some(escalation) = &approval.escalation
        && expiry.is_none_or(|expiry| at < expiry)
    {
        return Expiring::Escalation { id: approval.id.clone(), to: escalation.to.clone() };
    }
    let Some(deadline) = expiry else { return Expiring::Nothing };
    if valid_until(document).is_some() {
        return Expiring::Request;
    }
    if document.state.pending().and_then(|pending| pending.expires_at).is_some_and(|end| end <= deadline.max(now)) {
        return Expiring::Request;
    }
    let then = deadline.max(now);
    let open = || document.approvals.iter().filter(|approval| is_pending(approval));
    let due: Vec<&Approval> = open().filter(|approval| approval.expires_at.is_some_and(|end| end <= then)).collect();
    let group_of = |approval: &Approval| approval.quorum.as_ref().map(|quorum| quorum.group.clone());
    let group = due.first().and_then(|first| group_of(first));
    let is_whole = open().filter(|approval| group_of(approval) == group).count() == due.len()
        && due.iter().all(|approval| group_of(approval) == group);
    Expiring::Approvals {
        ids: due.iter().map(|approval| approval.id.clone()).collect(),
        group: group.filter(|_| is_whole),
        rejects: impossible(document, then).is_some(),
    }
}

fn following(document: &RequestDocument, now: Timestamp) -> Following {
    if document.approvals.is_empty() {
        return Following::Nothing;
    }
    let unmet = open_demands_for_people(document, now);
    if unmet.is_empty() {
        return Following::AllMet;
    }
    let open = document.approvals.iter().filter(|approval| is_pending(approval));
    let ends = open.filter_map(|approval| Some((approval.id.clone(), approval.expires_at?)));
    Following::Demands { unmet, before: ends.min_by_key(|(_, end)| *end) }
}
