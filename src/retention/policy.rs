//! A retention policy: rules in their order, and what is held.

use serde::{Deserialize, Serialize};

use super::RetentionRule;
use crate::error::InvalidValue;
use crate::json::Strict;
use crate::query::RequestQuery;
use crate::request::PolicyName;

/// For how long requests stay. The first rule that is about a request decides; a request of no rule stays.
///
/// Whatever the rules say, a request stays that has not ended, that is on hold by its metadata or by one of the
/// [holds](Self::holding), or that is linked to one that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub struct RetentionPolicy {
    rules: Vec<RetentionRule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    holds: Vec<LegalHold>,
}

/// Requests that stay for as long as this hold is part of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LegalHold {
    name: PolicyName,
    of: RequestQuery,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    rules: Vec<RetentionRule>,
    #[serde(default)]
    holds: Vec<LegalHold>,
}

impl TryFrom<Strict<Fields>> for RetentionPolicy {
    type Error = InvalidValue;

    fn try_from(Strict(Fields { rules, holds }): Strict<Fields>) -> Result<Self, InvalidValue> {
        let policy = Self { rules, holds };
        policy.check().map(|()| policy)
    }
}

impl RetentionPolicy {
    /// The most rules, and the most holds, that a policy has.
    pub const MAX_RULES: usize = 1_000;

    /// A policy of these rules, in their order.
    ///
    /// # Errors
    /// [`InvalidValue`] when there are none or more than [`MAX_RULES`](Self::MAX_RULES), or two have one name.
    pub fn new(rules: impl IntoIterator<Item = RetentionRule>) -> Result<Self, InvalidValue> {
        let policy = Self { rules: rules.into_iter().collect(), holds: Vec::new() };
        policy.check().map(|()| policy)
    }

    /// Also holds all requests that this query finds, whatever the rules say, until the hold is left out.
    ///
    /// # Errors
    /// [`InvalidValue`] when the name is not valid, or another hold has it.
    pub fn holding(mut self, name: impl Into<String>, requests: RequestQuery) -> Result<Self, InvalidValue> {
        self.holds.push(LegalHold { name: PolicyName::new(name)?, of: requests.without_order() });
        self.check().map(|()| self)
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[RetentionRule] {
        &self.rules
    }

    /// The holds.
    pub fn holds(&self) -> &[LegalHold] {
        &self.holds
    }

    fn check(&self) -> Result<(), InvalidValue> {
        let invalid = |problem: String| Err(InvalidValue::new("retention policy", problem));
        if self.rules.is_empty() {
            return invalid("has no rules; give it at least one".to_owned());
        }
        let names = [
            ("rules", self.rules.iter().map(RetentionRule::name).collect::<Vec<_>>()),
            ("holds", self.holds.iter().map(LegalHold::name).collect()),
        ];
        for (what, names) in names {
            if names.len() > Self::MAX_RULES {
                return invalid(format!("has {} {what}; at most {} are allowed", names.len(), Self::MAX_RULES));
            }
            let mut sorted = names.clone();
            sorted.sort();
            if let Some(name) =
                sorted.iter().zip(sorted.iter().skip(1)).find(|(one, other)| one == other).map(|(one, _)| one)
            {
                return invalid(format!("has two {what} named {name}; rename one"));
            }
        }
        Ok(())
    }
}

impl LegalHold {
    /// Its name.
    pub const fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The requests that it holds.
    pub const fn requests(&self) -> &RequestQuery {
        &self.of
    }
}
