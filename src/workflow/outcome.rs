use serde::Serialize;

use crate::request::{Metadata, SideEffect, StateVersion};

/// What executing a request brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Completion {
    /// The version of the state that came of it, where it is known.
    pub resulting_version: Option<StateVersion>,
    /// What it caused beside the change.
    pub side_effects: Vec<SideEffect>,
}

/// Why executing a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What failed, in words.
    pub message: String,
    /// A code the application gives its failures.
    pub code: Option<String>,
    /// Anything else about it.
    pub metadata: Metadata,
    /// What the attempt caused nevertheless.
    pub side_effects: Vec<SideEffect>,
}

/// What becomes of a request whose execution failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum AfterFailure {
    /// It is rejected, with the details of the failure.
    #[default]
    Reject,
    /// It stays approved, for another attempt.
    KeepApproved,
}

impl Completion {
    /// Executed; nothing more is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state has this version now.
    pub fn resulting_in(mut self, version: StateVersion) -> Self {
        self.resulting_version = Some(version);
        self
    }

    /// It caused this as well.
    pub fn with_side_effect(mut self, side_effect: SideEffect) -> Self {
        self.side_effects.push(side_effect);
        self
    }
}

impl Failure {
    /// A failure in words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, metadata: Metadata::new(), side_effects: Vec::new() }
    }

    /// The same failure with this code.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same failure with this metadata.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The attempt caused this nevertheless.
    pub fn with_side_effect(mut self, side_effect: SideEffect) -> Self {
        self.side_effects.push(side_effect);
        self
    }
}
