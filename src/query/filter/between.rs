//! The filter by a range, both ends included.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{QueryDigest, Shape};
use crate::error::InvalidValue;
use crate::index::{ChosenIndexes, Condition, Dimension, Filter, Term};
use crate::request::{BlastScope, IdComparison, RiskLevel};

/// Both ends included; at least one is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Between<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<T>,
}

/// A scale of few levels; an index holds each level.
pub(crate) trait Level: Copy + Ord + fmt::Display + 'static {
    const LEVELS: &'static [Self];
}

impl Level for RiskLevel {
    const LEVELS: &'static [Self] = &[Self::Low, Self::Medium, Self::High, Self::Critical];
}

impl Level for BlastScope {
    const LEVELS: &'static [Self] = &[Self::Single, Self::Module, Self::System, Self::Global];
}

impl<T: Copy + Ord + fmt::Display> Between<T> {
    pub(crate) fn new(field: &'static str, from: Option<T>, to: Option<T>) -> Result<Self, InvalidValue> {
        let range = Self { from, to };
        range.check(field)?;
        Ok(range)
    }

    pub(crate) fn contains(&self, value: T) -> bool {
        self.from.is_none_or(|from| from <= value) && self.to.is_none_or(|to| value <= to)
    }

    /// A missing value lies in no range.
    pub(crate) fn is_met_by(&self, found: impl IntoIterator<Item = T>, _ids: IdComparison) -> bool {
        found.into_iter().any(|value| self.contains(value))
    }
}

impl<T: Level> Between<T> {
    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, _: &ChosenIndexes) -> Vec<Condition> {
        let levels = T::LEVELS.iter().filter(|level| self.contains(**level));
        vec![Condition::of(levels.map(|level| Term::new(dimension, level.to_string())), [filter.clone()])]
    }
}

impl<T: Copy + Ord + fmt::Display> Shape for Between<T> {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        match (self.from, self.to) {
            (None, None) => Err(InvalidValue::new(field, "is a range without ends; give one, or leave the filter out")),
            (Some(from), Some(to)) if from > to => {
                Err(InvalidValue::new(field, format!("is a range from {from} to {to}; from must not be after to")))
            }
            _ => Ok(()),
        }
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        digest.range(name, [self.from, self.to]);
    }

    fn clause(&self, asked: &str) -> String {
        format!("{asked} {self}")
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
