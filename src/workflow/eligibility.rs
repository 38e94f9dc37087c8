//! Who may decide which approval now: the one check that commands, inboxes and `decidable_by` share.

use std::collections::BTreeSet;

use super::demand::{is_overdue, is_pending};
use super::expiry::passed_deadline;
use super::history;
use super::phrase::{submitter, whoever};
use super::remaining::Remaining;
use super::seats::Seats;
use crate::error::ApprovalError;
use crate::request::{
    ActorContext, ActorId, ActorKind, Approval, ApprovalSummary, ApprovalTarget, ApproverLimits, DeciderRule,
    IdComparison, RequestDocument, RequestState, Slot, Timestamp,
};

/// What decides who may decide the approvals of a request.
#[derive(Clone, Copy)]
pub(crate) struct DecisionContext<'a> {
    /// The requester, and whom they act for.
    pub(crate) requester: [Option<&'a ActorId>; 2],
    pub(crate) limits: &'a ApproverLimits,
    pub(crate) state: &'a RequestState,
    /// When the request was last changed.
    pub(crate) updated_at: Timestamp,
    /// One for each approval.
    pub(crate) summaries: &'a [ApprovalSummary],
    /// The rule by which ids of people are equal.
    pub(crate) ids: IdComparison,
}

impl<'a> DecisionContext<'a> {
    pub(crate) fn about(document: &'a RequestDocument, summaries: &'a [ApprovalSummary]) -> Self {
        Self {
            requester: document.requested_by.people_by_place(),
            limits: &document.approver_limits,
            state: &document.state,
            updated_at: document.updated_at,
            summaries,
            ids: document.id_comparison,
        }
    }

    /// Whether the actor may decide this approval now.
    pub(crate) fn lets(self, approval: &Approval, actor: &ActorContext, now: Timestamp) -> bool {
        let now = history::time_after(self.updated_at, now);
        self.state.awaits_approval()
            && passed_deadline(self.state, now).is_none()
            && self.check(approval, actor, now).is_ok()
    }

    /// The rules for an approval of a request that waits for approval, in the order of [`ApprovalError`].
    pub(super) fn check(self, approval: &Approval, actor: &ActorContext, now: Timestamp) -> Result<(), ApprovalError> {
        let id = || approval.id.clone();
        if !is_pending(approval) {
            return Err(ApprovalError::AlreadyDecided { approval: id(), status: approval.state.status() });
        }
        if let Some(expired_at) = approval.expires_at.filter(|_| is_overdue(approval, now)) {
            return Err(ApprovalError::Expired { approval: id(), expired_at });
        }
        if actor.id.is_none() {
            return Err(ApprovalError::AnonymousDecider { approval: id() });
        }
        self.check_actor(approval, actor, now)?;
        let pending = self.summaries.iter().filter(|standing| standing.is_pending);
        match pending.map(|standing| standing.step).min() {
            Some(active) if active != approval.step => {
                Err(ApprovalError::NotYet { approval: id(), step: approval.step, active })
            }
            _ => self.check_spared(approval, actor, now),
        }
    }

    /// Whether the actor may decide this approval once its step is active.
    pub(super) fn check_actor(
        self,
        approval: &Approval,
        actor: &ActorContext,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        let (id, name) = (|| approval.id.clone(), || whoever(actor));
        if !self.is_for(approval, actor, false, now) {
            let target = Box::new(approval.target_at(now).into_owned());
            return Err(ApprovalError::NotAddressed { approval: id(), target, actor: name() });
        }
        if actor.people().any(|person| self.is_excluded(person)) {
            return Err(ApprovalError::Excluded { approval: id(), actor: name() });
        }
        if self.is_requester(actor) && !self.is_for(approval, actor, true, now) {
            return Err(ApprovalError::OwnRequest {
                approval: id(),
                actor: name(),
                requester: submitter(self.requester),
            });
        }
        let has_voted = |summary: &ApprovalSummary| {
            summary.voters().any(|voter| actor.people().any(|person| self.ids.is_same(voter, person)))
        };
        if let Some(quorum) = &approval.quorum
            && self.summaries.iter().any(|member| member.is_of(&quorum.group) && has_voted(member))
        {
            let group = quorum.group.clone();
            return Err(ApprovalError::AlreadyVoted { approval: id(), group, actor: name() });
        }
        if self.limits.distinct && self.summaries.iter().any(has_voted) {
            return Err(ApprovalError::NotDistinct { approval: id(), actor: name() });
        }
        Ok(())
    }

    /// Whether the approval addresses the actor, or one whose vote can move to it does.
    fn is_for(self, approval: &Approval, actor: &ActorContext, is_requester: bool, now: Timestamp) -> bool {
        if self.addresses(approval, actor, is_requester, now) {
            return true;
        }
        let (Some(quorum), Some(slot)) = (&approval.quorum, Slot::of(approval)) else { return false };
        let Some(seats) = Seats::of(self, &quorum.group, Some(now)) else { return false };
        seats.open_like(&slot).is_some_and(|end| seats.way(end, actor, is_requester).is_some())
    }

    /// Whether the approval itself addresses the actor.
    pub(super) fn addresses(
        self,
        approval: &Approval,
        actor: &ActorContext,
        is_requester: bool,
        now: Timestamp,
    ) -> bool {
        approval.addresses(actor, self.ids, now) && !(is_requester && approval.decider == DeciderRule::NotTheRequester)
    }

    /// Whether the rest can do without those whom this vote uses up. One person who votes once in each group takes
    /// nothing from others: only two people in one vote do, and one vote in the whole request.
    fn check_spared(self, approval: &Approval, actor: &ActorContext, now: Timestamp) -> Result<(), ApprovalError> {
        if !self.limits.distinct && (actor.acting_for.is_none() || approval.quorum.is_none()) {
            return Ok(());
        }
        let spares = |rests: &[Remaining], actor: &ActorContext| rests.iter().all(|rest| rest.spares(actor, approval));
        let rests = self.rests(approval, now);
        if spares(&rests, actor) {
            return Ok(());
        }
        let target = approval.target_at(now);
        let may = |id: &&ActorId| {
            let mut other = ActorContext::new(ActorKind::Unknown);
            other.id = Some((*id).clone());
            self.check_actor(approval, &other, now).is_ok() && spares(&rests, &other)
        };
        let ids: BTreeSet<ActorId> = target.actor_ids().iter().filter(may).cloned().collect();
        Err(ApprovalError::NeededElsewhere {
            approval: approval.id.clone(),
            group: approval.quorum.as_ref().map(|quorum| quorum.group.clone()),
            actor: whoever(actor),
            instead: ApprovalTarget::any_of(ids, target.roles().clone(), target.groups().clone()).ok().map(Box::new),
        })
    }

    /// What remains beside this approval, in time and at any time: what time has made impossible is for the sweep.
    pub(super) fn rests(self, approval: &Approval, now: Timestamp) -> [Remaining; 2] {
        [now, Timestamp::MIN].map(|time| Remaining::beside(self, approval, time))
    }

    /// Whether the actor, or the person they act for, is the requester or the person the requester acts for.
    pub(super) fn is_requester(self, actor: &ActorContext) -> bool {
        actor.people().any(|person| self.is_requester_id(person))
    }

    pub(super) fn is_requester_id(self, id: &ActorId) -> bool {
        self.requester.iter().flatten().any(|requester| self.ids.is_same(requester, id))
    }

    pub(super) fn is_excluded(self, id: &ActorId) -> bool {
        self.ids.holds(&self.limits.excluded, id)
    }
}
