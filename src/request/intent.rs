//! What a change is meant to do, and how much it can affect.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Category, Metadata, Operation, Tag, Timestamp};
use crate::error::InvalidValue;

/// The purpose of a mutation, and how far it may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Intent {
    /// The operation.
    pub operation: Operation,
    /// The category the operation belongs to.
    pub category: Category,
    /// What it is for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How risky it is.
    #[serde(default)]
    pub risk: RiskLevel,
    /// Whether it can be undone.
    #[serde(default = "reversible")]
    pub reversible: bool,
    /// How far it reaches, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blast_radius: Option<BlastRadius>,
    /// Tags to find it by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<Tag>,
    /// Anything else about the intent.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// When the intent was formed, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// The risk of an operation, the lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum RiskLevel {
    /// Little can go wrong.
    #[default]
    Low,
    /// Something can go wrong.
    Medium,
    /// Much can go wrong.
    High,
    /// Anything can go wrong, for everybody.
    Critical,
}

/// The reach of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BlastRadius {
    /// How far it reaches.
    pub scope: BlastScope,
    /// The estimated number of affected things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_count: Option<u64>,
    /// The reach in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How far an operation reaches, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum BlastScope {
    /// One thing.
    Single,
    /// One module.
    Module,
    /// The whole system.
    System,
    /// Beyond the system.
    Global,
}

/// Unless an intent says otherwise.
const fn reversible() -> bool {
    true
}

impl Intent {
    /// A reversible operation of low risk.
    ///
    /// # Errors
    /// [`InvalidValue`] when operation or category is not valid.
    pub fn new(operation: impl Into<String>, category: impl Into<String>) -> Result<Self, InvalidValue> {
        Ok(Self {
            operation: Operation::new(operation)?,
            category: Category::new(category)?,
            description: None,
            risk: RiskLevel::Low,
            reversible: true,
            blast_radius: None,
            tags: BTreeSet::new(),
            metadata: Metadata::new(),
            created_at: None,
        })
    }

    /// The same intent with this description.
    pub fn described_as(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The same intent at this risk.
    pub fn with_risk(mut self, risk: RiskLevel) -> Self {
        self.risk = risk;
        self
    }

    /// The same intent, which cannot be undone.
    pub fn irreversible(mut self) -> Self {
        self.reversible = false;
        self
    }

    /// The same intent with this reach.
    pub fn with_blast_radius(mut self, blast_radius: BlastRadius) -> Self {
        self.blast_radius = Some(blast_radius);
        self
    }

    /// The same intent with this tag added.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Tag`].
    pub fn with_tag(mut self, tag: impl Into<String>) -> Result<Self, InvalidValue> {
        self.tags.insert(Tag::new(tag)?);
        Ok(self)
    }
}

impl BlastRadius {
    /// A reach of this scope.
    pub const fn new(scope: BlastScope) -> Self {
        Self { scope, estimated_count: None, description: None }
    }

    /// The same reach over an estimated number of things.
    pub const fn affecting(mut self, count: u64) -> Self {
        self.estimated_count = Some(count);
        self
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        })
    }
}

impl fmt::Display for BlastScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Single => "Single",
            Self::Module => "Module",
            Self::System => "System",
            Self::Global => "Global",
        })
    }
}
