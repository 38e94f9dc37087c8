//! Who acts, in which circumstances.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::requester::label;
use super::{ActingFor, ActorId, Group, Metadata, Role, Timestamp};
use crate::error::{Error, InvalidValue};

/// Who acts, as what, and under which circumstances.
///
/// Requests share it in an `Arc`: one person's decision, approval and claim hold the same value.
///
/// ```
/// use mutator_governance::ActorContext;
///
/// # fn main() -> Result<(), mutator_governance::Error> {
/// let roles_of_token = ["manager", "approver"];
/// let by = ActorContext::user("carol")?
///     .with_roles(roles_of_token)?
///     .with_session_id("s-81")
///     .with_source_address(std::net::IpAddr::from([10, 0, 0, 7]))
///     .with_correlation_id("order-1")
///     .because("part of her new job");
/// assert_eq!(by.roles.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActorContext {
    /// What kind of actor this is.
    #[serde(default)]
    pub kind: ActorKind,
    /// The actor's id; an actor without one cannot decide approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ActorId>,
    /// The name to show for the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The roles the actor holds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// The groups the actor belongs to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<Group>,
    /// Why the actor acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the action may take effect. The services store nothing for an actor whose mode is not
    /// [`ActorMode::Commit`]; the functions of [`workflow`](crate::workflow), which ignore the mode, show what would
    /// happen.
    #[serde(default, skip_serializing_if = "ActorMode::is_commit")]
    pub mode: ActorMode,
    /// Connects everything that belongs to one business operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What caused this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// The session the actor acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The network address the action came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_address: Option<String>,
    /// The program the action came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The actor's time zone, as an IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The actor's language and region, as a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub culture: Option<String>,
    /// When the actor acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Anything else about the actor.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// For whom the actor acts, if not for themselves; then `roles` and `groups` are those of that person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<ActingFor>,
}

/// What kind of actor acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ActorKind {
    /// Not known.
    #[default]
    Unknown,
    /// A person.
    User,
    /// The system itself.
    System,
    /// Another service.
    Service,
    /// A policy.
    Policy,
    /// A scheduler.
    Scheduler,
    /// A person with administrative power.
    Administrator,
}

/// Whether an action may take effect. A service stores only actions in the mode `Commit`; any other mode is an error.
/// To see what a command would do, use [`workflow::apply`](crate::workflow::apply) and store nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ActorMode {
    /// To see what would happen.
    Simulate,
    /// To check whether it would be allowed.
    Validate,
    /// To take effect.
    #[default]
    Commit,
}

impl ActorContext {
    /// An actor of this kind, with everything else unknown.
    pub fn new(kind: ActorKind) -> Self {
        Self {
            kind,
            id: None,
            name: None,
            roles: BTreeSet::new(),
            groups: BTreeSet::new(),
            reason: None,
            mode: ActorMode::Commit,
            correlation_id: None,
            causation_id: None,
            session_id: None,
            source_address: None,
            user_agent: None,
            time_zone: None,
            culture: None,
            at: None,
            metadata: Metadata::new(),
            acting_for: None,
        }
    }

    /// The person with this id.
    ///
    /// # Errors
    /// [`InvalidValue`] when the id is not a valid [`ActorId`].
    pub fn user(id: impl Into<String>) -> Result<Self, InvalidValue> {
        Self::new(ActorKind::User).with_id(id)
    }

    /// The service with this id.
    ///
    /// # Errors
    /// [`InvalidValue`] when the id is not a valid [`ActorId`].
    pub fn service(id: impl Into<String>) -> Result<Self, InvalidValue> {
        Self::new(ActorKind::Service).with_id(id)
    }

    /// The system itself, without an id.
    pub fn system() -> Self {
        Self::new(ActorKind::System)
    }

    /// The same actor with this id.
    ///
    /// # Errors
    /// [`InvalidValue`] when the id is not a valid [`ActorId`].
    pub fn with_id(mut self, id: impl Into<String>) -> Result<Self, InvalidValue> {
        self.id = Some(ActorId::new(id)?);
        Ok(self)
    }

    /// The same actor with this role added.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Role`].
    pub fn with_role(mut self, role: impl Into<String>) -> Result<Self, InvalidValue> {
        self.roles.insert(Role::new(role)?);
        Ok(self)
    }

    /// The same actor with this group added.
    ///
    /// # Errors
    /// [`InvalidValue`] when it is not a valid [`Group`].
    pub fn with_group(mut self, group: impl Into<String>) -> Result<Self, InvalidValue> {
        self.groups.insert(Group::new(group)?);
        Ok(self)
    }

    /// The same actor with these roles added, as an identity provider lists them.
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

    /// The same actor with these groups added, as an identity provider lists them.
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

    /// The same actor, shown under this name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same actor, acting for this reason.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same actor in this mode. Defaults to [`ActorMode::Commit`].
    pub const fn in_mode(mut self, mode: ActorMode) -> Self {
        self.mode = mode;
        self
    }

    /// The same actor, acting as part of the business operation with this correlation id.
    pub fn with_correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// The same actor, whose action was caused by this event or command.
    pub fn with_causation_id(mut self, id: impl Into<String>) -> Self {
        self.causation_id = Some(id.into());
        self
    }

    /// The same actor, acting in this session.
    pub fn with_session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// The same actor, acting from this network address: text, an `IpAddr` or a `SocketAddr`.
    #[allow(clippy::needless_pass_by_value, reason = "text and addresses are given by value")]
    pub fn with_source_address(mut self, address: impl ToString) -> Self {
        self.source_address = Some(address.to_string());
        self
    }

    /// The same actor, acting through this program.
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The same actor in this time zone, an IANA name.
    pub fn with_time_zone(mut self, time_zone: impl Into<String>) -> Self {
        self.time_zone = Some(time_zone.into());
        self
    }

    /// The same actor with this language and region, a BCP 47 tag.
    pub fn with_culture(mut self, culture: impl Into<String>) -> Self {
        self.culture = Some(culture.into());
        self
    }

    /// The same actor, who acted at this time.
    pub const fn acting_at(mut self, time: Timestamp) -> Self {
        self.at = Some(time);
        self
    }

    /// The same actor with this metadata.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Whether what the actor does may be stored.
    pub(crate) fn ensure_commit_mode(&self) -> Result<(), Error> {
        match self.mode {
            ActorMode::Commit => Ok(()),
            mode @ (ActorMode::Simulate | ActorMode::Validate) => Err(Error::NotCommitMode { mode }),
        }
    }

    /// What to call the actor: the name, or else the id, or else the kind.
    pub fn label(&self) -> &str {
        label(self.kind, self.id.as_ref(), self.name.as_deref())
    }
}

impl ActorMode {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
    fn is_commit(&self) -> bool {
        *self == Self::Commit
    }

    /// The mode as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulate => "Simulate",
            Self::Validate => "Validate",
            Self::Commit => "Commit",
        }
    }
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Unknown, Self::User, Self::System, Self::Service, Self::Policy, Self::Scheduler, Self::Administrator];

    /// The kind as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::User => "User",
            Self::System => "System",
            Self::Service => "Service",
            Self::Policy => "Policy",
            Self::Scheduler => "Scheduler",
            Self::Administrator => "Administrator",
        }
    }
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
