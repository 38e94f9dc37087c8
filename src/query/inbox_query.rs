use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::request_text::joined;
use crate::error::InvalidValue;
use crate::request::{
    ActorContext, ActorId, Approval, ApprovalState, DeciderRule, Group, MutationRequest, Role, Step, Timestamp,
};

/// Whose inbox is asked for: the approvals an actor can decide now, in created order.
///
/// In it are exactly the approvals that this actor's decision would be accepted for: pending, of the step that is to be
/// decided now, addressed to the actor, not expired, not of their own request unless that is allowed, and not in a quorum
/// group they have voted in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxQuery {
    actor_id: ActorId,
    #[serde(default)]
    roles: BTreeSet<Role>,
    #[serde(default)]
    groups: BTreeSet<Group>,
}

impl InboxQuery {
    /// The inbox of the actor with this id, these roles and these groups.
    pub const fn new(actor_id: ActorId, roles: BTreeSet<Role>, groups: BTreeSet<Group>) -> Self {
        Self { actor_id, roles, groups }
    }

    /// The inbox of this actor.
    ///
    /// # Errors
    /// [`InvalidValue`] when the actor has no id, because an actor without one can decide nothing.
    pub fn of(actor: &ActorContext) -> Result<Self, InvalidValue> {
        let id = actor.id.clone().ok_or_else(|| {
            InvalidValue::new("actor id", format!("is missing from {}; an inbox belongs to an id", actor.label()))
        })?;
        Ok(Self::new(id, actor.roles.clone(), actor.groups.clone()))
    }

    /// The actor's id.
    pub const fn actor_id(&self) -> &ActorId {
        &self.actor_id
    }

    /// The actor's roles.
    pub const fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// The actor's groups.
    pub const fn groups(&self) -> &BTreeSet<Group> {
        &self.groups
    }

    /// Whether the actor can decide this approval of the request now.
    pub fn matches(&self, request: &MutationRequest, approval: &Approval, now: Timestamp) -> bool {
        is_open(approval)
            && active_step(request) == Some(approval.step)
            && self.is_addressed(approval)
            && approval.expires_at.is_none_or(|expiry| now < expiry)
            && (approval.decider == DeciderRule::Anyone || request.requested_by.id.as_ref() != Some(&self.actor_id))
            && !self.has_voted(request, approval)
    }

    fn is_addressed(&self, approval: &Approval) -> bool {
        let target = &approval.target;
        target.actor_ids().contains(&self.actor_id)
            || !target.roles().is_disjoint(&self.roles)
            || !target.groups().is_disjoint(&self.groups)
    }

    /// Whether the actor decided another approval of the same quorum group.
    fn has_voted(&self, request: &MutationRequest, approval: &Approval) -> bool {
        let Some(quorum) = &approval.quorum else { return false };
        let members = request
            .approvals
            .iter()
            .filter(|other| other.quorum.as_ref().is_some_and(|of_other| of_other.group == quorum.group));
        members
            .filter_map(|member| member.state.verdict())
            .any(|verdict| verdict.by.id.as_ref() == Some(&self.actor_id))
    }
}

/// The step whose approvals are to be decided now; none when the request does not wait for approval.
pub(super) fn active_step(request: &MutationRequest) -> Option<Step> {
    let open = request.approvals.iter().filter(|approval| is_open(approval));
    open.map(|approval| approval.step).min().filter(|_| request.state.awaits_approval())
}

pub(super) fn is_open(approval: &Approval) -> bool {
    approval.state == ApprovalState::Pending
}

impl fmt::Display for InboxQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "approvals that {} can decide now", self.actor_id)?;
        if !self.roles.is_empty() {
            write!(f, ", as {}", joined(&self.roles, " or "))?;
        }
        if !self.groups.is_empty() {
            write!(f, ", in {}", joined(&self.groups, " or "))?;
        }
        f.write_str(", oldest first")
    }
}
