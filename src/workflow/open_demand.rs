//! What is still open of a demand, and whether enough people are left to meet it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::demand::{Demand, demands, is_overdue, is_pending};
use super::history::count;
use crate::request::{
    ActorContext, ActorId, ApprovalId, ApprovalTarget, DeciderRule, IdComparison, QuorumGroup, RequestDocument, Step,
    Timestamp,
};

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
    /// When two ids are of the same person.
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

/// The first demand that cannot be met any more, whoever decides what.
pub(super) fn impossible(document: &RequestDocument, now: Timestamp) -> Option<OpenDemand> {
    open_demands(document, now).into_iter().find(OpenDemand::is_impossible)
}

pub(super) fn open_demand(document: &RequestDocument, demand: &Demand<'_>, now: Timestamp) -> OpenDemand {
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
            id_comparison: document.id_comparison,
        }
    });
    OpenDemand { group: demand.group.cloned(), step: demand.step, missing: demand.missing(), open: open.collect() }
}

impl OpenDemand {
    /// Whether it is certain that the missing grants cannot be given: too few approvals are left, or too few people.
    pub fn is_impossible(&self) -> bool {
        let (for_anybody, named): (Vec<_>, Vec<_>) = self.open.iter().partition(|open| open.is_for_anybody());
        let missing = self.missing.saturating_sub(count(for_anybody.len()));
        missing > most_grants(&named, missing)
    }
}

impl OpenApproval {
    /// Whether this actor may decide it, once its step is active.
    pub fn lets(&self, actor: &ActorContext) -> bool {
        self.target.matches(actor, self.id_comparison) && actor.id.as_ref().is_some_and(|id| !self.bars(id))
    }

    /// The actors it names who may decide it.
    pub fn ids(&self) -> impl Iterator<Item = &ActorId> {
        self.target.actor_ids().iter().filter(|id| !self.bars(id))
    }

    fn bars(&self, id: &ActorId) -> bool {
        self.id_comparison.holds(&self.barred, id)
    }

    /// The actors it names who may decide it, each once, however many spellings it has of them.
    fn people(&self) -> BTreeSet<Cow<'_, str>> {
        self.ids().map(|id| self.id_comparison.key(id.as_str())).collect()
    }

    /// Whether it is addressed to a role or a group, which anybody may turn out to have.
    fn is_for_anybody(&self) -> bool {
        !self.target.roles().is_empty() || !self.target.groups().is_empty()
    }
}

/// How many of the approvals, which name actors only, can be granted by an actor each; no more than `wanted` are looked for.
fn most_grants(approvals: &[&OpenApproval], wanted: u32) -> u32 {
    let people: Vec<_> = approvals.iter().map(|approval| approval.people()).collect();
    let mut pairs = Pairs::default();
    let mut granted = 0;
    for newcomer in 0..people.len() {
        if granted == wanted {
            break;
        }
        granted += u32::from(pairs.add(&people, newcomer));
    }
    granted
}

/// Approvals, by their places, and the actors who are to grant them: each actor one.
#[derive(Default)]
struct Pairs<'a> {
    actor_of: BTreeMap<usize, &'a str>,
    approval_of: BTreeMap<&'a str, usize>,
    /// Actors who are needed where they are, whoever else comes.
    exhausted: BTreeSet<&'a str>,
}

impl<'a> Pairs<'a> {
    /// Finds an actor for one approval more; when all it names are taken, by finding others for those they are taken by.
    fn add(&mut self, people: &'a [BTreeSet<Cow<'_, str>>], newcomer: usize) -> bool {
        let mut asked_by: BTreeMap<&str, usize> = BTreeMap::new();
        let mut asking = vec![newcomer];
        while let Some(place) = asking.pop() {
            for actor in people.get(place).into_iter().flatten().map(AsRef::as_ref) {
                if self.exhausted.contains(actor) || asked_by.contains_key(actor) {
                    continue;
                }
                asked_by.insert(actor, place);
                let Some(holder) = self.approval_of.get(actor) else {
                    self.hand_on(actor, &asked_by);
                    return true;
                };
                asking.push(*holder);
            }
        }
        self.exhausted.extend(asked_by.into_keys());
        false
    }

    /// Gives the free actor to who asked for them, whose actor goes to who asked for that one, and so on to the newcomer.
    fn hand_on(&mut self, free: &'a str, asked_by: &BTreeMap<&'a str, usize>) {
        let mut next = Some(free);
        while let Some((actor, place)) = next.and_then(|actor| Some((actor, *asked_by.get(actor)?))) {
            self.approval_of.insert(actor, place);
            next = self.actor_of.insert(place, actor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approvals(targets: &[&str]) -> Vec<OpenApproval> {
        let ids = |text: &str| text.chars().map(|id| ActorId::new(id).unwrap()).collect();
        let target = |text: &str| ApprovalTarget::any_of(ids(text), BTreeSet::new(), BTreeSet::new()).unwrap();
        let open = |text: &&str| OpenApproval {
            id: ApprovalId::new("approval").unwrap(),
            target: target(text),
            barred: BTreeSet::from([ActorId::new("x").unwrap()]),
            expires_at: None,
            id_comparison: IdComparison::Exact,
        };
        targets.iter().map(open).collect()
    }

    /// By trying everybody for each approval.
    fn tried(targets: &[&str], taken: &str) -> u32 {
        let Some((first, rest)) = targets.split_first() else { return 0 };
        let free = first.chars().filter(|actor| *actor != 'x' && !taken.contains(*actor));
        let granted = free.map(|actor| 1 + tried(rest, &format!("{taken}{actor}"))).max();
        granted.unwrap_or(0).max(tried(rest, taken))
    }

    #[test]
    fn as_many_grants_are_found_as_there_can_be() {
        let targets = ["a", "ab", "abc", "bc", "x", "ax", "cd", "bx"];
        let mut tables: Vec<Vec<&str>> = vec![vec![]];
        for length in 0..4 {
            let longest: Vec<_> = tables.iter().filter(|table| table.len() == length).cloned().collect();
            tables.extend(longest.iter().flat_map(|table| targets.map(|target| [&table[..], &[target]].concat())));
        }
        for table in tables {
            let open = approvals(&table);
            let open: Vec<&OpenApproval> = open.iter().collect();
            assert_eq!(most_grants(&open, u32::MAX), tried(&table, ""), "{table:?}");
            assert_eq!(most_grants(&open, 1), tried(&table, "").min(1), "{table:?}");
        }
    }
}
