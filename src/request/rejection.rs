//! Why an approval was rejected, in machine-readable form.

use serde::{Deserialize, Serialize};

use super::Metadata;

/// Why an approval was rejected, in machine-readable form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Rejection {
    /// The application's code for the reason.
    pub code: String,
    /// The category of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The reason in words.
    pub message: String,
    /// Anything else about the reason.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl Rejection {
    /// A reason with this code and this message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), category: None, message: message.into(), metadata: Metadata::new() }
    }

    /// The same reason in this category.
    pub fn in_category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }
}
