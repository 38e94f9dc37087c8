//! Reads policies from TOML and JSON; every error names its line.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use toml::Spanned;

use super::{Policy, PolicySet};
use crate::error::PolicyError;

/// The maximum of a text with policies: 4 MiB.
const MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlSet {
    #[serde(default)]
    policies: Vec<Spanned<Policy>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSet<'a> {
    #[serde(borrow, default)]
    policies: Vec<&'a RawValue>,
}

impl PolicySet {
    /// Reads policies from TOML. Errors call the text by this name.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`], with the line, when the text is not TOML or has more than 4 MiB, has an unknown field,
    /// or has a policy that demands nothing, can never be met, or has the name of another.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, PolicyError> {
        check_length(text, name)?;
        let set: TomlSet = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let policy = text.get(start..).unwrap_or_default();
            let policy = policy.split_once("\n[[policies]]").map_or(policy, |(policy, _)| policy);
            invalid(name, line_of(text, start) + lines_before_field(policy, error.message()), error.message())
        })?;
        let located = set.policies.into_iter().map(|policy| (line_of(text, policy.span().start), policy.into_inner()));
        Self::checked(located.collect(), "line").map_err(|(line, problem)| invalid(name, line, &problem))
    }

    /// Reads policies from JSON: an object with the field `policies`, otherwise as in TOML. Errors call the text by this
    /// name.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str, name: &str) -> Result<Self, PolicyError> {
        check_length(text, name)?;
        let set: JsonSet<'_> = serde_json::from_str(text).map_err(|error| json_error(name, 1, &error))?;
        let mut located = Vec::new();
        for raw in set.policies {
            let line = line_of(text, offset_of(text, raw.get()));
            let policy = serde_json::from_str(raw.get()).map_err(|error| {
                let before = if error.line() == 0 { lines_before_field(raw.get(), &error.to_string()) } else { 0 };
                json_error(name, line + before, &error)
            })?;
            located.push((line, policy));
        }
        Self::checked(located, "line").map_err(|(line, problem)| invalid(name, line, &problem))
    }

    /// Reads policies from a file: JSON if its name ends with `.json`, otherwise TOML.
    ///
    /// # Errors
    /// [`PolicyError::Unreadable`] when the file cannot be read as text, otherwise as [`from_toml`](Self::from_toml).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return Err(PolicyError::Unreadable { file, problem: error.to_string() }),
        };
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            Self::from_json(&text, &file)
        } else {
            Self::from_toml(&text, &file)
        }
    }
}

fn check_length(text: &str, name: &str) -> Result<(), PolicyError> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(invalid(name, 1, &format!("the text has {} bytes; at most {MAX_BYTES} are allowed", text.len())))
}

/// The error of a part of the text that begins at this line.
fn json_error(name: &str, first_line: usize, error: &serde_json::Error) -> PolicyError {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    let problem = text.strip_suffix(&place).unwrap_or(&text);
    invalid(name, first_line + error.line().saturating_sub(1), problem)
}

fn invalid(file: &str, line: usize, problem: &str) -> PolicyError {
    PolicyError::Invalid { file: file.to_owned(), line, problem: problem.to_owned() }
}

/// Where the part, which is borrowed from the text, begins.
fn offset_of(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// How many lines of a policy come before a field that it does not have, which is found only after the policy was read;
/// none if several lines have the name.
fn lines_before_field(policy: &str, problem: &str) -> usize {
    let path = problem.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let Some(field) = path.and_then(|path| path.rsplit('.').next()) else { return 0 };
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let has_field = |line: &str| line.split(|c| !is_word(c)).any(|word| word == field);
    let mut places = policy.lines().enumerate().filter(|(_, line)| has_field(line)).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => place,
        _ => 0,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
