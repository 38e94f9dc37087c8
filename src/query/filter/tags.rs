//! The filter by tags: a request must have any of them, or all of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{QueryDigest, Shape, check_choices, joined};
use crate::error::InvalidValue;
use crate::index::{ChosenIndexes, Condition, Dimension, Filter, Term};
use crate::request::{IdComparison, Tag};

/// The tags that a request must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum TagFilter {
    /// At least one of these.
    Any(BTreeSet<Tag>),
    /// All of these.
    All(BTreeSet<Tag>),
}

impl TagFilter {
    const fn tags(&self) -> &BTreeSet<Tag> {
        match self {
            Self::Any(tags) | Self::All(tags) => tags,
        }
    }

    pub(crate) fn is_met_by(&self, found: &BTreeSet<Tag>, _ids: IdComparison) -> bool {
        match self {
            Self::Any(tags) => !tags.is_disjoint(found),
            Self::All(tags) => tags.is_subset(found),
        }
    }

    /// With `All`, each tag is a condition of its own.
    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, _: &ChosenIndexes) -> Vec<Condition> {
        let term = |tag: &Tag| Term::new(dimension, tag);
        match self {
            Self::Any(tags) => vec![Condition::of(tags.iter().map(term), [filter.clone()])],
            Self::All(tags) => tags.iter().map(|tag| Condition::of([term(tag)], [filter.part(tag.as_str())])).collect(),
        }
    }
}

impl Shape for TagFilter {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        check_choices(field, self.tags().len())
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        match self {
            Self::Any(tags) => digest.set(&format!("any {name}"), tags),
            Self::All(tags) => digest.set(&format!("all {name}s"), tags),
        }
    }

    fn clause(&self, asked: &str) -> String {
        let between = if matches!(self, Self::Any(_)) { " or " } else { " and " };
        format!("{asked} {}", joined(self.tags(), between))
    }

    fn without(self, part: Option<&str>) -> Option<Self> {
        let (Self::All(mut tags), Some(part)) = (self, part) else { return None };
        tags.retain(|tag| tag.as_str() != part);
        (!tags.is_empty()).then_some(Self::All(tags))
    }
}
