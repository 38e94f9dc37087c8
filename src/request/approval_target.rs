//! Whom an approval is addressed to.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ActorContext, ActorId, Group, IdComparison, Role};
use crate::error::{Error, InvalidValue};

/// Who may decide an approval: any actor with one of these ids, roles or groups. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "TargetFields", into = "TargetFields")]
pub struct ApprovalTarget(TargetFields);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
struct TargetFields {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    actor_ids: BTreeSet<ActorId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    groups: BTreeSet<Group>,
}

impl ApprovalTarget {
    /// The actor with this id.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`ActorId`].
    pub fn actor(id: impl Into<String>) -> Result<Self, InvalidValue> {
        let actor_ids = BTreeSet::from([ActorId::new(id)?]);
        Ok(Self(TargetFields { actor_ids, ..TargetFields::default() }))
    }

    /// The actor with this id.
    pub(crate) fn of_actor(id: ActorId) -> Self {
        Self(TargetFields { actor_ids: BTreeSet::from([id]), ..TargetFields::default() })
    }

    /// Every actor with this role.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Role`].
    pub fn role(role: impl Into<String>) -> Result<Self, InvalidValue> {
        let roles = BTreeSet::from([Role::new(role)?]);
        Ok(Self(TargetFields { roles, ..TargetFields::default() }))
    }

    /// Every actor in this group.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Group`].
    pub fn group(group: impl Into<String>) -> Result<Self, InvalidValue> {
        let groups = BTreeSet::from([Group::new(group)?]);
        Ok(Self(TargetFields { groups, ..TargetFields::default() }))
    }

    /// Every actor with one of these ids, roles or groups.
    ///
    /// # Errors
    /// [`Error::InvalidApprovalConfiguration`] when all three are empty.
    pub fn any_of(actor_ids: BTreeSet<ActorId>, roles: BTreeSet<Role>, groups: BTreeSet<Group>) -> Result<Self, Error> {
        Self::try_from(TargetFields { actor_ids, roles, groups })
    }

    /// Whoever matches this target or the other.
    pub fn or(mut self, other: Self) -> Self {
        self.0.actor_ids.extend(other.0.actor_ids);
        self.0.roles.extend(other.0.roles);
        self.0.groups.extend(other.0.groups);
        self
    }

    /// Whether this actor matches the target, by this rule for comparing ids. Whoever acts for another has the rights of
    /// that person: its id matches, not the actor's own.
    pub fn matches(&self, actor: &ActorContext, ids: IdComparison) -> bool {
        actor.rights_of().is_some_and(|id| ids.holds(&self.0.actor_ids, id))
            || ids.overlap(&self.0.roles, &actor.roles)
            || ids.overlap(&self.0.groups, &actor.groups)
    }

    /// The ids of actors who may decide.
    pub const fn actor_ids(&self) -> &BTreeSet<ActorId> {
        &self.0.actor_ids
    }

    /// The roles whose holders may decide.
    pub const fn roles(&self) -> &BTreeSet<Role> {
        &self.0.roles
    }

    /// The groups whose members may decide.
    pub const fn groups(&self) -> &BTreeSet<Group> {
        &self.0.groups
    }
}

impl TryFrom<TargetFields> for ApprovalTarget {
    type Error = Error;
    fn try_from(fields: TargetFields) -> Result<Self, Error> {
        if fields.actor_ids.is_empty() && fields.roles.is_empty() && fields.groups.is_empty() {
            return Err(Error::invalid_approval_configuration(
                "a target that names no actor id, no role and no group; nobody could decide it",
            ));
        }
        Ok(Self(fields))
    }
}

impl From<ApprovalTarget> for TargetFields {
    fn from(target: ApprovalTarget) -> Self {
        target.0
    }
}

impl fmt::Display for ApprovalTarget {
    /// For example `alice or role manager or group security`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.0.actor_ids.iter().map(ToString::to_string);
        let roles = self.0.roles.iter().map(|role| format!("role {role}"));
        let groups = self.0.groups.iter().map(|group| format!("group {group}"));
        let parts: Vec<String> = ids.chain(roles).chain(groups).collect();
        f.pad(&parts.join(" or "))
    }
}
