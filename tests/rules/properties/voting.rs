//! Who can vote, and what votes add up to: against brute force, for random rules and random people, some of whom act for
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mutator_governance::workflow::{Command, decidable_by, explain};
use mutator_governance::{
    ActorContext, ActorId, Approval, ApprovalRule, ApprovalState, ApprovalTarget, InboxQuery, MutationRequest,
    RequestDraft, RequestState, Role, Status, Step,
};
use proptest::prelude::*;

use crate::support::{at, draft, try_apply, try_file};

const PEOPLE: usize = 6;

/// Bits choose people and roles.
type Bits = u8;

#[derive(Clone, Debug)]
struct RuleSpec {
    targets: Vec<(Bits, Bits)>,
    required: Option<u32>,
    step: u32,
    requester_may: bool,
}

#[derive(Clone, Debug)]
struct Spec {
    rules: Vec<RuleSpec>,
    /// The roles of each person.
    roles: Vec<Bits>,
    requester_for: Option<usize>,
    distinct: bool,
    excluded: Bits,
    votes: Vec<(usize, Option<usize>, bool)>,
}

fn spec() -> impl Strategy<Value = Spec> {
    let target = (0_u8..64, prop_oneof![3 => Just(0_u8), 1 => 0_u8..4])
        .prop_map(|(ids, roles)| if ids & 0b11_1111 == 0 && roles == 0 { (0b10, 0) } else { (ids & 0b11_1111, roles) });
    let rule = (prop::collection::vec(target, 1..4), prop::option::weighted(0.8, 1_u32..3), 1_u32..3, any::<bool>());
    let rule = rule.prop_map(|(targets, required, step, requester_may)| RuleSpec {
        required: required.map(|required| required.min(u32::try_from(targets.len()).unwrap())),
        targets,
        step,
        requester_may: requester_may && step == 2,
    });
    let vote = (0..PEOPLE, prop::option::weighted(0.3, 0..PEOPLE), prop::bool::weighted(0.05));
    let limits = (any::<bool>(), prop_oneof![2 => Just(0_u8), 1 => 0_u8..64], prop::option::weighted(0.2, 1..PEOPLE));
    let roles = prop::collection::vec(0_u8..4, PEOPLE);
    (prop::collection::vec(rule, 1..4), roles, limits, prop::collection::vec(vote, 0..8)).prop_map(
        |(rules, roles, (distinct, excluded, requester_for), votes)| Spec {
            rules,
            roles,
            requester_for,
            distinct,
            excluded,
            votes,
        },
    )
}

fn name(person: usize) -> String {
    format!("p{person}")
}

fn bits(bits: Bits) -> impl Iterator<Item = usize> {
    (0..8).filter(move |bit| bits & (1 << bit) != 0)
}

impl Spec {
    fn target((ids, roles): (Bits, Bits)) -> ApprovalTarget {
        let ids = bits(ids).map(|id| ActorId::new(name(id)).unwrap()).collect();
        let roles = bits(roles).map(|role| Role::new(format!("r{role}")).unwrap()).collect();
        ApprovalTarget::any_of(ids, roles, BTreeSet::new()).unwrap()
    }

    /// The actor with the rights that the application would give them.
    fn actor(&self, person: usize, acting_for: Option<usize>) -> Arc<ActorContext> {
        let holder = acting_for.filter(|other| *other != person).unwrap_or(person);
        let mut actor = ActorContext::user(name(person)).unwrap();
        actor = actor.with_roles(bits(self.roles[holder]).map(|role| format!("r{role}"))).unwrap();
        Arc::new(if holder == person { actor } else { actor.acting_for(name(holder), "deputy").unwrap() })
    }

    fn everybody(&self) -> Vec<Arc<ActorContext>> {
        let pairs = (0..PEOPLE).flat_map(|one| (0..PEOPLE).map(move |other| (one, other)));
        pairs.map(|(one, other)| self.actor(one, Some(other))).collect()
    }

    fn draft(&self) -> RequestDraft {
        let mut draft = draft();
        draft = RequestDraft::new(
            mutator_governance::Target::new("s", "T", "M").unwrap(),
            mutator_governance::Intent::new("o", "c").unwrap(),
            self.actor(0, self.requester_for),
        )
        .with_id(try_file(draft).unwrap().id.clone());
        draft =
            draft.excluding(bits(self.excluded).filter(|it| *it < PEOPLE).map(|it| ActorId::new(name(it)).unwrap()));
        if self.distinct {
            draft = draft.distinct_approvers();
        }
        for (number, rule) in self.rules.iter().enumerate() {
            let targets: Vec<_> = rule.targets.iter().map(|target| Self::target(*target)).collect();
            let mut built = match rule.required {
                Some(required) => ApprovalRule::quorum(format!("g{number}"), required, targets).unwrap(),
                None => ApprovalRule::each(targets).unwrap(),
            };
            if rule.requester_may {
                built = built.requester_may_decide();
            }
            draft = draft.requires_approval(built.at_step(Step::new(rule.step).unwrap()));
        }
        draft
    }

    fn requesters(&self) -> BTreeSet<String> {
        [Some(0), self.requester_for].into_iter().flatten().map(name).collect()
    }

    /// Whether people can be found for all demands, strangers with a role among them: by trying all of them.
    fn can_be_met(&self) -> bool {
        let mut slots = Vec::new();
        let mut needs = Vec::new();
        for rule in &self.rules {
            match rule.required {
                Some(required) => {
                    slots.extend(rule.targets.iter().map(|target| (needs.len(), *target, rule.requester_may)));
                    needs.push(required);
                }
                None => {
                    for target in &rule.targets {
                        slots.push((needs.len(), *target, rule.requester_may));
                        needs.push(1);
                    }
                }
            }
        }
        self.try_slots(&slots, &mut needs, &mut Vec::new())
    }

    fn try_slots(
        &self,
        slots: &[(usize, (Bits, Bits), bool)],
        needs: &mut Vec<u32>,
        used: &mut Vec<(usize, usize)>,
    ) -> bool {
        let Some(((demand, (ids, roles), requester_may), rest)) = slots.split_first() else {
            return needs.iter().all(|need| *need == 0);
        };
        if needs[*demand] > 0 {
            needs[*demand] -= 1;
            if *roles != 0 && self.try_slots(rest, needs, used) {
                return true;
            }
            for person in bits(*ids) {
                let is_requester = self.requesters().contains(&name(person)) && !requester_may;
                let is_used = used.iter().any(|(who, of)| *who == person && (self.distinct || of == demand));
                if is_requester || is_used || self.excluded & (1 << person) != 0 {
                    continue;
                }
                used.push((person, *demand));
                if self.try_slots(rest, needs, used) {
                    return true;
                }
                used.pop();
            }
            needs[*demand] += 1;
        }
        self.try_slots(rest, needs, used)
    }
}

/// The votes of each demand.
fn votes(request: &MutationRequest) -> BTreeMap<String, Vec<&Approval>> {
    let mut votes: BTreeMap<String, Vec<&Approval>> = BTreeMap::new();
    for approval in request.approvals.iter().filter(|it| it.state.verdict().is_some()) {
        let demand = approval.quorum.as_ref().map_or(approval.id.to_string(), |quorum| quorum.group.to_string());
        votes.entry(demand).or_default().push(approval);
    }
    votes
}

fn people(approval: &Approval) -> Vec<String> {
    approval.state.verdict().unwrap().by.people().map(ToString::to_string).collect()
}

/// Whether each of these can have a place of their own: by trying all of them.
fn all_fit(voters: &[Arc<ActorContext>], slots: &[ApprovalTarget]) -> bool {
    let Some((first, rest)) = voters.split_first() else { return true };
    (0..slots.len()).any(|place| {
        let others: Vec<_> =
            slots.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, it)| it.clone()).collect();
        slots[place].matches(first, mutator_governance::IdComparison::Exact) && all_fit(rest, &others)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn what_can_never_be_met_is_not_submitted_and_all_else_is(spec in spec()) {
        prop_assert_eq!(try_file(spec.draft()).is_ok(), spec.can_be_met(), "{:?}", spec);
    }

    #[test]
    fn a_vote_counts_exactly_if_all_votes_of_the_group_have_places(spec in spec()) {
        // One group alone.
        let spec = Spec { rules: vec![RuleSpec { required: Some(spec.rules[0].required.unwrap_or(1)), ..spec.rules[0].clone() }], ..spec };
        let Ok(mut request) = try_file(spec.draft()) else { return Ok(()) };
        let slots: Vec<ApprovalTarget> = request.approvals.iter().map(|approval| approval.target.clone()).collect();
        let (required, mut voters) = (spec.rules[0].required.unwrap(), Vec::<Arc<ActorContext>>::new());
        for (person, acting_for, _) in &spec.votes {
            let voter = spec.actor(*person, *acting_for);
            let is_barred = |id: &ActorId| {
                let is_requester = spec.requesters().contains(id.as_str()) && !spec.rules[0].requester_may;
                let has_voted = voters.iter().any(|earlier| earlier.people().any(|other| other == id));
                is_requester || has_voted || request.approver_limits.excluded.contains(id)
            };
            let with_voter = [voters.clone(), vec![voter.clone()]].concat();
            let may = request.state.awaits_approval() && !voter.people().any(is_barred) && all_fit(&with_voter, &slots);
            match try_apply(&request, &Command::approve(voter.clone()), 1) {
                Ok(voted) => {
                    prop_assert!(may, "{:?} voted", voter.id);
                    (request, voters) = (voted, with_voter);
                }
                // Two people for one vote may be one too many.
                Err(error) => prop_assert!(!may || voter.acting_for.is_some(), "{:?}: {error}", voter.id),
            }
            let is_met = u32::try_from(voters.len()).unwrap() == required;
            prop_assert_eq!(request.state == RequestState::Approved, is_met);
            prop_assert_eq!(votes(&request).values().map(Vec::len).sum::<usize>(), voters.len(), "no vote is lost");
        }
    }

    #[test]
    fn who_is_named_can_act_and_nobody_else_can(spec in spec()) {
        let Ok(mut request) = try_file(spec.draft()) else { return Ok(()) };
        for (person, acting_for, rejects) in spec.votes.iter().take(3) {
            let explanation = explain(&request, at(1));
            prop_assert_eq!(explanation.impossible().count(), 0);
            for actor in spec.everybody() {
                let decidable: Vec<_> = decidable_by(&request, &actor, at(1)).iter().map(|it| it.id.clone()).collect();
                let named: BTreeSet<_> = explanation.decidable_by(&actor).into_iter().cloned().collect();
                prop_assert_eq!(&named, &decidable.iter().cloned().collect(), "{:?} in {}", actor, explanation);
                let inbox = InboxQuery::of(&actor).unwrap();
                let inbox: Vec<_> = inbox.approvals_of(&request, at(1)).iter().map(|it| it.id.clone()).collect();
                prop_assert_eq!(&inbox, &decidable);
                for approval in &request.approvals {
                    let command = Command::approve_requirement(actor.clone(), approval.id.clone());
                    prop_assert_eq!(try_apply(&request, &command, 1).is_ok(), decidable.contains(&approval.id));
                }
                prop_assert_eq!(try_apply(&request, &Command::approve(actor.clone()), 1).is_ok(), !decidable.is_empty());
            }
            let by = spec.actor(*person, *acting_for);
            let command = if *rejects { Command::reject(by, None) } else { Command::approve(by) };
            request = try_apply(&request, &command, 1).unwrap_or(request);
        }
    }

    #[test]
    fn nobody_carries_a_request_through_who_may_not_and_a_grant_never_rejects(spec in spec()) {
        let Ok(mut request) = try_file(spec.draft()) else { return Ok(()) };
        for (person, acting_for, _) in &spec.votes {
            let by = spec.actor(*person, *acting_for);
            request = try_apply(&request, &Command::approve(by), 1).unwrap_or(request);
            prop_assert!(request.state.status() != Status::Rejected);
            prop_assert_eq!(explain(&request, at(1)).impossible().count(), 0, "the rest remains possible");
            let mut all = Vec::new();
            for of_demand in votes(&request).values() {
                let voters: Vec<String> = of_demand.iter().flat_map(|approval| people(approval)).collect();
                prop_assert_eq!(voters.iter().collect::<BTreeSet<_>>().len(), voters.len(), "once in each group");
                for approval in of_demand {
                    let verdict = approval.state.verdict().unwrap();
                    prop_assert!(approval.target.matches(&verdict.by, request.id_comparison), "by right");
                    let own = people(approval).iter().any(|person| spec.requesters().contains(person));
                    prop_assert!(!own || approval.decider == mutator_governance::DeciderRule::Anyone);
                }
                all.extend(voters);
            }
            prop_assert!(all.iter().all(|id| !request.approver_limits.excluded.iter().any(|excluded| excluded == id.as_str())));
            prop_assert!(!spec.distinct || all.iter().collect::<BTreeSet<_>>().len() == all.len(), "once in all");
            let met = request.approvals.iter().all(|it| !matches!(it.state, ApprovalState::Pending));
            prop_assert_eq!(request.state == RequestState::Approved, met);
        }
    }
}
