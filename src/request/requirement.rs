//! What policy demands of a request.

use serde::{Deserialize, Serialize};

use super::{Metadata, RequirementKind};
use crate::error::InvalidValue;

/// What a policy demanded before the mutation may run, as a record for readers.
///
/// Only that of approvals is enforced, by the approvals themselves. Of any other, nothing here checks that it is met, and no
/// command sets it to fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Requirement {
    /// What was demanded, for example `Approval` or `TwoFactor`.
    pub kind: RequirementKind,
    /// The demand in words.
    pub description: String,
    /// What the demand is about.
    pub data: Metadata,
    /// Whether it has been met; of one other than an approval, what was said when the request was submitted.
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
}
