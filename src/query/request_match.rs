//! The one meaning of a request filter.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use super::RequestQuery;
use super::request_filters::{RequestFilters, TagFilter};
use crate::request::{IdComparison, Intent, Metadata, MutationRequest, SideEffect};

impl RequestQuery {
    /// Whether the request meets every filter of this query.
    pub fn matches(&self, request: &MutationRequest) -> bool {
        let filters = &self.0;
        matches_target(filters, request)
            && matches_actor(filters, request)
            && matches_intent(filters, &request.intent)
            && matches_state(filters, request)
            && matches_times(filters, request)
            && has_pairs(filters.metadata.as_ref(), &request.metadata)
            && matches_side_effects(filters, &request.side_effects)
    }
}

fn matches_target(filters: &RequestFilters, request: &MutationRequest) -> bool {
    is_one_of(filters.ids.as_ref(), &request.id)
        && is_one_of(filters.state_ids.as_ref(), &request.target.state_id)
        && is_one_of(filters.state_types.as_ref(), &request.target.state_type)
        && is_one_of(filters.mutation_types.as_ref(), &request.target.mutation_type)
}

fn matches_actor(filters: &RequestFilters, request: &MutationRequest) -> bool {
    names_one_of(filters.actor_ids.as_ref(), request.requested_by.id.as_ref(), request.id_comparison)
        && has_one_of(filters.actor_names.as_ref(), request.requested_by.name.as_ref())
}

fn matches_intent(filters: &RequestFilters, intent: &Intent) -> bool {
    is_one_of(filters.categories.as_ref(), &intent.category)
        && filters.tags.as_ref().is_none_or(|filter| match filter {
            TagFilter::Any(tags) => !tags.is_disjoint(&intent.tags),
            TagFilter::All(tags) => tags.is_subset(&intent.tags),
        })
        && has_pairs(filters.intent_metadata.as_ref(), &intent.metadata)
        && filters
            .blast_radius
            .is_none_or(|range| intent.blast_radius.as_ref().is_some_and(|radius| range.contains(radius.scope)))
        && filters.risk.is_none_or(|range| range.contains(intent.risk))
}

fn matches_state(filters: &RequestFilters, request: &MutationRequest) -> bool {
    let reason = request.state.pending().map(|pending| pending.reason);
    is_one_of(filters.statuses.as_ref(), &request.state.status())
        && has_one_of(filters.pending_reasons.as_ref(), reason.as_ref())
        && filters.decision_categories.as_ref().is_none_or(|categories| {
            request.decisions.iter().any(|decision| categories.contains(&decision.kind.category()))
        })
}

fn matches_times(filters: &RequestFilters, request: &MutationRequest) -> bool {
    filters.created.is_none_or(|range| range.contains(request.created_at))
        && filters.updated.is_none_or(|range| range.contains(request.updated_at))
}

/// One and the same side effect has to meet all that is asked of side effects.
fn matches_side_effects(filters: &RequestFilters, side_effects: &[SideEffect]) -> bool {
    let asks_nothing = filters.side_effect_types.is_none()
        && filters.contract_ids.is_none()
        && filters.severities.is_none()
        && filters.requires_action.is_none();
    asks_nothing
        || side_effects.iter().any(|effect| {
            is_one_of(filters.side_effect_types.as_ref(), effect.effect_type())
                && has_one_of(filters.contract_ids.as_ref(), effect.contract_id())
                && is_one_of(filters.severities.as_ref(), &effect.severity())
                && filters.requires_action.is_none_or(|asked| asked == effect.requires_action())
        })
}

pub(super) fn is_one_of<T, U>(choices: Option<&BTreeSet<T>>, value: &U) -> bool
where
    T: Borrow<U> + Ord,
    U: Ord + ?Sized,
{
    choices.is_none_or(|choices| choices.contains(value))
}

/// A value that is not there is none of the choices.
pub(super) fn has_one_of<T: Ord>(choices: Option<&BTreeSet<T>>, value: Option<&T>) -> bool {
    choices.is_none_or(|choices| value.is_some_and(|value| choices.contains(value)))
}

/// The same of an id of people; nobody without an id is one of them.
pub(super) fn names_one_of<T: AsRef<str> + Ord>(
    choices: Option<&BTreeSet<T>>,
    id: Option<&T>,
    ids: IdComparison,
) -> bool {
    choices.is_none_or(|choices| id.is_some_and(|id| ids.holds(choices, id)))
}

fn has_pairs(asked: Option<&Metadata>, metadata: &Metadata) -> bool {
    asked.is_none_or(|asked| asked.iter().all(|(key, value)| metadata.get(key) == Some(value)))
}
