//! Who asked for a request, as far as rows need it.

use serde::{Deserialize, Serialize};

use super::{ActingFor, ActorContext, ActorId, ActorKind};

/// Who requested something and why, as a list shows it: an [`ActorContext`] without its circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Requester {
    /// What kind of actor this is.
    pub kind: ActorKind,
    /// The actor's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ActorId>,
    /// The name to show for the actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why the actor asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For whom the actor acts, if not for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<ActingFor>,
}

impl Requester {
    pub(crate) const fn new(
        kind: ActorKind,
        id: Option<ActorId>,
        name: Option<String>,
        reason: Option<String>,
        acting_for: Option<ActingFor>,
    ) -> Self {
        Self { kind, id, name, reason, acting_for }
    }

    /// The actor, and the person acted for.
    pub(crate) fn people_ids(&self) -> [Option<&ActorId>; 2] {
        [self.id.as_ref(), self.acting_for.as_ref().map(|acting| &acting.id)]
    }

    /// What to call the actor: the name, or else the id, or else the kind.
    pub fn label(&self) -> &str {
        label(self.kind, self.id.as_ref(), self.name.as_deref())
    }
}

impl From<&ActorContext> for Requester {
    fn from(actor: &ActorContext) -> Self {
        Self::new(actor.kind, actor.id.clone(), actor.name.clone(), actor.reason.clone(), actor.acting_for.clone())
    }
}

/// What to call an actor.
pub(super) fn label<'a>(kind: ActorKind, id: Option<&'a ActorId>, name: Option<&'a str>) -> &'a str {
    name.or(id.map(ActorId::as_str)).unwrap_or(kind.as_str())
}
