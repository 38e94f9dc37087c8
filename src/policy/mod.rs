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
//! assert!(why.contains("policy risky-access"), "{why}");
//! # Ok(())
//! # }
//! ```

mod condition;
mod drafting;
mod policy;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use condition::{PolicyCondition, TextPattern};
pub use policy::Policy;

use crate::request::{PolicyName, RequestDraft};

/// Policies, in the order of their text; each can be met on its own, and no two have one name. Without any, drafts
/// remain as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySet {
    policies: Vec<Policy>,
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

    /// The set of these policies, each with the line it begins at; on error, a line and what is wrong there.
    fn checked(policies: Vec<(usize, Policy)>) -> Result<Self, (usize, String)> {
        let mut lines: BTreeMap<&PolicyName, usize> = BTreeMap::new();
        for (line, policy) in &policies {
            if let Some(first) = lines.insert(policy.name(), *line) {
                let problem =
                    format!("policy {} has the name of the policy in line {first}; rename one", policy.name());
                return Err((*line, problem));
            }
            drafting::check_possible(policy).map_err(|problem| (*line, problem))?;
        }
        Ok(Self { policies: policies.into_iter().map(|(_, policy)| policy).collect() })
    }
}
