//! Who may decide which approval now: the one check that commands, inboxes and `decidable_by` share.

use std::collections::BTreeSet;

use super::demand::{is_overdue, is_pending};
use super::expiry::passed_deadline;
use super::history;
use super::matching::Group;
use crate::error::ApprovalRefusal;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalTarget, DeciderRule, IdComparison, Quorum, RequestDocument, RequestState,
    Slot, Standing, Timestamp,
};

/// What tells who may decide the approvals of a request.
#[derive(Clone, Copy)]
pub(crate) struct Deciding<'a> {
    pub(crate) requester: Option<&'a ActorId>,
    pub(crate) state: &'a RequestState,
    /// When the request was last changed.
    pub(crate) updated_at: Timestamp,
    /// One for each approval.
    pub(crate) standings: &'a [Standing],
    /// When two ids are of the same person.
    pub(crate) ids: IdComparison,
}

impl<'a> Deciding<'a> {
    pub(super) fn about(document: &'a RequestDocument, standings: &'a [Standing]) -> Self {
        let requester = document.requested_by.id.as_ref();
        let (state, ids) = (&document.state, document.id_comparison);
        Self { requester, state, updated_at: document.updated_at, standings, ids }
    }

    /// Whether the actor may decide this one of the approvals now.
    pub(crate) fn lets(self, approval: &Approval, actor: &ActorContext, now: Timestamp) -> bool {
        let now = history::time_after(self.updated_at, now);
        self.state.awaits_approval()
            && passed_deadline(self.state, now).is_none()
            && self.check(approval, actor, now).is_ok()
    }

    /// The rules about an approval of a request that waits for approval, in the order of [`ApprovalRefusal`].
    pub(super) fn check(
        self,
        approval: &Approval,
        actor: &ActorContext,
        now: Timestamp,
    ) -> Result<(), ApprovalRefusal> {
        let id = || approval.id.clone();
        if !is_pending(approval) {
            return Err(ApprovalRefusal::AlreadyDecided { approval: id(), status: approval.state.status() });
        }
        if let Some(expired_at) = approval.expires_at.filter(|_| is_overdue(approval, now)) {
            return Err(ApprovalRefusal::Expired { approval: id(), expired_at });
        }
        let Some(actor_id) = &actor.id else {
            return Err(ApprovalRefusal::AnonymousDecider { approval: id() });
        };
        self.check_actor(approval, actor, actor_id)?;
        let pending = self.standings.iter().filter(|standing| standing.is_pending);
        match pending.map(|standing| standing.step).min() {
            Some(active) if active != approval.step => {
                Err(ApprovalRefusal::NotYet { approval: id(), step: approval.step, active })
            }
            _ => self.check_spared(approval, actor_id, now),
        }
    }

    fn check_actor(self, approval: &Approval, actor: &ActorContext, actor_id: &ActorId) -> Result<(), ApprovalRefusal> {
        let (id, name) = (|| approval.id.clone(), || actor_id.to_string());
        if !approval.target.matches(actor, self.ids) {
            let target = approval.target.clone();
            return Err(ApprovalRefusal::NotAddressed { approval: id(), target, actor: name() });
        }
        if approval.decider == DeciderRule::NotTheRequester && self.is_same(self.requester, actor_id) {
            return Err(ApprovalRefusal::OwnRequest { approval: id(), actor: name() });
        }
        if let Some(quorum) = &approval.quorum
            && self.members(quorum).any(|member| self.is_same(member.voter.as_ref(), actor_id))
        {
            let group = quorum.group.clone();
            return Err(ApprovalRefusal::AlreadyVoted { approval: id(), group, actor: name() });
        }
        Ok(())
    }

    fn check_spared(self, approval: &Approval, actor_id: &ActorId, now: Timestamp) -> Result<(), ApprovalRefusal> {
        let Some(quorum) = &approval.quorum else { return Ok(()) };
        let slot = Slot::of(approval);
        let slots = self.members(quorum).filter_map(|member| member.slot.as_ref());
        let naming = slots.filter(|slot| slot.needs(actor_id, self.ids));
        // Whom no other approval of the group names is needed for none; a large group is not looked at for them.
        if naming.count() <= usize::from(slot.needs(actor_id, self.ids)) {
            return Ok(());
        }
        let members: Vec<&Standing> = self.members(quorum).collect();
        let people = Group::of(&members, quorum.required.get(), self.requester, self.ids, now);
        if people.spares(actor_id, &slot) {
            return Ok(());
        }
        let votes = || members.iter().filter_map(|member| member.voter.as_ref());
        let may = |id: &ActorId| {
            let is_requester = approval.decider == DeciderRule::NotTheRequester && self.is_same(self.requester, id);
            !is_requester && votes().all(|voter| !self.ids.is_same(voter, id)) && people.spares(id, &slot)
        };
        let ids: BTreeSet<ActorId> = slot.named.iter().filter(|id| may(id)).cloned().collect();
        let target = &approval.target;
        Err(ApprovalRefusal::NeededElsewhere {
            approval: approval.id.clone(),
            group: quorum.group.clone(),
            actor: actor_id.to_string(),
            instead: ApprovalTarget::any_of(ids, target.roles().clone(), target.groups().clone()).ok().map(Box::new),
        })
    }

    fn is_same(self, person: Option<&ActorId>, actor_id: &ActorId) -> bool {
        person.is_some_and(|id| self.ids.is_same(id, actor_id))
    }

    fn members(self, quorum: &Quorum) -> impl Iterator<Item = &'a Standing> {
        self.standings.iter().filter(move |standing| standing.group.as_ref() == Some(&quorum.group))
    }
}

/// Whom the group of an approval cannot spare, of those who may turn out to match its target.
pub(super) fn needed_elsewhere<'a>(
    document: &'a RequestDocument,
    standings: &'a [Standing],
    quorum: &Quorum,
    now: Timestamp,
) -> impl Fn(&Approval) -> BTreeSet<ActorId> {
    let members: Vec<&Standing> =
        standings.iter().filter(|standing| standing.group.as_ref() == Some(&quorum.group)).collect();
    let named: BTreeSet<&ActorId> =
        members.iter().filter_map(|member| member.slot.as_ref()).flat_map(|slot| &slot.named).collect();
    let requester = document.requested_by.id.as_ref();
    let people = Group::of(&members, quorum.required.get(), requester, document.id_comparison, now);
    move |approval| {
        let slot = Slot::of(approval);
        named.iter().filter(|id| !people.spares(id, &slot)).map(|id| (*id).clone()).collect()
    }
}
