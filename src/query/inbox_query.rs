//! The query for an actor's inbox.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Viewer;
use super::filter::{MAX_CHOICES, joined};
use crate::error::InvalidValue;
use crate::index::Filter;
use crate::json::Strict;
use crate::request::{
    ActingFor, ActorContext, ActorId, ActorKind, Approval, Group, MutationRequest, Role, Timestamp, for_oneself,
};
use crate::workflow::{self, DecisionContext};

/// A query for an actor's inbox: the approvals the actor can decide now, in created order.
///
/// The inbox has exactly the approvals for which a decision of this actor would be accepted, as in
/// [`decidable_by`](workflow::decidable_by): pending, in the active step, addressed to the actor, not expired, and of a
/// request whose own deadline has not passed. It leaves out the actor's own requests unless that is allowed, approvals of
/// a quorum group the actor has voted in, and requests that exclude the actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<InboxFields>", into = "InboxFields")]
pub struct InboxQuery {
    actor_id: ActorId,
    /// The same actor in the form that the rules need.
    actor: ActorContext,
    visible_to: Option<Viewer>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct InboxFields {
    actor_id: ActorId,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    groups: BTreeSet<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_for: Option<ActingFor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visible_to: Option<Viewer>,
}

impl InboxQuery {
    /// The inbox of the actor with this id, these roles and these groups.
    ///
    /// # Errors
    /// [`InvalidValue`] if there are more than [`MAX_CHOICES`](crate::MAX_CHOICES) roles, or groups, because each needs a
    /// lookup of its own.
    pub fn new(actor_id: ActorId, roles: BTreeSet<Role>, groups: BTreeSet<Group>) -> Result<Self, InvalidValue> {
        check_count("inbox roles", roles.len())?;
        check_count("inbox groups", groups.len())?;
        let mut actor = ActorContext::new(ActorKind::Unknown);
        actor.id = Some(actor_id.clone());
        (actor.roles, actor.groups) = (roles, groups);
        Ok(Self { actor_id, actor, visible_to: None })
    }

    /// The same inbox for an actor who acts for this person: what they can decide with this person's rights. The roles
    /// and groups are to be those of this person.
    ///
    /// # Errors
    /// [`InvalidValue`] if the person is the actor.
    pub fn acting_for(mut self, acting_for: ActingFor) -> Result<Self, InvalidValue> {
        if acting_for.id == self.actor_id {
            return Err(for_oneself(&acting_for.id));
        }
        self.actor.acting_for = Some(acting_for);
        Ok(self)
    }

    /// The inbox of this actor.
    ///
    /// # Errors
    /// [`InvalidValue`] if the actor has no id, because such an actor can decide nothing, and as [`new`](Self::new).
    pub fn of(actor: &ActorContext) -> Result<Self, InvalidValue> {
        let id = actor.id.clone().ok_or_else(|| {
            InvalidValue::new("actor id", format!("is missing from {}; an inbox belongs to an id", actor.label()))
        })?;
        let inbox = Self::new(id, actor.roles.clone(), actor.groups.clone())?;
        match &actor.acting_for {
            Some(acting_for) => inbox.acting_for(acting_for.clone()),
            None => Ok(inbox),
        }
    }

    /// Only of requests that this viewer may read: as [`RequestQuery::visible_to`](crate::RequestQuery::visible_to). A
    /// viewer's own inbox has no others, so it is for whoever looks into the inbox of somebody else.
    pub fn visible_to(mut self, viewer: Viewer) -> Self {
        self.visible_to = Some(viewer);
        self
    }

    /// The viewer whose requests alone it finds.
    pub const fn viewer(&self) -> Option<&Viewer> {
        self.visible_to.as_ref()
    }

    /// The filter by viewer, and its name for what an index answers.
    pub(super) const VISIBLE_TO: Filter = Filter::named("InboxQuery::visible_to");

    /// The same inbox without its filter.
    pub(super) fn for_every_viewer(self) -> Self {
        Self { visible_to: None, ..self }
    }

    /// The id by which approvals are addressed to the actor: that of the person acted for, or else the actor's own.
    pub(super) fn addressee(&self) -> &ActorId {
        self.actor.rights_of().unwrap_or(&self.actor_id)
    }

    /// The person the actor acts for.
    pub const fn person_acted_for(&self) -> Option<&ActingFor> {
        self.actor.acting_for.as_ref()
    }

    /// The actor's id.
    pub const fn actor_id(&self) -> &ActorId {
        &self.actor_id
    }

    /// The actor's roles.
    pub const fn roles(&self) -> &BTreeSet<Role> {
        &self.actor.roles
    }

    /// The actor's groups.
    pub const fn groups(&self) -> &BTreeSet<Group> {
        &self.actor.groups
    }

    /// The approvals of this request that are in the inbox now.
    pub fn approvals_of<'a>(&self, request: &'a MutationRequest, now: Timestamp) -> Vec<&'a Approval> {
        match &self.visible_to {
            Some(viewer) if !viewer.may_read(request) => Vec::new(),
            _ => workflow::decidable_by(request, &self.actor, now),
        }
    }

    /// Whether this approval is in the inbox now.
    pub(super) fn lets_decide(&self, deciding: DecisionContext<'_>, approval: &Approval, now: Timestamp) -> bool {
        deciding.lets(approval, &self.actor, now)
    }
}

fn check_count(field: &'static str, count: usize) -> Result<(), InvalidValue> {
    if count > MAX_CHOICES {
        let problem = format!(
            "are {count}; at most {MAX_CHOICES} are allowed. Leave out those that no approval is addressed to, or \
             query some at a time"
        );
        return Err(InvalidValue::new(field, problem));
    }
    Ok(())
}

impl TryFrom<Strict<InboxFields>> for InboxQuery {
    type Error = InvalidValue;
    fn try_from(Strict(fields): Strict<InboxFields>) -> Result<Self, InvalidValue> {
        let inbox = Self::new(fields.actor_id, fields.roles, fields.groups)?;
        let inbox = Self { visible_to: fields.visible_to, ..inbox };
        fields.acting_for.map_or(Ok(inbox.clone()), |acting_for| inbox.acting_for(acting_for))
    }
}

impl From<InboxQuery> for InboxFields {
    fn from(query: InboxQuery) -> Self {
        Self {
            actor_id: query.actor_id,
            roles: query.actor.roles,
            groups: query.actor.groups,
            acting_for: query.actor.acting_for,
            visible_to: query.visible_to,
        }
    }
}

impl fmt::Display for InboxQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "approvals that {} can decide now", self.actor_id)?;
        if let Some(acting_for) = self.person_acted_for() {
            write!(f, " for {}", acting_for.id)?;
        }
        if !self.roles().is_empty() {
            write!(f, ", as {}", joined(self.roles(), " or "))?;
        }
        if !self.groups().is_empty() {
            write!(f, ", in {}", joined(self.groups(), " or "))?;
        }
        if let Some(viewer) = &self.visible_to {
            write!(f, ", visible to {viewer}")?;
        }
        f.write_str(", oldest first")
    }
}
