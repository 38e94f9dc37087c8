//! One policy: when it applies, and what it demands.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::condition::PolicyCondition;
use crate::error::InvalidValue;
use crate::json::{IsoDuration, Strict};
use crate::request::{
    ActorId, ApprovalRule, Digest, EscalationRule, PolicyName, ReasonRule, RequestDraft, Requirement, RetryPolicy,
    canonical_bytes,
};

/// A policy as data: when it applies to a draft, and what it then demands. It always demands something.
///
/// A [`PolicySet`](super::PolicySet) is read from text; a field that is not known is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub struct Policy {
    name: PolicyName,
    version: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "is_default")]
    when: PolicyCondition,
    #[serde(flatten)]
    demands: Demands,
}

/// What a policy demands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub(super) struct Demands {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) approvals: Vec<ApprovalRule>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) distinct_approvers: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) excluding: BTreeSet<ActorId>,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) reasons: ReasonRule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<IsoDuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) requirements: Vec<Requirement>,
}

/// A policy as it is read.
#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    name: PolicyName,
    #[serde(default = "first_version")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1)))]
    version: u32,
    #[serde(default)]
    description: String,
    #[serde(default)]
    when: PolicyCondition,
    #[serde(default)]
    approvals: Vec<ApprovalRule>,
    #[serde(default)]
    distinct_approvers: bool,
    #[serde(default)]
    excluding: BTreeSet<ActorId>,
    #[serde(default)]
    reasons: ReasonRule,
    deadline: Option<IsoDuration>,
    retry: Option<RetryPolicy>,
    #[serde(default)]
    requirements: Vec<Requirement>,
}

const fn first_version() -> u32 {
    1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl TryFrom<Strict<Fields>> for Policy {
    type Error = InvalidValue;

    fn try_from(Strict(fields): Strict<Fields>) -> Result<Self, InvalidValue> {
        let Fields { name, version, description, when, .. } = fields;
        let demands = Demands {
            approvals: fields.approvals,
            distinct_approvers: fields.distinct_approvers,
            excluding: fields.excluding,
            reasons: fields.reasons,
            deadline: fields.deadline,
            retry: fields.retry,
            requirements: fields.requirements,
        };
        let policy = Self { name, version, description, when, demands };
        policy.check().map(|()| policy)
    }
}

impl Policy {
    /// Its name, which no other policy of the set has.
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// Its version. Defaults to 1.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Name and version, as records and explanations have them.
    pub(super) fn label(&self) -> String {
        format!("{} v{}", self.name, self.version)
    }

    /// What it is for, in words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// When it applies.
    pub const fn condition(&self) -> &PolicyCondition {
        &self.when
    }

    /// Whether it applies to the draft.
    pub fn applies_to(&self, draft: &RequestDraft) -> bool {
        self.when.matches(draft)
    }

    /// The SHA-256 of all of it: it changes with everything that the policy says.
    pub fn digest(&self) -> Digest {
        Digest::from_bytes(sha2::Sha256::digest(canonical_bytes(self)).into())
    }

    pub(super) const fn demands(&self) -> &Demands {
        &self.demands
    }

    fn check(&self) -> Result<(), InvalidValue> {
        let invalid = |problem: String| Err(InvalidValue::new("policy", problem));
        let demands = &self.demands;
        if self.version == 0 {
            return invalid(format!("{} has version 0; the first version is 1", self.name));
        }
        if *demands == Demands::default() {
            let problem = format!("{} demands nothing; give it approvals, requirements or another demand", self.name);
            return invalid(problem);
        }
        if demands.deadline.is_some_and(|IsoDuration(deadline)| deadline < Duration::from_micros(1)) {
            return invalid(format!("{} has a deadline of zero; give people the time to decide", self.name));
        }
        let escalations = demands.approvals.iter().filter_map(|rule| rule.escalation.as_ref());
        if let Some(deadline) = demands.deadline
            && let Some(late) = escalations.map(EscalationRule::after).find(|after| *after >= deadline.0)
        {
            return invalid(format!(
                "{} escalates an approval after {}, when the deadline of {deadline} has passed; make one earlier or the \
                 other later",
                self.name,
                IsoDuration(late)
            ));
        }
        if let Some(requirement) = demands.requirements.iter().find(|requirement| requirement.is_approval()) {
            return invalid(format!(
                "{} demands approval by the requirement {:?}; write it as one of its approvals",
                self.name, requirement.description
            ));
        }
        Ok(())
    }
}
