//! What an executor reports: the result of an execution, or why it failed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::request::{Metadata, SideEffect, StateVersion};

/// The result of executing a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Completion {
    /// The resulting version of the state, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resulting_version: Option<StateVersion>,
    /// What it caused besides the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
    /// The number of further side effects, for which the store has no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub side_effects_left_out: u32,
}

/// Why executing a request failed.
///
/// Made from any error by `?`: its sentence becomes the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Failure {
    /// What failed, in words. If the message is longer than [`MAX_MESSAGE_BYTES`](Self::MAX_MESSAGE_BYTES), its
    /// beginning is recorded.
    pub message: String,
    /// The application's code for the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Anything else about it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// What the attempt still caused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
    /// The number of further metadata entries, for which the store has no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub details_left_out: u32,
    /// The number of further side effects, for which the store has no room.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub side_effects_left_out: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Completion {
    /// A result with nothing else known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same result; the state now has this version.
    pub fn resulting_in(mut self, version: StateVersion) -> Self {
        self.resulting_version = Some(version);
        self
    }

    /// The same result with this side effect added.
    pub fn with_side_effect(mut self, side_effect: SideEffect) -> Self {
        self.side_effects.push(side_effect);
        self
    }
}

impl Failure {
    /// The maximum of a message that is recorded: 4 KiB.
    pub const MAX_MESSAGE_BYTES: usize = 4 * 1024;

    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            metadata: Metadata::new(),
            side_effects: Vec::new(),
            details_left_out: 0,
            side_effects_left_out: 0,
        }
    }

    /// The message to record: never blank, and never too long.
    pub(crate) fn recorded_message(&self) -> Cow<'_, str> {
        if self.message.trim().is_empty() {
            return Cow::Borrowed("it failed without a message");
        }
        cut(&self.message, Self::MAX_MESSAGE_BYTES)
    }

    /// The code to record.
    pub(crate) fn recorded_code(&self) -> Option<Cow<'_, str>> {
        self.code.as_deref().map(|code| cut(code, Self::MAX_CODE_BYTES))
    }

    const MAX_CODE_BYTES: usize = 256;

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

    /// The same failure with this side effect added.
    pub fn with_side_effect(mut self, side_effect: SideEffect) -> Self {
        self.side_effects.push(side_effect);
        self
    }
}

impl<Cause: std::error::Error> From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self::new(cause.to_string())
    }
}

/// The text, or its beginning with a mark that it was cut, in at most this many bytes.
pub(crate) fn cut(text: &str, max_bytes: usize) -> Cow<'_, str> {
    const MARK: &str = "… (cut)";
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    let most = max_bytes.saturating_sub(MARK.len());
    let kept = (0..=most).rev().find_map(|end| text.get(..end)).unwrap_or_default();
    Cow::Owned(format!("{kept}{MARK}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_with_a_mark_within_a_character_never() {
        assert_eq!(cut("short", 5), "short");
        for max in 16..40 {
            let text = "ä€𝄞x".repeat(20);
            let kept = cut(&text, max);
            assert!(kept.len() <= max && kept.ends_with("… (cut)") && kept.len() + 4 > max, "{max}: {kept}");
            assert!(text.starts_with(kept.trim_end_matches("… (cut)")), "{kept}");
        }
    }

    #[test]
    fn a_failure_is_made_from_an_error_by_its_sentence() {
        let version = || -> Result<StateVersion, Failure> { Ok(StateVersion::new(" ")?) };
        let cause = StateVersion::new(" ").unwrap_err();
        assert_eq!(version().unwrap_err(), Failure::new(cause.to_string()));
    }

    #[test]
    fn a_failure_without_a_message_says_so() {
        for blank in ["", " ", "\t\n"] {
            assert_eq!(Failure::new(blank).recorded_message(), "it failed without a message");
        }
    }
}
