//! Why policies cannot be read, or what they demand cannot be met.

use crate::request::PolicyName;

/// Why policies cannot be used. Nothing was submitted.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("the policies of {file} cannot be read: {problem}; check the path and its permissions")]
    Unreadable {
        /// The path.
        file: String,
        /// What the system reported.
        problem: String,
    },
    /// The text is not a set of policies, or one of them can never be met.
    #[error("{file}, line {line}: {problem}")]
    Invalid {
        /// The path, or the name that the caller gave the text.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A draft cannot meet all that its policies demand of it.
    #[error("the draft cannot meet what policy {} demands: {problem}", joined(policies))]
    Unsatisfiable {
        /// The policies that apply to the draft.
        policies: Vec<PolicyName>,
        /// What cannot be met.
        problem: String,
    },
}

fn joined(policies: &[PolicyName]) -> String {
    policies.iter().map(PolicyName::as_str).collect::<Vec<_>>().join(" and policy ")
}
