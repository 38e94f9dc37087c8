//! Actors, roles and groups: whom a request names, whom it concerns, and as whom somebody reads.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ActorId, ApprovalTarget, Group, IdComparison, Role};
use crate::error::InvalidValue;

/// Actors by id, by role and by group; maybe nobody.
///
/// A [draft](crate::RequestDraft::with_participants) names those who may read the request although they neither submit
/// nor decide it. [`workflow::participants`](crate::workflow::participants) returns all who may read a request.
///
/// ```
/// use mutator_governance::Participants;
///
/// let auditors = Participants::new().with_actor_ids(["olga"])?.with_groups(["audit"])?;
/// assert_eq!(auditors.to_string(), "olga or group audit");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct Participants {
    /// The actors with one of these ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub actor_ids: BTreeSet<ActorId>,
    /// The actors with one of these roles.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// The actors in one of these groups.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<Group>,
}

impl Participants {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and the actors with these ids.
    ///
    /// # Errors
    /// [`InvalidValue`] when one is not a valid [`ActorId`].
    pub fn with_actor_ids(
        mut self,
        ids: impl IntoIterator<Item = impl TryInto<ActorId, Error: Into<InvalidValue>>>,
    ) -> Result<Self, InvalidValue> {
        for id in ids {
            self.actor_ids.insert(id.try_into().map_err(Into::into)?);
        }
        Ok(self)
    }

    /// The same, and the actors with these roles.
    ///
    /// # Errors
    /// [`InvalidValue`] when one is not a valid [`Role`].
    pub fn with_roles(
        mut self,
        roles: impl IntoIterator<Item = impl TryInto<Role, Error: Into<InvalidValue>>>,
    ) -> Result<Self, InvalidValue> {
        for role in roles {
            self.roles.insert(role.try_into().map_err(Into::into)?);
        }
        Ok(self)
    }

    /// The same, and the actors in these groups.
    ///
    /// # Errors
    /// [`InvalidValue`] when one is not a valid [`Group`].
    pub fn with_groups(
        mut self,
        groups: impl IntoIterator<Item = impl TryInto<Group, Error: Into<InvalidValue>>>,
    ) -> Result<Self, InvalidValue> {
        for group in groups {
            self.groups.insert(group.try_into().map_err(Into::into)?);
        }
        Ok(self)
    }

    /// Whether it is nobody.
    pub fn is_empty(&self) -> bool {
        self.actor_ids.is_empty() && self.roles.is_empty() && self.groups.is_empty()
    }

    /// Whether both have an id, a role or a group in common, by this rule for comparing ids.
    pub fn overlap(&self, others: &Self, ids: IdComparison) -> bool {
        ids.overlap(&self.actor_ids, &others.actor_ids)
            || ids.overlap(&self.roles, &others.roles)
            || ids.overlap(&self.groups, &others.groups)
    }

    /// Adds whom an approval is addressed to.
    pub(crate) fn add(&mut self, target: &ApprovalTarget) {
        self.actor_ids.extend(target.actor_ids().iter().cloned());
        self.roles.extend(target.roles().iter().cloned());
        self.groups.extend(target.groups().iter().cloned());
    }

    /// Adds those whom the other names.
    pub(crate) fn extend(&mut self, other: Self) {
        self.actor_ids.extend(other.actor_ids);
        self.roles.extend(other.roles);
        self.groups.extend(other.groups);
    }
}

impl fmt::Display for Participants {
    /// For example `alice or role manager or group security`; `nobody` if it is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.pad("nobody");
        }
        let ids = self.actor_ids.iter().map(ToString::to_string);
        let roles = self.roles.iter().map(|role| format!("role {role}"));
        let groups = self.groups.iter().map(|group| format!("group {group}"));
        f.pad(&ids.chain(roles).chain(groups).collect::<Vec<_>>().join(" or "))
    }
}
