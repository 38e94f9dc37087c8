//! Random policies on random drafts: one more policy never demands less, and applying them again changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use mutator_governance::policy::{Policy, PolicySet};
use mutator_governance::{
    ActorContext, Approval, ApprovalRule, Intent, MutationRequest, RequestDraft, RiskLevel, Target, Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{at, try_file};

/// Whom a rule addresses: people and roles, few enough to meet.
fn target() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::subsequence(vec!["a", "b", "c", "x"], 1..3).prop_map(|ids| json!({ "actor_ids": ids })),
        prop::sample::select(vec!["r0", "r1"]).prop_map(|role| json!({ "roles": [role] })),
    ]
}

fn rule() -> impl Strategy<Value = Value> {
    let quorum = prop::option::of((prop::sample::select(vec!["g0", "g1"]), 1_u32..3));
    let step = prop::option::of(1_u32..3);
    (prop::collection::vec(target(), 1..4), quorum, step, any::<bool>()).prop_map(
        |(targets, quorum, step, mandatory)| {
            let mut rule = json!({ "mandatory": mandatory });
            if let Some((group, required)) = quorum {
                let required = required.min(u32::try_from(targets.len()).unwrap());
                rule["quorum"] = json!({ "group": group, "required": required });
            }
            if let Some(step) = step {
                rule["step"] = json!(step);
            }
            rule["targets"] = json!(targets);
            rule
        },
    )
}

/// The text of a policy with this name; not each can be met.
fn policy(name: &'static str) -> impl Strategy<Value = Value> {
    let excluding = prop::sample::subsequence(vec!["a", "b", "x"], 0..2);
    let reasons = prop::sample::select(vec!["Optional", "ForRejecting", "Always"]);
    let when = prop::sample::select(vec![json!({}), json!({ "risk": "High" }), json!({ "categories": ["Acc*"] })]);
    let rules = prop::collection::vec(rule(), 0..3);
    (rules, excluding, reasons, when, prop::option::of(1_u32..9), any::<bool>()).prop_map(
        move |(approvals, excluding, reasons, when, hours, distinct)| {
            let mut policy = json!({
                "name": name, "when": when, "approvals": approvals, "excluding": excluding, "reasons": reasons,
                "distinct_approvers": distinct,
            });
            if let Some(hours) = hours {
                policy["deadline"] = json!(format!("PT{hours}H"));
            }
            policy
        },
    )
}

fn draft() -> impl Strategy<Value = RequestDraft> {
    (prop::collection::vec(rule(), 0..2), any::<bool>()).prop_map(|(rules, risky)| {
        let risk = if risky { RiskLevel::High } else { RiskLevel::Low };
        let intent = Intent::new("grant", "Access").unwrap().with_risk(risk);
        let target = Target::new("tenant:acme", "Tenant", "RoleGrant").unwrap();
        let draft = RequestDraft::new(target, intent, ActorContext::user("x").unwrap());
        let rules = rules.into_iter().filter_map(|rule| serde_json::from_value::<ApprovalRule>(rule).ok());
        rules.fold(draft, RequestDraft::requires_approval)
    })
}

fn set(policies: &[&Value]) -> Option<PolicySet> {
    serde_json::from_value(json!({ "policies": policies })).ok()
}

/// Those that can be met alone.
fn possible(policies: Vec<Value>) -> Vec<Value> {
    let is_possible =
        |policy: &Value| serde_json::from_value::<Policy>(policy.clone()).is_ok() && set(&[policy]).is_some();
    policies.into_iter().filter(is_possible).collect()
}

fn requested(set: &PolicySet, draft: &RequestDraft, now: Timestamp) -> Option<MutationRequest> {
    try_file(set.draft(draft.clone(), now).ok()?).ok()
}

/// What an approval demands, without the id and without what policies add to all.
fn demand(approval: &Approval) -> String {
    format!(
        "{} {:?} {:?} {:?} {}",
        approval.step, approval.quorum, approval.target, approval.decider, approval.mandatory
    )
}

/// How often each demand is made.
fn demands<'a>(approvals: impl IntoIterator<Item = &'a Approval>) -> BTreeMap<String, usize> {
    let mut demands = BTreeMap::new();
    for approval in approvals {
        *demands.entry(demand(approval)).or_default() += 1;
    }
    demands
}

fn deadline(request: &MutationRequest) -> Timestamp {
    request.state.pending().and_then(|pending| pending.expires_at).unwrap_or(Timestamp::MAX)
}

/// Whether the first request demands no less than the second in anything.
fn is_as_strict(strict: &MutationRequest, other: &MutationRequest) -> Result<(), TestCaseError> {
    let (all, least) = (demands(&strict.approvals), demands(&other.approvals));
    for (demand, times) in least {
        prop_assert!(all.get(&demand).copied().unwrap_or(0) >= times, "{demand} is gone");
    }
    for approval in &other.approvals {
        let Some(quorum) = &approval.quorum else { continue };
        let members = |request: &MutationRequest| {
            let of_group = |approval: &&Approval| approval.quorum.as_ref().is_some_and(|it| it.group == quorum.group);
            request.approvals.iter().filter(of_group).count()
        };
        prop_assert_eq!(members(strict), members(other), "others decide in group {}", quorum.group);
    }
    prop_assert!(strict.approver_limits.distinct >= other.approver_limits.distinct);
    prop_assert!(strict.approver_limits.excluded.is_superset(&other.approver_limits.excluded));
    prop_assert!(deadline(strict) <= deadline(other));
    let least_reasons = |request: &MutationRequest| request.approvals.iter().map(|approval| approval.reasons).min();
    prop_assert!(other.approvals.is_empty() || least_reasons(strict) >= least_reasons(other));
    Ok(())
}

proptest! {
    #[test]
    fn one_more_policy_never_demands_less(
        draft in draft(),
        first in policy("first"),
        second in policy("second"),
        one_more in policy("one-more"),
    ) {
        let policies = possible(vec![first, second]);
        let Some(one_more) = possible(vec![one_more]).pop() else { return Ok(()) };
        let fewer = set(&policies.iter().collect::<Vec<_>>()).unwrap();
        let more = set(&policies.iter().chain([&one_more]).collect::<Vec<_>>()).unwrap();
        let now = at(0);
        let Some(strict) = requested(&more, &draft, now) else { return Ok(()) };
        let other = requested(&fewer, &draft, now);
        prop_assert!(other.is_some(), "fewer policies can be met whenever more can");
        is_as_strict(&strict, &other.unwrap())?;
        if let Ok(own) = try_file(draft) {
            is_as_strict(&strict, &own)?;
        }
    }

    #[test]
    fn policies_applied_again_change_nothing(
        draft in draft(), first in policy("first"), second in policy("second"), hours in 0_u64..20,
    ) {
        let policies = possible(vec![first, second]);
        let set = set(&policies.iter().collect::<Vec<_>>()).unwrap();
        let Ok(once) = set.draft(draft, at(0)) else { return Ok(()) };
        let later = at(0).saturating_add(Duration::from_hours(hours));
        let twice = set.draft(once.clone(), later).unwrap();
        prop_assert_eq!(serde_json::to_value(twice).unwrap(), serde_json::to_value(once).unwrap());
    }
}
