//! The query for requests, and the table of its filters.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::filter::{
    AnyOf, AnyPerson, AnyText, Between, FilterRows, Flag, Pairs, QueryDigest, Shape as _, TagFilter, filters, sentence,
};
use super::{SortDirection, Viewer};
use crate::error::InvalidValue;
use crate::request::{
    ActorId, BlastScope, Category, ContractId, DecisionCategory, MutationRequest, MutationType, Payload, PendingReason,
    RequestId, RiskLevel, Severity, SideEffect, StateId, StateType, Status, Tag, Timestamp, UniqueKey,
};

/// A query for requests, in created order.
///
/// Without a filter it finds all requests. A filter with a list matches if any of its choices does; a request must match
/// all filters. Calling a method again replaces its filter; only metadata pairs add up.
///
/// Every method that takes a list returns an error if it is empty or has more than [`MAX_CHOICES`](crate::MAX_CHOICES)
/// choices: an empty list is usually a mistake, and would otherwise find nothing or everything.
///
/// It can be saved in any self-describing format such as JSON. Reading it back makes the same checks as building it; a
/// filter with an unknown name is an error.
///
/// ```
/// use mutator_governance::{RequestQuery, RiskLevel, Status};
///
/// let query = RequestQuery::new()
///     .with_state_ids(["tenant:acme"])?
///     .with_statuses([Status::Pending])?
///     .with_risk_between(RiskLevel::High, None)?;
/// assert_eq!(query.to_string(), "requests with state id tenant:acme, with risk from High on, that are Pending, oldest first");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "RequestFilters", into = "RequestFilters")]
pub struct RequestQuery(pub(super) RequestFilters);

filters! {
    RequestFilters of RequestQuery;

    rows of request: MutationRequest {
        /// Only requests with one of these ids.
        ids: AnyOf<RequestId>, "request ids" fed as "ids", "with id",
            build with_ids(names), from [&request.id];

        // Index: pending requests of a state have one of their own, see `state_conditions`.
        /// Only requests that would change one of these states.
        state_ids: AnyOf<StateId>, "state ids", "with state id",
            build with_state_ids(names), from [&request.target.state_id];

        /// Only requests that would change a state of one of these types.
        state_types: AnyOf<StateType>, "state types", "with state type",
            index StateType, build with_state_types(names), from [&request.target.state_type];

        /// Only requests of one of these mutation types.
        mutation_types: AnyOf<MutationType>, "mutation types", "with mutation type",
            index MutationType, build with_mutation_types(names), from [&request.target.mutation_type];

        /// Only requests submitted by an actor with one of these ids, or for one.
        actor_ids: AnyPerson<ActorId>, "actor ids", "submitted by",
            index ActorId, build with_actor_ids(names), from request.requested_by.people();

        /// Only requests submitted by an actor with exactly one of these names.
        actor_names: AnyText, "actor names", "submitted by somebody named",
            build with_actor_names(texts), from request.requested_by.name.as_deref();

        /// Only requests whose requester has one of these correlation ids, which name a business operation.
        ///
        /// Uses an index if the application chose one; otherwise each request that the other filters find is checked.
        correlation_ids: AnyText, "correlation ids", "with correlation id",
            index CorrelationId, build with_correlation_ids(texts), from request.requested_by.correlation_id.as_deref();

        /// Only requests whose payload has exactly one of these content types; a request without payload does not match.
        content_types: AnyText, "content types", "with payload of type",
            build with_content_types(texts), from request.payload.as_ref().map(Payload::content_type);

        /// Only requests with one of these unique keys, also those that have ended. No index answers it: each request that
        /// the other filters find is checked. `open_request` of a service finds the open one at once.
        unique_keys: AnyOf<UniqueKey>, "unique keys", "with unique key",
            build with_unique_keys(names), from request.unique_key.as_ref();

        /// Only requests whose intent has one of these categories.
        categories: AnyOf<Category>, "categories", "in category",
            index Category, build with_categories(names), from [&request.intent.category];

        // Built by two methods: any of the tags, or all.
        tags: TagFilter, "tags" fed as "tag", "tagged",
            index Tag, from &request.intent.tags;

        /// Only requests whose intent has exactly this value under this key of its metadata; adds to earlier pairs.
        intent_metadata: Pairs, "intent metadata", "with intent metadata",
            build with_intent_metadata(pair), from &request.intent.metadata;

        /// Only requests whose blast radius has a scope in this range, both ends included; a request without a blast
        /// radius does not match.
        blast_radius: Between<BlastScope>, "blast radius", "with blast radius",
            index BlastRadius, build with_blast_radius_between(ends),
            from request.intent.blast_radius.as_ref().map(|radius| radius.scope);

        /// Only requests whose risk lies in this range, both ends included.
        risk: Between<RiskLevel>, "risk", "with risk",
            index Risk, build with_risk_between(ends), from [request.intent.risk];

        /// Only requests with exactly this value under this key of their metadata; adds to earlier pairs.
        metadata: Pairs, "metadata", "with metadata",
            index Metadata, build with_metadata(pair), from &request.metadata;

        // Index: see `state_conditions`.
        /// Only requests with one of these statuses.
        statuses: AnyOf<Status>, "statuses", "that are",
            build with_statuses(choices), from [request.state.status()];

        // Index: see `state_conditions`.
        /// Only requests that wait for one of these reasons.
        pending_reasons: AnyOf<PendingReason>, "pending reasons", "waiting for",
            build with_pending_reasons(choices), from request.state.pending().map(|pending| pending.reason);

        /// Only requests whose history has a decision of one of these categories.
        decision_categories: AnyOf<DecisionCategory>, "decision categories", "with decisions about",
            build with_decision_categories(choices),
            from request.decisions.iter().map(|decision| decision.kind.category());

        // Index: the range of keys that a plan reads.
        /// Only requests that were submitted in this time, both ends included.
        created: Between<Timestamp>, "created time" fed as "created", "created",
            build created_between(ends), from [request.created_at];

        /// Only requests that were last changed in this time, both ends included.
        updated: Between<Timestamp>, "updated time" fed as "updated", "updated",
            build updated_between(ends), from [request.updated_at];

        // Built by hand, because a viewer is always valid.
        visible_to: Viewer, "viewer", "visible to",
            index Participant, from request;
    }

    // Rows of their own subject, because one side effect must match all of them.
    rows of effect: SideEffect {
        /// Only requests with a side effect of one of these types. One side effect must match all side effect filters.
        side_effect_types: AnyText, "side effect types", "of type",
            build with_side_effect_types(texts), from [effect.effect_type()];

        /// Only requests with a side effect whose data follows one of these contracts.
        contract_ids: AnyOf<ContractId>, "contract ids", "following contract",
            build with_contract_ids(names), from effect.contract_id();

        /// Only requests with a side effect of one of these severities.
        severities: AnyOf<Severity>, "severities", "of severity",
            build with_severities(choices), from [effect.severity()];

        /// Only requests with a side effect that requires action (`true`), or with one that requires none (`false`).
        requires_action: Flag, "requires action", "requiring action / requiring no action",
            build requiring_action(flag), from effect.requires_action();
    }

    and {
        #[serde(skip_serializing_if = "SortDirection::is_ascending")]
        direction: SortDirection,
    }
}

impl RequestQuery {
    /// All requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// The requests that would change this state.
    pub fn of_state(state: StateId) -> Self {
        Self(RequestFilters { state_ids: Some(AnyOf::these([state])), ..RequestFilters::default() })
    }

    /// The requests that wait for something.
    pub fn pending() -> Self {
        Self(RequestFilters { statuses: Some(AnyOf::these([Status::Pending])), ..RequestFilters::default() })
    }

    /// The requests that wait for this reason.
    pub fn pending_for(reason: PendingReason) -> Self {
        let Self(pending) = Self::pending();
        Self(RequestFilters { pending_reasons: Some(AnyOf::these([reason])), ..pending })
    }

    /// The requests that would change this state and wait for something.
    pub fn pending_of_state(state: StateId) -> Self {
        let Self(pending) = Self::pending();
        Self(RequestFilters { state_ids: Some(AnyOf::these([state])), ..pending })
    }

    /// The queue of requests that wait for approval.
    pub fn pending_approval_queue() -> Self {
        Self::pending_for(PendingReason::Approval)
    }

    /// Only requests whose intent has at least one of these tags.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a tag is not a valid [`Tag`].
    pub fn with_any_tag(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.tags = Some(TagFilter::Any(AnyOf::names("tags", Tag::new, tags)?.into_set()));
        Ok(self)
    }

    /// Only requests whose intent has all of these tags.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a tag is not a valid [`Tag`].
    pub fn with_all_tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.tags = Some(TagFilter::All(AnyOf::names("tags", Tag::new, tags)?.into_set()));
        Ok(self)
    }

    /// Only requests that this viewer may read, because they [concern](crate::workflow::participants) them.
    ///
    /// Uses an index if the application chose one; otherwise each request that the other filters find is checked. A page
    /// for a viewer does not name requests that cannot be read, since only their documents say whom they concern.
    pub fn visible_to(mut self, viewer: Viewer) -> Self {
        self.0.visible_to = Some(viewer);
        self
    }

    /// Sets the order of the created time. Defaults to ascending.
    pub fn in_order(mut self, direction: SortDirection) -> Self {
        self.0.direction = direction;
        self
    }

    /// Whether the request matches every filter of this query.
    pub fn matches(&self, request: &MutationRequest) -> bool {
        let (filters, ids) = (&self.0, request.id_comparison);
        let asks_of_effects = FilterRows::<SideEffect>::ask(filters);
        filters.are_met_by(request, ids)
            && (!asks_of_effects || request.side_effects.iter().any(|effect| filters.are_met_by(effect, ids)))
    }

    /// The description of each filter, without the word "requests" and the order; empty without a filter.
    pub(super) fn clauses(&self) -> Vec<String> {
        let mut clauses = FilterRows::<MutationRequest>::clauses(&self.0);
        let of_effect = FilterRows::<SideEffect>::clauses(&self.0);
        if !of_effect.is_empty() {
            clauses.push(format!("with a side effect {}", of_effect.join(" and ")));
        }
        clauses
    }

    pub(super) fn feed(&self, digest: &mut QueryDigest) {
        self.0.feed_rows(digest);
        if !self.0.direction.is_ascending() {
            digest.text("direction", "descending");
        }
    }

    /// Whether it finds all requests, in ascending order.
    pub(super) fn finds_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it finds only what a viewer may read.
    pub(super) const fn is_for_a_viewer(&self) -> bool {
        self.0.visible_to.is_some()
    }

    /// The filters alone, for a read with an order of its own.
    /// Only requests that had ended by this time. Where the query says itself which statuses or times it is about, it decides,
    /// and finds more.
    pub(crate) fn ended_by(mut self, time: Timestamp) -> Result<Self, InvalidValue> {
        if self.0.statuses.is_none() {
            let ended: BTreeSet<Status> = Status::ALL.into_iter().filter(|status| status.is_terminal()).collect();
            self.0.statuses = Some(AnyOf::these(ended));
        }
        if self.0.updated.is_none() {
            self.0.updated = Some(Between::new("updated time", None, Some(time))?);
        }
        Ok(self)
    }

    pub(crate) fn without_order(self) -> Self {
        self.in_order(SortDirection::Ascending)
    }
}

impl TryFrom<RequestFilters> for RequestQuery {
    type Error = InvalidValue;
    fn try_from(filters: RequestFilters) -> Result<Self, InvalidValue> {
        filters.check()?;
        Ok(Self(filters))
    }
}

impl fmt::Display for RequestQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sentence(f, "requests", &self.clauses(), &self.0.direction)
    }
}
