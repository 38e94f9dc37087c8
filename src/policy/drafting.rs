//! Adds to a draft what policies demand of it.

use super::{Policy, PolicySet};
use crate::error::{PolicyError, Result};
use crate::json::IsoDuration;
use crate::request::{
    ActorContext, ApprovalRule, InitialState, Intent, Metadata, Pending, PendingReason, PolicyName, ReasonRule,
    RequestDraft, RequestId, Requirement, RequirementKind, Step, Target, Timestamp, Value, WriteId, metadata_keys,
};
use crate::workflow;

impl PolicySet {
    /// The draft with all that the policies demand of it at this time, and which policy demanded what. Never demands
    /// less than the draft did, and applied twice it changes nothing.
    ///
    /// The policies that apply add up, and the stricter wins: every approval of each, one of several equal ones; the
    /// earliest deadline, from `now` on; all exclusions; the strictest rule about reasons, for all approvals. The steps
    /// of each policy keep their own order, beside those of the draft and of other policies.
    ///
    /// Each policy is recorded as a requirement of the kind `Policy`, with its name, version and digest; each approval
    /// that it demands has its name in the metadata under
    /// [`DEMANDED_BY`](crate::metadata_keys::DEMANDED_BY), and [`explain`](crate::workflow::explain) names it.
    ///
    /// # Errors
    /// [`PolicyError::Unsatisfiable`] when the draft is already approved and a policy demands approval, or when nobody
    /// could meet what the draft and its policies demand together.
    pub fn draft(&self, draft: RequestDraft, now: Timestamp) -> Result<RequestDraft, PolicyError> {
        let applying = self.applying_to(&draft);
        if applying.is_empty() {
            return Ok(draft);
        }
        demanding(draft, &applying, now).map_err(|error| {
            let policies = applying.iter().map(|policy| policy.name().clone()).collect();
            PolicyError::Unsatisfiable { policies, problem: error.to_string() }
        })
    }
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
    for policy in policies {
        let demands = policy.demands();
        for (rule, ordinal) in demands.approvals.iter().zip(1_u32..) {
            add_approval(&mut draft, rule, Step::new(ordinal)?, policy.name())?;
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
    if let Some(shortest) = policies.iter().filter_map(|policy| policy.demands().deadline).min() {
        bind(&mut draft, shortest, now);
    }
    if !draft.approval_rules.is_empty() {
        workflow::submit(draft.clone(), RequestId::generate(), WriteId::generate(), now)?;
    }
    Ok(draft)
}

/// Adds an approval; an equal one that a policy demanded already gets one more name instead.
fn add_approval(draft: &mut RequestDraft, rule: &ApprovalRule, step: Step, policy: &PolicyName) -> Result<()> {
    let rule = ApprovalRule { step: rule.step.or(Some(step)), ..rule.clone() };
    let mut demanded = draft.approval_rules.iter_mut().filter(|other| !names(other).is_empty());
    let place = match demanded.find(|other| unnamed(other, rule.reasons) == unnamed(&rule, other.reasons)) {
        Some(other) => {
            other.reasons = other.reasons.max(rule.reasons);
            other
        }
        None => {
            draft.approval_rules.push(rule);
            let Some(added) = draft.approval_rules.last_mut() else { return Ok(()) };
            added
        }
    };
    let mut named = names(place);
    let name = Value::from(policy.as_str());
    if !named.contains(&name) {
        named.push(name);
        place.metadata.insert(metadata_keys::DEMANDED_BY, Value::List(named))?;
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

/// Lets a draft that waits wait no longer than this.
fn bind(draft: &mut RequestDraft, IsoDuration(deadline): IsoDuration, now: Timestamp) {
    let waiting = match draft.initial_state {
        Some(InitialState::Pending(pending)) => pending,
        Some(InitialState::Created) | None if !draft.approval_rules.is_empty() => PendingReason::Approval.into(),
        _ => return,
    };
    let end = now.saturating_add(deadline);
    let expires_at = Some(waiting.expires_at.map_or(end, |earlier| earlier.min(end)));
    draft.initial_state = Some(InitialState::Pending(Pending { expires_at, ..waiting }));
}

/// The record of a policy in the request.
fn record_of(policy: &Policy) -> Result<Requirement> {
    let mut data = Metadata::new().with(metadata_keys::POLICY, policy.name().as_str())?;
    data.note(metadata_keys::POLICY_VERSION, policy.version());
    data.note(metadata_keys::POLICY_DIGEST, policy.digest().to_string());
    let record = Requirement::new(RequirementKind::POLICY, policy.description())?.with_data(data);
    Ok(Requirement { fulfilled: true, ..record })
}
