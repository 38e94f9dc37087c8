//! The filters that list choices: a subject matches if it has any of them.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{QueryDigest, Shape, check_choices, joined};
use crate::error::InvalidValue;
use crate::index::{ChosenIndexes, Condition, Dimension, Filter, Term};
use crate::request::IdComparison;

/// Any of these names or enum variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct AnyOf<T: Ord>(BTreeSet<T>);

/// Any of these ids of people, compared as the store compares ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct AnyPerson<T: Ord>(AnyOf<T>);

/// Any of these texts, which have no type of their own but must not be blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct AnyText(AnyOf<String>);

impl<T: Ord> AnyOf<T> {
    /// These choices, at least one.
    pub(crate) fn these(choices: impl Into<BTreeSet<T>>) -> Self {
        Self(choices.into())
    }

    pub(crate) fn choices(field: &'static str, given: impl IntoIterator<Item = T>) -> Result<Self, InvalidValue> {
        let set: BTreeSet<T> = given.into_iter().collect();
        check_choices(field, set.len())?;
        Ok(Self(set))
    }

    pub(crate) fn names(
        field: &'static str,
        name: impl Fn(String) -> Result<T, InvalidValue>,
        given: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        let names = given.into_iter().map(|text| name(text.into())).collect::<Result<BTreeSet<T>, _>>()?;
        Self::choices(field, names)
    }

    pub(crate) fn into_set(self) -> BTreeSet<T> {
        self.0
    }

    pub(crate) const fn set(&self) -> &BTreeSet<T> {
        &self.0
    }

    pub(crate) fn is_met_by(&self, found: impl IntoIterator<Item: Borrow<T>>, _ids: IdComparison) -> bool {
        found.into_iter().any(|value| self.0.contains(value.borrow()))
    }
}

impl<T: Ord + fmt::Display> AnyOf<T> {
    pub(crate) fn terms(&self, dimension: Dimension) -> impl Iterator<Item = Term> {
        self.0.iter().map(move |value| Term::new(dimension, value.to_string()))
    }

    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, _: &ChosenIndexes) -> Vec<Condition> {
        vec![Condition::of(self.terms(dimension), [filter.clone()])]
    }
}

impl<T: Ord + fmt::Display> Shape for AnyOf<T> {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        check_choices(field, self.0.len())
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        digest.set(name, &self.0);
    }

    fn clause(&self, asked: &str) -> String {
        format!("{asked} {}", joined(&self.0, " or "))
    }
}

impl<T: Ord + AsRef<str>> AnyPerson<T> {
    pub(crate) fn names(
        field: &'static str,
        name: impl Fn(String) -> Result<T, InvalidValue>,
        given: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        AnyOf::names(field, name, given).map(Self)
    }

    /// An actor without an id matches none of them.
    pub(crate) fn is_met_by<'a>(&self, found: impl IntoIterator<Item = &'a T>, ids: IdComparison) -> bool
    where
        T: 'a,
    {
        let asked = self.0.set();
        let mut found = found.into_iter();
        if !ids.folds_case() {
            return found.any(|id| asked.contains(id));
        }
        let asked = ids.keys(asked);
        found.any(|id| asked.contains(&*ids.key(id.as_ref())))
    }
}

impl<T: Ord + fmt::Display> AnyPerson<T> {
    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, chosen: &ChosenIndexes) -> Vec<Condition> {
        self.0.conditions(dimension, filter, chosen)
    }
}

impl<T: Ord + fmt::Display> Shape for AnyPerson<T> {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        self.0.check(field)
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        self.0.feed(name, digest);
    }

    fn clause(&self, asked: &str) -> String {
        self.0.clause(asked)
    }
}

impl AnyText {
    pub(crate) fn texts(
        field: &'static str,
        given: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        AnyOf::names(field, |text| check_text(field, &text).map(|()| text), given).map(Self)
    }

    pub(crate) fn is_met_by<'a>(&self, found: impl IntoIterator<Item = &'a str>, _ids: IdComparison) -> bool {
        found.into_iter().any(|text| self.0.set().contains(text))
    }

    /// Indexes hold digests of these texts, because they may be long.
    pub(crate) fn conditions(&self, dimension: Dimension, filter: &Filter, _: &ChosenIndexes) -> Vec<Condition> {
        let terms = self.0.set().iter().map(|text| Term::of_long_text(dimension, text));
        vec![Condition::of(terms, [filter.clone()])]
    }
}

impl Shape for AnyText {
    fn check(&self, field: &'static str) -> Result<(), InvalidValue> {
        self.0.check(field)?;
        self.0.set().iter().try_for_each(|text| check_text(field, text))
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        self.0.feed(name, digest);
    }

    fn clause(&self, asked: &str) -> String {
        self.0.clause(asked)
    }
}

/// The error names one text of the filter, so the name loses its plural.
fn check_text(field: &'static str, text: &str) -> Result<(), InvalidValue> {
    if text.trim().is_empty() {
        return Err(InvalidValue::new(field.strip_suffix('s').unwrap_or(field), "is blank"));
    }
    Ok(())
}
