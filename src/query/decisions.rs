//! The query for decisions, and the table of its filters.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RequestQuery;
use super::filter::{
    AnyOf, AnyPerson, AnyText, Between, FilterRows, QueryDigest, Shape as _, filters, of_requests, sentence,
};
use crate::error::InvalidValue;
use crate::json::Strict;
use crate::request::{
    ActorId, ApprovalDecision, Decision, DecisionCategory, DecisionKind, IdComparison, LifecycleDecision,
    MutationRequest, Timestamp,
};

/// A query for decisions: one row for each, the latest first, then by request id, then in the order they were made.
///
/// Without a filter it finds every decision of every request. Filters combine, and lists are checked, as in a
/// [`RequestQuery`]; it can be saved like one.
///
/// ```
/// use mutator_governance::DecisionQuery;
///
/// let query = DecisionQuery::new().with_actor_ids(["alice"])?;
/// assert_eq!(query.to_string(), "decisions by alice, latest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<DecisionFilters>", into = "DecisionFilters")]
pub struct DecisionQuery(pub(super) DecisionFilters);

filters! {
    DecisionFilters of DecisionQuery;

    rows of decision: Decision {
        // Index: that of the kinds of a category.
        /// Only decisions of one of these categories.
        categories: AnyOf<DecisionCategory>, "decision categories", "about",
            build with_categories(choices), from [decision.kind.category()];

        // Built by hand, because it takes each enumeration of kinds.
        kinds: AnyOf<DecisionKind>, "decision kinds", "of kind",
            index DecisionKind, from [decision.kind];

        /// Only decisions made by an actor with one of these ids, or for one.
        actor_ids: AnyPerson<ActorId>, "actor ids" fed as "decision actor ids", "by",
            index DecisionActor, build with_actor_ids(names), from decision.by.people();

        /// Only decisions made by an actor with exactly one of these names.
        actor_names: AnyText, "actor names" fed as "decision actor names", "by somebody named",
            build with_actor_names(texts), from decision.by.name.as_deref();

        // Index: the range of keys that a plan reads.
        /// Only decisions made in this time, both ends included.
        decided: Between<Timestamp>, "decided time" fed as "decided", "made",
            build decided_between(ends), from [decision.at];
    }

    and {
        #[serde(skip_serializing_if = "RequestQuery::finds_all")]
        request: RequestQuery,
    }
}
of_requests!(DecisionFilters of DecisionQuery);

impl DecisionQuery {
    /// Every decision of every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// The version resolutions: how requests compared with the versions of their states.
    pub fn version_resolutions() -> Self {
        let categories = Some(AnyOf::these([DecisionCategory::VersionResolution]));
        Self(DecisionFilters { categories, ..DecisionFilters::default() })
    }

    /// The decisions that ended requests: executed, rejected, canceled, expired or superseded.
    pub fn execution_outcomes() -> Self {
        let outcomes = [
            LifecycleDecision::Executed,
            LifecycleDecision::Rejected,
            LifecycleDecision::Canceled,
            LifecycleDecision::Expired,
            LifecycleDecision::Superseded,
        ];
        let kinds = Some(AnyOf::these(outcomes.map(DecisionKind::Lifecycle)));
        Self(DecisionFilters { kinds, ..DecisionFilters::default() })
    }

    /// The amendments of approvals: delegated, reassigned, added or removed.
    pub fn amendments() -> Self {
        let amendments = [
            ApprovalDecision::Delegated,
            ApprovalDecision::Reassigned,
            ApprovalDecision::Added,
            ApprovalDecision::Removed,
        ];
        let kinds = Some(AnyOf::these(amendments.map(DecisionKind::Approval)));
        Self(DecisionFilters { kinds, ..DecisionFilters::default() })
    }

    /// What people said about requests: their comments, the latest first.
    ///
    /// ```
    /// use mutator_governance::DecisionQuery;
    ///
    /// assert_eq!(DecisionQuery::discussions().to_string(), "decisions about Discussion, latest first");
    /// ```
    pub fn discussions() -> Self {
        let categories = Some(AnyOf::these([DecisionCategory::Discussion]));
        Self(DecisionFilters { categories, ..DecisionFilters::default() })
    }

    /// Only decisions of one of these kinds.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_kinds(
        mut self,
        any_of: impl IntoIterator<Item = impl Into<DecisionKind>>,
    ) -> Result<Self, InvalidValue> {
        self.0.kinds = Some(AnyOf::choices("decision kinds", any_of.into_iter().map(Into::into))?);
        Ok(self)
    }

    /// Whether this decision of the request matches every filter of this query.
    pub fn matches(&self, request: &MutationRequest, decision: &Decision) -> bool {
        self.matches_decision(decision, request.id_comparison) && self.0.request.matches(request)
    }

    pub(super) fn matches_decision(&self, decision: &Decision, ids: IdComparison) -> bool {
        self.0.are_met_by(decision, ids)
    }

    pub(super) fn feed(&self, digest: &mut QueryDigest) {
        self.0.feed_rows(digest);
        digest.text("of", "requests");
        self.0.request.feed(digest);
    }
}

impl fmt::Display for DecisionQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut clauses = FilterRows::<Decision>::clauses(&self.0);
        let of_requests = self.0.request.clauses();
        if !of_requests.is_empty() {
            clauses.push(format!("of requests {}", of_requests.join(", ")));
        }
        sentence(f, "decisions", &clauses, &"latest first")
    }
}
