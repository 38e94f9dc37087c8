//! Adds to a draft what policies demand of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Policy, PolicySet};
use crate::error::{Error, PolicyError, Result};
use crate::request::{
    ActorContext, ApprovalRule, Intent, Metadata, QuorumGroup, ReasonRule, RequestDraft, RequestId, Requirement,
    RequirementKind, RetryPolicy, Step, Target, Timestamp, Value, WriteId, metadata_keys,
};
use crate::workflow;

/// So many policies are compared with each other to find those at odds; beyond that, all are named.
const MAX_COMPARED: usize = 64;

impl PolicySet {
    /// The draft with all that the policies demand of it at this time, and which policy demanded what. Never demands
    /// less than the draft did, and applied twice it changes nothing.
    ///
    /// The policies that apply add up, and the stricter wins: every approval of each, but one of those that are equal in
    /// several policies; the earliest deadline, from the submission on; the fewest attempts to execute it, and the longest pauses; all exclusions; the strictest rule about reasons, for all
    /// approvals. Steps stay as each policy has them: step 1 of one policy and step 1 of another are decided together. A
    /// rule without a step gets its position in its policy.
    ///
    /// Of a [resubmission](crate::workflow::resubmission_draft), what these policies demanded of the request that ended is
    /// replaced by what they demand now.
    ///
    /// Each policy is recorded as a requirement of the kind `Policy`, with its name, version, digest and deadline; each
    /// approval that it demands has its name and version in the metadata under
    /// [`DEMANDED_BY`](crate::metadata_keys::DEMANDED_BY), and [`explain`](crate::workflow::explain) names it. The deadline
    /// binds at submission, whoever submits the draft, and how much later.
    ///
    /// # Errors
    /// [`PolicyError::Unsatisfiable`] when the draft is already approved and a policy demands approval, or when nobody
    /// could meet what the draft and its policies demand together. It names the policy, or the two that contradict each
    /// other.
    pub fn draft(&self, draft: RequestDraft, now: Timestamp) -> Result<RequestDraft, PolicyError> {
        let applying = self.applying_to(&draft);
        if applying.is_empty() {
            return Ok(draft);
        }
        demanding(draft.clone(), &applying, now).map_err(|error| {
            let (policies, error) = those_at_odds(&draft, &applying, now).unwrap_or((applying, error));
            let policies = policies.into_iter().map(|policy| policy.name().clone()).collect();
            PolicyError::Unsatisfiable { policies, problem: error.to_string() }
        })
    }
}

/// The one policy that the draft cannot meet, or the first two that it cannot meet together.
fn those_at_odds<'a>(
    draft: &RequestDraft,
    policies: &[&'a Policy],
    now: Timestamp,
) -> Option<(Vec<&'a Policy>, Error)> {
    let policies = policies.get(..policies.len().min(MAX_COMPARED))?;
    let at_odds = |these: Vec<&'a Policy>| Some((demanding(draft.clone(), &these, now).err()?, these));
    let single = policies.iter().find_map(|policy| at_odds(vec![policy]));
    let mut pairs = policies
        .iter()
        .enumerate()
        .flat_map(|(place, one)| policies.iter().take(place).map(move |earlier| vec![*earlier, *one]));
    single.or_else(|| pairs.find_map(at_odds)).map(|(error, these)| (these, error))
}

/// Checks that somebody could meet the policy, if nothing else is demanded and the requester is nobody it names.
pub(super) fn check_possible(policy: &Policy) -> Result<(), String> {
    let check = || -> Result<()> {
        let (target, intent) = (Target::new("state", "State", "Change")?, Intent::new("change", "Change")?);
        let draft = RequestDraft::new(target, intent, ActorContext::system());
        demanding(draft, &[policy], Timestamp::MIN).map(drop)
    };
    check().map_err(|error| format!("policy {} can never be met: {error}", policy.name()))
}

/// The draft with all that these policies demand of it.
fn demanding(mut draft: RequestDraft, policies: &[&Policy], now: Timestamp) -> Result<RequestDraft> {
    if draft.resubmits.is_some() {
        forget(&mut draft, policies);
    }
    for policy in policies {
        let demands = policy.demands();
        let mut own = BTreeSet::new();
        for (rule, ordinal) in demands.approvals.iter().zip(1_u32..) {
            let place = add_approval(&mut draft, rule, Step::new(ordinal)?, &policy.label(), &own)?;
            own.insert(place);
        }
        draft.approver_limits.distinct |= demands.distinct_approvers;
        draft.approver_limits.excluded.extend(demands.excluding.iter().cloned());
        for requirement in demands.requirements.iter().cloned().chain([record_of(policy)?]) {
            if !draft.requirements.contains(&requirement) {
                draft.requirements.push(requirement);
            }
        }
    }
    let strictest = policies.iter().map(|policy| policy.demands().reasons).max().unwrap_or_default();
    for rule in &mut draft.approval_rules {
        rule.reasons = rule.reasons.max(strictest);
    }
    let retries = draft.retry.into_iter().chain(policies.iter().filter_map(|policy| policy.demands().retry));
    draft.retry = retries.reduce(RetryPolicy::stricter);
    check_groups(&draft.approval_rules)?;
    if !draft.approval_rules.is_empty() {
        workflow::submit(draft.clone(), RequestId::generate(), WriteId::generate(), now)?;
    }
    Ok(draft)
}

/// Takes out what these policies demanded of the request that is submitted again, since they demand it anew. What another
/// policy demanded as well stays.
fn forget(draft: &mut RequestDraft, policies: &[&Policy]) {
    let is_one = |name: &str| policies.iter().any(|policy| policy.name().as_str() == name);
    let is_theirs = |label: &Value| matches!(label, Value::Text(label) if label.rsplit_once(" v").is_some_and(|(name, _)| is_one(name)));
    draft.approval_rules.retain(|rule| {
        let names = names(rule);
        names.is_empty() || !names.iter().all(is_theirs)
    });
    draft.requirements.retain(|requirement| {
        let name = requirement.data.get(metadata_keys::POLICY);
        requirement.kind != RequirementKind::POLICY || !matches!(name, Some(Value::Text(name)) if is_one(name))
    });
}

/// Adds an approval and returns its place. An equal one that another policy demanded gets one more name instead; not
/// one of the policy's `own`, which may demand two equal approvals.
fn add_approval(
    draft: &mut RequestDraft,
    rule: &ApprovalRule,
    step: Step,
    policy: &str,
    own: &BTreeSet<usize>,
) -> Result<usize> {
    let rule = ApprovalRule { step: rule.step.or(Some(step)), ..rule.clone() };
    let mut demanded = draft.approval_rules.iter_mut().enumerate().filter(|(place, other)| {
        !own.contains(place)
            && !names(other).is_empty()
            && unnamed(other, rule.reasons) == unnamed(&rule, other.reasons)
    });
    if let Some((place, equal)) = demanded.next() {
        equal.reasons = equal.reasons.max(rule.reasons);
        name(equal, policy)?;
        return Ok(place);
    }
    let mut rule = rule;
    name(&mut rule, policy)?;
    draft.approval_rules.push(rule);
    Ok(draft.approval_rules.len() - 1)
}

/// Adds the policy to those that demanded the approval.
fn name(rule: &mut ApprovalRule, policy: &str) -> Result<()> {
    let mut named = names(rule);
    let name = Value::from(policy);
    if !named.contains(&name) {
        named.push(name);
        rule.metadata.insert(metadata_keys::DEMANDED_BY, Value::List(named))?;
    }
    Ok(())
}

/// Checks that no vote which one policy demands counts for another, or for what the draft itself demands: the members of
/// all rules with one group decide together.
fn check_groups(rules: &[ApprovalRule]) -> Result<()> {
    let mut groups: BTreeMap<&QuorumGroup, Vec<Value>> = BTreeMap::new();
    for rule in rules {
        let Some(quorum) = &rule.quorum else { continue };
        let by = names(rule);
        if groups.insert(&quorum.group, by.clone()).is_some_and(|others| others != by) {
            return Err(Error::invalid_approval_configuration(format!(
                "quorum group {} has members of several origins, which would decide for each other; give the group \
                 another name in one of them",
                quorum.group
            )));
        }
    }
    Ok(())
}

/// The policies that demanded the approval.
fn names(rule: &ApprovalRule) -> Vec<Value> {
    match rule.metadata.get(metadata_keys::DEMANDED_BY) {
        Some(Value::List(names)) => names.clone(),
        _ => Vec::new(),
    }
}

/// The rule as it is without the names of policies, and with reasons at least as strict.
fn unnamed(rule: &ApprovalRule, reasons: ReasonRule) -> ApprovalRule {
    let mut rule = ApprovalRule { reasons: rule.reasons.max(reasons), ..rule.clone() };
    rule.metadata.remove(metadata_keys::DEMANDED_BY);
    rule
}

/// The record of a policy in the request.
fn record_of(policy: &Policy) -> Result<Requirement> {
    let mut data = Metadata::new().with(metadata_keys::POLICY, policy.name().as_str())?;
    data.note(metadata_keys::POLICY_VERSION, policy.version());
    data.note(metadata_keys::POLICY_DIGEST, policy.digest().to_string());
    if let Some(deadline) = policy.demands().deadline {
        data.note(metadata_keys::POLICY_DEADLINE, deadline.to_string());
    }
    let record = Requirement::new(RequirementKind::POLICY, policy.description())?.with_data(data);
    Ok(Requirement { fulfilled: true, ..record })
}
