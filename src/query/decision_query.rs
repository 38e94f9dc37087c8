use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::RequestQuery;
use super::bounds::{Between, check_choices, check_texts, choices, names, not_blank};
use super::digest::QuestionDigest;
use super::request_match::{has_one_of, is_one_of, names_one_of};
use super::request_text::{Clauses, clauses, sentence};
use crate::error::InvalidValue;
use crate::request::{
    ActorId, Decision, DecisionCategory, DecisionKind, IdComparison, LifecycleDecision, MutationRequest, Timestamp,
};

/// Which decisions are asked for: one row for each, the latest first, then by request id, then in the order they were made.
///
/// Without any filter it asks for every decision of every request. Lists are met by any of their choices, several filters
/// have to be met together. Lists that are empty or too long are refused, as in a [`RequestQuery`], and it is saved like
/// one.
///
/// ```
/// use mutator_governance::DecisionQuery;
///
/// let query = DecisionQuery::new().with_actor_ids(["alice"])?;
/// assert_eq!(query.to_string(), "decisions by alice, latest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DecisionFilters", into = "DecisionFilters")]
pub struct DecisionQuery(pub(super) DecisionFilters);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DecisionFilters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) categories: Option<BTreeSet<DecisionCategory>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kinds: Option<BTreeSet<DecisionKind>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor_ids: Option<BTreeSet<ActorId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor_names: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decided: Option<Between<Timestamp>>,
    pub(super) request: RequestQuery,
}

impl DecisionQuery {
    /// Every decision of every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// How requests stood to the versions of their states.
    pub fn version_resolutions() -> Self {
        let categories = Some([DecisionCategory::VersionResolution].into());
        Self(DecisionFilters { categories, ..DecisionFilters::default() })
    }

    /// How requests ended: executed, rejected, canceled, expired or superseded.
    pub fn execution_outcomes() -> Self {
        let outcomes = [
            LifecycleDecision::Executed,
            LifecycleDecision::Rejected,
            LifecycleDecision::Canceled,
            LifecycleDecision::Expired,
            LifecycleDecision::Superseded,
        ];
        let kinds = Some(outcomes.map(DecisionKind::Lifecycle).into());
        Self(DecisionFilters { kinds, ..DecisionFilters::default() })
    }

    /// Of one of these categories.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_categories(
        mut self,
        categories: impl IntoIterator<Item = DecisionCategory>,
    ) -> Result<Self, InvalidValue> {
        self.0.categories = choices("decision categories", categories)?;
        Ok(self)
    }

    /// Of one of these kinds.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_kinds(
        mut self,
        kinds: impl IntoIterator<Item = impl Into<DecisionKind>>,
    ) -> Result<Self, InvalidValue> {
        self.0.kinds = choices("decision kinds", kinds.into_iter().map(Into::into))?;
        Ok(self)
    }

    /// Made by an actor with one of these ids.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`ActorId`].
    pub fn with_actor_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.actor_ids = names("actor ids", ActorId::new, ids)?;
        Ok(self)
    }

    /// Made by an actor with exactly one of these names.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a name is blank.
    pub fn with_actor_names(
        mut self,
        given: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.actor_names = names("actor names", not_blank("actor name"), given)?;
        Ok(self)
    }

    /// Made in this time, both ends included.
    ///
    /// # Errors
    /// [`InvalidValue`] when neither end is given, or the first is the later.
    pub fn decided_between(
        mut self,
        from: impl Into<Option<Timestamp>>,
        to: impl Into<Option<Timestamp>>,
    ) -> Result<Self, InvalidValue> {
        self.0.decided = Some(Between::new("decided time", from.into(), to.into())?);
        Ok(self)
    }

    /// Of requests that meet this query as well; its order plays no part.
    pub fn of_requests(mut self, request: RequestQuery) -> Self {
        self.0.request = request.without_order();
        self
    }

    /// Whether this decision of the request meets every filter of this query.
    pub fn matches(&self, request: &MutationRequest, decision: &Decision) -> bool {
        self.matches_decision(decision, request.id_comparison) && self.0.request.matches(request)
    }

    pub(super) fn matches_decision(&self, decision: &Decision, ids: IdComparison) -> bool {
        is_one_of(self.0.categories.as_ref(), &decision.kind.category())
            && is_one_of(self.0.kinds.as_ref(), &decision.kind)
            && names_one_of(self.0.actor_ids.as_ref(), decision.by.id.as_ref(), ids)
            && has_one_of(self.0.actor_names.as_ref(), decision.by.name.as_ref())
            && self.0.decided.is_none_or(|range| range.contains(decision.at))
    }

    pub(super) fn feed(&self, digest: &mut QuestionDigest) {
        digest.set("decision categories", self.0.categories.as_ref());
        digest.set("decision kinds", self.0.kinds.as_ref());
        digest.set("decision actor ids", self.0.actor_ids.as_ref());
        digest.set("decision actor names", self.0.actor_names.as_ref());
        digest.range("decided", self.0.decided.as_ref());
        digest.text("of", "requests");
        self.0.request.0.feed(digest);
    }
}

impl TryFrom<DecisionFilters> for DecisionQuery {
    type Error = InvalidValue;
    fn try_from(mut filters: DecisionFilters) -> Result<Self, InvalidValue> {
        check_choices("decision categories", filters.categories.as_ref())?;
        check_choices("decision kinds", filters.kinds.as_ref())?;
        check_choices("actor ids", filters.actor_ids.as_ref())?;
        check_texts("actor names", "actor name", filters.actor_names.as_ref())?;
        filters.decided.map_or(Ok(()), |range| range.check("decided time"))?;
        filters.request = filters.request.without_order();
        Ok(Self(filters))
    }
}

impl From<DecisionQuery> for DecisionFilters {
    fn from(query: DecisionQuery) -> Self {
        query.0
    }
}

impl fmt::Display for DecisionQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Clauses::default();
        parts.set("about", " or ", self.0.categories.as_ref());
        parts.set("of kind", " or ", self.0.kinds.as_ref());
        parts.set("by", " or ", self.0.actor_ids.as_ref());
        parts.set("by somebody named", " or ", self.0.actor_names.as_ref());
        parts.text("made", self.0.decided.as_ref());
        let of_requests = clauses(&self.0.request.0);
        if !of_requests.is_empty() {
            parts.0.push(format!("of requests {}", of_requests.join(", ")));
        }
        sentence(f, "decisions", &parts.0, &"latest first")
    }
}
