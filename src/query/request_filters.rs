use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::SortDirection;
use super::bounds::{Between, check_choices, check_texts};
use super::digest::QuestionDigest;
use crate::error::InvalidValue;
use crate::request::{
    ActorId, BlastScope, Category, ContractId, DecisionCategory, Metadata, MutationType, PendingReason, RequestId,
    RiskLevel, Severity, StateId, StateType, Status, Tag, Timestamp,
};

/// The filters of a [`RequestQuery`](super::RequestQuery) and the form it is saved in. An absent filter asks nothing.
///
/// An unknown name is refused: a misspelled filter would silently ask for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequestFilters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<BTreeSet<RequestId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state_ids: Option<BTreeSet<StateId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state_types: Option<BTreeSet<StateType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mutation_types: Option<BTreeSet<MutationType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor_ids: Option<BTreeSet<ActorId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor_names: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) categories: Option<BTreeSet<Category>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<TagFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) intent_metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blast_radius: Option<Between<BlastScope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) risk: Option<Between<RiskLevel>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) statuses: Option<BTreeSet<Status>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pending_reasons: Option<BTreeSet<PendingReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision_categories: Option<BTreeSet<DecisionCategory>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<Between<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) updated: Option<Between<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) side_effect_types: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contract_ids: Option<BTreeSet<ContractId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severities: Option<BTreeSet<Severity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requires_action: Option<bool>,
    #[serde(skip_serializing_if = "SortDirection::is_ascending")]
    pub(super) direction: SortDirection,
}

/// Which tags a request has to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TagFilter {
    /// At least one of these.
    Any(BTreeSet<Tag>),
    /// All of these.
    All(BTreeSet<Tag>),
}

impl TagFilter {
    pub(super) const fn tags(&self) -> &BTreeSet<Tag> {
        match self {
            Self::Any(tags) | Self::All(tags) => tags,
        }
    }

    /// What is left to ask when this tag is known to be there.
    pub(super) fn without(self, tag: &Tag) -> Option<Self> {
        let Self::All(mut tags) = self else { return None };
        tags.remove(tag);
        (!tags.is_empty()).then_some(Self::All(tags))
    }
}

impl RequestFilters {
    /// The checks that every builder method makes, for filters that were read instead of built.
    pub(super) fn check(&self) -> Result<(), InvalidValue> {
        check_choices("request ids", self.ids.as_ref())?;
        check_choices("state ids", self.state_ids.as_ref())?;
        check_choices("state types", self.state_types.as_ref())?;
        check_choices("mutation types", self.mutation_types.as_ref())?;
        check_choices("actor ids", self.actor_ids.as_ref())?;
        check_texts("actor names", "actor name", self.actor_names.as_ref())?;
        check_choices("categories", self.categories.as_ref())?;
        check_choices("tags", self.tags.as_ref().map(TagFilter::tags))?;
        check_pairs("intent metadata", self.intent_metadata.as_ref())?;
        self.blast_radius.map_or(Ok(()), |range| range.check("blast radius"))?;
        self.risk.map_or(Ok(()), |range| range.check("risk"))?;
        check_pairs("metadata", self.metadata.as_ref())?;
        check_choices("statuses", self.statuses.as_ref())?;
        check_choices("pending reasons", self.pending_reasons.as_ref())?;
        check_choices("decision categories", self.decision_categories.as_ref())?;
        self.created.map_or(Ok(()), |range| range.check("created time"))?;
        self.updated.map_or(Ok(()), |range| range.check("updated time"))?;
        check_texts("side effect types", "side effect type", self.side_effect_types.as_ref())?;
        check_choices("contract ids", self.contract_ids.as_ref())?;
        check_choices("severities", self.severities.as_ref())
    }

    /// Feeds every filter that is there; one that is added to this crate later leaves older fingerprints as they are.
    pub(super) fn feed(&self, fingerprint: &mut QuestionDigest) {
        fingerprint.set("ids", self.ids.as_ref());
        fingerprint.set("state ids", self.state_ids.as_ref());
        fingerprint.set("state types", self.state_types.as_ref());
        fingerprint.set("mutation types", self.mutation_types.as_ref());
        fingerprint.set("actor ids", self.actor_ids.as_ref());
        fingerprint.set("actor names", self.actor_names.as_ref());
        fingerprint.set("categories", self.categories.as_ref());
        match &self.tags {
            Some(TagFilter::Any(tags)) => fingerprint.set("any tag", Some(tags)),
            Some(TagFilter::All(tags)) => fingerprint.set("all tags", Some(tags)),
            None => {}
        }
        fingerprint.metadata("intent metadata", self.intent_metadata.as_ref());
        fingerprint.range("blast radius", self.blast_radius.as_ref());
        fingerprint.range("risk", self.risk.as_ref());
        fingerprint.metadata("metadata", self.metadata.as_ref());
        fingerprint.set("statuses", self.statuses.as_ref());
        fingerprint.set("pending reasons", self.pending_reasons.as_ref());
        fingerprint.set("decision categories", self.decision_categories.as_ref());
        fingerprint.range("created", self.created.as_ref());
        fingerprint.range("updated", self.updated.as_ref());
        fingerprint.set("side effect types", self.side_effect_types.as_ref());
        fingerprint.set("contract ids", self.contract_ids.as_ref());
        fingerprint.set("severities", self.severities.as_ref());
        if let Some(requires_action) = self.requires_action {
            fingerprint.text("requires action", if requires_action { "yes" } else { "no" });
        }
        if !self.direction.is_ascending() {
            fingerprint.text("direction", "descending");
        }
    }
}

fn check_pairs(field: &'static str, pairs: Option<&Metadata>) -> Result<(), InvalidValue> {
    if pairs.is_some_and(Metadata::is_empty) {
        return Err(InvalidValue::new(field, "has no pair to compare; name at least one, or leave the filter out"));
    }
    Ok(())
}
