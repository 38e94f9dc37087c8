//! What of a request filter an index answers.

use super::conditions::{Condition, Filter};
use super::request_filters::{RequestFilters, TagFilter};
use super::{Dimension, IndexedMetadata, Term};
use crate::request::{BlastScope, RiskLevel, Status};

pub(super) fn request_conditions(filters: &RequestFilters, indexed: &IndexedMetadata) -> Vec<Condition> {
    let mut conditions = state_conditions(filters);
    let targets = [
        Condition::names(Dimension::StateType, filters.state_types.as_ref(), [Filter::StateTypes]),
        Condition::names(Dimension::MutationType, filters.mutation_types.as_ref(), [Filter::MutationTypes]),
        Condition::names(Dimension::ActorId, filters.actor_ids.as_ref(), [Filter::ActorIds]),
        Condition::names(Dimension::Category, filters.categories.as_ref(), [Filter::Categories]),
    ];
    conditions.extend(targets.into_iter().flatten());
    match &filters.tags {
        Some(TagFilter::Any(tags)) => {
            conditions.extend(Condition::names(Dimension::Tag, Some(tags), [Filter::AnyTag]));
        }
        Some(TagFilter::All(tags)) => conditions
            .extend(tags.iter().map(|tag| Condition::of([Term::new(Dimension::Tag, tag)], [Filter::Tag(tag.clone())]))),
        None => {}
    }
    conditions.extend(filters.risk.map(|range| {
        let levels = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High, RiskLevel::Critical];
        Condition::of(levels.into_iter().filter(|level| range.contains(*level)).map(Term::risk), [Filter::Risk])
    }));
    conditions.extend(filters.blast_radius.map(|range| {
        let scopes = [BlastScope::Single, BlastScope::Module, BlastScope::System, BlastScope::Global];
        let terms = scopes.into_iter().filter(|scope| range.contains(*scope)).map(Term::blast_radius);
        Condition::of(terms, [Filter::BlastRadius])
    }));
    let pairs = filters.metadata.iter().flatten().filter(|(key, _)| indexed.contains(key));
    conditions.extend(
        pairs.map(|(key, value)| Condition::of([Term::metadata(key, value)], [Filter::MetadataPair(key.to_owned())])),
    );
    conditions
}

/// State ids, statuses and pending reasons together: pending requests of a state have an index of their own.
fn state_conditions(filters: &RequestFilters) -> Vec<Condition> {
    let only_pending = filters.statuses.as_ref().is_some_and(|statuses| statuses.iter().eq([&Status::Pending]));
    let asks_pending = only_pending || filters.pending_reasons.is_some();
    let mut covers = vec![Filter::StateIds];
    let mut conditions = Vec::new();
    if let Some(reasons) = &filters.pending_reasons {
        conditions.push(Condition::of(reasons.iter().copied().map(Term::pending_reason), [Filter::PendingReasons]));
    }
    if only_pending && filters.state_ids.is_some() {
        covers.push(Filter::Statuses);
    } else if let Some(statuses) = &filters.statuses {
        conditions.push(Condition::of(statuses.iter().copied().map(Term::status), [Filter::Statuses]));
    }
    let dimension = if asks_pending { Dimension::PendingOfState } else { Dimension::StateId };
    conditions.extend(Condition::names(dimension, filters.state_ids.as_ref(), covers));
    conditions
}

impl RequestFilters {
    pub(super) fn remove(&mut self, filter: &Filter) {
        match filter {
            Filter::StateIds => self.state_ids = None,
            Filter::StateTypes => self.state_types = None,
            Filter::MutationTypes => self.mutation_types = None,
            Filter::ActorIds => self.actor_ids = None,
            Filter::Categories => self.categories = None,
            Filter::AnyTag => self.tags = None,
            Filter::Tag(tag) => self.tags = self.tags.take().and_then(|tags| tags.without(tag)),
            Filter::Risk => self.risk = None,
            Filter::BlastRadius => self.blast_radius = None,
            Filter::Statuses => self.statuses = None,
            Filter::PendingReasons => self.pending_reasons = None,
            Filter::MetadataPair(key) => {
                let left = self.metadata.take().map(|mut pairs| {
                    pairs.remove(key);
                    pairs
                });
                self.metadata = left.filter(|pairs| !pairs.is_empty());
            }
            Filter::Created => self.created = None,
            // Filters of other rows than requests.
            Filter::ApproverIds
            | Filter::ApproverRoles
            | Filter::ApproverGroups
            | Filter::ApprovalCategories
            | Filter::DecisionCategories
            | Filter::DecisionKinds
            | Filter::DecisionActorIds
            | Filter::Decided
            | Filter::Due => {}
        }
    }
}
