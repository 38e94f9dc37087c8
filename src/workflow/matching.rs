//! Whether enough different people remain to give the missing grants of a quorum group.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::history::count;
use crate::request::{ActorId, ApprovalSummary, DeciderRule, IdComparison, Slot, Timestamp};

/// Whether the missing grants of a quorum group can still be given: in time, and by enough different people.
pub(super) struct Group<'a> {
    people: People<'a>,
    in_time: Open<'a>,
    at_any_time: Open<'a>,
}

/// The approvals of a group that are open at one time.
struct Open<'a> {
    missing: u32,
    slots: Vec<&'a Slot>,
    /// For each approval, the people it names who may grant it; nobody where anybody may.
    names: Vec<Vec<usize>>,
    for_anybody: u32,
    pairs: Pairs,
}

/// A number for each person: all spellings of one id share a number.
pub(super) struct People<'a> {
    ids: IdComparison,
    numbers: BTreeMap<Cow<'a, str>, usize>,
}

impl<'a> Group<'a> {
    /// The group of these members, of which `required` have to be granted.
    pub(super) fn of(
        members: &[&'a ApprovalSummary],
        required: u32,
        requester: Option<&'a ActorId>,
        ids: IdComparison,
        now: Timestamp,
    ) -> Self {
        let granted = members.iter().filter(|member| member.is_granted).count();
        let missing = required.saturating_sub(count(granted));
        let mut people = People::told_apart(ids);
        let voters: BTreeSet<usize> =
            members.iter().flat_map(|member| member.voters.iter().flatten()).map(|id| people.number(id)).collect();
        let requester = requester.map(|id| people.number(id));
        let mut open = |time: Timestamp| {
            let slots = members.iter().filter_map(|member| member.slot.as_ref()).filter(|slot| slot.is_open(time));
            Open::new(missing, slots.collect(), &voters, requester, &mut people)
        };
        let (in_time, at_any_time) = (open(now), open(Timestamp::MIN));
        Self { people, in_time, at_any_time }
    }

    /// Whether the group can do without this actor after they grant the approval with this slot. It cannot if the
    /// missing grants were possible before, and are not after.
    pub(super) fn spares(&self, actor: &ActorId, slot: &Slot) -> bool {
        let Some(actor) = self.people.find(actor) else { return true };
        [&self.in_time, &self.at_any_time].iter().all(|open| open.spares(actor, slot))
    }
}

impl<'a> People<'a> {
    pub(super) fn told_apart(ids: IdComparison) -> Self {
        Self { ids, numbers: BTreeMap::new() }
    }

    /// The numbers of these people, sorted and without duplicates.
    pub(super) fn numbers(&mut self, ids: impl Iterator<Item = &'a ActorId>) -> Vec<usize> {
        let numbers: BTreeSet<usize> = ids.map(|id| self.number(id)).collect();
        numbers.into_iter().collect()
    }

    fn number(&mut self, id: &'a ActorId) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(self.ids.key(id.as_str())).or_insert(next)
    }

    fn find(&self, id: &ActorId) -> Option<usize> {
        self.numbers.get(&*self.ids.key(id.as_str())).copied()
    }
}

impl<'a> Open<'a> {
    fn new(
        missing: u32,
        slots: Vec<&'a Slot>,
        voters: &BTreeSet<usize>,
        requester: Option<usize>,
        people: &mut People<'a>,
    ) -> Self {
        let may_grant = |slot: &Slot, person: usize| {
            !voters.contains(&person) && (slot.decider == DeciderRule::Anyone || requester != Some(person))
        };
        let names = |slot: &&'a Slot| {
            let mut named = people.numbers(slot.named.iter().filter(|_| !slot.is_for_anybody));
            named.retain(|person| may_grant(slot, *person));
            named
        };
        let names: Vec<_> = slots.iter().map(names).collect();
        let for_anybody = count(slots.iter().filter(|slot| slot.is_for_anybody).count());
        let pairs = Pairs::of(&names, missing.saturating_sub(for_anybody));
        Self { missing, slots, names, for_anybody, pairs }
    }

    fn is_possible(&self) -> bool {
        self.missing.saturating_sub(self.for_anybody) <= self.pairs.count()
    }

    fn spares(&self, actor: usize, slot: &Slot) -> bool {
        // Of several approvals for the same people, it does not matter which one is granted.
        let Some(place) = self.slots.iter().position(|other| *other == slot) else { return true };
        !self.is_named_beside(actor, place)
            || !self.is_possible()
            || self.is_possible_after(actor, place, slot.is_for_anybody)
    }

    /// Whether an approval at another place names the actor.
    fn is_named_beside(&self, actor: usize, place: usize) -> bool {
        let mut others = self.names.iter().enumerate().filter(|(other, _)| *other != place);
        others.any(|(_, names)| names.binary_search(&actor).is_ok())
    }

    fn is_possible_after(&self, actor: usize, place: usize, was_for_anybody: bool) -> bool {
        let for_anybody = self.for_anybody.saturating_sub(u32::from(was_for_anybody));
        let wanted = self.missing.saturating_sub(1).saturating_sub(for_anybody);
        let mut pairs = self.pairs.without(actor, place);
        pairs.add_up_to(wanted, &self.names, Some(place));
        pairs.count() >= wanted
    }
}

/// The number of approvals that can be granted by one named actor each, counted up to `wanted`.
pub(super) fn most_grants(names: &[Vec<usize>], wanted: u32) -> u32 {
    Pairs::of(names, wanted).count()
}

/// Approvals, by their places, matched with actors: one for each.
#[derive(Clone, Default)]
struct Pairs {
    actor_of: BTreeMap<usize, usize>,
    approval_of: BTreeMap<usize, usize>,
    /// Actors who cannot be moved, whoever else comes.
    exhausted: BTreeSet<usize>,
}

impl Pairs {
    fn of(names: &[Vec<usize>], wanted: u32) -> Self {
        let mut pairs = Self::default();
        pairs.add_up_to(wanted, names, None);
        pairs
    }

    fn count(&self) -> u32 {
        count(self.actor_of.len())
    }

    /// Finds actors for more approvals, except the one left out, until there are `wanted`.
    fn add_up_to(&mut self, wanted: u32, names: &[Vec<usize>], left_out: Option<usize>) {
        for newcomer in 0..names.len() {
            if self.count() >= wanted {
                return;
            }
            if Some(newcomer) != left_out && !self.actor_of.contains_key(&newcomer) {
                self.add(names, newcomer);
            }
        }
    }

    /// The remaining pairs after this actor has granted the approval at this place.
    fn without(&self, actor: usize, place: usize) -> Self {
        let mut left = self.clone();
        if let Some(freed) = left.actor_of.remove(&place) {
            left.approval_of.remove(&freed);
        }
        if let Some(elsewhere) = left.approval_of.remove(&actor) {
            left.actor_of.remove(&elsewhere);
        }
        left.exhausted = BTreeSet::from([actor]);
        left
    }

    /// Finds an actor for one more approval; if all its actors are taken, finds others for their approvals.
    fn add(&mut self, names: &[Vec<usize>], newcomer: usize) {
        let mut asked_by: BTreeMap<usize, usize> = BTreeMap::new();
        let mut asking = vec![newcomer];
        while let Some(place) = asking.pop() {
            for actor in names.get(place).into_iter().flatten().copied() {
                if self.exhausted.contains(&actor) || asked_by.contains_key(&actor) {
                    continue;
                }
                asked_by.insert(actor, place);
                let Some(holder) = self.approval_of.get(&actor) else {
                    self.hand_on(actor, &asked_by);
                    return;
                };
                asking.push(*holder);
            }
        }
        self.exhausted.extend(asked_by.into_keys());
    }

    /// Gives the free actor to the approval that asked for them, that one's former actor to the next, and so on to the
    /// newcomer.
    fn hand_on(&mut self, free: usize, asked_by: &BTreeMap<usize, usize>) {
        let mut next = Some(free);
        while let Some((actor, place)) = next.and_then(|actor| Some((actor, *asked_by.get(&actor)?))) {
            self.approval_of.insert(actor, place);
            next = self.actor_of.insert(place, actor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> BTreeSet<ActorId> {
        text.chars().map(|id| ActorId::new(id).unwrap()).collect()
    }

    /// Tries everybody for each approval.
    fn tried(targets: &[&str], taken: &str) -> u32 {
        let Some((first, rest)) = targets.split_first() else { return 0 };
        let free = first.chars().filter(|actor| *actor != 'x' && !taken.contains(*actor));
        let granted = free.map(|actor| 1 + tried(rest, &format!("{taken}{actor}"))).max();
        granted.unwrap_or(0).max(tried(rest, taken))
    }

    fn tables() -> Vec<Vec<&'static str>> {
        let targets = ["a", "ab", "abc", "bc", "x", "ax", "cd", "bx"];
        let mut tables: Vec<Vec<&str>> = vec![vec![]];
        for length in 0..4 {
            let longest: Vec<_> = tables.iter().filter(|table| table.len() == length).cloned().collect();
            tables.extend(longest.iter().flat_map(|table| targets.map(|target| [&table[..], &[target]].concat())));
        }
        tables
    }

    #[test]
    fn as_many_grants_are_found_as_there_can_be() {
        for table in tables() {
            let sets: Vec<_> = table.iter().map(|target| ids(&target.replace('x', ""))).collect();
            let mut people = People::told_apart(IdComparison::Exact);
            let names: Vec<Vec<usize>> = sets.iter().map(|set| people.numbers(set.iter())).collect();
            assert_eq!(most_grants(&names, u32::MAX), tried(&table, ""), "{table:?}");
            assert_eq!(most_grants(&names, 1), tried(&table, "").min(1), "{table:?}");
        }
    }

    fn standing(target: &str) -> ApprovalSummary {
        let slot = Slot {
            named: ids(target),
            is_for_anybody: target.is_empty(),
            decider: DeciderRule::NotTheRequester,
            expires_at: None,
        };
        ApprovalSummary {
            step: crate::request::Step::FIRST,
            is_pending: true,
            is_granted: false,
            group: None,
            voters: [None, None],
            slot: Some(slot),
        }
    }

    /// An actor who may grant an approval is spared exactly when the others can give the rest.
    #[test]
    fn who_is_spared_is_who_the_rest_can_do_without() {
        let requester = ActorId::new("x").unwrap();
        let with_anybody = tables().into_iter().flat_map(|table| [table.clone(), [&table[..], &[""]].concat()]);
        for table in with_anybody {
            let summaries: Vec<ApprovalSummary> = table.iter().map(|target| standing(target)).collect();
            let members: Vec<&ApprovalSummary> = summaries.iter().collect();
            let most = |table: &[&str], taken: &str| {
                let (open, named): (Vec<&str>, Vec<&str>) = table.iter().copied().partition(|target| target.is_empty());
                count(open.len()) + tried(&named, taken)
            };
            for required in 1..=most(&table, "") {
                let group = Group::of(&members, required, Some(&requester), IdComparison::Exact, Timestamp::MIN);
                for (place, target) in table.iter().enumerate() {
                    let actors = if target.is_empty() { "abcd" } else { target };
                    for actor in actors.chars().filter(|actor| *actor != 'x') {
                        let rest = [&table[..place], &table[place + 1..]].concat();
                        let can_do = most(&rest, &actor.to_string()) + 1 >= required;
                        let slot = summaries[place].slot.as_ref().unwrap();
                        let spared = group.spares(&ActorId::new(actor).unwrap(), slot);
                        assert_eq!(spared, can_do, "{actor} for {target:?} of {table:?}, {required} required");
                    }
                }
            }
        }
    }
}
