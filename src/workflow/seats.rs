//! Which votes of a quorum group can move, so that a newcomer's vote completes it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::eligibility::DecisionContext;
use super::matching::way_to;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalState, ApprovalSummary, ApprovalTarget, Group, QuorumGroup,
    RequestDocument, Role, Slot, Step, Timestamp,
};

/// The approvals of a quorum group that are open or approved. A vote counts for the group, so it can move to any of them
/// that its voter matches.
pub(super) struct Seats<'a> {
    context: DecisionContext<'a>,
    /// Without a time, whatever is possible at any time.
    now: Option<Timestamp>,
    /// Each with its place among the approvals of the request.
    slots: Vec<(usize, &'a Slot)>,
    /// For each of them, where its vote could go.
    moves: Vec<Vec<usize>>,
}

/// Where each id, role and group is addressed.
#[derive(Default)]
struct Addressed<'a> {
    ids: BTreeMap<Cow<'a, str>, Vec<usize>>,
    roles: BTreeMap<Cow<'a, str>, Vec<usize>>,
    groups: BTreeMap<Cow<'a, str>, Vec<usize>>,
}

impl<'a> Seats<'a> {
    /// `None` if no vote could make way for anybody whom an open approval does not address itself.
    pub(super) fn of(context: DecisionContext<'a>, group: &QuorumGroup, now: Option<Timestamp>) -> Option<Self> {
        let members = context.summaries.iter().enumerate().filter(|(_, summary)| summary.is_of(group));
        let slots = members.filter_map(|(place, summary)| Some((place, summary.slot.as_ref()?)));
        let slots: Vec<(usize, &Slot)> =
            slots.filter(|(_, slot)| slot.vote.is_some() || slot.is_open(now.unwrap_or(Timestamp::MIN))).collect();
        let open = slots.iter().find(|(_, slot)| slot.vote.is_none())?;
        let is_alike = |slot: &Slot| {
            slot.target == open.1.target && slot.escalation == open.1.escalation && slot.decider == open.1.decider
        };
        if slots.iter().all(|(_, slot)| slot.vote.is_none() || is_alike(slot)) {
            return None;
        }
        let addressed = Addressed::of(&slots, context, now);
        let moves = slots.iter().map(|(_, slot)| addressed.moves(&slots, slot, context, now)).collect();
        Some(Self { context, now, slots, moves })
    }

    /// The approvals, by their places in the request, through which the actor's vote gets to the one at `end`: the one
    /// that takes it, then where the vote of each goes.
    pub(super) fn way(&self, end: usize, actor: &ActorContext, is_requester: bool) -> Option<Vec<usize>> {
        let end = self.slots.iter().position(|(place, _)| *place == end)?;
        let fits = |slot: &Slot| {
            slot.is_open(self.now.unwrap_or(Timestamp::MIN))
                && slot.lets(actor, is_requester, self.context.ids, self.now)
        };
        let first = self.slots.iter().enumerate().filter(|(_, (_, slot))| fits(slot)).map(|(place, _)| place);
        let way = way_to(end, first, |place| self.moves.get(place).cloned().unwrap_or_default())?;
        Some(way.into_iter().filter_map(|place| self.slots.get(place).map(|(place, _)| *place)).collect())
    }

    /// The open approvals, by their places in the request.
    fn open(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().filter(|(_, slot)| slot.vote.is_none()).map(|(place, _)| *place)
    }

    /// The place of an open approval like this one.
    pub(super) fn open_like(&self, slot: &Slot) -> Option<usize> {
        self.slots.iter().find(|(_, other)| *other == slot).map(|(place, _)| *place)
    }

    /// The approved approvals whose vote can make way to the open one at `end`, by their places in the request.
    pub(super) fn making_way(&self, end: usize) -> Vec<usize> {
        let mut reached: BTreeSet<usize> = self.slots.iter().position(|(place, _)| *place == end).into_iter().collect();
        let mut before = 0;
        while reached.len() > before {
            before = reached.len();
            for (place, moves) in self.moves.iter().enumerate() {
                if moves.iter().any(|next| reached.contains(next)) {
                    reached.insert(place);
                }
            }
        }
        let voted = |place: usize| {
            self.slots
                .get(place)
                .filter(|(_, slot)| slot.vote.is_some() && slot.is_open(self.now.unwrap_or(Timestamp::MIN)))
        };
        reached.into_iter().filter_map(|place| voted(place).map(|(place, _)| *place)).collect()
    }
}

impl<'a> Addressed<'a> {
    fn of(slots: &[(usize, &'a Slot)], context: DecisionContext<'a>, now: Option<Timestamp>) -> Self {
        let mut addressed = Self::default();
        for (place, (_, slot)) in slots.iter().enumerate() {
            let target: &'a ApprovalTarget = slot.target_at(now);
            for id in target.actor_ids() {
                addressed.ids.entry(context.ids.key(id.as_str())).or_default().push(place);
            }
            for role in target.roles() {
                addressed.roles.entry(context.ids.key(role.as_str())).or_default().push(place);
            }
            for group in target.groups() {
                addressed.groups.entry(context.ids.key(group.as_str())).or_default().push(place);
            }
        }
        addressed
    }

    /// Where the vote that this approval has could go, besides where it is.
    fn moves(
        &self,
        slots: &[(usize, &Slot)],
        from: &Slot,
        context: DecisionContext<'_>,
        now: Option<Timestamp>,
    ) -> Vec<usize> {
        let Some((by, at)) = &from.vote else { return Vec::new() };
        let ids = by.rights_of().into_iter().map(|id: &ActorId| self.ids.get(&*context.ids.key(id.as_str())));
        let roles = by.roles.iter().map(|role: &Role| self.roles.get(&*context.ids.key(role.as_str())));
        let groups = by.groups.iter().map(|group: &Group| self.groups.get(&*context.ids.key(group.as_str())));
        let places: BTreeSet<usize> = ids.chain(roles).chain(groups).flatten().flatten().copied().collect();
        let is_requester = context.is_requester(by);
        let may = |slot: &Slot| {
            !std::ptr::eq(slot, from) && slot.is_open(*at) && slot.lets(by, is_requester, context.ids, now)
        };
        places.into_iter().filter(|place| slots.get(*place).is_some_and(|(_, slot)| may(slot))).collect()
    }
}

/// For each open approval of an active quorum group, the approvals whose vote can make way to it, by their places in the
/// request: whom those address can decide this one too. Whatever the time; an index holds what can be true.
pub(crate) fn making_way(document: &RequestDocument, active: Option<Step>) -> BTreeMap<usize, Vec<usize>> {
    let is_active = |approval: &Approval| Some(approval.step) == active && approval.quorum.is_some();
    let is_approved = |approval: &Approval| matches!(approval.state, ApprovalState::Approved(_));
    if !document.approvals.iter().any(|approval| is_active(approval) && is_approved(approval)) {
        return BTreeMap::new();
    }
    let summaries = ApprovalSummary::of_all(&document.approvals, &document.approver_limits);
    let context = DecisionContext::about(document, &summaries);
    let active = document.approvals.iter().filter(|approval| is_active(approval));
    let groups: BTreeSet<&QuorumGroup> = active.filter_map(|it| it.quorum.as_ref()).map(|it| &it.group).collect();
    let seats = groups.into_iter().filter_map(|group| Seats::of(context, group, None));
    let ways = seats.flat_map(|seats| seats.open().map(|place| (place, seats.making_way(place))).collect::<Vec<_>>());
    ways.collect()
}
