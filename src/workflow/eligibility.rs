//! Who may decide which approval now: the one check that commands, inboxes and `decidable_by` share.

use std::collections::BTreeSet;

use super::demand::{is_overdue, is_pending};
use super::expiry::passed_deadline;
use super::history;
use super::matching::Group;
use crate::error::ApprovalError;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalSummary, ApprovalTarget, DeciderRule, IdComparison, Quorum,
    RequestDocument, RequestState, Slot, Timestamp,
};

/// What decides who may decide the approvals of a request.
#[derive(Clone, Copy)]
pub(crate) struct DecisionContext<'a> {
    pub(crate) requester: Option<&'a ActorId>,
    pub(crate) state: &'a RequestState,
    /// When the request was last changed.
    pub(crate) updated_at: Timestamp,
    /// One for each approval.
    pub(crate) summaries: &'a [ApprovalSummary],
    /// The rule by which ids of people are equal.
    pub(crate) ids: IdComparison,
}

impl<'a> DecisionContext<'a> {
    pub(super) fn about(document: &'a RequestDocument, summaries: &'a [ApprovalSummary]) -> Self {
        let requester = document.requested_by.id.as_ref();
        let (state, ids) = (&document.state, document.id_comparison);
        Self { requester, state, updated_at: document.updated_at, summaries, ids }
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
        let Some(actor_id) = &actor.id else {
            return Err(ApprovalError::AnonymousDecider { approval: id() });
        };
        self.check_actor(approval, actor, actor_id, now)?;
        let pending = self.summaries.iter().filter(|standing| standing.is_pending);
        match pending.map(|standing| standing.step).min() {
            Some(active) if active != approval.step => {
                Err(ApprovalError::NotYet { approval: id(), step: approval.step, active })
            }
            _ => self.check_spared(approval, actor_id, now),
        }
    }

    /// Whether the actor may decide this approval once its step is active.
    pub(super) fn check_actor(
        self,
        approval: &Approval,
        actor: &ActorContext,
        actor_id: &ActorId,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        let (id, name) = (|| approval.id.clone(), || actor_id.to_string());
        if !approval.addresses(actor, self.ids, now) {
            let target = Box::new(approval.target_at(now).into_owned());
            return Err(ApprovalError::NotAddressed { approval: id(), target, actor: name() });
        }
        if approval.decider == DeciderRule::NotTheRequester && self.is_same(self.requester, actor_id) {
            return Err(ApprovalError::OwnRequest { approval: id(), actor: name() });
        }
        if let Some(quorum) = &approval.quorum
            && self
                .members(quorum)
                .any(|member| member.voters.iter().any(|voter| self.is_same(voter.as_ref(), actor_id)))
        {
            let group = quorum.group.clone();
            return Err(ApprovalError::AlreadyVoted { approval: id(), group, actor: name() });
        }
        Ok(())
    }

    fn check_spared(self, approval: &Approval, actor_id: &ActorId, now: Timestamp) -> Result<(), ApprovalError> {
        let Some(quorum) = &approval.quorum else { return Ok(()) };
        let slot = Slot::of(approval);
        let slots = self.members(quorum).filter_map(|member| member.slot.as_ref());
        let naming = slots.filter(|slot| slot.needs(actor_id, self.ids));
        // An actor whom no other approval of the group names is needed for none; this avoids a look at a large group.
        if naming.count() <= usize::from(slot.needs(actor_id, self.ids)) {
            return Ok(());
        }
        let members: Vec<&ApprovalSummary> = self.members(quorum).collect();
        let people = Group::of(&members, quorum.required.get(), self.requester, self.ids, now);
        if people.spares(actor_id, &slot) {
            return Ok(());
        }
        let votes = || members.iter().flat_map(|member| member.voters.iter().flatten());
        let may = |id: &ActorId| {
            let is_requester = approval.decider == DeciderRule::NotTheRequester && self.is_same(self.requester, id);
            !is_requester && votes().all(|voter| !self.ids.is_same(voter, id)) && people.spares(id, &slot)
        };
        let target = approval.target_at(now);
        let ids: BTreeSet<ActorId> = target.actor_ids().iter().filter(|id| may(id)).cloned().collect();
        Err(ApprovalError::NeededElsewhere {
            approval: approval.id.clone(),
            group: quorum.group.clone(),
            actor: actor_id.to_string(),
            instead: ApprovalTarget::any_of(ids, target.roles().clone(), target.groups().clone()).ok().map(Box::new),
        })
    }

    fn is_same(self, person: Option<&ActorId>, actor_id: &ActorId) -> bool {
        person.is_some_and(|id| self.ids.is_same(id, actor_id))
    }

    fn members(self, quorum: &Quorum) -> impl Iterator<Item = &'a ApprovalSummary> {
        self.summaries.iter().filter(move |standing| standing.group.as_ref() == Some(&quorum.group))
    }
}

/// Those who might match the approval's target, but whom its group cannot spare.
pub(super) fn needed_elsewhere<'a>(
    document: &'a RequestDocument,
    summaries: &'a [ApprovalSummary],
    quorum: &Quorum,
    now: Timestamp,
) -> impl Fn(&Approval) -> BTreeSet<ActorId> {
    let members: Vec<&ApprovalSummary> =
        summaries.iter().filter(|standing| standing.group.as_ref() == Some(&quorum.group)).collect();
    let named: BTreeSet<&ActorId> =
        members.iter().filter_map(|member| member.slot.as_ref()).flat_map(|slot| &slot.named).collect();
    let requester = document.requested_by.id.as_ref();
    let people = Group::of(&members, quorum.required.get(), requester, document.id_comparison, now);
    move |approval| {
        let slot = Slot::of(approval);
        named.iter().filter(|id| !people.spares(id, &slot)).map(|id| (*id).clone()).collect()
    }
}
