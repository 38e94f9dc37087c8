//! What one filter may hold: a list of choices that is never empty, or a range whose ends are in order.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;

/// How many choices one filter may list, so that the work of a query stays bounded.
pub const MAX_CHOICES: usize = 1_000;

/// Both ends included; at least one of them is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Between<T> {
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<T>,
}

// `#[serde(default)]` would demand that T itself has a default.
fn none<T>() -> Option<T> {
    None
}

impl<T: Copy + Ord + fmt::Display> Between<T> {
    pub(super) fn new(field: &'static str, from: Option<T>, to: Option<T>) -> Result<Self, InvalidValue> {
        let range = Self { from, to };
        range.check(field)?;
        Ok(range)
    }

    pub(super) fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        match (self.from, self.to) {
            (None, None) => Err(InvalidValue::new(field, "is a range without ends; give one, or leave the filter out")),
            (Some(from), Some(to)) if from > to => {
                Err(InvalidValue::new(field, format!("is a range from {from} to {to}; from must not be after to")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn contains(&self, value: T) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }
}

impl<T: fmt::Display> fmt::Display for Between<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "from {from} to {to}"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(to)) => write!(f, "up to {to}"),
            (None, None) => Ok(()),
        }
    }
}

/// The choices as a set.
pub(super) fn choices<T: Ord>(
    field: &'static str,
    given: impl IntoIterator<Item = T>,
) -> Result<Option<BTreeSet<T>>, InvalidValue> {
    let set = Some(given.into_iter().collect());
    check_choices(field, set.as_ref())?;
    Ok(set)
}

/// The choices as a set of validated names.
pub(super) fn names<T: Ord>(
    field: &'static str,
    name: impl Fn(String) -> Result<T, InvalidValue>,
    given: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Option<BTreeSet<T>>, InvalidValue> {
    let set = Some(given.into_iter().map(|text| name(text.into())).collect::<Result<_, _>>()?);
    check_choices(field, set.as_ref())?;
    Ok(set)
}

pub(super) fn check_choices<T>(field: &'static str, set: Option<&BTreeSet<T>>) -> Result<(), InvalidValue> {
    match set.map(BTreeSet::len) {
        Some(0) => Err(InvalidValue::new(field, "is an empty list; name at least one, or leave the filter out")),
        Some(count) if count > MAX_CHOICES => {
            Err(InvalidValue::new(field, format!("lists {count} choices; at most {MAX_CHOICES} are allowed")))
        }
        _ => Ok(()),
    }
}

/// Text that has no type of its own must still say something.
pub(super) fn not_blank(field: &'static str) -> impl Fn(String) -> Result<String, InvalidValue> {
    move |text| if text.trim().is_empty() { Err(InvalidValue::new(field, "is blank")) } else { Ok(text) }
}

pub(super) fn check_texts(
    field: &'static str,
    item: &'static str,
    set: Option<&BTreeSet<String>>,
) -> Result<(), InvalidValue> {
    check_choices(field, set)?;
    if set.is_some_and(|texts| texts.iter().any(|text| text.trim().is_empty())) {
        return Err(InvalidValue::new(item, "is blank"));
    }
    Ok(())
}
