//! What an executor reports of an execution: what came of it, or why it failed and what becomes of the request.

use std::borrow::Cow;

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
    /// How many more it caused for which a store has no room.
    pub side_effects_left_out: u32,
}

/// Why executing a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What failed, in words. Of a message longer than [`MAX_MESSAGE_BYTES`](Self::MAX_MESSAGE_BYTES) the beginning is recorded.
    pub message: String,
    /// A code the application gives its failures.
    pub code: Option<String>,
    /// Anything else about it.
    pub metadata: Metadata,
    /// What the attempt caused nevertheless.
    pub side_effects: Vec<SideEffect>,
    /// How many entries of metadata there are beside those for which a store has no room.
    pub details_left_out: u32,
    /// How many more side effects it caused for which a store has no room.
    pub side_effects_left_out: u32,
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
    /// How much of a message is recorded: 4 KiB.
    pub const MAX_MESSAGE_BYTES: usize = 4 * 1024;

    /// A failure in words.
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

    /// The message as it is recorded: never blank, and never too long.
    pub(super) fn recorded_message(&self) -> Cow<'_, str> {
        if self.message.trim().is_empty() {
            return Cow::Borrowed("it failed without a message");
        }
        cut(&self.message, Self::MAX_MESSAGE_BYTES)
    }

    /// The code as it is recorded.
    pub(super) fn recorded_code(&self) -> Option<Cow<'_, str>> {
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

    /// The attempt caused this nevertheless.
    pub fn with_side_effect(mut self, side_effect: SideEffect) -> Self {
        self.side_effects.push(side_effect);
        self
    }
}

/// The text, or as much of its beginning as goes into so many bytes together with a mark that says that it was cut.
pub(super) fn cut(text: &str, max_bytes: usize) -> Cow<'_, str> {
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
    fn a_failure_without_a_message_says_so() {
        for blank in ["", " ", "\t\n"] {
            assert_eq!(Failure::new(blank).recorded_message(), "it failed without a message");
        }
    }
}
