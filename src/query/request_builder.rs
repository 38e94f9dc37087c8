//! One method for each filter of a request query, in the order of their meaning: target, actor, intent, state, times,
//! side effects.

use super::bounds::{Between, choices, names, not_blank};
use super::request_filters::TagFilter;
use super::{RequestQuery, SortDirection};
use crate::error::InvalidValue;
use crate::request::{
    ActorId, BlastScope, Category, ContractId, DecisionCategory, MutationType, PendingReason, RequestId, RiskLevel,
    Severity, StateId, StateType, Status, Tag, Timestamp, Value,
};

impl RequestQuery {
    /// With one of these ids.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`RequestId`].
    pub fn with_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.ids = names("request ids", RequestId::new, ids)?;
        Ok(self)
    }

    /// That would change one of these states.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`StateId`].
    pub fn with_state_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.state_ids = names("state ids", StateId::new, ids)?;
        Ok(self)
    }

    /// That would change a state of one of these types.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a type is not a valid [`StateType`].
    pub fn with_state_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.state_types = names("state types", StateType::new, types)?;
        Ok(self)
    }

    /// Of one of these mutation types.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a type is not a valid [`MutationType`].
    pub fn with_mutation_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.mutation_types = names("mutation types", MutationType::new, types)?;
        Ok(self)
    }

    /// Filed by an actor with one of these ids.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`ActorId`].
    pub fn with_actor_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.actor_ids = names("actor ids", ActorId::new, ids)?;
        Ok(self)
    }

    /// Filed by an actor with exactly one of these names.
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

    /// Whose intent is of one of these categories.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a category is not a valid [`Category`].
    pub fn with_categories(
        mut self,
        categories: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.categories = names("categories", Category::new, categories)?;
        Ok(self)
    }

    /// Whose intent has at least one of these tags.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a tag is not a valid [`Tag`].
    pub fn with_any_tag(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.tags = names("tags", Tag::new, tags)?.map(TagFilter::Any);
        Ok(self)
    }

    /// Whose intent has all of these tags.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a tag is not a valid [`Tag`].
    pub fn with_all_tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.tags = names("tags", Tag::new, tags)?.map(TagFilter::All);
        Ok(self)
    }

    /// Whose intent carries exactly this value under this key of its metadata, beside the pairs asked for already.
    ///
    /// # Errors
    /// [`InvalidValue`] when the value nests too deeply for metadata.
    pub fn with_intent_metadata(
        mut self,
        key: impl Into<String>,
        value: impl Into<Value>,
    ) -> Result<Self, InvalidValue> {
        self.0.intent_metadata.get_or_insert_default().insert(key, value)?;
        Ok(self)
    }

    /// Whose blast radius is of a scope in this range, both ends included; a request without one does not match.
    ///
    /// # Errors
    /// [`InvalidValue`] when neither end is given, or the first is the greater.
    pub fn with_blast_radius_between(
        mut self,
        from: impl Into<Option<BlastScope>>,
        to: impl Into<Option<BlastScope>>,
    ) -> Result<Self, InvalidValue> {
        self.0.blast_radius = Some(Between::new("blast radius", from.into(), to.into())?);
        Ok(self)
    }

    /// Whose risk lies in this range, both ends included.
    ///
    /// # Errors
    /// [`InvalidValue`] when neither end is given, or the first is the greater.
    pub fn with_risk_between(
        mut self,
        from: impl Into<Option<RiskLevel>>,
        to: impl Into<Option<RiskLevel>>,
    ) -> Result<Self, InvalidValue> {
        self.0.risk = Some(Between::new("risk", from.into(), to.into())?);
        Ok(self)
    }

    /// That carry exactly this value under this key of their metadata, beside the pairs asked for already.
    ///
    /// # Errors
    /// [`InvalidValue`] when the value nests too deeply for metadata.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Result<Self, InvalidValue> {
        self.0.metadata.get_or_insert_default().insert(key, value)?;
        Ok(self)
    }

    /// That stand at one of these statuses.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_statuses(mut self, statuses: impl IntoIterator<Item = Status>) -> Result<Self, InvalidValue> {
        self.0.statuses = choices("statuses", statuses)?;
        Ok(self)
    }

    /// That wait for one of these.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_pending_reasons(
        mut self,
        reasons: impl IntoIterator<Item = PendingReason>,
    ) -> Result<Self, InvalidValue> {
        self.0.pending_reasons = choices("pending reasons", reasons)?;
        Ok(self)
    }

    /// Whose history has a decision of one of these categories.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_decision_categories(
        mut self,
        categories: impl IntoIterator<Item = DecisionCategory>,
    ) -> Result<Self, InvalidValue> {
        self.0.decision_categories = choices("decision categories", categories)?;
        Ok(self)
    }

    /// That were filed in this time, both ends included.
    ///
    /// # Errors
    /// [`InvalidValue`] when neither end is given, or the first is the later.
    pub fn created_between(
        mut self,
        from: impl Into<Option<Timestamp>>,
        to: impl Into<Option<Timestamp>>,
    ) -> Result<Self, InvalidValue> {
        self.0.created = Some(Between::new("created time", from.into(), to.into())?);
        Ok(self)
    }

    /// That were last changed in this time, both ends included.
    ///
    /// # Errors
    /// [`InvalidValue`] when neither end is given, or the first is the later.
    pub fn updated_between(
        mut self,
        from: impl Into<Option<Timestamp>>,
        to: impl Into<Option<Timestamp>>,
    ) -> Result<Self, InvalidValue> {
        self.0.updated = Some(Between::new("updated time", from.into(), to.into())?);
        Ok(self)
    }

    /// With a side effect of one of these types. All side effect filters have to be met by one and the same side effect.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or a type is blank.
    pub fn with_side_effect_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, InvalidValue> {
        self.0.side_effect_types = names("side effect types", not_blank("side effect type"), types)?;
        Ok(self)
    }

    /// With a side effect whose data follows one of these contracts.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty or too long, or an id is not a valid [`ContractId`].
    pub fn with_contract_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, InvalidValue> {
        self.0.contract_ids = names("contract ids", ContractId::new, ids)?;
        Ok(self)
    }

    /// With a side effect of one of these severities.
    ///
    /// # Errors
    /// [`InvalidValue`] when the list is empty.
    pub fn with_severities(mut self, severities: impl IntoIterator<Item = Severity>) -> Result<Self, InvalidValue> {
        self.0.severities = choices("severities", severities)?;
        Ok(self)
    }

    /// With a side effect on which somebody must act (`true`), or with one on which nobody must (`false`).
    pub fn requiring_action(mut self, requires_action: bool) -> Self {
        self.0.requires_action = Some(requires_action);
        self
    }

    /// In this order of their created time.
    pub fn in_order(mut self, direction: SortDirection) -> Self {
        self.0.direction = direction;
        self
    }
}
