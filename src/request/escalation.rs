//! Whom an approval is also addressed to when it has waited for too long.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::{ActorContext, ActorId, Approval, ApprovalTarget, Delegation, Group, IdComparison, Role, Timestamp};
use crate::error::{Error, InvalidValue};
use crate::json::{IsoDuration, Strict};

/// When an approval is also addressed to others, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Escalation {
    /// How long after the approval is requested.
    #[serde(serialize_with = "crate::json::write_duration", deserialize_with = "read_duration")]
    #[cfg_attr(feature = "schemars", schemars(with = "IsoDuration"))]
    pub after: Duration,
    /// Who may also decide it from then on.
    pub to: ApprovalTarget,
    /// From this time on; absent until the approval is requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whether a sweep has recorded it in the history. It is binding at its time, recorded or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// How it came to the person it names, if one of those it named handed it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Box<Delegation>>,
}

/// The escalation that a rule demands: its duration is at least one microsecond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Strict<Fields>")]
pub(crate) struct EscalationRule {
    #[serde(serialize_with = "crate::json::write_duration")]
    #[cfg_attr(feature = "schemars", schemars(with = "IsoDuration"))]
    after: Duration,
    to: ApprovalTarget,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    after: IsoDuration,
    to: ApprovalTarget,
}

impl EscalationRule {
    /// How long after the approval is requested.
    #[cfg(feature = "policies")]
    pub(crate) const fn after(&self) -> Duration {
        self.after
    }

    /// The duration counts whole microseconds, as times do.
    pub(super) fn new(after: Duration, to: ApprovalTarget) -> Result<Self, InvalidValue> {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        if micros == 0 {
            let problem = "must be at least a microsecond after the approval is requested; address the approval to \
                           both targets if both may decide it at once";
            return Err(InvalidValue::new("escalation", problem));
        }
        Ok(Self { after: Duration::from_micros(micros), to })
    }

    /// The escalation of an approval that is not requested yet.
    pub(crate) fn to_come(&self) -> Escalation {
        Escalation { after: self.after, to: self.to.clone(), at: None, recorded: false, delegation: None }
    }
}

impl TryFrom<Strict<Fields>> for EscalationRule {
    type Error = Error;

    fn try_from(Strict(fields): Strict<Fields>) -> Result<Self, Error> {
        let Fields { after: IsoDuration(after), to } = fields;
        Ok(Self::new(after, to)?)
    }
}

fn read_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    IsoDuration::deserialize(deserializer).map(|IsoDuration(duration)| duration)
}

impl Escalation {
    /// The rule that demands it.
    pub(crate) fn rule(&self) -> EscalationRule {
        EscalationRule { after: self.after, to: self.first_named().clone() }
    }

    /// Whom it named before anybody handed it on.
    pub(crate) fn first_named(&self) -> &ApprovalTarget {
        self.delegation.as_ref().map_or(&self.to, |delegation| &delegation.from)
    }

    /// Whether its time has come.
    pub(crate) fn has_come(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at <= now)
    }

    /// Counts its time from when the approval is requested.
    pub(crate) fn start(&mut self, now: Timestamp) {
        (self.at, self.recorded) = (Some(now.saturating_add(self.after)), false);
    }
}

/// Whom the approval addresses.
impl Approval {
    /// Whom it is addressed to at this time: its target, and from its time on that of its escalation.
    pub fn target_at(&self, now: Timestamp) -> Cow<'_, ApprovalTarget> {
        self.with_escalation(|escalation| escalation.has_come(now))
    }

    /// Whether it is addressed to this actor at this time.
    pub(crate) fn addresses(&self, actor: &ActorContext, ids: IdComparison, now: Timestamp) -> bool {
        self.target.matches(actor, ids) || self.escalates_to(actor, ids, now)
    }

    /// Whether its escalation addresses this actor at this time.
    pub(crate) fn escalates_to(&self, actor: &ActorContext, ids: IdComparison, now: Timestamp) -> bool {
        self.escalation.as_ref().is_some_and(|it| it.has_come(now) && it.to.matches(actor, ids))
    }

    /// Whom it is addressed to now or later, unless it is decided before.
    pub(crate) fn target_in_the_end(&self) -> Cow<'_, ApprovalTarget> {
        self.with_escalation(|escalation| self.comes_in_time(escalation.at))
    }

    /// The time of an escalation that no sweep has recorded.
    pub(crate) fn unrecorded_escalation(&self) -> Option<Timestamp> {
        let escalation = self.escalation.as_ref().filter(|escalation| !escalation.recorded)?;
        escalation.at.filter(|at| self.comes_in_time(Some(*at)))
    }

    /// An escalation at the approval's own deadline, or after it, never comes.
    fn comes_in_time(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| self.expires_at.is_none_or(|end| at < end))
    }

    fn with_escalation(&self, counts: impl Fn(&Escalation) -> bool) -> Cow<'_, ApprovalTarget> {
        match self.escalation.as_ref().filter(|escalation| counts(escalation)) {
            Some(escalation) => Cow::Owned(self.target.clone().or(escalation.to.clone())),
            None => Cow::Borrowed(&self.target),
        }
    }
}

/// Whom it is addressed to, as far as the history says: the escalation counts once it is recorded.
impl Approval {
    pub(crate) fn recorded_ids(&self) -> impl Iterator<Item = &ActorId> {
        self.recorded_targets().flat_map(ApprovalTarget::actor_ids)
    }

    pub(crate) fn recorded_roles(&self) -> impl Iterator<Item = &Role> {
        self.recorded_targets().flat_map(ApprovalTarget::roles)
    }

    pub(crate) fn recorded_groups(&self) -> impl Iterator<Item = &Group> {
        self.recorded_targets().flat_map(ApprovalTarget::groups)
    }

    pub(crate) fn recorded_target(&self) -> Cow<'_, ApprovalTarget> {
        self.with_escalation(|escalation| escalation.recorded)
    }

    fn recorded_targets(&self) -> impl Iterator<Item = &ApprovalTarget> {
        let escalation = self.escalation.as_ref().filter(|escalation| escalation.recorded);
        std::iter::once(&self.target).chain(escalation.map(|escalation| &escalation.to))
    }
}
