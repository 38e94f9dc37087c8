//! Whether enough different people remain to give the missing grants.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::eligibility::DecisionContext;
use super::history::count;
use super::matching::{Seat, fill};
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalSummary, DeciderRule, IdComparison, QuorumGroup, Slot, Step, Timestamp,
};

/// The missing grants of one demand or of a whole request, and who could give them at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remaining {
    ids: IdComparison,
    /// A number for each named person: all spellings of one id share a number.
    numbers: BTreeMap<String, usize>,
    demands: Vec<Missing>,
    seats: Vec<NamedSeat>,
    /// How many votes there are; in a matching each is a person of its own, whom only their own group has.
    votes: usize,
    /// The people who have voted.
    consumed: BTreeSet<usize>,
}

/// A demand that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Missing {
    group: Option<QuorumGroup>,
    step: Step,
    /// Its approval, if it is no group.
    slot: Option<Slot>,
    /// How many seats for named people it needs, beside those that anybody might take.
    need: u32,
}

/// An approval that only some people could grant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NamedSeat {
    demand: usize,
    named: Vec<usize>,
    /// The votes that could be moved to it, or are there.
    votes: Vec<usize>,
}

/// Whoever votes next on an approval of this demand.
struct Newcomer {
    demand: usize,
    /// The named people whom the vote uses up.
    people: Vec<usize>,
    /// The one of them whose rights the vote has.
    rights: Option<usize>,
}

/// The votes of one demand, each with the place of its approval and its number.
type Votes<'a> = Vec<(usize, usize, &'a ActorContext, Timestamp)>;

impl Remaining {
    /// What remains of the demand that this approval is of or, if nobody decides twice, of all demands.
    pub(super) fn beside(context: DecisionContext<'_>, approval: &Approval, now: Timestamp) -> Self {
        let group = approval.quorum.as_ref().map(|quorum| &quorum.group);
        Self::of(context, now, |summary| match group {
            Some(group) => summary.is_of(group),
            None => summary.group.is_none() && summary.slot == Slot::of(approval),
        })
    }

    /// What remains of the demands that have a chosen approval or, if nobody decides twice, of all demands.
    pub(super) fn of(
        context: DecisionContext<'_>,
        now: Timestamp,
        is_chosen: impl Fn(&ApprovalSummary) -> bool,
    ) -> Self {
        let is_chosen = |summary: &&ApprovalSummary| context.limits.distinct || is_chosen(summary);
        let mut remaining = Self {
            ids: context.ids,
            numbers: BTreeMap::new(),
            demands: Vec::new(),
            seats: Vec::new(),
            votes: 0,
            consumed: BTreeSet::new(),
        };
        let summaries: Vec<&ApprovalSummary> = context.summaries.iter().filter(is_chosen).collect();
        for summary in &summaries {
            let voters: Vec<usize> = summary.voters().map(|voter| remaining.number(voter)).collect();
            remaining.consumed.extend(voters);
        }
        for members in by_demand(&summaries) {
            remaining.add(&members, context, now);
        }
        remaining
    }

    fn add(&mut self, members: &[&ApprovalSummary], context: DecisionContext<'_>, now: Timestamp) {
        let Some(first) = members.first() else { return };
        let mut votes: Votes<'_> = Vec::new();
        for (place, slot) in slots(members) {
            if let Some((by, at)) = &slot.vote {
                votes.push((place, self.votes + votes.len(), by, *at));
            }
        }
        let required = first.group.as_ref().map_or(1, |(_, required)| required.get());
        if count(votes.len()) >= required {
            return;
        }
        self.votes += votes.len();
        let demand = self.demands.len();
        let mut for_anybody = 0;
        for (place, slot) in slots(members) {
            let is_open = slot.is_open(now);
            if is_open && slot.is_for_anybody() {
                for_anybody += 1;
            } else if is_open || slot.vote.is_some() {
                let named = if is_open { self.named(slot, context) } else { Vec::new() };
                let votes = votes.iter().filter(|(own, _, by, at)| {
                    *own == place || (slot.is_open(*at) && slot.lets(by, context.is_requester(by), self.ids, None))
                });
                let votes = votes.map(|(_, number, ..)| *number).collect();
                self.seats.push(NamedSeat { demand, named, votes });
            }
        }
        let group = first.group.as_ref().map(|(group, _)| group.clone());
        let slot = first.slot.clone().filter(|_| group.is_none());
        self.demands.push(Missing { group, step: first.step, slot, need: required.saturating_sub(for_anybody) });
    }

    /// Those the slot names, now or when it escalates, who may decide it, whether they have voted or not.
    fn named(&mut self, slot: &Slot, context: DecisionContext<'_>) -> Vec<usize> {
        let may = |id: &&ActorId| {
            !context.is_excluded(id) && (slot.decider == DeciderRule::Anyone || !context.is_requester_id(id))
        };
        let named: BTreeSet<usize> =
            slot.target_at(None).actor_ids().iter().filter(may).map(|id| self.number(id)).collect();
        named.into_iter().collect()
    }

    fn number(&mut self, id: &ActorId) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(self.ids.key(id.as_str()).into_owned()).or_insert(next)
    }

    /// The step of the first demand for which too few people remain, and its group.
    pub(super) fn impossible(&self) -> Option<(Step, Option<&QuorumGroup>)> {
        let failed = self.fill(None).err()?;
        self.demands.get(failed).map(|demand| (demand.step, demand.group.as_ref()))
    }

    /// Whether the rest can still be given after this actor has voted on this approval, or could not be given before.
    pub(super) fn spares(&self, actor: &ActorContext, approval: &Approval) -> bool {
        let group = approval.quorum.as_ref().map(|quorum| &quorum.group);
        let slot = Slot::of(approval);
        let is_it = |demand: &Missing| match (&demand.group, group) {
            (None, None) => demand.slot == slot,
            (own, group) => own.as_ref() == group,
        };
        let Some(demand) = self.demands.iter().position(is_it) else { return true };
        let find = |id: &ActorId| self.numbers.get(&*self.ids.key(id.as_str())).copied();
        let people: Vec<usize> = actor.people().filter_map(find).collect();
        if people.is_empty() || self.fill(None).is_err() {
            return true;
        }
        let newcomer = Newcomer { demand, people, rights: actor.rights_of().and_then(find) };
        self.fill(Some(&newcomer)).is_ok()
    }

    /// Matches people with the missing grants: after this newcomer's vote for a demand, if there is one. The numbers of
    /// people are those of votes, then that of the newcomer, then those of named people.
    fn fill(&self, newcomer: Option<&Newcomer>) -> Result<(), usize> {
        let needs: Vec<u32> = self.demands.iter().map(|demand| demand.need).collect();
        if needs.iter().all(|need| *need == 0) {
            return Ok(());
        }
        let (newcomer_number, offset) = (self.votes, self.votes + 1);
        let is_left = |person: &&usize| {
            let votes_now = newcomer.is_some_and(|newcomer| newcomer.people.contains(person));
            !votes_now && !self.consumed.contains(person)
        };
        let seats: Vec<Seat> = self
            .seats
            .iter()
            .map(|seat| {
                let mut people = seat.votes.clone();
                if let Some(Newcomer { demand, rights: Some(rights), .. }) = newcomer
                    && seat.demand == *demand
                    && seat.named.contains(rights)
                {
                    people.push(newcomer_number);
                }
                people.extend(seat.named.iter().filter(is_left).map(|person| person + offset));
                Seat { demand: seat.demand, people }
            })
            .collect();
        fill(&seats, &needs)
    }
}

/// The approvals of each demand, by step.
fn by_demand<'a>(summaries: &[&'a ApprovalSummary]) -> Vec<Vec<&'a ApprovalSummary>> {
    let mut demands: Vec<Vec<&ApprovalSummary>> = Vec::new();
    let mut places: BTreeMap<&(QuorumGroup, NonZeroU32), usize> = BTreeMap::new();
    for summary in summaries {
        let place = summary.group.as_ref().map(|group| *places.entry(group).or_insert(demands.len()));
        match place.and_then(|place| demands.get_mut(place)) {
            Some(members) => members.push(summary),
            None => demands.push(vec![summary]),
        }
    }
    demands.sort_by_key(|members| members.first().map(|first| first.step));
    demands
}

fn slots<'a>(members: &[&'a ApprovalSummary]) -> impl Iterator<Item = (usize, &'a Slot)> {
    members.iter().enumerate().filter_map(|(place, member)| Some((place, member.slot.as_ref()?)))
}
