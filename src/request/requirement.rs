//! What policy demands of a request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Metadata, RequirementKind, Value, metadata_keys};
use crate::error::InvalidValue;
use crate::json::IsoDuration;

/// What a policy demanded for the mutation, as a record for readers.
///
/// Only approvals are enforced, by the approvals themselves, and the deadline in the record of a
/// [policy](crate::guide::policies), from submission on. Nothing here checks any other requirement, and no command marks
/// it as fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Requirement {
    /// The kind of the demand, for example `Approval` or `TwoFactor`.
    pub kind: RequirementKind,
    /// The demand in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the demand is about.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub data: Metadata,
    /// Whether it has been met; for any other kind than an approval, the value given at submission.
    #[serde(default)]
    pub fulfilled: bool,
}

impl Requirement {
    /// A demand that has not been met yet.
    ///
    /// # Errors
    /// [`InvalidValue`] when the kind is not a valid [`RequirementKind`].
    pub fn new(kind: impl Into<String>, description: impl Into<String>) -> Result<Self, InvalidValue> {
        Ok(Self {
            kind: RequirementKind::new(kind)?,
            description: description.into(),
            data: Metadata::new(),
            fulfilled: false,
        })
    }

    /// The same demand with this data.
    pub fn with_data(mut self, data: Metadata) -> Self {
        self.data = data;
        self
    }

    /// Whether approvals fulfil this requirement.
    pub fn is_approval(&self) -> bool {
        self.kind == RequirementKind::APPROVAL
    }

    /// How long the policy that this records lets a request wait, if it says so.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self.data.get(metadata_keys::POLICY_DEADLINE) {
            Some(Value::Text(deadline)) if self.kind == RequirementKind::POLICY => {
                deadline.parse().ok().map(|IsoDuration(deadline)| deadline)
            }
            _ => None,
        }
    }
}
