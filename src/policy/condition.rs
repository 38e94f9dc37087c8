//! When a policy applies to a draft.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;
use crate::json::serde_as_text;
use crate::request::{BlastRadius, BlastScope, RequestDraft, RiskLevel, Tag};

/// When a policy applies: to the drafts that meet every condition which is given; without any, to all.
///
/// A draft cannot avoid a policy by saying less: a blast radius or an estimated count that it leaves out counts as the
/// greatest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct PolicyCondition {
    /// Any of these states.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub state_ids: BTreeSet<TextPattern>,
    /// Any of these types of states.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub state_types: BTreeSet<TextPattern>,
    /// Any of these types of mutations.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub mutation_types: BTreeSet<TextPattern>,
    /// Any of these operations.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub operations: BTreeSet<TextPattern>,
    /// Any of these categories.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<TextPattern>,
    /// A risk of at least this level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskLevel>,
    /// A blast radius of at least this scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blast_scope: Option<BlastScope>,
    /// An estimated count of affected things of at least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_count: Option<u64>,
    /// Any of these tags.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<Tag>,
    /// All of these tags.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub all_tags: BTreeSet<Tag>,
}

/// A text to be equal to, or, with `*` at its end, to begin with. Upper and lower case differ.
///
/// ```
/// use mutator_governance::policy::TextPattern;
///
/// # fn main() -> Result<(), mutator_governance::InvalidValue> {
/// let tenants = TextPattern::new("tenant:*")?;
/// assert!(tenants.matches("tenant:acme") && !tenants.matches("Tenant:acme"));
/// assert!(TextPattern::new("*:acme").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPattern(String);

impl PolicyCondition {
    /// Whether a policy with this condition applies to the draft.
    pub fn matches(&self, draft: &RequestDraft) -> bool {
        let (target, intent) = (&draft.target, &draft.intent);
        let any = |patterns: &BTreeSet<TextPattern>, text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
        };
        any(&self.state_ids, target.state_id.as_str())
            && any(&self.state_types, target.state_type.as_str())
            && any(&self.mutation_types, target.mutation_type.as_str())
            && any(&self.operations, intent.operation.as_str())
            && any(&self.categories, intent.category.as_str())
            && self.risk.is_none_or(|least| intent.risk >= least)
            && self.reach_matches(intent.blast_radius.as_ref())
            && (self.tags.is_empty() || !self.tags.is_disjoint(&intent.tags))
            && self.all_tags.is_subset(&intent.tags)
    }

    fn reach_matches(&self, radius: Option<&BlastRadius>) -> bool {
        let Some(radius) = radius else { return true };
        self.blast_scope.is_none_or(|least| radius.scope >= least)
            && self.estimated_count.is_none_or(|least| radius.estimated_count.is_none_or(|count| count >= least))
    }
}

impl TextPattern {
    /// The maximum length in bytes.
    pub const MAX_BYTES: usize = 512;

    /// The pattern written like this.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is blank, too long, or has a `*` that is not at its end.
    pub fn new(pattern: impl Into<String>) -> Result<Self, InvalidValue> {
        let pattern = pattern.into();
        let invalid = |problem: String| Err(InvalidValue::new("pattern", problem));
        if pattern.trim().is_empty() {
            return invalid("is blank; write * for any text".to_owned());
        }
        if pattern.len() > Self::MAX_BYTES {
            return invalid(format!("has {} bytes; at most {} are allowed", pattern.len(), Self::MAX_BYTES));
        }
        if pattern.trim_end_matches('*').contains('*') || pattern.ends_with("**") {
            return invalid(format!("{pattern:?} has a * that is not its last character, or several"));
        }
        Ok(Self(pattern))
    }

    /// Whether the text matches.
    pub fn matches(&self, text: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => text.starts_with(beginning),
            None => self.0 == text,
        }
    }
}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for TextPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::new(text)
    }
}

serde_as_text!(TextPattern, { "type": "string", "minLength": 1, "maxLength": 512 });
