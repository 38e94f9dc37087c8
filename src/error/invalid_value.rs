//! A value that breaks the rule of its type.

/// A value that breaks the rule of its type.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
#[non_exhaustive]
pub struct InvalidValue {
    /// Which value it is, in words.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl InvalidValue {
    /// A field and its problem, which together read as a sentence.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}
