//! Policies as data: what an application demands of drafts, read from TOML or JSON. No rule engine and no scripts.
//!
//! A [`PolicySet`] adds to a draft what its policies demand of it, before the draft is submitted; the request then says
//! which policy demanded what. The [page about policies](crate::guide::policies) has the format.
//!
//! ```
//! use mutator_governance::policy::PolicySet;
//! use mutator_governance::workflow::{explain, submit};
//! use mutator_governance::{ActorContext, Intent, RequestDraft, RequestId, RiskLevel, Target, Timestamp, WriteId};
//!
//! # fn main() -> Result<(), mutator_governance::Error> {
//! let policies = PolicySet::from_toml(
//!     r#"
//!     [[policies]]
//!     name = "risky-access"
//!     when = { categories = ["Access"], risk = "High" }
//!     distinct_approvers = true
//!     deadline = "PT24H"
//!
//!     [[policies.approvals]]
//!     targets = [{ roles = ["manager"] }]
//!
//!     [[policies.approvals]]
//!     targets = [{ groups = ["security"] }]
//!     "#,
//!     "policies.toml",
//! )?;
//!
//! let now = Timestamp::now();
//! let target = Target::new("tenant:acme", "Tenant", "RoleGrant")?;
//! let intent = Intent::new("grant-role", "Access")?.with_risk(RiskLevel::High);
//! let draft = RequestDraft::new(target, intent, ActorContext::user("alice")?);
//! let request = submit(policies.draft(draft, now)?, RequestId::generate(), WriteId::generate(), now)?;
//! assert_eq!(request.approvals.len(), 2);
//! let why = explain(&request, now).to_string();
//! assert!(why.contains("demanded by policy risky-access v1"), "{why}");
//! # Ok(())
//! # }
//! ```

mod condition;
mod definition;
mod drafting;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use condition::{PolicyCondition, TextPattern};
pub use definition::Policy;

use crate::error::InvalidValue;
use crate::json::Strict;
use crate::request::{PolicyName, RequestDraft};

/// Policies, in the order of their text; each can be met on its own, and no two have one name. Without any, drafts
/// remain as they are.
///
/// It serialises as what [`from_json`](Self::from_json) reads, and can be part of a larger configuration; errors then
/// name no line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub struct PolicySet {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    #[serde(default)]
    policies: Vec<Policy>,
}

impl TryFrom<Strict<Fields>> for PolicySet {
    type Error = InvalidValue;

    fn try_from(Strict(fields): Strict<Fields>) -> Result<Self, InvalidValue> {
        let numbered = (1..).zip(fields.policies).collect();
        Self::checked(numbered, "number").map_err(|(_, problem)| InvalidValue::new("policies:", problem))
    }
}

impl PolicySet {
    /// The policies, in their order.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policies that apply to this draft, in their order.
    pub fn applying_to(&self, draft: &RequestDraft) -> Vec<&Policy> {
        self.policies.iter().filter(|policy| policy.applies_to(draft)).collect()
    }

    /// The set of these policies, each with its place in this unit; on error, a place and what is wrong there.
    fn checked(policies: Vec<(usize, Policy)>, unit: &str) -> Result<Self, (usize, String)> {
        let mut lines: BTreeMap<&PolicyName, usize> = BTreeMap::new();
        for (line, policy) in &policies {
            if let Some(first) = lines.insert(policy.name(), *line) {
                let problem =
                    format!("policy {} has the name of the policy in {unit} {first}; rename one", policy.name());
                return Err((*line, problem));
            }
            drafting::check_possible(policy).map_err(|problem| (*line, problem))?;
        }
        Ok(Self { policies: policies.into_iter().map(|(_, policy)| policy).collect() })
    }
}
