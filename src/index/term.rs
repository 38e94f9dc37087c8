//! A term: one value of a dimension, and with it the name of one ordered set of sort keys.

use std::fmt;

use super::Dimension;
use crate::query::QueryDigest;
use crate::request::{IdComparison, PendingReason, Status, Value};

/// One value of a dimension, and with it the name of one ordered set of sort keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Term {
    /// The dimension.
    pub dimension: Dimension,
    /// The value; empty if the dimension has only one. Different values have different texts.
    pub text: Box<str>,
}

impl Term {
    /// The value `text` of this dimension.
    pub fn new(dimension: Dimension, text: impl AsRef<str>) -> Self {
        Self { dimension, text: text.as_ref().into() }
    }

    /// The only term of a dimension without values.
    pub fn whole(dimension: Dimension) -> Self {
        Self::new(dimension, "")
    }

    /// The term that indexes hold under this rule for comparing ids of people.
    #[must_use]
    pub fn comparing(self, ids: IdComparison) -> Self {
        if !self.dimension.is_of_people() {
            return self;
        }
        Self::new(self.dimension, ids.key(&self.text))
    }

    /// The requests with this status.
    pub fn status(status: Status) -> Self {
        Self::new(Dimension::Status, status.as_str())
    }

    /// The requests that wait for this reason.
    pub fn pending_reason(reason: PendingReason) -> Self {
        Self::new(Dimension::PendingReason, reason.as_str())
    }

    /// A text of any length becomes a digest of fixed length, because it is part of a key.
    pub(crate) fn of_long_text(dimension: Dimension, text: &str) -> Self {
        Self::new(dimension, QueryDigest::of_text(text))
    }

    /// The value of a pair too, because it may be long; a key of metadata may contain `=`.
    pub(crate) fn of_pair(dimension: Dimension, key: &str, value: &Value) -> Self {
        Self::new(dimension, format!("{key}={}", QueryDigest::of_value(value)))
    }
}

impl fmt::Display for Term {
    /// For example `state-id:tenant:acme`, or `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.text {
            "" => write!(f, "{}", self.dimension),
            text => write!(f, "{}:{text}", self.dimension),
        }
    }
}
