//! The filter by pairs of metadata; a subject must have all of them.

use serde::{Deserialize, Serialize};

use super::clauses::ShownValue;
use super::{QueryDigest, Shape};
use crate::error::InvalidValue;
use crate::index::{ChosenIndexes, Condition, Dimension, Filter, Term};
use crate::request::{IdComparison, Metadata, Value};

/// Exactly these values under these keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct Pairs(Metadata);

impl Pairs {
    /// Adds a pair to the filter.
    pub(crate) fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Result<(), InvalidValue> {
        self.0.insert(key, value).map(drop)
    }

    pub(crate) fn is_met_by(&self, found: &Metadata, _ids: IdComparison) -> bool {
        self.0.iter().all(|(key, value)| found.get(key) == Some(value))
    }

    /// Each pair is a condition of its own if its key is indexed.
    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, chosen: &ChosenIndexes) -> Vec<Condition> {
        let pairs = self.0.iter().filter(|(key, _)| chosen.has_metadata(key));
        let condition = |(key, value)| Condition::of([Term::of_pair(dimension, key, value)], [filter.part(key)]);
        pairs.map(condition).collect()
    }
}

impl Shape for Pairs {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        if self.0.is_empty() {
            return Err(InvalidValue::new(field, "has no pair to compare; name at least one, or leave the filter out"));
        }
        Ok(())
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        digest.metadata(name, &self.0);
    }

    fn clause(&self, asked: &str) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(key, value)| format!("{key} = {}", ShownValue(value))).collect();
        format!("{asked} {}", pairs.join(" and "))
    }

    fn without(mut self, part: Option<&str>) -> Option<Self> {
        self.0.remove(part?);
        (!self.0.is_empty()).then_some(self)
    }
}
